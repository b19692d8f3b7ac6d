"""`signpath-ci finish`: bring what describes the signed files up to date, offline."""

from __future__ import annotations

import logging

from signpath_ci.errors import LocalFileError, SignPathError, UsageError
from signpath_ci.settings import FinishSettings
from signpath_ci.workflows.finish import report
from signpath_ci.workflows.process import Process, print_object, print_path, reporter_for
from signpath_ci.workflows.release_files import Directory, Finished, Pair, finish, fresh_beside, list_files
from signpath_ci.workflows.release_pairs import pairs_of_directory, pairs_of_result
from signpath_ci.workflows.reporting import watched

_log = logging.getLogger(__name__)


def run(settings: FinishSettings, process: Process) -> None:
    """Rewrite what can be, print its paths, and name what can't be rewritten.

    Raises:
        UsageError: the unsigned files' digests are not known.
        LocalFileError: a file can't be read or written.
        VerificationError: something can't be brought up to date, and `--stale-metadata` is `fail`.
    """
    with watched(settings, process, reporter_for(process)):
        found: Finished | None = None
        try:
            found = _finish(settings, process)
            report(found, is_finished=True, level=settings.stale_metadata)
        except SignPathError as error:
            _print(settings, process, found, error)
            raise
        _print(settings, process, found, None)


def _print(settings: FinishSettings, process: Process, found: Finished | None, error: SignPathError | None) -> None:
    if settings.json:
        print_object(process, _object(found, error))
        return
    for one in found.updated if found else ():
        print_path(process, one.path)


def _finish(settings: FinishSettings, process: Process) -> Finished:
    if not settings.unsigned and not settings.result:
        raise UsageError(
            "What the files were before they were signed is not known.",
            hint="Name the unsigned files with --unsigned, or what `sign --json` printed with --result; or let `sign` "
            "do it: --finish (finish: true).",
            code="no-unsigned-files",
        )
    directory = (process.directory / settings.directory).resolve()
    if not directory.is_dir():
        raise LocalFileError(
            f"{settings.directory} is not a directory.",
            hint="Name the one with the signed files.",
            code="not-a-directory",
        )
    root = Directory(path=directory, is_deep=True)
    listing = list_files([root])
    algorithms = listing.algorithms | {"sha256"}
    pairs: list[Pair] = []
    unsigned = process.directory / settings.unsigned if settings.unsigned else None
    if unsigned:
        pairs += pairs_of_directory(unsigned, directory, algorithms)
    if settings.result:
        pairs += pairs_of_result(process.directory / settings.result, directory, process.directory, algorithms)
    if not pairs:
        _log.warning("No file in %s is the signed form of one that is named: nothing is brought up to date.", directory)
    fresh = fresh_beside(listing, directory, unsigned) if unsigned and unsigned.is_dir() else []
    return finish(pairs, listing, writable=[root], fresh=fresh)


def _object(found: Finished | None, error: SignPathError | None) -> dict[str, object]:
    from signpath_ci.report.result import error_object

    return {
        "updated": [{"path": str(one.path), "format": one.format} for one in found.updated] if found else [],
        "outdated": [
            {
                "path": str(one.path),
                "format": one.format,
                "of": sorted({stale.of for stale in one.stale}),
                "remedies": sorted({stale.remedy for stale in one.stale if stale.remedy}),
            }
            for one in (found.outdated if found else ())
        ],
        "left_out": list(found.left_out) if found else [],
        "error": error_object(error) if error else None,
    }

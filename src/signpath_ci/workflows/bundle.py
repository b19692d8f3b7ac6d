"""`sign --bundle`: several files in one ZIP and one request, and the signed ones back to where they belong."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from signpath_ci.files import delete, directory_in
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.bundle import common_directory, member_names, write_bundle
from signpath_ci.signing.replace_all import replacing
from signpath_ci.signing.target import default_target, disk_errors
from signpath_ci.values import replace
from signpath_ci.workflows.destinations import Members
from signpath_ci.workflows.finish import Release
from signpath_ci.workflows.inputs import files_of, in_directory
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.release_files import Directory
from signpath_ci.workflows.sign import SigningResult, prepare, sign_file
from signpath_ci.workflows.verification import check_verifiable, required_of

_log = logging.getLogger(__name__)
_NAME = Path("bundle.zip")


def sign_bundle(settings: SignSettings, process: Process, reporter: Reporter) -> SigningResult | None:
    """Sign what the settings name, with one request; `None` where all of it is signed already.

    Raises:
        SignPathError: the run failed; no file is in its place then.
    """
    given = files_of(settings, process)
    required = required_of(settings, settings)
    for path in given:
        check_verifiable(path, required)
    run = prepare(settings, process, reporter)
    if not given:
        reporter.several(())
        return None
    root = common_directory(settings.artifact)
    members = member_names(given, root)
    directory = settings.output or root
    release = _release(settings, members, reporter)
    added: list[Path] = []
    try:
        with _places(settings, members) as places, ExitStack() as stack:
            with disk_errors(directory):
                scratch = stack.enter_context(directory_in(directory))
            write_bundle(members, scratch / _NAME)
            _log.info("%s holds, by their names in %s: %s.", _NAME, root, ", ".join(map(str, members)))
            destination = Members(
                places=places,
                originals=members,
                directory=directory,
                name=directory / _NAME,
                force=settings.force and not settings.in_place,
            )
            source = Source(path=scratch / _NAME, name=_NAME)
            result = sign_file(run, source, destination, process, reporter, receipt=settings.receipt)
            added += result.files[len(places) :]
    except BaseException:
        for path in added:  # all are in place, or none
            delete(path, missing_ok=True)
        raise
    files = list(members.values()) if settings.in_place else result.files[: len(members)]
    if release and result.signed:
        release.delivered(list(zip(members.values(), files, strict=True)))
    return replace(result, files=(*files, *added) if result.signed else ())


def _release(settings: SignSettings, members: Mapping[PurePosixPath, Path], reporter: Reporter) -> Release | None:
    if not settings.wait_for_completion:
        return None
    output = settings.output
    directories = {output / name.parent if output else path.parent for name, path in members.items()}
    return Release(settings, list(members.values()), [Directory(path=path) for path in sorted(directories)], reporter)


@contextmanager
def _places(settings: SignSettings, members: Mapping[PurePosixPath, Path]) -> Iterator[dict[PurePosixPath, Path]]:
    """Give each member's place; with `--in-place` a temporary one, from where it replaces the file at the end.

    A file here is named as it was found: its name in the bundle is in NFC, which need not be the name here.
    """
    if settings.in_place:
        with replacing(list(members.values())) as places:
            yield dict(zip(members, places, strict=True))
    elif settings.output:
        places = in_directory(settings.output, [Path(name) for name in members], option="--output")
        yield dict(zip(members, places, strict=True))
    else:
        yield {name: default_target(file) for name, file in members.items()}

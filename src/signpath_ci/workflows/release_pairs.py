"""Which signed file was which unsigned one, for a release that was signed earlier."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.files import read_bounded
from signpath_ci.release_metadata.digests import ALGORITHMS, FileDigests
from signpath_ci.signing.target import default_target
from signpath_ci.workflows.release_files import Directory, Pair, hash_path, walk

_log = logging.getLogger(__name__)
_LARGEST_RESULT = 64 * 1024 * 1024


def pairs_of_directory(unsigned: Path, directory: Path, algorithms: Collection[str]) -> Iterator[Pair]:
    """Return the files of `directory` that have the same path below `unsigned`, or the name of that file.

    Raises:
        LocalFileError: there are no unsigned files, or one can't be read.
    """
    if unsigned.is_dir():
        left_out: list[str] = []
        for path, _ in walk([Directory(path=unsigned, is_deep=True)], left_out):
            signed = directory / path.relative_to(unsigned)
            if signed.is_file() and not signed.is_symlink():
                yield Pair(unsigned=path, signed=signed, before=hash_path(path, algorithms))
        for left in left_out:
            _log.warning("Not looked into: %s.", left)
        return
    if not unsigned.exists():
        raise LocalFileError(f"{unsigned} does not exist.", hint="Check --unsigned.", code="file-missing")
    for name in (unsigned.name, default_target(unsigned).name):
        signed = directory / name
        if signed.is_file() and not signed.is_symlink():
            yield Pair(unsigned=unsigned, signed=signed, before=hash_path(unsigned, algorithms))
            return


def pairs_of_result(
    result: Path, directory: Path, working_directory: Path, algorithms: Collection[str]
) -> Iterator[Pair]:
    """Return the signed files below `directory` that `sign --json` named, with the unsigned digests that it printed.

    Args:
        result: the file with what it printed.
        directory: the one with the signed files.
        working_directory: what relative paths in it are relative to.
        algorithms: those whose digests the release holds.

    Raises:
        LocalFileError: the file can't be read.
        UsageError: it is something else.
    """
    for one in _files(result):
        signed = (working_directory / one["path"]).resolve()
        if not signed.is_relative_to(directory) or not signed.is_file():
            _log.warning("%s is not a file below %s, and is left out.", signed, directory)
            continue
        unsigned = one["unsigned"]
        digests = {name: bytes.fromhex(unsigned[name]) for name in ALGORITHMS if name in unsigned}
        if missing := sorted(set(algorithms) - digests.keys()):
            _log.warning("%s does not say the %s of the unsigned %s.", result, ", ".join(missing), signed.name)
        yield Pair(unsigned=signed, signed=signed, before=FileDigests(size=int(unsigned["size"]), digests=digests))


def _files(result: Path) -> list[dict[str, Any]]:
    try:
        data = read_bounded(result, most=_LARGEST_RESULT)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else error
        raise LocalFileError(
            f"{result} can't be read: {words}.", hint="Check --result.", code="unreadable-file"
        ) from None
    try:
        files = [one for one in json.loads(data or b"")["files"] if one["unsigned"]]
        is_valid = all(_is_valid(one) for one in files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_valid = False
    if not is_valid:
        raise UsageError(
            f"{result} is not what `sign --json` prints.", hint="Check --result.", code="result-invalid"
        ) from None
    return files


def _is_valid(one: dict[str, Any]) -> bool:
    unsigned = one["unsigned"]
    digests = {name: bytes.fromhex(unsigned[name]) for name in ALGORITHMS if name in unsigned}
    lengths = all(len(digest) == ALGORITHMS[name] for name, digest in digests.items())
    return isinstance(one["path"], str) and isinstance(unsigned["size"], int) and bool(digests) and lengths

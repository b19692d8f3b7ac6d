"""Remedies: what to do where a rule does not hold, and which files came near."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from itertools import islice

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.document import FileElement
from signpath_ci.artifact_configuration.index import Directory
from signpath_ci.artifact_configuration.paths import DEEP, Path, Segment
from signpath_ci.formats.containers import Container

_SHOWN = 3
_LOOKED_AT = 5000  # names that are compared for likeness

METADATA_REMEDIES = {
    "pe-file": "add a version resource to the build, or remove the restriction",
    "msi-file": "set it in the installer's summary information, or remove the restriction",
}


def expectation(low: int, high: int | None) -> str:
    """Return how many matches are expected, as SignPath's messages say it."""
    if high is None:
        return f"at least {low} {_items(low)}"
    if low == high:
        return f"exactly {low} {_items(low)}"
    return f"{low} to {high} items"


def _items(count: int) -> str:
    return "item" if count == 1 else "items"


def too_many(found: Sequence[str]) -> str:
    """Return what to do where a path names more files than expected."""
    shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    return f'found {shown}; make the path more exact, or give max-matches="unbounded"'


def root_remedy(kind: str, element: str) -> str:
    """Return what to do where the artifact is not what the root element says.

    Args:
        kind: the root element.
        element: the one that fits the artifact.
    """
    if element == "zip-file":
        return (
            "CI systems zip what is uploaded as an artifact: put the element into a root <zip-file>, "
            "or upload the file itself (actions/upload-artifact with archive: false)"
        )
    if kind == "zip-file":
        return (
            "the configuration is for an artifact that is uploaded as a ZIP: check the ZIP, or make "
            f"<{element}> the root"
        )
    return f"make <{element}> the root, or name another configuration"


def metadata_remedy(expected: str, actual: str) -> str:
    """Return what to do where a file's metadata is not what is expected."""
    if actual.startswith(f"{expected}+"):
        return (
            ".NET puts the commit behind the version: build with -p:IncludeSourceRevisionInInformationalVersion=false"
        )
    if expected.lower() == actual.lower():
        return "they differ in case only"
    return "correct the build, the restriction, or the parameter's value"


def remedy(element: FileElement, path: Path, container: Container, base: Directory, prefix: str) -> str:
    """Return where files are that came near a path that names too few; else what the container holds."""
    if element.kind == "directory":
        return _directory_remedy(path, base) or _holds(container)
    if double := _double_zip(container):
        return f"the ZIP holds only {prefix}{double}: a ZIP in a ZIP. Upload the files themselves, not a ZIP of them"
    if found := _elsewhere(path, container, base) or _missing_directory(path, base):
        return found
    last = path.segments[-1] if path.segments else None
    if last is not None and last.literal == "sample.exe":
        return f"sample.exe is of SignPath's template: name the files of your build. {_holds(container)}"
    alike = _alike(last, container) if last is not None else None
    return f"did you mean {alike}?" if alike else _holds(container)


def _double_zip(container: Container) -> str | None:
    """Return the only file of a container where that is a ZIP."""
    if len(container.members) == 1 and container.members[0].path.lower().endswith(".zip"):
        return container.members[0].path
    return None


def _elsewhere(path: Path, container: Container, base: Directory) -> str:
    last = path.segments[-1] if path.segments else None
    if last is DEEP or last is None:
        return ""
    wanted = [segment for segment in path.segments[:-1] if segment is not DEEP]
    found = [
        member.path
        for member in islice(container.members, 10 * _LOOKED_AT)
        if last.matches(inferred.fold(member.path.rpartition("/")[2]))
    ]
    if not found:
        return ""
    start = f"{base.path}/" if base.path else ""
    first = found[0]
    name = first.rpartition("/")[2]
    if first.startswith(start):
        directory = first[len(start) :].rpartition("/")[0]
        depth = directory.count("/") + 1 if directory else 0
        given = len(wanted)
        if depth == given + 1:
            where = f"{name} lies one directory deeper, in {start}{directory}/"
        elif directory:
            where = f"{name} lies in {start}{directory}/"
        else:
            where = f"{name} lies in {start or 'the root'}, without a directory"
    else:
        where = f"{name} lies in {first.rpartition('/')[0] or 'the root'}"
    more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    return f'{where}{more}: write path="{inferred.escape(first.removeprefix(start))}"'


def _missing_directory(path: Path, base: Directory) -> str:
    directory = base
    for segment in path.segments[:-1]:
        if segment is DEEP or segment is None or segment.literal is None:
            return ""
        following = directory.directories.get(segment.literal)
        if following is None:
            return f"there is no directory {segment.literal} in {_named(directory)}; {_directories(directory)}"
        directory = following
    return ""


def _directory_remedy(path: Path, base: Directory) -> str:
    last = path.segments[-1] if path.segments else None
    if last is None or last is DEEP or last.literal is None:
        return _directories(base)
    for directory in islice(base.walk(), _LOOKED_AT):
        if last.literal in directory.directories and directory is not base:
            return f"{directory.directories[last.literal].name} lies in {directory.path}/"
    return _directories(base)


def _named(directory: Directory) -> str:
    return f"{directory.path}/" if directory.path else "the root"


def _directories(directory: Directory) -> str:
    names = [one.name for one in islice(directory.directories.values(), _SHOWN + 1)]
    if not names:
        return f"{_named(directory)} has no directories"
    return f"{_named(directory)} has {', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}"


def _alike(segment: Segment, container: Container) -> str | None:
    if segment.literal is None:
        return None
    names = {
        inferred.fold(member.path.rpartition("/")[2]): member.path for member in islice(container.members, _LOOKED_AT)
    }
    found = difflib.get_close_matches(segment.literal[:100], [name[:100] for name in names], n=1, cutoff=0.75)
    return names.get(found[0]) if found else None


def _holds(container: Container) -> str:
    members = container.members
    if not members:
        return "it holds no files"
    shown = ", ".join(member.path for member in members[:_SHOWN])
    return f"it holds {shown}" + (f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else "")

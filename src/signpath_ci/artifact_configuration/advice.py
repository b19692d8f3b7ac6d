"""What is permitted, and probably not meant: a configuration that works once, or signs less than one thinks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from signpath_ci.artifact_configuration.document import Configuration, FileElement
from signpath_ci.artifact_configuration.language import DIRECTIVES, ELEMENTS
from signpath_ci.artifact_configuration.plan import Finding, Plan, PlannedFile
from signpath_ci.formats.registry import FORMATS, by_name

_SHOWN = 5
_STALE = re.compile(
    r"(?:sha\d+sums?(?:\.txt)?|md5sums?(?:\.txt)?|checksums?\.txt|releases|releases\.\w+\.json|latest(?:-\w+)?\.yml"
    r"|appcast\.xml|.*\.(?:sha1|sha256|sha512|md5|blockmap|asc|minisig|appinstaller))\Z",
    re.IGNORECASE,
)
_PE_NAMES = re.compile(r".*\.(?:exe|dll|sys|ocx|scr|cpl|node)\Z", re.IGNORECASE)
_MAX_LOOKED_AT = 2000


def about(configuration: Configuration, plan: Plan) -> tuple[Finding, ...]:
    """Return the warnings about a configuration, and about its plan."""
    return (
        *(Finding(rule=one.rule, message=one.message, position=one.position) for one in configuration.warnings),
        *_open_patterns(configuration),
        *_missing_restrictions(configuration),
        *_not_verifiable(configuration),
        *_hit_twice(plan),
        *_double_zip(plan),
        *_stale(plan),
    )


def _open_patterns(configuration: Configuration) -> Iterator[Finding]:
    for element in configuration.root.walk():
        if element is configuration.root:
            continue
        for include in element.includes:
            text = "" if include.path is None else str(include.path)
            if re.search(r"[*?]", text) and not include.has_max:
                yield Finding(
                    rule="wildcard-without-max",
                    message=f"the pattern {text} may match one file only, as max-matches is 1",
                    hint='give max-matches="unbounded", or write max-matches="1" where that is meant',
                    position=include.position,
                )


def _missing_restrictions(configuration: Configuration) -> Iterator[Finding]:
    for element in configuration.root.walk():
        is_signed = any(one.name == "authenticode-sign" for one in element.directives)
        if element.kind not in {"pe-file", "msi-file"} or not is_signed:
            continue
        bare = [include for include in element.includes if not include.restrictions]
        if bare:
            example = "product-name and product-version" if element.kind == "pe-file" else "subject and author"
            yield Finding(
                rule="no-restrictions",
                message=f"<{element.kind}> is signed whatever its metadata says",
                hint=f"restrict it with {example}; open source subscriptions require that",
                position=bare[0].position,
            )


def _not_verifiable(configuration: Configuration) -> Iterator[Finding]:
    seen: set[str] = set()
    for element in configuration.root.walk():
        for directive in element.directives:
            if directive.name in seen or _is_verifiable(element, directive.name):
                continue
            seen.add(directive.name)
            yield Finding(
                rule="not-verifiable",
                message=f"what {directive.name} makes of a {ELEMENTS[element.kind].title} can't be verified by "
                "this program",
                hint="verify it with its own tool; signing needs --allow-unsupported for it",
                position=directive.position,
            )


def _is_verifiable(element: FileElement, directive: str) -> bool:
    """Whether verification can verify what a directive makes, as the registry of formats says."""
    if DIRECTIVES[directive].effect in {"verify", "record"}:
        return True
    extensions = ELEMENTS[element.kind].extensions
    kind = by_name(f"x{extensions[0]}") if extensions else None
    known = [FORMATS[kind]] if kind else FORMATS.values() if element.kind == "file" else []
    return any(one.directive == directive and one.scheme is not None for one in known)


def _hit_twice(plan: Plan) -> Iterator[Finding]:
    found = [
        ("/".join(path), file)
        for path, file in plan.walk()
        if len([one for one in file.treatments if one.directives or one.members]) > 1
    ]
    for path, file in found[:_SHOWN]:
        lines = ", ".join(str(treatment.position.line) for treatment in file.treatments)
        yield Finding(
            rule="processed-twice",
            message=f"it is chosen by the lines {lines}, and processed by each: the last signature replaces the others",
            hint="make the paths exclude each other",
            position=file.treatments[-1].position,
            file=path,
        )
    if len(found) > _SHOWN:
        yield Finding(
            rule="processed-twice",
            message=f"{len(found) - _SHOWN} more files are processed more than once",
            position=found[_SHOWN][1].treatments[-1].position,
        )


def _double_zip(plan: Plan) -> Iterator[Finding]:
    members = list(plan.artifact.members().values())
    files = [member for member in members if not member.is_directory]
    if len(files) == 1 and files[0].path.lower().endswith(".zip") and not files[0].treatments and not plan.problems:
        yield Finding(
            rule="double-zip",
            message="the artifact is a ZIP that holds only a ZIP, and nothing in that is signed",
            hint="upload the files themselves, or put a <zip-file> for it into the configuration",
            position=plan.artifact.treatments[0].position,
            file=files[0].path,
        )


def _stale(plan: Plan) -> Iterator[Finding]:
    if not plan.artifact.changes:
        return
    found = [
        "/".join(path)
        for path, file in plan.walk()
        if not file.treatments and _STALE.match(file.path.rpartition("/")[2])
    ]
    if found:
        yield Finding(
            rule="stale-checksums",
            message=f"{listed(found)}: signing changes files that this describes, so its hashes will be wrong",
            hint="make checksum and updater files after signing",
            position=plan.artifact.treatments[0].position,
        )


def listed(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = list(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def unsigned_programs(plan_members: Iterable[PlannedFile]) -> list[PlannedFile]:
    """Return the files that are left as they are, and that are PE files by their names."""
    found = (one for one in plan_members if not one.treatments and _PE_NAMES.match(one.path))
    return [one for one, _ in zip(found, range(_MAX_LOOKED_AT), strict=False)]

"""The origin that SignPath recorded against the one collected here, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from signpath_ci.model import Origin, RecordedOrigin
from signpath_ci.origin.render import columns
from signpath_ci.origin.urls import public_url
from signpath_ci.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT_PORTS = {"http": "80", "https": "443", "ssh": "22"}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/:]*|[^/]*\])(?::(?P<port>[0-9]*))?(?P<path>/.*|)")
_SCP = re.compile(r"(?P<host>[^/:]+|[^/]*\]):(?P<path>.*)")


@dataclass(frozen=True)
class Difference:
    """A field in which both differ; `recorded` is `None` where SignPath recorded nothing."""

    field: str
    collected: str
    recorded: str | None


def compare_origin(
    origin: Origin,
    recorded: RecordedOrigin | None,
    *,
    branch: str | None = None,
    build_settings_file: Path | None = None,
) -> list[Difference]:
    """Compare what was collected here with what SignPath recorded. What is unknown here is not compared.

    Repository URLs are equal that differ only in the case of scheme or host, a default port, a slash or `.git` at the
    end; commits are compared without regard to case, build settings by their file's base name.

    Args:
        origin: what was collected.
        recorded: `None` where SignPath recorded no origin; then every known field differs.
        branch: the branch that was sent for a build that has none of its own.
        build_settings_file: the pipeline's definition that was sent.
    """
    ours = RecordedOrigin(
        repository_url=origin.repository_url,
        branch=branch or origin.branch,
        commit=origin.commit,
        scm=origin.scm,
        build_url=origin.build_url,
        build_settings_file_name=None if build_settings_file is None else build_settings_file.name,
    )
    theirs = recorded or RecordedOrigin()
    differences = []
    for field in fields(RecordedOrigin):
        mine, other = getattr(ours, field.name), getattr(theirs, field.name)
        if mine is not None and (other is None or _comparable(field.name, mine) != _comparable(field.name, other)):
            differences.append(Difference(field.name, mine, other))
    return differences


def difference_table(differences: list[Difference]) -> list[str]:
    """Return the lines of a small table; what SignPath says is shown as the foreign text that it is."""
    rows = [("field", "collected here", "recorded by SignPath")]
    rows += [
        (each.field, one_line(each.collected, limit=200), one_line(_shown(each), limit=200)) for each in differences
    ]
    return columns(rows)


def _shown(difference: Difference) -> str:
    if difference.recorded is None:
        return "-"
    if difference.field == "repository_url":  # somebody may have configured it with a token
        return public_url(difference.recorded) or "(not a URL)"
    return difference.recorded


def _comparable(field: str, value: str) -> str:
    if field == "repository_url":
        return _repository(value)
    if field == "build_url":
        return _host_folded(public_url(value) or value) + value.partition("?")[2]
    if field == "build_settings_file_name":
        return PurePosixPath(value.replace("\\", "/")).name
    return value.lower() if field in {"commit", "scm"} else value


def _repository(url: str) -> str:
    return _host_folded(public_url(url) or url).rstrip("/").removesuffix(".git").rstrip("/")


def _host_folded(url: str) -> str:
    """Return `url` with scheme and host in lower case, without the scheme's default port; paths mind the case."""
    found = _URL.fullmatch(url)
    if found:
        scheme, port = found["scheme"].lower(), found["port"]
        shown_port = f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else ""
        return f"{scheme}://{found['host'].lower()}{shown_port}{found['path']}"
    found = _SCP.fullmatch(url)
    return f"{found['host'].lower()}:{found['path']}" if found else url

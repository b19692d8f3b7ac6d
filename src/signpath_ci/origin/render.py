"""An origin for programs (JSON) and for people (a table with the source of each value)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.text import one_line
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signpath_ci.model import Origin


@dataclass(frozen=True)
class ExplainedOrigin:
    """An origin, and for each of its known values (`branch`, `pull_request.number`) where it was found."""

    origin: Origin
    sources: Mapping[str, str]


def origin_to_json(origin: Origin) -> dict[str, object]:
    """Return `origin` as one JSON object: every field, in the order of the model, `None` for what is unknown."""
    from dataclasses import asdict  # here, as few commands need it

    return asdict(origin)


def origin_table(explained: ExplainedOrigin) -> list[str]:
    """Return the lines of a table: field, value, and where the value was found."""
    rows = [("field", "value", "source")]
    for name, value in origin_to_json(explained.origin).items():
        if isinstance(value, dict):
            rows += [_row(f"{name}.{key}", inner, explained) for key, inner in value.items()]
        else:
            rows.append(_row(name, value, explained))
    return columns(rows)


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return `rows` as lines whose cells start below each other; the first row is the heading."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _row(name: str, value: object, explained: ExplainedOrigin) -> tuple[str, str, str]:
    if value is None:
        return (name, "-", "")
    shown = ("yes" if value else "no") if isinstance(value, bool) else one_line(str(value), limit=200)
    return (name, shown, explained.sources.get(name, ""))

"""`signpath-ci config`: what is each option, and who says so?"""

from __future__ import annotations

from signpath_ci.settings import ConfigSettings
from signpath_ci.settings.declaration import Explained
from signpath_ci.text import one_line
from signpath_ci.workflows.process import Process, print_object, print_result


def run(settings: ConfigSettings, process: Process) -> None:
    """Print a table, or with `--json` one object; secrets as `***`."""
    if settings.json:
        print_object(process, {one.row.name: _object(one) for one in settings.explained})
        return
    rows = [(one.row.name.replace("_", "-"), _value(one), _source(one)) for one in settings.explained]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, source in rows:
        print_result(process, f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}".rstrip())


def _object(explained: Explained) -> dict[str, str | None]:
    return {"value": explained.shown, "source": explained.given.source if explained.given else None}


def _value(explained: Explained) -> str:
    return "-" if explained.shown is None else one_line(explained.shown)


def _source(explained: Explained) -> str:
    if explained.given:
        return one_line(explained.given.source)
    return f"required: {explained.row.label}" if explained.row.required else ""

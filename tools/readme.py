"""The tables in docs/ that come from the code: `python -m tools.readme` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from signpath_ci.artifact_configuration.rules import DOCUMENT, PROBLEMS, WARNINGS
from signpath_ci.cli import COMMANDS
from signpath_ci.error_codes import CODES
from signpath_ci.errors import EXIT_CODES
from signpath_ci.formats.registry import FORMATS
from signpath_ci.settings import Option, options
from signpath_ci.settings.combinations import COMBINATIONS

_ROOT = Path(__file__).parents[1]


def exit_codes() -> str:
    """Return the table of exit codes."""
    return _table(["code", "meaning"], [[str(code), meaning] for code, meaning in EXIT_CODES.items()])


def error_codes() -> str:
    """Return the table of error codes."""
    return _table(["code", "cause", "remedy"], [[f"`{code}`", *texts] for code, texts in CODES.items()])


def option_tables() -> str:
    """Return the table of options: each once, with the commands that take it, by the groups of `--help`."""
    takers: dict[tuple[str, str], list[str]] = {}
    rows: dict[tuple[str, str], Option] = {}
    for command in (command for command in COMMANDS if not command.explains):
        for row in options(command.settings):
            key = (row.group, row.variable)
            rows[key] = row
            takers.setdefault(key, []).append(f"`{command.name}`")
    groups: dict[str, list[list[str]]] = {}
    for (group, _), row in rows.items():
        groups.setdefault(group, []).append(_cells(row, takers[row.group, row.variable]))
    head = ["option", "variable", "default", "meaning", "of"]
    return "\n\n".join(f"**{group}**\n\n{_table(head, cells)}" for group, cells in groups.items())


def combinations() -> str:
    """Return the table of rules on options that go together."""
    names = {row.name: row.flag for command in COMMANDS for row in options(command.settings)}
    rows = [
        [
            " ".join(f"`{names[name]}`" for name in rule.options),
            rule.message,
            rule.hint,
            f"`{rule.code}`",
        ]
        for rule in COMBINATIONS
    ]
    return _table(["options", "what is wrong", "what to do", "code"], rows)


def rules(named: Mapping[str, str]) -> str:
    """Return the table of rules that artifact configurations are held to."""
    return _table(["rule", "meaning"], [[f"`{rule}`", meaning] for rule, meaning in named.items()])


def formats() -> str:
    """Return the table of formats: how each is recognised, and what is done with it."""
    rows = [
        [
            f"`{kind}`",
            known.title,
            " ".join(f"`{suffix}`" for suffix in known.suffixes),
            "must be signed" if known.must_be_signed else "may be signed",
            "" if known.directive is None else f"`{known.directive}`",
            "yes" if known.scheme is not None else f"no (`not-verifiable`): use {known.instead}",
        ]
        for kind, known in FORMATS.items()
    ]
    return _table(["format", "file", "names", "unsigned", "directive", "verified"], rows)


PARTS: dict[Path, dict[str, Callable[[], str]]] = {
    _ROOT / "docs" / "check.md": {
        "problems of a configuration": partial(rules, DOCUMENT),
        "problems of an artifact": partial(rules, PROBLEMS),
        "warnings": partial(rules, WARNINGS),
    },
    _ROOT / "docs" / "errors.md": {"exit codes": exit_codes, "error codes": error_codes},
    _ROOT / "docs" / "verification.md": {"formats": formats},
    _ROOT / "docs" / "options.md": {"options": option_tables, "combinations": combinations},
}
"""The marked parts of each file, and what fills them."""


def filled(path: Path) -> str:
    """Return a file's text with every marked part made anew."""
    text = path.read_text(encoding="utf-8")
    for name, make in PARTS[path].items():
        begin, end = f"<!-- {name}: begin, made by `make docs` -->\n", f"<!-- {name}: end -->"
        before, begun, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not begun or not ended:
            raise SystemExit(f"{path} has no part marked {name!r}.")
        text = f"{before}{begin}\n{make()}\n\n{end}{after}"
    return text


def _cells(row: Option, takers: list[str]) -> list[str]:
    flag = "--[no-]" + row.flag[2:] if row.is_flag and row.default == "true" else row.flag
    shown = flag if row.is_positional or row.is_flag else f"{flag} {row.metavar}"
    name = f"`{shown}`" if row.short is None else f"`{row.short}`, `{shown}`"
    default = "required" if row.required else "" if row.default is None else f"`{row.default}`"
    choices = f" One of {', '.join(f'`{choice}`' for choice in row.choices)}." if row.choices else ""
    return [name, f"`{row.variable}`", default, (row.help + choices).replace("|", "\\|"), " ".join(takers)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    for file in PARTS:
        file.write_text(filled(file), encoding="utf-8")

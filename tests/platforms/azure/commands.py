"""What the agent reads in a step's output: logging commands, wherever in a line they begin.

<https://github.com/microsoft/azure-pipelines-agent>, Microsoft.VisualStudio.Services.Agent/Command.cs
"""

from __future__ import annotations

from dataclasses import dataclass

_PREFIX = "##vso["
_ESCAPES = {";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D", "%": "%AZP25"}


@dataclass(frozen=True)
class Command:
    """One command: `name` is e.g. `task.setvariable`."""

    name: str
    properties: dict[str, str]
    data: str


def commands(output: str) -> list[Command]:
    """Return the commands in what a step has written, both streams alike."""
    found = (_command(line) for line in output.splitlines())
    return [command for command in found if command is not None]


def _command(line: str) -> Command | None:
    begin = line.find(_PREFIX)
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return None
    name, _, rest = line[begin + len(_PREFIX) : end].partition(" ")
    if name.count(".") != 1:
        return None
    pairs = [pair.partition("=") for pair in rest.split(";") if "=" in pair]
    properties = {key.strip(): _unescaped(value) for key, _, value in pairs}
    return Command(name, properties, _unescaped(line[end + 1 :]))


def _unescaped(text: str) -> str:
    for plain, escaped in _ESCAPES.items():
        text = text.replace(escaped, plain)
    return text

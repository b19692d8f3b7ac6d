"""Argument parsing only: the words of a command line become a command and its settings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from signpath_ci import __version__, settings
from signpath_ci.checkout import nearest_with, objection_to_path
from signpath_ci.errors import EXIT_CODES, NotGivenError, UsageError
from signpath_ci.settings.declaration import Given, check_text, explain
from signpath_ci.text import one_line
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.settings.manifest_policy import Notice

MANIFEST = Path(".signpath/signing.yml")
"""Where the manifest is looked for, from the current directory up to the root of the checkout."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of the command line.

    Attributes:
        name: the word that selects it; also the module below `commands` that runs it.
        help: one sentence.
        settings: the class of its settings.
        explains: it takes the options of another command to show them: nothing is required then.
    """

    name: str
    help: str
    settings: type[settings.Common]
    explains: bool = False

    @property
    def run(self) -> Callable[..., None]:
        """The function that runs the command; imported only now, so `--help` stays quick."""
        function: Callable[..., None] = import_module(f"signpath_ci.commands.{self.name}").run
        return function


COMMANDS = (
    Command(
        name="sign", help="Submit a file, wait, fetch the signed file and verify it.", settings=settings.SignSettings
    ),
    Command(
        name="submit",
        help="Submit a file and end; its receipt tells later runs which request it is.",
        settings=settings.SubmitSettings,
    ),
    Command(name="wait", help="Wait until a request is signed.", settings=settings.WaitSettings),
    Command(
        name="resubmit",
        help="Have the artifact of an earlier request signed under another policy.",
        settings=settings.ResubmitSettings,
    ),
    Command(
        name="promote",
        help="Resubmit a tested candidate, once it is known to be this tag's.",
        settings=settings.PromoteSettings,
    ),
    Command(
        name="download",
        help="Wait for a request, fetch and verify what was signed.",
        settings=settings.DownloadSettings,
    ),
    Command(name="status", help="Show where a request stands.", settings=settings.RequestSettings),
    Command(name="cancel", help="Cancel a request.", settings=settings.RequestSettings),
    Command(name="verify", help="Verify a signed file, offline.", settings=settings.VerifySettings),
    Command(
        name="finish",
        help="Bring checksums, update manifests and block maps up to date after signing, offline.",
        settings=settings.FinishSettings,
    ),
    Command(
        name="check",
        help="Check offline whether SignPath would sign a file under an artifact configuration.",
        settings=settings.CheckSettings,
    ),
    Command(
        name="draft",
        help="Print a first artifact configuration for a file, offline.",
        settings=settings.DraftSettings,
    ),
    Command(
        name="config",
        help="Show the value of each option of `sign`, and where it came from; no secrets.",
        settings=settings.SignSettings,
        explains=True,
    ),
    Command(
        name="policy",
        help="Print the signing policy that this build gets, or that of a --ref, and say why.",
        settings=settings.PolicySettings,
    ),
    Command(name="origin", help="Show the repository, commit and build of this run.", settings=settings.OriginSettings),
    Command(name="sandbox", help="Run an embedded SignPath that really signs.", settings=settings.SandboxSettings),
    Command(name="demo", help="Sign a real Windows executable in a sandbox.", settings=settings.DemoSettings),
)


SKIP = Command(name="skip", help="Sign nothing, for want of a token.", settings=settings.SkipSettings)
"""What a command becomes where that is asked for; no word selects it."""


_MAY_BE_SECRET = re.compile(r"tok|secret|passw|pwd|key|cred|header", re.IGNORECASE)


_CLOSE = 0.75
"""How alike a word and the one that was likely meant are at least, as `difflib` counts."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are this package's errors: one line, and the exit code of the table."""

    def error(self, message: str) -> NoReturn:
        meant = self._meant(message)
        raise UsageError(
            f"{message[:1].upper()}{message[1:]}.",
            hint=f"{f'Did you mean {meant}? ' if meant else ''}See {self.prog} --help.",
            code="bad-command-line",
        )

    def _meant(self, message: str) -> str | None:
        """Return the command or option that was likely meant by the first unknown one; `None` where none is close."""
        from difflib import get_close_matches  # here, as few runs need it

        command = re.search(r"invalid choice: '([^']*)'", message)
        if command:
            return next(iter(get_close_matches(command[1], [one.name for one in COMMANDS], 1, _CLOSE)), None)
        option = re.search(r"unrecognized arguments: (?:.* )?(--[a-z-]+)", message)
        known = [row.flag for one in COMMANDS for row in settings.options(one.settings) if not row.is_positional]
        return next(iter(get_close_matches(option[1], known, 1, _CLOSE)), None) if option else None


def parse(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    directory: Path | None = None,
    notices: list[Notice] | None = None,
) -> tuple[Command, settings.Common]:
    """Return the command that a command line names, and its settings.

    Args:
        arguments: the words of the command line.
        environment: the environment variables.
        directory: the current directory.
        notices: gets what is to be said about the manifest.

    Raises:
        UsageError: the command line, or a value in the environment, is wrong.
        SystemExit: `--help` or `--version` was asked for, and printed.
    """
    _refuse_secrets(arguments)
    parsed = vars(_parser(arguments).parse_args(arguments))
    given = {name: value for name, value in parsed.items() if value not in (None, [])}
    name = given.pop("command")
    command = next(command for command in COMMANDS if command.name == name)
    manifest, said = _manifest(command, given, environment, directory or Path.cwd())
    if notices is not None:
        notices += said
    if command.explains:
        common = settings.load(settings.Common, given, environment)
        explained = explain(command.settings, given, environment, manifest)
        return command, settings.ConfigSettings(json=common.json, log_level=common.log_level, explained=explained)
    try:
        return command, settings.load(command.settings, given, environment, manifest)
    except NotGivenError as error:
        if "api_token" not in error.names or not issubclass(command.settings, settings.MissingToken):
            raise
        skip = settings.load(settings.SkipSettings, given, environment, manifest)
        if skip.on_missing_token != "skip":  # noqa: S105 - a choice, no token
            raise
        return SKIP, skip


def _refuse_secrets(arguments: Sequence[str]) -> None:
    """Refuse an option that would hold a secret, and what may be one misspelt, without repeating its value.

    Raises:
        UsageError: there is one.
    """
    for word in arguments:
        if word == "--":
            return
        flag = word.partition("=")[0]
        if not flag.startswith("--") or not _MAY_BE_SECRET.search(flag) or flag.endswith("-file"):
            continue
        rows = {f"--{row.name.replace('_', '-')}": row for one in COMMANDS for row in settings.options(one.settings)}
        row = rows.get(flag)
        if row is None:
            raise UsageError(
                f"{one_line(flag)} is not an option.",
                hint="See signpath-ci --help; secrets are given by environment variables, or by files.",
                code="bad-command-line",
            )
        if row.is_secret:
            raise UsageError(
                f"{flag} is not an option: every process of the machine could read its value.",
                hint=f"Set {row.variable}, or name a file with {row.flag}; then revoke what was given here.",
                code="secret-as-argument",
            )


def _manifest(
    command: Command, given: Mapping[str, str], environment: Mapping[str, str], directory: Path
) -> tuple[dict[str, Given], list[Notice]]:
    """Return what the manifest gives to a command, and what is to be said about it; nothing where it takes none."""
    if not issubclass(command.settings, settings.Manifest):
        return {}, []
    named = settings.load(settings.Manifest, given, environment)
    base = directory if named.manifest else nearest_with(directory, MANIFEST)
    if base is None:
        return {}, []
    path = named.manifest or (MANIFEST if base == directory else base / MANIFEST)
    # Here, as most runs have none.
    from signpath_ci.platforms.collect import stranger_reason
    from signpath_ci.settings.manifest import read_manifest
    from signpath_ci.settings.manifest_policy import objection, rebased, without_loosening

    if named.manifest is None and objection_to_path(str(MANIFEST), base):
        raise UsageError(
            f"The manifest {MANIFEST} is not a file of the checkout: a link leads out of it.",
            hint="Name another one with --manifest.",
            code="invalid-manifest",
        )

    def check(option: str, text: str) -> str | None:
        return check_text(settings.SignSettings, option, text) or objection(
            option, text, base, is_trusted=named.trust_manifest
        )

    stranger = stranger_reason(environment, directory)
    found, notices = without_loosening(
        rebased(read_manifest(path, check), base, directory), stranger=stranger, is_trusted=named.trust_manifest
    )
    return _for_command(command, found, given, environment), notices


def _for_command(
    command: Command, found: dict[str, Given], given: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Given]:
    """Return what of a manifest applies to a command."""
    if command.name == "check":
        return found
    if not issubclass(command.settings, settings.SignSettings):
        found.pop("artifact", None)  # to `verify` it would be another file, and `submit` takes just one
        return found
    from signpath_ci.settings.combinations import not_from_manifest  # here, as most runs have no manifest

    said = {
        one.row.name
        for one in explain(settings.SignSettings, given, environment)
        if one.given and one.given.source != "default" and one.given.texts != ("false",)
    }
    left_out = not_from_manifest(said)
    return {name: value for name, value in found.items() if name not in left_out}


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    codes = "\n".join(f"  {code:<4} {meaning.replace('`', '')}" for code, meaning in EXIT_CODES.items())
    parser = _Parser(
        prog="signpath-ci",
        description="Sign builds through SignPath: submit, wait, download, and prove that the result is signed.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Start-up is spared what can't be meant: other commands where the first word is one, options of those not named.
    for command in [command for command in COMMANDS if arguments[:1] == [command.name]] or COMMANDS:
        parsed = commands.add_parser(command.name, help=command.help, description=command.help, allow_abbrev=False)
        if command.name in arguments:
            _add_options(parsed, command)
    return parser


def _add_options(parser: argparse.ArgumentParser, command: Command) -> None:
    groups: dict[str, argparse._ArgumentGroup] = {}
    for row in settings.options(command.settings):
        if row.group not in groups:
            groups[row.group] = parser.add_argument_group(row.group)
        add = groups[row.group].add_argument
        text = _help(row)
        if row.is_positional:
            # It may come from the environment instead; `load` says so where it is missing.
            add(row.name, nargs="*" if row.is_list else "?", metavar=row.metavar, help=text)
            continue
        words = [word for word in (row.short, row.flag) if word]
        if row.is_flag:
            add(*words, dest=row.name, action="store_const", const="true", help=text)
            if row.default == "true":
                add("--no-" + row.flag[2:], dest=row.name, action="store_const", const="false", help="The opposite.")
        else:
            add(*words, dest=row.name, action="append" if row.is_list else "store", metavar=row.metavar, help=text)


def _help(row: settings.Option) -> str:
    default = None if row.is_flag and row.default == "false" else row.default
    notes = (
        row.help,
        f"One of {', '.join(row.choices)}." if row.choices else "",
        f"Default: {default}." if default is not None else "",
        f"[{row.variable}]",
    )
    return " ".join(note for note in notes if note).replace("%", "%%")

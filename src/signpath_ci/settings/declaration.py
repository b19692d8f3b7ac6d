"""How options are declared and read: a field of a settings class says everything about one option.

An option is given on the command line, else by an environment variable, else by the manifest, else it has its default.
All of these, and the documentation, read the same fields, so a fact about an option stands once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from signpath_ci.errors import NotGivenError, UsageError
from signpath_ci.text import is_unexpanded_macro
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # in `typing` since Python 3.11; it only tells type checkers what `Settings` does

    def dataclass_transform(**_):  # noqa: D103 - as above
        return lambda cls: cls


_REQUIRED: Any = object()
_DEFAULTS = "SIGNPATH_DEFAULTS"
"""What the inputs of a plugin hold where nobody gives them, as `VARIABLE=value` with blanks between: a plugin passes
all of its inputs, and can't tell whether they were given."""

_LARGEST_FILE = 1024 * 1024
"""Bytes of a file that holds an option, at most; no secret is as long."""

T = TypeVar("T", bound="Settings")


class HiddenValueError(ValueError):
    """A value is wrong in a way that makes it a secret: the error must not repeat it."""


class Secret:
    """A token that can't be shown by accident: neither `str`, `repr` nor a log of the settings reveals it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token itself, for the one header that carries it."""
        return self._value

    @property
    def masked(self) -> tuple[str, ...]:
        """What a CI system has to hide in its log."""
        return (self._value,)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One row of the table of options.

    Attributes:
        name: the settings field, with underscores.
        group: what the options of its class are about.
        help: one sentence for `--help` and the documentation.
        parse: turns the text into the value; raises `ValueError` with what was expected.
        default: the value where nothing is given; text, so that documentation can show it; `None`: no value.
        required: whether it must be given.
        metavar: how the value is called in `--help`.
        variable: the environment variable.
        short: a one-letter option, or nothing.
        choices: the allowed texts, or nothing.
        is_flag: takes no value on the command line.
        is_list: can be given more than once; in the environment one value a line.
        is_positional: stands without its name on the command line.
        is_secret: never an argument: the environment, or a file named by `--NAME-file`.
    """

    name: str
    group: str
    help: str
    parse: Callable[[str], object]
    default: str | None
    required: bool
    metavar: str
    variable: str
    short: str | None
    choices: tuple[str, ...]
    is_flag: bool
    is_list: bool
    is_positional: bool
    is_secret: bool

    @property
    def flag(self) -> str:
        """The long option, or the placeholder of a positional argument."""
        if self.is_positional:
            return self.metavar
        return "--" + self.name.replace("_", "-") + ("-file" if self.is_secret else "")

    @property
    def label(self) -> str:
        """How errors name it: as it can be given."""
        return f"{self.flag} ({self.variable})"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an option is, as text, and where that was said."""

    texts: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True)
class Explained:
    """An option's row with what it is and where that came from; `None`: nowhere."""

    row: Option
    given: Given | None

    @property
    def shown(self) -> str | None:
        """The value for people; never a secret, nor what is one by mistake."""
        if self.given is None:
            return None
        return "\n".join("***" if self._hides(text) else text for text in self.given.texts)

    def _hides(self, text: str) -> bool:
        try:
            self.row.parse(text)
        except HiddenValueError:
            return True
        except ValueError:
            pass
        return self.row.is_secret


def option(
    help: str,  # noqa: A002 - the word that argparse uses for it
    *,
    parse: Callable[[str], object] = str,
    default: str | None = _REQUIRED,
    metavar: str = "TEXT",
    variable: str | None = None,
    short: str | None = None,
    choices: tuple[str, ...] = (),
    flag: bool = False,
    many: bool = False,
    positional: bool = False,
    secret: bool = False,
) -> Any:
    """Declare a field of a settings class as an option; see `Option` for the meaning of the arguments."""
    rest = {
        "help": help,
        "parse": _boolean if flag else _one_of(choices) if choices else parse,
        "default": None if default is _REQUIRED else default,
        "required": default is _REQUIRED and not many,
        "metavar": metavar,
        "variable": variable,
        "short": short,
        "choices": choices,
        "is_flag": flag,
        "is_list": many,
        "is_positional": positional,
        "is_secret": secret,
    }
    return _Said(rest)


class _Said(dict[str, Any]):
    """What was said about an option, until the class of its field takes it."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
class Settings:
    """The base of all classes of settings: made with exactly one value by name for each field, and never changed.

    As `dataclass` does it, but without source text that is compiled for each class at every start
    (docs/decisions/0004-settings-class.md).

    Raises:
        TypeError: a name is unknown, or one is missing.
    """

    _said: ClassVar[Mapping[str, _Said]] = {}  # of each class: about the options that are fields of its own
    _fields: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._said = {name: value for name, value in vars(cls).items() if isinstance(value, _Said)}
        for name in cls._said:
            delattr(cls, name)
        cls._fields = frozenset(vars(cls).get("__annotations__", ())).union(*(base._fields for base in _bases(cls)))

    def __init__(self, **values: object) -> None:
        if values.keys() != self._fields:
            unknown, missing = sorted(values.keys() - self._fields), sorted(self._fields - values.keys())
            raise TypeError(f"{type(self).__name__}: unknown: {unknown}; missing: {missing}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings do not change, so neither does {name}")


def _bases(cls: type) -> Iterator[type[Settings]]:
    return (base for base in cls.__bases__ if issubclass(base, Settings))


def changed(settings: T, **values: object) -> T:
    """Return the same settings but for these values.

    Raises:
        TypeError: a name is unknown.
    """
    return type(settings)(**{**vars(settings), **values})


def options(settings: type[Settings]) -> tuple[Option, ...]:
    """Return the options of a settings class in the order in which `--help` lists them: its own, then each base's."""
    rows: dict[str, Option] = {}
    for owner in settings.__mro__:
        for name, said in vars(owner).get("_said", {}).items():
            if name not in rows:
                variable = said["variable"] or "SIGNPATH_" + name.upper()
                group = (owner.__doc__ or "").rstrip(".")
                rows[name] = Option(name=name, group=group, **{**said, "variable": variable})
    return tuple(rows.values())


def load(
    settings: type[T],
    arguments: Mapping[str, str | list[str]],
    environment: Mapping[str, str],
    manifest: Mapping[str, Given] | None = None,
) -> T:
    """Make the validated settings from what was given.

    Args:
        settings: the class to make.
        arguments: the texts from the command line by field name; a list for options that can be repeated.
        environment: the environment variables. An empty one counts as not given, and so does an unexpanded macro.
        manifest: what the manifest gives, by field name.

    Raises:
        NotGivenError: something required is missing; all of it is named.
        UsageError: a value is not what was expected.
    """
    values: dict[str, object] = {}
    missing = []
    for explained in explain(settings, arguments, environment, manifest):
        row, texts = explained.row, explained.given.texts if explained.given else ()
        if not texts and row.required:
            missing.append(row)
        values[row.name] = tuple(_parsed(row, text) for text in texts) if row.is_list else None
        if texts and not row.is_list:
            values[row.name] = _parsed(row, texts[-1])
    if missing:
        raise NotGivenError(
            f"Not given: {', '.join(row.label for row in missing)}.",
            names=frozenset(row.name for row in missing),
            hint="Give it as the option or as the environment variable in brackets.",
        )
    return settings(**values)


def explain(
    settings: type[Settings],
    arguments: Mapping[str, str | list[str]],
    environment: Mapping[str, str],
    manifest: Mapping[str, Given] | None = None,
) -> tuple[Explained, ...]:
    """Return what each option is and where that came from; arguments and errors as those of `load`."""
    given, defaults = _without_defaults(environment)
    return tuple(
        Explained(row=row, given=_given(row, arguments, given) or _fallback(row, manifest or {}, defaults))
        for row in options(settings)
    )


def check_text(settings: type[Settings], name: str, text: str) -> str | None:
    """Return what is wrong with a text for the option of that name; `None` where nothing is."""
    row = next(row for row in options(settings) if row.name == name)
    try:
        row.parse(text)
    except ValueError as error:
        return str(error)
    return None


def _given(row: Option, arguments: Mapping[str, str | list[str]], environment: Mapping[str, str]) -> Given | None:
    argument, variable = arguments.get(row.name), row.variable
    if argument is not None and not row.is_secret:
        return Given(texts=tuple(argument) if isinstance(argument, list) else (argument,), source=row.flag)
    if row.is_secret:
        named = argument if isinstance(argument, str) else _from_environment(f"{variable}_FILE", environment)
        if named:
            return Given(texts=(_file_text(row, Path(named)),), source=named)
    text = _from_environment(variable, environment)
    if not text:
        return None
    lines = tuple(line for line in text.splitlines() if line.strip())
    return Given(texts=lines if row.is_list else (text,), source=variable)


def _without_defaults(environment: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the environment without what a plugin passes by default, and those defaults, by variable."""
    pairs = (pair.partition("=") for pair in environment.get(_DEFAULTS, "").split())
    defaults = {name: value for name, _, value in pairs}
    # Azure writes True where the default is true.
    is_default = {
        name for name, value in defaults.items() if environment.get(name, "").strip().lower() == value.lower()
    }
    return {name: text for name, text in environment.items() if name not in is_default}, defaults


def _fallback(row: Option, manifest: Mapping[str, Given], defaults: Mapping[str, str]) -> Given | None:
    given = manifest.get(row.name)
    if given is not None:
        texts = given.texts if row.is_list else ("\n".join(given.texts),)
        return Given(texts=texts, source=given.source)
    default = defaults.get(row.variable, row.default)
    return None if default is None else Given(texts=(default,), source="default")


def _from_environment(variable: str, environment: Mapping[str, str]) -> str:
    text = environment.get(variable, "")
    return "" if is_unexpanded_macro(text) else text


def _file_text(row: Option, path: Path) -> str:
    try:
        with path.open("rb") as file:  # may be a pipe, as of a shell's process substitution
            data = file.read(_LARGEST_FILE)
        return data.decode("utf-8-sig").strip()  # PowerShell 5.1 writes a byte order mark
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{row.flag} names {path}, which can't be read: {reason}.",
            hint="Name a readable text file in UTF-8 (PowerShell: Out-File -Encoding utf8).",
            code="unreadable-option-file",
        ) from None


def _parsed(row: Option, text: str) -> object:
    try:
        return row.parse(text)
    except ValueError as error:
        shown = "" if row.is_secret or isinstance(error, HiddenValueError) else f" is {text!r}, which"
        raise UsageError(f"{row.label}{shown} {error}", code="invalid-option") from None


def _boolean(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        return known[text.strip().lower()]
    except KeyError:
        raise ValueError("is neither true nor false.") from None


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is none of {', '.join(choices)}.")
        return text

    return parse

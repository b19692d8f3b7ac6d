from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.settings.declaration import Given, Option, Secret, Settings, changed, load, option, options


class Base(Settings):
    """What the base is about."""

    colour: str = option("Which colour.", default="red", choices=("red", "blue"), metavar="COLOUR")


class Example(Base):
    """The example."""

    count: int = option("How many.", parse=int, metavar="N")
    key: Secret = option("Reads the key.", parse=Secret, secret=True, metavar="FILE")
    loud: bool = option("Whether loud.", flag=True, default="false")
    names: tuple[str, ...] = option("Names.", many=True)
    where: Path | None = option("Where.", parse=Path, default=None, variable="WHERE", short="-w", metavar="DIR")


GIVEN = {"SIGNPATH_COUNT": "3", "SIGNPATH_KEY": "k"}


def test_the_table_has_the_own_options_first_and_says_what_each_group_is_about() -> None:
    assert [(row.name, row.group, row.flag, row.variable) for row in options(Example)] == [
        ("count", "The example", "--count", "SIGNPATH_COUNT"),
        ("key", "The example", "--key-file", "SIGNPATH_KEY"),
        ("loud", "The example", "--loud", "SIGNPATH_LOUD"),
        ("names", "The example", "--names", "SIGNPATH_NAMES"),
        ("where", "The example", "--where", "WHERE"),
        ("colour", "What the base is about", "--colour", "SIGNPATH_COLOUR"),
    ]


def test_settings_have_their_values_and_do_not_change() -> None:
    settings = load(Example, {}, GIVEN)
    assert vars(settings) == {
        "count": 3,
        "key": Secret("k"),
        "loud": False,
        "names": (),
        "where": None,
        "colour": "red",
    }
    with pytest.raises(AttributeError, match="neither does colour"):
        setattr(settings, "colour", "blue")  # noqa: B010 - mypy knows it, too
    other = changed(settings, colour="blue")
    assert (vars(other), type(other)) == ({**vars(settings), "colour": "blue"}, Example)
    assert not hasattr(Example, "colour")


def test_an_option_knows_all_that_was_said_about_it() -> None:
    row = options(Example)[4]

    assert row == Option(
        name="where",
        group="The example",
        help="Where.",
        parse=Path,
        default=None,
        required=False,
        metavar="DIR",
        variable="WHERE",
        short="-w",
        choices=(),
        is_flag=False,
        is_list=False,
        is_positional=False,
        is_secret=False,
    )


def test_defaults_fill_what_is_not_given() -> None:
    assert vars(load(Example, {}, GIVEN)) == vars(
        Example(count=3, key=Secret("k"), loud=False, names=(), where=None, colour="red")
    )


def test_arguments_win_over_the_environment() -> None:
    environment = {**GIVEN, "SIGNPATH_COLOUR": "red", "SIGNPATH_NAMES": "a\n\nb\n", "WHERE": "/x", "SIGNPATH_LOUD": "0"}

    assert vars(load(Example, {}, environment)) == vars(
        Example(count=3, key=Secret("k"), loud=False, names=("a", "b"), where=Path("/x"), colour="red")
    )
    assert vars(load(Example, {"colour": "blue", "names": ["c"], "count": "4", "loud": "true"}, environment)) == vars(
        Example(count=4, key=Secret("k"), loud=True, names=("c",), where=Path("/x"), colour="blue")
    )


@pytest.mark.parametrize("nothing", ["", "$(Missing.Variable)", " $(x) "])
def test_an_empty_variable_and_an_unexpanded_macro_count_as_not_given(nothing: str) -> None:
    assert load(Example, {}, {**GIVEN, "SIGNPATH_COLOUR": nothing}).colour == "red"


@pytest.mark.parametrize(
    ("variable", "manifest", "colour"),
    [
        ("blue", None, "blue"),  # the plugin's default, which is not this program's
        ("Blue ", "red", "red"),
        ("red", None, "red"),
        ("red", "blue", "red"),
        ("", "red", "red"),
        ("", None, "blue"),
    ],
)
def test_an_input_that_has_its_default_value_counts_as_not_given(
    variable: str, manifest: str | None, colour: str
) -> None:
    environment = {
        **GIVEN,
        "SIGNPATH_COLOUR": variable,
        "SIGNPATH_DEFAULTS": "SIGNPATH_LOUD=false SIGNPATH_COLOUR=blue",
    }
    given = {"colour": Given(texts=(manifest,), source="signing.yml:3")} if manifest else {}

    assert load(Example, {}, environment, given).colour == colour
    assert load(Example, {"colour": "blue"}, environment, given).colour == "blue"


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        load(Example, {}, {"SIGNPATH_COUNT": ""})

    assert str(caught.value) == (
        "Not given: --count (SIGNPATH_COUNT), --key-file (SIGNPATH_KEY). "
        "Give it as the option or as the environment variable in brackets."
    )


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("SIGNPATH_COLOUR", "green", "--colour (SIGNPATH_COLOUR) is 'green', which is none of red, blue."),
        ("SIGNPATH_LOUD", "maybe", "--loud (SIGNPATH_LOUD) is 'maybe', which is neither true nor false."),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(variable: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(Example, {}, {**GIVEN, variable: text})

    assert str(caught.value) == message


def test_a_secret_comes_from_the_environment_or_a_file_and_the_file_wins(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n", encoding="utf-8")

    assert load(Example, {}, GIVEN).key.reveal() == "k"
    assert load(Example, {"key": str(file)}, GIVEN).key.reveal() == "from-file"
    assert load(Example, {}, {**GIVEN, "SIGNPATH_KEY_FILE": str(file)}).key.reveal() == "from-file"


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(Example, {"key": str(tmp_path / "none")}, GIVEN)

    assert f"--key-file names {tmp_path / 'none'}, which can't be read" in str(caught.value)


@pytest.mark.parametrize(("encoding", "is_read"), [("utf-8", True), ("utf-8-sig", True), ("utf-16", False)])
def test_the_encoding_of_a_secret_file(tmp_path: Path, encoding: str, *, is_read: bool) -> None:
    file = tmp_path / "key"
    file.write_bytes("hidden\r\n".encode(encoding))

    if is_read:
        assert load(Example, {"key": str(file)}, GIVEN).key == Secret("hidden")
        return
    with pytest.raises(UsageError):
        load(Example, {"key": str(file)}, GIVEN)


def test_a_secret_does_not_show_itself() -> None:
    settings = load(Example, {}, {**GIVEN, "SIGNPATH_KEY": "hidden"})

    assert "hidden" not in f"{settings} {settings!r} {settings.key} {vars(settings)}"
    assert {Secret("a"): 1}[Secret("a")] == 1
    assert Secret("a") != "a"


def test_settings_refuse_unknown_and_missing_names() -> None:
    settings = load(Example, {}, GIVEN)
    without = {name: value for name, value in vars(settings).items() if name != "colour"}

    with pytest.raises(TypeError, match=r"Example: unknown: \['colur'\]; missing: \['colour'\]"):
        Example(**without, colur="blue")  # type: ignore[call-arg] # mypy knows it, too
    with pytest.raises(TypeError, match=r"unknown: \['colur'\]; missing: \[\]"):
        changed(settings, colur="blue")

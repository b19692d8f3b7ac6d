from __future__ import annotations

import inspect
import signal

from signpath_ci import errors
from signpath_ci.errors import (
    EXIT_CODES,
    InterruptedRunError,
    RefusedError,
    SeveralFailedError,
    SignPathError,
    UsageError,
    interruption,
)


def test_an_error_is_one_line_of_what_is_wrong_and_what_to_do() -> None:
    error = UsageError("The file\n::error::x is\x1b[2J bad.", hint="Mend\r\nit.", code="invalid-option")

    assert str(error) == "The file ::error::x is?[2J bad. Mend it."
    assert (error.message, error.hint) == ("The file ::error::x is?[2J bad.", "Mend it.")


def test_an_error_without_a_hint_ends_with_its_message() -> None:
    assert str(RefusedError("No.", status=403)) == "No."


def test_every_kind_of_error_has_a_documented_exit_code_and_stands_in_the_tree() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, SignPathError) and kind not in {SignPathError, InterruptedRunError, SeveralFailedError}
    ]

    assert {kind.__name__: kind.exit_code for kind in kinds if kind.exit_code not in EXIT_CODES} == {}
    assert [kind.__name__ for kind in kinds if f"{kind.__name__} " not in (errors.__doc__ or "")] == []


def test_a_signal_gives_the_exit_code_that_shells_give() -> None:
    assert InterruptedRunError("x").exit_code == 130
    assert InterruptedRunError("x", number=signal.SIGTERM).exit_code == 143


def test_an_end_by_a_signal_is_found_behind_what_it_led_to() -> None:
    signal = InterruptedRunError("Interrupted by SIGTERM.", number=15)
    hidden = ValueError()
    hidden.__context__ = KeyError()
    hidden.__context__.__context__ = signal

    assert interruption(signal) is interruption(hidden) is signal
    assert interruption(KeyError()) is interruption(None) is None

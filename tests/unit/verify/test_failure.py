from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.model import Account, Failure, FileOutcome
from signpath_ci.verify.failure import Failed, about, rejection

HINT = "This can't be verified here; verify the file by other means."

ERRORS: list[tuple[FormatError | VerificationError, Failed]] = [
    (FormatError("it is cut off"), Failed(format="pe", check="it is cut off.", code="malformed-file")),
    (
        UnsupportedError("it is odd"),
        Failed(format="pe", check="it is odd.", code="unsupported-signature", hint=HINT, is_unsupported=True),
    ),
    (
        VerificationError("it is not signed.", hint="h", code="not-signed"),
        Failed(format="pe", check="it is not signed.", code="not-signed", hint="h"),
    ),
    (
        UnsupportedFormatError("it is unknown.", hint="h"),
        Failed(format="pe", check="it is unknown.", code="unsupported-format", hint="h", is_unsupported=True),
    ),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS)
def test_what_an_error_says(error: FormatError | VerificationError, expected: Failed) -> None:
    assert Failed.of(error, "pe") == expected
    assert Failed.of(error, None) == replace(expected, format=None)


@pytest.mark.parametrize(("error", "expected"), ERRORS)
def test_an_error_is_about_a_file(error: FormatError | VerificationError, expected: Failed) -> None:
    with pytest.raises(VerificationError) as caught, about("a.zip"):
        raise error
    assert type(caught.value) is (UnsupportedFormatError if expected.is_unsupported else VerificationError)
    assert (caught.value.message, caught.value.hint) == (f"a.zip: {expected.check}", expected.hint)
    assert caught.value.code == expected.code
    assert caught.value.__cause__ is error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(OSError, match="the disk"), about("a.zip"):
        raise OSError("the disk")


def _bad(check: str, *, hint: str = "", is_unsupported: bool = False) -> Failed:
    return Failed(format=None, check=check, code="not-signed", hint=hint, is_unsupported=is_unsupported)


def _account(name: str, failed: list[tuple[str | None, Failed]]) -> Account:
    files = tuple(
        FileOutcome(
            path=Path(name),
            member=member,
            format=failure.format,
            outcome="failed",
            check=failure.check,
            code=failure.code,
            hint=failure.hint,
            is_unsupported=failure.is_unsupported,
        )
        for member, failure in failed
    )
    return Account(path=Path(name), files=files, is_compared=False)


@pytest.mark.parametrize(
    ("failed", "message"),
    [
        ([(None, _bad("it is cut off."))], "a.zip: it is cut off."),
        ([("b", _bad("it is for OS X.")), (None, _bad("and Y."))], "a.zip: b: it is for OS X; and Y."),
        ([("b", _bad("changed.")), ("c", _bad("changed."))], "a.zip: b, c: changed."),
        ([("b", _bad("changed.")), ("c", _bad("gone."))], "a.zip: b: changed; c: gone."),
        ([(str(n), _bad(f"{n}.")) for n in range(5)], "a.zip: 0: 0; 1: 1; 2: 2; 3: 3; 4: 4."),
        ([(str(n), _bad(f"{n}.")) for n in range(6)], "a.zip: 0: 0; 1: 1; 2: 2; 3: 3; 4: 4; and 1 more."),
        ([(str(n), _bad("x.")) for n in range(11)], "a.zip: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more: x."),
    ],
)
def test_one_error_tells_of_all(failed: list[tuple[str | None, Failed]], message: str) -> None:
    rows = tuple(Failure(path=Path("a.zip"), member=m, format=f.format, check=f.check, code=f.code) for m, f in failed)
    error = rejection(_account("a.zip", failed))
    assert (type(error), error.message, error.hint, error.verdicts) == (VerificationError, message, "", rows)


def test_unsupported_is_what_has_no_other_failure() -> None:
    odd, bad = _bad("odd.", hint="first", is_unsupported=True), _bad("bad.", hint="second")
    for failed, kind in (
        ([odd], UnsupportedFormatError),
        ([odd, odd], UnsupportedFormatError),
        ([odd, bad], VerificationError),
        ([bad, odd], VerificationError),
    ):
        error = rejection(_account("a", [(None, failure) for failure in failed]))
        assert (type(error), error.hint) == (kind, failed[0].hint)

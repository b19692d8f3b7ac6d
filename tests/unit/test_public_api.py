from __future__ import annotations

import pytest

import signpath_ci
from signpath_ci import errors, model, verify
from signpath_ci.platforms import collect


def test_every_public_name_is_the_thing_itself() -> None:
    assert {name: getattr(signpath_ci, name) for name in signpath_ci.__all__} == {
        "Expectations": model.Expectations,
        "Failure": model.Failure,
        "Origin": model.Origin,
        "SignPathError": errors.SignPathError,
        "Verdict": model.Verdict,
        "VerificationError": errors.VerificationError,
        "collect_origin": collect.collect_origin,
        "verify_file": verify.verify_file,
    }


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = signpath_ci.nonsense

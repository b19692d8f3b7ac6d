"""The artifact of the build, as it is kept to compare with it."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pytest

from signpath_ci.workflows.fetched_artifact import local_name


@pytest.mark.parametrize("name", ["", ".", "..", "..\\..\\evil.exe", "C:evil.exe", "a/b", "NUL", "app.exe.", "a\0b"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    directory = PureWindowsPath("C:/Temp/signpath-1")
    assert (directory / local_name(name)).parent == directory
    assert local_name(name) == "artifact"


def test_a_good_name_is_kept() -> None:
    assert local_name("Acme Setup 1.0.exe") == "Acme Setup 1.0.exe"

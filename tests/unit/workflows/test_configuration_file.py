"""An artifact configuration that was only found lies in the checkout, and is a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.files import IS_WINDOWS
from signpath_ci.settings import ArtifactConfigurationChoice
from signpath_ci.workflows.configuration_file import DIRECTORY, configuration_sha256

pytestmark = pytest.mark.skipif(IS_WINDOWS, reason="Windows has neither such links nor such pipes")


FOUND = ArtifactConfigurationChoice(artifact_configuration_slug=None, artifact_configuration_file=None)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    directory = tmp_path / "checkout" / DIRECTORY
    directory.mkdir(parents=True)
    return directory / "default.xml"


def _code(checkout: Path) -> str:
    with pytest.raises(LocalFileError) as caught:
        configuration_sha256(FOUND, checkout)
    return caught.value.code


def test_a_link_out_of_the_checkout_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    place.symlink_to(tmp_path / "secret")

    assert _code(tmp_path / "checkout") == "unreadable-file"

    place.unlink()
    (place.parent / "other").write_bytes(b"other")
    place.symlink_to("other")
    assert configuration_sha256(FOUND, tmp_path / "checkout") is not None


def test_nobody_waits_for_a_pipe(place: Path, tmp_path: Path) -> None:
    os.mkfifo(place)

    assert _code(tmp_path / "checkout") == "unreadable-file"

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from signpath_ci.caches import cache_directory


@pytest.mark.parametrize(
    ("platform", "environment", "base"),
    [
        ("linux", {"HOME": "/home/u"}, "/home/u/.cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "/cache"}, "/cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "relative"}, "/home/u/.cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": ""}, "/home/u/.cache"),
        ("darwin", {"HOME": "/Users/u", "XDG_CACHE_HOME": "/cache"}, "/Users/u/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/Local", "HOME": "/h"}, "/Local"),
        ("win32", {"HOME": "/h"}, tempfile.gettempdir()),
        ("linux", {}, tempfile.gettempdir()),
        ("darwin", {}, tempfile.gettempdir()),
    ],
)
def test_each_system_has_its_place(platform: str, environment: dict[str, str], base: str) -> None:
    assert cache_directory(environment, platform) == Path(base) / "signpath-ci"


def test_where_nothing_can_be_written_it_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_usable() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", none_usable)

    assert cache_directory({}, "linux") == Path("/tmp/signpath-ci")

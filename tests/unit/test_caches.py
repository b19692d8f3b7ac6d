from __future__ import annotations

import os
from pathlib import Path

import pytest

from signpath_ci.caches import cache_directory, private_cache
from tests.support.needs import IS_ROOT


@pytest.mark.parametrize(
    ("platform", "environment", "base"),
    [
        ("linux", {"HOME": "/home/u"}, "/home/u/.cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "/cache"}, "/cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": "relative"}, "/home/u/.cache"),
        ("linux", {"HOME": "/home/u", "XDG_CACHE_HOME": ""}, "/home/u/.cache"),
        ("darwin", {"HOME": "/Users/u", "XDG_CACHE_HOME": "/cache"}, "/Users/u/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/Local", "HOME": "/h"}, "/Local"),
    ],
)
def test_each_system_has_its_place(platform: str, environment: dict[str, str], base: str) -> None:
    assert cache_directory(environment, platform) == Path(base) / "signpath-ci"


@pytest.mark.parametrize(
    ("platform", "environment"),
    [("win32", {"HOME": "/h"}), ("linux", {}), ("darwin", {}), ("linux", {"HOME": ""}), ("linux", {"HOME": "here"})],
)
def test_without_a_home_there_is_none(platform: str, environment: dict[str, str], tmp_path: Path) -> None:
    assert cache_directory(environment, platform) is None
    assert private_cache(environment, platform, tmp_path)[0] is None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    return tmp_path / "checkout"


def _cache(tmp_path: Path, checkout: Path, **environment: str) -> Path | None:
    return private_cache({"HOME": str(tmp_path / "home"), **environment}, "linux", checkout)[0]


def test_a_new_cache_is_this_user_s_alone(tmp_path: Path, checkout: Path) -> None:
    cache = _cache(tmp_path, checkout)
    assert cache == tmp_path / "home" / ".cache" / "signpath-ci"
    assert cache.stat().st_mode & 0o777 == 0o700
    assert _cache(tmp_path, checkout) == cache


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_a_cache_in_the_checkout_is_not_used(tmp_path: Path, checkout: Path, variable: str) -> None:
    assert _cache(tmp_path, checkout / ".git", **{variable: str(checkout / "c")}) is None
    (tmp_path / "link").symlink_to(checkout)
    assert _cache(tmp_path, checkout, **{variable: str(tmp_path / "link")}) is None
    assert not (checkout / "c").exists()


def test_a_cache_in_the_ci_systems_workspace_is_not_used(tmp_path: Path) -> None:
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY"):
        assert _cache(tmp_path, tmp_path / "elsewhere", **{name: str(tmp_path)}) is None
    (tmp_path / "plain").mkdir()
    assert _cache(tmp_path, tmp_path / "plain", XDG_CACHE_HOME=str(tmp_path / "plain" / "c")) is None


def test_a_home_that_is_the_current_directory_has_a_cache(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert _cache(tmp_path, tmp_path / "home") is not None


def test_a_cache_that_others_may_write_to_is_taken_from_them(tmp_path: Path, checkout: Path) -> None:
    cache = _cache(tmp_path, checkout)
    assert cache is not None
    cache.chmod(0o777)
    assert _cache(tmp_path, checkout) == cache
    assert cache.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_cache_below_what_others_may_write_to_is_not_used(tmp_path: Path, checkout: Path, mode: int) -> None:
    cache = _cache(tmp_path, checkout)
    assert cache is not None
    cache.parent.chmod(mode)
    assert _cache(tmp_path, checkout) is None
    cache.parent.chmod(0o1777)  # as /tmp: nobody else can put another directory in its place
    assert _cache(tmp_path, checkout) == cache


def test_a_link_is_not_used(tmp_path: Path, checkout: Path) -> None:
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    (tmp_path / "target").mkdir()
    (tmp_path / "home" / ".cache" / "signpath-ci").symlink_to(tmp_path / "target")
    assert _cache(tmp_path, checkout) is None


@pytest.mark.skipif(not IS_ROOT, reason="only root gives files away")
def test_another_users_cache_is_not_used(tmp_path: Path, checkout: Path) -> None:
    cache = _cache(tmp_path, checkout)
    assert cache is not None
    os.chown(cache, 12345, 12345)
    assert _cache(tmp_path, checkout) is None

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.replace_all import replacing


def _files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "a.exe", tmp_path / "sub" / "b.dll", tmp_path / "c"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"old {file.name}", encoding="utf-8")
    return files


def _contents(tmp_path: Path) -> dict[str, str]:
    return {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }


OLD = {"a.exe": "old a.exe", "sub/b.dll": "old b.dll", "c": "old c"}


def _replace(tmp_path: Path, *, without: int | None = None, fail: bool = False) -> None:
    with replacing(_files(tmp_path)) as places:
        assert [place.suffix for place in places] == [".exe", ".dll", ""]
        for number, place in enumerate(places):
            if number != without:
                place.write_text("new", encoding="utf-8")
        assert {name: text for name, text in _contents(tmp_path).items() if name in OLD} == OLD
        if fail:
            raise RuntimeError


def test_all_are_replaced_at_the_end(tmp_path: Path) -> None:
    _replace(tmp_path)
    assert _contents(tmp_path) == dict.fromkeys(OLD, "new")


def test_an_error_replaces_none(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        _replace(tmp_path, fail=True)
    assert _contents(tmp_path) == OLD


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_where_one_cannot_be_replaced_the_others_are_put_back(tmp_path: Path, missing: int) -> None:
    with pytest.raises(LocalFileError):
        _replace(tmp_path, without=missing)
    assert _contents(tmp_path) == OLD


@pytest.mark.parametrize("link_works", [True, False])
def test_a_signal_at_any_moment_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_works: bool
) -> None:
    class SignalError(Exception):
        pass

    calls = 0

    def interrupted(function: Callable[..., Any], at: int, after: bool) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at and not after:
                raise SignalError
            result = function(*arguments)
            if calls == at:
                raise SignalError
            return result

        return call

    def link(*_arguments: Any) -> None:
        raise OSError

    for at in range(1, 20):
        for after in (False, True):
            calls = 0
            with monkeypatch.context() as patched:
                patched.setattr(os, "link", interrupted(os.link if link_works else link, at, after))
                patched.setattr(Path, "replace", interrupted(Path.replace, at, after))
                try:
                    _replace(tmp_path)
                except SignalError:
                    assert _contents(tmp_path) == OLD
                else:
                    assert _contents(tmp_path) == dict.fromkeys(OLD, "new")

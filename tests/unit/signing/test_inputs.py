from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.inputs import expand_inputs


def _expand(tmp_path: Path, *given: str) -> list[str]:
    found = expand_inputs([tmp_path / one for one in given], can_be_signed=lambda path: path.suffix == ".exe")
    return [path.relative_to(tmp_path).as_posix() for path in found]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.exe", "a.exe", "a.txt", "[x].exe", "d/e/f.exe", "d/g.exe", "d/g.signed.exe", "d/.signpath-1.exe"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"content")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["b.exe", "a.txt"], ["b.exe", "a.txt"]),
        (["missing.exe"], ["missing.exe"]),
        (["?.exe"], ["a.exe", "b.exe"]),
        (["a.*", "a.exe"], ["a.exe", "a.txt"]),
        (["[x].exe"], ["[x].exe"]),
        (["[ab].exe"], ["a.exe", "b.exe"]),
        (["d"], ["d/e/f.exe", "d/g.exe"]),
        (["d/**/*.exe"], ["d/e/f.exe", "d/g.exe", "d/g.signed.exe"]),
    ],
)
def test_what_is_meant(tree: Path, given: list[str], found: list[str]) -> None:
    assert _expand(tree, *given) == found


@pytest.mark.parametrize(
    ("given", "words"), [("*.dll", "does not exist"), ("none/*", "does not exist"), ("n", "holds no")]
)
def test_nothing_is_an_error(tree: Path, given: str, words: str) -> None:
    (tree / "n").mkdir()
    with pytest.raises(LocalFileError, match=words):
        _expand(tree, given)

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


@pytest.mark.parametrize("given", ["in", "in/*", "in/**/*", "in/sub"])
def test_a_link_to_a_file_elsewhere_is_refused(tmp_path: Path, given: str) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "in" / "sub" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "link").symlink_to("../secret")
    with pytest.raises(LocalFileError) as caught:
        expand_inputs([tmp_path / given], can_be_signed=lambda _: True)
    assert caught.value.code == "link-leads-elsewhere"


def test_a_link_in_the_directory_to_a_file_in_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert len(expand_inputs([tmp_path], can_be_signed=lambda _: True)) == 2
    assert expand_inputs([tmp_path / "link"], can_be_signed=lambda _: True) == [tmp_path / "link"]

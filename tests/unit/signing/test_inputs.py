from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.inputs import LeftOut, Use, expand_inputs


def _expand(tmp_path: Path, *given: str) -> list[str]:
    found = expand_inputs([tmp_path / one for one in given], use_of=_use_of)
    return [path.relative_to(tmp_path).as_posix() for path in found.files]


def _use_of(path: Path) -> Use:
    return {".exe": "take", ".msix": "refuse", ".deb": "unverifiable"}.get(path.suffix, "format")  # type: ignore[return-value]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.exe",
        "a.exe",
        "a.txt",
        "[x].exe",
        "d/e/f.exe",
        "d/g.exe",
        "d/g.signed.exe",
        f"d/.signpath-{0:016x}-1.exe",
    ):
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
        (["d/**/*.exe"], ["d/e/f.exe", "d/g.exe"]),
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
        expand_inputs([tmp_path / given])
    assert caught.value.code == "link-leads-elsewhere"


def test_a_link_in_the_directory_to_a_file_in_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert len(expand_inputs([tmp_path]).files) == 2
    assert expand_inputs([tmp_path / "link"]).files == (tmp_path / "link",)


@pytest.mark.parametrize("given", ["", "*", "**/*"])
def test_what_is_left_out_is_known_with_the_reason(tmp_path: Path, given: str) -> None:
    expected = {
        "a.signed.exe": "signed-file",
        "b.exe.receipt.json": "receipt",
        "b.exe.rejected": "rejected",
        ".hidden.exe": "hidden",
        "third.exe": "excluded",
    }
    for name in ("a.exe", *expected):
        (tmp_path / name).write_bytes(b"x")

    found = expand_inputs([tmp_path / given], use_of=_use_of, exclude=["thi*", "none"])

    assert [path.name for path in found.files] == ["a.exe"]
    left_out = {one.path.name: one.reason for one in found.left_out}
    # A pattern of glob does not match hidden files: they are not meant.
    assert left_out == {name: why for name, why in expected.items() if not given or why != "hidden"}
    assert found.unused == ("none",)


def test_a_pattern_that_names_hidden_directories_stands_for_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / ".tools").mkdir()
    (tmp_path / ".tools" / "a.exe").write_bytes(b"x")
    assert expand_inputs([tmp_path / ".tools" / "*.exe"]).files == (tmp_path / ".tools" / "a.exe",)


def test_a_file_that_must_be_signed_is_neither_taken_nor_left_out(tmp_path: Path) -> None:
    for name in ("a.exe", "b.msix", "c.deb"):
        (tmp_path / name).write_bytes(b"x")
    found = expand_inputs([tmp_path], use_of=_use_of)
    assert found.refused == (tmp_path / "b.msix",)
    assert found.left_out == (LeftOut(path=tmp_path / "c.deb", reason="unverifiable"),)

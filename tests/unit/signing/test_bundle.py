from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.signing.bundle import common_directory, member_names, write_bundle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.exe", "dist/b.exe", "dist/sub/c.exe", "tools/d.exe"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "common"),
    [
        (["a.exe"], "."),
        (["dist"], "dist"),
        (["dist/b.exe"], "dist"),
        (["dist/sub/../b.exe"], "dist"),
        (["dist", "tools/d.exe"], "."),
        (["dist/sub", "dist/b.exe"], "dist"),
        (["dist/**/*.exe"], "dist"),
        (["d*/sub/*.exe"], "."),
        (["none/*.exe", "none/x"], "none"),
    ],
)
def test_names_are_relative_to_what_all_have_in_common(here: Path, given: list[str], common: str) -> None:
    assert common_directory(map(Path, given)) == Path(common)
    assert common_directory(here / one for one in given) == Path(common)


def test_what_lies_elsewhere_keeps_its_whole_path(here: Path) -> None:
    os.chdir("dist")
    assert common_directory([here / "tools"]) == here / "tools"


def test_members_are_in_the_order_of_their_names(here: Path) -> None:
    files = [Path("tools/d.exe"), here / "a.exe", Path("dist/../dist/b.exe")]

    assert list(member_names(files, Path()).items()) == [
        (PurePosixPath("a.exe"), here / "a.exe"),
        (PurePosixPath("dist/b.exe"), Path("dist/../dist/b.exe")),
        (PurePosixPath("tools/d.exe"), Path("tools/d.exe")),
    ]


@pytest.mark.parametrize("name", ["a\nb.exe", "a\\b.exe", "\x1b.exe"])
def test_a_name_that_no_zip_may_have_is_refused(here: Path, name: str) -> None:
    with pytest.raises(UsageError, match="can't be in a bundle under its name"):
        member_names([here / name], here)


def test_the_same_files_always_give_the_same_bytes(here: Path) -> None:
    members = member_names([Path("dist/sub/c.exe"), Path("a.exe")], Path())
    write_bundle(members, here / "1.zip")
    os.utime("a.exe", (0, 0))
    Path("a.exe").chmod(0o600)
    write_bundle(members, here / "2.zip")

    content = (here / "1.zip").read_bytes()
    assert content == (here / "2.zip").read_bytes()
    # No compressor, clock or permission decides: this is what any machine makes of these files.
    assert hashlib.sha256(content).hexdigest() == "fc126d4647b3ee9af0d3a027d0f537faa307db0d75e603ec4f754935176c20a6"
    with zipfile.ZipFile(here / "1.zip") as archive:
        assert {info.filename: archive.read(info) for info in archive.infolist()} == {
            "a.exe": b"a.exe",
            "dist/sub/c.exe": b"dist/sub/c.exe",
        }


def test_an_empty_or_missing_file_is_said(here: Path) -> None:
    (here / "empty.exe").touch()
    for name, words in (("empty.exe", "empty.exe is empty"), ("none.exe", "none.exe does not exist")):
        with pytest.raises(LocalFileError, match=words):
            write_bundle({PurePosixPath(name): here / name}, here / f"{name}.zip")

"""Files that are read without waiting for ever, and written without following a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.files import NotRegularError, append, open_regular, read_bounded, windows_objection, write_atomically
from tests.support.needs import make_fifo


@pytest.mark.parametrize("name", ["fifo", "directory", "/dev/zero", "/dev/null"])
def test_what_may_never_end_is_not_read(tmp_path: Path, name: str) -> None:
    make_fifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    with pytest.raises(NotRegularError) as raised:
        open_regular(tmp_path / name)
    assert raised.value.is_directory == (name == "directory")


def test_a_link_to_a_device_is_not_read_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(NotRegularError):
        read_bounded(tmp_path / "link", most=10)


@pytest.mark.parametrize(("size", "expected"), [(0, b""), (4, b"aaaa"), (5, None)])
def test_a_file_has_a_bound(tmp_path: Path, size: int, expected: bytes | None) -> None:
    (tmp_path / "file").write_bytes(b"a" * size)
    assert read_bounded(tmp_path / "file", most=4) == expected


def test_text_is_appended(tmp_path: Path) -> None:
    append(tmp_path / "file", b"a")
    append(tmp_path / "file", b"b")
    assert (tmp_path / "file").read_bytes() == b"ab"


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo"])
def test_nothing_is_appended_through_a_link_or_to_a_pipe(tmp_path: Path, kind: str) -> None:
    target, name = tmp_path / "target", tmp_path / "name"
    if kind == "fifo":
        make_fifo(name)
    else:
        name.symlink_to(target)
    if kind == "link":
        target.write_bytes(b"original")
    with pytest.raises(OSError, match=r".+"):
        append(name, b"x")
    assert (target.read_bytes() if target.exists() else None) == (b"original" if kind == "link" else None)


@pytest.mark.parametrize("name", ["report.env", "report.env.part"])
def test_a_file_is_written_through_no_link(tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"original")
    (tmp_path / name).symlink_to(target)
    write_atomically(tmp_path / "report.env", b"new")
    assert target.read_bytes() == b"original"
    assert (tmp_path / "report.env").read_bytes() == b"new"
    assert not (tmp_path / "report.env").is_symlink()


def test_a_file_that_must_not_be_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", b"new", replace=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


@pytest.mark.parametrize(
    "name", ["con", "NUL.txt", "com1.exe", "LPT¹", "Aux .x", "x.exe.", "x.exe ", "a?.exe", "a:b", "a\x01"]
)
def test_names_that_windows_takes_for_something_else(name: str) -> None:
    assert windows_objection(name)


@pytest.mark.parametrize("name", ["console.exe", "com.exe", "com10.dll", "app.signed.exe", ".hidden", "nul-1"])
def test_names_that_windows_takes_as_they_are(name: str) -> None:
    assert windows_objection(name) is None

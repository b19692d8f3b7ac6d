"""ZIPs that must not be extracted, and those that may."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.errors import VerificationError
from signpath_ci.signing.archive import open_archive

HINT = "Nothing was extracted."


def make(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own about duplicate names
        for name, content in entries:
            archive.writestr(name, content)
    return path


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def read(path: Path) -> dict[str, bytes]:
    with open_archive(path) as archive:
        return {str(member.path): b"".join(archive.read(member)) for member in archive.members}


def line(path: Path) -> str:
    with pytest.raises(VerificationError) as caught, open_archive(path):
        pytest.fail("it was opened")
    assert caught.value.exit_code == 7
    return str(caught.value)


def test_files_in_directories(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.zip",
        ("drop/", b""),
        ("drop/app.exe", b"MZ" * 300_000),
        ("drop/lib/ü.dll", b"x"),
        (entry("drop/tool", stat.S_IFREG | 0o755), b"#!"),
        ("drop/lib/", b""),
        ("empty", b""),
    )

    assert read(path) == {
        "drop/app.exe": b"MZ" * 300_000,
        "drop/lib/ü.dll": b"x",
        "drop/tool": b"#!",
        "empty": b"",
    }


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ([("../evil", b"")], "a path that leads elsewhere: '../evil'"),
        ([("a/../../evil", b"")], "a path that leads elsewhere: 'a/../../evil'"),
        ([("a/..", b"")], "a path that leads elsewhere: 'a/..'"),
        ([("a//b", b"")], "a path that leads elsewhere: 'a//b'"),
        ([("./a", b"")], "a path that leads elsewhere: './a'"),
        ([("/etc/passwd", b"")], "an absolute path: '/etc/passwd'"),
        ([("//server/share", b"")], "an absolute path: '//server/share'"),
        ([("C:/evil", b"")], "a drive or stream in its name: 'C:/evil'"),
        ([("app.exe:hidden", b"")], "a drive or stream in its name: 'app.exe:hidden'"),
        ([("..\\evil", b"")], "a backslash in its name: '..\\evil'"),
        ([("a/nul.txt", b"")], "a name that Windows keeps for devices: 'a/nul.txt'"),
        ([("AUX/a", b"")], "a name that Windows keeps for devices: 'AUX/a'"),
        ([("a./b", b"")], "a name that ends in a dot or blank: 'a./b'"),
        ([("a ", b"")], "a name that ends in a dot or blank: 'a '"),
        ([("a\nb", b"")], "a name with control characters: 'a b'"),
        ([(entry("link", stat.S_IFLNK | 0o777), b"/etc")], "a symbolic link: 'link'"),
        ([(entry("pipe", stat.S_IFIFO | 0o644), b"")], "a special file: 'pipe'"),
        ([("a", b"1"), ("a", b"2")], "two entries that are one, or are on some systems: 'a' and 'a'"),
        (
            [("App.exe", b""), ("app.EXE", b"")],
            "two entries that are one, or are on some systems: 'App.exe' and 'app.EXE'",
        ),
        ([("a/x", b""), ("A/y", b"")], "two entries that are one, or are on some systems: 'a/' and 'A/'"),
        ([("a", b""), ("a/b", b"")], "two entries that are one, or are on some systems: 'a' and 'a/'"),
        ([("a/b", b""), ("a", b"")], "two entries that are one, or are on some systems: 'a/' and 'a'"),
        (
            [("caf\u00e9", b""), ("cafe\u0301", b"")],
            "two entries that are one, or are on some systems: 'caf\u00e9' and 'cafe\u0301'",
        ),
        (
            [("stra\u00dfe", b""), ("STRASSE", b"")],
            "two entries that are one, or are on some systems: 'straße' and 'STRASSE'",
        ),
        ([("a/", b"")], "no files"),
        ([], "no files"),
    ],
)
def test_what_is_refused(tmp_path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]], what: str) -> None:
    assert line(make(tmp_path / "a.zip", *entries)) == f"The signed ZIP has {what}. {HINT}"


def test_other_compressions_and_encryption_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"x")
    assert line(tmp_path / "a.zip") == f"The signed ZIP has a compression that is not supported: 'a'. {HINT}"

    content = bytearray(make(tmp_path / "b.zip", ("a", b"x")).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    assert line(tmp_path / "b.zip") == f"The signed ZIP has an encrypted file: 'a'. {HINT}"


def test_a_name_with_a_null_is_judged_as_a_whole(tmp_path: Path) -> None:
    content = make(tmp_path / "a.zip", ("a.exeX.txt", b"x")).read_bytes().replace(b"a.exeX.txt", b"a.exe\0.txt")
    (tmp_path / "a.zip").write_bytes(content)

    assert line(tmp_path / "a.zip") == f"The signed ZIP has a name with control characters: 'a.exe?.txt'. {HINT}"


def test_a_hundred_thousand_entries_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(100_000):
            archive.writestr(str(number), b"")

    refused = line(tmp_path / "a.zip")
    assert refused.startswith("The signed ZIP has a list of 100000 entries in ")
    assert refused.endswith(f" bytes. {HINT}")


def test_a_count_that_lies_does_not_help(tmp_path: Path) -> None:
    """65,537 entries without ZIP64, whose count wraps to 1."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(65_537):
            archive.writestr(f"{number:x}", b"")
    content = (tmp_path / "a.zip").read_bytes()
    at = content.rindex(b"PK\x06\x06")
    *_, size, offset = struct.unpack_from("<4sQ2H2L4Q", content, at)
    lie = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, offset, 0)
    (tmp_path / "a.zip").write_bytes(content[:at] + lie)

    assert line(tmp_path / "a.zip") == f"The signed ZIP has 65537 entries, more than 50000. {HINT}"


def test_a_bomb_is_refused_by_its_announced_size(tmp_path: Path) -> None:
    make(tmp_path / "a.zip", ("zeros", bytes(80 * 1024 * 1024)))
    size = (tmp_path / "a.zip").stat().st_size

    assert line(tmp_path / "a.zip") == f"The signed ZIP has 83886080 bytes in {size}, more than 200 to 1. {HINT}"


def test_entries_that_share_their_bytes_are_a_bomb_too(tmp_path: Path) -> None:
    """Many names in the list for one packed file: small by each entry's ratio, not by the archive's."""
    content = make(tmp_path / "a.zip", ("aaaa", bytes(range(256)) * 8192)).read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    record = content[start:end]
    records = b"".join(record.replace(b"aaaa", b"%04d" % number) for number in range(5000))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5000, 5000, len(records), start, 0)
    (tmp_path / "a.zip").write_bytes(content[:start] + records + tail)

    assert "more than 200 to 1" in line(tmp_path / "a.zip")


def test_a_bomb_that_lies_about_its_size_is_stopped_there(tmp_path: Path) -> None:
    content = bytearray(make(tmp_path / "a.zip", ("zeros", bytes(10_000_000))).read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<L", 1000)
    (tmp_path / "a.zip").write_bytes(content)

    blocks: list[bytes] = []
    with open_archive(tmp_path / "a.zip") as archive, pytest.raises(VerificationError, match="no intact ZIP"):
        blocks.extend(archive.read(archive.members[0]))
    assert sum(map(len, blocks)) <= 1000


def test_more_than_any_disk_should_take_is_refused(tmp_path: Path) -> None:
    content = bytearray(make(tmp_path / "a.zip", *((str(number), b"x") for number in range(20))).read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 24 : at + 28] = struct.pack("<L", 0xFFFFFFFE)
    (tmp_path / "a.zip").write_bytes(content)

    assert line(tmp_path / "a.zip") == (
        f"The signed ZIP has {20 * 0xFFFFFFFE} bytes when it is unpacked, more than 68719476736. {HINT}"
    )


@pytest.mark.parametrize("content", [b"", b"MZ", b"PK\x03\x04", b"x" * 100_000, b"PK\x05\x06"])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)

    assert line(tmp_path / "a.zip") == f"The signed artifact is no ZIP. {HINT}"


def test_a_flipped_byte_in_a_file_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"content")
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"content", b"c0ntent"))

    with pytest.raises(VerificationError) as caught:
        read(tmp_path / "a.zip")
    assert str(caught.value) == f"The signed artifact is no intact ZIP: Bad CRC-32 for file 'a'. {HINT}"


@given(data=st.data())
def test_a_damaged_zip_is_one_of_the_projects_errors_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    content = bytearray(make(path, ("a/b.exe", b"MZ" * 50), ("c", b"x")).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])

    try:
        names = list(read(path))
    except VerificationError:
        return
    assert all(".." not in name.split("/") and not name.startswith("/") for name in names)

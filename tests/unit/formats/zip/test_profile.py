"""What the profile refuses, by code, and what it accepts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.zip import MAX_DEPTH, MAX_NAME_SIZE, Budget, open_archive
from tests.support.raw_zip import (
    LARGE,
    STORED,
    Ending,
    RawEntry,
    build,
    deflate,
    descriptor,
    extra,
    streamed,
    unicode_path,
    zip64,
)

A, B = RawEntry(name=b"a.txt"), RawEntry(name=b"dir/b.txt", content=b"other content" * 9)
DIRECTORY = RawEntry(name=b"dir/", content=b"", method=STORED, attributes=0o40755 << 16 | 0x10)
STORED_A = replace(A, method=STORED)
PACKED = len(deflate(b"content"))


def read(data: bytes, budget: Budget | None = None) -> dict[str, bytes]:
    """Read all of an archive."""
    with open_archive(io.BytesIO(data), budget) as archive:
        found = {entry.name: archive.open(entry).read() for entry in archive.entries}
        assert archive.unread() == []
    return found


def early_end(form: str, *, mark: bytes = b"", shift: int = 0) -> RawEntry:
    """Return a stored entry with sizes behind it, in whose content a descriptor fits that is not its own."""
    start = b"payload"
    size = len(start) + shift
    values = (zlib.crc32(start), size, size)
    inner = struct.pack(form, *((b"PK\x07\x08",) if "s" in form else ()), *values)
    return streamed(replace(STORED_A, content=start + inner + mark + b"the rest" * 9))


def signing_block(pairs: bytes = b"", *, magic: bytes = b"APK Sig Block 42", first: int | None = None) -> bytes:
    size = len(pairs) + 24
    return (size if first is None else first).to_bytes(8, "little") + pairs + size.to_bytes(8, "little") + magic


PAIR = struct.pack("<QI", 4 + 8, 0x7109871A) + b"8 bytes!"
APK = RawEntry(name=b"AndroidManifest.xml")

REFUSED: dict[str, tuple[bytes, str]] = {
    # The end.
    "nothing": (b"", "zip-end-missing"),
    "no end record": (build(A)[:-22], "zip-end-missing"),
    "half an end record": (build(A)[:-1], "zip-end-missing"),
    "cut comment": (build(A, ending=Ending(comment=b"text"))[:-1], "zip-data-behind"),
    "data behind the end": (build(A, ending=Ending(behind=b"x")), "zip-data-behind"),
    "data behind the comment": (build(A, ending=Ending(comment=b"text", behind=b"x")), "zip-data-behind"),
    "an end record in the comment": (build(A, ending=Ending(comment=b"PK\5\6" + bytes(18))), "zip-directory-place"),
    "an end record that fits in the comment": (
        build(A, ending=Ending(comment=b"." + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0))),
        "zip-directory-place",
    ),
    "a local header in the comment": (build(A, ending=Ending(comment=b"PK\3\4")), "zip-comment"),
    "a disk": (build(A, ending=Ending(disk=1)), "zip-disks"),
    "the directory's disk": (build(A, ending=Ending(directory_disk=1)), "zip-disks"),
    "other counts": (build(A, B, ending=Ending(count_here=1)), "zip-disks"),
    "an entry on another disk": (build(replace(A, disk=1)), "zip-disks"),
    "too small a count": (build(A, B, ending=Ending(count_here=1, count=1)), "zip-directory-damaged"),
    "no count": (build(A, ending=Ending(count_here=0, count=0)), "zip-disks"),
    "too large a count": (build(A, ending=Ending(count_here=2, count=2)), "zip-directory-damaged"),
    "a shifted offset": (b"shift" + build(A), "zip-directory-place"),
    "data behind the directory": (build(A, ending=Ending(gap=b"x")), "zip-directory-place"),
    "a directory that starts elsewhere": (build(A, ending=Ending(offset=1)), "zip-directory-place"),
    # ZIP64.
    "another directory in the ZIP64 record": (
        build(A, ending=Ending(is_large=True, size=1, offset=2)),
        "zip-zip64-end",
    ),
    "another count in the end record": (build(A, B, ending=Ending(is_large=True, count=1)), "zip-zip64-end"),
    "a locator that leads elsewhere": (build(A, ending=Ending(is_large=True, locator=0)), "zip-zip64-locator"),
    "a locator that leads far away": (build(A, ending=Ending(is_large=True, locator=1 << 63)), "zip-zip64-locator"),
    "data between the record and the locator": (
        build(A, ending=Ending(is_large=True, middle=b"x")),
        "zip-zip64-locator",
    ),
    "data in the ZIP64 record": (
        build(A, ending=Ending(is_large=True, large_size=45, middle=b"x")),
        "zip-zip64-locator",
    ),
    "data in front of the ZIP64 record": (build(A, ending=Ending(is_large=True, gap=b"x")), "zip-directory-place"),
    "several disks in the locator": (build(A, ending=Ending(is_large=True, disks=2)), "zip-disks"),
    "a disk in the ZIP64 record": (build(A, ending=Ending(is_large=True, large={"disk": 1})), "zip-zip64-end"),
    "a huge ZIP64 directory": (build(A, ending=Ending(is_large=True, large={"size": 1 << 62})), "zip-directory-place"),
    "a ZIP64 offset beyond the file": (
        build(A, ending=Ending(is_large=True, large={"offset": (1 << 64) - 1})),
        "zip-directory-place",
    ),
    "only a locator": (build(ending=Ending(gap=struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1))), "zip-zip64-locator"),
    "a placeholder without a ZIP64 field": (build(replace(A, size=LARGE)), "zip-zip64-entry"),
    "half a ZIP64 field": (
        build(replace(A, size=LARGE, packed=LARGE, extra=zip64(7), local={"extra": b""})),
        "zip-zip64-entry",
    ),
    "other sizes in a ZIP64 field": (build(replace(A, extra=zip64(1, 2))), "zip-zip64-entry"),
    "more in a ZIP64 field": (
        build(replace(A, size=LARGE, extra=zip64(7, 99), local={"size": 7, "extra": b""})),
        "zip-zip64-entry",
    ),
    "two ZIP64 fields": (build(replace(A, extra=zip64(7) + zip64(7))), "zip-extra-field"),
    # Places.
    "data in front of the first entry": (build(replace(A, before=b"#!/bin/sh\n")), "zip-gap"),
    "data between entries": (build(A, replace(B, before=b"x")), "zip-gap"),
    "data in front of the directory": (build(A, B, before_directory=b"x"), "zip-gap"),
    "an entry that the directory lacks": (build(A, replace(B, listed=False)), "zip-gap"),
    "an entry listed twice": (build(A, replace(B, offset=0, name=b"a2txt")), "zip-overlap"),
    "an entry in another": (
        build(replace(STORED_A, content=build(B)), replace(B, offset=35)),
        "zip-overlap",
    ),
    "an entry beyond the directory": (build(replace(STORED_A, packed=99, size=99)), "zip-overlap"),
    "an offset beyond the file": (build(replace(A, offset=1 << 30)), "zip-gap"),
    "no local header": (build(A).replace(b"PK\3\4", b"PK\3\5"), "zip-local-header"),
    **{
        f"another {name} in the local header": (build(replace(A, local={name: value}), B), "zip-local-header")
        for name, value in {"name": b"b.txt", "crc": 0, "size": 0, "packed": 0, "flags": 2, "method": 0}.items()
    },
    "a longer name in the local header": (build(replace(A, local={"name": b"a.txt\0"}), B), "zip-local-header"),
    "other sizes in a local ZIP64 field": (
        build(replace(A, local={"size": LARGE, "packed": LARGE, "extra": zip64(8, 9)})),
        "zip-local-header",
    ),
    "encryption in the local header": (build(replace(A, local={"flags": 1})), "zip-local-header"),
    # Data descriptors.
    "no data descriptor": (build(replace(A, descriptor=b"")), "zip-descriptor"),
    "another data descriptor": (build(replace(A, descriptor=descriptor(B))), "zip-descriptor"),
    "a longer data descriptor": (build(replace(A, descriptor=descriptor(A) + b"x")), "zip-descriptor"),
    "a data descriptor without a flag": (
        build(replace(A, descriptor=descriptor(A), flags=8), B).replace(
            struct.pack("<H", 8) + struct.pack("<H", 8), struct.pack("<H", 0) + struct.pack("<H", 8)
        ),
        "zip-gap",
    ),
    "a descriptor's data as a local header": (
        build(replace(A, descriptor=b"PK\3\4" + descriptor(A)[4:])),
        "zip-descriptor",
    ),
    "an empty entry with large sizes behind it": (build(streamed(replace(A, content=b""), "<4sIQQ")), "zip-descriptor"),
    "an empty stored entry with nothing that marks its end": (
        build(streamed(replace(STORED_A, content=b""), "<III")),
        "zip-descriptor",
    ),
    "an early end with a signature": (build(early_end("<4sIII")), "zip-descriptor-ambiguous"),
    "an early end with large sizes": (build(early_end("<4sIQQ")), "zip-descriptor-ambiguous"),
    "an early end in front of an entry": (build(early_end("<III", mark=b"PK\3\4")), "zip-descriptor-ambiguous"),
    "an early end in front of a directory": (build(early_end("<IQQ", mark=b"PK\1\2")), "zip-descriptor-ambiguous"),
    # Names.
    "NUL": (build(replace(A, name=b"a.exe\0.txt")), "zip-name-control"),
    "a newline": (build(replace(A, name=b"a\nb")), "zip-name-control"),
    "a delete": (build(replace(A, name=b"a\x7f")), "zip-name-control"),
    "a C1 control": (build(replace(A, name="a\u0085".encode(), flags=0x800)), "zip-name-control"),
    "another writing direction": (build(replace(A, name="a\u202etxt.exe".encode(), flags=0x800)), "zip-name-control"),
    "a character that is not seen": (build(replace(A, name="a\u200d".encode(), flags=0x800)), "zip-name-control"),
    "a backslash": (build(replace(A, name=b"..\\a")), "zip-name-backslash"),
    "a drive": (build(replace(A, name=b"C:/a")), "zip-name-drive"),
    "a stream": (build(replace(A, name=b"a.exe:hidden")), "zip-name-drive"),
    "an absolute path": (build(replace(A, name=b"/etc/passwd")), "zip-name-absolute"),
    "a server": (build(replace(A, name=b"//server/share")), "zip-name-absolute"),
    "dots": (build(replace(A, name=b"../a")), "zip-name-path"),
    "dots inside": (build(replace(A, name=b"a/../../b")), "zip-name-path"),
    "dots at the end": (build(replace(A, name=b"a/..")), "zip-name-path"),
    "one dot": (build(replace(A, name=b"./a")), "zip-name-path"),
    "an empty part": (build(replace(A, name=b"a//b")), "zip-name-path"),
    "no name": (build(replace(A, name=b"")), "zip-name-path"),
    "a device": (build(replace(A, name=b"a/nul.txt")), "zip-name-reserved"),
    "a directory that is a device": (build(replace(A, name=b"AUX/a")), "zip-name-reserved"),
    "a dot at the end": (build(replace(A, name=b"a./b")), "zip-name-end"),
    "a blank at the end": (build(replace(A, name=b"a ")), "zip-name-end"),
    "a name of JavaScript": (build(replace(A, name=b"__proto__")), "zip-name-reserved"),
    "a version of VMS": (build(replace(A, name=b"a.txt;1")), "zip-name-end"),
    "a decomposed character": (build(replace(A, name="e\u0301".encode(), flags=0x800)), "zip-name-form"),
    "ZIP64 sizes without a ZIP64 end": (
        build(replace(A, size=LARGE, extra=zip64(7), local={"size": 7, "extra": b""})),
        "zip-zip64-entry",
    ),
    "a long name": (build(replace(A, name=b"a" * (MAX_NAME_SIZE + 1))), "zip-name-length"),
    "a deep path": (build(replace(A, name=b"a/" * (MAX_DEPTH + 1) + b"a")), "zip-name-depth"),
    "another code page": (build(replace(A, name=b"\x81.txt")), "zip-name-encoding"),
    "UTF-8 that is not declared": (build(replace(A, name="ü".encode())), "zip-name-encoding"),
    "no UTF-8": (build(replace(A, name=b"\xff", flags=0x800)), "zip-name-encoding"),
    "UTF-8 of DOS": (build(replace(A, name="ü".encode(), flags=0x800, host=0)), "zip-name-encoding"),
    "half a character": (build(replace(A, name=b"\xed\xa0\x80", flags=0x800)), "zip-name-encoding"),
    "a Unicode path": (build(replace(A, extra=unicode_path(b"a.txt", "b.txt"))), "zip-name-unicode-path"),
    "a local Unicode path": (
        build(replace(A, local={"extra": unicode_path(b"a.txt", "b.txt")})),
        "zip-name-unicode-path",
    ),
    "a Unicode path of another name": (
        build(replace(A, extra=unicode_path(b"x", "a.txt"))),
        "zip-name-unicode-path",
    ),
    "an empty Unicode path": (build(replace(A, extra=extra(0x7075, b""))), "zip-name-unicode-path"),
    "one name twice": (build(A, A), "zip-name-collision"),
    "one directory twice": (build(DIRECTORY, DIRECTORY), "zip-name-collision"),
    "another case": (build(A, replace(A, name=b"A.TXT")), "zip-name-collision"),
    "another case of a directory": (build(B, replace(A, name=b"Dir/a")), "zip-name-collision"),
    "a file and a directory": (build(replace(A, name=b"dir"), B), "zip-name-collision"),
    "a directory and a file": (build(B, replace(A, name=b"dir")), "zip-name-collision"),
    **{
        f"{one} and {other}": (
            build(*(replace(A, name=name.encode(), flags=0x800) for name in (one, other))),
            "zip-name-collision",
        )
        for one, other in (("straße", "STRASSE"), ("ﬁ", "fi"))
    },
    # Kinds.
    "a link": (build(replace(A, attributes=0o120777 << 16)), "zip-entry-link"),
    "a device file": (build(replace(A, attributes=0o020666 << 16)), "zip-entry-special"),
    "a pipe": (build(replace(A, attributes=0o010644 << 16)), "zip-entry-special"),
    "a volume label": (build(replace(A, host=0, attributes=8)), "zip-entry-special"),
    "a reparse point": (build(replace(A, host=0, attributes=0x400)), "zip-entry-special"),
    "setuid": (build(replace(A, attributes=0o104755 << 16)), "zip-entry-set-id"),
    "setgid": (build(replace(A, attributes=0o102755 << 16)), "zip-entry-set-id"),
    "a directory by its attributes": (build(replace(A, attributes=0x10)), "zip-entry-kind"),
    "a directory by its mode": (build(replace(A, attributes=0o40755 << 16)), "zip-entry-kind"),
    "a file by its mode": (build(replace(DIRECTORY, attributes=0o100755 << 16)), "zip-entry-kind"),
    "a directory with data": (build(replace(DIRECTORY, content=b"x")), "zip-entry-directory-data"),
    "a link in a field of PKWARE": (build(replace(A, extra=extra(0x000D, bytes(12) + b"/etc"))), "zip-entry-link"),
    "a link in a field of ASi": (
        build(replace(A, extra=extra(0x756E, bytes(4) + struct.pack("<HIHH", 0o120777, 4, 0, 0) + b"/etc"))),
        "zip-entry-link",
    ),
    "attributes in a field of libarchive": (
        build(replace(A, local={"extra": extra(0x6C78, b"\1")})),
        "zip-extra-field",
    ),
    "a damaged extra field": (build(replace(A, extra=b"\1\2\3\4\5")), "zip-extra-field"),
    "something in an extra field": (build(replace(A, extra=b"odd")), "zip-extra-field"),
    # What is not read.
    "encryption": (build(replace(A, flags=1)), "zip-entry-encrypted"),
    "strong encryption": (build(replace(A, flags=0x40)), "zip-entry-encrypted"),
    "a masked directory": (build(replace(A, flags=0x2000)), "zip-entry-encrypted"),
    "AES": (build(replace(A, method=99, data=b"x")), "zip-entry-encrypted"),
    "AES in a field": (build(replace(A, extra=extra(0x9901, b"\1\0AE\1\0\0"))), "zip-entry-encrypted"),
    "patched data": (build(replace(A, flags=0x20)), "zip-entry-flags"),
    "bzip2": (build(replace(A, method=12, data=b"x")), "zip-entry-method"),
    # Data.
    "two sizes of stored data": (build(replace(STORED_A, size=8)), "zip-entry-size"),
    "more than deflate can do": (build(replace(A, size=1 << 20)), "zip-entry-size"),
    "a flipped bit": (build(replace(STORED_A, crc=1)), "zip-data-checksum"),
    "another checksum": (build(replace(A, crc=1)), "zip-data-checksum"),
    "damaged compression": (build(replace(A, data=b"\xff" * 20)), "zip-data-damaged"),
    "data behind the compression": (build(replace(A, data=deflate(b"content") + b"hidden")), "zip-data-end"),
    "a cut stream": (build(replace(A, data=deflate(b"content")[:-2])), "zip-data-end"),
    "too small a size": (build(replace(A, size=6)), "zip-data-size"),
    "too large a size": (build(replace(A, size=8)), "zip-data-size"),
    "a size of nothing": (build(replace(A, size=0)), "zip-data-size"),
    "a bomb that lies": (build(replace(A, content=bytes(10 << 20), size=1000)), "zip-data-size"),
    # APK signing blocks.
    "a signing block in no APK": (build(A, before_directory=signing_block(PAIR)), "zip-gap"),
    "a signing block with another magic": (
        build(APK, before_directory=signing_block(PAIR, magic=b"APK Sig Block 41")),
        "zip-gap",
    ),
    "a signing block of two sizes": (build(APK, before_directory=signing_block(PAIR, first=1)), "zip-gap"),
    "a signing block with data in it": (build(APK, before_directory=signing_block(PAIR + b"x")), "zip-gap"),
    "a signing block beyond the file": (
        build(APK, before_directory=(1 << 40).to_bytes(8, "little") + b"APK Sig Block 42"),
        "zip-gap",
    ),
    "data in front of a signing block": (build(APK, before_directory=b"x" + signing_block(PAIR)), "zip-gap"),
    "a signing block between entries": (build(APK, replace(B, before=signing_block(PAIR))), "zip-gap"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_code(case: str) -> None:
    data, code = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        read(data)
    assert caught.value.code == code


ACCEPTED: dict[str, tuple[RawEntry, ...]] = {
    "nothing": (),
    "files and directories": (A, DIRECTORY, B),
    "a directory that is not first": (B, DIRECTORY, A),
    "a directory that gives its group to files": (replace(DIRECTORY, attributes=0o42755 << 16),),
    "a directory of an unknown mode": (replace(DIRECTORY, attributes=0xFFFF0010),),
    "a deflated directory": (replace(DIRECTORY, method=8, attributes=0),),
    "a declared name": (replace(A, name="ünïcode/日本.txt".encode(), flags=0x800),),
    "a Unicode path with the same name": (replace(A, extra=unicode_path(b"a.txt", "a.txt")),),
    "the longest name": (replace(A, name=b"a" * MAX_NAME_SIZE),),
    "the deepest path": (replace(A, name=b"a/" * MAX_DEPTH + b"a"),),
    "attributes of Windows": (replace(A, host=0, attributes=0x20 | 0x1 | 0x2 | 0x4),),
    "attributes of 7-Zip": (replace(A, attributes=0o100644 << 16 | 0x8020),),
    "an extra field of jar": (replace(A, extra=extra(0xCAFE, b"")),),
    "alignment by zeros": (replace(A, local={"extra": b"\0\0\0"}), B),
    "times in extra fields": (
        replace(A, extra=extra(0x5455, b"\1time"), local={"extra": extra(0x5455, b"\3timetime")}),
    ),
    "a comment": (replace(A, comment=b"PK\5\6 about a"),),
    "how thoroughly it was compressed": (replace(A, flags=2),),
    "ZIP64 sizes in front": (replace(A, local={"size": LARGE, "packed": LARGE, "extra": zip64(7, PACKED)}),),
    "ZIP64 sizes in the directory": (
        replace(
            A,
            size=LARGE,
            packed=LARGE,
            extra=zip64(7, PACKED),
            local={"size": 7, "packed": PACKED, "extra": b""},
        ),
    ),
    "ZIP64 sizes that are repeated": (replace(A, extra=zip64(7, PACKED)),),
    **{
        f"sizes behind, {form}, {method}": (streamed(replace(A, method=method), form), B)
        for form in ("<III", "<4sIII", "<IQQ", "<4sIQQ")
        for method in (0, 8)
    },
    "unknown ZIP64 sizes in front": (
        streamed(replace(A, local={"size": LARGE, "packed": LARGE, "extra": zip64(0, 0)}), "<4sIQQ"),
    ),
    "a stored archive with sizes behind": (
        streamed(replace(STORED_A, content=build(streamed(STORED_A), streamed(B)))),
        B,
    ),
    "an earlier end that does not fit": (early_end("<4sIII", shift=1),),
    "an earlier end in compressed data": (replace(early_end("<4sIII"), method=8, descriptor=None, flags=0, local={}),),
    "many zeros": (replace(A, content=bytes(40 << 20)),),
}


@pytest.mark.parametrize("case", ACCEPTED)
@pytest.mark.parametrize("is_large", [False, True])
def test_accepted(case: str, is_large: bool) -> None:
    if is_large and case == "many zeros":
        return
    entries = ACCEPTED[case]
    is_large = is_large or case == "ZIP64 sizes in the directory"
    found = read(build(*entries, ending=Ending(is_large=is_large)))
    assert found == {entry.name.decode(): entry.content for entry in entries}


@pytest.mark.parametrize("size", [0, 1, 100, 0xFFFF])
def test_a_comment_of_any_size(size: int) -> None:
    with open_archive(io.BytesIO(build(A, ending=Ending(comment=b"x" * size)))) as archive:
        assert archive.comment == b"x" * size


def test_placeholders_and_true_values_in_the_end_record() -> None:
    data = build(A, ending=Ending(is_large=True, count_here=1, count=1, size=51))
    assert read(data) == {"a.txt": b"content"}


@pytest.mark.parametrize("last", [A, STORED_A, streamed(STORED_A), streamed(A)])
def test_signing_block_of_an_apk(last: RawEntry) -> None:
    block = signing_block(PAIR + PAIR)
    data = build(APK, last, before_directory=block)
    with open_archive(io.BytesIO(data)) as archive:
        assert archive.signing_block is not None
        start = archive.signing_block.offset
        assert data[start : start + archive.signing_block.size] == block
    with open_archive(io.BytesIO(build(APK, last))) as archive:
        assert archive.signing_block is None


@pytest.mark.parametrize("last", [A, STORED_A, *(streamed(A, form) for form in ("<III", "<4sIII", "<IQQ", "<4sIQQ"))])
def test_zeros_put_a_signing_block_on_a_page(last: RawEntry) -> None:
    start = build(APK, last).index(b"PK\1\2")
    data = build(APK, last, before_directory=bytes(4096 - start) + signing_block(PAIR))
    with open_archive(io.BytesIO(data)) as archive:
        assert archive.signing_block is not None
        assert archive.signing_block.offset == 4096
    for padding in (bytes(4095 - start), bytes(8192 - start), b"x" + bytes(4095 - start)):
        with pytest.raises(FormatError):
            read(build(APK, last, before_directory=padding + signing_block(PAIR)))


def test_content_that_ends_like_a_signing_block() -> None:
    entry = replace(STORED_A, content=signing_block(PAIR))
    assert read(build(APK, entry))["a.txt"] == entry.content


def test_unsupported_archives_are_not_called_damaged() -> None:
    for case in ("encryption", "bzip2", "patched data", "a disk"):
        with pytest.raises(UnsupportedError):
            read(REFUSED[case][0])


def test_order_of_the_directory_is_kept() -> None:
    data = build(A, B)
    place = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", place + 1)
    end = data.index(b"PK\5\6")
    turned = data[:place] + data[second:end] + data[place:second] + data[end:]
    assert list(read(turned)) == ["dir/b.txt", "a.txt"]


@pytest.mark.parametrize(
    "make", [lambda: build(A, B), lambda: build(streamed(A), streamed(RawEntry(name=b"s", method=0)))]
)
def test_every_flipped_bit_is_refused_or_harmless(make: Callable[[], bytes]) -> None:
    good = make()
    expected = read(good)
    for position in range(len(good) * 8):
        data = bytearray(good)
        data[position // 8] ^= 1 << position % 8
        try:
            found = read(bytes(data))
        except FormatError:
            continue
        assert found == expected or set(found) - set(expected), position  # a name may be another one
        assert sorted(found.values()) == sorted(expected.values())

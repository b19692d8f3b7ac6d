"""One text that describes files: what is found in it, and that everything else stays byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from signpath_ci.release_metadata.changes import Change, Changes
from signpath_ci.release_metadata.digests import digests_of
from signpath_ci.release_metadata.release import update
from signpath_ci.release_metadata.rewrite import rewrite
from signpath_ci.release_metadata.texts import read_text

OLD, NEW = b"unsigned", b"signed and larger"
CHANGE = Change(name="setup.exe", before=digests_of(OLD), after=digests_of(NEW))


def _hex(algorithm: str, data: bytes) -> str:
    return hashlib.new(algorithm, data).hexdigest()


def _b64(algorithm: str, data: bytes) -> str:
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


def _sums(data: bytes) -> str:
    return f"# of v1\n{_hex('sha256', b'other')}  readme.txt\r\n{_hex('sha256', data)} *setup.exe\n"


def _bsd(data: bytes) -> str:
    return f"SHA512 (setup.exe) = {_hex('sha512', data)}\nMD5 (setup.exe) = {_hex('md5', data)}\n"


def _latest(data: bytes) -> str:
    # As electron-builder writes it, with a comment and a key that it does not know.
    return (
        f"version: 1.0.0 # the first\nfiles:\n  - url: setup.exe\n    sha512: {_b64('sha512', data)}\n"
        f"    size: {len(data)}\n  - url: other.exe\n    sha512: {_b64('sha512', b'other')}\n    size: {len(OLD)}\n"
        f"path: setup.exe\nsha512: {_b64('sha512', data)}\nreleaseDate: '2026-01-01T00:00:00.000Z'\n"
    )


def _releases(data: bytes) -> str:
    return (
        f"\ufeff{_hex('sha1', data).upper()} setup.exe {len(data)} # 10%\r\n"
        f"{_hex('sha1', b'other').upper()} old.nupkg {len(OLD)}"
    )


def _velopack(data: bytes) -> str:
    asset = {"FileName": "setup.exe", "SHA1": _hex("sha1", data).upper(), "Size": len(data), "Note": {"Size": len(OLD)}}
    other = {"FileName": 'b{"}', "SHA256": _hex("sha256", b"other").upper(), "Size": len(OLD)}
    return json.dumps({"Assets": [other, {**asset, "SHA256": _hex("sha256", data).upper()}]}, indent=2)


def _winget(data: bytes) -> str:
    return (
        f"# yaml-language-server: x\nPackageIdentifier: Acme.App\nInstallers:\n- Architecture: x64\n"
        f"  InstallerSha256: {_hex('sha256', data).upper()}\nManifestType: installer\n"
    )


def _scoop(data: bytes) -> str:
    return json.dumps({"version": "1", "url": "https://x.example/setup.exe", "hash": f"sha512:{_hex('sha512', data)}"})


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("SHA256SUMS", _sums),
        ("checksums.txt", _bsd),
        ("setup.exe.sha256", lambda data: _hex("sha256", data)),
        ("setup.nupkg.sha512", lambda data: _b64("sha512", data) + "\n"),
        ("latest.yml", _latest),
        ("beta-mac.yml", lambda data: _latest(data).replace("\n", "\r\n")),
        ("RELEASES", _releases),
        ("releases.win.json", _velopack),
        ("Acme.App.installer.yaml", _winget),
        ("app.json", _scoop),
    ],
)
def test_digests_and_sizes_of_the_signed_file_replace_those_of_the_unsigned_one(
    name: str, write: Callable[[bytes], str]
) -> None:
    found = rewrite(name, write(OLD), Changes([CHANGE]))

    assert found.text == write(NEW)
    assert {stale.of for stale in found.stale} == {"setup.exe"}
    assert not any(stale.remedy for stale in found.stale)
    again = rewrite(name, found.text, Changes([CHANGE]))
    assert (again.stale, again.text) == ((), found.text)


def test_a_size_is_stale_by_itself() -> None:
    text = _latest(NEW).replace(f"size: {len(NEW)}", f"size: {len(OLD)}")

    found = rewrite("latest.yml", text, Changes([CHANGE]))

    assert [stale.what for stale in found.stale] == ["size"]
    assert found.text == _latest(NEW)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes.md", f"The installer: {_hex('sha256', OLD)}\n"),
        ("SHA256SUMS.asc", f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{_sums(OLD)}"),
        ("bom.json", json.dumps({"bomFormat": "CycloneDX", "hashes": [_hex("sha256", OLD)]})),
        ("chocolateyinstall.ps1", f"$checksum = '{_hex('sha256', OLD)}'"),
        ("latest.yml", _latest(OLD) + "a: [\n"),
    ],
)
def test_what_can_not_be_rewritten_is_named_with_what_to_do(name: str, text: str) -> None:
    found = rewrite(name, text, Changes([CHANGE]))

    assert found.text == text
    assert found.stale
    assert all(stale.remedy for stale in found.stale)


@pytest.mark.parametrize(
    "text",
    [
        "a" + _hex("sha256", OLD),
        _hex("sha256", OLD) + "0",
        _hex("sha256", OLD)[:-1],
        _b64("sha512", OLD)[:-1],
        "Z" + _b64("sha512", OLD),
        _hex("sha256", b"other"),
        "",
    ],
)
def test_what_is_not_exactly_the_digest_stays(text: str) -> None:
    assert rewrite("SHA256SUMS", text, Changes([CHANGE])).stale == ()


def test_equal_unsigned_files_are_told_apart_by_their_names() -> None:
    other = Change(name="my-setup.exe", before=digests_of(OLD), after=digests_of(b"signed at another time"))
    text = f"{_hex('sha256', OLD)}  my-setup.exe\n{_hex('sha256', OLD)}  setup.exe\n{_hex('sha256', OLD)}  copy.exe\n"

    found = rewrite("SHA256SUMS", text, Changes([CHANGE, other]))

    lines = [line[:64] for line in found.text.splitlines()]
    assert lines == [_hex("sha256", b"signed at another time"), _hex("sha256", NEW), _hex("sha256", OLD)]
    assert [bool(stale.remedy) for stale in found.stale] == [False, False, True]


def test_a_block_map_that_is_not_there_is_named() -> None:
    text = _latest(OLD).replace("    size: 8\n  - url", "    size: 8\n    blockMapSize: 77\n  - url")
    assert "blockMapSize" in text

    alone = rewrite("latest.yml", text, Changes([CHANGE]))
    block_map = Change(name="setup.exe.blockmap", before=digests_of(b"m" * 77), after=digests_of(b"n" * 99))
    beside = rewrite("latest.yml", text, Changes([CHANGE, block_map]))

    assert [stale.what for stale in alone.stale if stale.remedy] == ["blockMapSize"]
    assert "blockMapSize: 99\n" in beside.text
    assert not any(stale.remedy for stale in beside.stale)


def test_texts_that_describe_texts_are_brought_up_to_date_together() -> None:
    paths = PurePosixPath("SHA256SUMS"), PurePosixPath("latest.yml"), PurePosixPath("all.sha512")
    latest = _latest(OLD).encode()
    sums = f"{_hex('sha256', latest)}  latest.yml\n{_hex('sha256', OLD)}  setup.exe\n".encode()
    top = f"{_hex('sha512', sums)}  SHA256SUMS\n".encode()
    texts = {path: read_text(data) for path, data in zip(paths, (sums, latest, top), strict=True)}

    found = update({path: text for path, text in texts.items() if text}, [CHANGE])

    new = _latest(NEW).encode()
    new_sums = f"{_hex('sha256', new)}  latest.yml\n{_hex('sha256', NEW)}  setup.exe\n".encode()
    assert found.contents == {
        paths[0]: new_sums, paths[1]: new, paths[2]: f"{_hex('sha512', new_sums)}  SHA256SUMS\n".encode()
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe" + "SHA256 \u00e9\r\n".encode("utf-16-le"),
        b"\xef\xbb\xbfa\r\n",
        "Gr\u00fc\u00dfe".encode("latin-1"),
        b"\r\n\r",
    ],
)
def test_a_text_is_the_same_when_it_is_written_again(data: bytes) -> None:
    found = read_text(data)
    assert found
    assert found.encoded(found.text) == data


@pytest.mark.parametrize("data", [b"MZ\0\0", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8"])
def test_other_bytes_are_no_text(data: bytes) -> None:
    assert read_text(data) is None


def test_the_checksum_file_of_windows_powershell_is_brought_up_to_date() -> None:
    text = read_text(b"\xff\xfe" + f"{_hex('sha256', OLD).upper()}  setup.exe\r\n".encode("utf-16-le"))
    assert text
    path = PurePosixPath("SHA256SUMS.txt")

    assert update({path: text}, [CHANGE]).contents == {
        path: b"\xff\xfe" + f"{_hex('sha256', NEW).upper()}  setup.exe\r\n".encode("utf-16-le")
    }


@pytest.mark.parametrize(
    ("name", "filler"),
    [
        ("releases.win.json", '"Assets" "FileName" ' + '"\\"' * 200_000),
        ("releases.win.json", '"Assets" "FileName"' + "{" * 300_000),
        ("latest.yml", "version: 1\nsha512: x\npath: y\n" + "[" * 50_000),
        ("latest.yml", "version: 1\nsha512: x\npath: y\n" + "size: " * 40_000),
        ("SHA256SUMS", "(" * 300_000 + ")" * 300_000),
        ("RELEASES", "1 " * 300_000),
        ("notes.txt", "a" * 1_000_000),
        ("notes.txt", "A" * 85 + "=" * 1_000_000),
    ],
)
def test_hostile_texts_cost_no_more_than_others(name: str, filler: str) -> None:
    text = f"{_hex('sha256', OLD)}\n{filler}"

    found = rewrite(name, text, Changes([CHANGE]))

    assert [stale.what for stale in found.stale] == ["sha256"]
    assert found.text[64:] == text[64:]


def test_a_text_with_the_same_digest_many_times_is_linear() -> None:
    other = Change(name="copy.exe", before=digests_of(OLD), after=digests_of(b"signed at another time"))
    digest = _hex("sha256", OLD)
    text = json.dumps({"Assets": [digest] * 20_000, "FileName": "copy.exe"})

    found = rewrite("releases.win.json", text, Changes([CHANGE, other]))

    assert len(found.stale) == 20_000

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, SignPathError, UnsupportedFormatError, VerificationError
from signpath_ci.formats.zip import Budget
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.verify import can_verify, verify_file
from tests.support.archives import SIGNED_MEMBERS, build_zip, contents, hostile, release
from tests.support.pe import LAUNCHERS
from tests.support.signing import NOW, authority

CLOCK = Clock(now=lambda: NOW)


@cache
def _pair() -> tuple[Path, Path]:
    """Return a submitted archive and the signed one."""
    directory = Path(tempfile.mkdtemp(prefix="archives-"))
    unsigned, signed = directory / "unsigned.zip", directory / "signed.zip"
    unsigned.write_bytes(build_zip(release()))
    sign_file(
        unsigned,
        signed,
        signer=authority().code_signer("tests"),
        time_stamp=lambda value: tsa.time_stamp(authority().time_stamper, value, now=NOW),
    )
    return unsigned, signed


def _failure(path: Path, unsigned: Path | None = None) -> SignPathError:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, clock=CLOCK)
    assert caught.value.message.startswith(str(path))
    return caught.value


def _write(path: Path, entries: dict[str, bytes]) -> Path:
    path.write_bytes(build_zip(entries))
    return path


def test_each_member_has_its_verdict() -> None:
    unsigned, signed = _pair()
    for submitted, identity in ((None, "not-checked"), (unsigned, "same")):
        verdicts = verify_file(signed, unsigned=submitted, clock=CLOCK)
        assert [(v.path, v.member, v.identity) for v in verdicts] == [(signed, m, identity) for m in SIGNED_MEMBERS]


def test_another_order_and_compression_is_the_same_content(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    repacked = tmp_path / "repacked.zip"
    repacked.write_bytes(build_zip(dict(reversed(contents(signed).items())), compression=0))
    assert len(verify_file(repacked, unsigned=unsigned, clock=CLOCK)) == len(SIGNED_MEMBERS)


def test_what_was_changed_is_listed(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed) | {"README.txt": b"read this instead", "empty": b"not any more"}
    error = _failure(_write(tmp_path / "a.zip", entries), unsigned)
    assert "not what was submitted, though of no kind that is signed: README.txt, empty." in error.message


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    entries = {f"{n:02}": b"" for n in range(15)} | {"a.exe": contents(_pair()[1])["bin/app.exe"]}
    changed = {name: data if name == "a.exe" else b"x" for name, data in entries.items()}
    before, after = _write(tmp_path / "before.zip", entries), _write(tmp_path / "after.zip", changed)
    assert "00, 01, 02, 03, 04, 05, 06, 07, 08, 09 and 5 more." in _failure(after, before).message


def test_other_entries_than_submitted(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    more = _failure(_write(tmp_path / "more.zip", entries | {"b\n::error::": b"", "a": b""}), unsigned)
    assert "not the entries that were submitted; added: a, b ::error::." in more.message
    del entries["empty"]
    assert "missing: empty." in _failure(_write(tmp_path / "less.zip", entries), unsigned).message


def test_a_change_in_an_inner_archive_is_found(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    (tmp_path / "inner.zip").write_bytes(entries["inner.zip"])
    inner = contents(tmp_path / "inner.zip")
    for changed, words in (
        (inner | {"data": b"other"}, "inner.zip/data."),
        (inner | {"new": b""}, "added: inner.zip/new."),
        (
            inner | {"deep/tool.exe": LAUNCHERS["arm64"].read_bytes()},
            "inner.zip/deep/tool.exe: the file is not signed.",
        ),
    ):
        path = _write(tmp_path / "a.zip", entries | {"inner.zip": build_zip(changed)})
        assert words in _failure(path, unsigned).message
    repacked = _write(
        tmp_path / "a.zip", entries | {"plain.zip": build_zip({"text": b"nothing to sign"}, compression=0)}
    )
    assert "of no kind that is signed: plain.zip." in _failure(repacked, unsigned).message


def test_an_unsigned_pe_file_inside_is_named(tmp_path: Path) -> None:
    entries = contents(_pair()[1]) | {"bin/app.exe": LAUNCHERS["x64"].read_bytes()}
    assert "bin/app.exe: the file is not signed." in _failure(_write(tmp_path / "a.zip", entries)).message


def test_a_bad_jar_inside_is_named(tmp_path: Path) -> None:
    signed = contents(_pair()[1])
    (tmp_path / "app.jar").write_bytes(signed["app.jar"])
    changed = contents(tmp_path / "app.jar") | {"native.dll": b"other"}
    inner = build_zip({"app.jar": build_zip(changed)})
    for entries, name in (({"app.jar": build_zip(changed)}, "app.jar"), ({"in.zip": inner}, "in.zip/app.jar")):
        message = _failure(_write(tmp_path / "a.zip", entries)).message
        assert message == f"{tmp_path / 'a.zip'}: {name}: changed after it was signed: native.dll."
    assert _failure(tmp_path / "app.jar", LAUNCHERS["x64"]).message.startswith(f"{tmp_path / 'app.jar'}: the submitted")


def test_a_swapped_pe_file_is_found(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    entries["bin/app.exe"] = entries["bin/name with blanks and ünïcode.dll"]
    error = _failure(_write(tmp_path / "a.zip", entries), unsigned)
    assert "bin/app.exe: it is signed, but it is not the file that was submitted" in error.message


def test_a_signed_pe_file_instead_of_something_else_is_found(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    path = _write(tmp_path / "a.zip", entries | {"README.txt": entries["bin/app.exe"]})
    assert "README.txt: it can't be the file that was submitted" in _failure(path, unsigned).message


@pytest.mark.parametrize("case", hostile())
def test_hostile_archives(tmp_path: Path, case: str) -> None:
    data, words = hostile()[case]
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert words in _failure(path).message


def test_a_hostile_submitted_archive_is_told_from_the_signed_one(tmp_path: Path) -> None:
    path = tmp_path / "submitted.zip"
    path.write_bytes(hostile()["bomb"][0])
    assert "the submitted archive: the archive's entry a.exe is a bomb" in _failure(_pair()[1], path).message


def test_the_submitted_archive_has_one_budget_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.verify.container.Budget", lambda: Budget(entries=4))
    inner = {"app.exe": contents(_pair()[1])["bin/app.exe"]}
    after = _write(tmp_path / "after.zip", {"inner.zip": build_zip(inner)})
    before = _write(tmp_path / "before.zip", {"inner.zip": build_zip({"a": b"", "b": b"", "c": b""})})
    assert "missing: inner.zip/a, inner.zip/b, inner.zip/c." in _failure(after, before).message
    before = _write(tmp_path / "before.zip", {"inner.zip": build_zip({"a": b"", "b": b"", "c": b"", "d": b""})})
    assert "the submitted archive: the archive has too many entries" in _failure(after, before).message
    more = _write(tmp_path / "more.zip", {"inner.zip": build_zip({**inner, "a": b"", "b": b"", "c": b""})})
    assert "inner.zip: the archive has too many entries" in _failure(more).message


def test_a_damaged_inner_archive_is_named(tmp_path: Path) -> None:
    for case in ("bomb", "encrypted"):
        data, words = hostile()[case]
        path = _write(tmp_path / "a.zip", {"inner.zip": build_zip({"deeper.zip": data})})
        assert f": inner.zip: inner.zip/deeper.zip: the archive's entry {words}" in _failure(path).message


def test_no_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = _pair()[1]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(LocalFileError, match="can't be read, or not be unpacked: No such file or directory"):
        verify_file(signed, clock=CLOCK)


def test_packages_have_signatures_of_their_own(tmp_path: Path) -> None:
    marker = "[Content_Types].xml"
    path = _write(tmp_path / "a.zip", contents(_pair()[1]) | {marker: b""})
    error = _failure(path)
    assert type(error) is UnsupportedFormatError
    assert marker in error.message
    assert not can_verify(path)
    assert can_verify(_pair()[0])

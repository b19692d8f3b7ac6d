from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, UnsupportedFormatError, VerificationError
from signpath_ci.formats.zip import Budget
from signpath_ci.model import Failure, Verdict
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.verify import can_verify, verify_file
from tests.support.archives import SIGNED_MEMBERS, build_zip, contents, hostile, release
from tests.support.pe import LAUNCHERS
from tests.support.signing import NOW, allowing, authority

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
        timestamp=lambda value: tsa.timestamp(authority().timestamper, value, now=NOW),
    )
    return unsigned, signed


def _failure(path: Path, unsigned: Path | None = None) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, clock=CLOCK)
    assert caught.value.message.startswith(str(path))
    return caught.value


def _write_bytes(path: Path, data: bytes | bytearray) -> Path:
    path.write_bytes(data)
    return path


def contents_of(data: bytes, directory: Path) -> dict[str, bytes]:
    return contents(_write_bytes(directory / "of.zip", data))


def _write(path: Path, entries: dict[str, bytes]) -> Path:
    path.write_bytes(build_zip(entries))
    return path


def test_each_member_has_its_verdict() -> None:
    unsigned, signed = _pair()
    for submitted, identity in ((None, "not-checked"), (unsigned, "same")):
        verdicts = verify_file(signed, unsigned=submitted, clock=CLOCK)
        assert [(v.path, v.member, v.identity) for v in verdicts] == [(signed, m, identity) for m in SIGNED_MEMBERS]


def _failures(path: Path, unsigned: Path | None = None) -> list[tuple[str | None, str | None, str]]:
    """Return member, format and check of each failure; demand that they come first, and all are of this file."""
    verdicts = _failure(path, unsigned).verdicts
    found = [v for v in verdicts if isinstance(v, Failure)]
    assert found == list(verdicts[: len(found)])
    assert {v.path for v in verdicts} == {path}
    return [(v.member, v.format, v.check) for v in found]


def test_one_bad_file_does_not_keep_the_others_from_being_judged(tmp_path: Path) -> None:
    good = contents(_pair()[1])["bin/app.exe"]
    unsigned = LAUNCHERS["x64"].read_bytes()
    inner = build_zip({"deep/bad.exe": unsigned, "deep/good.exe": good})
    entries = {
        "1.exe": good,
        "2.exe": unsigned,
        "broken.exe": good,
        "inner.zip": inner,
        "3.exe": unsigned,
        "z.exe": good,
    }
    path = tmp_path / "a.zip"
    data = bytearray(build_zip(entries, compression=0))
    data[data.rindex(good, 0, data.index(b"inner.zip")) + 5000] ^= 1  # in broken.exe: a checksum of the archive's own
    path.write_bytes(data)
    damaged = "the archive's entry broken.exe does not have its stated checksum"
    error = _failure(path)
    assert (
        error.message == f"{path}: 2.exe, inner.zip/deep/bad.exe, 3.exe: the file is not signed; broken.exe: {damaged}."
    )
    assert type(error) is VerificationError
    assert _failures(path) == [
        ("2.exe", "pe", "the file is not signed."),
        ("broken.exe", "pe", f"{damaged}."),
        ("inner.zip/deep/bad.exe", "pe", "the file is not signed."),
        ("3.exe", "pe", "the file is not signed."),
    ]
    assert [(v.member, v.format) for v in error.verdicts if isinstance(v, Verdict)] == [
        ("1.exe", "pe"),
        ("inner.zip/deep/good.exe", "pe"),
        ("z.exe", "pe"),
    ]


def test_archive_with_one_unsupported_member_is_unsupported(tmp_path: Path) -> None:
    entries = contents(_pair()[1])
    data = bytearray(build_zip({"a.exe": entries["bin/app.exe"], "b.exe": entries["bin/app.exe"]}, compression=0))
    for start, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(start) + offset] = 99  # the compression of a.exe
    path = _write_bytes(tmp_path / "a.zip", data)
    error = _failure(path)
    assert type(error) is UnsupportedFormatError
    assert error.code == "zip-entry-encrypted"


@pytest.mark.parametrize("is_compared", [True, False])
def test_every_member_is_read_to_its_end(tmp_path: Path, is_compared: bool) -> None:
    good = build_zip({"a.exe": contents(_pair()[1])["bin/app.exe"], "read.me": b"text" * 500, "dir/": b""})
    path = _write_bytes(tmp_path / "a.zip", good)
    submitted = _write(
        tmp_path / "b.zip", {"a.exe": LAUNCHERS["x64"].read_bytes(), "read.me": b"text" * 500, "dir/": b""}
    )
    unsigned = submitted if is_compared else None
    assert len(verify_file(path, unsigned=unsigned, clock=CLOCK)) == 1
    data = bytearray(good)
    data[good.index(b"dir/") - 31] ^= 1  # the last byte of read.me, compressed: the end of its stream
    _write_bytes(path, data)
    [(member, _, _)] = _failures(path, unsigned)
    assert member == "read.me"


def test_all_differences_are_told_at_once(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed) | {"README.txt": b"other", "new.exe": contents(signed)["bin/app.exe"]}
    del entries["empty"]
    path = _write(tmp_path / "a.zip", entries)
    assert _failures(path, unsigned) == [
        ("README.txt", None, "it is not what was submitted, and of no format that is signed."),
        ("new.exe", "pe", "not submitted, but added."),
        ("empty", None, "submitted, but missing."),
    ]
    verdicts = _failure(path, unsigned).verdicts
    assert [v.member for v in verdicts if isinstance(v, Verdict) and v.identity == "same"] == SIGNED_MEMBERS


def test_of_many_failures_the_first_are_named(tmp_path: Path) -> None:
    unsigned = LAUNCHERS["x64"].read_bytes()
    jar = contents_of(contents(_pair()[1])["app.jar"], tmp_path)
    entries = {f"{n}.exe": unsigned for n in range(12)}
    path = _write(tmp_path / "a.zip", entries | {f"{n}.jar": build_zip({**jar, f"new{n}": b""}) for n in range(6)})
    error = _failure(path)
    exes = "0.exe, 1.exe, 2.exe, 3.exe, 4.exe, 5.exe, 6.exe, 7.exe, 8.exe, 9.exe and 2 more"
    jars = "; ".join(f"{n}.jar: added after it was signed, or never signed: new{n}" for n in range(4))
    assert error.message == f"{path}: {exes}: the file is not signed; {jars}; and 2 more."
    assert [v.member for v in error.verdicts] == [*entries, *(f"{n}.jar" for n in range(6))]


def test_an_archive_that_may_stay_unjudged_is_still_judged_as_far_as_it_can_be(tmp_path: Path) -> None:
    package = build_zip({"AndroidManifest.xml": b""})
    good = {"package.zip": package, "app.exe": contents(_pair()[1])["bin/app.exe"]}
    path = _write(tmp_path / "a.zip", good)
    allowed = allowing("a.zip")
    assert [v.member for v in verify_file(path, expectations=allowed, clock=CLOCK)] == ["app.exe"]
    _write(path, good | {"bad.exe": LAUNCHERS["x64"].read_bytes()})
    with pytest.raises(VerificationError, match=r"bad\.exe: the file is not signed") as caught:
        verify_file(path, expectations=allowed, clock=CLOCK)
    assert type(caught.value) is VerificationError


def test_a_failed_archive_is_told_as_what_it_is(tmp_path: Path) -> None:
    signed = contents(_pair()[1])
    jar = build_zip(contents_of(signed["app.jar"], tmp_path) | {"native.dll": b"other"})
    changed = "changed after it was signed: native.dll."
    assert _failures(_write_bytes(tmp_path / "app.jar", jar)) == [(None, "jar", changed)]
    assert _failures(_write(tmp_path / "a.zip", {"app.jar": jar})) == [("app.jar", "jar", changed)]
    assert _failures(_write_bytes(tmp_path / "cut.zip", jar[:-1])) == [
        (None, "zip", "the archive is cut off, or there is data behind it."),
    ]
    assert _failures(_write(tmp_path / "b.zip", {"cut.zip": jar[:-1]})) == [
        ("cut.zip", "zip", "the archive is cut off, or there is data behind it."),
    ]
    nothing = "nothing in it is signed."
    assert _failures(_write(tmp_path / "c.zip", {"a.txt": b""})) == [(None, None, nothing)]


def test_another_order_and_compression_is_the_same_content(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    repacked = tmp_path / "repacked.zip"
    repacked.write_bytes(build_zip(dict(reversed(contents(signed).items())), compression=0))
    assert len(verify_file(repacked, unsigned=unsigned, clock=CLOCK)) == len(SIGNED_MEMBERS)


def test_what_was_changed_is_listed(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed) | {"README.txt": b"read this instead", "empty": b"not any more"}
    error = _failure(_write(tmp_path / "a.zip", entries), unsigned)
    assert error.message == (
        f"{tmp_path / 'a.zip'}: README.txt, empty: it is not what was submitted, and of no format that is signed."
    )


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    entries = {f"{n:02}": b"" for n in range(15)} | {"a.exe": contents(_pair()[1])["bin/app.exe"]}
    changed = {name: data if name == "a.exe" else b"x" for name, data in entries.items()}
    before, after = _write(tmp_path / "before.zip", entries), _write(tmp_path / "after.zip", changed)
    assert ": 00, 01, 02, 03, 04, 05, 06, 07, 08, 09 and 5 more: it is not what was" in _failure(after, before).message


def test_other_entries_than_submitted(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    more = _failure(_write(tmp_path / "more.zip", entries | {"b [x]": b"", "a": b""}), unsigned)
    assert more.message == f"{tmp_path / 'more.zip'}: b [x], a: not submitted, but added."
    del entries["empty"]
    less = _failure(_write(tmp_path / "less.zip", entries), unsigned)
    assert less.message == f"{tmp_path / 'less.zip'}: empty: submitted, but missing."


def test_a_change_in_an_inner_archive_is_found(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    entries = contents(signed)
    (tmp_path / "inner.zip").write_bytes(entries["inner.zip"])
    inner = contents(tmp_path / "inner.zip")
    for changed, words in (
        (inner | {"data": b"other"}, "a.zip: inner.zip/data: it is not what was submitted"),
        (inner | {"new": b""}, "a.zip: inner.zip/new: not submitted, but added."),
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
    message = _failure(repacked, unsigned).message
    assert message.endswith("a.zip: plain.zip: an archive that was changed, though nothing in it is.")


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
    assert _failure(tmp_path / "app.jar", LAUNCHERS["x64"]).message.startswith(
        f"{tmp_path / 'app.jar'}: what was submitted is of the format pe"
    )


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
    assert (
        "the submitted file: the archive's entry a.exe can't be 4294967280 bytes" in _failure(_pair()[1], path).message
    )


def test_a_damaged_member_of_the_submitted_archive_is_told_from_the_signed_one(tmp_path: Path) -> None:
    unsigned, signed = _pair()
    data = bytearray(build_zip(contents(unsigned), compression=0))
    data[data.index(LAUNCHERS["x64"].read_bytes()) + 5000] ^= 1
    path = _write_bytes(tmp_path / "submitted.zip", data)
    [(member, name, check)] = _failures(signed, path)
    assert (member, name) == (SIGNED_MEMBERS[0], "pe")
    assert check.startswith("the submitted file: the archive's entry bin/app.exe does not have its stated checksum")


def test_the_submitted_archive_has_one_budget_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.verify.account.Budget", lambda: Budget(entries=4))
    inner = {"app.exe": contents(_pair()[1])["bin/app.exe"]}
    after = _write(tmp_path / "after.zip", {"inner.zip": build_zip(inner)})
    before = _write(tmp_path / "before.zip", {"inner.zip": build_zip({"a": b"", "b": b"", "c": b""})})
    message = _failure(after, before).message
    assert "inner.zip/app.exe: not submitted, but added; inner.zip/a, inner.zip/b, inner.zip/c: submitted," in message
    before = _write(tmp_path / "before.zip", {"inner.zip": build_zip({"a": b"", "b": b"", "c": b"", "d": b""})})
    assert "the submitted file: the archive and those in it have more entries" in _failure(after, before).message
    more = _write(tmp_path / "more.zip", {"inner.zip": build_zip({**inner, "a": b"", "b": b"", "c": b""})})
    assert "inner.zip: the archive and those in it have more entries" in _failure(more).message


def test_a_damaged_inner_archive_is_named(tmp_path: Path) -> None:
    for case in ("bomb", "encrypted"):
        data, words = hostile()[case]
        path = _write(tmp_path / "a.zip", {"inner.zip": build_zip({"deeper.zip": data})})
        assert f"a.zip: inner.zip/deeper.zip: the archive's entry {words}" in _failure(path).message


def test_no_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = _pair()[1]
    monkeypatch.setattr("signpath_ci.formats.zip.archive._MAX_IN_MEMORY", -1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(LocalFileError, match="can't be read, or not be unpacked: No such file or directory"):
        verify_file(signed, clock=CLOCK)


def test_packages_have_signatures_of_their_own(tmp_path: Path) -> None:
    marker = "AndroidManifest.xml"
    path = _write(tmp_path / "a.zip", contents(_pair()[1]) | {marker: b""})
    error = _failure(path)
    assert type(error) is UnsupportedFormatError
    assert error.code == "not-verifiable"
    assert not can_verify(path)
    assert can_verify(_pair()[0])

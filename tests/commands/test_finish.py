"""What describes the signed files fits them: found after signing, and brought up to date."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from signpath_ci.release_metadata import block_map
from tests.support.pe import LAUNCHERS
from tests.support.program import Program


def _sums(*paths: Path) -> str:
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def _latest(path: Path) -> str:
    data = path.read_bytes()
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode("ascii")
    return f"version: 1.0.0\nfiles:\n  - url: {path.name}\n    sha512: {digest}\n    size: {len(data)}\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A directory as a build leaves it: a program, and what describes it."""
    dist = tmp_path / "dist"
    dist.mkdir()
    setup = dist / "setup.exe"
    setup.write_bytes(LAUNCHERS["x64"].read_bytes() + os.urandom(16))
    (dist / "latest.yml").write_text(_latest(setup), encoding="utf-8")
    (dist / "SHA256SUMS").write_text(_sums(setup, dist / "latest.yml"), encoding="utf-8")
    (dist / "SHA256SUMS").chmod(0o640)
    (dist / "notes.md").write_text(f"SHA-256 of the installer: {_sums(setup)}", encoding="utf-8")
    (dist / "setup.exe.sig").write_text("made of the unsigned file", encoding="utf-8")
    with setup.open("rb") as file:
        (dist / "setup.exe.blockmap").write_bytes(block_map.encode(block_map.build(file)))
    return dist


def _demand_finished(dist: Path) -> None:
    setup = dist / "setup.exe"
    assert (dist / "latest.yml").read_text("utf-8") == _latest(setup)
    assert (dist / "SHA256SUMS").read_text("utf-8") == _sums(setup, dist / "latest.yml")
    assert (dist / "SHA256SUMS").stat().st_mode & 0o777 == 0o640
    with setup.open("rb") as file:
        expected = block_map.build(file)
    assert json.loads(gzip.decompress((dist / "setup.exe.blockmap").read_bytes())) == expected


def test_stale_metadata_is_a_warning(program: Program, release: Path) -> None:
    before = {path.name: path.read_bytes() for path in release.iterdir() if path.name != "setup.exe"}

    finished = program("sign", "dist/setup.exe", "--in-place", "--json")

    assert finished.code == 0, finished.err
    for name, content in before.items():
        assert f"dist/{name} (" in finished.err
        assert (release / name).read_bytes() == content
    signed = (release / "setup.exe").read_bytes()
    (file,) = finished.json["files"]
    assert (file["path"], file["size"]) == ("dist/setup.exe", len(signed))
    assert file["sha256"] == hashlib.sha256(signed).hexdigest()
    assert file["sha512"] == hashlib.sha512(signed).hexdigest()


@pytest.mark.parametrize(("level", "code"), [("fail", 7), ("ignore", 0)])
def test_it_is_an_error_or_nothing_where_that_is_wanted(program: Program, release: Path, level: str, code: int) -> None:
    finished = program("sign", "dist/setup.exe", "--in-place", "--stale-metadata", level)

    assert finished.code == code, finished.err
    assert ("latest.yml" in finished.err) == (level == "fail")
    if level == "fail":
        assert finished.error_code == "stale-metadata"
    assert (release / "latest.yml").read_text("utf-8") != _latest(release / "setup.exe")


@pytest.mark.parametrize("way", [("--in-place",), ("--bundle", "--in-place")])
def test_signing_brings_it_up_to_date(program: Program, release: Path, way: tuple[str, ...]) -> None:
    finished = program("sign", "dist/setup.exe", *way, "--finish", "--write-checksums", "signed.sha256")

    assert finished.code == 0, finished.err
    _demand_finished(release)
    assert (release.parent / "signed.sha256").read_text("utf-8") == (
        f"{hashlib.sha256((release / 'setup.exe').read_bytes()).hexdigest()}  dist/setup.exe\n"
    )
    # What only another tool can make is named, and stays.
    assert "dist/notes.md (" in finished.err
    assert "dist/setup.exe.sig (" in finished.err


def test_later_by_the_unsigned_files(program: Program, release: Path) -> None:
    shutil.copytree(release, release.parent / "before")
    (release / "setup.exe").write_bytes(b"signed" * 20_000)

    finished = program("finish", "dist", "--unsigned", "before", "--json")

    assert finished.code == 0, finished.err
    _demand_finished(release)
    names = ["SHA256SUMS", "latest.yml", "setup.exe.blockmap"]
    assert [Path(one["path"]).name for one in finished.json["updated"]] == names
    left = {Path(one["path"]).name: one["remedies"] for one in finished.json["outdated"]}
    assert left.keys() == {"notes.md", "setup.exe.sig"}
    assert all(left.values())
    again = program("finish", "dist", "--unsigned", "before", "--json")
    assert again.json["updated"] == []


def test_later_by_what_sign_printed(program: Program, release: Path) -> None:
    signed = program("sign", "dist/setup.exe", "--in-place", "--json")
    (release.parent / "result.json").write_text(signed.out, encoding="utf-8")

    finished = program("finish", "dist", "--result", "result.json")

    assert finished.code == 0, finished.err
    _demand_finished(release)


def test_no_link_is_followed_and_nothing_outside_is_changed(program: Program, release: Path) -> None:
    shutil.copytree(release, release.parent / "before")
    elsewhere = release.parent / "elsewhere"
    elsewhere.mkdir()
    (release / "SHA256SUMS").rename(elsewhere / "SHA256SUMS")
    (release / "SHA256SUMS").symlink_to(elsewhere / "SHA256SUMS")
    (release / "more").symlink_to(elsewhere)
    before = (elsewhere / "SHA256SUMS").read_bytes()
    (release / "setup.exe").write_bytes(b"signed" * 20_000)

    finished = program("finish", "dist", "--unsigned", "before")

    assert finished.code == 0, finished.err
    assert (elsewhere / "SHA256SUMS").read_bytes() == before
    assert (release / "SHA256SUMS").is_symlink()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("dist",), "no-unsigned-files"),
        (("dist", "--unsigned", "nowhere"), "file-missing"),
        (("nowhere", "--unsigned", "dist"), "not-a-directory"),
        (("dist", "--result", "dist/latest.yml"), "result-invalid"),
        (("dist", "--result", "nowhere"), "unreadable-file"),
    ],
)
def test_what_is_missing_is_an_error(program: Program, release: Path, arguments: tuple[str, ...], code: str) -> None:
    finished = program("finish", *arguments)
    assert finished.error_code == code, release


def test_coreutils_accept_the_checksum_files(program: Program, release: Path) -> None:
    program("sign", "dist/setup.exe", "--in-place", "--finish", "--write-checksums", "dist/SIGNED")
    for name in ("SHA256SUMS", "SIGNED"):
        subprocess.run(["sha256sum", "--check", "--strict", name], cwd=release, check=True)

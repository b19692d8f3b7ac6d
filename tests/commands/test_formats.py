"""Every format from the outside: signed in the sandbox, verified strictly; what fails is moved aside."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.support.needs import find, reason
from tests.support.program import Program, Sandbox
from tests.support.samples import unsigned_files

_NEEDS_TOOL = {"setup.msi": "osslsigncode"}


@pytest.mark.parametrize("name", list(unsigned_files()))
def test_signed_and_verified_strictly(program: Program, name: str) -> None:
    if name in _NEEDS_TOOL and find(_NEEDS_TOOL[name]) is None:
        pytest.skip(reason(_NEEDS_TOOL[name]))  # through which the sandbox signs it
    source = program.directory / name
    source.write_bytes(unsigned_files()[name])

    signed = program("sign", source, "--verify", "strict", "--json")
    again = program("verify", signed.json["output"], "--unsigned", source, "--strict", "--issuer", "Code Signing CA")

    assert (signed.code, again.code) == (0, 0), signed.err + again.err
    [verdict] = signed.json["verification"]["verdicts"]
    assert (verdict["trust"], verdict["identity"], signed.json["verification"]["level"]) == ("root", "same", "strict")


@pytest.mark.parametrize(("slug", "suffix"), [("cms", ".p7s"), ("raw", ".sig")])
def test_detached_signatures_of_any_file(program: Program, sandbox: Sandbox, slug: str, suffix: str) -> None:
    source = program.directory / "data.bin"
    source.write_bytes(b"any bytes")
    with zipfile.ZipFile(program.directory / "data.zip", "w") as archive:
        archive.write(source, source.name)
    chain = program.directory / "chain.pem"
    names = ("code-signing-test-signing.pem", "code-signing-ca.pem")
    chain.write_bytes(b"".join(Path(sandbox["trust_root"]).with_name(name).read_bytes() for name in names))

    signed = program("sign", "data.zip", "--artifact-configuration-slug", slug, "-o", "signed.zip", "--verify", "off")
    assert signed.code == 0, signed.err
    with zipfile.ZipFile(program.directory / "signed.zip") as archive:
        assert archive.namelist() == ["data.bin", f"data.bin{suffix}"]
        archive.extract(f"data.bin{suffix}", program.directory)
    by = ("--signer-certificate", chain) if slug == "raw" else ()
    verified = program("verify", f"data.bin{suffix}", "--unsigned", source, "--json", *by)

    assert verified.code == 0, verified.err
    [verdict] = verified.json["verdicts"]
    assert (verdict["format"], verdict["identity"]) == (slug, "same")


def test_a_file_by_another_signer_is_moved_aside(program: Program, executable: Path) -> None:
    finished = program("sign", executable, "--thumbprint", "00" * 32)

    rejected = executable.with_name("app.signed.exe.rejected")
    assert finished.code == 7
    assert "not among the expected ones" in finished.error
    assert str(rejected) in finished.err
    assert sorted(path.name for path in executable.parent.iterdir()) == ["app.exe", rejected.name]


def test_strict_verification_wants_to_know_whom_to_trust_before_anything_is_submitted(
    program: Program, executable: Path
) -> None:
    finished = program("sign", executable, "--verify", "strict", SIGNPATH_TRUST_ROOT="")

    assert finished.code == 2
    assert "nobody is trusted" in finished.error
    assert "request" not in finished.err.lower().replace("error", "")


def test_only_the_allowed_digests(program: Program, executable: Path) -> None:
    finished = program("sign", executable, "--digest-algorithm", "sha512")

    assert finished.code == 7
    assert "uses sha256, which is not allowed (allowed: sha512)" in finished.error

"""Artifact configurations, carried out: what is signed, what stays, and how failures are told."""

from __future__ import annotations

import io
import re
import shutil
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signpath_ci.errors import VerificationError
from signpath_ci.formats.cab_members import CabinetArchive
from signpath_ci.formats.msi_database import InstallerDatabase
from signpath_ci.model import Failure
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.outcome import Step, description_xml, read_steps, write_steps
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.signers.execute import execute
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.configurations import SIGN, build_cab, build_msi, document, needs_msitools, versioned_pe
from tests.support.needs import needs
from tests.support.oracles import needs_openssl, run
from tests.support.pe import LAUNCHERS, build_pe
from tests.support.signing import NOW, authority

EXE = LAUNCHERS["x64"].read_bytes()
FILES = {"a.exe": EXE, "b.exe": EXE, "lib/c.dll": EXE, "lib/d.dll": EXE, "e.exe": EXE, "notes.txt": b"notes" * 100}


def executed(
    directory: Path, content: str, data: bytes, *, name: str = "in.zip", **parameters: str
) -> tuple[Path, list[Step]]:
    source, target = directory / name, directory / f"out-{name}"
    source.write_bytes(data)
    steps: list[Step] = []
    execute(
        source,
        target,
        configuration=document(content).encode(),
        parameters=parameters,
        name=name,
        signer=authority().code_signer("tests"),
        timestamp=lambda value: tsa.timestamp(authority().timestamper, value, now=NOW),
        steps=steps,
    )
    return target, steps


def done(steps: list[Step]) -> set[tuple[str, str, str]]:
    return {("/".join(step.path), step.directive, step.result) for step in steps if step.directive}


def refused(directory: Path, content: str, data: bytes, **more: str) -> str:
    with pytest.raises(CannotSignError) as caught:
        executed(directory, content, data, **more)
    return str(caught.value)


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_two_of_five_programs_are_signed(tmp_path: Path) -> None:
    """The sandbox's record, and verification, which finds the others unsigned, agree on which."""
    data = build_zip(FILES)
    content = f'<zip-file><pe-file path="a.exe">{SIGN}</pe-file><pe-file path="lib/c.dll">{SIGN}</pe-file></zip-file>'

    target, steps = executed(tmp_path, content, data)

    assert done(steps) == {("a.exe", "authenticode-sign", "signed"), ("lib/c.dll", "authenticode-sign", "signed")}
    with pytest.raises(VerificationError) as caught:
        verify_file(target, unsigned=tmp_path / "in.zip")
    failed = {one.member for one in caught.value.verdicts if isinstance(one, Failure)}
    signed = {one.member for one in caught.value.verdicts if not isinstance(one, Failure)}
    assert signed == {"a.exe", "lib/c.dll"}
    assert failed == {"b.exe", "lib/d.dll", "e.exe"}


def test_untouched_files_stay_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    data = build_zip(FILES)
    target, _ = executed(tmp_path, f'<zip-file><pe-file path="b.exe">{SIGN}</pe-file></zip-file>', data)
    before, after = unpacked(tmp_path / "in.zip"), unpacked(target)
    assert list(before) == list(after)
    assert {name for name in before if before[name] != after[name]} == {"b.exe"}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target) as new:
        for name in FILES:
            packed = [
                (archive.fp, info.header_offset, info.compress_size)
                for archive in (old, new)
                for info in [archive.getinfo(name)]
            ]
            if name != "b.exe":
                raw = []
                for file, offset, size in packed:
                    assert file is not None
                    file.seek(offset)
                    raw.append(file.read(30 + len(name) + size))
                assert raw[0] == raw[1]


def test_artifact_that_nothing_signs_stays_byte_for_byte(tmp_path: Path) -> None:
    data = build_zip(FILES)
    target, steps = executed(tmp_path, '<zip-file><pe-file-set><include path="a.exe"/></pe-file-set></zip-file>', data)
    assert target.read_bytes() == data
    assert [(step.path, step.result) for step in steps] == [(("a.exe",), "required"), ((), "required")]


def test_nested_containers_are_signed_inside_out(tmp_path: Path) -> None:
    jar = build_zip({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", "native/x.dll": EXE, "A.class": b"a"})
    data = build_zip({"in.zip": build_zip({"app.jar": jar, "tool.exe": EXE}), "keep.zip": build_zip({"x.exe": EXE})})
    content = (
        '<zip-file><zip-file path="in.zip">'
        f'<jar-file path="*.jar"><jar-sign/><pe-file path="native/*.dll">{SIGN}</pe-file></jar-file>'
        f'<pe-file path="tool.exe">{SIGN}</pe-file></zip-file></zip-file>'
    )

    target, steps = executed(tmp_path, content, data)

    order = ["/".join(step.path) for step in steps if step.directive]
    assert order.index("in.zip/app.jar/native/x.dll") < order.index("in.zip/app.jar")
    inner = zipfile.ZipFile(io.BytesIO(unpacked(target)["in.zip"]))
    (tmp_path / "app.jar").write_bytes(inner.read("app.jar"))
    (tmp_path / "tool.exe").write_bytes(inner.read("tool.exe"))
    (tmp_path / "x.dll").write_bytes(zipfile.ZipFile(tmp_path / "app.jar").read("native/x.dll"))
    for name in ("app.jar", "tool.exe", "x.dll"):
        assert verify_file(tmp_path / name)
    assert unpacked(target)["keep.zip"] == unpacked(tmp_path / "in.zip")["keep.zip"]


def test_zip_is_signed_as_a_jar_and_gets_a_manifest(tmp_path: Path) -> None:
    target, _ = executed(tmp_path, "<zip-file><jar-sign/></zip-file>", build_zip({"a.txt": b"a"}))
    (verdict,) = verify_file(target)
    assert verdict.format == "jar"


@pytest.mark.parametrize("encoding", ["der", "pem"])
@needs_openssl
def test_detached_signatures_are_added_beside_their_file(tmp_path: Path, encoding: str) -> None:
    content = (
        '<zip-file><file path="lib/data.bin">'
        f'<create-cms-signature output-file-name="${{file.name}}.p7s" output-encoding="{encoding}"/>'
        '<create-raw-signature output-file-name="${file.name}.sig" hash-algorithm="sha256"/></file></zip-file>'
    )

    target, steps = executed(tmp_path, content, build_zip({"lib/data.bin": b"data" * 1000, "z": b"z"}))

    files = unpacked(target)
    assert list(files) == ["lib/data.bin", "lib/data.bin.p7s", "lib/data.bin.sig", "z"]
    assert {step.detail for step in steps if step.result == "added"} == {"lib/data.bin.p7s", "lib/data.bin.sig"}
    for name in ("lib/data.bin", "lib/data.bin.p7s"):
        (tmp_path / Path(name).name).write_bytes(files[name])
    command = ("openssl", "cms", "-verify", "-binary", "-inform", encoding, "-in", tmp_path / "data.bin.p7s")
    run(*command, "-content", tmp_path / "data.bin", "-noverify", "-out", tmp_path / "content")


def test_signature_that_is_there_is_verified(tmp_path: Path) -> None:
    signed, _ = executed(tmp_path, f"<pe-file>{SIGN}</pe-file>", EXE, name="v.exe")
    content = '<zip-file><pe-file path="v.exe"><authenticode-verify/></pe-file></zip-file>'
    data = build_zip({"v.exe": signed.read_bytes()})

    target, steps = executed(tmp_path, content, data)

    assert target.read_bytes() == data
    assert ("v.exe", "authenticode-verify", "verified") in done(steps)
    assert "v.exe" in refused(tmp_path, content, build_zip({"v.exe": EXE}))


def test_file_that_two_paths_choose_is_processed_twice(tmp_path: Path) -> None:
    content = f'<zip-file><pe-file path="*.exe">{SIGN}</pe-file><pe-file path="**/a.exe">{SIGN}</pe-file></zip-file>'
    target, steps = executed(tmp_path, content, build_zip({"a.exe": EXE}))
    assert len([step for step in steps if step.result == "signed"]) == 2
    (tmp_path / "a.exe").write_bytes(unpacked(target)["a.exe"])
    assert len(verify_file(tmp_path / "a.exe")) == 1


def test_count_fails_with_signpaths_words_and_the_position_of_the_element(tmp_path: Path) -> None:
    text = refused(tmp_path, f'\n<zip-file>\n  <pe-file path="no.exe">{SIGN}</pe-file>\n</zip-file>', build_zip(FILES))
    assert "Expected path to match exactly 1 item, but found 0" in text
    assert "as specified in line 3, position 4 of your artifact configuration" in text
    assert re.search(r"error reference ID: [0-9a-f-]{36}", text)


def test_restrictions_and_parameters(tmp_path: Path) -> None:
    content = (
        '<parameters><parameter name="v" required="true"/></parameters>'
        f'<zip-file><pe-file path="a.exe" product-version="${{v}}">{SIGN}</pe-file></zip-file>'
    )
    data = build_zip({"a.exe": versioned_pe(ProductVersion="1.2")})
    _, steps = executed(tmp_path, content, data, v="1.2")
    assert ("a.exe", "authenticode-sign", "signed") in done(steps)
    assert "product-version must be '1.3', but is '1.2'" in refused(tmp_path, content, data, v="1.3")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('<zip-file><jar-sign hash-algorithm="sha512"/></zip-file>', "sha256"),
        (f'<zip-file><pe-file path="a.exe">{SIGN}<authenticode-sign append="true"/></pe-file></zip-file>', "append"),
        ('<zip-file><directory path="lib"><clickonce-sign/></directory></zip-file>', "clickonce-sign"),
        ('<zip-file><file path="a.exe"><custom-sign method="x"/></file></zip-file>', "custom-sign"),
        ('<zip-file><create-provenance-file output-file-name="x"/></zip-file>', "create-provenance-file"),
        (f'<zip-file><msi-file path="a.exe">{SIGN}</msi-file></zip-file>', "is a PE file"),
    ],
)
def test_what_the_sandbox_can_not_do_fails_with_the_reason(tmp_path: Path, content: str, word: str) -> None:
    text = refused(tmp_path, content, build_zip({"a.exe": EXE, "lib/x": b"x"}))
    assert word in text
    assert "as specified in line" in text


def test_damaged_file_fails_with_its_name(tmp_path: Path) -> None:
    data = build_zip({"bin/a.exe": build_pe()[:-1]})
    assert "bin/a.exe" in refused(tmp_path, f'<zip-file><pe-file path="bin/a.exe">{SIGN}</pe-file></zip-file>', data)


def test_steps_are_kept_and_described(tmp_path: Path) -> None:
    _, steps = executed(
        tmp_path,
        f'<zip-file><zip-file path="i&amp;.zip"><pe-file path="a.exe">{SIGN}</pe-file></zip-file></zip-file>',
        build_zip({"i&.zip": build_zip({"a.exe": EXE})}),
    )
    write_steps(tmp_path / "steps.json", steps)
    assert list(read_steps(tmp_path / "steps.json")) == steps
    assert read_steps(tmp_path / "none.json") == ()

    root = ET.fromstring(description_xml("in.zip", steps))
    names = {element.tag.rpartition("}")[2]: element.get("path") for element in root.iter()}
    assert names["pe-file"] == "a.exe"
    assert [element.get("result") for element in root.iter() if element.tag.endswith("authenticode-sign")] == ["signed"]


@needs_msitools
@needs("osslsigncode")
def test_installer_is_repacked_with_signed_files(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    msi = build_msi(tmp_path / "build", {"app/a.exe": EXE, "app/readme.txt": b"read me", "b.dll": EXE})
    content = (
        f'<zip-file><msi-file path="x.msi"><directory path="app"><pe-file path="a.exe">{SIGN}</pe-file></directory>'
        f"{SIGN}</msi-file></zip-file>"
    )

    target, steps = executed(tmp_path, content, build_zip({"x.msi": msi, "y": b"y"}))

    assert done(steps) == {
        ("x.msi/app/a.exe", "authenticode-sign", "signed"),
        ("x.msi", "authenticode-sign", "signed"),
    }
    (tmp_path / "x.msi").write_bytes(unpacked(target)["x.msi"])
    assert verify_file(tmp_path / "x.msi")
    with (tmp_path / "x.msi").open("rb") as file:
        database = InstallerDatabase(file)
        cabinet = tmp_path / "data.cab"
        cabinet.write_bytes(b"".join(database.cabinet("data.cab")))
        sizes = {one.path: one.size for one in database.files()}
    with cabinet.open("rb") as file:
        archive = CabinetArchive(file)
        inner = {one.path: b"".join(archive.read(one)) for one in archive.files}
    assert inner["file2"] == b"read me"
    assert inner["file3"] == EXE
    assert sizes == {"app/a.exe": len(inner["file1"]), "app/readme.txt": 7, "b.dll": len(EXE)}
    (tmp_path / "a.exe").write_bytes(inner["file1"])
    assert verify_file(tmp_path / "a.exe")


@needs_msitools
def test_cabinet_is_repacked_with_signed_files(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    cab = build_cab(tmp_path / "build", {"bin/a.exe": EXE, "z.txt": b"z"})
    content = f'<cab-file><pe-file path="bin/a.exe">{SIGN}</pe-file>{SIGN}</cab-file>'

    target, _ = executed(tmp_path, content, cab, name="x.cab")

    assert verify_file(target)
    with target.open("rb") as file:
        archive = CabinetArchive(file)
        inner = {one.path: b"".join(archive.read(one)) for one in archive.files}
    assert list(inner) == ["bin/a.exe", "z.txt"]
    (tmp_path / "a.exe").write_bytes(inner["bin/a.exe"])
    assert verify_file(tmp_path / "a.exe")


@needs_msitools
def test_missing_tool_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "build").mkdir()
    cab = build_cab(tmp_path / "build", {"a.exe": EXE})
    monkeypatch.setattr(shutil, "which", lambda _: None)
    text = refused(tmp_path, f'<cab-file><pe-file path="a.exe">{SIGN}</pe-file></cab-file>', cab, name="x.cab")
    assert "gcab" in text
    assert "not installed" in text


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
@needs_openssl
def test_other_hash_algorithms(tmp_path: Path, algorithm: str) -> None:
    content = (
        f'<zip-file><pe-file path="a.exe"><authenticode-sign hash-algorithm="{algorithm}"/></pe-file><file path="data">'
        f'<create-raw-signature output-file-name="data.sig" hash-algorithm="{algorithm}"/></file></zip-file>'
    )
    target, _ = executed(tmp_path, content, build_zip({"a.exe": EXE, "data": b"data"}))

    for name, data in unpacked(target).items():
        (tmp_path / name).write_bytes(data)
    (verdict,) = verify_file(tmp_path / "a.exe")
    assert verdict.digest_algorithm == algorithm
    key = authority().code_signer("tests").certificate.public_key()
    (tmp_path / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    command = ("openssl", "dgst", f"-{algorithm}", "-verify", tmp_path / "key.pem")
    assert "OK" in run(*command, "-signature", tmp_path / "data.sig", tmp_path / "data")

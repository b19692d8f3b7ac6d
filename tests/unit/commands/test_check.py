"""`signpath-ci check`: which configuration is read, what is printed, and what users get wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.archives import build_zip
from tests.support.configurations import SIGN, document, versioned_pe
from tests.support.pe import build_pe
from tests.support.program import Finished, Program

PE = build_pe()
ZIP = build_zip({"app/App.exe": PE, "lib/a.dll": PE, "lib/b.dll": PE, "notes.txt": b"notes"})
FITTING = f'<zip-file><pe-file path="app/App.exe">{SIGN}</pe-file></zip-file>'


@pytest.fixture
def check(tmp_path: Path) -> Program:
    """The command in a directory of its own, with nothing of a job."""
    return Program(tmp_path, {})


def write(directory: Path, content: str, name: str = "artifact-configurations/default.xml") -> Path:
    path = directory / ".signpath" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document(content), "utf-8")
    return path


def checked(program: Program, content: str, data: bytes, *options: str, name: str = "app.zip") -> Finished:
    write(program.directory, content)
    (program.directory / name).write_bytes(data)
    return program("check", name, *options)


def test_plan_is_printed_with_the_configuration_and_its_sha256(check: Program) -> None:
    path = write(check.directory, FITTING)

    done = checked(check, FITTING, ZIP)

    assert done.code == 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() in done.out
    lines = [line.strip() for line in done.out.splitlines()]
    assert "app/App.exe: authenticode-sign (line 1)" in lines
    assert "notes.txt: left as it is" in lines


def test_json_has_the_plan(check: Program) -> None:
    done = checked(check, FITTING, ZIP, "--json")

    assert done.code == 0
    (result,) = done.json["results"]
    assert result["would_succeed"]
    outcomes = {"/".join(file["path"]): file["outcome"] for file in result["files"]}
    assert outcomes["app/App.exe"] == "signed"
    assert outcomes["notes.txt"] == "unchanged"
    assert done.json["error"] is None
    assert done.json["configuration"]["path"] == ".signpath/artifact-configurations/default.xml"


def test_misfit_ends_with_code_9(check: Program) -> None:
    done = checked(check, f'<zip-file><pe-file path="App.exe">{SIGN}</pe-file></zip-file>', ZIP)

    assert done.code == 9
    assert done.error_code == "would-fail"
    assert "[too-few-matches]" in done.out
    assert "one directory deeper, in app/" in done.err


def test_misfit_with_json_is_one_object(check: Program) -> None:
    done = checked(check, f'<zip-file><pe-file path="App.exe">{SIGN}</pe-file></zip-file>', ZIP, "--json")

    assert done.code == 9
    assert done.json["results"][0]["problems"][0]["rule"] == "too-few-matches"
    assert done.json["error"]["code"] == "would-fail"


def test_all_errors_of_an_invalid_configuration_are_printed(check: Program) -> None:
    done = checked(check, '<zip-file><pe-fil path="x"/><pe-file/></zip-file>', ZIP)

    assert done.code == 9
    assert done.error_code == "artifact-configuration-invalid"
    assert "[unknown-element]" in done.out
    assert "[missing-attribute]" in done.out

    as_json = check("check", "app.zip", "--json")
    assert [problem["rule"] for problem in as_json.json["configuration"]["problems"]] == [
        "unknown-element",
        "missing-attribute",
    ]


@pytest.mark.parametrize(
    ("names", "options", "expected"),
    [
        (["artifact-configurations/a.xml", "artifact-configurations/default.xml"], (), "default.xml"),
        (["artifact-configurations/a.xml", "artifact-configurations/initial.xml"], (), "initial.xml"),
        (["artifact-configurations/a.xml"], (), "a.xml"),
        (["artifact-configuration.xml"], (), "artifact-configuration.xml"),
        (
            ["artifact-configurations/a.xml", "artifact-configurations/default.xml"],
            ("--artifact-configuration-slug", "a"),
            "a.xml",
        ),
        (["x.xml"], ("--artifact-configuration-file", ".signpath/x.xml"), "x.xml"),
    ],
)
def test_configuration_is_found(check: Program, names: list[str], options: tuple[str, ...], expected: str) -> None:
    for name in names:
        write(check.directory, FITTING, name)
    (check.directory / "app.zip").write_bytes(ZIP)

    done = check("check", "app.zip", "--json", *options)

    assert done.code == 0
    assert Path(done.json["configuration"]["path"]).name == expected


def test_file_comes_from_environment_and_manifest(check: Program) -> None:
    write(check.directory, FITTING, "x.xml")
    (check.directory / "app.zip").write_bytes(ZIP)

    assert check("check", "app.zip", SIGNPATH_ARTIFACT_CONFIGURATION_FILE=".signpath/x.xml").code == 0

    manifest = "version: 1\nartifacts: [app.zip]\nartifact-configuration-file: .signpath/x.xml\n"
    (check.directory / ".signpath" / "signing.yml").write_text(manifest)
    assert check("check").code == 0


@pytest.mark.parametrize(
    ("options", "code", "error_code"),
    [
        (("app.zip",), 2, "no-artifact-configuration"),
        (("app.zip", "--artifact-configuration-file", "no.xml"), 8, "file-missing"),
        (("app.zip", "--artifact-configuration-file", "."), 8, "unreadable-file"),
        ((), 2, "no-artifact"),
    ],
)
def test_missing_inputs(check: Program, options: tuple[str, ...], code: int, error_code: str) -> None:
    (check.directory / "app.zip").write_bytes(ZIP)

    done = check("check", *options)

    assert (done.code, done.error_code) == (code, error_code)


def test_missing_artifact(check: Program) -> None:
    write(check.directory, FITTING)
    done = check("check", "no.zip")
    assert (done.code, done.error_code) == (8, "file-missing")


# What users get wrong, each with a message that names the remedy.


def test_program_at_the_root_and_an_uploaded_zip(check: Program) -> None:
    done = checked(check, f"<pe-file>{SIGN}</pe-file>", ZIP)
    assert done.code == 9
    assert "<zip-file>" in done.error
    assert "archive: false" in done.error


def test_zip_at_the_root_and_an_uploaded_program(check: Program) -> None:
    done = checked(check, FITTING, PE, name="app.exe")
    assert done.code == 9
    assert "<pe-file>" in done.error


def test_zip_made_before_the_upload(check: Program) -> None:
    done = checked(check, FITTING, build_zip({"release.zip": ZIP}))
    assert done.code == 9
    assert "ZIP in a ZIP" in done.error


def test_wildcard_with_several_hits(check: Program) -> None:
    done = checked(check, f'<zip-file><pe-file path="lib/*.dll">{SIGN}</pe-file></zip-file>', ZIP)
    assert done.code == 9
    assert 'max-matches="unbounded"' in done.error


def test_slug_of_a_certificate(check: Program) -> None:
    done = checked(check, FITTING, ZIP, "--artifact-configuration-slug", "release-certificate")
    assert (done.code, done.error_code) == (2, "no-artifact-configuration")
    assert "It has default." in done.error
    assert "certificate" in done.error


def test_template_with_its_sample_file(check: Program) -> None:
    template = (
        f'<zip-file><pe-file-set><include path="sample.exe"/><for-each>{SIGN}</for-each></pe-file-set></zip-file>'
    )
    done = checked(check, template, ZIP)
    assert done.code == 9
    assert "template" in done.error


def test_initial_configuration_is_a_template_for_one_program(check: Program) -> None:
    write(check.directory, f"<pe-file>{SIGN}</pe-file>", "artifact-configurations/initial.xml")
    (check.directory / "app.zip").write_bytes(ZIP)
    done = check("check", "app.zip", "--artifact-configuration-slug", "initial")
    assert done.code == 9
    assert "<zip-file>" in done.error


def test_installer_as_a_pe_file(check: Program) -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)
    done = checked(check, f'<zip-file><pe-file path="*.msi">{SIGN}</pe-file></zip-file>', build_zip({"x.msi": ole}))
    assert done.code == 9
    assert "<msi-file>" in done.error


def test_version_with_the_commit_behind_it(check: Program) -> None:
    data = build_zip({"app.exe": versioned_pe(ProductVersion="1.2.3+0a1b2c")})
    content = (
        '<parameters><parameter name="version" required="true"/></parameters><zip-file>'
        f'<pe-file path="app.exe" product-version="${{version}}">{SIGN}</pe-file></zip-file>'
    )
    done = checked(check, content, data, "--parameter", "version=1.2.3")
    assert done.code == 9
    assert "IncludeSourceRevisionInInformationalVersion" in done.error

    missing = check("check", "app.zip")
    assert missing.code == 9
    assert "--parameter version=VALUE" in missing.error
    unknown = check("check", "app.zip", "--parameter", "Version=1")
    assert "[unknown-parameter]" in unknown.out


def test_files_that_signing_makes_stale(check: Program) -> None:
    data = build_zip({"app/App.exe": PE, "latest.yml": b"sha512: x", "RELEASES": b"x"})
    done = checked(check, FITTING, data)
    assert done.code == 0
    assert "[stale-checksums]" in done.err


def test_element_of_an_invented_language(check: Program) -> None:
    done = checked(check, '<zip-file><for-each-file-match glob="*.exe"/></zip-file>', ZIP)
    assert done.code == 9
    assert "<pe-file-set>" in done.error


# Files on disk as the ZIP that they will be.


def test_bundle_is_checked_without_making_it(check: Program) -> None:
    content = (
        f'<zip-file><pe-file path="app/App.exe">{SIGN}</pe-file><pe-file path="lib/a.dll">{SIGN}</pe-file></zip-file>'
    )
    write(check.directory, content)
    for name in ("app/App.exe", "lib/a.dll", "readme.txt"):
        path = check.directory / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PE)

    assert check("check", "--bundle", "out").code == 0
    assert check("check", "--bundle", "out/app", "out/lib").code == 0
    assert check("check", "--bundle", "out/app").code == 9


def test_each_file_is_checked_by_itself(check: Program) -> None:
    write(check.directory, f"<pe-file>{SIGN}</pe-file>")
    (check.directory / "a.exe").write_bytes(PE)
    (check.directory / "b.exe").write_bytes(b"no program")

    done = check("check", "*.exe", "--json")

    assert done.code == 9
    assert {one["artifact"]: one["would_succeed"] for one in done.json["results"]} == {"a.exe": True, "b.exe": False}


def test_names_in_an_archive_form_no_command(check: Program) -> None:
    hostile = "::error::x\n##vso[task.complete]\x1b[31m.exe"
    done = checked(check, '<zip-file><pe-file path="nothing.exe"/></zip-file>', build_zip({hostile: PE}), "--json")
    assert "##vso[" not in done.out
    text = check("check", "app.zip")
    assert "##vso[" not in text.out + text.err
    assert "\x1b" not in text.out + text.err
    assert not any(line.startswith("::") for line in text.out.splitlines())

"""The account: every file of a delivery has exactly one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.artifact_configuration.document import read_document
from signpath_ci.artifact_configuration.resolve import make_plan
from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.model import Account, Expectations, FileRule, FileRules
from signpath_ci.verify import verify_delivery
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS
from tests.unit.verify.matrix.formats import FORMATS, jar
from tests.unit.verify.matrix.judging import CLOCK

PE, CMS, JAR = (next(f for f in FORMATS if f.name == name) for name in ("pe", "cms", "jar"))
OTHER = LAUNCHERS["arm64"].read_bytes()


def _rules(**patterns: str) -> FileRules:
    rules: dict[str, Any] = {name: (FileRule(pattern=pattern),) for name, pattern in patterns.items()}
    return FileRules(**rules)


def _account(
    tmp_path: Path, signed: Mapping[str, bytes], unsigned: Mapping[str, bytes] | None = None, **expected: Any
) -> Account:
    path, before = tmp_path / "signed.zip", tmp_path / "unsigned.zip"
    path.write_bytes(build_zip(signed))
    if unsigned is not None:
        before.write_bytes(build_zip(unsigned))
    try:
        return verify_delivery(
            path, unsigned=None if unsigned is None else before, expectations=Expectations(**expected), clock=CLOCK
        )
    except VerificationError as error:
        return error.account or pytest.fail(str(error))


def _outcomes(account: Account) -> dict[str | None, str]:
    return {file.member: file.code or file.outcome for file in account.files}


UNSIGNED = {"app.exe": PE.unsigned, "Other.dll": OTHER, "run.ps1": b"exit 0\n", "notes.txt": b"text"}
SIGNED = {**UNSIGNED, "app.exe": PE.signed()}


def test_each_file_has_one_outcome(tmp_path: Path) -> None:
    assert _outcomes(_account(tmp_path, SIGNED, UNSIGNED)) == {
        "app.exe": "signed",
        "Other.dll": "not-signed",
        "run.ps1": "unchanged",
        "notes.txt": "unchanged",
    }


def test_a_rule_expects_a_file_of_a_third_party_unchanged(tmp_path: Path) -> None:
    account = _account(tmp_path, SIGNED, UNSIGNED, rules=_rules(unchanged="Other.dll"))

    assert (account.failed, account.count("signed"), account.count("unchanged")) == ((), 1, 3)


def test_a_file_that_a_rule_expects_unchanged_must_be(tmp_path: Path) -> None:
    changed = {**SIGNED, "Other.dll": OTHER + b"\0" * 8}

    assert _outcomes(_account(tmp_path, changed, UNSIGNED, rules=_rules(unchanged="*.dll")))["Other.dll"] == (
        "content-changed"
    )


def test_the_hint_of_an_unsigned_file_is_a_rule_that_matches_it(tmp_path: Path) -> None:
    name = "in[1].zip"
    inner = build_zip({"a*b.dll": OTHER})
    files = {"app.exe": PE.unsigned, name: inner}
    (failed,) = _account(tmp_path, {**files, "app.exe": PE.signed()}, files).failed

    pattern = failed.hint.rpartition("--expect-unchanged '")[2].rstrip("'")
    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files, rules=_rules(unchanged=pattern))
    assert account.failed == ()


@pytest.mark.parametrize("name", ["a.msix", "a.nupkg", "a.vsix", "a.cat", "a.cab", "a.msi"])
def test_packages_must_be_signed_by_their_name(tmp_path: Path, name: str) -> None:
    files = {"app.exe": PE.unsigned, name: build_zip({"text": b""})}

    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files)

    assert [file.member for file in account.failed] == [name]


@pytest.mark.parametrize("name", ["a.war", "a.ear", "a.jar"])
def test_unsigned_archives_of_java_are_listed_and_opened(tmp_path: Path, name: str) -> None:
    plain = build_zip({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", "native.dll": OTHER})
    files = {"app.exe": PE.unsigned, name: plain}

    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files)

    assert _outcomes(account)[name] == "unchanged"
    assert [file.member for file in account.failed] == [f"{name}/native.dll"]


def test_programs_in_a_signed_jar_are_covered_by_it(tmp_path: Path) -> None:
    account = _account(tmp_path, {"app.jar": JAR.signed()}, {"app.jar": JAR.unsigned})

    assert account.failed == ()
    assert account.count("signed") >= 1


@pytest.mark.parametrize(
    ("signed", "member", "code"),
    [
        ({**SIGNED, "more.txt": b""}, "more.txt", "content-added"),
        ({name: data for name, data in SIGNED.items() if name != "notes.txt"}, "notes.txt", "content-missing"),
        ({**SIGNED, "notes.txt": b"other"}, "notes.txt", "content-changed"),
        ({**SIGNED, "notes.txt": b""}, "notes.txt", "content-changed"),
        ({**SIGNED, "run.ps1": b"exit 1\n"}, "run.ps1", "content-changed"),
        ({**SIGNED, "app.exe": OTHER}, "app.exe", "not-signed"),
        ({**SIGNED, "notes.txt": CMS.signed()}, "notes.txt", "content-changed"),
    ],
)
def test_what_is_not_what_was_submitted(tmp_path: Path, signed: dict[str, bytes], member: str, code: str) -> None:
    account = _account(tmp_path, signed, UNSIGNED, rules=_rules(unchanged="Other.dll"))

    assert _outcomes(account)[member] == code


def test_a_detached_signature_is_added(tmp_path: Path) -> None:
    unsigned = {"data.bin": CMS.files[""]}

    account = _account(tmp_path, {**unsigned, "data.bin.p7s": CMS.signed()}, unsigned)

    assert _outcomes(account) == {"data.bin": "unchanged", "data.bin.p7s": "added"}


@pytest.mark.parametrize("name", ["data.bin.sh", "data.p7s", "other.p7s"])
def test_only_signatures_of_files_that_are_there_are_added(tmp_path: Path, name: str) -> None:
    unsigned = {"data.bin": CMS.files[""], "app.exe": PE.unsigned}
    signed = {"data.bin": CMS.files[""], "app.exe": PE.signed(), name: CMS.signed()}

    assert _outcomes(_account(tmp_path, signed, unsigned))[name] == "content-added"


def test_a_file_that_another_publisher_signed_is_unchanged(tmp_path: Path) -> None:
    files = {"app.exe": PE.unsigned, "theirs.exe": PE.signed()}

    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files)

    theirs = next(file for file in account.files if file.member == "theirs.exe")
    assert (theirs.outcome, theirs.verdicts) == ("unchanged", ())
    assert theirs.signed_by.startswith("CN=")


def test_a_rule_requires_a_signature_of_a_script(tmp_path: Path) -> None:
    account = _account(tmp_path, SIGNED, UNSIGNED, rules=_rules(must_be_signed="*.ps1", unchanged="Other.dll"))

    assert _outcomes(account)["run.ps1"] == "not-signed"


def test_a_rule_forbids_a_signature(tmp_path: Path) -> None:
    account = _account(tmp_path, {"app.exe": PE.signed()}, rules=_rules(must_not_be_signed="app.exe"))

    assert _outcomes(account)["app.exe"] == "signed-unexpectedly"


def test_a_denied_signer_is_found_in_every_file(tmp_path: Path) -> None:
    files = {"app.exe": PE.unsigned, "theirs.exe": PE.signed()}
    denied = FileRules(denied_signers=("CN=",))

    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files, rules=denied)

    assert {file.code for file in account.files} == {"denied-signer"}


def test_a_rule_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    account = _account(tmp_path, {"app.exe": PE.signed()}, rules=_rules(unchanged="gone.dll"))

    assert account.failed == ()
    assert len(account.warnings) == 1


def test_an_expired_rule_is_an_error(tmp_path: Path) -> None:
    rule = FileRule(pattern="*.dll", expires=date(2000, 1, 1), owner="jane")

    with pytest.raises(UsageError) as caught:
        _account(tmp_path, {"app.exe": PE.signed()}, rules=FileRules(unchanged=(rule,)))

    assert caught.value.code == "rule-expired"


def test_a_zip_archive_that_comes_back_as_a_signed_jar_leaves_its_programs_unsigned(tmp_path: Path) -> None:
    unsigned = tmp_path / "unsigned.zip"
    unsigned.write_bytes(build_zip({**JAR.files, "tool.exe": OTHER}))
    signed = tmp_path / "signed.zip"
    signed.write_bytes(JAR.signed(files={**JAR.files, "tool.exe": OTHER}))

    with pytest.raises(VerificationError) as caught:
        verify_delivery(signed, unsigned=unsigned, clock=CLOCK)

    assert caught.value.account is not None
    assert "tool.exe" in {file.member for file in caught.value.account.failed}


_XML = """<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1"><zip-file>{}</zip-file>
</artifact-configuration>"""
_SIGNS_APP = '<pe-file path="app.exe"><authenticode-sign/></pe-file>'


def _planned(tmp_path: Path, xml: str, signed: Mapping[str, bytes]) -> Account:
    path, before = tmp_path / "signed.zip", tmp_path / "unsigned.zip"
    path.write_bytes(build_zip(signed))
    before.write_bytes(build_zip(UNSIGNED))
    with before.open("rb") as file:
        plan = make_plan(read_document(_XML.format(xml).encode()), file, name="unsigned.zip", values={})
    try:
        return verify_delivery(path, unsigned=before, plan=plan, clock=CLOCK)
    except VerificationError as error:
        return error.account or pytest.fail(str(error))


def test_what_the_configuration_leaves_alone_is_unchanged(tmp_path: Path) -> None:
    assert _outcomes(_planned(tmp_path, _SIGNS_APP, SIGNED)) == {
        "app.exe": "signed",
        "Other.dll": "unchanged",
        "run.ps1": "unchanged",
        "notes.txt": "unchanged",
    }


def test_what_the_configuration_signs_must_be_signed(tmp_path: Path) -> None:
    script = '<powershell-file path="run.ps1"><authenticode-sign/></powershell-file>'

    assert _outcomes(_planned(tmp_path, _SIGNS_APP + script, SIGNED))["run.ps1"] == "not-signed"


def test_a_file_that_is_signed_though_the_configuration_leaves_it_is_a_warning(tmp_path: Path) -> None:
    account = _planned(tmp_path, '<powershell-file path="run.ps1"/>', SIGNED)

    app = next(file for file in account.files if file.member == "app.exe")
    assert (app.outcome, app.is_warning) == ("signed", True)


def test_what_the_configuration_leaves_alone_must_not_change(tmp_path: Path) -> None:
    changed = {**SIGNED, "notes.txt": b"other"}

    assert _outcomes(_planned(tmp_path, _SIGNS_APP, changed))["notes.txt"] == "content-changed"


def test_what_a_signed_container_covers_needs_no_note_but_an_unsigned_program_does(tmp_path: Path) -> None:
    files = {**JAR.files, "native.dll": OTHER}
    path = tmp_path / "app.jar"
    path.write_bytes(jar(files, JAR.signature(files=files), files))

    account = verify_delivery(path, clock=CLOCK)

    assert {file.member for file in account.files if file.note} == {"native.dll"}


MANIFEST = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"a.jar/native.dll": "signed", "a.jar/META-INF/MANIFEST.MF": "unchanged"}),
        ({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\nMain-Class: B\r\n\r\n"}, "content-changed"),
        ({"META-INF/A.RSA": b"payload"}, "content-added"),
        ({"native.dll": PE.unsigned + bytes(8)}, "not-signed"),
    ],
)
def test_an_unsigned_package_in_which_a_program_is_signed(
    tmp_path: Path, change: dict[str, bytes], expected: object
) -> None:
    signed = build_zip({**MANIFEST, "native.dll": PE.signed(), **change})

    account = _account(tmp_path, {"a.jar": signed}, {"a.jar": build_zip({**MANIFEST, "native.dll": PE.unsigned})})

    if isinstance(expected, str):
        assert {file.code for file in account.failed} == {expected}
    else:
        assert _outcomes(account) == expected


def test_an_unsigned_package_that_was_only_packed_anew(tmp_path: Path) -> None:
    before = build_zip({**MANIFEST, "one.txt": b"1", "two.txt": b"2"})
    after = build_zip({"two.txt": b"2", **MANIFEST, "one.txt": b"1"})

    account = _account(tmp_path, {"app.exe": PE.signed(), "a.jar": after}, {"app.exe": PE.unsigned, "a.jar": before})

    assert [(file.member, file.code) for file in account.failed] == [("a.jar", "content-changed")]


@pytest.mark.parametrize("is_compared", [True, False])
def test_an_archive_by_another_name_is_told_not_to_be_looked_into(tmp_path: Path, *, is_compared: bool) -> None:
    files = {"app.exe": PE.unsigned, "data.bin": build_zip({"hidden.exe": OTHER})}

    account = _account(tmp_path, {**files, "app.exe": PE.signed()}, files if is_compared else None)

    (closed,) = [file for file in account.files if file.member == "data.bin"]
    assert account.failed == ()
    assert closed.is_warning
    assert "not looked into" in closed.note

"""Plans: what happens to each file, which counts do not fit, and which files came near."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from signpath_ci.artifact_configuration import index
from signpath_ci.artifact_configuration.resolve import make_plan
from tests.support.archives import build_zip
from tests.support.configurations import (
    SIGN,
    build_cab,
    build_msi,
    configuration,
    failures,
    needs_msitools,
    plan,
    treated,
    versioned_pe,
    warnings,
)
from tests.support.pe import build_pe

PE = build_pe()
SIGNED_PE = build_pe(table=bytes(16))
ZIP = build_zip(
    {"App.exe": PE, "lib/a.dll": SIGNED_PE, "lib/b.dll": SIGNED_PE, "lib/x64/c.dll": PE, "README": b"read me"}
)


def test_each_file_has_its_treatment() -> None:
    found = plan(
        "<zip-file>"
        f'<pe-file path="app.EXE">{SIGN}</pe-file>'
        '<directory path="lib"><pe-file-set><include path="*.dll" max-matches="2"/>'
        "<for-each><authenticode-verify/></for-each></pe-file-set></directory>"
        '<file path="README"/>'
        "</zip-file>",
        ZIP,
    )

    assert failures(found) == []
    assert treated(found) == {
        ".": [],
        "App.exe": ["authenticode-sign"],
        "lib/a.dll": ["authenticode-verify"],
        "lib/b.dll": ["authenticode-verify"],
        "README": [],
    }
    left = found.find("lib/x64/c.dll")
    assert left is not None
    assert left.is_left
    app = found.find("App.exe")
    assert app is not None
    assert app.must_be_signed
    verified = found.find("lib/a.dll")
    assert verified is not None
    assert verified.must_be_verified
    assert found.find("nothing") is None


def test_directories_in_paths_and_as_elements_are_equal() -> None:
    inner = f'<pe-file path="c.dll">{SIGN}</pe-file>'
    nested = (
        f'<directory path="."><directory path="LIB"><directory path="x64">{inner}</directory></directory></directory>'
    )
    assert treated(plan(f"<zip-file>{nested}</zip-file>", ZIP)) == treated(
        plan(f'<zip-file><pe-file path="lib\\x64\\c.dll">{SIGN}</pe-file></zip-file>', ZIP)
    )


def test_nested_containers_are_resolved_at_any_depth() -> None:
    data, content = build_zip({"app.exe": PE}), f'<pe-file path="app.exe">{SIGN}</pe-file>'
    for _ in range(8):
        data, content = build_zip({"in.zip": data}), f'<zip-file path="in.zip">{content}</zip-file>'
    found = plan(f"<zip-file>{content}</zip-file>", data)
    assert failures(found) == []
    assert treated(found)["/".join(["in.zip"] * 8 + ["app.exe"])] == ["authenticode-sign"]
    assert found.artifact.changes


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (
            '<pe-file path="lib/App.exe"/>',
            "too-few-matches",
            ["App.exe lies in the root", "exactly 1 item, but found 0"],
        ),
        ('<pe-file path="c.dll"/>', "too-few-matches", ["c.dll lies in lib/x64/", 'path="lib/x64/c.dll"']),
        ('<pe-file path="lib/c.dll"/>', "too-few-matches", ["one directory deeper"]),
        ('<pe-file path="Apps.exe"/>', "too-few-matches", ["did you mean App.exe?"]),
        ('<pe-file path="build/x.exe"/>', "too-few-matches", ["no directory build"]),
        ('<pe-file path="sample.exe"/>', "too-few-matches", ["template"]),
        ('<pe-file path="lib/*.dll"/>', "too-many-matches", ["found 2", 'max-matches="unbounded"']),
        ('<pe-file path="lib/*.dll" min-matches="3" max-matches="5"/>', "too-few-matches", ["3 to 5 items"]),
        ('<pe-file path="**/*.xll" max-matches="unbounded"/>', "too-few-matches", ["at least 1 item"]),
        ('<directory path="x64"><pe-file path="c.dll"/></directory>', "too-few-matches", ["x64 lies in lib/"]),
    ],
)
def test_count_that_does_not_fit_comes_with_what_was_near(content: str, code: str, words: list[str]) -> None:
    (problem,) = plan(f"<zip-file>{content}</zip-file>", ZIP).problems
    assert problem.rule == code
    assert all(word in f"{problem.message} {problem.hint}" for word in words)


def test_counts_hold_for_each_include_and_each_parent() -> None:
    data = build_zip({"a/x.dll": PE, "b/x.dll": PE, "c/y.dll": PE})
    found = plan(
        '<zip-file><directory path="*" max-matches="unbounded"><pe-file path="x.dll"/></directory></zip-file>', data
    )
    assert [problem.rule for problem in found.problems] == ["too-few-matches"]
    assert "c" in found.problems[0].message


def test_optional_element_may_be_missing() -> None:
    assert failures(plan('<zip-file><pe-file path="no.exe" min-matches="0"/></zip-file>', ZIP)) == []


def test_zip_in_a_zip_is_recognised() -> None:
    double = build_zip({"dist.zip": ZIP})
    (problem,) = plan(f'<zip-file><pe-file path="App.exe">{SIGN}</pe-file></zip-file>', double).problems
    assert "ZIP in a ZIP" in problem.hint
    assert "double-zip" in warnings(plan('<zip-file><pe-file path="*.exe" min-matches="0"/></zip-file>', double))


@pytest.mark.parametrize(("root", "data"), [("pe-file", ZIP), ("zip-file", PE), ("msi-file", PE), ("cab-file", ZIP)])
def test_artifact_of_another_format_than_the_root_is_a_problem(root: str, data: bytes) -> None:
    (problem,) = plan(f"<{root}/>", data).problems
    assert problem.rule == "wrong-format"
    assert problem.hint


def test_nested_file_of_another_format_is_a_problem() -> None:
    data = build_zip({"setup.msi": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)})
    (problem,) = plan(f'<zip-file><pe-file path="setup.msi">{SIGN}</pe-file></zip-file>', data).problems
    assert (problem.rule, problem.file) == ("wrong-format", "setup.msi")
    assert "msi-file" in problem.hint


def test_root_path_restricts_the_name() -> None:
    content = '<parameters><parameter name="v"/></parameters><zip-file path="app-${v}.zip"/>'
    assert failures(plan(content, ZIP, name="App-1.zip", v="1")) == []
    assert failures(plan(content, ZIP, name="app-2.zip", v="1")) == [("root-name", "")]
    assert failures(plan(content, ZIP, name="app-2.zip", v="*")) == [("root-name", "")]


def test_parameters() -> None:
    content = (
        '<parameters><parameter name="a" required="true"/><parameter name="b" default-value="lib"/></parameters>'
        '<zip-file><pe-file path="${b}/${a}.dll"/></zip-file>'
    )
    assert failures(plan(content, ZIP, a="a")) == []
    assert failures(plan(content, ZIP, a="*"))[0][0] == "too-few-matches"
    assert ("missing-parameter", "") in failures(plan(content, ZIP))
    assert ("unknown-parameter", "") in failures(plan(content, ZIP, a="a", c="x"))


def test_restrictions_compare_the_version_resource() -> None:
    data = build_zip({"a.exe": versioned_pe(ProductName="Hodoku  ", ProductVersion="1.0+abc"), "b.exe": PE})

    def problems(restriction: str, path: str = "a.exe") -> list[tuple[str, str]]:
        return failures(plan(f'<zip-file><pe-file path="{path}" {restriction}/></zip-file>', data))

    assert problems('product-name="Hodoku"') == []
    assert problems('product-name="hodoku"') == [("metadata", "a.exe")]
    assert problems('product-name="Ho*"') == [("metadata", "a.exe")]
    assert problems('product-version="1.0"') == [("metadata", "a.exe")]
    assert problems('company-name="x"') == [("metadata", "a.exe")]
    assert problems('product-name="Hodoku"', "b.exe") == [("metadata", "b.exe")]


def test_file_name_in_a_restriction_is_the_matched_name() -> None:
    data = build_zip({"a.exe": versioned_pe(OriginalFilename="a.exe"), "b.exe": versioned_pe(OriginalFilename="a.exe")})
    content = (
        '<zip-file><pe-file-set><include path="*.exe" max-matches="unbounded" original-filename="${file.name}"/>'
        "</pe-file-set></zip-file>"
    )
    assert failures(plan(content, data)) == [("metadata", "b.exe")]


def test_xml_root_is_compared() -> None:
    data = build_zip({"bom.xml": b'<?xml version="1.0"?><!-- x --><bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>'})
    content = '<zip-file><xml-file path="bom.xml" root-element-name="{}" root-element-namespace="{}"/></zip-file>'
    assert failures(plan(content.format("bom", "http://cyclonedx.org/schema/bom/1.5"), data)) == []
    assert failures(plan(content.format("sbom", "http://cyclonedx.org/schema/bom/1.5"), data)) == [
        ("metadata", "bom.xml")
    ]


def test_added_files_are_named_and_may_not_clash() -> None:
    directive = '<create-cms-signature output-file-name="{}" output-encoding="der"/>'
    includes = '<include path="lib/*" max-matches="unbounded"/>'
    content = f"<zip-file><file-set>{includes}<for-each>{{}}</for-each></file-set></zip-file>"
    found = plan(content.format(directive.format("${file.name}.p7s")), ZIP)
    assert failures(found) == []
    added = found.find("lib/a.dll")
    assert added is not None
    assert list(added.outputs()) == ["lib/a.dll.p7s"]
    assert failures(plan(content.format(directive.format("x.p7s")), ZIP)) == [("output-name", "lib/b.dll")]
    assert failures(plan(content.format(directive.format("A.DLL")), ZIP))[0] == ("output-name", "lib/a.dll")
    assert failures(plan(content.format(directive.format("../x")), ZIP))[0] == ("output-name", "lib/a.dll")


def test_what_is_permitted_and_probably_not_meant_is_a_warning() -> None:
    found = plan(
        f'<zip-file><pe-file path="*.exe">{SIGN}</pe-file><pe-file path="**/a*.exe">{SIGN}</pe-file></zip-file>',
        build_zip({"App.exe": PE, "lib/own.dll": PE, "SHA256SUMS": b"x", "latest.yml": b"x"}),
    )
    assert failures(found) == []
    assert warnings(found) == {
        "wildcard-without-max",
        "no-restrictions",
        "processed-twice",
        "stale-checksums",
        "unsigned-program",
    }
    not_verifiable = plan('<zip-file><rpm-file path="x.rpm" min-matches="0"><rpm-sign/></rpm-file></zip-file>', ZIP)
    assert "not-verifiable" in warnings(not_verifiable)


def test_damaged_container_is_a_problem() -> None:
    data = build_zip({"in.zip": ZIP[:-30]})
    assert failures(
        plan('<zip-file><zip-file path="in.zip"><pe-file path="App.exe"/></zip-file></zip-file>', data)
    ) == [("damaged", "in.zip")]
    assert failures(plan('<zip-file><pe-file path="App.exe"/></zip-file>', ZIP[:-30])) == [("damaged", "")]


def test_container_that_is_not_read_here_is_said() -> None:
    data = build_zip({"a.deb": b"!<arch>\ndebian-binary"})
    found = plan('<zip-file><deb-file path="a.deb"><file path="x"/></deb-file></zip-file>', data)
    assert failures(found) == []
    assert "not-resolved" in warnings(found)


@needs_msitools
def test_installer_is_resolved_by_its_directory_tables(tmp_path: Path) -> None:
    msi = build_msi(tmp_path, {"application/A Demo/app.exe": PE, "application/A Demo/b.txt": b"x", "top.dll": PE})
    content = (
        '<zip-file><msi-file path="*.msi" subject="A product" author="An author"><directory path="application/a demo">'
        f'<pe-file path="app.exe">{SIGN}</pe-file></directory><pe-file path="top.dll">{SIGN}</pe-file>{SIGN}</msi-file>'
        "</zip-file>"
    )

    found = plan(content, build_zip({"demo.msi": msi}))

    assert failures(found) == []
    assert treated(found) == {
        ".": [],
        "demo.msi": ["authenticode-sign"],
        "demo.msi/application/A Demo/app.exe": ["authenticode-sign"],
        "demo.msi/top.dll": ["authenticode-sign"],
    }
    wrong = plan(content.replace("A product", "Another"), build_zip({"demo.msi": msi}))
    assert failures(wrong) == [("metadata", "demo.msi")]


@needs_msitools
def test_installer_with_files_outside_is_listed_only(tmp_path: Path) -> None:
    msi = build_msi(tmp_path, {"app.exe": PE}, cabinet="data.cab")
    found = plan(f'<msi-file><pe-file path="app.exe">{SIGN}</pe-file></msi-file>', msi, name="x.msi")
    assert treated(found)["app.exe"] == ["authenticode-sign"]
    assert "not-resolved" in warnings(found)


@needs_msitools
@pytest.mark.parametrize("is_compressed", [True, False])
def test_cabinet_is_resolved_by_its_members(tmp_path: Path, is_compressed: bool) -> None:
    files = {"bin/app.exe": versioned_pe(ProductName="App"), "big.bin": bytes(range(256)) * 1000, "z.txt": b"z"}
    cab = build_cab(tmp_path, files, is_compressed=is_compressed)
    found = plan(f'<cab-file><pe-file path="bin/*" product-name="App">{SIGN}</pe-file></cab-file>', cab, name="x.cab")
    assert failures(found) == []
    assert treated(found)["bin/app.exe"] == ["authenticode-sign"]


def test_many_patterns_and_files_take_a_moment() -> None:
    data = build_zip({f"d{number % 100}/f{number}.txt": b"" for number in range(10_000)})
    patterns = "".join(f'<include path="**/f{n}*.txt" max-matches="unbounded"/>' for n in range(1, 201))
    parsed = configuration(f"<zip-file><file-set>{patterns}</file-set></zip-file>")
    start = time.process_time()

    found = make_plan(parsed, io.BytesIO(data), name="x.zip", values={})

    assert time.process_time() - start < 5
    assert failures(found) == []


def test_too_many_comparisons_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_COMPARISONS", 100_000)
    data = build_zip({f"d{number}/f.txt": b"" for number in range(1000)})
    content = '<zip-file><directory path="**" max-matches="unbounded">{}</directory></zip-file>'
    inner = '<directory path="**" max-matches="unbounded"><file path="**/*a*" min-matches="0"/></directory>'

    found = plan(content.format(inner * 60), data)

    assert [problem.rule for problem in found.problems] == ["too-many"]


@needs_msitools
def test_file_that_a_cabinet_holds_twice_is_refused(tmp_path: Path) -> None:
    cab = build_cab(tmp_path, {"aa.exe": PE, "ab.exe": PE}, is_compressed=False).replace(b"ab.exe\0", b"AA.exe\0")
    assert failures(plan('<cab-file><pe-file path="aa.exe"/></cab-file>', cab, name="x.cab")) == [("damaged", "")]


@needs_msitools
def test_file_that_an_installer_holds_twice_is_listed_only(tmp_path: Path) -> None:
    msi = build_msi(tmp_path, {"aa.exe": PE, "AA.exe": PE, "b.exe": PE})
    found = plan('<msi-file><pe-file path="aa.exe"/><pe-file path="b.exe"/></msi-file>', msi, name="x.msi")
    assert failures(found) == []
    assert "not-resolved" in warnings(found)


def test_zip_that_holds_a_file_twice_is_refused() -> None:
    data = build_zip({"aa.exe": PE, "ab.exe": PE}, comment=b"").replace(b"ab.exe", b"aa.exe")
    assert failures(plan('<zip-file><pe-file path="aa.exe"/></zip-file>', data)) == [("damaged", "")]


def test_container_with_too_many_files_is_refused_quickly() -> None:
    data = build_zip({f"{number}.txt": b"" for number in range(100_000)}, compression=zipfile.ZIP_STORED)
    start = time.process_time()

    found = plan('<zip-file><file path="1.txt"/></zip-file>', data)

    assert time.process_time() - start < 10
    assert failures(found) in ([], [("damaged", "")])


@pytest.mark.parametrize("kind", ["catalog-file", "nupkg-file", "msix-file", "xml-file", "powershell-file", "rpm-file"])
def test_what_can_be_verified_is_what_the_registry_says(kind: str) -> None:
    directive = {"nupkg-file": "nuget-sign", "xml-file": "xml-sign", "rpm-file": "rpm-sign"}.get(
        kind, "authenticode-sign"
    )
    found = plan(f'<zip-file><{kind} path="x" min-matches="0"><{directive}/></{kind}></zip-file>', ZIP)
    assert ("not-verifiable" in warnings(found)) == (kind == "rpm-file")


def test_unsigned_file_can_not_be_verified() -> None:
    content = '<zip-file><pe-file path="lib/a.dll"><authenticode-verify/></pe-file></zip-file>'
    assert failures(plan(content, ZIP)) == []
    assert failures(plan(content.replace("lib/a.dll", "App.exe"), ZIP)) == [("unsigned", "App.exe")]

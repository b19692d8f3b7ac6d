"""The resolved tree of a request, as SignPath states it."""

from __future__ import annotations

import pytest

from signpath_ci.errors import UnexpectedAnswerError
from signpath_ci.sandbox.outcome import Step, description_xml
from signpath_ci.verify.stated_tree import differences, stated_signed_files


def _step(*path: str, directive: str, result: str = "signed") -> Step:
    return Step(path=path, element="pe-file", directive=directive, line=1, column=1, result=result)  # type: ignore[arg-type]


def test_the_sandbox_s_own_form() -> None:
    steps = [
        _step("a.exe", directive="authenticode-sign"),
        _step("in/b.zip", "lib/c.dll", directive="authenticode-sign"),
        _step("d.dll", directive="authenticode-verify", result="verified"),
        _step("e.bin", directive="create-cms-signature", result="added"),
        _step("f.exe", directive="authenticode-sign", result="failed"),
        _step("g.txt", directive=""),
    ]

    found = stated_signed_files(description_xml("app.zip", steps).encode())

    assert found == {("a.exe",), ("in/b.zip", "lib/c.dll")}


def test_a_form_with_directories_and_without_results() -> None:
    document = """<a xmlns="urn:x"><zip-file path="app.zip"><directory path="bin"><directory path="x64">
        <pe-file path="a.exe"><authenticode-sign/></pe-file></directory><clickonce-sign/></directory>
        <msi-file path="b.msi"><authenticode-sign/><pe-file path="c\\d.exe"><authenticode-sign/></pe-file></msi-file>
        </zip-file></a>"""
    assert stated_signed_files(document.encode()) == {("bin/x64/a.exe",), ("b.msi",), ("b.msi", "c/d.exe")}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html><br></html>",
        b"{}",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * 200 + b"</a>" * 200,
        b"<a path='" + b"x" * 5000 + b"'/>",
        b"<a path='x'>" + b"<directory path='" + b"x" * 3000 + b"'><directory path='" + b"y" * 3000 + b"'/>",
    ],
)
def test_what_is_no_such_tree_is_refused(document: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        stated_signed_files(document)


def test_a_tree_that_names_other_files_is_a_difference() -> None:
    assert list(differences(None, None, set())) == []
    assert list(differences(frozenset({("a",)}), None, {("a",), ("b",)})) == []
    [said] = differences(frozenset({("a",), *((str(n),) for n in range(9))}), None, {("a",)})
    assert "and 4 more" in said

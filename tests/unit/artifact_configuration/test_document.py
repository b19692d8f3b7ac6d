"""Configurations: what is valid, and everything that is wrong with one, with its place."""

from __future__ import annotations

import contextlib
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.artifact_configuration.document import DocumentError, read_document
from signpath_ci.artifact_configuration.language import DIRECTIVES, ELEMENTS, SETS
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.artifact_configuration.resolve import make_plan
from tests.support.archives import build_zip
from tests.support.configurations import SIGN, codes, configuration, document, problems

PROVENANCE = '<create-provenance-file output-file-name="x"/>'
MISSING = "missing-attribute"
EMPTY_ZIP = build_zip({})


def test_empty_root_is_refused() -> None:
    assert codes("") == ["no-root"]


def test_every_element_and_its_directives_are_known() -> None:
    required = {"authenticode-sign": "", "jar-sign": ""}
    for kind, element in ELEMENTS.items():
        for name in element.directives:
            rule = DIRECTIVES[name]
            values = "".join(
                f' {key}="{one.choices[0] if one.choices else "${file.name}.x" if key == "output-file-name" else "x"}"'
                for key, one in rule.attributes.items()
                if one.is_required
            )
            required[name] = f"<{name}{values}/>"
            inner = f'<{kind} path="x">{required[name]}</{kind}>'
            content = (
                f"<zip-file>{required[name]}</zip-file>" if kind == "zip-file" else f"<zip-file>{inner}</zip-file>"
            )
            assert configuration(content).root.kind == "zip-file"


def test_every_set_takes_includes_and_for_each() -> None:
    for name, kind in SETS.items():
        found = configuration(f'<zip-file><{name}><include path="x"/><for-each></for-each></{name}></zip-file>')
        (child,) = found.root.children
        assert (child.kind, child.is_set) == (kind, True)


def test_sets_that_do_not_exist_are_refused() -> None:
    for kind, element in ELEMENTS.items():
        if not element.has_set:
            assert codes(f'<zip-file><{kind}-set><include path="x"/></{kind}-set></zip-file>') == ["unknown-element"]


def test_all_errors_come_at_once_with_their_places() -> None:
    found = problems(
        document(
            "\n<zip-file>\n"
            '  <pe-fil path="a"/>\n'
            '  <pe-file path="b" min-match="0"/>\n'
            "  <pe-file/>\n"
            '  <pe-file path="d"><authenticode-sing/></pe-file>\n'
            "</zip-file>"
        )
    )

    assert [(problem.rule, problem.position) for problem in found] == [
        ("unknown-element", Position(3, 3)),
        ("unknown-attribute", Position(4, 21)),
        ("missing-attribute", Position(5, 3)),
        ("unknown-element", Position(6, 21)),
    ]
    assert "pe-file" in found[0].message
    assert "min-matches" in found[1].message
    assert "authenticode-sign" in found[3].message


def test_places_count_characters() -> None:
    (problem,) = problems(document('<zip-file><pe-file path="größe😀.exe" x="1"/></zip-file>'))
    assert problem.position.column == document("").index("</") + len('<zip-file><pe-file path="größe😀.exe" ') + 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f'<zip-file><pe-file-set><include path="x"/>{SIGN}</pe-file-set></zip-file>', "set-without-for-each"),
        (f"<zip-file>{SIGN}</zip-file>", "wrong-place"),
        ('<zip-file><directory path="bin"/></zip-file><pe-file/>', "second-root"),
        ('<directory path="x"/>', "wrong-place"),
        ("<file/>", "wrong-place"),
        ("<pe-file-set/>", "wrong-place"),
        ('<pe-file><pe-file path="x"/></pe-file>', "wrong-place"),
        ("<zip-file/><parameters/>", "wrong-place"),
        ("<zip-file><pe-file-set/></zip-file>", "no-include"),
        ('<zip-file><pe-file path="${version}"/></zip-file>', "parameter"),
        ('<zip-file><pe-file path="${file.name}"/></zip-file>', "wrong-parameter"),
        ('<zip-file><pe-file path="${"/></zip-file>', "wrong-parameter"),
        ('<zip-file><pe-file path="[a"/></zip-file>', "wrong-path"),
        ('<zip-file><pe-file path="x" min-matches="-1"/></zip-file>', "wrong-value"),
        ('<zip-file><pe-file path="x" min-matches="2"/></zip-file>', "wrong-value"),
        ('<zip-file><pe-file path="x" min-matches="unbounded"/></zip-file>', "wrong-value"),
        ('<zip-file><pe-file path="x" max-matches="many"/></zip-file>', "wrong-value"),
        ("<pe-file><authenticode-sign/><authenticode-verify/></pe-file>", "wrong-place"),
        ('<pe-file><authenticode-sign hash-algorithm="md5"/></pe-file>', "wrong-value"),
        ('<msi-file><authenticode-sign append="true"/></msi-file>', "wrong-value"),
        ('<msix-file><authenticode-sign hash-algorithm="sha1"/></msix-file>', "wrong-value"),
        ("<jar-file><jar-sign/><jar-sign/></jar-file>", "wrong-place"),
        (
            '<zip-file><zip-file path="x"><create-provenance-file output-file-name="x"/></zip-file></zip-file>',
            "wrong-place",
        ),
        ("<zip-file>hello</zip-file>", "text"),
        ('<zip-file xmlns:x="urn:x" x:path="a"/>', "attribute"),
        ('<zip-file><x:pe-file xmlns:x="urn:x" path="a"/></zip-file>', "wrong-namespace"),
        ('<parameters><parameter name="a b"/></parameters><zip-file/>', "parameter-name"),
        ('<parameters><parameter name="a"/><parameter name="a"/></parameters><zip-file/>', "parameter-name"),
        (
            '<zip-file><file path="x"><create-cms-signature output-encoding="der"/></file></zip-file>',
            "missing-attribute",
        ),
    ],
)
def test_wrong_content_is_refused(content: str, code: str) -> None:
    assert codes(content) == [code]


def test_renamed_attribute_is_refused_with_its_new_name() -> None:
    found = problems(
        document(
            '<zip-file><file path="x"><create-raw-signature file-name="y" hash-algorithm="sha256"/></file></zip-file>'
        )
    )
    assert {problem.rule for problem in found} == {"unknown-attribute", "missing-attribute"}
    assert any("output-file-name" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        # The structure of documents in public repositories that are in no language of SignPath's.
        (
            '<artifact xmlns="http://signpath.io/xml/artifact-configuration/v1"><file-list/></artifact>',
            "unknown-root",
            "zip-file",
        ),
        (
            '<artifactConfiguration xmlns="https://signpath.io/schema/artifact-configuration/2024"/>',
            "unknown-root",
            "xmlns",
        ),
        (document('<zip-file><for-each-file-match glob="*.exe"/></zip-file>'), "unknown-element", "pe-file-set"),
        (document("<zip-file><metadataRestrictions/></zip-file>"), "unknown-element", "product-name"),
        (
            '<artifact-configuration xmlns="http://signpath.io/v1"><zip-file/></artifact-configuration>',
            "wrong-namespace",
            "v1",
        ),
        ("<artifact-configuration><zip-file/></artifact-configuration>", "wrong-namespace", "xmlns"),
    ],
)
def test_invented_language_is_refused_with_a_remedy(text: str, code: str, word: str) -> None:
    (problem,) = problems(text)
    assert problem.rule == code
    assert word in problem.message


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><a/>',
    ],
)
def test_document_type_is_refused(text: str) -> None:
    (problem,) = problems(text)
    assert problem.rule == "document-type"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml"),
        (b"<a>", "xml"),
        (b"\xff\xff", "encoding"),
        (b'<?xml version="1.0" encoding="windows-1252"?><a b="\xc3\xa4"/>', "encoding"),
        (b"<a/>" + b" " * (1 << 20), "too-large"),
        (b"<a>" * 100, "too-deep"),
        (b"<a>" + b"<b/>" * 20_000 + b"</a>", "too-large"),
    ],
)
def test_document_outside_the_bounds_is_refused(data: bytes, code: str) -> None:
    (problem,) = problems(data)
    assert problem.rule == code


def test_hostile_document_takes_linear_time() -> None:
    unknown = "".join(f"<ü{number} ä='1' ö='2'/>" for number in range(9000))
    start = time.process_time()

    problems(document(f"<zip-file>{unknown}</zip-file>"))

    assert time.process_time() - start < 5


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding: str) -> None:
    text = document('<zip-file><pe-file path="größe.exe"/></zip-file>')
    assert str(read_document(text.encode(encoding)).root.children[0].includes[0].path) == "größe.exe"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('<zip-file><pe-file path="x" productName="y"/></zip-file>', "old-attribute"),
        ('<zip-file><pe-file path="x" max-occurences="2"/></zip-file>', "old-attribute"),
        ("<pe-file><authenticode-sign/><authenticode-sign/></pe-file>", "replaced-signature"),
        ('<pe-file min-matches="0"/>', "root-count"),
    ],
)
def test_what_is_accepted_with_a_warning(content: str, code: str) -> None:
    assert [warning.rule for warning in configuration(content).warnings] == [code]


def test_schema_location_and_comments_are_accepted() -> None:
    text = document("<!-- a --><zip-file><!-- b --></zip-file><!-- c -->").replace(
        " xmlns=", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" xmlns=', 1
    )
    assert read_document(text.encode()).root.kind == "zip-file"


def test_restrictions_of_a_set_are_inherited_and_overridden() -> None:
    (child,) = configuration(
        '<zip-file><pe-file-set product-name="A" product-version="1">'
        '<include path="x"/><include path="y" product-version="2"/></pe-file-set></zip-file>'
    ).root.children
    found = [{name: str(value) for name, value in include.restrictions.items()} for include in child.includes]
    assert found == [
        {"product-name": "A", "product-version": "1"},
        {"product-name": "A", "product-version": "2"},
    ]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_configuration_or_refused(data: bytes) -> None:
    with contextlib.suppress(DocumentError):
        read_document(data)


@given(st.data())
def test_any_tree_of_known_names_is_a_configuration_or_refused(data: st.DataObject) -> None:
    names = st.sampled_from([*ELEMENTS, *SETS, *DIRECTIVES, "include", "for-each", "parameters", "parameter", "x"])
    attributes = st.dictionaries(
        st.sampled_from(["path", "min-matches", "max-matches", "name", "product-name", "output-file-name", "append"]),
        st.sampled_from(["", "x", "*", "**", "[", "1", "unbounded", "true", "${x}", "${file.name}", "${", "../x"]),
        max_size=3,
    )

    def element(depth: int) -> str:
        name, given_attributes = data.draw(names), data.draw(attributes)
        written = "".join(f' {key}="{value}"' for key, value in given_attributes.items())
        count = data.draw(st.integers(0, 2)) if depth else 0
        return f"<{name}{written}>{''.join(element(depth - 1) for _ in range(count))}</{name}>"

    text = document(element(3))
    with contextlib.suppress(DocumentError):
        found = read_document(text.encode())
        make_plan(found, io.BytesIO(EMPTY_ZIP), name="x.zip", values={})

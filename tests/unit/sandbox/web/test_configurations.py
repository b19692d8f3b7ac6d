"""Artifact configurations on the pages: edited, refused, tried."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape

import pytest
import requests

from tests.support.pe import build_pe
from tests.support.sandboxes import SEVERAL_FILES, Client, serving
from tests.unit.sandbox.web.conftest import Person, id_of

PAGE = "/web/projects/app/configurations/v2"
VALID = """<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <zip-file>
    <pe-file path="bin/app.exe"><authenticode-sign/></pe-file>
    <file path="data.bin"><create-cms-signature output-file-name="data.p7s" output-encoding="pem"/></file>
  </zip-file>
</artifact-configuration>
"""
INVALID = VALID.replace("<authenticode-sign/>", "<authenticode-sing/>")


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("configurations")) as client:
        yield client


def _send(person: Person, text: str, action: str = "", sample: tuple[str, bytes] | None = None) -> requests.Response:
    parts: list[tuple[str, object]] = [("text", (None, text.replace("\n", "\r\n")))]
    parts += [("sample", sample)] if sample else []
    return person.sandbox.post(PAGE + action, token=None, headers={"Accept": "text/html"}, files=parts)


def _sample(*names: str) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"MZ" if name.endswith("exe") else b"text")
    return "sample.zip", buffer.getvalue()


def test_what_is_saved_applies_to_new_requests(person: Person, sandbox: Client) -> None:
    assert "signs by content" in person.page(PAGE).text

    saved = _send(person, SEVERAL_FILES)

    assert (saved.status_code, "?saved=1" in saved.url, "<h2>Saved</h2>" in saved.text) == (200, True, True)
    assert "&lt;zip-file ui-multifile-upload=&#34;on&#34;&gt;" in person.page(PAGE).text
    refused = sandbox.submit(b"MZ", artifactConfigurationSlug="v2")
    assert refused.status_code == 400
    assert sandbox.submit(b"MZ", artifactConfigurationSlug="v2", **{"parameters.version": "1"}).status_code == 201
    assert id_of(person.upload(("a.exe", b"MZ"), query="?configuration=v2", **{"parameters.version": "1"}))


@pytest.mark.parametrize("action", ["", "/try"])
def test_errors_are_shown_at_their_lines_and_nothing_is_saved(person: Person, action: str) -> None:
    answer = _send(person, INVALID, action, _sample("bin/app.exe"))

    assert answer.status_code == 400
    assert re.search(r'href="#L3">Line 3, position \d+</a>', answer.text)
    assert 'data-errors="3"' in answer.text
    assert "authenticode-sing" in answer.text
    assert "signs by content" in person.page(PAGE).text


def test_a_sample_shows_what_would_happen_to_each_file(person: Person, sandbox: Client) -> None:
    answer = _send(person, VALID, "/try", _sample("bin/app.exe", "bin/other.exe", "data.bin", "readme.txt"))

    nodes = dict(re.findall(r'<code>([^<]+)</code> <span class="result (\w+)">', answer.text))
    assert (answer.status_code, nodes) == (
        200,
        {
            "app.exe": "signed",
            "other.exe": "unchanged",
            "data.bin": "unchanged",
            "data.p7s": "added",
            "readme.txt": "unchanged",
        },
    )
    assert sandbox.get("/sandbox/requests", token=None).json() == []
    assert "signs by content" in person.page(PAGE).text


def test_a_sample_that_does_not_match(person: Person) -> None:
    answer = _send(person, VALID, "/try", _sample("app.exe", "data.bin"))

    assert re.search(r'href="#L3">Line 3', answer.text)
    assert "does not match the configuration" in answer.text
    assert _send(person, VALID, "/try").status_code == 400


def test_only_configurators_save(person: Person) -> None:
    person.become("bob")

    assert _send(person, VALID).status_code == 403
    assert " readonly" in person.page(PAGE).text
    assert _send(person, VALID, "/try", _sample("bin/app.exe", "data.bin")).status_code == 200


def test_a_text_that_is_too_large_is_refused(person: Person) -> None:
    assert _send(person, VALID + " " * (1024 * 1024)).status_code == 400


def test_a_configuration_is_drafted_from_a_sample(person: Person) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bin/app.exe", build_pe())
        archive.writestr("readme.txt", "text")

    drafted = _send(person, VALID, "/draft", ("sample.zip", buffer.getvalue()))

    assert (drafted.status_code, "not saved" in drafted.text) == (200, True)
    text = unescape(drafted.text.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    assert "app.exe" in text
    assert _send(person, text).status_code == 200
    assert _send(person, VALID, "/draft", ("a.txt", b"nothing to sign")).status_code == 400
    assert _send(person, VALID, "/draft").status_code == 400

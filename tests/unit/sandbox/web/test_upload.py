"""Direct upload on the page."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from tests.support.sandboxes import Client, sha256, signed
from tests.unit.sandbox.web.conftest import Person, id_of


def test_an_upload_is_signed_and_shown(person: Person, sandbox: Client) -> None:
    answer = person.upload(("app <i>.exe", b"MZ page"), description="Version <b>", **{"parameters.v": "1"})

    request_id = id_of(answer)
    sandbox.wait(request_id)
    raw = person.page(answer.url).text
    assert "<i>" not in raw
    page = person.request_page(request_id)
    for shown in ("app <i>.exe", "Version <b>", "Completed", "by alice", sha256(b"MZ page"), "No origin"):
        assert shown in page
    assert sandbox.get(f"{answer.url}/SignedArtifact", token=None).content == signed(b"MZ page")
    assert sandbox.get(f"{answer.url}/UnsignedArtifact", token=None).content == b"MZ page"
    assert sandbox.listed(request_id)["parameters"] == {"v": "1"}


@pytest.mark.parametrize(
    ("files", "policy", "status", "cause"),
    [
        ([], "test-signing", 400, "Choose a file"),
        ([("a.exe", b"")], "test-signing", 400, "Choose a file"),
        ([("a.exe", b"MZ"), ("b.exe", b"MZ")], "test-signing", 400, "Choose one file"),
        ([("a.exe", b"MZ")], "nonsense", 400, "There is no signing policy"),
        ([("a.exe", b"MZ")], "ci-only", 403, "submitted via a trusted build system"),
        ([("a.exe", b"MZ")], "release-signing", 403, "requires a verified origin"),
        ([("a.exe", bytes(1024 * 1024 + 1))], "test-signing", 413, "larger than"),
    ],
)
def test_what_is_refused_leads_back_to_the_form(
    person: Person, sandbox: Client, files: list[tuple[str, bytes]], policy: str, status: int, cause: str
) -> None:
    before = len(sandbox.get("/sandbox/requests", token=None).json())

    answer = person.upload(*files, policy=policy, description="kept")

    assert (answer.status_code, cause in answer.text, 'id="upload"' in answer.text) == (status, True, True)
    assert len(sandbox.get("/sandbox/requests", token=None).json()) == before


def test_only_usable_policies_can_be_chosen(person: Person) -> None:
    form = person.page("/web/sign?project=APP&configuration=v2").text

    assert 'value="test-signing"' in form
    assert 'value="ci-only"' not in form
    assert "takes builds of a trusted build system only" in form
    person.become("bob")
    assert "No signing policy to choose" in person.page("/web/sign").text
    answer = person.upload(("a.exe", b"MZ"))
    assert (answer.status_code, "'bob' is not a submitter" in answer.text.replace("&#39;", "'")) == (403, True)


def test_several_files_become_one_zip_where_the_configuration_says_so(person: Person, sandbox: Client) -> None:
    form = person.page("/web/sign?configuration=files").text
    assert " multiple" in form
    assert re.search(r'name="parameters.version" value="" required', form)
    assert 'name="parameters.edition" value="home"' in form

    answer = person.upload(
        ("one.exe", b"MZ 1"), ("two.txt", b"text"), query="?configuration=files", **{"parameters.version": "1.2"}
    )

    request_id = id_of(answer)
    sandbox.wait(request_id)
    with zipfile.ZipFile(io.BytesIO(sandbox.get(f"{request_id}/UnsignedArtifact").content)) as bundle:
        assert {name: bundle.read(name) for name in bundle.namelist()} == {"one.exe": b"MZ 1", "two.txt": b"text"}
    assert sandbox.listed(request_id)["file_name"] == "bundle.zip"


@pytest.mark.parametrize(
    ("names", "parameters", "cause"),
    [
        (("a.exe", "A.exe"), {"parameters.version": "1"}, "Two files are called"),
        (("a.exe",), {}, "version"),
        (("a.exe",), {"parameters.version": "1", "parameters.other": "x"}, "other"),
    ],
)
def test_what_the_configuration_does_not_take(
    person: Person, sandbox: Client, names: tuple[str, ...], parameters: dict[str, str], cause: str
) -> None:
    before = len(sandbox.get("/sandbox/requests", token=None).json())

    answer = person.upload(*((name, b"MZ") for name in names), query="?configuration=files", **parameters)

    assert (answer.status_code, cause in answer.text) == (400, True)
    assert len(sandbox.get("/sandbox/requests", token=None).json()) == before

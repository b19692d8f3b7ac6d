"""Pages beside those of requests, and errors."""

from __future__ import annotations

import pytest
from cryptography import x509

from tests.support.sandboxes import ORGANIZATION, Client
from tests.unit.sandbox.web.conftest import Person

OTHER = "7f6c2c61-0e2c-4b43-8a0b-3a2f9d9d9d01"


@pytest.mark.parametrize(
    "path",
    [
        "/web",
        "/",
        "/web/waiting",
        "/web/sign",
        "/web/projects",
        "/web/projects/app",
        "/web/projects/app/configurations/initial",
        "/web/connect",
        f"/Web/{ORGANIZATION}/SigningRequests",
    ],
)
def test_every_page_says_that_there_are_no_passwords(person: Person, path: str) -> None:
    page = person.page(path)

    assert (page.status_code, "without passwords" in page.text, "Acme &lt;b&gt;" in page.text) == (200, True, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/web/nonsense", 404),
        ("/nonsense", 404),
        (f"/web/{ORGANIZATION}/SigningRequests/{OTHER}", 404),
        (f"/web/{OTHER}/SigningRequests/{OTHER}", 404),
        ("/web/projects/nonsense", 404),
        ("/web/projects/app/configurations/nonsense", 404),
        ("/web/sign?project=nonsense", 404),
        ("/web/projects/app/policies/nonsense/certificate", 404),
    ],
)
def test_errors_are_pages_for_people_and_json_for_programs(
    person: Person, sandbox: Client, path: str, status: int
) -> None:
    assert person.page(path).status_code == status
    program = sandbox.get(path, token=None, headers={"Accept": "application/json"})
    assert (program.status_code, program.headers["Content-Type"]) == (status, "application/problem+json")


def test_certificates_can_be_downloaded(sandbox: Client) -> None:
    pem = sandbox.get("/web/root-certificate.pem", token=None).content
    der = sandbox.get("/web/root-certificate.cer", token=None).content
    chain = sandbox.get("/web/projects/app/policies/test-signing/certificate", token=None).content

    root = x509.load_pem_x509_certificate(pem)
    assert x509.load_der_x509_certificate(der) == root
    leaf, *issuers = x509.load_pem_x509_certificates(chain)
    assert issuers[-1] == root
    leaf.verify_directly_issued_by(issuers[0])


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/web/../..//x", "/web\\x", ""])
def test_the_choice_of_a_user_leads_to_own_pages_only(person: Person, back: str) -> None:
    answer = person.sandbox.post("/web/user", token=None, data={"name": "bob", "back": back}, allow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/web")
    assert "<option selected>bob</option>" in person.page("/web").text


def test_an_unknown_user_is_the_first(person: Person) -> None:
    person.become("mallory")

    assert "<option selected>alice</option>" in person.page("/web").text


def test_static_files_are_those_of_the_package(sandbox: Client) -> None:
    assert sandbox.get("/static/style.css", token=None).headers["Content-Type"].startswith("text/css")
    assert "javascript" in sandbox.get("/static/app.js", token=None).headers["Content-Type"]
    assert sandbox.get("/static/..%2fpages.py", token=None).status_code == 404

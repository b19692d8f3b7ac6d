"""Through a connector, what comes back is compared with the artifact that the CI system itself has stored."""

from __future__ import annotations

import hashlib
import io
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.commands.test_connectors import ci_job, sandbox_of_ci
from tests.support.program import Finished, Program, Sandbox, sandbox_root
from tests.support.servers import forwarding, serving

__all__ = ["sandbox_of_ci"]

_API = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL", "azure": "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"}
_PATH = {"github": "/ci/github", "gitlab": "/ci/gitlab/api/v4", "azure": "/ci/azure/"}


def _sign(program: Program, sandbox: Sandbox, platform: str, *options: str, ci: str = "", **more: str) -> Finished:
    """Run the plain migration: nothing but the artifact is named, so neither content nor signer is."""
    variables = {
        _API[platform]: f"{ci or sandbox_root(sandbox)}{_PATH[platform]}",
        "SIGNPATH_API_URL": sandbox["api_url"],
        "SIGNPATH_TRUST_ROOT": "",
        **more,
    }
    output = ("--output", "app.exe") if platform == "gitlab" else ("--output-artifact-directory", "out")
    return ci_job(program, sandbox, platform, **variables)("sign", *output, "--json", *options)


@pytest.mark.parametrize("platform", ["github", "gitlab", "azure"])
def test_the_plain_migration_compares_content_and_signer(
    program: Program, sandbox_of_ci: Sandbox, platform: str
) -> None:
    finished = _sign(program, sandbox_of_ci, platform)

    assert finished.code == 0, finished.err
    verification = finished.json["verification"]
    [verdict] = verification["verdicts"]
    assert (verdict["identity"], verdict["trust"]) == ("same", "stated"), finished.err
    assert verification["account"]["compared"] is True
    assert "warning: " not in finished.err


@pytest.mark.parametrize("platform", ["gitlab", "azure"])
def test_content_that_is_not_the_artifact_s_is_refused(program: Program, sandbox_of_ci: Sandbox, platform: str) -> None:
    """The CI system gives out another artifact than SignPath got, so one of them was exchanged."""

    def special(handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        if "artifactName=" in handler.path:  # Azure DevOps says where the content is
            here = f"http://{handler.headers['Host']}".encode()
            return _answered(handler, body.replace(sandbox_root(sandbox_of_ci).encode(), here), kind="application/json")
        if "/artifacts/" not in handler.path and "/content/" not in handler.path:
            return False
        return _answered(handler, _changed(body))

    with serving(forwarding(sandbox_of_ci["api_url"], special)) as url:
        finished = _sign(program, sandbox_of_ci, platform, ci=url)

    assert finished.code == 7, finished.err
    assert not (program.directory / "out").exists()
    assert not (program.directory / "app.exe").exists()


def _changed(body: bytes) -> bytes:
    """Return the artifact with another program."""
    if not body.startswith(b"PK"):
        return body + b"changed"
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + b"changed")
    return content.getvalue()


def _answered(
    handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, kind: str = "application/zip"
) -> bool:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    return True


@pytest.mark.parametrize("platform", ["github", "gitlab", "azure"])
@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (401, "application/json", b"{}"),
        (403, "application/json", b"{}"),
        (404, "application/json", b"{}"),
        (410, "application/json", b"{}"),
        (200, "text/html", b"<!DOCTYPE html><title>Sign in</title>"),
        (203, "text/html; charset=utf-8", b"<!DOCTYPE html><title>Sign in</title>"),
        (200, "application/json", b"[" * 50_000),
        (200, "application/json", b"null"),
    ],
)
def test_an_api_that_does_not_give_the_artifact_is_a_warning(
    program: Program, sandbox_of_ci: Sandbox, platform: str, status: int, kind: str, body: bytes
) -> None:
    def special(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        return _answered(handler, body, status=status, kind=kind)

    with serving(forwarding(sandbox_of_ci["api_url"], special)) as url:
        finished = _sign(program, sandbox_of_ci, platform, ci=url)

    _assert_not_compared(finished)


def _assert_not_compared(finished: Finished) -> None:
    assert finished.code == 0, finished.err
    assert finished.json["verification"]["account"]["compared"] is False
    assert finished.json["verification"]["verdicts"][0]["identity"] == "not-checked"
    assert "warning: The content is not compared" in finished.err


@pytest.mark.parametrize(
    ("platform", "body"),
    [
        *((platform, body) for platform in ("github", "azure") for body in (b"<html>", b"truncated", b"")),
        *(("gitlab", body) for body in (b"<html>", b"")),  # a file of GitLab may be anything else
    ],
)
def test_a_login_page_or_garbage_instead_of_the_content_is_a_warning(
    program: Program, sandbox_of_ci: Sandbox, platform: str, body: bytes
) -> None:
    def special(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        is_content = handler.path.endswith("/zip") or "/artifacts/out/" in handler.path or "/content/" in handler.path
        return is_content and _answered(handler, body, kind="text/html" if b"<" in body else "application/zip")

    with serving(forwarding(sandbox_of_ci["api_url"], special)) as url:
        finished = _sign(
            program, sandbox_of_ci, platform, ci=url, SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT="1" if not body else "60"
        )

    _assert_not_compared(finished)


def test_an_expired_artifact_is_a_warning(program: Program, sandbox_of_ci: Sandbox) -> None:
    mark = Path(sandbox_of_ci["artifact_store"]) / "github" / "4711.zip.expired"
    mark.touch()
    try:
        finished = _sign(program, sandbox_of_ci, "github")
    finally:
        mark.unlink()

    _assert_not_compared(finished)
    assert "expired" in finished.err


def test_a_digest_that_is_not_github_s_is_a_warning(program: Program, sandbox_of_ci: Sandbox) -> None:
    def special(handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        return handler.path.endswith("/zip") and _answered(handler, b"PK\x03\x04" + body)

    with serving(forwarding(sandbox_of_ci["api_url"], special)) as url:
        finished = _sign(program, sandbox_of_ci, "github", ci=url)

    _assert_not_compared(finished)
    assert "SHA-256" in finished.err


def test_without_the_api_s_address_there_is_no_comparison(program: Program, sandbox_of_ci: Sandbox) -> None:
    _assert_not_compared(_sign(program, sandbox_of_ci, "github", GITHUB_API_URL=""))


@pytest.mark.parametrize(("options", "is_said"), [(("--compare", "off"), True), (("--verify", "off"), False)])
def test_who_switches_it_off_asks_nobody(
    program: Program, sandbox_of_ci: Sandbox, options: tuple[str, str], is_said: bool
) -> None:
    asked: list[str] = []

    def special(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        asked.append(handler.path)
        return False

    with serving(forwarding(sandbox_of_ci["api_url"], special)) as url:
        finished = _sign(program, sandbox_of_ci, "github", *options, ci=url)

    assert (finished.code, asked) == (0, [])
    assert ("The content is not compared" in finished.err) is is_said


def test_a_self_hosted_connector_s_token_does_not_go_to_the_public_api(
    program: Program, sandbox_of_ci: Sandbox
) -> None:
    finished = _sign(program, sandbox_of_ci, "github", SIGNPATH_API_URL="")

    assert finished.code == 0, finished.err
    assert finished.json["verification"]["verdicts"][0]["trust"] == "not-checked"
    assert "--api-url is not given" in finished.err


def test_the_stored_artifact_says_what_describes_unsigned_files(program: Program, sandbox_of_ci: Sandbox) -> None:
    finished = _sign(program, sandbox_of_ci, "github", "--write-checksums", "sums")

    signed = program.directory / "out" / "app.exe"
    digest = hashlib.sha256(signed.read_bytes()).hexdigest()
    assert [(file["path"], file["sha256"]) for file in finished.json["files"]] == [("out/app.exe", digest)]
    assert set(finished.json["files"][0]["unsigned"]) == {"size", "md5", "sha1", "sha256", "sha384", "sha512"}
    assert (program.directory / "sums").read_text("utf-8") == f"{digest}  out/app.exe\n"

"""Tokens: in no argument, child, temporary file, output or log, and on no other host.

The matrix looks for them too: each of its runs logs everything, and none of what it wrote may hold a token.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.cli import COMMANDS
from tests.faults.conftest import at
from tests.faults.proxy import Answer, Exchange, relay
from tests.support.builds import COMMIT, PLATFORMS
from tests.support.files import serving_files
from tests.support.loopback import Connection, loopback
from tests.support.program import Program, Sandbox, finish

_TOKENS = {
    "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": "the-token-of-a-trusted-build-system",
    "SIGNPATH_GITHUB_TOKEN": "ghs_the0token0of0the0job0000000000000000",
    "SIGNPATH_GITLAB_ACCESS_TOKEN": "glpat-the-token-of-a-project",
    "SIGNPATH_AZURE_DEVOPS_TOKEN": "the-system-access-token-of-a-job",
    "GITHUB_TOKEN": "ghs_another0token0of0the0same0job0000000",
    "CI_JOB_TOKEN": "glcbt-the-token-of-a-job",
    "SYSTEM_ACCESSTOKEN": "another-system-access-token",
    "SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS": "the-key-of-somebody-elses-store",
    "HTTPS_PROXY_PASSWORD": "what-belongs-to-somebody-else",
}
_ARGUMENTS = {
    "sign": ["sign", "app.exe"],
    "submit": ["submit", "app.exe"],
    "verify": ["verify", "app.exe"],
    "origin": ["origin"],
    "resubmit": ["resubmit", "11111111-1111-1111-1111-111111111111", "-o", "out.exe"],
}
_ENDLESS = {"sandbox", "demo"}


def _files_below(directory: Path) -> str:
    return "\n".join(
        path.read_bytes().decode("latin-1")
        for path in directory.rglob("*")
        if path.is_file() and ".git" not in path.parts
    )


def _shown(text: str, *, api_token: str) -> list[str]:
    """Return the names of the tokens that a text holds."""
    return [name for name, token in {"SIGNPATH_API_TOKEN": api_token, **_TOKENS}.items() if token in text]


@pytest.fixture
def careless(job: Program, sandbox: Sandbox) -> Program:
    """A job with every token in its environment, that logs everything."""
    own = {
        **_TOKENS,
        "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": sandbox["trusted_build_system_token"],
        "SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS": f"X-Key: {_TOKENS['SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS']}",
    }
    environment = {**job.environment, **own, "SIGNPATH_LOG_LEVEL": "debug", "TMPDIR": str(job.directory / "tmp")}
    (job.directory / "tmp").mkdir()
    return replace(job, environment=environment)


@pytest.fixture
def witness(careless: Program) -> Path:
    """A `git` on the PATH that writes down its arguments and environment, and does what git does."""
    directory = careless.directory / "bin"
    directory.mkdir()
    record = careless.directory / "children"
    git = directory / "git"
    git.write_text(f'#!/bin/sh\n{{ env; echo "$@"; }} >> {record}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    return record


def _checkout(directory: Path) -> str:
    """Make the job's directory a clean checkout; return its commit."""
    (directory / ".gitignore").write_text("*\n")
    commands = [["init", "-q", "-b", "main"], ["add", "-f", ".gitignore"], ["commit", "-q", "-m", "one"]]
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in commands:
        subprocess.run(["git", *identity, *command], cwd=directory, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("step", ["create", "upload", "poll", "download"])
def test_a_running_command_shows_no_token(careless: Program, witness: Path, sandbox: Sandbox, step: str) -> None:
    commit = _checkout(careless.directory)
    arrived, released = threading.Event(), threading.Event()

    def hold(exchange: Exchange) -> None:
        answer = exchange.upstream_answer
        arrived.set()
        released.wait(30)
        exchange.send(answer)

    environment = {
        **careless.environment,
        **PLATFORMS["gitlab"],
        "CI_COMMIT_SHA": commit,
        "PATH": f"{witness.parent / 'bin'}:{os.environ['PATH']}",
    }
    run = replace(careless, environment=environment)
    with (
        at(sandbox, step, hold) as url,
        run.start("sign", "app.exe", "--allow-untrusted-origin", SIGNPATH_API_URL=url) as process,
    ):
        assert arrived.wait(30)
        arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
        files = _files_below(careless.directory)
        released.set()
        ended = finish(process)

    assert ended.code == 0, ended.err
    children = witness.read_text()
    assert "rev-parse" in children
    for text in (arguments, files, children, ended.out, ended.err, _files_below(careless.directory)):
        assert not _shown(text, api_token=sandbox["api_token"])
        assert sandbox["trusted_build_system_token"] not in text


@pytest.mark.parametrize("step", ["create", "upload", "poll", "download"])
def test_another_host_gets_nothing_at_all(careless: Program, sandbox: Sandbox, step: str) -> None:
    with loopback(Connection.hang) as elsewhere:

        def redirect(exchange: Exchange) -> None:
            exchange.read(exchange.length)
            exchange.send(Answer(307, (("Location", f"{elsewhere.url}/{exchange.path}"),), b""))

        with at(sandbox, step, redirect) as url:
            ended = careless("sign", "app.exe", SIGNPATH_API_URL=url, SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="")
        assert elsewhere.accepted == 0

    assert ended.code == 2, ended.err
    assert "redirects to 127.0.0.1:" in ended.error
    assert not _shown(ended.out + ended.err, api_token=sandbox["api_token"])


_WRONG = {
    "nobody there": {"SIGNPATH_API_URL": "http://127.0.0.1:1/Api"},
    "password in the URL": {"SIGNPATH_API_URL": "https://user:the-pass-word@127.0.0.1:1/Api"},
    "no URL": {"SIGNPATH_API_URL": "not a URL"},
    "token as id": {"SIGNPATH_ORGANIZATION_ID": _TOKENS["SIGNPATH_GITHUB_TOKEN"]},
    "no duration": {"SIGNPATH_WAIT_FOR_COMPLETION_TIMEOUT": "soon"},
    "proxy": {"HTTPS_PROXY": "http://user:the-pass-word@127.0.0.1:1", "SIGNPATH_API_URL": "https://192.0.2.1/Api"},
}
_CASES = [("sign", wrong) for wrong in _WRONG] + [
    (command.name, wrong)
    for command in COMMANDS
    if command.name not in {"sign", *_ENDLESS}
    for wrong in ("nobody there", "password in the URL")
]


@pytest.mark.parametrize(("name", "wrong"), _CASES)
def test_no_failure_of_any_command_shows_a_token(careless: Program, sandbox: Sandbox, name: str, wrong: str) -> None:
    arguments = _ARGUMENTS.get(name, [name, "11111111-1111-1111-1111-111111111111"])
    environment = {"SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT": "0.2", "SIGNPATH_CONNECT_TIMEOUT": "0.5", **_WRONG[wrong]}

    ended = careless(*arguments, **environment)

    written = ended.out + ended.err + _files_below(careless.directory)
    assert not _shown(written, api_token=sandbox["api_token"])
    assert "the-pass-word" not in written


@pytest.mark.sample(6)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("step", ["create", "upload", "poll", "download"])
def test_a_server_that_repeats_what_it_got_makes_no_token_show(
    careless: Program, sandbox: Sandbox, step: str, status: int
) -> None:
    def repeat(exchange: Exchange) -> None:
        exchange.read(exchange.length)
        page = f"<html><title>Dump: {exchange.headers['authorization']}</title></html>"
        exchange.send(Answer(status, (("Content-Type", "text/html"),), page.encode()))

    with at(sandbox, step, repeat) as url:
        ended = careless("sign", "app.exe", "--verify", "off", "--allow-untrusted-origin", SIGNPATH_API_URL=url)

    assert not _shown(ended.out + ended.err, api_token=sandbox["api_token"])
    assert sandbox["trusted_build_system_token"] not in ended.out + ended.err


@pytest.mark.parametrize("fault", ["none", "refused", "lost"])
def test_a_link_and_its_headers_go_to_signpath_only(careless: Program, sandbox: Sandbox, fault: str) -> None:
    def refuse(exchange: Exchange) -> None:
        sent = exchange.read(exchange.length)  # some servers repeat what they refuse
        parts = [part[:200] for part in sent.split(b"form-data; ") if b"httpHeaders" in part or b"].value" in part]
        exchange.send(Answer(400, (("Content-Type", "text/plain"),), b" ".join(parts) + sent))

    faults = {"none": relay, "refused": refuse, "lost": Exchange.reset}
    with serving_files() as (files, served), at(sandbox, "link submit", faults[fault]) as url:
        served["/app.exe?signature=the-signature-of-a-link"] = (careless.directory / "app.exe").read_bytes()
        link = f"{files}/app.exe?signature=the-signature-of-a-link"
        where = {"SIGNPATH_API_URL": url, "SIGNPATH_ARTIFACT_RETRIEVAL_URL": link}
        ended = careless("sign", "app.exe", "--receipt", "r.json", SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="", **where)

    assert ended.code == {"none": 0, "refused": 3, "lost": 6}[fault], ended.err
    written = ended.out + ended.err + _files_below(careless.directory)
    assert not _shown(written, api_token=sandbox["api_token"])
    assert "the-signature-of-a-link" not in written


@pytest.mark.parametrize(
    "command",
    [
        *(("sign", "app.exe", "--force"), ("sign", "app.exe", "b.exe"), ("sign", "--bundle", "app.exe", "b.exe")),
        *(("submit", "app.exe"), ("status", "ID"), ("cancel", "ID"), ("wait", "ID"), ("download", "ID", "-o", "c.exe")),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("platform", "mask"), [("github", "::add-mask::"), ("azure", "##vso[task.setsecret]")], ids=["github", "azure"]
)
def test_a_platform_masks_the_tokens_before_anything_else_is_said(
    careless: Program, sandbox: Sandbox, platform: str, mask: str, command: tuple[str, ...]
) -> None:
    build = {**PLATFORMS[platform], "GITHUB_SHA": COMMIT, "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": ""}
    shutil.copy(careless.directory / "app.exe", careless.directory / "b.exe")
    request_id = ""
    if "ID" in command:
        request_id = careless("sign", "app.exe", "--json", "--allow-untrusted-origin").json["signing_request_id"]

    ended = careless(*(request_id if word == "ID" else word for word in command), **build)

    assert ended.code == 0, ended.err
    lines = ended.err.splitlines()
    masks = [line for line in lines if line.startswith(mask)]
    assert f"{mask}{sandbox['api_token']}" in masks
    assert lines[: len(masks)] == masks
    others = "\n".join(line for line in lines if line not in masks) + ended.out
    assert not _shown(others, api_token=sandbox["api_token"])

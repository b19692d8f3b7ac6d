"""Servers and file names that attack: whatever they say is data, on every platform, wherever it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.conftest import at
from tests.faults.proxy import Answer, Exchange
from tests.support.builds import PLATFORMS
from tests.support.program import Finished, Program, Sandbox

_ATTACK = (
    "\x1b]0;owned\x07\x1b[2K::set-env name=OWNED::1\n::set-env name=OWNED::1\r\n"
    "##vso[task.setvariable variable=OWNED]1\n##[error]owned\u202egnp.exe\u2066\u200b\x00\x9b31m\u2028OWNED=1\n"
    "<script>alert(1)</script><img src=x onerror=alert(1)>[owned](javascript:alert(1))|a|`b`\n\n# owned"
)
_LINKS = ["javascript:alert(1)", "data:text/html,owned", f"https://a.example/{_ATTACK}", "//a.example", "file:///etc"]
_FILES = {"github": ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"]}
_ALL_PLATFORMS = ["none", *PLATFORMS]
_COMMAND = re.compile(r"::(add-mask|group|endgroup|error|warning|notice|debug)(::| )")
_SECTION = re.compile(r"\x1b\[0Ksection_(start|end):\d+:signpath_\d+(\[collapsed=true\])?\r\x1b\[0K")
"""What this program itself says to GitHub and to GitLab."""


def _rewriting(change: Callable[[dict[str, object]], None]) -> Callable[[Exchange], None]:
    def rewrite(exchange: Exchange) -> None:
        answer = exchange.upstream_answer
        said = json.loads(answer.body)
        change(said)
        exchange.send(Answer(answer.status, answer.headers, json.dumps(said).encode()))

    return rewrite


def _on(job: Program, platform: str) -> Program:
    """Put a job on a platform, with the files that it gives a step."""
    build = dict(PLATFORMS.get(platform, {}))
    for name in _FILES.get(platform, []):
        (job.directory / name).touch()
        build[name] = str(job.directory / name)
    return replace(job, environment={**job.environment, **build})


def _check(job: Program, ended: Finished) -> None:
    """Check that nothing of what was said became anything but text."""
    reports = [path for path in job.directory.rglob("*") if path.is_file() and not path.name.startswith("app")]
    texts = [ended.out, ended.err, *(path.read_text(encoding="utf-8") for path in reports)]
    for text in (_SECTION.sub("", text) for text in texts):
        assert all(c == "\n" or c.isprintable() for c in text), ascii(text)
        for line in text.split("\n"):
            assert not line.startswith("OWNED="), text
            assert not line.lstrip().startswith("::") or _COMMAND.match(line), line
            assert all("OWNED" not in command.partition("]")[0] for command in line.split("##vso[")[1:]), line
        assert "##[error]owned" not in text
    for path in reports:
        summary = re.sub("`[^`\n]*`", "", path.read_text(encoding="utf-8"))  # in code, all is literal
        assert "<script" not in summary
        assert "<img" not in summary
        assert "](javascript:" not in summary
        assert "\n# owned" not in summary


@pytest.mark.parametrize("platform", _ALL_PLATFORMS)
def test_what_a_status_says_is_only_shown(job: Program, sandbox: Sandbox, platform: str) -> None:
    def attack(said: dict[str, object]) -> None:
        said.update(workflowStatus=_ATTACK, webLink=_LINKS[2], unheardOf={"a": _ATTACK})

    with at(sandbox, "poll", _rewriting(attack)) as url:
        here = _on(job, platform)
        ended = here("sign", "app.exe", SIGNPATH_API_URL=url)

    assert ended.code == 0, ended.err
    _check(here, ended)


@pytest.mark.parametrize("platform", _ALL_PLATFORMS)
def test_what_a_refusal_says_is_only_shown(job: Program, sandbox: Sandbox, platform: str) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.read(exchange.length)
        body = json.dumps({"title": _ATTACK, "detail": _ATTACK, "errors": {_ATTACK: [_ATTACK]}}).encode()
        exchange.send(Answer(403, (("Content-Type", "application/problem+json"),), body))

    with at(sandbox, "create", refuse) as url:
        here = _on(job, platform)
        ended = here("sign", "app.exe", SIGNPATH_API_URL=url)

    assert ended.code == 3, ended.err
    _check(here, ended)


@pytest.mark.parametrize("platform", _ALL_PLATFORMS)
def test_how_a_request_ended_is_only_shown(job: Program, sandbox: Sandbox, platform: str) -> None:
    def attack(said: dict[str, object]) -> None:
        said.update(status=_ATTACK, workflowStatus=_ATTACK, isFinalStatus=True)

    with at(sandbox, "poll", _rewriting(attack)) as url:
        here = _on(job, platform)
        ended = here("sign", "app.exe", SIGNPATH_API_URL=url)

    assert ended.code == 4, ended.err
    _check(here, ended)


@pytest.mark.parametrize("link", _LINKS)
def test_a_link_that_is_none_is_not_shown_as_one(job: Program, sandbox: Sandbox, link: str) -> None:
    with at(sandbox, "create", _rewriting(lambda said: said.update(webLink=link))) as url:
        here = _on(job, "github")
        ended = here("sign", "app.exe", "--json", SIGNPATH_API_URL=url)

    assert ended.code == 0, ended.err
    assert ended.json["web_link"] is None
    _check(here, ended)


@pytest.mark.parametrize("request_id", ["../../../../sandbox/requests?", _ATTACK, "a/b", "..", "x" * 100_000])
def test_an_id_leads_nowhere_else(job: Program, sandbox: Sandbox, request_id: str) -> None:
    with at(sandbox, "create", _rewriting(lambda said: said.update(signingRequestId=request_id))) as url:
        ended = job("sign", "app.exe", SIGNPATH_API_URL=url)

    assert ended.code in {2, 3}, ended.err
    assert len(ended.error) < 5000
    _check(job, ended)


@pytest.mark.parametrize("platform", _ALL_PLATFORMS)
def test_a_file_name_is_only_shown(job: Program, platform: str) -> None:
    name = "app" + _ATTACK.replace("/", "").replace("\x00", "")[:120] + ".exe"
    (job.directory / "app.exe").rename(job.directory / name)
    here = _on(job, platform)

    ended = here("sign", name, "--output", "app.signed.exe")

    assert ended.code == 0, ended.err
    _check(here, ended)


@pytest.mark.parametrize("platform", _ALL_PLATFORMS)
def test_names_of_several_files_are_only_shown(job: Program, platform: str) -> None:
    name = "app" + _ATTACK.replace("/", "").replace("\x00", "")[:120] + ".exe"
    (job.directory / "files").mkdir()
    (job.directory / "app.exe").rename(job.directory / "files" / name)
    here = _on(job, platform)

    # A path that is handed on as a value is just that, so here nothing is fetched.
    ended = here("sign", "files", "--json", "--no-wait-for-completion")

    assert ended.code == 0, ended.err
    _check(here, ended)


@pytest.mark.parametrize(
    "manifest",
    [
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\n",
        "project: !!python/object/apply:os.system ['touch owned']\n",
        "project: " + "[" * 50_000 + "\n",
        "project: demo\nproject: other\n",
        _ATTACK,
        "x: y\n" * 500_000,
    ],
    ids=["aliases", "tag", "depth", "twice", "attack", "size"],
)
def test_a_manifest_that_attacks_is_refused(job: Program, manifest: str) -> None:
    (job.directory / ".signpath").mkdir()
    path = job.directory / ".signpath" / "signing.yml"
    path.write_text(manifest, encoding="utf-8")

    ended = job("sign", "app.exe")

    assert ended.code == 2, ended.err
    assert not (job.directory / "owned").exists()
    assert "Traceback" not in ended.err
    path.unlink()
    _check(job, ended)

"""What of a manifest counts: nothing that leads out of the checkout, and what loosens only where it is trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signpath_ci import cli, settings
from signpath_ci.errors import UsageError
from signpath_ci.settings.manifest_policy import Notice

TOKEN = {"SIGNPATH_API_TOKEN": "t" * 20, "SIGNPATH_ORGANIZATION_ID": "0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11"}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "0" * 40,
    "GITHUB_RUN_ID": "1",
    "GITHUB_EVENT_NAME": "push",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_SERVER_URL": "https://gitlab.com",
    "CI_PROJECT_URL": "https://gitlab.com/acme/app",
    "CI_COMMIT_SHA": "0" * 40,
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_BRANCH": "main",
    "CI_PIPELINE_SOURCE": "push",
    "CI_JOB_URL": "https://gitlab.com/acme/app/-/jobs/1",
    "CI_PIPELINE_ID": "1",
}
MERGE_REQUEST = {
    **{name: text for name, text in GITLAB.items() if name != "CI_COMMIT_BRANCH"},
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "3",
    "CI_MERGE_REQUEST_PROJECT_PATH": "acme/app",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.com/acme/app",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "app",
    "BUILD_REPOSITORY_URI": "https://dev.azure.com/acme/app/_git/app",
    "BUILD_REPOSITORY_PROVIDER": "TfsGit",
    "BUILD_SOURCEBRANCH": "refs/heads/main",
    "BUILD_SOURCEVERSION": "0" * 40,
    "BUILD_BUILDID": "1",
    "BUILD_REASON": "IndividualCI",
}


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    monkeypatch.chdir(checkout)


def _sign(
    manifest: str, environment: dict[str, str] | None = None, *arguments: str
) -> tuple[settings.SignSettings, list[Notice]]:
    path = Path(".signpath/signing.yml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"version: 1\nproject: app\npolicy: test\n{manifest}", encoding="utf-8")
    notices: list[Notice] = []
    given = {**TOKEN, **(environment or {})}
    _, found = cli.parse(["sign", *arguments], given, directory=Path.cwd(), notices=notices)
    assert isinstance(found, settings.SignSettings)
    return found, notices


def _pull_request(tmp_path: Path, *, fork: bool) -> dict[str, str]:
    def repository(name: str) -> dict[str, object]:
        return {"repo": {"full_name": name, "html_url": f"https://github.com/{name}", "fork": fork}, "ref": "topic"}

    event = {"number": 3, "pull_request": {"number": 3, "head": repository("x/app" if fork else "acme/app")}}
    event["pull_request"]["base"] = repository("acme/app")  # type: ignore[index]
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    return {
        **GITHUB,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/3/merge",
        "GITHUB_EVENT_PATH": str(path),
    }


@pytest.mark.parametrize(
    "manifest",
    [
        "output: {path: /home/user/profile}",
        "output: {path: ../home/profile}",
        "output: {path: link/profile}",
        "output: {receipt: link}",
        "output: {receipt: /tmp/r.json}",
        "artifacts: [/etc/passwd]",
        "artifacts: [ok.exe, link/*.exe]",
        "artifacts: ['../*']",
        "output: {path: .git/hooks/post-checkout}",
        "api-url: https://evil.example/Api",
        "api-url: http://127.0.0.1.evil.example/Api",
        "api-url: https://localhost@evil.example/Api",
    ],
)
def test_what_leads_elsewhere_is_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "home").mkdir()
    Path("link").symlink_to(tmp_path / "home")
    with pytest.raises(UsageError, match=r"signing\.yml:4: ") as caught:
        _sign(manifest)
    assert caught.value.code == "invalid-manifest"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8"])
def test_a_service_on_this_machine_is_taken_where_the_manifest_is_trusted(host: str) -> None:
    manifest = f"api-url: http://{host}/Api"
    assert _sign(manifest, {}, "--trust-manifest")[0].api_url == f"http://{host}/Api"
    with pytest.raises(UsageError, match="where the token goes"):
        _sign(manifest)


def test_a_manifest_that_is_a_link_out_of_the_checkout_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "signing.yml").write_text("version: 1\n", encoding="utf-8")
    Path(".signpath").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="not a file of the checkout"):
        cli.parse(["sign", "a.exe"], TOKEN)


LOOSENING = [
    "output: {force: true}",
    "output: {in-place: true}",
    "verify: {level: 'off'}",
    "verify: {allow-unsupported: ['*']}",
    "verify: {skip-signed: true}",
    "verify: {trust-roots: [a.pem]}",
    f"verify: {{thumbprints: [{'a' * 64}]}}",
    "verify: {signer-certificate: a.pem}",
    "on-missing-token: skip",
    "wait: {for-completion: false}",
]


def _differs(found: settings.SignSettings) -> bool:
    default, _ = _sign("")
    _sign("")
    return any(vars(found)[name] != value for name, value in vars(default).items())


@pytest.mark.parametrize("manifest", LOOSENING)
def test_what_loosens_is_announced(manifest: str) -> None:
    found, notices = _sign(manifest)
    assert _differs(found)
    assert [notice.level for notice in notices] == [20]
    assert "signing.yml:4" in notices[0].text


@pytest.mark.parametrize("manifest", LOOSENING)
def test_what_loosens_does_not_count_in_a_strangers_checkout(manifest: str) -> None:
    environment = {**GITHUB, "GITHUB_EVENT_NAME": "pull_request_target"}
    found, notices = _sign(manifest, environment)
    assert not _differs(found)
    assert [notice.level for notice in notices] == [30]
    assert "--trust-manifest" in notices[0].text


@pytest.mark.parametrize(
    "manifest", ["verify: {level: strict}", "output: {path: out}", "wait: {timeout: 1h}", "bundle: true"]
)
def test_what_does_not_loosen_counts_everywhere(manifest: str) -> None:
    found, notices = _sign(manifest, {**GITHUB, "GITHUB_EVENT_NAME": "workflow_run"})
    assert _differs(found)
    assert notices == []


def test_the_pipeline_may_trust_the_manifest() -> None:
    environment = {**GITHUB, "GITHUB_EVENT_NAME": "workflow_run"}
    assert _sign("output: {force: true}", environment, "--trust-manifest")[0].force
    assert _sign("output: {force: true}", {**environment, "SIGNPATH_TRUST_MANIFEST": "true"})[0].force
    with pytest.raises(UsageError):
        _sign("trust-manifest: true\noutput: {force: true}", environment)


@pytest.mark.parametrize(
    ("environment", "is_strangers"),
    [
        ({}, False),
        (GITHUB, False),
        *[
            ({**GITHUB, "GITHUB_EVENT_NAME": name}, True)
            for name in ("pull_request_target", "workflow_run", "issue_comment")
        ],
        ({**GITHUB, "GITHUB_EVENT_NAME": "schedule"}, False),
        ({**GITHUB, "GITHUB_REPOSITORY": ""}, True),  # it can't be told
        (GITLAB, False),
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "acme/app"}, False),
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "x/app"}, True),
        (MERGE_REQUEST, True),  # it may be
        ({**GITLAB, "CI_PIPELINE_SOURCE": "external_pull_request_event"}, True),
        (AZURE, False),
        ({**AZURE, "BUILD_REASON": "ResourceTrigger"}, True),
        *[
            (
                {
                    **AZURE,
                    "BUILD_REASON": "PullRequest",
                    "BUILD_SOURCEBRANCH": "refs/pull/3/merge",
                    "SYSTEM_PULLREQUEST_PULLREQUESTID": "3",
                    "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/topic",
                    "SYSTEM_PULLREQUEST_ISFORK": is_fork,
                },
                is_fork != "False",
            )
            for is_fork in ("True", "False", "")
        ],
    ],
)
def test_whose_checkout_it_is(environment: dict[str, str], is_strangers: bool) -> None:
    found, _ = _sign("output: {force: true}", environment)
    assert found.force is not is_strangers


@pytest.mark.parametrize("fork", [True, False])
def test_a_pull_request_of_a_fork_on_github(tmp_path: Path, fork: bool) -> None:
    found, _ = _sign("output: {force: true}", _pull_request(tmp_path, fork=fork))
    assert found.force is not fork

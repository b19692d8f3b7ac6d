"""The connector way, end to end: the sandbox plays SignPath, its connectors, and the CI systems' artifact stores."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.commands.test_origin import ORGANIZATION
from tests.support.builds import COMMIT, PLATFORMS, REPOSITORIES
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, Sandbox, job_environment, tree
from tests.support.servers import forwarding, serving, text_answer

BUILD = {
    "github": {"SIGNPATH_GITHUB_ARTIFACT_ID": "4711", "SIGNPATH_GITHUB_TOKEN": "ghs_token-of-the-job"},
    "gitlab": {
        "CI_PROJECT_ID": "5",
        "SIGNPATH_GITLAB_ARTIFACT_JOB_NAME": "build",
        "SIGNPATH_GITLAB_ARTIFACT_PATH": "out/app.exe",
        "SIGNPATH_GITLAB_ACCESS_TOKEN": "glpat-token-of-the-project",
    },
    "azure": {
        "SYSTEM_TEAMPROJECTID": "p",
        "SIGNPATH_AZURE_DEVOPS_ARTIFACT_NAME": "drop",
        "SIGNPATH_AZURE_DEVOPS_TOKEN": "system-access-token",
    },
}
CONNECTORS = {"github": "github", "github_pipeline": "github", "gitlab": "gitlab", "azure": "azure"}
_POLICIES = """
      - {slug: test-signing}
      - {slug: release-signing, allowed_branches: [main], origin_verification: true}
"""


def _configuration() -> str:
    lines = [f"organization: {{id: {ORGANIZATION}}}", "api_tokens: [{name: ci, token: api-token-of-ci}]", "projects:"]
    for platform, url in REPOSITORIES.items():
        lines.append(f"  - slug: {platform}\n    repository_url: {url}\n    signing_policies:{_POLICIES}")
    lines.append("runs:")
    for platform, url in REPOSITORIES.items():
        for number, branch in (("77", "main"), ("78", "feature/x")):
            lines.append(
                f"  - {{platform: {platform}, id: '{number}', repository_url: '{url}', branch: {branch}, "
                f"commit: {COMMIT}, build_url: '{url}/builds/{number}'}}"
            )
    return "\n".join(lines) + "\n"


def _zip(entries: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return content.getvalue()


@pytest.fixture(scope="module")
def sandbox_of_ci(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that knows two builds on each platform, one of main and one of another branch, and their artifacts."""
    directory = tmp_path_factory.mktemp("ci")
    config, store = directory / "sandbox.yml", directory / "artifacts"
    config.write_text(_configuration(), encoding="utf-8")
    launcher = LAUNCHERS["x64"].read_bytes()
    files = {
        "github/4711.zip": _zip({"app.exe": launcher, "docs/readme.txt": b"hello"}),
        "gitlab/build/out/app.exe": launcher,
        "azure/drop.zip": _zip({"drop/app.exe": launcher, "drop/readme.txt": b"hello"}),
    }
    for name, content in files.items():
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(content)
    options = ["--processing-seconds", "0", "--config", str(config), "--artifact-store", str(store)]
    with running_sandbox([*options, "--state", str(directory / "state")]) as said:
        yield said


def ci_job(program: Program, sandbox: Sandbox, connector: str, build: str = "77", **more: str) -> Program:
    platform = CONNECTORS[connector]
    number = {"github": "GITHUB_RUN_ID", "gitlab": "CI_PIPELINE_ID", "azure": "BUILD_BUILDID"}[platform]
    environment = {
        **job_environment(sandbox),
        **PLATFORMS[platform],
        **BUILD[platform],
        number: build,
        "SIGNPATH_API_TOKEN": "api-token-of-ci",
        "SIGNPATH_PROJECT_SLUG": platform,
        "SIGNPATH_SIGNING_POLICY_SLUG": "release-signing",
        "SIGNPATH_CONNECTOR_URL": sandbox["connectors"][connector],
        # Whoever contacts anything but the connector fails.
        "SIGNPATH_API_URL": "http://127.0.0.1:1/Api",
        **more,
    }
    return replace(program, environment=environment)


@pytest.mark.parametrize(
    ("connector", "output", "files"),
    [
        ("github", ("--output-artifact-directory", "out"), ["app.exe", "docs", "docs/readme.txt"]),
        ("github_pipeline", ("--output-artifact-directory", "out"), ["app.exe", "docs", "docs/readme.txt"]),
        ("azure", ("--output-artifact-directory", "out"), ["drop", "drop/app.exe", "drop/readme.txt"]),
        ("gitlab", ("--output", "out/app.exe"), ["app.exe"]),
    ],
)
def test_the_platform_s_own_artifact_is_signed_verified_and_delivered(
    program: Program, sandbox_of_ci: Sandbox, connector: str, output: tuple[str, str], files: list[str]
) -> None:
    job = ci_job(program, sandbox_of_ci, connector)
    if connector == "gitlab":
        (program.directory / "out").mkdir()

    finished = job("sign", *output, "--json")

    assert finished.code == 0, finished.err
    delivered = tree(program.directory / "out")
    assert list(delivered) == files
    assert {text for name, text in delivered.items() if name.endswith(".txt")} <= {b"hello"}
    [verdict] = finished.json["verification"]["verdicts"]
    assert verdict["trust"] == "root"
    [executable] = [name for name in files if name.endswith("app.exe")]
    verified = job("verify", Path("out") / executable, "--unsigned", LAUNCHERS["x64"])
    assert verified.code == 0, verified.err


def test_a_manifest_of_all_ways_does_not_stand_in_the_way_of_the_connector(
    program: Program, sandbox_of_ci: Sandbox
) -> None:
    (program.directory / ".signpath").mkdir()
    (program.directory / ".signpath" / "signing.yml").write_text(
        "version: 1\nartifacts: [dist]\noutput: {path: elsewhere, receipt: receipts}\nwait: {cancel-after: 10m}\n"
        "origin: {verify: true}\n",
        encoding="utf-8",
    )

    finished = ci_job(program, sandbox_of_ci, "github")("sign", "--output-artifact-directory", "out")

    assert finished.code == 0, finished.err
    assert sorted(path.name for path in program.directory.iterdir()) == [".signpath", "out"]


@pytest.mark.parametrize("connector", ["github", "github_pipeline", "azure"])
def test_a_job_that_is_run_again_goes_on_with_its_request(
    program: Program, sandbox_of_ci: Sandbox, connector: str
) -> None:
    job = ci_job(program, sandbox_of_ci, connector)

    first = job("sign", "--receipt", "r.json", "--json")
    again = job("sign", "--receipt", "r.json", "--json", "--output-artifact-directory", "out")
    another = job("sign", "--receipt", "r.json", "--json", "--parameter", "Version=2")

    assert (first.code, again.code, another.code) == (0, 0, 0), first.err + again.err + another.err
    ids = [run.json["signing_request_id"] for run in (first, again, another)]
    assert (ids[0] == ids[1], ids[1] == ids[2]) == (True, False)
    assert "Going on with the signing request of the receipt r.json; nothing is submitted again." in again.err
    assert "does not fit: the parameters Version are others. Submitting anew." in another.err
    assert (program.directory / "out").is_dir()
    # The receipt is one for the other commands, too.
    fetched = job("status", "r.json", SIGNPATH_API_URL=sandbox_of_ci["api_url"])
    assert (fetched.code, ids[2] in fetched.out) == (2, False)


@pytest.mark.parametrize(
    ("connector", "unsigned", "readme", "output"),
    [
        ("github", "dist", "docs/readme.txt", ("--output-artifact-directory", "out")),
        ("azure", "dist", "readme.txt", ("--output-artifact-directory", "out")),
        ("gitlab", "dist/app.exe", None, ("--output", "signed.exe")),
    ],
)
def test_what_was_published_is_compared_where_it_is_at_hand(
    program: Program,
    sandbox_of_ci: Sandbox,
    connector: str,
    unsigned: str,
    readme: str | None,
    output: tuple[str, str],
) -> None:
    job, dist = ci_job(program, sandbox_of_ci, connector), program.directory / "dist"
    (dist / "docs").mkdir(parents=True)
    if connector == "github":
        (dist / ".hidden").write_bytes(b"not published")
    (dist / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    if readme:
        (dist / readme).write_bytes(b"hello")

    same = job("sign", *output, "--unsigned", unsigned, "--json")
    (dist / (readme or "app.exe")).write_bytes(b"other" if readme else LAUNCHERS["x86"].read_bytes())
    other = job("sign", "--force", *output, "--unsigned", unsigned)

    assert same.code == 0, same.err
    assert [one["identity"] for one in same.json["verification"]["verdicts"]] == ["same"]
    assert other.code == 7
    assert (readme or "signed.exe") in other.error


@pytest.mark.parametrize(
    ("unsigned", "words"),
    [("none", "none does not exist"), ("empty", "empty is no file, and holds none")],
)
def test_what_there_is_nothing_to_compare_with_is_known_before(
    program: Program, sandbox_of_ci: Sandbox, unsigned: str, words: str
) -> None:
    (program.directory / "empty" / "sub").mkdir(parents=True)
    job = ci_job(program, sandbox_of_ci, "github")

    refused = job("sign", "--output-artifact-directory", "out", "--unsigned", unsigned)

    assert (refused.code, words in refused.error) == (8, True), refused.err


def test_no_receipt_where_an_artifact_s_name_may_come_to_mean_another(program: Program, sandbox_of_ci: Sandbox) -> None:
    refused = ci_job(program, sandbox_of_ci, "gitlab")("sign", "--receipt", "r.json", "-o", "app.exe")

    assert (refused.code, "a job that is retried has others" in refused.error) == (2, True)
    assert {path.name for path in program.directory.iterdir()} <= {"signpath.env"}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_build_of_another_branch_is_refused_with_how_to_fix_it(
    program: Program, sandbox_of_ci: Sandbox, connector: str
) -> None:
    finished = ci_job(program, sandbox_of_ci, connector, "78")("sign", "--output-artifact-directory", "out")

    assert finished.code == 3
    assert "release-signing" in finished.error
    assert "feature/x" in finished.error
    assert {path.name for path in program.directory.iterdir()} <= {"signpath.env"}


def test_an_unknown_artifact_is_refused_with_how_to_fix_it(program: Program, sandbox_of_ci: Sandbox) -> None:
    finished = ci_job(program, sandbox_of_ci, "github", SIGNPATH_GITHUB_ARTIFACT_ID="1")("sign")

    assert finished.code == 3
    assert "artifact" in finished.error.lower()
    assert "artifact-id" in finished.error


def test_without_a_directory_nothing_is_downloaded(program: Program, sandbox_of_ci: Sandbox) -> None:
    finished = ci_job(program, sandbox_of_ci, "github")("sign", "--json")

    assert (finished.code, finished.json["status"], finished.json["output"]) == (0, "Completed", None)
    assert list(program.directory.iterdir()) == []


def test_without_waiting_the_run_lasts_until_the_artifact_was_fetched(program: Program, sandbox_of_ci: Sandbox) -> None:
    polls: list[bytes] = []

    def watch(handler: BaseHTTPRequestHandler, content: bytes) -> bool:
        if "/Status" in handler.path:
            polls.append(content)
        return False

    url = sandbox_of_ci["connectors"]["github"]
    root, _, path = url.removeprefix("http://").partition("/")
    with serving(forwarding(f"http://{root}/x", watch)) as proxy:
        job = ci_job(program, sandbox_of_ci, "github", SIGNPATH_CONNECTOR_URL=f"{proxy}/{path}")
        finished = job("sign", "--no-wait-for-completion")

    assert finished.code == 0, finished.err
    assert len(finished.out.strip()) == 36
    assert polls, "it asks whether the artifact was fetched"
    assert b'"hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval":true' in polls[-1].replace(b" ", b"")


def test_skip_decompress_saves_what_comes_under_its_name(program: Program, sandbox_of_ci: Sandbox) -> None:
    finished = ci_job(program, sandbox_of_ci, "github")(
        "sign", "--output-artifact-directory", "out", "--skip-decompress"
    )

    assert finished.code == 0, finished.err
    [path] = (program.directory / "out").iterdir()
    assert finished.out == f"{Path('out') / path.name}\n"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["app.exe", "docs/readme.txt"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SIGNPATH_GITHUB_ARTIFACT_ID": ""}, "--github-artifact-id (SIGNPATH_GITHUB_ARTIFACT_ID)"),
        ({"SIGNPATH_GITHUB_TOKEN": ""}, "SIGNPATH_GITHUB_TOKEN"),
        ({"GITHUB_RUN_ID": ""}, "GITHUB_RUN_ID"),
        ({"GITHUB_ACTIONS": ""}, "GitHub Actions, GitLab CI or Azure Pipelines"),
        ({"SIGNPATH_CONNECTOR_URL": "http://connector.example"}, "https"),
        ({"SIGNPATH_VERIFY_ORIGIN": "true"}, "--verify-origin"),
    ],
)
def test_what_the_connector_way_needs_is_said_before_anything_is_sent(
    program: Program, sandbox_of_ci: Sandbox, changes: dict[str, str], words: str
) -> None:
    finished = ci_job(program, sandbox_of_ci, "github", **changes)("sign", "--output-artifact-directory", "out")

    assert finished.code == 2
    assert words in finished.error
    assert list(program.directory.iterdir()) == []


def test_a_connector_url_that_is_a_web_page_is_named_as_wrong(program: Program, sandbox_of_ci: Sandbox) -> None:
    with serving(text_answer("<html><title>Intranet</title></html>", content_type="text/html")) as url:
        finished = ci_job(program, sandbox_of_ci, "github", SIGNPATH_CONNECTOR_URL=url)("sign")

    assert finished.code == 2
    assert "SIGNPATH_CONNECTOR_URL" in finished.error


def test_a_submit_that_may_have_been_taken_is_not_repeated(program: Program, sandbox_of_ci: Sandbox) -> None:
    taken: list[bytes] = []

    def lose_the_answer(handler: BaseHTTPRequestHandler, content: bytes) -> bool:
        if handler.command != "POST":
            return False
        taken.append(content)
        handler.close_connection = True
        return True

    url = sandbox_of_ci["connectors"]["github"]
    root, _, path = url.removeprefix("http://").partition("/")
    with serving(forwarding(f"http://{root}/x", lose_the_answer)) as proxy:
        finished = ci_job(program, sandbox_of_ci, "github", SIGNPATH_CONNECTOR_URL=f"{proxy}/{path}")("sign")

    assert (finished.code, len(taken)) == (6, 1)
    assert "may exist" in finished.error


def test_what_a_connector_logs_is_shown_and_can_form_no_command(program: Program, sandbox_of_ci: Sandbox) -> None:
    answer = {
        "signingRequestId": None,
        "validationResult": {"errors": [{"error": "::error::No", "howToFix": "##vso[x]Do"}]},
        "logs": [{"message": "::warning::one", "level": "Warning"}, {"message": "two", "level": "Debug"}],
    }
    with serving(text_answer(json.dumps(answer))) as url:
        finished = ci_job(program, sandbox_of_ci, "github", SIGNPATH_CONNECTOR_URL=url)("sign")

    assert finished.code == 3
    assert ": :warning::one" in finished.err
    assert "two" not in finished.err
    forged = ("::warning::one", "::error::No")
    assert [line for line in finished.err.splitlines() if line.startswith(forged) or "##vso[" in line] == []
    assert "Do" in finished.error

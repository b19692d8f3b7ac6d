"""A build of the same commit on each platform: what its environment says of it."""

from __future__ import annotations

COMMIT = "0123456789abcdef0123456789abcdef01234567"

REPOSITORIES = {
    "github": "https://github.example/acme/app",
    "gitlab": "https://gitlab.example/acme/app",
    "azure": "https://dev.azure.example/acme/app/_git/app",
}
"""The repository of the build, by platform."""

PLATFORMS = {
    "github": {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": COMMIT,
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_NUMBER": "5",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_ACTOR": "someone",
        "GITHUB_WORKFLOW": "build",
    },
    "gitlab": {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/acme/app",
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_SHA": COMMIT,
        "CI_JOB_URL": "https://gitlab.example/acme/app/-/jobs/9",
        "CI_PIPELINE_ID": "77",
        "CI_PIPELINE_SOURCE": "push",
        "GITLAB_USER_LOGIN": "someone",
    },
    "azure": {
        "TF_BUILD": "True",
        "BUILD_REPOSITORY_URI": "https://acme@dev.azure.example/acme/app/_git/app",
        "BUILD_REPOSITORY_PROVIDER": "TfsGit",
        "BUILD_SOURCEBRANCH": "refs/heads/main",
        "BUILD_SOURCEVERSION": COMMIT,
        "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.azure.example/acme/",
        "SYSTEM_TEAMPROJECT": "app",
        "BUILD_BUILDID": "77",
        "BUILD_REASON": "IndividualCI",
        "SYSTEM_JOBATTEMPT": "1",
    },
}
"""The environment of a push to `main`, by platform."""


def on_branch(platform: str, branch: str) -> dict[str, str]:
    """Return the environment of a push to another branch."""
    places = {
        "GITHUB_REF": f"refs/heads/{branch}",
        "CI_COMMIT_BRANCH": branch,
        "BUILD_SOURCEBRANCH": f"refs/heads/{branch}",
    }
    return {name: places.get(name, text) for name, text in PLATFORMS[platform].items()}

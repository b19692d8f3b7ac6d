from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.model import Origin, RecordedOrigin
from signpath_ci.origin.compare import Difference, compare_origin, difference_table

ORIGIN = Origin(
    platform="azure",
    repository_url="https://dev.azure.com/acme/Tools/_git/widget",
    branch="main",
    commit="a" * 40,
    scm="git",
    build_url="https://dev.azure.com/acme/Tools/_build/results?buildId=4711",
)
RECORDED = RecordedOrigin(
    repository_url="https://dev.azure.com/acme/Tools/_git/widget",
    branch="main",
    commit="a" * 40,
    scm="git",
    build_url="https://dev.azure.com/acme/Tools/_build/results?buildId=4711",
)


@pytest.mark.parametrize(
    "recorded",
    [
        RECORDED,
        replace(RECORDED, repository_url="HTTPS://DEV.azure.com:443/acme/Tools/_git/widget.git/"),
        replace(RECORDED, repository_url="https://acme@dev.azure.com/acme/Tools/_git/widget"),
        replace(RECORDED, commit="A" * 40, scm="Git"),
        replace(RECORDED, build_url="https://Dev.Azure.com/acme/Tools/_build/results?buildId=4711"),
        replace(RECORDED, build_settings_file_name="azure-pipelines.yml"),  # unknown here: not compared
    ],
)
def test_the_same_origin(recorded: RecordedOrigin) -> None:
    assert compare_origin(ORIGIN, recorded) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("repository_url", "https://dev.azure.com/acme/Tools/_git/Widget"),
        ("repository_url", "http://dev.azure.com/acme/Tools/_git/widget"),
        ("repository_url", "https://dev.azure.com:8443/acme/Tools/_git/widget"),
        ("repository_url", "https://dev.azure.com.evil.example/acme/Tools/_git/widget"),
        ("repository_url", "git@dev.azure.com:acme/Tools/_git/widget"),
        ("repository_url", ""),
        ("repository_url", None),
        ("branch", "Main"),
        ("branch", "refs/heads/main"),
        ("branch", None),
        ("commit", "a" * 39 + "b"),
        ("commit", "a" * 12),
        ("scm", "svn"),
        ("build_url", "https://dev.azure.com/acme/Tools/_build/results?buildId=4712"),
    ],
)
def test_one_field_differs(field: str, value: str | None) -> None:
    recorded = replace(RECORDED, **{field: value})
    assert compare_origin(ORIGIN, recorded) == [Difference(field, getattr(RECORDED, field) or "", value)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("git@GitHub.com:acme/widget.git", "git@github.com:acme/widget"),
        ("ssh://git@host:22/acme/widget", "ssh://git@HOST/acme/widget/"),
        ("http://tfs:8080/tfs/Default%20Collection/_git/w", "http://tfs:8080/tfs/Default Collection/_git/w"),
    ],
)
def test_repositories_that_are_the_same(ours: str, theirs: str) -> None:
    assert compare_origin(replace(ORIGIN, repository_url=ours), replace(RECORDED, repository_url=theirs)) == []


def test_nothing_recorded_differs_in_all_that_is_known() -> None:
    differences = compare_origin(ORIGIN, None)
    assert [each.field for each in differences] == ["repository_url", "branch", "commit", "scm", "build_url"]
    assert all(each.recorded is None for each in differences)


def test_nothing_known_here_is_nothing_to_compare() -> None:
    assert compare_origin(Origin(platform="local"), RECORDED) == []


def test_the_branch_and_the_file_that_were_sent() -> None:
    tagged = replace(ORIGIN, branch=None, tag="v1")
    file = Path("/build/.github/workflows/release.yml")
    recorded = replace(RECORDED, build_settings_file_name="release.yml")
    assert compare_origin(tagged, recorded, branch="main", build_settings_file=file) == []
    assert compare_origin(
        tagged, replace(recorded, build_settings_file_name="other.yml"), branch="dev", build_settings_file=file
    ) == [Difference("branch", "dev", "main"), Difference("build_settings_file_name", "release.yml", "other.yml")]


def test_the_table_shows_foreign_text_harmlessly() -> None:
    differences = [
        Difference("branch", "main", "evil\n::error::\x1b[31m"),
        Difference("commit", "a" * 8, None),
        Difference("repository_url", "https://host/a", "https://user:SECRET@host/b"),
    ]
    assert difference_table(differences) == [
        "field           collected here  recorded by SignPath",
        "--------------  --------------  --------------------",
        "branch          main            evil ::error::?[31m",
        "commit          aaaaaaaa        -",
        "repository_url  https://host/a  https://host/b",
    ]

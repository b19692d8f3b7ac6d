from __future__ import annotations

from dataclasses import replace

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.metadata import default_description, describe_request, mark_untrusted
from signpath_ci.model import Origin

ORIGIN = Origin(
    platform="github",
    repository_url="https://github.com/acme/widget",
    branch="main",
    commit="7c2f1e0b9a4d4c5f8e6a3b2d1c0f9e8d7a6b5c4d",
    scm="git",
    build_url="https://github.com/acme/widget/actions/runs/412",
    run_id="412",
    version="1.2.3",
)


@pytest.mark.parametrize(
    ("origin", "description"),
    [
        (ORIGIN, "1.2.3 main@7c2f1e0b, build 412"),
        (replace(ORIGIN, branch=None, tag="v1.2.3"), "1.2.3 v1.2.3@7c2f1e0b, build 412"),
        (replace(ORIGIN, branch=None), "1.2.3 7c2f1e0b, build 412"),
        (replace(ORIGIN, version=None), "main@7c2f1e0b, build 412"),
        (replace(ORIGIN, commit=None), "1.2.3 main, build 412"),
        (replace(ORIGIN, run_id=None), "1.2.3 main@7c2f1e0b"),
        (replace(ORIGIN, version=None, branch=None), "7c2f1e0b, build 412"),
        (replace(ORIGIN, version=None, branch=None, commit=None), "build 412"),
        (
            replace(ORIGIN, scm="tfvc", branch="$/Tools/Main", commit="C123456789"),
            "1.2.3 $/Tools/Main@C123456789, build 412",
        ),
        (replace(ORIGIN, branch="a\u202eb"), "1.2.3 a?b@7c2f1e0b, build 412"),
        (Origin(platform="local"), None),
    ],
)
def test_default(origin: Origin, description: str | None) -> None:
    assert default_description(origin) == describe_request(None, origin) == description


def test_default_is_bounded_and_keeps_commit_and_build() -> None:
    description = default_description(replace(ORIGIN, version="9" * 4000, branch="b" * 4000)) or ""
    assert len(description) == 80 + len(" ") + 80 + len("@7c2f1e0b, build 412")
    assert description.endswith("b…@7c2f1e0b, build 412")


@pytest.mark.parametrize(
    ("template", "description"),
    [
        ("Widget", "Widget"),
        ("Widget {version}", "Widget 1.2.3"),
        ("{version} {branch} {commit}", "1.2.3 main 7c2f1e0b9a4d4c5f8e6a3b2d1c0f9e8d7a6b5c4d"),
        ("{short_commit}/{build_number}", "7c2f1e0b/412"),
        ("see {build_url}", "see https://github.com/acme/widget/actions/runs/412"),
        ("{tag:-untagged}", "untagged"),
        ("{tag:-}", None),
        ("a{tag:-}b", "ab"),
        ("{version:-0.0.0}", "1.2.3"),
        ("{tag:-a:-b}", "a:-b"),
        ("{{version}} is {version}", "{version} is 1.2.3"),
        ("{{{version}}}", "{1.2.3}"),
        ("", None),
        ("two\r\nlines\tü", "two\nlines\tü"),
    ],
)
def test_templates(template: str, description: str | None) -> None:
    assert describe_request(template, ORIGIN) == description


def test_a_value_is_not_expanded_again() -> None:
    assert describe_request("{version}", replace(ORIGIN, version="{build_url}")) == "{build_url}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{tag}", "The placeholder {tag} in the description has no value in this build."),
        ("{Version}", "In the description, {Version} is no placeholder."),
        ("{}", "In the description, {} is no placeholder."),
        ("{version.__class__}", "In the description, {version.__class__} is no placeholder."),
        ("{version!r:>30}", "In the description, {version!r:>30} is no placeholder."),
        ("{version", "In the description, a brace stands alone."),
        ("version}", "In the description, a brace stands alone."),
        ("{{version}", "In the description, a brace stands alone."),
        ("x" * 5000, "The description has 5000 characters; at most 2000 are sent."),
        ("a\x1b[2J", "The description holds control characters or bytes that are no text."),
        ("a\x00b", "The description holds control characters or bytes that are no text."),
        ("a\udcffb", "The description holds control characters or bytes that are no text."),
    ],
)
def test_bad_templates(template: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        describe_request(template, ORIGIN)
    assert caught.value.message == message
    assert caught.value.hint


def test_an_unknown_placeholder_lists_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        describe_request("{release}", ORIGIN)
    known = "{version}, {commit}, {short_commit}, {branch}, {tag}, {build_number}, {build_url}"
    assert caught.value.hint == f"Known are {known}; write {{{{ and }}}} for braces themselves."


def test_the_mark_of_an_origin_that_was_sent_all_the_same() -> None:
    assert mark_untrusted("1.2.3", ["the tree is dirty", "the branch is unknown"]) == (
        "[untrusted origin: the tree is dirty; the branch is unknown] 1.2.3"
    )
    assert mark_untrusted(None, ["x"]) == "[untrusted origin: x]"

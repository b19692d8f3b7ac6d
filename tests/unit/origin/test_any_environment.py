"""Whatever an environment holds: an origin or an error of the project's own, and no secret in either."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.errors import SignPathError
from signpath_ci.metadata import describe_request
from signpath_ci.origin import ExplainedOrigin, origin_table, origin_to_json
from signpath_ci.origin.rest import rest_origin_fields
from signpath_ci.origin.trust import origin_objections
from signpath_ci.platforms.collect import build_settings_file, explain_origin

# Joined here, and unlike every other test's marker: hypothesis feeds the constants that it finds in loaded tests.
SECRET = "-".join(["hidden", "token", "of", "this", "runner"])
RECORDED = Path(__file__).parents[2] / "recorded" / "origin"
ENVIRONMENTS = [
    case["environment"]
    for platform in ("github", "gitlab", "azure")
    for case in json.loads((RECORDED / f"{platform}.json").read_text(encoding="utf-8"))["cases"]
]
NAMES = sorted({name for environment in ENVIRONMENTS for name in environment} - {"CI_JOB_TOKEN", "SYSTEM_ACCESSTOKEN"})
NEAR = [
    *("true", "false", "True", "", " ", "$(Build.Reason)", "\0", "\udc80", "a\n::b::"),
    *("17", "0" * 30, "a" * 40, "A" * 64, "refs/heads/", "refs/tags/", "refs/pull/0/merge"),
    *("owner/name", "pull_request", "PullRequest", "TfsVersionControl"),
]
URLS = [
    f"https://{SECRET}@host/path",
    f"https://user:{SECRET}@host:8080/path?token={SECRET}#{SECRET}",
    f"https://user:a/{SECRET}@host/",
    f"https://host/?{SECRET}",
    f"ssh://git:{SECRET}@host/path",
]
PREFIXES = ["refs/heads/", "refs/tags/", "$/"]
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(NEAR + URLS),
    st.builds("{}{}".format, st.sampled_from(PREFIXES), st.text(max_size=20)),
)
KEYS = ["number", "pull_request", "head", "base", "repo", "full_name", "ref", "sha"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(URLS)
PAYLOADS = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from(KEYS), inner))


def collected(env: dict[str, str], folder: Path) -> ExplainedOrigin | SignPathError:
    try:
        return explain_origin(env, folder)
    except SignPathError as error:
        return error


@given(
    base=st.sampled_from(ENVIRONMENTS),
    changes=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
    others=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=2),
    event=st.none() | st.binary(max_size=40) | PAYLOADS.map(lambda payload: json.dumps(payload).encode()),
)
def test_an_origin_or_a_clear_error(
    base: dict[str, str], changes: dict[str, str], others: dict[str, str], event: bytes | None
) -> None:
    env = base | others | changes | {"PATH": "", "GITHUB_TOKEN": SECRET, "CI_JOB_TOKEN": SECRET}
    with tempfile.TemporaryDirectory() as folder:
        if event is not None:
            Path(folder, "event.json").write_bytes(event)
            env["GITHUB_EVENT_PATH"] = "event.json"
        explained = collected(env, Path(folder))
        if isinstance(explained, SignPathError):
            assert SECRET not in str(explained) + repr(explained)
            assert str(explained).isprintable()
            return
        origin = explained.origin
        assert build_settings_file(origin, env, Path(folder)) is None
    sent = rest_origin_fields(origin).values()
    shown = [*origin_table(explained), *origin_objections(origin, env), describe_request(None, origin) or ""]
    assert SECRET not in "\n".join([json.dumps(origin_to_json(origin)), *sent, *shown])
    assert all(text.isprintable() for text in shown)
    for text in sent:
        assert text.encode("utf-8")
        assert text.splitlines() == [text]
    assert "" not in origin_to_json(origin).values()
    assert origin.tag is None or origin.branch is None

"""Each platform's environments, as its documentation and its issues show them, against the whole origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.origin import origin_table, origin_to_json
from signpath_ci.platforms.collect import explain_origin

RECORDED = Path(__file__).parents[2] / "recorded" / "origin"
PLATFORMS = ("github", "gitlab", "azure")
CASES = [
    pytest.param(case, id=f"{platform}-{case['name']}")
    for platform in PLATFORMS
    for case in json.loads((RECORDED / f"{platform}.json").read_text(encoding="utf-8"))["cases"]
]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_at_least_twenty_environments_a_platform(platform: str) -> None:
    recorded = json.loads((RECORDED / f"{platform}.json").read_text(encoding="utf-8"))
    names = {case["name"] for case in recorded["cases"]}
    assert len(names) == len(recorded["cases"]) >= 20


@pytest.mark.parametrize("case", CASES)
def test_the_whole_origin(case: dict[str, Any], tmp_path: Path) -> None:
    env = dict(case["environment"])
    if "event" in case:
        (tmp_path / "event.json").write_text(json.dumps(case["event"]), encoding="utf-8")
        env["GITHUB_EVENT_PATH"] = str(tmp_path / "event.json")
    explained = explain_origin(env, tmp_path)
    found = origin_to_json(explained.origin)
    assert found == case["expected"]
    assert list(found) == list(case["expected"])  # the order is promised too
    assert "SECRET" not in json.dumps(found) + "\n".join(origin_table(explained))


@pytest.mark.parametrize("case", CASES)
def test_every_known_value_has_a_source(case: dict[str, Any], tmp_path: Path) -> None:
    env = dict(case["environment"])
    if "event" in case:
        (tmp_path / "event.json").write_text(json.dumps(case["event"]), encoding="utf-8")
        env["GITHUB_EVENT_PATH"] = str(tmp_path / "event.json")
    sources = explain_origin(env, tmp_path).sources
    expected = dict(case["expected"])
    pull_request = expected.pop("pull_request") or {}
    known = {name for name, value in expected.items() if value is not None} - {"platform"}
    known |= {f"pull_request.{name}" for name, value in pull_request.items() if value is not None}
    assert set(sources) == known
    assert all(sources.values())

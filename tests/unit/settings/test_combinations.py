from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.settings import SignSettings, VerifySettings, load
from signpath_ci.settings.combinations import COMBINATIONS, check_combinations, not_from_manifest
from signpath_ci.settings.declaration import Secret, changed
from signpath_ci.settings.parsers import Headers

GIVEN = {
    "SIGNPATH_API_TOKEN": "token-value",
    "SIGNPATH_ORGANIZATION_ID": "12345678-90ab-cdef-1234-567890abcdef",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "test-signing",
}
FILE = Path("app.exe")
URL = "https://files.example/app.exe"
CONNECTOR = "https://connectors.example/"
HEADERS = Headers("X: y", (("X", "y"),))

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"unsigned": FILE}, "unsigned"),
    ({"connector_url": CONNECTOR}, "artifact connector_url"),
    ({"artifact": (), "connector_url": CONNECTOR, "verify_origin": True}, "verify_origin"),
    ({"artifact": (), "connector_url": CONNECTOR, "trusted_build_system_token": Secret("x")}, "verify_origin"),
    (
        {"artifact": (), "connector_url": CONNECTOR, "artifact_retrieval_url": URL},
        "artifact_retrieval_url connector_url",
    ),
    ({"artifact": (), "connector_url": CONNECTOR, "cancel_after": 5.0}, "cancel_after connector_url"),
    (
        {"artifact": (), "connector_url": CONNECTOR, "receipt": FILE, "gitlab_artifact_job_name": "build"},
        "receipt gitlab_artifact_job_name",
    ),
    ({"artifact_retrieval_url": URL, "bundle": True}, "artifact_retrieval_url artifact bundle"),
    ({"artifact_retrieval_url": URL, "artifact": (FILE, FILE)}, "artifact_retrieval_url artifact bundle"),
    ({"artifact_retrieval_url": URL, "artifact": (Path("*.exe"),)}, "artifact_retrieval_url artifact bundle"),
    ({"in_place": True, "output": FILE}, "in_place"),
    ({"in_place": True, "wait_for_completion": False}, "in_place"),
    ({"artifact": ()}, "artifact artifact_retrieval_url"),
    (
        {"artifact_retrieval_url": "http://files.example/app.exe", "artifact_retrieval_headers": HEADERS},
        "artifact_retrieval_headers",
    ),
    ({"artifact": (), "artifact_retrieval_url": URL}, "artifact_retrieval_sha256"),
    ({"skip_signed": True, "verify": "off"}, "skip_signed"),
    ({"skip_signed": True}, "skip_signed trust_root"),
    ({"replace_signatures": True}, "replace_signatures"),
    ({"cancel_after": 601.0}, "cancel_after wait_for_completion_timeout"),
    ({"verify": "strict"}, "verify trust_root"),
]
FINE: list[dict[str, Any]] = [
    {},
    {"skip_signed": True, "thumbprint": ("ab" * 32,)},
    {"skip_signed": True, "trust_root": (FILE,), "replace_signatures": True},
    {"unsigned": FILE, "connector_url": CONNECTOR, "artifact": ()},
    {"artifact_retrieval_url": URL},
    {"artifact": (), "artifact_retrieval_url": URL, "artifact_retrieval_sha256": "ab" * 32},
    {"artifact_retrieval_url": "http://127.0.0.1/app.exe", "artifact_retrieval_headers": HEADERS},
    {"cancel_after": 600.0},
    {"verify": "strict", "thumbprint": ("ab" * 32,)},
    {"receipt": FILE, "gitlab_artifact_job_name": "build"},
]


def _sign(**values: Any) -> SignSettings:
    return changed(load(SignSettings, {"artifact": ["app.exe"]}, GIVEN), **values)


@pytest.mark.parametrize(("values", "options"), BROKEN)
def test_broken_rule_is_the_error(values: dict[str, Any], options: str) -> None:
    rule = next(rule for rule in COMBINATIONS if " ".join(rule.options).startswith(options))

    with pytest.raises(UsageError) as caught:
        check_combinations(_sign(**values))

    assert (caught.value.message, caught.value.code) == (rule.message, rule.code)


@pytest.mark.parametrize("values", FINE)
def test_options_that_go_together(values: dict[str, Any]) -> None:
    check_combinations(_sign(**values))


BROKEN_FOR_VERIFY: list[tuple[dict[str, Any], str]] = [
    ({"artifact": ()}, "no-artifact"),
    ({"artifact": (FILE, FILE), "unsigned": FILE}, "conflicting-options"),
    ({"artifact": (Path("*.exe"),), "unsigned": FILE}, "conflicting-options"),
    ({"strict": True}, "no-trust-configured"),
]


@pytest.mark.parametrize(("values", "code"), BROKEN_FOR_VERIFY)
def test_broken_rule_of_verify_is_the_error(values: dict[str, Any], code: str) -> None:
    settings = changed(load(VerifySettings, {"artifact": ["app.exe"]}, {}), **values)

    with pytest.raises(UsageError) as caught:
        check_combinations(settings)

    assert caught.value.code == code


def test_every_rule_is_broken_by_a_test() -> None:
    tried = {next(r for r in COMBINATIONS if " ".join(r.options).startswith(options)) for _, options in BROKEN}

    assert {rule.options[0] for rule in COMBINATIONS if rule not in tried} == {"strict"}  # of `verify`


def test_manifest_does_not_decide_what_a_connector_does() -> None:
    assert not_from_manifest({"output"}) == set()
    assert not_from_manifest({"connector_url"}) == {"artifact", "receipt", "cancel_after", "verify_origin"}
    assert "output" in not_from_manifest({"connector_url", "output_artifact_directory"})

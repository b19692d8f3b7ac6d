"""The list of requests: filters, pages, CSV, rights."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.signing_request import SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Query, Store
from tests.support.sandboxes import ORGANIZATION, ORIGIN, Client, serving
from tests.unit.sandbox.web.conftest import Person


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("listing")) as client:
        yield client


@pytest.fixture(scope="module")
def ids(sandbox: Client) -> dict[str, str]:
    built = sandbox.submit(b"MZ built", **ORIGIN, token="ci-token:farm-token", artifact=("built.exe", b"MZ built"))
    formula = sandbox.submit(b"MZ f", description="=1+1", artifact=("Formula.exe", b"MZ f"))
    second = sandbox.submit(b"MZ v2", artifactConfigurationSlug="v2", artifact=("second.exe", b"MZ v2"))
    denied = sandbox.submit(b"bad", artifact=("broken.exe", b"bad"))
    answers = {"built": built, "formula": formula, "second": second, "broken": denied}
    found = {name: answer.json()["signingRequestId"] for name, answer in answers.items()}
    for each in found.values():
        sandbox.wait(each)
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"built", "formula", "second", "broken"}),
        ("text=FORMULA", {"formula"}),
        ("text=%3D1%2B1", {"formula"}),
        ("branch=release/*", {"built"}),
        ("branch=release", set()),
        ("status=Failed", {"broken"}),
        ("configuration=v2", {"second"}),
        ("policy=two-approvals", set()),
        ("project=app&text=.exe", {"built", "formula", "second", "broken"}),
        ("before=2020-01-01", set()),
        ("before=nonsense&page=nonsense", {"built", "formula", "second", "broken"}),
    ],
)
def test_filters(person: Person, ids: dict[str, str], query: str, expected: set[str]) -> None:
    page = person.page(f"/web?{query}").text

    assert {name for name, request_id in ids.items() if request_id in page} == expected


def test_csv_has_the_same_and_no_formula(sandbox: Client, ids: dict[str, str]) -> None:
    answer = sandbox.get("/web/requests.csv?text=formula", token=None)

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [ids["formula"]]
    assert rows[0]["description"] == "'=1+1"
    assert rows[0]["web link"] == f"{sandbox.root}/Web/{ORGANIZATION}/SigningRequests/{ids['formula']}"


def test_who_may_not_read_sees_nothing(person: Person, sandbox: Client, ids: dict[str, str]) -> None:
    person.become("carol")

    assert not [each for each in ids.values() if each in person.page("/web").text]
    answer = person.page(f"/web/{ORGANIZATION}/SigningRequests/{ids['built']}")
    assert answer.status_code == 403
    csv_answer = sandbox.get("/web/requests.csv", token=None)
    assert len(csv_answer.text.splitlines()) == 1


def test_long_lists_have_pages(tmp_path: Path) -> None:
    store = Store(tmp_path)
    created = datetime.now(timezone.utc).isoformat()
    first = SigningRequest(
        state=State.COMPLETED,
        created=created,
        submitter="x",
        project_slug="app",
        signing_policy_slug="p",
        artifact_configuration_slug="c",
        file_name="a",
        origin=RecordedOrigin(branch="[x]"),
    )
    for number in range(25):
        store.add(replace(first, id=f"{number:036}", file_name=f"{number}.exe"))

    page = store.page(Query(branch="[x]"), number=2, size=10)

    assert ([each.file_name for each in page.requests], page.total) == ([f"{n}.exe" for n in range(14, 4, -1)], 25)
    assert store.page(Query(policies=frozenset(), own="y"), number=1, size=10).total == 0
    assert store.page(Query(policies=frozenset(), own="x"), number=3, size=10).total == 25
    store.close()

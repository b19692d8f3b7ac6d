"""Waiting, on a clock that does not wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from signpath_ci.errors import NotSignedError, ServiceUnavailableError, StillPendingError
from signpath_ci.model import RequestStatus
from signpath_ci.signing.wait import wait
from tests.support.values import LINK, REQUEST_ID, FakeTime, status

COMPLETED = status("Completed", "Completed", final=True)


class Service:
    """Answers by the time that has passed."""

    def __init__(self, time: FakeTime, *steps: tuple[float, RequestStatus], latency: float = 0.0) -> None:
        self.time, self.steps, self.latency = time, steps, latency
        self.polls: list[float] = []
        self.patience: list[float | None] = []

    def status(self, signing_request_id: str, *, patience: float | None = None) -> RequestStatus:
        assert signing_request_id == REQUEST_ID
        self.polls.append(self.time.seconds)
        self.patience.append(patience)
        self.time.seconds += self.latency
        return [step for at, step in self.steps if at <= self.time.seconds][-1]


def _wait(
    service: Service, timeout: float = 600, *, until: Callable[[RequestStatus], bool] | None = None
) -> tuple[RequestStatus, list[tuple[str, str | None, float]], list[float]]:
    seen: list[tuple[str, str | None, float]] = []
    ticks: list[float] = []
    result = wait(
        service,
        REQUEST_ID,
        timeout=timeout,
        clock=service.time.clock,
        on_status=lambda status, waited: seen.append((status.status, status.workflow_status, waited)),
        on_poll=ticks.append,
        **({"until": until} if until else {}),
    )
    return result, seen, ticks


def test_each_change_is_told_once() -> None:
    service = Service(
        FakeTime(),
        (0, status("InProgress", "Submitted")),
        (2, status("InProgress", "Processing")),
        (3, status("Brewing")),
        (5, COMPLETED),
    )

    result, seen, ticks = _wait(service)

    assert result == COMPLETED
    assert seen == [
        ("InProgress", "Submitted", 0),
        ("InProgress", "Processing", 2.75),
        ("Brewing", None, 3.75),
        ("Completed", "Completed", 5.75),
    ]
    assert ticks == [0, 0.25, 0.75, 1.75, 2.75, 3.75, 4.75, 5.75]


@pytest.mark.parametrize("done_at", [0.5, 19, 25, 119, 333, 601, 5000, 28000])
def test_a_result_is_seen_at_most_five_percent_late(done_at: float) -> None:
    service = Service(FakeTime(), (0, status()), (done_at, COMPLETED))

    _wait(service, 36000)

    assert service.time.seconds - done_at <= max(1.0, 0.05 * done_at)


def test_the_pauses_grow_from_a_quarter_of_a_second_to_thirty() -> None:
    service = Service(FakeTime(), (0, status()), (4000, COMPLETED))

    _wait(service, 36000)

    pauses = service.time.slept
    assert pauses[:21] == [0.25, 0.5] + [1.0] * 19
    assert pauses == sorted(pauses)
    assert (max(pauses), pauses[-3:]) == (30, [30, 30, 30])


def test_it_is_asked_once_more_exactly_at_the_deadline() -> None:
    service = Service(FakeTime(), (0, status()), (100, COMPLETED))

    assert _wait(service, 100)[0] == COMPLETED
    assert service.polls[-1] == 100


@pytest.mark.parametrize("latency", [0.0, 0.7])
def test_at_the_deadline_it_is_still_alive(latency: float) -> None:
    service = Service(FakeTime(), (0, status("WaitingForApproval", "WaitingForApproval")), latency=latency)
    with pytest.raises(StillPendingError) as caught:
        _wait(service, 10)

    assert str(caught.value) == (
        f"The signing request {REQUEST_ID} is still WaitingForApproval after 10 s. "
        f"It stays alive: follow it at {LINK} and resume with: signpath-ci download {REQUEST_ID}"
    )
    assert caught.value.exit_code == 5
    assert 10 <= service.polls[-1] <= 10 + latency


def test_a_completed_that_is_not_final_is_waited_on() -> None:
    service = Service(FakeTime(), (0, status("Completed")), (3, COMPLETED))

    assert _wait(service)[0] == COMPLETED
    assert service.time.seconds == 3.75


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (
            status("Failed", "ProcessingFailed", final=True),
            f"ended as Failed (ProcessingFailed). The page of the request names the cause. See {LINK}",
        ),
        (
            status("Denied", "Denied", final=True),
            f"ended as Denied. Ask the approvers of the signing policy why. See {LINK}",
        ),
        (
            status("Canceled", final=True),
            f"ended as Canceled. Somebody canceled it, or a time limit did. See {LINK}",
        ),
        (replace(status("Melted", final=True), web_link=None), "ended as Melted."),
    ],
)
def test_other_ends_are_errors(end: RequestStatus, line: str) -> None:
    with pytest.raises(NotSignedError) as caught:
        _wait(Service(FakeTime(), (0, end)))

    assert (str(caught.value), caught.value.exit_code) == (f"The signing request {REQUEST_ID} {line}", 4)


def test_a_poll_near_the_deadline_has_little_patience() -> None:
    service = Service(FakeTime(), (0, status()))
    with pytest.raises(StillPendingError):
        _wait(service, 100)

    assert service.patience[0] == 100
    assert service.patience[-1] == 30


def test_a_service_that_stays_away_is_told_as_such() -> None:
    class Away:
        def status(self, signing_request_id: str, *, patience: float | None = None) -> RequestStatus:
            raise ServiceUnavailableError(f"{signing_request_id} is out of reach for {patience} s")

    with pytest.raises(ServiceUnavailableError, match=f"{REQUEST_ID} is out of reach for 60\\.0 s"):
        wait(
            Away(),
            REQUEST_ID,
            timeout=60,
            clock=FakeTime().clock,
            on_status=lambda _status, _waited: None,
            on_poll=lambda _waited: None,
        )


def test_it_may_wait_for_less_than_the_end() -> None:
    service = Service(FakeTime(), (0, status("InProgress", "Submitted")), (2, status("InProgress", "Processing")))

    result, _, _ = _wait(service, until=lambda status: status.workflow_status == "Processing")

    assert (result.workflow_status, service.time.seconds) == ("Processing", 2.75)


def test_an_end_that_is_no_success_is_an_error_also_then() -> None:
    with pytest.raises(NotSignedError):
        _wait(Service(FakeTime(), (0, status("Denied", final=True))), until=lambda _status: True)

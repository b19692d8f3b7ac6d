"""What a signal leaves of the requests that a run has made."""

from __future__ import annotations

import pytest
import responses

from signpath_ci.errors import InterruptedRunError
from signpath_ci.model import Submission
from signpath_ci.signing.cancel import canceled_on_interrupt
from tests.support.wire import REQUESTS, rest_api

_MADE = Submission(signing_request_id="7", web_link="https://signpath.example/7")


def _interrupted(*, hidden: bool) -> None:
    """Make a request, and get a signal, which a library may stumble over."""
    with canceled_on_interrupt(rest_api(), keep=False) as made:
        made(_MADE)
        signal = InterruptedRunError("Interrupted by SIGTERM.", number=15)
        stumbled = KeyError()
        stumbled.__context__ = signal
        raise stumbled if hidden else signal


@pytest.mark.parametrize("hidden", [False, True])
def test_they_are_canceled_though_a_library_stumbles_over_the_signal(hidden: bool) -> None:
    with responses.RequestsMock() as server:
        server.post(f"{REQUESTS}/7/Cancel")
        server.get(f"{REQUESTS}/7/Status", json={"status": "Canceled", "isFinalStatus": True})
        with pytest.raises(InterruptedRunError) as caught:
            _interrupted(hidden=hidden)

    assert (str(caught.value), caught.value.exit_code) == (
        "Interrupted by SIGTERM. The signing request 7 is Canceled.",
        143,
    )


def test_any_other_error_cancels_nothing() -> None:
    def fail() -> None:
        with canceled_on_interrupt(rest_api(), keep=False) as made:
            made(_MADE)
            raise KeyError

    with responses.RequestsMock(), pytest.raises(KeyError):
        fail()

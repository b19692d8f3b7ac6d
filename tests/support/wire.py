"""A transport for tests: fast patience, a clock that does not wait, half of all jitter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signpath_ci.api.rest import SignPathApi
from signpath_ci.api.transport import Transport
from signpath_ci.settings.declaration import Secret
from tests.support.values import FakeTime

BASE = "https://signpath.example/Api"
ORGANIZATION = "0f3a8d6e-90ab-4cde-8234-567890abcdef"
REQUESTS = f"{BASE}/v1/{ORGANIZATION}/SigningRequests"
TOKEN = "s3cret-t0ken"


def transport(url: str = BASE, *, time: FakeTime | None = None, **changes: Any) -> Transport:
    return Transport(
        **{
            "base_url": url,
            "token": Secret(TOKEN),
            "connect_timeout": 5,
            "stall_timeout": 5,
            "service_unavailable_timeout": 600,
            "clock": (time or FakeTime()).clock,
            "random": lambda: 0.5,
            "user_agent": "signpath-ci/test",
            **changes,
        }
    )


def rest_api(url: str = BASE, *, time: FakeTime | None = None, **changes: Any) -> SignPathApi:
    return SignPathApi(transport(url, time=time, **changes), ORGANIZATION)


class Blocks:
    """Content of given pieces."""

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

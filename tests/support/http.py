"""HTTP for tests, independent of the environment variables of the process.

`requests` by itself reads `os.environ` at each call, for proxies. Tests change it, and so does pytest between the
phases of a test: a thread that reads it meanwhile fails with a `KeyError`. The linter bans everything else in tests.
"""

from __future__ import annotations

from typing import Any

import requests


def session() -> requests.Session:
    """Return a session that reads no environment variable."""
    made = requests.Session()
    made.trust_env = False
    return made


def request(method: str, url: str, **more: Any) -> requests.Response:
    """Send one request, as `requests.request` does."""
    with session() as made:
        return made.request(method, url, **more)


def get(url: str, **more: Any) -> requests.Response:
    """Send a GET request."""
    return request("GET", url, **more)


def post(url: str, **more: Any) -> requests.Response:
    """Send a POST request."""
    return request("POST", url, **more)

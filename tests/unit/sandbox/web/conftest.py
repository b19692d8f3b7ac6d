"""A person at the sandbox's pages, without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
import requests

from tests.support.sandboxes import ORGANIZATION, Client

_HTML = {"Accept": "text/html"}


@dataclass
class Person:
    """Looks at pages and sends their forms; cookies are kept."""

    sandbox: Client

    def become(self, name: str) -> None:
        self.post("/web/user", name=name, back="/web")

    def page(self, path: str, **more: Any) -> requests.Response:
        answer = self.sandbox.get(path, token=None, headers=_HTML, **more)
        assert answer.headers["Content-Type"].startswith("text/html"), answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?! src=\"/static/)|\sstyle=|\son\w+=\"", answer.text)
        return answer

    def post(self, path: str, **fields: str) -> requests.Response:
        return self.sandbox.post(path, token=None, headers=_HTML, data=fields)

    def upload(
        self, *files: tuple[str, bytes], policy: str = "test-signing", query: str = "", **fields: str
    ) -> requests.Response:
        parts: list[tuple[str, Any]] = [("policy", (None, policy)), *((n, (None, v)) for n, v in fields.items())]
        parts += [("artifact", file) for file in files]
        return self.sandbox.post(f"/web/sign{query}", token=None, headers=_HTML, files=parts)

    def act(self, request_id: str, action: str, **fields: str) -> requests.Response:
        return self.post(f"/web/{ORGANIZATION}/SigningRequests/{request_id}/{action}", **fields)

    def request_page(self, request_id: str) -> str:
        return unescape(self.page(f"/web/{ORGANIZATION}/SigningRequests/{request_id}").text)


def id_of(answer: requests.Response) -> str:
    """Return the request whose page an answer is."""
    assert answer.status_code == 200, answer.text
    return answer.url.rpartition("/")[2]


@pytest.fixture
def person(sandbox: Client) -> Person:
    sandbox.session.cookies.clear()
    return Person(sandbox)

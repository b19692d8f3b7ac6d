"""One sandbox for the tests of a module: they make requests of their own and don't see each other's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sandboxes import Client, serving


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("sandbox")) as client:
        yield client

"""One sandbox for the tests of a module, with artifacts in its CI systems."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sandboxes import Client, serving

ARTIFACTS = (
    "github/7.zip",
    "github/18/app.zip",
    "github/19/setup.exe",
    "github/20.zip",
    "gitlab/build/dist/app.exe",
    "azure/drop box.zip",
    "secret.zip",
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("sandbox")) as client:
        for name in ARTIFACTS:
            path = client.artifact_store / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"MZ {name}".encode())
        (client.artifact_store / "github" / "20.zip.expired").touch()
        yield client

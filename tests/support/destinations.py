"""What a destination makes of the signed artifact that a client sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from signpath_ci.model import Artifact
from signpath_ci.signing.download import SendsSignedArtifact
from signpath_ci.workflows.destinations import Delivered, Destination, Incoming


def _ignore(*_: object) -> None:
    """Nothing is to be done."""


def receive(
    destination: Destination,
    client: SendsSignedArtifact,
    *,
    on_progress: Callable[[int, int], None] = _ignore,
    accept: Callable[[Artifact, Path], object] = _ignore,
) -> Delivered:
    """Deliver the artifact of the request `id`."""

    def checked(artifact: Artifact, name: Path) -> None:
        accept(artifact, name)

    return destination.receive(
        Incoming(client=client, signing_request_id="id", on_progress=on_progress, accept=checked)
    )

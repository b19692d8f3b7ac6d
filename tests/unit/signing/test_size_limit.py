"""A signed file that is far larger than the submitted one is refused while it streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

from signpath_ci.errors import VerificationError
from signpath_ci.model import SizeAllowance
from signpath_ci.settings.parsers import byte_count, size_allowance
from signpath_ci.signing.download import Bounded, size_limit
from signpath_ci.workflows.destinations import SignedFile
from tests.support.destinations import receive

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download

T = TypeVar("T")


class Server:
    """Sends pieces of ten bytes."""

    def __init__(self, pieces: int | None, length: int | None) -> None:
        self.pieces, self.length, self.content_disposition, self.sent = pieces, length, None, 0

    def __iter__(self) -> Iterator[bytes]:
        while self.pieces is None or self.sent < self.pieces:
            self.sent += 1
            yield b"0123456789"

    def signed_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        assert signing_request_id == "id"
        return receive(cast("Download", self))


def _download(server: Server, target: Path, limit: int) -> None:
    source = Bounded(server, limit)
    receive(SignedFile(path=target, force=False), source)


@pytest.mark.parametrize("length", [None, 100])
def test_a_file_of_the_largest_size_is_taken(tmp_path: Path, length: int | None) -> None:
    _download(Server(10, length), tmp_path / "a", 100)
    assert (tmp_path / "a").stat().st_size == 100


@pytest.mark.parametrize(
    ("pieces", "length", "sent"), [(11, None, 11), (None, None, 11), (11, 110, 0), (None, 10**15, 0)]
)
def test_a_larger_one_is_refused_as_soon_as_it_is_known(
    tmp_path: Path, pieces: int | None, length: int | None, sent: int
) -> None:
    server = Server(pieces, length)
    with pytest.raises(VerificationError) as caught:
        _download(server, tmp_path / "a", 100)
    assert caught.value.code == "signed-file-too-large"
    assert server.sent == sent
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "submitted", "limit"),
    [
        ("64M+100%", 10, 64 * 1024**2 + 20),
        ("0", 10, 10),
        ("50%", 10, 15),
        ("1K + 10 %", 100, 1134),
        ("1.5G", 0, 3 * 2**29),
    ],
)
def test_the_allowance(text: str, submitted: int, limit: int) -> None:
    assert size_limit(submitted, size_allowance(text)) == limit


def test_without_a_known_size_there_is_a_limit_too() -> None:
    assert 2**30 < size_limit(None, SizeAllowance()) < 2**40


@pytest.mark.parametrize("text", ["", "x", "-1", "1X", "1e9", "64M+", "%", "+", "٣M"])
def test_what_is_no_allowance(text: str) -> None:
    with pytest.raises(ValueError, match="is not an allowance"):
        size_allowance(text)


@pytest.mark.parametrize(("text", "count"), [("0", 0), ("1k", 1024), ("2 KiB", 2048), ("1.5K", 1536)])
def test_sizes(text: str, count: int) -> None:
    assert byte_count(text) == count

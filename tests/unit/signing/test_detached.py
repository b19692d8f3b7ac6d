"""A detached signature that comes back lies beside the submitted file, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.model import Artifact
from signpath_ci.signing.detached import delivered_name
from signpath_ci.signing.replace_all import replacing
from signpath_ci.workflows.destinations import Incoming, SignedFile
from tests.unit.verify.matrix.formats import FORMATS

T = TypeVar("T")
PE, CMS = (next(f for f in FORMATS if f.name == name) for name in ("pe", "cms"))


class _Server:
    """Sends some bytes as the signed artifact."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def signed_artifact(self, _: str, receive: Callable[[Any], T]) -> T:
        return receive(self)

    length: int | None = None
    content_disposition: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        yield self._data


def _incoming(data: bytes, source: Path | None, accepted: list[Path], *, is_raw: bool = False) -> Incoming:
    def named(name: Path, artifact: Artifact) -> Path:
        return delivered_name(name, artifact.path, source=source, is_raw=is_raw)

    return Incoming(
        client=_Server(data),
        signing_request_id="1",
        on_progress=lambda _, __: None,
        accept=lambda _, shown_as: accepted.append(shown_as),
        named=named,
    )


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("app.signed.exe", "app.exe.p7s"),  # the default
        ("other.exe", "other.exe.p7s"),
        ("own.p7s", "own.p7s"),
        ("own.SIG", "own.SIG"),
    ],
)
def test_its_name(tmp_path: Path, target: str, expected: str) -> None:
    source = tmp_path / "app.exe"
    source.write_bytes(PE.unsigned)
    accepted: list[Path] = []
    destination = SignedFile(path=tmp_path / target, force=False)
    delivered = destination.receive(_incoming(CMS.signed(), source, accepted))
    assert accepted == [tmp_path / expected] == [delivered.artifact.path]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["app.exe", expected])
    assert source.read_bytes() == PE.unsigned


def test_the_input_is_not_replaced_though_it_is_named_and_may_be(tmp_path: Path) -> None:
    source = tmp_path / "app.exe"
    source.write_bytes(PE.unsigned)
    for is_raw, suffix in ((False, ".p7s"), (True, ".sig")):
        data = b"a raw value" if is_raw else CMS.signed()
        SignedFile(path=source, force=True).receive(_incoming(data, source, [], is_raw=is_raw))
        assert source.read_bytes() == PE.unsigned
        assert source.with_name(f"app.exe{suffix}").read_bytes() == data


def test_an_existing_signature_is_replaced_only_with_force(tmp_path: Path) -> None:
    source, beside = tmp_path / "app.exe", tmp_path / "app.exe.p7s"
    source.write_bytes(PE.unsigned)
    beside.write_bytes(b"another")
    with pytest.raises(LocalFileError) as caught:
        SignedFile(path=tmp_path / "app.signed.exe", force=False).receive(_incoming(CMS.signed(), source, []))
    assert (caught.value.code, beside.read_bytes()) == ("output-exists", b"another")
    SignedFile(path=tmp_path / "app.signed.exe", force=True).receive(_incoming(CMS.signed(), source, []))
    assert beside.read_bytes() != b"another"


def test_a_signed_file_and_a_submitted_message_have_their_own_names(tmp_path: Path) -> None:
    source = tmp_path / "message.der"
    source.write_bytes(CMS.signed())
    for data in (PE.signed(), CMS.signed()):
        target = tmp_path / "signed"
        assert SignedFile(path=target, force=True).receive(_incoming(data, source, [])).artifact.path == target


@pytest.mark.parametrize("force", [True, False])
def test_in_place_of_several_files(tmp_path: Path, force: bool) -> None:
    files = [tmp_path / "a.exe", tmp_path / "b.exe"]
    for file in files:
        file.write_bytes(PE.unsigned)
    existing = tmp_path / "a.exe.p7s"
    existing.write_bytes(b"another")
    signed = PE.signed()

    def replace_all() -> None:
        with replacing(files, force=force) as places:
            for file, place, data in zip(files, places, (CMS.signed(), signed), strict=True):
                SignedFile(path=place, force=False, name=file).receive(_incoming(data, file, []))

    if force:
        replace_all()
        assert [file.read_bytes() for file in files] == [PE.unsigned, signed]
        assert existing.read_bytes() != b"another"
        return
    with pytest.raises(LocalFileError) as caught:
        replace_all()
    assert caught.value.code == "output-exists"
    assert [file.read_bytes() for file in files] == [PE.unsigned] * 2  # all, or none
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.exe", "a.exe.p7s", "b.exe"]

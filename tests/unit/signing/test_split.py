"""From a signed bundle to its files: each in the place that is meant for it, all of them or none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from signpath_ci.errors import LocalFileError, SignPathError, VerificationError
from signpath_ci.model import Artifact
from signpath_ci.workflows.destinations import Members
from tests.support.destinations import receive
from tests.support.loopback import Connection, loopback
from tests.support.wire import rest_api


def _zip(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def _split(
    body: bytes, split: Members, *, force: bool = False, accept: Callable[[Artifact], object] = lambda _: None
) -> tuple[Artifact, tuple[Path, ...]]:
    def send(connection: Connection) -> None:
        connection.read_request()
        connection.answer(body, "Connection: close")

    with loopback(send) as server:
        delivered = receive(
            replace(split, force=force), rest_api(server.url), accept=lambda artifact, _: accept(artifact)
        )
        return delivered.artifact, delivered.files


def _places(root: Path, *names: str) -> Members:
    places = {PurePosixPath(name): root / f"{name}.signed" for name in names}
    return Members(places=places, directory=root, name=root / "bundle.zip", force=False)


def _tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_each_file_gets_its_place_and_what_was_added_its_own_name(tmp_path: Path) -> None:
    body = _zip({"b/app.exe.p7s": b"signature", "b/app.exe": b"signed", "a.dll": b"signed too"})

    fetched, files = _split(body, _places(tmp_path, "a.dll", "b/app.exe"))

    assert (fetched.path, fetched.size) == (tmp_path, len(body))
    assert files == (tmp_path / "a.dll.signed", tmp_path / "b/app.exe.signed", tmp_path / "b/app.exe.p7s")
    assert _tree(tmp_path) == {
        "a.dll.signed": b"signed too",
        "b/app.exe.signed": b"signed",
        "b/app.exe.p7s": b"signature",
    }


def _refuse(_: Artifact) -> None:
    raise VerificationError("No signature.", hint="Look.", code="not-signed")


@pytest.mark.parametrize(
    ("files", "accept", "words"),
    [
        ({"a.dll": b"x"}, lambda _: None, "what was submitted did not come back: b.exe, c.exe."),
        (
            {"a.dll": b"x", "b.exe": b"y", "c.exe": b"z", "../d.exe": b"q"},
            lambda _: None,
            "leads elsewhere: ../d.exe",
        ),
        ({"a.dll": b"x", "b.exe": b"y", "c.exe": b"z"}, _refuse, "No signature. Look."),
        ({}, lambda _: None, "no files"),
    ],
)
def test_what_is_refused_is_kept_apart_and_no_file_is_there(
    tmp_path: Path, files: dict[str, bytes], accept: Callable[[Artifact], object], words: str
) -> None:
    body = _zip(files)
    with pytest.raises(VerificationError) as caught:
        _split(body, _places(tmp_path, "a.dll", "b.exe", "c.exe"), accept=accept)

    assert words in str(caught.value)
    assert f"What came is kept as {tmp_path / 'bundle.zip.rejected'}; do not publish it." in str(caught.value)
    assert _tree(tmp_path) == {"bundle.zip.rejected": body}


def test_an_existing_file_is_replaced_only_when_told_so(tmp_path: Path) -> None:
    split, body = _places(tmp_path, "a.dll", "b.exe"), _zip({"a.dll": b"new", "b.exe": b"new"})
    (tmp_path / "b.exe.signed").write_bytes(b"old")

    with pytest.raises(LocalFileError, match="exists already"):
        _split(body, split)
    assert _tree(tmp_path) == {"b.exe.signed": b"old"}
    _split(body, split, force=True)
    assert _tree(tmp_path) == {"a.dll.signed": b"new", "b.exe.signed": b"new"}


@pytest.mark.parametrize("way", ["exists", "in the way", "no directory"])
def test_what_could_not_be_written_is_known_before(tmp_path: Path, way: str) -> None:
    split = _places(tmp_path / "out", "a/b.exe")
    split.check()
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / "a" / "b.exe.signed").touch()
    if way == "in the way":
        split = _places(tmp_path / "out" / "a", "b.exe.signed/c.exe")
    if way == "no directory":
        split = _places(tmp_path / "out" / "a" / "b.exe.signed", "c.exe")

    with pytest.raises(SignPathError) as caught:
        split.check()
    assert caught.value.exit_code == 8

"""Signed files keep the permissions of the local files that they stand for."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from signpath_ci.signing.modes import local_mode
from signpath_ci.workflows.destinations import Destination, Extracted, Incoming, Members, SignedFile
from tests.support.destinations import receive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have no such permissions there")


class _Client:
    """Sends the same artifact whoever asks."""

    def __init__(self, data: bytes) -> None:
        self.data, self.length, self.content_disposition = data, len(data), None

    def signed_artifact(self, _signing_request_id: str, receive_artifact: Callable[[Any], Any]) -> Any:
        return receive_artifact(self)

    def __iter__(self) -> Iterator[bytes]:
        yield self.data


def _zip(modes: dict[str, int]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, mode in modes.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"signed")
    return buffer.getvalue()


def _deliver(destination: Destination, data: bytes) -> None:
    receive(destination, _Client(data), accept=lambda *_: None)


def _file(path: Path, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"unsigned")
    path.chmod(mode)
    return path


def _mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_replaced_files_keep_their_permissions(tmp_path: Path) -> None:
    _file(tmp_path / "app.exe", 0o755)
    _file(tmp_path / "bin/run.sh", 0o700)
    _deliver(Extracted(directory=tmp_path, force=True), _zip({"app.exe": 0, "bin/run.sh": 0, "new": 0}))
    assert [_mode(tmp_path / name) for name in ("app.exe", "bin/run.sh", "new")] == ["0o755", "0o700", "0o644"]


@pytest.mark.parametrize("unsigned", ["dist", "dist/run.sh"])
def test_files_elsewhere_get_the_permissions_of_the_submitted_ones(tmp_path: Path, unsigned: str) -> None:
    _file(tmp_path / "dist/run.sh", 0o750)
    destination = Extracted(directory=tmp_path / "signed", force=False, unsigned=tmp_path / unsigned)
    _deliver(destination, _zip({"run.sh": 0o644}))
    assert _mode(tmp_path / "signed/run.sh") == "0o750"


def test_archive_says_what_is_executable_where_no_local_file_does(tmp_path: Path) -> None:
    _deliver(Extracted(directory=tmp_path, force=False), _zip({"a": 0o100755, "b": 0o100666, "c": 0o100777}))
    assert [_mode(tmp_path / name) for name in "abc"] == ["0o755", "0o644", "0o755"]


def test_one_file_gets_the_permissions_of_the_submitted_one(tmp_path: Path) -> None:
    original = _file(tmp_path / "app.sh", 0o755)
    _deliver(SignedFile(path=tmp_path / "signed.sh", force=False, original=original), b"signed")
    assert _mode(tmp_path / "signed.sh") == "0o755"


def test_detached_signature_is_not_executable(tmp_path: Path) -> None:
    original = _file(tmp_path / "app.sh", 0o755)
    destination = SignedFile(path=tmp_path / "app.signed.sh", force=False, original=original)
    destination.receive(
        Incoming(
            client=_Client(b"signature"),
            signing_request_id="id",
            on_progress=lambda *_: None,
            accept=lambda *_: None,
            named=lambda name, _: name.with_name(f"{name.name}.p7s"),
        )
    )
    assert _mode(tmp_path / "app.signed.sh.p7s") == "0o644"


def test_members_get_the_permissions_of_their_originals(tmp_path: Path) -> None:
    original = _file(tmp_path / "run.sh", 0o755)
    name = PurePosixPath("run.sh")
    destination = Members(
        places={name: tmp_path / "run.signed.sh"},
        originals={name: original},
        directory=tmp_path,
        name=tmp_path / "bundle.zip",
        force=False,
    )
    _deliver(destination, _zip({"run.sh": 0o644}))
    assert _mode(tmp_path / "run.signed.sh") == "0o755"


def test_setuid_and_links_are_not_followed(tmp_path: Path) -> None:
    original = _file(tmp_path / "su", 0o4755)
    (tmp_path / "link").symlink_to(original)
    assert local_mode(original) == 0o755
    assert local_mode(tmp_path / "link", None, tmp_path / "missing", tmp_path) is None

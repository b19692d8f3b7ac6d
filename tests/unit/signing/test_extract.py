"""From a connector's answer to files in a directory: all of them, or none."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from signpath_ci.errors import LocalFileError, ServiceUnavailableError, SignPathError, VerificationError
from signpath_ci.model import Artifact
from signpath_ci.signing.extract import check_directory
from signpath_ci.workflows.destinations import Extracted, Members, NamedByServer
from tests.support.destinations import receive
from tests.support.limits import largest_file
from tests.support.loopback import Connection, loopback
from tests.support.wire import rest_api

FILES = {"drop/app.exe": os.urandom(400_000), "drop/lib/a.dll": b"dll", "readme.txt": b"hello"}


@pytest.fixture
def zipped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("server") / "signed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path.read_bytes()


def _extract(body: bytes, directory: Path, *, force: bool = False, length: int | None = None) -> tuple[Artifact, bytes]:
    def send(connection: Connection) -> None:
        connection.read_request()
        connection.answer(body, "Connection: close", length=length)

    with loopback(send) as server:
        accepted: list[bytes] = []
        delivered = receive(
            Extracted(directory=directory, force=force),
            rest_api(server.url, service_unavailable_timeout=1),
            accept=lambda artifact, _: accepted.append(artifact.path.read_bytes()),
        )
        return delivered.artifact, accepted[-1]


def _save(body: bytes, directory: Path, *headers: str, force: bool = False) -> tuple[Artifact, tuple[bytes, Path]]:
    def send(connection: Connection) -> None:
        connection.read_request()
        connection.answer(body, "Connection: close", *headers)

    with loopback(send) as server:
        accepted: list[tuple[bytes, Path]] = []
        delivered = receive(
            NamedByServer(directory=directory, force=force),
            rest_api(server.url),
            accept=lambda artifact, target: accepted.append((artifact.path.read_bytes(), target)),
        )
        return delivered.artifact, accepted[-1]


def _tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_files_lie_where_the_zip_says(zipped: bytes, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "signed"

    artifact, accepted = _extract(zipped, directory)

    assert _tree(directory) == FILES
    assert artifact.path == directory
    assert (artifact.size, accepted) == (len(zipped), zipped)
    assert sorted(path.name for path in directory.iterdir()) == ["drop", "readme.txt"]


def test_other_files_in_the_directory_stay(zipped: bytes, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "mine.txt").write_bytes(b"mine")

    _extract(zipped, tmp_path)

    assert _tree(tmp_path) == FILES | {"drop/mine.txt": b"mine"}


def test_existing_files_only_with_force(zipped: bytes, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_bytes(b"old")
    with pytest.raises(LocalFileError) as caught:
        _extract(zipped, tmp_path)

    target = tmp_path / "readme.txt"
    assert str(caught.value) == (f"{target} exists already. Name another output, or replace it with --force.")
    assert _tree(tmp_path) == {"readme.txt": b"old"}

    _extract(zipped, tmp_path, force=True)
    assert _tree(tmp_path) == FILES


@pytest.mark.parametrize("force", [False, True])
def test_what_is_in_the_way_stays(zipped: bytes, tmp_path: Path, force: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    linked, filed, nested = tmp_path / "linked", tmp_path / "filed", tmp_path / "nested"
    for directory in (linked, filed, nested):
        directory.mkdir()
    (linked / "drop").symlink_to(outside)
    (filed / "drop").write_bytes(b"a file")
    (nested / "readme.txt").mkdir()

    for directory, words in (
        (linked, f"{linked / 'drop'} is in the way of {linked / 'drop/app.exe'}: it is no directory."),
        (filed, f"{filed / 'drop'} is in the way of {filed / 'drop/app.exe'}: it is no directory."),
        (nested, f"{nested / 'readme.txt'} is a directory."),
    ):
        with pytest.raises(LocalFileError) as caught:
            _extract(zipped, directory, force=force)
        assert str(caught.value) == f"{words} Extract into an empty directory."
    assert _tree(tmp_path) == {"filed/drop": b"a file"}
    assert list(outside.iterdir()) == []


def test_a_link_to_a_file_is_replaced_and_not_what_it_leads_to(zipped: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "readme.txt").symlink_to("other")

    _extract(zipped, tmp_path, force=True)

    assert _tree(tmp_path) == FILES | {"other": b"other"}


def _bad_zip(tmp_path: Path) -> bytes:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good", b"x")
        archive.writestr("../evil", b"x")
    content = path.read_bytes()
    path.unlink()
    return content


def _broken_zip(tmp_path: Path) -> bytes:
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good", b"x")
        archive.writestr("broken", b"content")
    content = path.read_bytes().replace(b"content", b"c0ntent")
    path.unlink()
    return content


@pytest.mark.parametrize("make", [_bad_zip, _broken_zip, lambda _: b"no ZIP at all, but long enough"])
def test_what_must_not_be_extracted_leaves_nothing(tmp_path: Path, make: object) -> None:
    assert callable(make)
    body = make(tmp_path)
    with pytest.raises(VerificationError):
        _extract(body, tmp_path / "new" / "signed")

    assert list(tmp_path.iterdir()) == []


def test_a_truncated_zip_leaves_nothing(zipped: bytes, tmp_path: Path) -> None:
    with pytest.raises(ServiceUnavailableError):
        _extract(zipped[:-1], tmp_path / "signed", length=len(zipped))

    assert list(tmp_path.iterdir()) == []


def test_what_is_not_accepted_leaves_nothing(zipped: bytes, tmp_path: Path) -> None:
    def refuse(_artifact: Artifact, _name: Path) -> None:
        raise VerificationError("not signed", code="not-signed")

    def send(connection: Connection) -> None:
        connection.read_request()
        connection.answer(zipped)

    with loopback(send) as server, pytest.raises(VerificationError):
        receive(Extracted(directory=tmp_path / "x", force=False), rest_api(server.url), accept=refuse)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_the_zip_but_not_its_files(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small", b"x")
        archive.writestr("large", bytes(1_000_000))
    body = path.read_bytes()
    path.unlink()
    with largest_file(100_000), pytest.raises(LocalFileError) as caught:
        _extract(body, tmp_path / "signed")

    assert str(caught.value) == (
        f"{tmp_path / 'signed' / 'large'} can't be written: File too large. Check the space and the permissions there."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_in_the_last_moment_stays_and_no_other_comes(
    zipped: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_after_a_neighbour(source: Path, target: Path) -> None:
        if target.name == "readme.txt":
            target.write_bytes(b"a neighbour's")
        link(source, target)

    monkeypatch.setattr(os, "link", link_after_a_neighbour)
    with pytest.raises(LocalFileError, match=r"readme\.txt exists already"):
        _extract(zipped, tmp_path)

    assert _tree(tmp_path) == {"readme.txt": b"a neighbour's"}


def test_what_a_killed_run_left_is_removed(zipped: bytes, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from signpath_ci.files.temporary import directory_in\n"
        "with directory_in(Path(sys.argv[1])) as path:\n"
        "    (path / '0').write_text('half'); print(path.name, flush=True); time.sleep(600)"
    )

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    killed, leftover = start()
    killed.kill()
    killed.communicate()
    assert (tmp_path / leftover).is_dir()
    neighbour, kept = start()
    try:
        assert not (tmp_path / leftover).exists()
        _extract(zipped, tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([kept, "drop", "readme.txt"])
    finally:
        neighbour.kill()
        neighbour.communicate()


def test_a_file_is_saved_under_the_name_that_the_server_gives(tmp_path: Path) -> None:
    directory = tmp_path / "signed"
    header = "Content-Disposition: attachment; filename=\"../../up.exe\"; filename*=UTF-8''gr%C3%BCn.exe"

    artifact, (content, target) = _save(b"MZ", directory, header)

    assert (artifact.path, target, content) == (directory / "grün.exe", directory / "grün.exe", b"MZ")
    assert _tree(tmp_path) == {"signed/grün.exe": b"MZ"}


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../evil.exe", "evil.exe"),
        ("/etc/passwd", "passwd"),
        ("C:\\x\\nul.txt", "_nul.txt"),
        ("", "signed-artifact.zip"),
    ],
)
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str, saved: str) -> None:
    directory = tmp_path / "a" / "b"
    escaped = name.replace("\\", "\\\\")

    _save(b"MZ", directory, f'Content-Disposition: attachment; filename="{escaped}"')

    assert _tree(tmp_path) == {f"a/b/{saved}": b"MZ"}


def test_a_saved_file_is_replaced_only_when_told_so(tmp_path: Path) -> None:
    (tmp_path / "signed-artifact.zip").write_bytes(b"old")
    with pytest.raises(LocalFileError, match="exists already"):
        _save(b"new", tmp_path)
    assert _tree(tmp_path) == {"signed-artifact.zip": b"old"}

    _save(b"new", tmp_path, force=True)
    assert _tree(tmp_path) == {"signed-artifact.zip": b"new"}


def test_directories_are_looked_at_before_anything_is_submitted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    check_directory(tmp_path)
    check_directory(tmp_path / "new" / "deep")
    for directory in (file, file / "below"):
        with pytest.raises(SignPathError) as caught:
            check_directory(directory)
        assert str(caught.value) == (f"{file} is not a directory. Name another one with --output-artifact-directory.")
        assert caught.value.exit_code == 8


def _split(names: list[str], directory: Path) -> tuple[Path, ...]:
    """Download a signed archive with these files, of which `a.exe` and `b/c` were submitted."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, name)

    def send(connection: Connection) -> None:
        connection.read_request()
        connection.answer(content.getvalue(), "Connection: close")

    places = {PurePosixPath(name): directory / name for name in ("a.exe", "b/c")}
    with loopback(send) as server:
        destination = Members(places=places, directory=directory, name=directory / "bundle.zip", force=False)
        return receive(destination, rest_api(server.url, service_unavailable_timeout=1)).files


def test_a_detached_signature_may_come_with_the_files_of_a_bundle(tmp_path: Path) -> None:
    files = _split(["a.exe", "b/c", "a.exe.p7s", "b/c.sig"], tmp_path)

    names = ["a.exe", "b/c", "a.exe.p7s", "b/c.sig"]
    assert files == tuple(tmp_path / name for name in names)
    assert [file.read_text("utf-8") for file in files] == names


@pytest.mark.parametrize(
    "name", [".git/hooks/post-checkout", "conftest.py", "a.exes", "b/a.exe.p7s", "a.exe.d/x", "c.sig", "A.exe.p7s"]
)
def test_nothing_else_may_come_with_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(VerificationError, match=re.escape(f"holds what was not submitted: {name}.")):
        _split(["a.exe", "b/c", name], tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["bundle.zip.rejected"]

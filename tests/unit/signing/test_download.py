"""From the wire to the disk: whole and accepted, or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.errors import (
    InterruptedRunError,
    LocalFileError,
    RefusedError,
    ServiceUnavailableError,
    VerificationError,
)
from signpath_ci.files.temporary import TemporaryFile, beside, remove_leftovers
from signpath_ci.model import Artifact
from signpath_ci.workflows.destinations import SignedFile
from tests.support.destinations import receive
from tests.support.limits import largest_file
from tests.support.loopback import Behaviour, Connection, loopback
from tests.support.wire import rest_api

SIGNED = os.urandom(700_000)


def _send(connection: Connection) -> None:
    connection.read_request()
    connection.answer(SIGNED, "Connection: close")


def _truncate(connection: Connection) -> None:
    connection.read_request()
    connection.answer(SIGNED[:-1], length=len(SIGNED))


def _send_empty(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"", "Connection: close")


def _refuse(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"Still processing.", "Connection: close", status="400 Bad Request")


def _accept(artifact: Artifact) -> bytes:
    return artifact.path.read_bytes()


def _ignore(_done: int, _total: int) -> None:
    """Progress is not what these tests are about."""


def _fetch(
    target: Path,
    *behaviours: Behaviour,
    force: bool = False,
    on_progress: Callable[[int, int], None] = _ignore,
    accept: Callable[[Artifact], object] = _accept,
) -> tuple[Artifact, object]:
    with loopback(*behaviours) as server:
        api = rest_api(server.url, service_unavailable_timeout=3)
        accepted: list[object] = []
        delivered = receive(
            SignedFile(path=target, force=force),
            api,
            on_progress=on_progress,
            accept=lambda artifact, _: accepted.append(accept(artifact)),
        )
        return delivered.artifact, accepted[-1]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "app.signed.exe"


def _names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_the_file_gets_its_name_when_it_is_whole_and_accepted(target: Path) -> None:
    seen: list[tuple[bytes, str, bool]] = []
    progress: list[tuple[int, int]] = []

    def accept(artifact: Artifact) -> str:
        seen.append((artifact.path.read_bytes(), artifact.path.suffix, target.exists()))
        return "accepted"

    artifact, accepted = _fetch(target, _send, on_progress=lambda *numbers: progress.append(numbers), accept=accept)

    assert (artifact, accepted) == (
        Artifact(path=target, size=len(SIGNED), sha256=hashlib.sha256(SIGNED).hexdigest()),
        "accepted",
    )
    assert seen == [(SIGNED, ".exe", False)]
    assert (target.read_bytes(), _names(target)) == (SIGNED, [target.name])
    assert progress[-1] == (len(SIGNED), len(SIGNED))
    assert progress == sorted(progress)


def test_its_mode_is_that_of_any_new_file(target: Path) -> None:
    before = os.umask(0o027)
    try:
        _fetch(target, _send)
    finally:
        os.umask(before)

    assert target.stat().st_mode & 0o777 == 0o640


def test_a_relative_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target.parent)

    assert _fetch(Path(target.name), _send)[0].path == Path(target.name)
    assert target.read_bytes() == SIGNED


def test_the_longest_name_that_a_file_can_have(tmp_path: Path) -> None:
    target = tmp_path / ("a." + "x" * 253)

    _fetch(target, _send)

    assert _names(target) == [target.name]


def test_a_truncated_download_starts_again(target: Path) -> None:
    done: list[int] = []
    _fetch(target, _truncate, _send, on_progress=lambda count, _total: done.append(count))

    assert target.read_bytes() == SIGNED
    assert done.count(len(SIGNED)) == 1
    assert len(SIGNED) - 1 in done


@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        (_truncate, ServiceUnavailableError, "broke off in the middle of the answer; given up after"),
        (_send_empty, ServiceUnavailableError, "was answered with an empty body; given up after"),
        (_refuse, RefusedError, "was refused: 400 Bad Request: Still processing."),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_does_not_come_whole_touches_nothing(
    target: Path, behaviour: Behaviour, error: type[Exception], words: str, force: bool
) -> None:
    if force:
        target.write_bytes(b"old")
    with pytest.raises(error) as caught:
        _fetch(target, behaviour, force=force)

    assert words in str(caught.value)
    assert _names(target) == ([target.name] if force else [])
    assert not force or target.read_bytes() == b"old"


def test_what_fails_verification_is_kept_under_another_name(target: Path) -> None:
    def accept(_artifact: Artifact) -> None:
        raise VerificationError("not signed.", hint="Look.", code="not-signed")

    rejected = target.with_name(f"{target.name}.rejected")
    for force in (False, True):  # the second time one is there already
        with pytest.raises(VerificationError) as caught:
            _fetch(target, _send, accept=accept, force=force)
        assert _names(target) == [rejected.name]
        assert (caught.value.message, caught.value.hint) == (
            "not signed.",
            f"Look. What came is kept as {rejected}; do not publish it.",
        )
    rejected.unlink()
    rejected.mkdir()  # a name that can't be had: nothing is kept, and the error is the first one
    with pytest.raises(VerificationError) as caught:
        _fetch(target, _send, accept=accept)
    assert caught.value.message == "not signed."
    assert str(rejected) in caught.value.hint
    assert _names(target) == [rejected.name]


def test_a_rejected_file_does_not_replace_another_without_force(target: Path) -> None:
    def accept(_artifact: Artifact) -> None:
        raise VerificationError("not signed.", code="not-signed")

    rejected, elsewhere = target.with_name(f"{target.name}.rejected"), target.with_name("elsewhere")
    rejected.write_bytes(b"somebody's")
    with pytest.raises(VerificationError) as caught:
        _fetch(target, _send, accept=accept)
    assert rejected.read_bytes() == b"somebody's"
    assert "--force" in caught.value.hint
    rejected.unlink()
    elsewhere.write_bytes(b"original")
    rejected.symlink_to(elsewhere)
    with pytest.raises(VerificationError):
        _fetch(target, _send, accept=accept, force=True)
    assert elsewhere.read_bytes() == b"original"
    assert not rejected.is_symlink()


@pytest.mark.parametrize("error", [InterruptedRunError("SIGINT"), KeyboardInterrupt()])
def test_what_is_not_accepted_gets_no_name(target: Path, error: BaseException) -> None:
    def accept(_artifact: Artifact) -> None:
        raise error

    with pytest.raises(type(error)):
        _fetch(target, _send, accept=accept)

    assert _names(target) == []


def test_an_error_of_a_reporter_is_not_one_of_the_disk(target: Path) -> None:
    def progress(_done: int, _total: int) -> None:
        raise BrokenPipeError(errno.EPIPE, "nobody reads")

    with pytest.raises(BrokenPipeError):
        _fetch(target, _send, on_progress=progress)

    assert _names(target) == []


def test_an_existing_file_is_replaced_only_when_told_so(target: Path) -> None:
    target.write_bytes(b"old")
    with pytest.raises(LocalFileError) as caught:
        _fetch(target, _send)
    assert str(caught.value) == (f"{target} exists already. Name another output, or replace it with --force.")
    assert target.read_bytes() == b"old"

    _fetch(target, _send, force=True)
    assert target.read_bytes() == SIGNED


def test_a_file_that_appears_in_the_last_moment_is_not_replaced(target: Path) -> None:
    def accept(_artifact: Artifact) -> None:
        target.write_bytes(b"somebody else's")

    with pytest.raises(LocalFileError, match="exists already"):
        _fetch(target, _send, accept=accept)

    assert (_names(target), target.read_bytes()) == ([target.name], b"somebody else's")


def test_a_link_is_replaced_and_not_what_it_leads_to(target: Path) -> None:
    other = target.with_name("other")
    other.write_bytes(b"other")
    target.symlink_to(other)

    _fetch(target, _send, force=True)

    assert (target.is_symlink(), target.read_bytes(), other.read_bytes()) == (False, SIGNED, b"other")


def test_a_disk_that_takes_no_more(target: Path) -> None:
    with largest_file(100_000), pytest.raises(LocalFileError) as caught:
        _fetch(target, _send)

    assert str(caught.value) == f"{target} can't be written: File too large. Check the space and the permissions there."
    assert _names(target) == []


def test_a_directory_that_vanishes_while_it_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="does not exist"):
        _fetch(tmp_path / "gone" / "app.exe", _send)


def test_a_killed_run_leaves_what_the_next_one_removes_and_a_running_neighbour_keeps(target: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from signpath_ci.files.temporary import TemporaryFile\n"
        "file = TemporaryFile(Path(sys.argv[1])); file.write(b'half')\n"
        "print(file.path.name, flush=True); time.sleep(600)"
    )

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen([sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    killed, leftover = start()
    neighbour, kept = start()
    try:
        killed.kill()
        killed.communicate()
        assert _names(target) == sorted([leftover, kept])

        _fetch(target, _send)

        assert _names(target) == sorted([kept, target.name])
    finally:
        neighbour.kill()
        neighbour.communicate()

    remove_leftovers(target)
    assert _names(target) == [target.name]


def test_leftovers_of_other_targets_and_other_files_stay(target: Path) -> None:
    other = TemporaryFile(target.with_name("other.exe"))
    os.close(os.open(other.path, os.O_RDONLY))
    mine = target.with_name(".signpath-notes")
    mine.touch()

    remove_leftovers(target)

    assert _names(target) == sorted([other.path.name, mine.name])
    other.discard()


def test_a_temporary_file_that_somebody_took_for_a_leftover_is_made_anew(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making a file and locking it, a neighbour may lock and remove it."""
    fcntl = pytest.importorskip("fcntl", reason="locks as POSIX has them")
    real = fcntl.flock
    removed: list[Path] = []

    def remove_first(descriptor: int, operation: int) -> None:
        if not removed:
            [path] = target.parent.iterdir()
            path.unlink()
            removed.append(path)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with beside(target) as file:
        assert [file.path] == list(target.parent.iterdir())
        assert file.path != removed[0]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links(target: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", no_links)
    _fetch(target, _send)
    assert (_names(target), target.read_bytes()) == ([target.name], SIGNED)
    target.unlink()

    def accept(_artifact: Artifact) -> None:
        target.write_bytes(b"somebody else's")

    with pytest.raises(LocalFileError, match="exists already"):
        _fetch(target, _send, accept=accept)
    assert target.read_bytes() == b"somebody else's"


def test_a_file_system_without_locks_keeps_leftovers(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl", reason="locks as POSIX has them")
    leftover = TemporaryFile(target)

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    _fetch(target, _send)

    assert _names(target) == sorted([leftover.path.name, target.name])
    leftover.discard()

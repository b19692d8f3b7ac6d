"""Faults of the machine that the command runs on: disks, directories, limits, clocks, signals, neighbours."""

from __future__ import annotations

import io
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from signpath_ci import cli
from signpath_ci.clock import Clock
from signpath_ci.errors import EXIT_CODES, StillPendingError
from signpath_ci.workflows.process import Process
from tests.faults.conftest import at
from tests.faults.proxy import Exchange, relay
from tests.support.pe import LAUNCHERS
from tests.support.program import Finished, Program, Sandbox, finish

_SIGN_STEPS = ["create", "upload", "poll", "poll again", "download"]


def _doing(action: Callable[[], object]) -> Callable[[Exchange], None]:
    def then_relay(exchange: Exchange) -> None:
        action()
        relay(exchange)

    return then_relay


def _limited(program: Program, limit: str) -> Program:
    # Python itself must not write its compiled modules under such limits: it would leave half of one for others. Nor
    # can coverage write what it has measured.
    environment = {name: text for name, text in program.environment.items() if "COVERAGE" not in name}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return replace(program, environment=environment, prefix=("sh", "-c", f'ulimit {limit}; exec "$@"', "sh"))


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _collect_later(program: Program, failed: Finished) -> None:
    """Fetch what a failed run had signed, by the id that it named."""
    later = program("download", failed.json["signing_request_id"], "--unsigned", "app.exe", "--force")
    assert later.code == 0, later.err


def _is_as_it_says(program: Program, ended: Finished) -> None:
    """Check what an interrupted run says of its request: it was canceled, or it can be collected."""
    if "is Canceled" in ended.error:
        assert program("status", ended.json["signing_request_id"], "--json").json["status"] == "Canceled"
    else:
        _collect_later(program, ended)


def test_a_limit_of_file_sizes_leaves_nothing_half_written(job: Program) -> None:
    failed = _limited(job, "-f 40")("sign", "app.exe", "--json")

    assert failed.code == 8, failed.err
    assert "app.signed.exe can't be written: " in failed.error
    assert _names(job.directory) == ["app.exe"]
    _collect_later(job, failed)


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_result_that_can_not_be_written_is_no_success(job: Program, arguments: tuple[str, ...]) -> None:
    full = replace(job, prefix=("sh", "-c", 'exec "$@" >/dev/full', "sh"))

    failed = full("sign", "app.exe", *arguments)

    assert failed.code == 8, failed.err
    assert "standard output can't be written: No space left on device" in failed.error


def test_a_log_that_can_not_be_written_loses_no_signature(job: Program) -> None:
    full = replace(job, prefix=("sh", "-c", 'exec "$@" 2>/dev/full', "sh"))

    finished = full("sign", "app.exe")

    assert (finished.code, finished.out) == (0, "app.signed.exe\n")


@pytest.mark.parametrize("step", ["create", "poll", "download"])
def test_a_target_directory_that_goes_away(job: Program, sandbox: Sandbox, step: str) -> None:
    target = job.directory / "out"
    target.mkdir()
    with at(sandbox, step, _doing(lambda: shutil.rmtree(target))) as url:
        failed = job("sign", "app.exe", "--json", "-o", "out/app.exe", SIGNPATH_API_URL=url)

    assert failed.code == 8, failed.err
    assert failed.error
    assert _names(job.directory) == ["app.exe"]
    _collect_later(job, failed)


def test_a_working_directory_that_is_gone_is_said(job: Program) -> None:
    gone = replace(job, prefix=("sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"))

    failed = gone("sign", str(job.directory / "app.exe"))

    assert failed.code == 8, failed.err
    assert failed.error.startswith("The working directory can't be found: No such file or directory.")


@pytest.mark.parametrize("step", ["create", "poll", "download"])
def test_a_target_directory_that_becomes_read_only(job: Program, sandbox: Sandbox, step: str) -> None:
    target = job.directory / "out"
    target.mkdir()
    with at(sandbox, step, _doing(lambda: target.chmod(0o555))) as url:
        failed = job.bound_by_permissions("sign", "app.exe", "--json", "-o", "out/app.exe", SIGNPATH_API_URL=url)

    if step == "download":  # its temporary file is there already, and can be neither named nor removed
        target.chmod(0o755)
    assert failed.code == 8, failed.err
    assert failed.error
    assert not (target / "app.exe").exists()
    _collect_later(job, failed)


def test_a_file_that_is_replaced_after_it_was_hashed_is_not_signed(job: Program, sandbox: Sandbox) -> None:
    other = job.directory / "other.exe"
    other.write_bytes((job.directory / "app.exe").read_bytes()[::-1])

    with at(sandbox, "create", _doing(lambda: other.replace(job.directory / "app.exe"))) as url:
        failed = job("sign", "app.exe", "--json", SIGNPATH_API_URL=url)

    assert failed.code == 8, failed.err
    assert "app.exe changed while it was uploaded" in failed.error
    assert _names(job.directory) == ["app.exe"]


@pytest.mark.parametrize("jump", [timedelta(days=-4000), timedelta(days=4000)])
def test_a_clock_that_is_set_ends_no_waiting_and_prolongs_none(job: Program, jump: timedelta) -> None:
    jumps = iter([timedelta()])

    def now() -> datetime:
        return datetime.now(timezone.utc) + next(jumps, jump)

    def run(**changes: str) -> str:
        process = Process(
            environment={**job.environment, "SIGNPATH_ARTIFACT": str(job.directory / "app.exe"), **changes},
            directory=job.directory,
            stdout=io.StringIO(),
            stderr=(stderr := io.StringIO()),
            clock=Clock(now=now),
        )
        command, settings = cli.parse(["sign", "--force"], process.environment)
        command.run(settings, process)
        return stderr.getvalue()

    assert "Verified " in run()
    with pytest.raises(StillPendingError):
        run(SIGNPATH_SIGNING_POLICY_SLUG="release-signing", SIGNPATH_WAIT_FOR_COMPLETION_TIMEOUT="1")


@pytest.mark.sample(8)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", _SIGN_STEPS)
def test_a_signal_ends_a_run_at_once_and_cleans_up(
    job: Program, sandbox: Sandbox, step: str, number: signal.Signals
) -> None:
    arrived = threading.Event()

    def hold(exchange: Exchange) -> None:
        if step == "download":  # in the middle of the file
            answer = exchange.upstream_answer
            exchange.send(answer, part=slice(len(answer.body) // 2))
        arrived.set()
        exchange.hang()

    with at(sandbox, step, hold) as url, job.start("sign", "app.exe", "--json", SIGNPATH_API_URL=url) as process:
        assert arrived.wait(30)
        started = time.monotonic()
        process.send_signal(number)
        ended = finish(process)
    assert time.monotonic() - started < 5
    assert ended.code == 128 + number
    assert ended.error.startswith(f"Interrupted by {number.name}.")
    assert _names(job.directory) == ["app.exe"]
    if step in {"poll", "poll again", "download"}:
        _is_as_it_says(job, ended)


@pytest.mark.sample(6)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", ["upload", "poll", "download"])
@pytest.mark.parametrize("arguments", [("--bundle",), ("--bundle", "--in-place"), ("--in-place",)], ids=" ".join)
def test_a_signal_leaves_all_files_as_they_were(
    program: Program, sandbox: Sandbox, step: str, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    contents = {name: LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes for name in ("a.exe", "b.exe")}
    for name, content in contents.items():
        (program.directory / name).write_bytes(content)
    arrived = threading.Event()

    def hold(exchange: Exchange) -> None:
        arrived.set()
        exchange.hang()

    with (
        at(sandbox, step, hold) as url,
        program.start("sign", "a.exe", "b.exe", *arguments, SIGNPATH_API_URL=url) as process,
    ):
        assert arrived.wait(30)
        started = time.monotonic()
        process.send_signal(number)
        ended = finish(process)
    assert time.monotonic() - started < 10
    assert ended.code == 128 + number, ended.err
    assert ended.error.startswith(f"Interrupted by {number.name}.")
    assert {path.name: path.read_bytes() for path in program.directory.iterdir()} == contents
    assert ended.out == ""


@pytest.mark.sample(4)
@pytest.mark.parametrize("files", [4, 5, 6, 7, 8, 10, 12])
def test_few_file_descriptors(job: Program, files: int) -> None:
    ended = _limited(job, f"-n {files}")("sign", "app.exe")

    if "signpath_ci" not in ended.err and "Fatal Python error" in ended.err:
        return  # not even Python starts
    assert ended.code in EXIT_CODES, ended.err
    assert "Traceback" not in ended.err
    assert _names(job.directory) == ["app.exe", "app.signed.exe"] if ended.code == 0 else ["app.exe"]


def test_many_runs_share_a_directory(program: Program) -> None:
    names = [f"app{number % 16}.exe" for number in range(20)]
    for name in set(names):
        (program.directory / name).write_bytes(LAUNCHERS["x64"].read_bytes() + name.encode())

    with ThreadPoolExecutor(10) as pool:
        runs = list(pool.map(lambda name: program.process("sign", name), names))

    # Four files are signed by two runs at the same time: the first takes the name, the other says so.
    assert {run.code for run in runs} <= {0, 8}, [run.error for run in runs if run.code not in {0, 8}]
    assert all("exists already" in run.error for run in runs if run.code == 8)
    won = sorted(Path(run.out.strip()).name for run in runs if run.code == 0)
    assert won == sorted(name.replace(".exe", ".signed.exe") for name in set(names))
    assert _names(program.directory) == sorted([*set(names), *won])
    for name in won[:3]:
        assert program("verify", name, "--unsigned", name.replace(".signed", "")).code == 0

"""How late the end of a request is seen, and with how many polls, beside a schedule that doubles from 10 s.

Real requests in a real sandbox; a clock that runs 20 times as fast for the sandbox and for whoever waits, so that five
minutes take 15 s. What network and signing cost counts 20-fold too, so that the figures are worse than real ones.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.measure import run, table
from signpath_ci.api.rest import SignPathApi
from signpath_ci.clock import Clock
from signpath_ci.model import SigningRequestFields
from signpath_ci.sandbox.child import running_sandbox
from signpath_ci.settings import WaitSettings, load
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.submit import submit
from signpath_ci.signing.wait import wait
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.process import Process

_SCALE = 20.0
_SECONDS = (3, 12, 35, 90, 300)
_TIMEOUT = 3600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 1200.0  # of the schedule that doubles, as SignPath's own action has it
_SHARE, _MORE = 1.05, 1.0
_MANY, _SIGNING_SECONDS, _MOST_TIMES = 50, 2, 3
_MIB = 1024 * 1024
_CLOCK = Clock(monotonic=lambda: time.monotonic() * _SCALE, sleep=lambda seconds: time.sleep(seconds / _SCALE))


@dataclass
class _Watched:
    """When somebody saw the end, in scaled seconds, and after how many polls."""

    at: float = 0.0
    polls: int = 0


def measure() -> str:
    """Return the table of how late the end is seen.

    Raises:
        RuntimeError: later than is promised.
    """
    rows = []
    for seconds in _SECONDS:
        taken, ours, doubling = _watch(seconds)
        limit = taken * _SHARE + _MORE
        if ours.at > limit:
            raise RuntimeError(f"A request of {taken:.1f} s was seen after {ours.at:.1f} s, later than {limit:.1f} s.")
        rows.append([
            f"{taken:.1f} s",
            *(f"{seen.at:.1f} s ({seen.at / taken:.2f}), {seen.polls} polls" for seen in (ours, doubling)),
        ])  # fmt: skip
    return table(["request takes", "signpath-ci: seen after (of taken)", "pauses doubling from 10 s"], rows)


def _watch(seconds: float) -> tuple[float, _Watched, _Watched]:
    with (
        tempfile.TemporaryDirectory() as directory,
        running_sandbox(["--processing-seconds", str(seconds / _SCALE)]) as sandbox,
    ):
        request_id = _submit(sandbox, Path(directory))
        start = _CLOCK.monotonic()
        truth, ours, doubling = _Watched(), _Watched(), _Watched()

        def wait_as_we_do(api: SignPathApi, seen: _Watched) -> None:
            def count(_waited: float) -> None:
                seen.polls += 1

            wait(api, request_id, timeout=_TIMEOUT, clock=_CLOCK, on_status=lambda *_: None, on_poll=count)

        def wait_doubling(api: SignPathApi, seen: _Watched) -> None:
            _poll(api, request_id, seen, lambda pause: min(pause * 2, _LONGEST_PAUSE), _FIRST_PAUSE)

        def wait_all_the_time(api: SignPathApi, seen: _Watched) -> None:
            _poll(api, request_id, seen, lambda pause: pause, 0.2)

        def follow(work: Callable[[SignPathApi, _Watched], None], seen: _Watched) -> None:
            work(_connected(sandbox), seen)
            seen.at = _CLOCK.monotonic() - start

        jobs = ((wait_all_the_time, truth), (wait_as_we_do, ours), (wait_doubling, doubling))
        threads = [threading.Thread(target=follow, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return truth.at, ours, doubling


def _poll(api: SignPathApi, request_id: str, seen: _Watched, following: Callable[[float], float], pause: float) -> None:
    while True:
        _CLOCK.sleep(pause)
        seen.polls += 1
        if api.status(request_id).is_final:
            return
        pause = following(pause)


def _connected(sandbox: dict[str, Any]) -> SignPathApi:
    settings = load(
        WaitSettings,
        {"signing_request_id": "-", "api_url": sandbox["api_url"], "organization_id": sandbox["organization_id"]},
        {"SIGNPATH_API_TOKEN": sandbox["api_token"]},
    )
    process = Process(environment=os.environ, directory=Path.cwd(), stdout=StringIO(), stderr=StringIO())
    return connect(settings, process)


def _submit(sandbox: dict[str, Any], directory: Path) -> str:
    path = directory / "app.exe"
    path.write_bytes(_executable() + uuid.uuid4().bytes)
    fields = SigningRequestFields(
        project_slug=sandbox["project_slug"], signing_policy_slug=sandbox["signing_policy_slug"]
    )
    submission = submit(_connected(sandbox), read_artifact(path), fields, on_progress=lambda *_: None)
    return submission.signing_request_id


def measure_many() -> str:
    """Return the table of one file's and of many files' time, as `signpath-ci sign` takes them.

    Raises:
        RuntimeError: many take longer than is promised.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        running_sandbox(["--processing-seconds", str(_SIGNING_SECONDS)]) as sandbox,
    ):
        environment = {
            "SIGNPATH_API_URL": sandbox["api_url"],
            "SIGNPATH_API_TOKEN": sandbox["api_token"],
            "SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"],
            "SIGNPATH_PROJECT_SLUG": sandbox["project_slug"],
            "SIGNPATH_SIGNING_POLICY_SLUG": sandbox["signing_policy_slug"],
        }
        runs = {}
        for count in (1, _MANY):
            place = Path(directory) / str(count)
            place.mkdir()
            for number in range(count):
                (place / f"{number}.exe").write_bytes(_executable() + os.urandom(_MIB))
            files = sorted(str(path) for path in place.iterdir())
            runs[count] = run([sys.executable, "-m", "signpath_ci", "sign", *files], environment)
    one, many = runs[1], runs[_MANY]
    if many.seconds > _MOST_TIMES * one.seconds:
        raise RuntimeError(f"{_MANY} files took {many.seconds:.1f} s, and one {one.seconds:.1f} s.")
    rows = [
        [f"{count} of 1 MiB", f"{taken.seconds:.1f} s ({taken.seconds / one.seconds:.2f})", f"{taken.peak_mib:.0f} MiB"]
        for count, taken in runs.items()
    ]
    return table([f"files that take {_SIGNING_SECONDS} s each to sign", "time (of one file's)", "peak memory"], rows)


def _executable() -> bytes:
    spec = find_spec("distlib")
    return Path(spec.origin if spec and spec.origin else "").with_name("t64.exe").read_bytes()

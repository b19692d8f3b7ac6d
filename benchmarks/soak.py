"""Many requests through parallel clients, while calls fail and the sandbox is killed: all signed, each exactly once."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults.faults import FAULTS
from tests.faults.proxy import EVERYWHERE, Exchange, Plan, proxying, relay
from tests.support import http

from benchmarks.measure import table
from signpath_ci.api.rest import SignPathApi
from signpath_ci.api.transport import Transport
from signpath_ci.clock import Clock
from signpath_ci.errors import SignPathError
from signpath_ci.model import SigningRequestFields
from signpath_ci.settings.declaration import Secret
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.submit import submit
from signpath_ci.signing.wait import wait
from signpath_ci.workflows.destinations import Incoming, SignedFile

_REQUESTS, _CLIENTS, _BOUND = 2000, 20, 900.0
_SHARE = 0.05
_FAULTS = [
    FAULTS[name].fault or relay
    for name in ("reset before", "reset after", "reset in the answer", "500 after", "502 after", "503", "408")
]
_SETTLED, _KILLED = 0.6, 0.4
"""Shares of the requests: when memory is measured first, and when the sandbox is killed before."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a process holds: resident memory in MiB, and open descriptors."""

    mib: float
    descriptors: int


@dataclass(frozen=True, kw_only=True)
class Soak:
    """How it went.

    Attributes:
        requests: how many files there were.
        failed: the runs that failed, in words.
        not_once: how often those files were signed that were not signed exactly once.
        faults: the calls that were made to fail.
        seconds: how long it took.
        client: before and after, of the clients' process.
        sandbox: before and after.
    """

    requests: int
    failed: tuple[str, ...]
    not_once: tuple[int, ...]
    faults: int
    seconds: float
    client: tuple[Usage, Usage]
    sandbox: tuple[Usage, Usage]


def measure() -> str:
    """Return the table of a soak.

    Raises:
        RuntimeError: a request was lost or signed twice, or it took too long.
    """
    soaked = soak(_REQUESTS, _CLIENTS)
    if soaked.failed or soaked.not_once or soaked.seconds > _BOUND:
        raise RuntimeError(f"The soak failed: {soaked}")
    rows = [
        ["requests, each signed exactly once", str(soaked.requests)],
        ["parallel clients", str(_CLIENTS)],
        ["calls that failed on the way", str(soaked.faults)],
        ["sandbox killed and restarted", "once"],
        ["wall time", f"{soaked.seconds:.0f} s"],
        *(
            [f"{name}: memory, descriptors", f"{a.mib:.0f} -> {b.mib:.0f} MiB, {a.descriptors} -> {b.descriptors}"]
            for name, (a, b) in (("clients", soaked.client), ("sandbox", soaked.sandbox))
        ),
    ]
    return table(["what", "measured"], rows)


def soak(count: int, clients: int, clock: Clock | None = None) -> Soak:
    """Have `count` files signed by `clients` threads.

    Args:
        count: how many files.
        clients: how many at the same time.
        clock: of the clients; `None`: the system's.
    """
    logging.getLogger("signpath_ci").addHandler(logging.NullHandler())  # the failing calls are meant to fail
    with tempfile.TemporaryDirectory() as name, _Sandbox(Path(name)).running() as sandbox:
        return _Work(Path(name), sandbox, count, clock or Clock()).done(clients)


class _Sandbox:
    """A sandbox that can be killed, and goes on where it was."""

    def __init__(self, directory: Path) -> None:
        self._state = directory / "state"
        self._port = 0

    @contextmanager
    def running(self) -> Iterator[_Sandbox]:
        self._start()
        try:
            yield self
        finally:
            self._end(signal.SIGTERM)

    def kill_and_restart(self) -> None:
        self._end(signal.SIGKILL)
        self._start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self._port)

    def recorded(self) -> list[dict[str, Any]]:
        """Return all requests, as the sandbox knows them."""
        answer = http.get(f"http://127.0.0.1:{self._port}/sandbox/requests", timeout=60)
        answer.raise_for_status()
        listed: list[dict[str, Any]] = answer.json()
        return listed

    def _start(self) -> None:
        command = [sys.executable, "-m", "signpath_ci", "sandbox", "--json", "--processing-seconds", "0.2"]
        options = ["--port", str(self._port), "--state", str(self._state), "--log-level", "error"]
        self._child = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        line = self._child.stdout.readline() if self._child.stdout else ""
        self.said: dict[str, Any] = json.loads(line)
        self._port = int(self.said["api_url"].removesuffix("/Api").rpartition(":")[2])

    def _end(self, number: signal.Signals) -> None:
        self._child.send_signal(number)
        self._child.wait(30)
        if self._child.stdout:
            self._child.stdout.close()


class _Work:
    def __init__(self, directory: Path, sandbox: _Sandbox, count: int, clock: Clock) -> None:
        self._directory, self._sandbox, self._count, self._clock = directory, sandbox, count, clock
        spec = find_spec("distlib")
        self._launcher = Path((spec.origin if spec else None) or "").with_name("t64.exe").read_bytes()
        self._lock = threading.Lock()
        self._random = random.Random(7)
        self._finished = self._faults = 0
        self._failed: list[str] = []
        self._before: tuple[Usage, Usage] | None = None

    def done(self, clients: int) -> Soak:
        started = time.monotonic()
        plan = Plan(EVERYWHERE, self._fail_sometimes, always=True)
        with proxying(self._sandbox.address, plan) as proxy, ThreadPoolExecutor(clients) as pool:
            url = f"http://127.0.0.1:{proxy.port}/Api"
            digests = list(pool.map(lambda _: self._sign(url), range(self._count)))
        seconds = time.monotonic() - started
        client, sandbox = _usage("self"), _usage(str(self._sandbox.pid))
        before = self._before or (client, sandbox)
        signed = dict.fromkeys(digests, 0)
        for entry in self._sandbox.recorded():
            if entry["unsigned_sha256"] in signed:
                signed[entry["unsigned_sha256"]] += entry["times_signed"]
        return Soak(
            requests=self._count,
            failed=tuple(self._failed),
            not_once=tuple(times for times in signed.values() if times != 1),
            faults=self._faults,
            seconds=seconds,
            client=(before[0], client),
            sandbox=(before[1], sandbox),
        )

    def _sign(self, url: str) -> str:
        path = self._directory / f"{uuid.uuid4().hex}.exe"
        content = self._launcher + uuid.uuid4().bytes
        path.write_bytes(content)
        try:
            self._run(path, url)
        except SignPathError as error:
            self._failed.append(str(error))
        path.unlink()
        self._count_finished()
        return hashlib.sha256(content).hexdigest()

    def _run(self, path: Path, url: str) -> None:
        said, clock = self._sandbox.said, self._clock
        transport = Transport(
            base_url=url,
            token=Secret(said["api_token"]),
            connect_timeout=10,
            stall_timeout=30,
            service_unavailable_timeout=120,
            clock=clock,
            random=random.random,
            user_agent="signpath-ci/soak",
        )
        with closing(transport):
            api = SignPathApi(transport, said["organization_id"])
            fields = SigningRequestFields(
                project_slug=said["project_slug"], signing_policy_slug=said["signing_policy_slug"]
            )
            submission = submit(api, read_artifact(path), fields, on_progress=_ignore)
            request_id, target = submission.signing_request_id, path.with_suffix(".signed")
            wait(api, request_id, timeout=300, clock=clock, on_status=_ignore, on_poll=_ignore)
            SignedFile(path=target, force=False).receive(
                Incoming(client=api, signing_request_id=request_id, on_progress=_ignore, accept=_ignore)
            )
            target.unlink()

    def _count_finished(self) -> None:
        with self._lock:
            self._finished += 1
            if self._finished == int(self._count * _KILLED):
                self._sandbox.kill_and_restart()
            if self._finished == int(self._count * _SETTLED):
                self._before = (_usage("self"), _usage(str(self._sandbox.pid)))

    def _fail_sometimes(self, exchange: Exchange) -> None:
        with self._lock:
            fails = self._random.random() < _SHARE
            fault = self._random.choice(_FAULTS)
            self._faults += fails
        (fault if fails else relay)(exchange)


def _ignore(*_: object) -> None:
    """Hear of something."""


def _usage(process: str) -> Usage:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return Usage(mib=pages * 4096 / 2**20, descriptors=len(list(Path(f"/proc/{process}/fd").iterdir())))

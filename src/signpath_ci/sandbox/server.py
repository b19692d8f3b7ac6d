"""Runs the sandbox as a process: state directory, listening socket, signals, and what it says about itself."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
import uuid
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

import uvicorn

from signpath_ci.clock import Clock
from signpath_ci.errors import UsageError
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.announcement import ANY_ADDRESS, base_url, describe, readable, warning
from signpath_ci.sandbox.api.versions import NEWEST, ServerVersion
from signpath_ci.sandbox.app import create_app
from signpath_ci.sandbox.artifact_configurations import ArtifactConfigurations
from signpath_ci.sandbox.config import Configuration
from signpath_ci.sandbox.config_file import read_configuration
from signpath_ci.sandbox.defaults import default_configuration
from signpath_ci.sandbox.outcome import Step, write_steps
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.processing import SignFile
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.sandbox.signers.execute import execute
from signpath_ci.sandbox.store import SigningRequest, Store

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 1


def run(
    *,
    host: str,
    port: int,
    allow_host: Sequence[str],
    state: Path | None,
    config: Path | None,
    artifact_store: Path | None,
    processing_seconds: float,
    server_version: str | None,
    as_json: bool,
    open_page: bool,
    output: TextIO,
    clock: Clock | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        allow_host: names besides those of loopback, and `host`, by which the sandbox is called.
        state: where everything is kept; `None`: in a temporary directory that is removed at the end.
        config: YAML; `None`: a built-in demo project.
        artifact_store: the CI systems' artifacts; `None`: below the state directory.
        processing_seconds: how long a request takes.
        server_version: of SignPath, such as `1.190`; `None`: the newest.
        as_json: say it as one JSON object on one line instead of readable lines.
        open_page: show the pages in this machine's browser.
        output: where that is written, once the sandbox is ready.
        clock: the time.

    Raises:
        UsageError: a directory, the configuration or the address can't be used.
    """
    clock = clock or Clock()
    version = _version(server_version)
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(_state_directory(state))
        store = stack.enter_context(contextlib.closing(Store(directory, clock=clock)))
        configuration = read_configuration(config) if config else _default_configuration(directory / "secrets.json")
        artifacts = artifact_store or directory / "artifacts"
        authority = _authority(directory / "pki", artifacts, clock)
        listener = stack.enter_context(listen(host, port))
        app = create_app(
            configuration,
            store,
            sign=_signing(authority, clock, store),
            answer_timestamp_query=lambda query, now: tsa.respond(authority.timestamper, query, now=now),
            artifact_store=artifacts,
            artifact_configurations=ArtifactConfigurations(directory / "artifact-configurations", configuration),
            authority=authority,
            processing_seconds=processing_seconds,
            clock=clock,
            version=version,
            allowed_hosts=[*allow_host, *([] if host in ANY_ADDRESS else [host])],
        )
        port = listener.getsockname()[1]
        about = describe(
            base_url(host, port),
            configuration,
            trust_root=authority.trust_root,
            artifact_store=artifacts,
            hosts=allow_host,
            port=port,
        )
        if said := warning(host, allow_host):
            _log.warning("%s", said)

        def announce() -> None:
            output.write((json.dumps(about) if as_json else readable(about)) + "\n")
            output.flush()
            if open_page:
                # In a thread: a browser that is started may keep the call until its end.
                threading.Thread(target=webbrowser.open, args=(about["web_url"],), daemon=True).start()

        server = Server(app, announce)
        with _ending_on_signals(server):
            server.run(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn, set up for large bodies and quick ends.

    Args:
        ready: called once connections are taken.
    """

    def __init__(self, app: object, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type] # an ASGI application; uvicorn's own type for it is stricter than Starlette's
                loop="asyncio",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                # Clients poll up to 30 s apart on one connection, which must not be closed under their hands.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()


def _version(text: str | None) -> ServerVersion:
    try:
        return ServerVersion.parse(text) if text else NEWEST
    except ValueError as error:
        raise UsageError(f"{error}.", hint="Name one with --server-version.", code="invalid-option") from None


@contextlib.contextmanager
def _state_directory(state: Path | None) -> Iterator[Path]:
    if state is None:
        with tempfile.TemporaryDirectory(prefix="signpath-sandbox-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
        return
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(
            f"The state directory {state} can't be made: {error.strerror}.",
            hint="Name another one with --state.",
            code="sandbox-unusable",
        ) from None
    yield state.absolute()


def _default_configuration(file: Path) -> Configuration:
    """Return the built-in configuration, with secrets that are made once for each state directory."""
    try:
        if not file.exists():
            _write_secrets(file)
        return default_configuration(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{file} can't be used: {error}.", hint="Remove it, or name another --state.", code="sandbox-unusable"
        ) from None


def _write_secrets(file: Path) -> None:
    known = {
        "organization_id": str(uuid.uuid4()),
        "api_token": secrets.token_urlsafe(32),
        "trusted_build_system_token": secrets.token_urlsafe(32),
    }
    half_written = file.with_suffix(".new")
    half_written.touch(mode=0o600)
    half_written.write_text(json.dumps(known), "utf-8")
    half_written.replace(file)


def _authority(directory: Path, artifact_store: Path, clock: Clock) -> Authority:
    try:
        artifact_store.mkdir(parents=True, exist_ok=True)
        return Authority.open(directory, now=clock.now())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The sandbox's directories can't be used: {error}.",
            hint="Name others, or remove them.",
            code="sandbox-unusable",
        ) from None


def _signing(authority: Authority, clock: Clock, store: Store) -> SignFile:
    """Return what signs: by the artifact configuration of the request; where it has none, by content."""

    def sign(source: Path, target: Path, request: SigningRequest, certificate: str) -> None:
        signer = authority.code_signer(certificate)

        def timestamp(signature: bytes) -> bytes:
            return tsa.timestamp(authority.timestamper, signature, now=clock.now())

        configuration = store.artifact_configuration(request.id)
        if not configuration.exists():
            sign_file(source, target, signer=signer, timestamp=timestamp, name=request.file_name)
            return
        steps: list[Step] = []
        try:
            execute(
                source,
                target,
                configuration=configuration.read_bytes(),
                parameters=request.parameters,
                name=request.file_name,
                signer=signer,
                timestamp=timestamp,
                steps=steps,
            )
        finally:
            write_steps(store.steps(request.id), steps)

    return sign


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        UsageError: the address can't be listened on.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named, asyncio switches Nagle's algorithm off; otherwise small answers wait for 40 ms.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # elsewhere this option lets two processes share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"{host}:{port} can't be listened on: {error.strerror}.",
            hint="Name another --host or --port; port 0 takes a free one.",
            code="sandbox-unusable",
        ) from None
    return listener


@contextlib.contextmanager
def _ending_on_signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server, and not the process in the midst of its work.

    uvicorn does so too, but raises the signal once more when it has ended; this is what it meets then.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

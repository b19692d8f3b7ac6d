"""What happens to a request after its submission: it walks through SignPath's states, and is signed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from signpath_ci.clock import Clock
from signpath_ci.sandbox import retrieval, webhook
from signpath_ci.sandbox.config import Configuration, SigningPolicy, Webhook
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest, Store

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_SIGNINGS_AT_ONCE = 2
_PIECE = 1024 * 1024

_WAITING = {State.WAITING_FOR_ARTIFACT_UPLOAD, State.WAITING_FOR_APPROVAL}
_NEXT = {
    State.SUBMITTED: State.QUEUED_FOR_MALWARE_SCANNING,
    State.QUEUED_FOR_MALWARE_SCANNING: State.SCANNING_FOR_MALWARE,
    State.SCANNING_FOR_MALWARE: State.QUEUED_FOR_PROCESSING,
    State.QUEUED_FOR_PROCESSING: State.PROCESSING,
}

SignFile = Callable[[Path, Path, SigningRequest, str], None]
"""Signs the first path to the second, as a request wants it, with the certificate of that name.

Raises `CannotSignError`.
"""


class Processor:
    """Works off the requests of a store; lives and is called on one event loop.

    Args:
        sign: what really signs; called in a thread.
        processing_seconds: how long a request takes from submission to completion, besides the work itself and
            the wait for people.
    """

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        *,
        sign: SignFile,
        processing_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._configuration, self._store, self._sign = configuration, store, sign
        self._seconds = processing_seconds
        self._signings = asyncio.Semaphore(_SIGNINGS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Resume whatever an earlier process left unfinished."""
        for request_id in self._store.unfinished():
            self.wake(request_id)
            self.cancel_when_due(request_id)

    def wake(self, request_id: str) -> None:
        """Resume a request that was just submitted, uploaded or approved."""
        self._begin(self._process(request_id))

    def cancel_when_due(self, request_id: str) -> None:
        """Cancel a request at the time that its submit has named, if it did."""
        request = self._store.find(request_id)
        if request and request.cancel_at:
            due = datetime.fromisoformat(request.cancel_at)
            self._begin(self._cancel_at(request_id, (due - self._clock.now()).total_seconds()))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cancel_at(self, request_id: str, seconds: float) -> None:
        await asyncio.sleep(max(0, seconds))
        request = self._store.find(request_id)
        if request and not request.state.is_final:
            self.end(request, State.CANCELED, failure="Canceled: the time that the submit has named is over.")

    async def close(self) -> None:
        """Drop everything; `resume` takes it up again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end(
        self, request: SigningRequest, state: State, *, by: str | None = None, **changes: Any
    ) -> SigningRequest | None:
        """Put a request into a final state and tell the webhook; `None` where the request has moved on meanwhile."""
        if request.retrieval:
            changes["retrieval"] = request.retrieval.without_headers()
        ended = self._store.change(request.id, request.state, by=by, state=state, **changes)
        project = self._configuration.project(request.project_slug)
        if ended and project and project.webhook:
            self._begin(self._report(ended, project.webhook))
        return ended

    async def _report(self, ended: SigningRequest, hook: Webhook) -> None:
        """Tell the webhook, and keep what it answers."""
        now = self._clock.now().isoformat()
        organization_id, status = self._configuration.organization_id, ended.state.status
        delivery = await _in_thread(
            lambda: webhook.post(
                hook, organization_id=organization_id, signing_request_id=ended.id, status=status, now=now
            )
        )
        self._store.change(ended.id, ended.state, webhook=delivery)

    async def _process(self, request_id: str) -> None:
        request = self._store.find(request_id)
        try:
            while request and not request.state.is_final and request.state not in _WAITING:
                await asyncio.sleep(self._seconds / (6 if request.retrieval else 5))
                request = await self._advance(request)
        except Exception:  # noqa: BLE001 - one broken request must not stop the others, nor hang for ever
            _log.exception("Processing of the signing request %s failed", request_id)
            request = self._store.find(request_id)
            if request and not request.state.is_final:
                self.end(request, State.PROCESSING_FAILED, failure="The sandbox failed; its log says more.")

    async def _advance(self, request: SigningRequest) -> SigningRequest | None:
        """Take the step that follows a state; `None` where the request was ended by somebody else meanwhile."""
        if request.state is State.RETRIEVING_ARTIFACT:
            return await self._retrieve(request)
        if request.state is State.PROCESSING:
            return await self._process_artifact(request)
        if request.state is State.SCANNING_FOR_MALWARE:
            policy = self._policy(request)
            if policy and len(request.approvals) < policy.required_approvals:
                return self._move(request, State.WAITING_FOR_APPROVAL)
        if request.state is State.SUBMITTED and request.retrieval:
            return self._move(request, State.RETRIEVING_ARTIFACT)
        return self._move(request, _NEXT[request.state])

    def _move(self, request: SigningRequest, state: State, **changes: Any) -> SigningRequest | None:
        return self._store.change(request.id, request.state, state=state, **changes)

    def _policy(self, request: SigningRequest) -> SigningPolicy | None:
        project = self._configuration.project(request.project_slug)
        return project.signing_policy(request.signing_policy_slug) if project else None

    async def _retrieve(self, request: SigningRequest) -> SigningRequest | None:
        link = request.retrieval
        if link is None:
            return self._move(request, State.QUEUED_FOR_MALWARE_SCANNING)
        incoming = self._store.incoming()
        try:
            sha256 = await _in_thread(
                lambda: retrieval.retrieve(
                    link,
                    incoming,
                    announced_sha256=request.announced_sha256,
                    limit=self._configuration.max_artifact_bytes,
                )
            )
            if self._is_current(request):
                incoming.replace(self._store.unsigned(request.id))
        except retrieval.RetrievalError as error:
            return self.end(request, State.ARTIFACT_RETRIEVAL_FAILED, failure=str(error))
        finally:
            incoming.unlink(missing_ok=True)
        return self._move(
            request,
            State.QUEUED_FOR_MALWARE_SCANNING,
            unsigned_sha256=sha256,
            retrieval=link.without_headers(),
        )

    async def _process_artifact(self, request: SigningRequest) -> SigningRequest | None:
        policy = self._policy(request)
        if policy is None:
            return self.end(request, State.PROCESSING_FAILED, failure="The signing policy does not exist any more.")
        signed, incoming = self._store.signed(request.id), self._store.incoming()
        try:
            if signed.exists():  # an earlier process had signed it, and was killed before it could say so
                sha256 = await _in_thread(lambda: _sha256(signed))
            else:
                sha256 = await self._sign_to(incoming, request, policy)
                if not self._is_current(request):
                    return self._count_unused_signature(request)
                incoming.replace(signed)
        except CannotSignError as error:
            return self.end(request, State.PROCESSING_FAILED, failure=str(error))
        finally:
            incoming.unlink(missing_ok=True)
        return self.end(request, State.COMPLETED, signed_sha256=sha256, times_signed=request.times_signed + 1)

    async def _sign_to(self, target: Path, request: SigningRequest, policy: SigningPolicy) -> str:
        def sign() -> str:
            self._sign(self._store.unsigned(request.id), target, request, policy.certificate)
            return _sha256(target)

        async with self._signings:
            return await _in_thread(sign)

    def _is_current(self, request: SigningRequest) -> bool:
        current = self._store.find(request.id)
        return current is not None and current.state is request.state

    def _count_unused_signature(self, request: SigningRequest) -> SigningRequest | None:
        """Count a signature that was made while the request was canceled."""
        current = self._store.find(request.id)
        if current is None:
            return None
        return self._store.change(current.id, current.state, times_signed=current.times_signed + 1)


async def _in_thread(work: Callable[[], _T]) -> _T:
    """Await work done in a thread that does not keep the process alive when it has to end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def report(result: _T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("_T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody awaits any more
            loop.call_soon_threadsafe(report, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await future


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()

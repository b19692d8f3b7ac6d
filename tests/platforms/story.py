"""The story of a release, as every platform's examples tell it: who approves it, and what must have come out."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.platforms.sandboxes import known_requests, root
from tests.support import http
from tests.support.oracles import osslsigncode_accepts
from tests.support.pe import LAUNCHERS

Request = dict[str, Any]


def build(path: Path) -> None:
    """Write a Windows executable of which there is no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes)


class Approver:
    """Somebody who approves the release of a file as soon as a log says that it waits for that.

    Attributes:
        approved: the requests that were approved, by their ids.
    """

    def __init__(self, sandbox: Mapping[str, Any], unsigned: Path) -> None:
        self._sandbox = sandbox
        self._sha256 = hashlib.sha256(unsigned.read_bytes()).hexdigest()
        self.approved: list[str] = []

    @property
    def requests(self) -> list[Request]:
        """All requests for the file, the oldest first."""
        return [entry for entry in known_requests(self._sandbox) if entry["unsigned_sha256"] == self._sha256]

    def __call__(self, line: str) -> None:
        if "WaitingForApproval" in line and not self.approved:
            self.approve()

    def approve(self) -> None:
        """Approve what waits for it, now."""
        for entry in self.requests:
            if entry["status"] == "WaitingForApproval":
                url = f"{root(self._sandbox)}/sandbox/requests/{entry['id']}/approve"
                http.post(url, timeout=10).raise_for_status()
                self.approved.append(entry["id"])


def demand_signed(path: Path, sandbox: Mapping[str, Any], policy: str, *, unsigned: Path) -> None:
    """Demand that a file is the unsigned one with a policy's signature, by our judgement and by osslsigncode's."""
    trust_root = Path(sandbox["trust_root"])
    expected = Expectations(trust_roots=(trust_root,), subject=f"({policy})", strict=True)
    [verdict] = verify_file(path, unsigned=unsigned, expectations=expected)
    assert (verdict.trust, verdict.identity) == ("root", "same")
    if shutil.which("osslsigncode"):
        osslsigncode_accepts(path, root=trust_root)


def demand_promoted(approver: Approver) -> None:
    """Demand that one file was signed twice, first for the tests, then for its release by who has approved it."""
    told = [(entry["signing_policy_slug"], entry["status"], entry["times_signed"]) for entry in approver.requests]
    assert told == [("test-signing", "Completed", 1), ("release-signing", "Completed", 1)]
    assert approver.approved == [approver.requests[1]["id"]]
    first, second = (entry["origin"]["repositoryData"] for entry in approver.requests)
    assert first == second
    assert first["branchName"] == "main"

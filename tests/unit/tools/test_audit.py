"""`make audit`: every package of every lock is looked up, and what is found or could not be looked up is a failure.

The service for vulnerabilities is played on loopback.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.audit import LOCKS, ROOT, parts

from tests.support.files import serving
from tests.support.needs import reason

_PYTHON = ROOT / ".venv-audit" / "bin" / "python"
_HASH = f" \\\n    --hash=sha256:{'0' * 64}"
_needs_pip_audit = pytest.mark.skipif(not _PYTHON.exists(), reason=reason("pip-audit"))
_Asked = set[tuple[str, str]]


def _pins(lock: str) -> list[Requirement]:
    """Return what a lock pins, read by another reader than the tool's."""
    return [Requirement(line.rstrip("\\")) for line in lock.splitlines() if line.strip()[:1] not in {"-", "#", ""}]


@contextmanager
def _service(vulnerable: str = "", *, away: bool = False) -> Iterator[tuple[str, _Asked]]:
    """Answer as OSV does; give its URL, and which names and versions it was asked for."""
    asked: _Asked = set()

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # an answer comes in two pieces; the second waits for nobody

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.add((name, query["version"]))
            found = {"vulns": [{"id": "OSV-1", "summary": "It is bad.", "affected": [{"package": query["package"]}]}]}
            answer = json.dumps(found if name == vulnerable else {}).encode()
            self.send_response(404 if away else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
            """Say nothing."""

    with serving(Handler) as url:
        yield f"{url}/v1/query", asked


def _audit(url: str, cache: Path) -> tuple[int, str]:
    done = subprocess.run(
        [_PYTHON, "-m", "tools.audit", "--vulnerability-service", "osv", "--osv-url", url, "--cache-dir", cache],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_lock_is_split_where_it_names_a_package_twice() -> None:
    lock = (
        f"a==1 ; python_full_version < '3.11'{_HASH}\n    # via b\n"
        f"a==2 ; python_full_version >= '3.11'{_HASH}{_HASH}\nb[x,y]==1.0.post1{_HASH}\n"
    )

    assert parts(lock) == [f"a==1{_HASH}\nb==1.0.post1{_HASH}\n", f"a==2{_HASH}{_HASH}\n"]


@pytest.mark.parametrize(
    "line",
    ["a", f"a>=1{_HASH}", f"a==1.*{_HASH}", "a==1", f"a @ https://a.example/a.whl{_HASH}", "-e .", "-r other.txt"],
)
def test_what_is_not_pinned_by_version_and_hash_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is no package pinned to one version and its hashes"):
        parts(f"b==1{_HASH}\n{line}\n")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_lock_is_fully_pinned_and_hashed(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")

    looked_up = [pin for part in parts(text) for pin in _pins(part)]

    assert sorted(f"{pin.name}{pin.specifier}" for pin in looked_up) == sorted(
        f"{pin.name}{pin.specifier}" for pin in _pins(text)
    )
    assert {pin.marker for pin in looked_up} == {None}


@_needs_pip_audit
@pytest.mark.full
def test_all_packages_are_looked_up_whatever_they_are_conditioned_on(tmp_path: Path) -> None:
    pins = {lock: _pins(lock.read_text(encoding="utf-8")) for lock in LOCKS}
    of_windows = [lock for lock, pinned in pins.items() if "colorama" in {pin.name for pin in pinned}]

    with _service(vulnerable="colorama") as (url, asked):
        code, said = _audit(url, tmp_path)

    assert asked == {
        (canonicalize_name(pin.name), str(pin.specifier).removeprefix("=="))
        for pinned in pins.values()
        for pin in pinned
    }
    assert code == 1
    assert said.count("colorama 0.4.6   OSV-1") == len(of_windows) > 0
    assert [line for line in said.splitlines() if line.startswith("error: ")] == [
        f"error: {lock.relative_to(ROOT)} is not known to be good: see above." for lock in of_windows
    ]


@_needs_pip_audit
@pytest.mark.full
def test_a_service_that_does_not_know_is_no_success(tmp_path: Path) -> None:
    with _service(away=True) as (url, _):
        code, said = _audit(url, tmp_path)

    assert code == 1
    assert said.count("error: ") == len(LOCKS)

from __future__ import annotations

import io
from pathlib import Path

import pytest

from signpath_ci.errors import InterruptedRunError, LocalFileError, SignPathError, VerificationError
from signpath_ci.settings import SignSettings, load
from signpath_ci.workflows import already_signed, inputs
from signpath_ci.workflows.process import Process

ENVIRONMENT = {
    "SIGNPATH_API_TOKEN": "token-of-ci",
    "SIGNPATH_ORGANIZATION_ID": "12345678-90ab-cdef-1234-567890abcdef",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "test-signing",
    "SIGNPATH_SKIP_SIGNED": "true",
}


def _files_of(path: Path, error: SignPathError, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    def verify_file(*_: object, **__: object) -> None:
        raise error

    for name in ("verify_delivery", "verify_file"):
        monkeypatch.setattr(already_signed, name, verify_file)
    settings = load(SignSettings, {"artifact": [str(path)]}, ENVIRONMENT)
    process = Process(environment={}, directory=path.parent, stdout=io.StringIO(), stderr=io.StringIO())
    return inputs.files_of(settings, process)


@pytest.mark.parametrize(
    "error",
    [VerificationError("Not signed.", code="not-signed"), LocalFileError("It can't be read.", code="unreadable-file")],
)
def test_what_is_not_signed_or_can_not_be_read_is_not_left_out(
    tmp_path: Path, error: SignPathError, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.exe"
    path.write_bytes(b"MZ")

    assert _files_of(path, error, monkeypatch) == [path]


def test_a_signal_while_it_is_looked_at_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.exe"
    path.write_bytes(b"MZ")

    with pytest.raises(InterruptedRunError):
        _files_of(path, InterruptedRunError("Interrupted by SIGTERM.", number=15), monkeypatch)

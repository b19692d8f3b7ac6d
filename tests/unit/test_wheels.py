"""What lies in a cache is used only as it is in wheels that the lock names."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.wheels import WheelError, check, unpack

FILES = {"demo/__init__.py": b"x = 1", "demo/_native.so": bytes(9), "demo-1.dist-info/RECORD": b"", "empty.py": b""}
MORE = {"demo-1.data/purelib/more.py": b"y = 2", "demo-1.data/scripts/run": b"#!"}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A directory with one wheel, unpacked."""
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "demo-1-py3-none-any.whl", "w") as wheel:
        for name, content in (FILES | MORE).items():
            wheel.writestr(name, content)
    unpack(tmp_path, _lock(tmp_path))
    return tmp_path


def _lock(cache: Path) -> bytes:
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((cache / "wheels").iterdir())]
    return b"".join(b"demo==1 \\\n    --hash=sha256:%s\n" % one.encode() for one in ["0" * 64, *hashes])


def test_what_was_unpacked_is_as_in_the_wheel(cache: Path) -> None:
    check(cache, _lock(cache))
    packages = cache / "packages"
    found = {path.relative_to(packages).as_posix(): path.read_bytes() for path in packages.rglob("*") if path.is_file()}
    assert found == FILES | {"more.py": b"y = 2"}


def _changed(cache: Path) -> None:
    (cache / "packages" / "demo" / "__init__.py").write_bytes(b"x = 2")


def _longer(cache: Path) -> None:
    (cache / "packages" / "empty.py").write_bytes(b"import evil")


def _missing(cache: Path) -> None:
    (cache / "packages" / "demo" / "_native.so").unlink()


def _added(cache: Path) -> None:
    (cache / "packages" / "json.py").write_bytes(b"")


def _compiled(cache: Path) -> None:
    (cache / "packages" / "demo" / "__pycache__").mkdir()
    (cache / "packages" / "demo" / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"")


def _linked(cache: Path) -> None:
    file = cache / "packages" / "demo" / "__init__.py"
    file.rename(cache / "elsewhere")
    file.symlink_to(cache / "elsewhere")


def _linked_directory(cache: Path) -> None:
    (cache / "packages" / "demo").rename(cache / "elsewhere")
    (cache / "packages" / "demo").symlink_to(cache / "elsewhere")


def _other_wheel(cache: Path) -> None:
    with zipfile.ZipFile(cache / "wheels" / "evil-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("evil.py", b"")
    (cache / "packages" / "evil.py").write_bytes(b"")


def _changed_wheel(cache: Path) -> None:
    wheel = next((cache / "wheels").iterdir())
    wheel.write_bytes(wheel.read_bytes() + b"\0")


def _no_wheels(cache: Path) -> None:
    next((cache / "wheels").iterdir()).unlink()


CHANGES = [
    _changed, _longer, _missing, _added, _compiled, _linked, _linked_directory, _other_wheel, _changed_wheel,
    _no_wheels,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_was_changed_is_noticed(cache: Path, change: Callable[[Path], None]) -> None:
    lock = _lock(cache)
    change(cache)
    with pytest.raises((WheelError, OSError)):
        check(cache, lock)


def test_a_wheel_that_is_not_in_the_lock_is_not_unpacked(cache: Path) -> None:
    lock = _lock(cache)
    _changed_wheel(cache)
    with pytest.raises(WheelError):
        unpack(cache, lock)

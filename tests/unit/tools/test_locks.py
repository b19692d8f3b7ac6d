"""The locks: what pip may install, and nothing else."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.audit import LOCKS, ROOT

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(\[[^\]]*\])?==", re.MULTILINE)


def _wanted_extras(package: str) -> set[tuple[str, str]]:
    """Return each package of which an installed one wants an extra, with that extra."""
    try:
        texts = requires(package) or []
    except PackageNotFoundError:
        return set()
    wanted = [Requirement(text) for text in texts]
    return {
        (canonicalize_name(one.name), extra)
        for one in wanted
        if one.marker is None or one.marker.evaluate({"extra": ""})
        for extra in one.extras
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name + "/" + path.name)
def test_an_extra_is_pinned_as_it_is_wanted(lock: Path) -> None:
    # `NAME==1` does not pin what a package calls `NAME[extra]`: pip takes the newest then, which has no hash here.
    pinned: dict[str, set[str]] = {}
    for name, extras in _PINNED.findall(lock.read_text(encoding="utf-8")):
        pinned.setdefault(canonicalize_name(name), set()).update(extras.strip("[]").split(",") if extras else ())

    missing = {
        f"{name}[{extra}], wanted by {package}"
        for package in pinned
        for name, extra in _wanted_extras(package)
        if name in pinned and extra not in pinned[name]
    }

    assert missing == set()


def test_every_npm_package_is_pinned_by_its_hash() -> None:
    packages = json.loads((ROOT / "tests/platforms/package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages.pop("")  # the project itself

    assert packages
    assert [name for name, package in packages.items() if not package.get("integrity", "").startswith("sha512-")] == []

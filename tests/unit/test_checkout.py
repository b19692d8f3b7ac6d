"""Paths that a file of the checkout names stay inside of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.checkout import checkout_root, objection_to_path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with links, and a directory beside it."""
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / "sub").mkdir()
    (checkout / "dist").mkdir()
    (tmp_path / "home").mkdir()
    (checkout / "out").symlink_to("../home")
    (checkout / "profile").symlink_to(tmp_path / "home" / "profile")
    (checkout / "sub" / "dist").symlink_to("../dist")
    (checkout / "circle").symlink_to("circle")
    return checkout


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "//server/share", "\\\\server\\share", "C:\\x", "C:x", "\\x",
        "../home/x", "dist/../../home", "dist\\..\\..\\home", "..", "**/../x",
        "out", "out/x", "out/*.exe", "profile", "circle/x",
        ".git/hooks/post-checkout", "sub/.GIT/config", ".git.", "a\0b",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere(checkout: Path, path: str) -> None:
    assert objection_to_path(path, checkout)


@pytest.mark.parametrize(
    "path", ["dist", "dist/app.exe", "new/app.exe", "*.exe", "dist/**/*.dll", ".", ".github", "a..b", "sub/dist/x"]
)
def test_paths_inside(checkout: Path, path: str) -> None:
    assert objection_to_path(path, checkout) is None


def test_a_link_may_lead_elsewhere_in_the_checkout(checkout: Path) -> None:
    assert objection_to_path("dist/x", checkout / "sub") is None


def test_the_root(checkout: Path, tmp_path: Path) -> None:
    assert checkout_root(checkout / "sub") == checkout.resolve()
    assert checkout_root(tmp_path / "home") == (tmp_path / "home").resolve()

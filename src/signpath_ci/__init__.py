"""Sign builds through SignPath, and prove that what comes back is signed.

The public API, of which everything is imported only when it is used:

- `collect_origin(env, cwd)`: which repository, commit and build is this?
- `verify_file(path, unsigned=..., expectations=...)`: is it signed, by the right one, and what was submitted?
- `Origin`, `Verdict`, `Expectations`: what goes in and comes out.
- `SignPathError`: the root of all errors; `VerificationError`: its `verdicts` say which files failed (`Failure`).

Signing itself is the command `signpath-ci sign`; docs/architecture.md explains the packages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signpath_ci.errors import SignPathError, VerificationError
    from signpath_ci.model import Expectations, Failure, Origin, Verdict
    from signpath_ci.platforms.collect import collect_origin
    from signpath_ci.verify import verify_file

__version__ = "0.1.0"
__all__ = [
    "Expectations",
    "Failure",
    "Origin",
    "SignPathError",
    "Verdict",
    "VerificationError",
    "collect_origin",
    "verify_file",
]

_HOMES = {
    "Expectations": "signpath_ci.model",
    "Failure": "signpath_ci.model",
    "Origin": "signpath_ci.model",
    "SignPathError": "signpath_ci.errors",
    "Verdict": "signpath_ci.model",
    "VerificationError": "signpath_ci.errors",
    "collect_origin": "signpath_ci.platforms.collect",
    "verify_file": "signpath_ci.verify",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562): `signpath-ci --help` needs none of them."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

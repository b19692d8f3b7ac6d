"""Sign builds through SignPath, and prove that what comes back is signed.

The public API, of which everything is imported only when it is used:

- `collect_origin(env, cwd)`: which repository, commit and build is this?
- `verify_file(path, unsigned=..., expectations=...)`: is it signed, by the right one, and what was submitted?
- `Origin`, `Verdict`, `Expectations`: what goes in and comes out.
- `SignPathError`: the root of all errors; `VerificationError`: its `verdicts` say which files failed (`Failure`).

Signing itself is the command `signpath-ci sign`; it is made of the rooms of this package, from the outside in::

    __main__  cli  commands     the edge: arguments, environment, standard streams, exit codes
    settings  options  manifest what can be said, by option, variable or `.signpath/signing.yml`
    pipeline                    the street: submit, wait, download, verify
    origin  metadata            environment and checkout -> what goes along with a request
    signing                     submit, wait, download, extract, receipts
    api                         the wire: transport, REST API, connectors
    verify  formats             bytes -> verdict; signature formats, read and written
    report                      what happened -> lines, bars, JSON, CI systems
    sandbox                     the embedded SignPath
    model  errors  text  clock  the ground: what everybody may use
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

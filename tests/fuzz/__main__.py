"""Fuzz verification for a bounded time, guided by coverage: `make fuzz`, or `python -m tests.fuzz -max_total_time=60`.

Whatever the bytes: a verdict or one of the project's own errors; libFuzzer itself bounds time and memory of each input.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris  # type: ignore[import-untyped] # it has an environment of its own

with atheris.instrument_imports(include=["signpath_ci"]):
    from signpath_ci.clock import Clock
    from signpath_ci.errors import SignPathError
    from signpath_ci.model import Expectations
    from signpath_ci.verify import can_verify, verify_file

from tests.support.signing import NOW
from tests.unit.verify.matrix.formats import FORMATS
from tests.unit.verify.test_any_package import signed_file, unsigned_file

_BOUNDS = ["-timeout=20", "-rss_limit_mb=1024", "-max_len=32768"]


def main() -> None:
    """Start from a signed and an unsigned file of each format."""
    directory = Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus = directory / "corpus"
    corpus.mkdir()
    seeds = [(f.file_name, f.signed(), f.unsigned) for f in FORMATS]
    seeds += [(name, signed_file(name), unsigned_file(name)) for name in ("a.xml", "a.vsix")]
    for number, (_, *both) in enumerate(seeds):
        for seed in both:
            (corpus / f"{number}-{len(seed)}").write_bytes(bytes([number]) + seed)

    def test(data: bytes) -> None:
        if not data:
            return
        name, _, submitted_data = seeds[data[0] % len(seeds)]
        path, unsigned = directory / name, directory / f"unsigned-{name}"
        path.write_bytes(data[1:])
        unsigned.write_bytes(submitted_data)
        clock = Clock(now=lambda: NOW)
        can_verify(path)
        for submitted, signed in ((unsigned, path), (path, unsigned), (None, path)):
            with suppress(SignPathError):
                verify_file(signed, unsigned=submitted, expectations=Expectations(), clock=clock)

    atheris.Setup([sys.argv[0], *_BOUNDS, *sys.argv[1:], str(corpus)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Look for archives that readers see differently: `make fuzz-zip`, or `python -m tests.fuzz.zip_readers SECONDS`.

SECONDS is 0 for a run without end. What is found is written to `tests/recorded/zip`.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.support.zip_readers import differences
from tests.support.zip_readers.generate import Generator
from tests.unit.formats.zip.test_other_readers import accepted, corpus

_BATCH = 300
_RECORDED = Path(__file__).parents[1] / "recorded" / "zip"


def main() -> int:
    """Return 1 where something was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    end, count, is_bad = time.monotonic() + seconds, 0, False
    archives = Generator(random.randrange(1 << 32), list(corpus())).archives()
    while not seconds or time.monotonic() < end:
        with tempfile.TemporaryDirectory() as name:
            paths = {path.name: path for path in accepted(archives, Path(name), _BATCH)}
            for difference in differences(list(paths.values())):
                data = next(path for path in paths.values() if f" in {path.name} instead" in difference).read_bytes()
                kept = _RECORDED / f"{hashlib.sha256(data).hexdigest()[:16]}.zip"
                kept.write_bytes(data)
                is_bad = True
                sys.stdout.write(f"{difference}\nkept as {kept}\n")
        count += len(paths)
        sys.stdout.write(f"{count} archives\n")
        sys.stdout.flush()
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())

"""Scripts of the Windows Script Host keep the encoding that they were submitted in, though it is not hashed."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.verify import verify_file
from tests.support.signing import NOW
from tests.unit.verify.matrix.formats import FORMATS

CLOCK = Clock(now=lambda: NOW)


@pytest.mark.parametrize("name", ["vbscript", "wsf"])
@pytest.mark.parametrize(("mark", "encoding"), [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")])
def test_a_script_keeps_its_encoding(tmp_path: Path, name: str, mark: bytes, encoding: str) -> None:
    known = next(one for one in FORMATS if one.name == name)
    signed, unsigned = tmp_path / known.file_name, tmp_path / f"unsigned-{known.file_name}"
    unsigned.write_bytes(known.unsigned)
    signed.write_bytes(known.signed())
    verify_file(signed, unsigned=unsigned, clock=CLOCK)
    text = known.signed().decode("ascii")

    signed.write_bytes(mark + text.encode(encoding))

    with pytest.raises(VerificationError) as caught:
        verify_file(signed, unsigned=unsigned, clock=CLOCK)
    assert caught.value.code == "content-changed"

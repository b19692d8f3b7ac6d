"""Every entry of a delivered archive is read to its end, also those that no check needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.verify import verify_delivery
from tests.support.raw_zip import STORED, RawEntry, build, deflate
from tests.support.signing import NOW
from tests.unit.verify.matrix.formats import FORMATS

PE = next(f for f in FORMATS if f.name == "pe")
SIGNED = RawEntry(name=b"a.exe", content=PE.signed(), method=STORED)
HIDDEN = deflate(b"") + b"hidden"


@pytest.mark.parametrize(
    "entry",
    [
        RawEntry(name=b"dir/", content=b"", data=HIDDEN, attributes=0x10),
        RawEntry(name=b"read.me", content=b"text", data=deflate(b"text") + b"hidden"),
        RawEntry(name=b"cat.p7s", content=b"0", data=deflate(b"0") + b"hidden"),
    ],
    ids=["directory", "text", "signature of nothing"],
)
@pytest.mark.parametrize("is_compared", [True, False])
def test_hidden_data_is_found(tmp_path: Path, entry: RawEntry, is_compared: bool) -> None:
    signed, unsigned = tmp_path / "signed.zip", tmp_path / "unsigned.zip"
    unsigned.write_bytes(build(replace(SIGNED, content=PE.unsigned), replace(entry, data=None)))
    for data, is_good in ((None, True), (entry.data, False)):
        signed.write_bytes(build(SIGNED, replace(entry, data=data)))
        try:
            account = verify_delivery(signed, unsigned=unsigned if is_compared else None, clock=Clock(now=lambda: NOW))
            codes = [one.code for one in account.files if one.outcome == "failed"]
        except VerificationError as error:
            codes = [error.code]
        assert codes == ([] if is_good else ["zip-data-end"])

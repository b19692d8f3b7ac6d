"""An archive that would be refused when it comes back is refused before it is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.model import Expectations, FileRule, FileRules
from signpath_ci.verify import check_submitted_archive
from tests.support.archives import build_zip
from tests.support.raw_zip import RawEntry, build
from tests.unit.formats.zip.test_bounds import many
from tests.unit.formats.zip.test_profile import REFUSED


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("case", ["a link", "another case", "another checksum", "data behind the compression", "bzip2"])
def test_archive_is_read_with_all_archives_in_it(tmp_path: Path, case: str) -> None:
    data, code = REFUSED[case]
    for number, written in enumerate((data, build_zip({"a/in.zip": data}))):
        path = _write(tmp_path / f"{number}.zip", written)
        with pytest.raises(UsageError) as caught:
            check_submitted_archive(path)
        assert caught.value.code == code
        assert str(path) in caught.value.message


def test_limit_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zip", many(100_001))
    with pytest.raises(UsageError, match="100001 entries; the limit is 100000") as caught:
        check_submitted_archive(path)
    assert caught.value.code == "zip-too-many-entries"


def test_what_is_accepted(tmp_path: Path) -> None:
    check_submitted_archive(
        _write(tmp_path / "a.zip", build_zip({"b.zip": build_zip({"c": b"d"}), "e.txt": b"PK\3\4"}))
    )
    check_submitted_archive(_write(tmp_path / "zeros.zip", build(RawEntry(name=b"image", content=bytes(120 << 20)))))
    check_submitted_archive(_write(tmp_path / "a.exe", b"MZ"))
    allowed = Expectations(rules=FileRules(allow_unsupported=(FileRule(pattern="*.zip"),)))
    check_submitted_archive(_write(tmp_path / "allowed.zip", REFUSED["bzip2"][0]), allowed)

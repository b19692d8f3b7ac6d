from __future__ import annotations

import io

import pytest

from signpath_ci.formats.authenticode import CABINET, INSTALLER, PE_IMAGE, SCRIPT, SubjectType
from signpath_ci.formats.kind import Kind
from signpath_ci.verify.subjects import SUBJECTS, _reader
from tests.support.pe import build_pe
from tests.support.samples import build_cab, build_msi

FILES: list[tuple[Kind, bytes, SubjectType]] = [
    ("pe", build_pe(), PE_IMAGE),
    ("powershell", b"exit 0", SCRIPT),
    ("msi", build_msi({"a": b"b"}), INSTALLER),
    ("cab", build_cab({"a": b"b"}), CABINET),
]


@pytest.mark.parametrize(("kind", "data", "expected"), FILES, ids=[kind for kind, _, _ in FILES])
def test_each_format_is_read_as_its_own(kind: Kind, data: bytes, expected: SubjectType) -> None:
    assert list(SUBJECTS) == [kind for kind, _, _ in FILES]
    for read in (SUBJECTS[kind], _reader(kind)):
        subject = read(io.BytesIO(data))
        assert (subject.type, subject.signature) == (expected, None)

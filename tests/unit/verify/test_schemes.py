from __future__ import annotations

import io
from datetime import datetime, timezone

import pytest

from signpath_ci.errors import UnsupportedFormatError
from signpath_ci.formats.authenticode import CABINET, INSTALLER, PE_IMAGE, SCRIPT, SubjectType
from signpath_ci.formats.registry import FORMATS, Kind, implementation
from signpath_ci.model import Expectations
from signpath_ci.verify.schemes import verify_signatures
from signpath_ci.verify.signer_requirements import SignerRequirements
from signpath_ci.verify.trust import Trust
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
    subject = implementation(kind).read_subject(io.BytesIO(data))
    assert (subject.type, subject.signatures) == (expected, ())


@pytest.mark.parametrize("kind", [kind for kind, known in FORMATS.items() if known.scheme is None])
def test_a_format_that_is_only_recognised_names_what_verifies_it(kind: Kind) -> None:
    judge = SignerRequirements(trust=Trust.load(Expectations()), now=datetime(2026, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(UnsupportedFormatError) as caught:
        verify_signatures(kind, io.BytesIO(b""), unsigned=None, requirements=judge)
    assert FORMATS[kind].instead
    assert FORMATS[kind].instead in caught.value.hint

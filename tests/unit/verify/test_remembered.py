"""What is remembered of certificates saves work, and decides nothing about another time, purpose or root."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UncoveredError
from signpath_ci.formats.zip import open_archive
from signpath_ci.verify import certificates
from signpath_ci.verify.certificates import CODE_SIGNING as CODE
from signpath_ci.verify.certificates import TIMESTAMPING as TIME
from signpath_ci.verify.certificates import Purpose, load_certificates, verify_chain
from tests.support.archives import build_zip
from tests.support.signing import CODE_SIGNING, NOW, TIMESTAMPING, Identity, der, issue, root


@pytest.fixture
def leaf() -> Identity:
    """Return a certificate for a year, from a CA for ten days that is for code only."""
    ca = issue("CA", root(), is_ca=True, days=10, usages=[CODE_SIGNING])
    return issue("L", ca, usages=[CODE_SIGNING])


def _verify(
    identity: Identity,
    *,
    at: datetime = NOW,
    purpose: Purpose = CODE,
    roots: Sequence[x509.Certificate] | None = None,
    embedded: Sequence[x509.Certificate] | None = None,
) -> None:
    verify_chain(
        identity.certificate,
        identity.chain[:-1] if embedded is None else embedded,
        purpose=purpose,
        at=at,
        roots=(root().certificate,) if roots is None else roots,
        owner="the signer",
    )


def test_a_chain_is_built_once(leaf: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    _verify(leaf)
    monkeypatch.setattr(certificates, "PolicyBuilder", None)
    _verify(leaf)
    _verify(leaf, at=NOW + timedelta(days=1))
    with pytest.raises(FormatError):  # here the builder that is not there is called
        _verify(leaf, embedded=())


@pytest.mark.parametrize("days", [-2, 20, 400])
def test_the_times_of_the_whole_chain_are_checked_each_time(leaf: Identity, days: int) -> None:
    for _ in range(2):
        _verify(leaf)
        with pytest.raises(VerificationError) as refused:
            _verify(leaf, at=NOW + timedelta(days=days))
        assert refused.value.code == ("certificate-chain" if days == 20 else "certificate-validity")


def test_another_root_purpose_or_pool_is_another_question(leaf: Identity) -> None:
    ca = issue("CA", root(), is_ca=True, usages=[CODE_SIGNING])
    both = issue("B", ca, usages=[TIMESTAMPING, CODE_SIGNING])
    stamps = issue("T", ca, usages=[TIMESTAMPING])
    _verify(leaf)
    _verify(both)
    other = issue("Root", is_ca=True).certificate
    for refuse in (
        partial(_verify, leaf, roots=(other,)),
        partial(_verify, leaf, embedded=()),
        partial(_verify, leaf, purpose=TIME),
        partial(_verify, both, purpose=TIME),
        partial(_verify, stamps, purpose=TIME),
    ):
        with pytest.raises(VerificationError):
            refuse()


def test_what_is_remembered_is_bounded() -> None:
    encoding = der(root().certificate)
    with pytest.raises(UncoveredError):
        load_certificates([encoding] * 21, "the signature")
    with pytest.raises(UncoveredError):
        load_certificates([encoding + bytes(64 << 10)], "the signature")


def test_small_entries_are_unpacked_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.zip.archive._MAX_IN_MEMORY", 10)
    with open_archive(
        io.BytesIO(build_zip({"small": b"0123456789", "large": b"0123456789a", "empty": b""}))
    ) as archive:
        for entry in archive.entries:
            with archive.extracted(entry) as file:
                assert isinstance(file, io.BytesIO) == (entry.size <= 10)
                assert len(file.read()) == entry.size
        assert not archive.unread()

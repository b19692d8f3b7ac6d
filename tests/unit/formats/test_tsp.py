from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.asn1 import explicit, integer, object_identifier, octet_string, sequence, wrapped
from signpath_ci.formats.cms import Algorithm
from signpath_ci.formats.tsp import (
    Imprint,
    TimestampInfo,
    TimestampRequest,
    read_info,
    read_request,
    read_signing_certificate,
    read_signing_certificate_v2,
    write_info,
    write_rejection,
    write_response,
    write_signing_certificate_v2,
)
from tests.support.oracles import needs_openssl, run

IMPRINT = Imprint(Algorithm.digest("sha256"), bytes(32))
INFO = TimestampInfo(
    policy="2.999.1",
    imprint=IMPRINT,
    serial_number=1 << 150,
    time=datetime(2026, 3, 1, 12, 30, 59, tzinfo=timezone.utc),
    nonce=77,
)


def test_info_survives() -> None:
    assert read_info(write_info(INFO)) == INFO


def test_info_is_written_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    written = TimestampInfo(
        policy=INFO.policy, imprint=IMPRINT, serial_number=1, time=datetime(2026, 3, 1, 1, tzinfo=east)
    )
    assert read_info(write_info(written)).time == datetime(2026, 2, 28, 23, tzinfo=timezone.utc)


def test_info_as_it_is_written() -> None:
    expected = sequence(
        integer(1),
        object_identifier("2.999.1"),
        sequence(Algorithm.digest("sha256").encode(), octet_string(bytes(32))),
        integer(1 << 150),
        wrapped(0x18, b"20260301123059Z"),
        integer(77),
    )
    assert write_info(INFO) == expected


def _info(time: str, *, nonce: bytes | None = None) -> bytes:
    return sequence(
        integer(1),
        object_identifier("2.999.1"),
        IMPRINT.encode(),
        integer(9),
        wrapped(0x18, time.encode()),
        sequence(integer(1)),  # accuracy
        b"\x01\x01\xff",  # ordering
        nonce,
        wrapped(explicit(0), sequence()),  # the authority's name
        wrapped(explicit(1), sequence()),  # extensions
    )


def test_every_optional_field_may_be_there() -> None:
    assert read_info(_info("20260301123059.5Z")) == TimestampInfo(
        policy="2.999.1",
        imprint=IMPRINT,
        serial_number=9,
        time=datetime(2026, 3, 1, 12, 30, 59, 500_000, tzinfo=timezone.utc),
    )


def test_a_nonce_behind_the_other_optional_fields() -> None:
    assert read_info(_info("20260301123059Z", nonce=integer(5))).nonce == 5


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [("", 0), (".1", 100_000), (".123456", 123_456), (".000001", 1), (".1234567", 123_456), (".123456789", 123_456)],
)
def test_fractions_of_a_second(fraction: str, microseconds: int) -> None:
    time = datetime(2026, 3, 1, 12, 30, 59, microseconds, tzinfo=timezone.utc)
    assert read_info(_info(f"20260301123059{fraction}Z")).time == time


@pytest.mark.parametrize("imprint", [(b"",), (b"", octet_string(b"too many"))])
def test_an_imprint_is_a_digest_and_its_algorithm(imprint: tuple[bytes, ...]) -> None:
    algorithm = Algorithm.digest("sha256").encode()
    data = sequence(integer(1), sequence(algorithm, *(part or octet_string(b"digest") for part in imprint)))
    if len(imprint) == 1:
        assert read_request(data).imprint == Imprint(Algorithm.digest("sha256"), b"digest")
    else:
        with pytest.raises(FormatError, match="the timestamp request is malformed"):
            read_request(data)


@pytest.mark.parametrize(
    "time",
    [
        "20260301123059",
        "20260301123059.1234567890Z",
        "20260301123059,5Z",
        "20260301123059Z ",
        "20260301123059+0100",
        "202603011230Z",
        "20261301123059Z",
        "20260301123059.Z",
        "\u0662\u0660260301123059Z",
    ],
)
def test_times_that_rfc_3161_does_not_allow(time: str) -> None:
    with pytest.raises(FormatError, match="TSTInfo is malformed"):
        read_info(_info(time))


def test_requests() -> None:
    assert read_request(sequence(integer(1), IMPRINT.encode())) == TimestampRequest(
        imprint=IMPRINT, policy=None, nonce=None, certificate_wanted=False
    )
    full = sequence(integer(1), IMPRINT.encode(), object_identifier("2.999.2"), integer(5), b"\x01\x01\xff")
    assert read_request(full) == TimestampRequest(imprint=IMPRINT, policy="2.999.2", nonce=5, certificate_wanted=True)
    with_extensions = sequence(integer(1), IMPRINT.encode(), b"\x01\x01\x00", wrapped(explicit(0), sequence()))
    assert read_request(with_extensions) == read_request(sequence(integer(1), IMPRINT.encode()))
    for data in (b"GET /", sequence(IMPRINT.encode()), sequence(integer(1), IMPRINT.encode(), sequence())):
        with pytest.raises(FormatError, match="the timestamp request is malformed"):
            read_request(data)


@needs_openssl
def test_responses_read_as_they_should(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tsp") / "response.tsr"
    path.write_bytes(write_rejection(5))
    words = run("openssl", "ts", "-reply", "-in", path, "-text")
    assert "Status: Rejected." in words
    assert "the data submitted has the wrong format" in words


def test_a_rejection_has_its_reason() -> None:
    assert write_rejection(5) == bytes.fromhex("3009 3007 020102 03020204")


def test_a_granted_response_holds_the_token() -> None:
    assert write_response(sequence()) == bytes.fromhex("3007 3003020100 3000")


def test_signing_certificates() -> None:
    assert read_signing_certificate_v2(write_signing_certificate_v2(b"d")) == Imprint(Algorithm.digest("sha256"), b"d")
    sha384 = Algorithm.digest("sha384")
    version_2 = sequence(sequence(sequence(sha384.encode(), octet_string(b"d"), sequence())), sequence())
    assert read_signing_certificate_v2(version_2) == Imprint(sha384, b"d")
    version_1 = sequence(sequence(sequence(octet_string(b"e"), sequence()), sequence(octet_string(b"f"))))
    assert read_signing_certificate(version_1) == Imprint(Algorithm.digest("sha1"), b"e")
    for read in (read_signing_certificate, read_signing_certificate_v2):
        with pytest.raises(FormatError, match="malformed"):
            read(sequence(sequence()))

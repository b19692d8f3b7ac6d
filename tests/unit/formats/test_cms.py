from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.asn1 import (
    INTEGER,
    SEQUENCE,
    SET,
    Fields,
    contents_octets,
    explicit,
    implicit,
    integer,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    wrapped,
)
from signpath_ci.formats.authenticode import (
    CABINET,
    INSTALLER,
    PE_IMAGE,
    SCRIPT,
    IndirectData,
    SubjectType,
    read_indirect_data,
    sip_info,
    without_padding,
    write_indirect_data,
)
from signpath_ci.formats.cms import SIGNED_DATA, Algorithm, Attribute, SignedData, read_signed_data
from tests.support.signing import code_signer, sign_cms

MESSAGE = sign_cms(code_signer(), "1.2.3", octet_string(b"content"))


def test_a_message_survives() -> None:
    assert read_signed_data(MESSAGE.encode(), "it") == MESSAGE


def test_unsigned_attributes_survive() -> None:
    further = Attribute("1.2.4", (integer(1), integer(2)))
    message = replace(MESSAGE, signers=(replace(MESSAGE.signers[0], unsigned_attributes=(further,)),))
    read = read_signed_data(message.encode(), "it")
    assert read == message
    assert read.signers[0].unsigned_values("1.2.4") == (integer(1), integer(2))
    assert read.signers[0].unsigned_values("1.2.5") == ()


def test_attribute_certificates_and_revocation_lists_are_kept() -> None:
    # As Microsoft's timestamp tokens carry them.
    data = sequence(
        object_identifier(SIGNED_DATA),
        wrapped(
            explicit(0),
            sequence(
                integer(3),
                set_of([]),
                sequence(object_identifier("1.2.3")),
                wrapped(explicit(0), sequence(integer(7)) + wrapped(explicit(1), integer(8))),
                wrapped(explicit(1), sequence()),
                set_of([]),
            ),
        ),
    )
    assert read_signed_data(data, "it") == SignedData(
        digest_algorithms=(),
        content_type="1.2.3",
        content=None,
        certificates=(sequence(integer(7)),),
        signers=(),
        revocation_lists=(sequence(),),
        attribute_certificates=(wrapped(explicit(1), integer(8)),),
    )


def _encoded(
    extra: str = "",
    *,
    version: int = 1,
    signer_version: int = 1,
    signer: bytes | None = None,
    lists: bytes = b"",
    other_certificate: int = 1,
) -> bytes:
    """Put the message together piece by piece, with one member too many in the one of them that is called `extra`."""
    (info,) = MESSAGE.signers

    def of(name: str, *members: bytes | None) -> bytes:
        return sequence(*members, octet_string(b"too many") if name == extra else None)

    digest = of("digest algorithm", object_identifier(info.digest_algorithm.oid), info.digest_algorithm.parameters)
    signed = (of("signed attribute", object_identifier("1.2"), set_of([integer(1)])),)
    unsigned = (of("unsigned attribute", object_identifier("1.3"), set_of([])),)
    issuer = of("issuer", info.issuer, integer(info.serial_number or 0))
    signer_info = of(
        "signer",
        integer(signer_version),
        issuer if signer is None else signer,
        digest,
        set_of(signed, explicit(0)),
        info.signature_algorithm.encode(),
        octet_string(b"signature"),
        set_of(unsigned, explicit(1)),
    )
    data = of(
        "message",
        integer(version),
        set_of([digest]),
        of("content", object_identifier("1.2.3"), wrapped(explicit(0), octet_string(b"content"))),
        wrapped(explicit(0), sequence(integer(7)) + wrapped(explicit(other_certificate), integer(8))),
        wrapped(explicit(1), sequence(integer(9)) + lists),
        set_of([signer_info]),
    )
    return of("content info", object_identifier(SIGNED_DATA), wrapped(explicit(0), data))


def test_all_that_a_message_says_is_read() -> None:
    (info,) = MESSAGE.signers
    assert read_signed_data(_encoded(), "it") == SignedData(
        digest_algorithms=(Algorithm.digest("sha256"),),
        content_type="1.2.3",
        content=octet_string(b"content"),
        certificates=(sequence(integer(7)),),
        signers=(
            replace(
                info,
                signed_attributes=(Attribute("1.2", (integer(1),)),),
                signed_bytes=set_of([Attribute("1.2", (integer(1),)).encode()]),
                signature=b"signature",
                unsigned_attributes=(Attribute("1.3", ()),),
            ),
        ),
        revocation_lists=(sequence(integer(9)),),
        attribute_certificates=(wrapped(explicit(1), integer(8)),),
    )


def test_certificates_and_revocation_data_of_other_formats() -> None:
    for data in (
        *(_encoded(other_certificate=number) for number in (0, 2, 3)),
        _encoded(lists=wrapped(explicit(1), integer(10))),
    ):
        with pytest.raises(UncoveredError, match="of another format, which no signature covers"):
            read_signed_data(data, "it")


def test_a_signer_may_be_named_by_its_key() -> None:
    (info,) = read_signed_data(_encoded(signer_version=3, signer=wrapped(implicit(0), b"key")), "it").signers
    assert (info.issuer, info.serial_number, info.key_identifier) == (None, None, b"key")


def test_what_is_optional_may_be_absent() -> None:
    (info,) = MESSAGE.signers
    algorithm = info.digest_algorithm.encode()
    signer = sequence(
        integer(1),
        sequence(info.issuer, integer(1)),
        algorithm,
        info.signature_algorithm.encode(),
        octet_string(b"signature"),
    )
    data = sequence(integer(1), set_of([]), sequence(object_identifier("1.2.3")), set_of([signer]))
    read = read_signed_data(sequence(object_identifier(SIGNED_DATA), wrapped(explicit(0), data)), "it")
    assert read == SignedData(
        digest_algorithms=(),
        content_type="1.2.3",
        content=None,
        certificates=(),
        signers=(replace(info, serial_number=1, signed_attributes=(), signed_bytes=None, signature=b"signature"),),
    )


@pytest.mark.parametrize(
    "extra",
    [
        "content info",
        "message",
        "content",
        "signer",
        "issuer",
        "digest algorithm",
        "signed attribute",
        "unsigned attribute",
    ],
)
def test_nothing_may_be_added_anywhere(extra: str) -> None:
    with pytest.raises(FormatError, match="it is malformed"):
        read_signed_data(_encoded(extra), "it")


@pytest.mark.parametrize(("version", "signer_version"), [(0, 1), (2, 1), (6, 1), (1, 0), (1, 2), (1, 4)])
def test_unknown_versions(version: int, signer_version: int) -> None:
    with pytest.raises(FormatError, match="it is malformed"):
        read_signed_data(_encoded(version=version, signer_version=signer_version), "it")


@pytest.mark.parametrize(("version", "signer_version"), [(1, 1), (3, 1), (4, 3), (5, 3)])
def test_known_versions(version: int, signer_version: int) -> None:
    assert read_signed_data(_encoded(version=version, signer_version=signer_version), "it").signers


def test_written_as_pkcs_7_unless_the_content_is_octets() -> None:
    def version(message: SignedData) -> bytes:
        content_info = Fields(message.encode())
        content_info.take()
        return Fields(contents_octets(content_info.take())).take()

    assert version(MESSAGE) == integer(3)
    assert version(replace(MESSAGE, content=None)) == version(replace(MESSAGE, content=sequence())) == integer(1)


def test_what_is_absent_is_not_written() -> None:
    content_info = Fields(replace(MESSAGE, certificates=()).encode())
    content_info.take()
    message = Fields(contents_octets(content_info.take()))
    assert [message.take()[0] for _ in range(4)] == [INTEGER, SET, SEQUENCE, SET]
    message.end()


def test_all_that_is_in_a_message_is_written() -> None:
    second = replace(MESSAGE.signers[0], serial_number=1 << 200)
    full = replace(
        MESSAGE,
        signers=tuple(sorted((*MESSAGE.signers, second), key=lambda signer: signer.encode())),
        certificates=tuple(sorted((*MESSAGE.certificates, sequence(integer(1))))),
        revocation_lists=(sequence(integer(1)), sequence(integer(2))),
    )
    assert read_signed_data(full.encode(), "it") == full
    bare = replace(MESSAGE, certificates=(), content=None)
    assert read_signed_data(bare.encode(), "it") == bare


def test_another_content_info_is_named() -> None:
    data = sequence(object_identifier("1.2.840.113549.1.7.1"), wrapped(explicit(0), octet_string(b"")))
    with pytest.raises(
        FormatError, match=r"the signature is not a CMS SignedData, but of the type 1\.2\.840\.113549\.1\.7\.1"
    ):
        read_signed_data(data, "the signature")


@pytest.mark.parametrize(
    "attributes",
    [
        (Attribute("1.2", (integer(1),)), Attribute("1.2", (integer(1),))),
        (Attribute("1.2", (integer(1), integer(2))),),
        (Attribute("1.2", ()),),
    ],
)
def test_signed_attributes_are_single_valued(attributes: tuple[Attribute, ...]) -> None:
    info = replace(MESSAGE.signers[0], signed_attributes=attributes)
    with pytest.raises(FormatError, match="not exactly one value"):
        info.signed_attribute("1.2")


def test_no_unsigned_attributes_are_not_written() -> None:
    (info,) = MESSAGE.signers
    assert info.encode().endswith(octet_string(info.signature))


@pytest.mark.parametrize("missing", ["issuer", "serial_number", "signed_bytes"])
def test_only_whole_signatures_are_written(missing: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        replace(MESSAGE.signers[0], **{missing: None}).encode()  # type: ignore[arg-type]  # each may be None


@pytest.mark.parametrize(("parameters", "expected"), [(None, False), (b"\5\0", False), (integer(0), True), (b"", True)])
def test_parameters_that_say_something(parameters: bytes | None, expected: bool) -> None:
    assert Algorithm("1.2.3", parameters).has_parameters is expected


@pytest.mark.parametrize("subject", [PE_IMAGE, CABINET, INSTALLER, SCRIPT])
def test_indirect_data_is_for_one_kind_of_file(subject: SubjectType) -> None:
    indirect = IndirectData(Algorithm.digest("sha384"), b"digest", subject)
    assert read_indirect_data(write_indirect_data(indirect), subject) == indirect
    for other in {PE_IMAGE, CABINET, INSTALLER, SCRIPT} - {subject}:
        with pytest.raises(UnsupportedError, match="its signature is for another kind of file"):
            read_indirect_data(write_indirect_data(indirect), other)


def test_the_subject_interface_packages_of_windows() -> None:
    # They are made when the module is imported.
    for subject, version, encoding in (
        (INSTALLER, 1, "3024 020101 0410 f1100c0000000000c000000000000046" + "020100" * 5),
        (SCRIPT, 65536, "3026 0203010000 0410 1fcc3b60594b084eb724d2c6297ef351" + "020100" * 5),
    ):
        assert (subject.oid, subject.value) == ("1.3.6.1.4.1.311.2.1.30", bytes.fromhex(encoding))
        assert subject.package is not None
        assert sip_info(version, subject.package) == subject


def test_nothing_may_be_added_to_indirect_data() -> None:
    algorithm, kind = Algorithm.digest("sha256").encode(), sequence(object_identifier(PE_IMAGE.oid), PE_IMAGE.value)
    digest = (algorithm, octet_string(b"digest"))
    assert read_indirect_data(sequence(kind, sequence(*digest))).digest == b"digest"
    for data in (sequence(kind, sequence(*digest), integer(1)), sequence(kind, sequence(*digest, integer(1)))):
        with pytest.raises(FormatError, match="the signed SpcIndirectDataContent is malformed"):
            read_indirect_data(data)


def test_a_sip_without_its_value_is_malformed() -> None:
    data = sequence(sequence(object_identifier(SCRIPT.oid)), sequence())
    with pytest.raises(FormatError, match="the signed SpcIndirectDataContent is malformed"):
        read_indirect_data(data, SCRIPT)


@pytest.mark.parametrize("size", range(8))
def test_padding_is_cut_off(size: int) -> None:
    assert without_padding(sequence(integer(1)) + bytes(size)) == sequence(integer(1))


@pytest.mark.parametrize("behind", [bytes(8), b"\1", bytes(6) + b"\1"])
def test_more_than_padding_is_refused(behind: bytes) -> None:
    with pytest.raises(FormatError, match="there is data behind the signature, which no signature covers"):
        without_padding(sequence(integer(1)) + behind)


@given(st.data())
def test_any_mutation_gives_a_message_or_the_one_error(data: st.DataObject) -> None:
    encoding = bytearray(MESSAGE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        encoding[data.draw(st.integers(0, len(encoding) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_signed_data(bytes(encoding[: data.draw(st.integers(0, len(encoding)))]), "it")
        read_signed_data(bytes(encoding), "it")
    except FormatError:
        pass


def test_indirect_data_survives_and_is_what_microsoft_writes() -> None:
    indirect = IndirectData(Algorithm.digest("sha256"), bytes(32))
    encoding = write_indirect_data(indirect)
    assert read_indirect_data(encoding) == indirect
    assert encoding == bytes.fromhex(
        "3068 3033 060a 2b06010401823702010f"
        "3025 030100 a020 a21e 801c 003c003c003c004f00620073006f006c006500740065003e003e003e"
        "3031 300d 0609 608648016503040201 0500 0420"
    ) + bytes(32)


def test_indirect_data_of_another_kind_of_file_is_unsupported() -> None:
    cabinet = sequence(sequence(object_identifier("1.3.6.1.4.1.311.2.1.25")), sequence())
    with pytest.raises(UnsupportedError, match="another kind of file"):
        read_indirect_data(cabinet)
    with pytest.raises(FormatError, match="malformed"):
        read_indirect_data(b"\x30\x00")

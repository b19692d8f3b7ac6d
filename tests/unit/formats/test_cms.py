from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import (
    explicit,
    integer,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    wrapped,
)
from signpath_ci.formats.authenticode import IndirectData, read_indirect_data, write_indirect_data
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


def test_attribute_certificates_are_skipped_and_revocation_lists_kept() -> None:
    # As Microsoft's time stamp tokens carry them.
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
    )


def test_another_content_info_is_named() -> None:
    data = sequence(object_identifier("1.2.840.113549.1.7.1"), wrapped(explicit(0), octet_string(b"")))
    with pytest.raises(
        FormatError, match=r"the signature is no CMS SignedData, but of the type 1\.2\.840\.113549\.1\.7\.1"
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


def test_only_whole_signatures_are_written() -> None:
    with pytest.raises(ValueError, match="issuer"):
        replace(MESSAGE.signers[0], issuer=None).encode()


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

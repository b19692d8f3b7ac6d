from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.verify.certificates import describe
from signpath_ci.verify.identity import check_paths, check_same_content, is_same, listed
from signpath_ci.verify.signer_requirements import Signature
from tests.support.signing import code_signer

Content = dict[str, bytes]


def _signature(algorithm: str, digest: bytes) -> Signature:
    return Signature(
        format="pe",
        signer=describe(code_signer().certificate),
        timestamp=None,
        digest_algorithm=algorithm,
        content_digest=digest.hex(),
        trust="root",
    )


def _never(_: str) -> Content:
    raise AssertionError


def _of(**contents: Content) -> Callable[[str], Content]:
    return lambda algorithm: contents[algorithm]


ONE, OTHER = (_signature(algorithm, algorithm.encode()) for algorithm in ("sha256", "sha384"))


def test_what_was_judged_is_not_hashed_again() -> None:
    check_same_content(_never, _of(sha256={"": b"sha256"}), (ONE, ONE))


@pytest.mark.parametrize("bad", ["sha256", "sha384"])
@pytest.mark.parametrize("path", ["", "stream"])
def test_the_content_of_every_signature_is_compared(bad: str, path: str) -> None:
    signed = _of(sha256={path: b"sha256"}, sha384={path: b"sha384"})
    check_same_content(signed, signed, (ONE, OTHER))

    def submitted(algorithm: str) -> Content:
        return {path: b"other"} if algorithm == bad else signed(algorithm)

    with pytest.raises(VerificationError, match="it is signed, but it is not the file that was submitted"):
        check_same_content(signed, submitted, (ONE, OTHER))


@pytest.mark.parametrize(
    ("signed", "submitted", "words"),
    [
        (
            {"": b"sha256"},
            {"": b"other!"},
            "it is signed, but it is not the file that was submitted:"
            " the Authenticode hash is 736861323536, the submitted file's is 6f7468657221.",
        ),
        (
            {"a": b"1", "b": b"2", "c": b"3"},
            {"a": b"1", "b": b"3", "c": b"2"},
            "it is signed, but it is not the file that was submitted; these differ: b, c.",
        ),
        ({"a": b""}, {"": b""}, "not the streams that were submitted; missing: ."),
        ({"": b"", "new": b""}, {"": b""}, "not the streams that were submitted; added: new."),
        ({"": b""}, {"": b"", "gone": b""}, "not the streams that were submitted; missing: gone."),
    ],
)
def test_another_content(signed: Content, submitted: Content, words: str) -> None:
    with pytest.raises(VerificationError) as caught:
        check_same_content(_of(sha256=signed), _of(sha256=submitted), (ONE,))
    assert caught.value.message == words


def test_a_submitted_file_that_can_not_be_read() -> None:
    def submitted(_: str) -> Content:
        raise FormatError("it is cut off")

    with pytest.raises(VerificationError) as caught:
        check_same_content(_never, submitted, (ONE,))
    assert caught.value.message == "it can't be the file that was submitted, because of that one: it is cut off."


def test_paths() -> None:
    check_paths(["b", "a"], ("a", "b"), what="the entries")
    with pytest.raises(VerificationError) as caught:
        check_paths(["a", "z", "y"], ["a"], what="the entries")
    assert caught.value.message == "not the entries that were submitted; added: y, z."
    with pytest.raises(VerificationError) as caught:
        check_paths([], ["a"], what="the entries", prefix="in.zip/")
    assert caught.value.message == "not the entries that were submitted; missing: in.zip/a."


def test_long_lists_are_cut() -> None:
    paths = [str(n) for n in range(12)]
    assert listed(paths[:10]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(paths[:11]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more"
    assert listed(paths) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (b"", b"", True),
        (b"a", b"a", True),
        (b"a", b"b", False),
        (b"a", b"", False),
        (b"", b"a", False),
        (bytes(1 << 20) + b"a", bytes(1 << 20) + b"a", True),
        (bytes(1 << 20) + b"a", bytes(1 << 20) + b"b", False),
        (bytes(1 << 20) + b"a", bytes(1 << 20), False),
        (bytes(1 << 20), bytes(1 << 20) + b"a", False),
    ],
    ids=range(9),
)
def test_files_are_the_same_to_their_end(left: bytes, right: bytes, expected: bool) -> None:
    assert is_same(io.BytesIO(left), io.BytesIO(right)) is expected

"""The standard streams: encodings, line ends, and readers that go away."""

from __future__ import annotations

import errno
import io
import os

import pytest

from signpath_ci import streams


def _stream(encoding: str) -> tuple[io.BytesIO, io.TextIOWrapper]:
    written = io.BytesIO()
    return written, io.TextIOWrapper(written, encoding=encoding, newline="\r\n", write_through=True)


def test_a_stream_that_is_no_console_gets_utf_8_and_line_feeds() -> None:
    written, stream = _stream("cp1252")

    streams.configure((stream,), {})
    stream.write("日\n")

    assert written.getvalue() == "日\n".encode()


@pytest.mark.parametrize(("encoding", "expected"), [("cp1252", b"\\u65e5 \xe4\n"), ("ascii", b"\\u65e5 \\xe4\n")])
def test_the_encoding_that_the_user_names_stays_and_what_it_lacks_is_escaped(encoding: str, expected: bytes) -> None:
    written, stream = _stream(encoding)

    streams.configure((stream,), {"PYTHONIOENCODING": encoding})
    stream.write("日 ä\n")

    assert written.getvalue() == expected


def test_a_stream_without_an_encoding_stays_as_it_is() -> None:
    stream = io.StringIO()

    streams.configure((stream,), {})
    stream.write("日")

    assert stream.getvalue() == "日"


@pytest.mark.parametrize(
    ("error", "system", "expected"),
    [
        (BrokenPipeError(), "posix", True),
        (OSError(errno.EINVAL, "Invalid argument"), "nt", True),
        (OSError(errno.EINVAL, "Invalid argument"), "posix", False),
        (OSError(errno.ENOSPC, "No space left"), "nt", False),
    ],
)
def test_a_reader_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, error: OSError, system: str, *, expected: bool
) -> None:
    monkeypatch.setattr(os, "name", system)

    assert streams.is_closed_by_reader(error) is expected

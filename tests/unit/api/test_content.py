"""Streamed forms, read back by the standard library's parser."""

from __future__ import annotations

import email.policy
from email.parser import BytesParser

from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.api.content import FilePart, MultipartForm
from tests.support.wire import Blocks


def _parse(form: MultipartForm) -> list[tuple[str, str | None, bytes]]:
    head = f"Content-Type: {form.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + b"".join(form))
    parts = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        parts.append((str(part.get_param("name", header="content-disposition")), part.get_filename(), content))
    return parts


def test_a_form_is_its_fields_then_its_files_and_as_long_as_it_says() -> None:
    form = MultipartForm(
        [("projectSlug", "demo"), ("description", "two\r\nlines")],
        [FilePart("artifact", "app.exe", Blocks(b"MZ", b"\0\1")), FilePart("settings", "ci.yml", b"on: push")],
    )

    assert _parse(form) == [
        ("projectSlug", None, b"demo"),
        ("description", None, b"two\r\nlines"),
        ("artifact", "app.exe", b"MZ\0\1"),
        ("settings", "ci.yml", b"on: push"),
    ]
    assert len(form) == len(b"".join(form))


def test_a_second_attempt_sends_the_same_bytes() -> None:
    form = MultipartForm([("a", "1")], [FilePart("f", "n", Blocks(b"x", b"y"))])

    assert b"".join(form) == b"".join(form)


def test_two_forms_have_different_boundaries() -> None:
    assert MultipartForm([]).content_type != MultipartForm([]).content_type


@given(name=st.text(), value=st.text(), file_name=st.text())
def test_no_name_can_end_its_header(name: str, value: str, file_name: str) -> None:
    form = MultipartForm([(name, value)], [FilePart(name, file_name, b"content")])
    body = b"".join(form)
    boundary = b"--" + form.content_type.rpartition("=")[2].encode()

    first, second = body.removesuffix(boundary + b"--\r\n").split(boundary)[1:]
    for part, content in ((first, value.encode("utf-8", "replace")), (second, b"content")):
        head, blank, rest = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert blank
        assert rest == content + b"\r\n"
        assert lines[0].startswith(b'Content-Disposition: form-data; name="')
        assert lines[1:] in ([], [b"Content-Type: application/octet-stream"])
        assert lines[0].count(b'"') in {2, 4}

"""The multipart forms of the submits: names without regard to case, files streamed to disk (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from signpath_ci.sandbox.problems import ProblemError, bad_field, bad_fields
from signpath_ci.sandbox.receiving import (
    FileReceiver,
    ReceivedFile,
    announced_length,
    pieces,
    receiving,
    refuse_too_large,
)

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELD_BYTES = 64 * 1024
_MAX_FIELDS = 1000
_FORM_OVERHEAD = 1024 * 1024
"""How much larger than its file a form may be, before it is refused without being read."""

_PARAMETER = re.compile(r"parameters(?:\.(?P<dotted>.+)|\[(?P<bracketed>.+)\])", re.IGNORECASE | re.DOTALL)
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]+")
_HEADER = re.compile(r"artifactretrievallink\.httpheaders\[(\d{1,3})\]\.(key|value)")


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form that has arrived as a whole.

    Attributes:
        fields: by name as sent.
        file_lists: by name in lower case; they are gone when the form is closed, unless they are kept.
    """

    fields: Mapping[str, str]
    file_lists: Mapping[str, Sequence[ReceivedFile]]

    @property
    def files(self) -> Mapping[str, ReceivedFile]:
        """The first file of each name."""
        return {name: files[0] for name, files in self.file_lists.items()}

    def optional(self, name: str) -> str | None:
        """Return a field by its name in any case; an empty one is none."""
        return next((value for key, value in self.fields.items() if key.lower() == name.lower() and value), None)

    def required(self, *names: str) -> tuple[str, ...]:
        """Return fields that have to be there.

        Raises:
            ProblemError: 400 with all that are missing.
        """
        values = {name: self.optional(name) for name in names}
        missing = {name: [f"The field {name} is required."] for name, value in values.items() if value is None}
        if missing:
            raise bad_fields(missing)
        return tuple(str(value) for value in values.values())

    def parameters(self) -> dict[str, str]:
        """Return the user-defined parameters: `parameters.NAME` or `Parameters[NAME]`.

        Raises:
            ProblemError: 400, a name holds other characters than letters, digits, dot, dash and underscore.
        """
        found: dict[str, str] = {}
        for key, value in self.fields.items():
            match = _PARAMETER.fullmatch(key)
            if match:
                name = match["dotted"] or match["bracketed"]
                if not _PARAMETER_NAME.fullmatch(name):
                    raise bad_field(key, "A parameter's name may hold letters, digits, '.', '-' and '_'.")
                found[name] = value
        return found

    def retrieval_headers(self) -> dict[str, str]:
        """Return `artifactRetrievalLink.httpHeaders[N].key` and `.value` as headers.

        Raises:
            ProblemError: 400, a key without a value or the other way round.
        """
        parts: dict[str, dict[str, str]] = {}
        for key, value in self.fields.items():
            match = _HEADER.fullmatch(key.lower())
            if match:
                parts.setdefault(match[1], {})[match[2]] = value
        for index, pair in parts.items():
            for part in ("key", "value"):
                if part not in pair:
                    raise bad_field(f"artifactRetrievalLink.httpHeaders[{index}].{part}", "Is missing.")
        return {pair["key"]: pair["value"] for pair in parts.values()}


@asynccontextmanager
async def received_form(
    request: Request,
    *,
    incoming: Callable[[], Path],
    limit: int,
    repeated: frozenset[str] = frozenset(),
    field_limit: int = MAX_FIELD_BYTES,
) -> AsyncIterator[Form]:
    """Read a request's form.

    Args:
        request: not read yet.
        incoming: gives a new path for each file.
        limit: the most bytes of all files.
        repeated: names in lower case that may come with several files.
        field_limit: the most bytes of a field that is not a file.

    Raises:
        ProblemError: 400, 413 or 415.
    """
    media_type, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be multipart/form-data with a boundary.")
    refuse_too_large(announced_length(request), limit, overhead=_FORM_OVERHEAD)
    with ExitStack() as stack:
        try:
            reader = _FormReader(
                boundary, stack, incoming=incoming, limit=limit, repeated=repeated, field_limit=field_limit
            )
            async for piece in pieces(request):
                reader.write(piece)
        except (FormParserError, UnicodeDecodeError) as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"The form is broken: {error}.") from None
        yield reader.form()


class _FormReader:
    """Takes a multipart body piece by piece."""

    def __init__(
        self,
        boundary: bytes,
        stack: ExitStack,
        *,
        incoming: Callable[[], Path],
        limit: int,
        repeated: frozenset[str],
        field_limit: int,
    ) -> None:
        self._stack, self._incoming, self._limit, self._repeated = stack, incoming, limit, repeated
        self._field_limit = field_limit
        self._fields: dict[str, str] = {}
        self._files: dict[str, list[ReceivedFile]] = {}
        self._header_name, self._header_value = b"", b""
        self._name = self._file_name = ""
        self._file: FileReceiver | None = None
        self._text = b""
        self._ended, self._parts = False, 0
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value_piece,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._body_ends,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def write(self, piece: bytes) -> None:
        self._parser.write(piece)

    def form(self) -> Form:
        if not self._ended:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The form is broken: its end is missing.")
        return Form(fields=self._fields, file_lists=self._files)

    def _part_begins(self) -> None:
        self._name = self._file_name = ""
        self._file, self._text = None, b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_piece(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_ends(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._name = options.get(b"name", b"").decode()
            if b"filename" in options:
                self._file_name = options[b"filename"].decode() or "artifact"
        self._header_name = self._header_value = b""

    def _headers_end(self) -> None:
        if not self._name:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The form is broken: a part has no name.")
        taken = {*self._files, *(name.lower() for name in self._fields)} - self._repeated
        self._parts += 1
        if self._name.lower() in taken or self._parts > _MAX_FIELDS:
            raise bad_field(
                self._name, "Is given more than once." if self._parts <= _MAX_FIELDS else "Too many fields."
            )
        if self._file_name:
            self._file = self._stack.enter_context(receiving(self._incoming(), limit=self._limit))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._file.write(memoryview(data)[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > self._field_limit:
            raise bad_field(self._name, f"Is longer than {self._field_limit} bytes.")

    def _part_ends(self) -> None:
        if self._file:
            self._files.setdefault(self._name.lower(), []).append(self._file.finish(self._file_name))
        else:
            self._fields[self._name] = self._text.decode()

    def _body_ends(self) -> None:
        self._ended = True

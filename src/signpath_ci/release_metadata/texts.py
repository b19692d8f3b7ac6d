"""Texts whose bytes are kept: what is not changed is the same byte for byte afterwards."""

from __future__ import annotations

import codecs

from signpath_ci.values import dataclass

_PROBE = 8192


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text, and how it is encoded."""

    text: str
    encoding: str
    mark: bytes = b""

    def encoded(self, text: str) -> bytes:
        """Return a text in the same encoding, with the same byte order mark."""
        return self.mark + text.encode(self.encoding)


def read_text(data: bytes) -> Text | None:
    """Return the text that bytes are; `None` where they are not text, or would not be the same when written again.

    UTF-16 is what Windows PowerShell writes into a redirected file.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            try:
                found = Text(text=data[len(mark) :].decode(encoding), encoding=encoding, mark=mark)
            except UnicodeDecodeError:
                return None
            return found if found.encoded(found.text) == data else None
    if b"\0" in data[:_PROBE]:
        return None
    try:
        return Text(text=data.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError:
        return Text(text=data.decode("latin-1"), encoding="latin-1")

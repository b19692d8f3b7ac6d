"""The texts that options take, turned into values; each raises `ValueError` with what was expected."""

from __future__ import annotations

import math
import os
import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from signpath_ci.model import FileRule, SizeAllowance
from signpath_ci.settings.declaration import HiddenValueError, Secret
from signpath_ci.text import SHORTEST_SECRET

_SECONDS_PER_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Return the seconds of `600`, `0.5`, `90s`, `10m`, `8h` or `1d`."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise ValueError("is not a duration: write seconds (600) or a number with a unit (90s, 10m, 8h, 1d).")
    return float(match[1]) * _SECONDS_PER_UNIT[match[2]]


_BYTES_PER_UNIT = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def byte_count(text: str) -> int:
    """Return the bytes of `4096`, `64K`, `64M` or `1.5G`."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)\s*([KMG]?)(?:i?B)?", text.strip(), re.ASCII | re.IGNORECASE)
    if match is None:
        raise ValueError("is not a size: write bytes (4096) or a number with a unit (64K, 64M, 2G).")
    return int(float(match[1]) * _BYTES_PER_UNIT[match[2].upper()])


def size_allowance(text: str) -> SizeAllowance:
    """Return the allowance of `64M`, `50%` or `64M+50%`."""
    size, percent = 0, 0.0
    for term in text.split("+"):
        share = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*%\s*", term, re.ASCII)
        if share:
            percent += float(share[1])
            continue
        try:
            size += byte_count(term)
        except ValueError:
            raise ValueError("is not an allowance: write a size (64M), a share (100%), or both (64M+100%).") from None
    return SizeAllowance(size=size, percent=percent)


def positive_duration(text: str) -> float:
    """Return the seconds of a duration above zero."""
    seconds = duration(text)
    if not seconds > 0 or math.isinf(seconds):
        raise ValueError("must be more than zero.")
    return seconds


_LONGEST_NAME = 16


def organization_uuid(text: str) -> str:
    """Return a UUID in its usual form."""
    import uuid  # here, as commands that take none start without it

    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        # Variables get swapped: what is too long for a name and no misspelt UUID may be a token.
        may_be_a_token = len(text) > _LONGEST_NAME and not re.fullmatch(r"[0-9a-fA-F-]*", text)
        raise (HiddenValueError if may_be_a_token else ValueError)(
            "is not a UUID: copy the organization id from SignPath's page of your organization, "
            "it looks like 12345678-90ab-cdef-1234-567890abcdef."
        ) from None


def http_url(text: str) -> str:
    """Return an http(s) URL without a slash at its end; what http is allowed for is the transport's business."""
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text.strip()):
        raise ValueError("is not an http(s) URL.")
    if parts.username or parts.password:
        raise HiddenValueError("holds a user name or password: tokens go into their own variables.")
    return text.strip().rstrip("/")


def retrieval_url(text: str) -> str:
    """Return a link as it is: a query may be its signature, and so it is never repeated where it is wrong."""
    try:
        http_url(text)
    except ValueError as error:
        raise HiddenValueError(str(error)) from None
    return text.strip()


def file_name(text: str) -> str:
    """Return a name without a directory."""
    if not text.strip(" .") or re.search(r"[/\\:]", text) or not text.isprintable():
        raise ValueError("is not the name of a file: it has no directory, and is one line.")
    return text


_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)\s*")


class Headers(Secret):
    """HTTP headers, one a line, that can't be shown by accident."""

    def __init__(self, value: str, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__(value)
        self.pairs = pairs

    @property
    def masked(self) -> tuple[str, ...]:
        """Each value, and what stands in it behind a word such as `Bearer`; what is too short hides no secret."""
        values = [value for _, value in self.pairs]
        parts = dict.fromkeys([*values, *(value.rpartition(" ")[2] for value in values)])
        return tuple(part for part in parts if len(part) >= SHORTEST_SECRET)

    @classmethod
    def parse(cls, text: str) -> Headers:
        """Return the headers of lines such as `Authorization: Bearer ...` (RFC 9110, section 5)."""
        pairs = []
        for line in filter(str.strip, text.splitlines()):
            match = _HEADER.fullmatch(line)
            if match is None:
                raise HiddenValueError("is not a list of headers: write one a line, NAME: VALUE, in plain ASCII.")
            pairs.append((match[1], match[2]))
        if not pairs:
            raise ValueError("is empty: write one header a line, NAME: VALUE.")
        return cls(text, tuple(pairs))


class DirectoryPath(type(Path())):  # type: ignore[misc] # the class that `Path` stands for on this system
    """The path of a directory, as it was written with a slash at its end."""


def output_path(text: str) -> Path:
    """Return the path of a file or directory; a slash at its end says that it is a directory, there already or not."""
    return DirectoryPath(text) if text.endswith(("/", os.sep)) else Path(text)


def git_ref(text: str) -> str:
    """Return the full name of a reference of git.

    Raises:
        ValueError: it is none of a tag, a branch, or a pull or merge request.
    """
    if not re.fullmatch(r"refs/(tags|heads|pull|merge-requests)/.+", text, re.DOTALL):
        raise ValueError("is no full reference: write refs/tags/v1.0, refs/heads/main or refs/pull/7/merge.")
    return text


def policy_slug(text: str) -> str:
    """Return the slug of a signing policy, or the rules that choose one, as they were written."""
    from signpath_ci.settings.policy_rules import are_rules, parse_rules  # here, as few commands need it

    if are_rules(text):
        parse_rules(text)
    return text.strip()


def token(text: str) -> Secret:
    """Return a token: one line without blanks."""
    stripped = text.strip()
    if not stripped:
        raise ValueError("is empty: set it to the token that SignPath shows when it is made.")
    if not re.fullmatch(r"[\x21-\x7e]+", stripped):
        raise ValueError("holds white space, line breaks or non-ASCII characters: a token is one line without blanks.")
    return Secret(stripped)


def sha256(text: str) -> str:
    """Return 64 hexadecimal digits in lower case, of whichever form people copied."""
    plain = re.sub(r"[\s:]", "", text).lower()
    if re.fullmatch(r"[0-9a-f]{40}", plain):
        raise ValueError(
            "is a SHA-1, as Windows shows thumbprints; a SHA-256 has 64 hexadecimal digits: "
            "signpath-ci verify prints that of the signer, and so does openssl x509 -noout -fingerprint -sha256."
        )
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("is not a SHA-256: 64 hexadecimal digits.")
    return plain


def tcp_port(text: str) -> int:
    """Return the number of a port, 0 included."""
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError("is not a port: 0 (a free one) to 65535.")
    return int(text)


def file_rule(text: str) -> FileRule:
    """Return a rule about files: a pattern, or a JSON object as the manifest has it.

    Raises:
        ValueError: the object is not one, or its date is none.
    """
    if not text.startswith("{"):
        return FileRule(pattern=text)
    import json

    try:
        given = json.loads(text)
        expires = given.pop("expires", None)
        return FileRule(expires=None if expires is None else date.fromisoformat(expires), **given)
    except (TypeError, ValueError, AttributeError):
        raise ValueError(
            "is not a rule: an object has `pattern`, and may have `reason`, `owner` and `expires` (2027-01-31)."
        ) from None

"""JSON bodies of the REST API."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.requests import Request

from signpath_ci.sandbox.problems import ProblemError
from signpath_ci.sandbox.receiving import pieces

_MAX_BODY = 64 * 1024


async def json_texts(request: Request) -> dict[str, str]:
    """Return the texts of a JSON object; nothing for an empty body. Values of other types are left out.

    Raises:
        ProblemError: 400 where it is not a JSON object, 413 where it is too large.
    """
    body = b""
    async for piece in pieces(request):
        body += piece
        if len(body) > _MAX_BODY:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    if not body.strip():
        return {}
    try:
        content = json.loads(body)
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair could not be stored
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return {str(name): value for name, value in content.items() if isinstance(value, str)}

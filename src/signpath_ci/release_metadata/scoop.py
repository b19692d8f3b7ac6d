"""App manifests of Scoop."""

from __future__ import annotations

import json

from signpath_ci.release_metadata.format import Format
from signpath_ci.release_metadata.records import LARGEST


def _is_it(name: str, text: str) -> bool:
    if not name.lower().endswith(".json") or len(text) > LARGEST or '"hash"' not in text:
        return False
    try:
        found = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "version" in found and ("url" in found or "architecture" in found)


FORMAT = Format(name="Scoop manifest", is_it=_is_it)

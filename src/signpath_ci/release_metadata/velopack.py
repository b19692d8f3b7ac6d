"""`releases.CHANNEL.json` of Velopack: name, SHA-1, SHA-256 and size of each package."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format
from signpath_ci.release_metadata.records import json_objects

_NAME = re.compile(r"releases(?:\.[^/\\]+)?\.json", re.IGNORECASE)


def _is_it(name: str, text: str) -> bool:
    return bool(_NAME.fullmatch(name)) and '"Assets"' in text and '"FileName"' in text


FORMAT = Format(
    name="Velopack releases",
    is_it=_is_it,
    records=json_objects,
    size=re.compile(r'"Size"\s{0,64}:\s{0,64}(\d{1,18})(?!\w)'),
)

"""The update manifests of electron-builder: `latest.yml`, `latest-mac.yml`, `beta.yml` and so on."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format
from signpath_ci.release_metadata.records import yaml_mappings

_KEYS = re.compile(r"^[ \t]*(?:- )?[\"']?(sha512|sha2|path|url|version)[\"']?[ \t]*:", re.MULTILINE)


def _is_it(name: str, text: str) -> bool:
    if not name.lower().endswith((".yml", ".yaml")):
        return False
    keys = set(_KEYS.findall(text))
    return "version" in keys and bool(keys & {"sha512", "sha2"}) and bool(keys & {"path", "url"})


FORMAT = Format(
    name="electron-builder update manifest",
    is_it=_is_it,
    records=yaml_mappings,
    size=re.compile(r"(?<![\w-])[\"']?size[\"']?[ \t]*:[ \t]*(\d{1,18})(?!\w)"),
    block_map_size=re.compile(r"(?<![\w-])[\"']?blockMapSize[\"']?[ \t]*:[ \t]*(\d{1,18})(?!\w)"),
)

"""Installer manifests of winget."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format

_KEYS = re.compile(r"^[ \t]*(?:- )?(InstallerSha256|PackageIdentifier|ManifestType)[ \t]*:", re.MULTILINE)


def _is_it(name: str, text: str) -> bool:
    if not name.lower().endswith((".yml", ".yaml")):
        return False
    return {"InstallerSha256", "PackageIdentifier"} <= set(_KEYS.findall(text))


FORMAT = Format(name="winget manifest", is_it=_is_it)

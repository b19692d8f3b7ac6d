"""What describes files and can't be rewritten: only the tool that made it can make it anew."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format
from signpath_ci.release_metadata.records import LARGEST

_SBOM = re.compile(r'"bomFormat"|"spdxVersion"|^SPDXVersion:|cyclonedx\.org/schema/bom', re.MULTILINE)
_CLEAR_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_CHOCOLATEY = frozenset({"chocolateyinstall.ps1", "verification.txt"})

FORMATS = (
    Format(
        name="signed text",
        is_it=lambda _, text: _CLEAR_SIGNED in text,
        remedy="write the text anew, and sign it: gpg --clear-sign FILE",
    ),
    Format(
        name="SBOM",
        is_it=lambda _, text: _SBOM.search(text[:LARGEST]),
        remedy="make the SBOM of the signed files, with the tool that made it",
    ),
    Format(
        name="Chocolatey package",
        is_it=lambda name, _: name.lower() in _CHOCOLATEY,
        remedy="write the checksum of the signed file into it, then run: choco pack",
    ),
    Format(
        name="Tauri update manifest",
        is_it=lambda name, text: name.lower().endswith(".json") and '"platforms"' in text and '"signature"' in text,
        remedy="put the content of the new .sig files into it (tauri signer sign FILE makes them)",
    ),
)
OTHER = Format(
    name="text", is_it=lambda _name, _text: True, remedy="make it anew after signing, with the tool that made it"
)

_DETACHED = {
    ".blockmap": "signpath-ci finish DIR makes it anew",
    ".asc": "gpg --yes --armor --detach-sign {name}",
    ".sig": "tauri signer sign {name}, or: gpg --yes --detach-sign {name}",
    ".minisig": "minisign -S -m {name}",
    ".sigstore": "cosign sign-blob --bundle {name}.sigstore {name}",
    ".sigstore.json": "cosign sign-blob --bundle {name}.sigstore.json {name}",
    ".p7s": "make it anew of the signed file, with the tool that made it",
    ".zsync": "zsyncmake {name}",
    ".torrent": "make it anew of the signed file, with the tool that made it",
}


def detached(name: str) -> tuple[str, str] | None:
    """Return the name of the file that a detached signature or the like belongs to, and how to make it anew.

    Args:
        name: of a file, without a directory.
    """
    for suffix, remedy in _DETACHED.items():
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            of = name[: -len(suffix)]
            return of, remedy.replace("{name}", of)
    return None

"""MSIX packages and bundles, built to order."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from urllib.parse import unquote

_MSIX_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="exe" ContentType="application/x-msdownload"/>'
    '<Default Extension="xml" ContentType="application/vnd.ms-appx.manifest+xml"/>'
    '<Default Extension="msix" ContentType="application/vnd.ms-appx"/>'
    '<Override PartName="/AppxBlockMap.xml" ContentType="application/vnd.ms-appx.blockmap+xml"/></Types>'
)
_HASH_METHODS = {
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}


def build_msix(
    files: Mapping[str, bytes],
    publisher: str,
    *,
    algorithm: str = "sha256",
    bundled: Mapping[str, bytes] | None = None,
    block_map: Callable[[str], str] = str,
    types: Callable[[str], str] = str,
    manifest: Callable[[str], str] = str,
) -> bytes:
    """Build a package; with packages that are `bundled` a bundle. The last three change a text before it is put in."""

    def add(name: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> None:
        archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), data, compression)

    def listed(name: str, data: bytes) -> str:
        hashes = (hashlib.new(algorithm, data[start : start + 65536]) for start in range(0, len(data), 65536))
        blocks = "".join(f'<Block Hash="{base64.b64encode(h.digest()).decode()}"/>' for h in hashes)
        path = unquote(name).replace("/", "\\")
        return f'<File Name="{path}" Size="{len(data)}" LfhSize="{30 + len(name)}">{blocks}</File>'

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        packages = ""
        for name, data in (bundled or {}).items():
            offset = target.tell() + 30 + len(name)
            packages += f'<Package FileName="{name}" Offset="{offset}" Size="{len(data)}"/>'
            add(name, data)
        identity = f'<Identity Name="Example" Publisher="{publisher}" Version="1.0.0.0"/>'
        root, path = "Package", "AppxManifest.xml"
        if bundled is not None:
            root, path = "Bundle", "AppxMetadata/AppxBundleManifest.xml"
        files = {**files, path: manifest(f"<{root}>{identity}<Packages>{packages}</Packages></{root}>").encode()}
        for name, data in files.items():
            add(name, data)
        rows = "".join(listed(name, data) for name, data in files.items())
        namespace = "http://schemas.microsoft.com/appx/2010/blockmap"
        root = f'<BlockMap xmlns="{namespace}" HashMethod="{_HASH_METHODS[algorithm]}">'
        add("AppxBlockMap.xml", block_map(f"{root}{rows}</BlockMap>").encode())
        add("[Content_Types].xml", types(_MSIX_TYPES).encode(), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def build_vsix(files: Mapping[str, bytes], *, relationships: str | None = None) -> bytes:
    """Build a VSIX package, with relationships of the package where they are given."""
    types = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="vsixmanifest" ContentType="text/xml"/>'
        '<Default Extension="dll" ContentType="application/octet-stream"/>'
        '<Override PartName="/extensionless" ContentType="text/plain"/></Types>'
    )
    parts = {"[Content_Types].xml": types.encode(), "extension.vsixmanifest": b"<PackageManifest/>", **files}
    if relationships is not None:
        root = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relationships}'
        parts["_rels/.rels"] = f"{root}</Relationships>".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), data)
    return target.getvalue()


def rebuilt(package: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Return a package with entries that are changed, added, or, where they are `None`, removed."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, **changes}.items():
            if data is not None:
                archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), data)
    return target.getvalue()

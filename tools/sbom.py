"""Write `dist/signpath-ci.cdx.json`: which packages the zipapp carries, as a CycloneDX bill of materials.

It is made of the lock file alone, so the same sources give the same bytes. The format:
<https://cyclonedx.org/docs/1.6/json/>; package URLs: <https://github.com/package-url/purl-spec>.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

from signpath_ci import __version__

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill_of_materials(lock: str) -> dict[str, Any]:
    """Return the bill of materials for the packages of a lock file."""
    components = [_component(*package) for package in _packages(lock)]
    own = f"pkg:pypi/signpath-ci@{__version__}"
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "signpath-ci",
                "version": __version__,
                "purl": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [component["bom-ref"] for component in components]}],
    }
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill))}", **bill}


def _packages(lock: str) -> list[tuple[str, str, list[str]]]:
    """Return name, version and SHA-256 hashes of each package."""
    packages: list[tuple[str, str, list[str]]] = []
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            packages.append((pin[1], pin[2], []))
        if found := _HASH.search(line):
            packages[-1][2].append(found[1])
    return packages


def _component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        # One of these is the wheel that was taken; which one depends on where it was built.
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": content} for content in hashes],
            }
        ],
    }


def main() -> None:
    """Write the file, here or where the command line says."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "signpath-ci.cdx.json"
    bill = bill_of_materials(LOCK.read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

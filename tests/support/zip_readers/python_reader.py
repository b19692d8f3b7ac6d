"""Reads the archives whose paths come on standard input with `zipfile` of the Python that runs this.

One line for an archive: "zipfile", path, and either "!" and an error, or entries "hex of name=SHA-256;".
"""

import hashlib
import sys
import zipfile


def see(path: str) -> str:
    """Return what it sees of an archive."""
    seen = ""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            digest = hashlib.sha256(archive.read(info)).hexdigest()
            seen += f"{info.filename.encode('utf-8').hex()}={digest};"
    return seen


for line in sys.stdin:
    name = line.rstrip("\n")
    try:
        found = see(name)
    except Exception as error:  # noqa: BLE001 - whatever it is, the archive is refused
        found = "!" + " ".join(repr(error).split())
    sys.stdout.write(f"zipfile {sys.version_info[0]}.{sys.version_info[1]}\t{name}\t{found}\n")

"""What actions/upload-artifact does, with the sandbox's artifact store in the place of GitHub's.

A file lies in the artifact under its name alone; a directory's and a pattern's files lie under their paths below the
deepest directory that holds them all: <https://github.com/actions/upload-artifact#upload-an-entire-directory>
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path, PurePath


def is_uploaded(file: Path, below: Path) -> bool:
    """Tell whether a file goes into the artifact: hidden ones only where that is asked for."""
    name = file.relative_to(below) if file != below else PurePath()
    is_hidden = any(part.startswith(".") for part in name.parts)
    return file.is_file() and (not is_hidden or os.environ.get("ARTIFACT_HIDDEN") == "true")


pattern = os.environ["ARTIFACT_PATH"]
found = [Path(pattern)] if Path(pattern).exists() else sorted(Path().glob(pattern))
files = sorted(
    file for path in found for file in ([path] if path.is_file() else path.rglob("*")) if is_uploaded(file, path)
)
if not files:
    sys.exit(f"No files were found: {pattern}")
root = found[0] if found[0].is_dir() and len(found) == 1 else Path(os.path.commonpath([file.parent for file in files]))
store = Path(os.environ["ARTIFACT_STORE"]) / "github"
store.mkdir(parents=True, exist_ok=True)
artifact_id = 1 + len(list(store.iterdir()))
is_packed = os.environ.get("ARTIFACT_ARCHIVE") != "false"
if not is_packed and len(files) != 1:
    sys.exit(f"Only one file can be uploaded without an archive, and {len(files)} were found")
# For actions/download-artifact, which knows it by its name.
name = os.environ["ARTIFACT_NAME"] if is_packed else files[0].name
named = Path(os.environ["KEPT"]) / "artifacts" / f"{name}.zip"
if named.exists() and os.environ.get("ARTIFACT_OVERWRITE") != "true":
    sys.exit(
        "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this "
        "name already exists on the workflow run"
    )
if not is_packed:
    shutil.copyfile(files[0], store / f"{artifact_id}.zip")
else:
    with zipfile.ZipFile(store / f"{artifact_id}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(root).as_posix())
named.parent.mkdir(parents=True, exist_ok=True)
shutil.copyfile(store / f"{artifact_id}.zip", named)
with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
    outputs.write(f"artifact-id={artifact_id}\n")

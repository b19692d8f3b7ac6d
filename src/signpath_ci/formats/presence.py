"""Whether a file carries a signature at all, whoever made it: nothing is verified, and no library is needed."""

from __future__ import annotations

from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import FORMATS, by_name, detect, implementation, package
from signpath_ci.formats.zip import open_archive

_ENTRIES = {"nuget": ".signature.p7s", "msix": "appxsignature.p7x"}
_OPC_SIGNATURES = "package/services/digital-signature/"


def lacks_signature(file: BinaryIO, name: str) -> bool:
    """Tell whether a file is of a format that is ordinarily signed, but carries no signature.

    What is damaged carries none. A catalog is a signature itself.

    Args:
        file: seekable.
        name: of the file.

    Raises:
        OSError: it can't be read.
    """
    kind = detect(file, name, is_end_read=False) or by_name(name)
    if kind is None:
        return False
    try:
        if kind == "zip" or FORMATS[kind].entries:
            return _lacks_entry(file, name)
        is_authenticode = FORMATS[kind].must_be_signed and FORMATS[kind].scheme == "authenticode"
        return is_authenticode and not implementation(kind).read_subject(file).signatures
    except FormatError:
        return FORMATS[by_name(name) or kind].must_be_signed


def _lacks_entry(file: BinaryIO, name: str) -> bool:
    with open_archive(file) as archive:
        names = {entry.name.lower() for entry in archive.entries}
    kind = package(names, name)
    if not FORMATS[kind].must_be_signed:
        return False
    if kind == "vsix":
        return not any(one.startswith(_OPC_SIGNATURES) for one in names)
    return _ENTRIES[kind] not in names

"""What users get wrong about artifact configurations, each as the files of a checkout that `check` must refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.archives import build_zip
from tests.support.configurations import SIGN, document
from tests.support.pe import build_pe

_PE = build_pe()
_ZIP = build_zip({"App.exe": _PE, "lib/a.dll": _PE, "lib/b.dll": _PE})
_FITTING = document(f'<zip-file><pe-file path="App.exe">{SIGN}</pe-file></zip-file>')


@dataclass(frozen=True, kw_only=True)
class UserError:
    """One of them.

    Attributes:
        name: a word for the test's name.
        artifact: what the build made.
        remedy: what the message must name.
        configuration: the XML.
        file: its name below `.signpath/artifact-configurations`.
        slug: that is set; empty: none.
        code: the exit code.
    """

    name: str
    remedy: str
    artifact: bytes = field(default=_ZIP, repr=False)
    configuration: str = field(default=_FITTING, repr=False)
    file: str = "default.xml"
    slug: str = ""
    code: int = 9

    def write(self, directory: Path) -> None:
        """Write the checkout's files; the artifact is `app.zip`."""
        path = directory / ".signpath" / "artifact-configurations" / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.configuration, "utf-8")
        (directory / "app.zip").write_bytes(self.artifact)


USER_ERRORS = (
    UserError(name="pe-root", configuration=document(f"<pe-file>{SIGN}</pe-file>"), remedy="root <zip-file>"),
    UserError(name="not-zipped", artifact=_PE, remedy="make <pe-file> the root"),
    UserError(name="double-zip", artifact=build_zip({"release.zip": _ZIP}), remedy="a ZIP in a ZIP"),
    UserError(
        name="wildcard",
        configuration=document(f'<zip-file><pe-file path="lib/*.dll">{SIGN}</pe-file></zip-file>'),
        remedy='max-matches="unbounded"',
    ),
    UserError(name="certificate-slug", slug="release-certificate", code=2, remedy="It has default."),
    UserError(
        name="initial-template",
        slug="initial",
        file="initial.xml",
        configuration=document(f"<pe-file>{SIGN}</pe-file>"),
        remedy="root <zip-file>",
    ),
    UserError(
        name="sample-file",
        configuration=document(f'<zip-file><pe-file path="sample.exe">{SIGN}</pe-file></zip-file>'),
        remedy="SignPath's template",
    ),
    UserError(
        name="invented-element",
        configuration=document('<zip-file><for-each-file-match glob="*.exe"/></zip-file>'),
        remedy="<pe-file-set>",
    ),
    UserError(
        name="invented-root",
        configuration='<artifact xmlns="http://signpath.io/xml/artifact-configuration/v1"><file-list/></artifact>',
        remedy="http://signpath.io/artifact-configuration/v1",
    ),
    UserError(
        name="invented-namespace",
        configuration='<artifactConfiguration xmlns="https://signpath.io/schema/artifact-configuration/2024"/>',
        remedy="http://signpath.io/artifact-configuration/v1",
    ),
)

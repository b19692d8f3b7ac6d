"""One archive with a file of each format: the sandbox signs them by their directives, verification finds them all."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.clock import Clock
from signpath_ci.formats.registry import FORMATS
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.oracles import needs_osslsigncode
from tests.support.packages import build_msix, build_vsix
from tests.support.samples import unsigned_files
from tests.support.signing import NOW, authority
from tests.unit.sandbox.signers.test_execute import executed

_SIGN = "<authenticode-sign/>"
EVERY_DIRECTIVE = f"""<zip-file>
  <pe-file path="app.exe">{_SIGN}</pe-file>
  <powershell-file-set><include path="script.ps1"/><include path="types.ps1xml"/><include path="schema.mof"/>
    <for-each>{_SIGN}</for-each></powershell-file-set>
  <windows-script-file-set><include path="script.vbs"/><include path="script.js"/><include path="script.wsf"/>
    <for-each>{_SIGN}</for-each></windows-script-file-set>
  <msi-file path="setup.msi">{_SIGN}</msi-file>
  <cab-file path="data.cab">{_SIGN}</cab-file>
  <catalog-file path="driver.cat">{_SIGN}</catalog-file>
  <msix-file path="app.msix">{_SIGN}</msix-file>
  <appx-file path="app.appx">{_SIGN}</appx-file>
  <nupkg-file path="app.nupkg"><nuget-sign/></nupkg-file>
  <opc-file path="app.vsix"><opc-sign/></opc-file>
  <opc-file path="app.xps"><opc-sign/></opc-file>
  <jar-file path="app.jar"><jar-sign/></jar-file>
  <xml-file path="bom.xml"><xml-sign/></xml-file>
  <file path="data.bin"><create-cms-signature output-file-name="data.bin.p7s" output-encoding="der"/></file>
</zip-file>"""


def every_file() -> dict[str, bytes]:
    """Return an unsigned file for each directive, and one that is not signed."""
    names = authority().code_signer("tests").certificate.subject
    publisher = ", ".join(f"{a.rfc4514_attribute_name}={a.value!s}" for a in reversed(list(names)))
    package = build_msix({"data.xml": b"<a/>"}, publisher)
    return {
        **unsigned_files(),
        "app.msix": package,
        "app.appx": package,
        "app.nupkg": build_zip({"App.nuspec": b"<package/>", "lib/App.txt": b"text"}),
        "app.vsix": build_vsix({"extensionless": b"text"}),
        "app.xps": build_vsix({"extensionless": b"text"}),
        "bom.xml": b'<?xml version="1.0"?>\n<bom xmlns="urn:bom"/>\n',
        "types.ps1xml": b"<Types></Types>\r\n",
        "schema.mof": b"class A {};\r\n",
        "data.bin": b"any bytes",
        "notes.txt": b"not signed",
    }


@needs_osslsigncode
def test_one_file_of_each_format(tmp_path: Path) -> None:
    target, steps = executed(tmp_path, EVERY_DIRECTIVE, build_zip(every_file()))

    assert {step.result for step in steps if step.directive} <= {"signed", "added"}
    verdicts = verify_file(
        target,
        unsigned=tmp_path / "in.zip",
        expectations=Expectations(trust_roots=(authority().trust_root,)),
        clock=Clock(now=lambda: NOW),
    )
    signed = {verdict.member: verdict.format for verdict in verdicts}
    assert signed.keys() == {*every_file(), "data.bin.p7s"} - {"data.bin", "notes.txt"}
    verified = {kind for kind, known in FORMATS.items() if known.scheme not in {None, "members"}}
    assert set(signed.values()) == verified

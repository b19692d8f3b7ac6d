"""Configurations as public projects have them, rebuilt by their structure, with artifacts that they are for.

None is copied: names of elements, attributes and paths are what the projects publish; everything else is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.archives import build_zip
from tests.support.configurations import SIGN, build_msi, versioned_pe
from tests.support.packages import build_msix
from tests.support.pe import LAUNCHERS, build_pe
from tests.support.samples import build_catalog
from tests.support.signing import authority

VERIFY = "<authenticode-verify/>"
_MANY = 'max-matches="unbounded"'
_SOME = 'min-matches="0" max-matches="unbounded"'
_PE = build_pe()
_VERSION = '<parameters><parameter name="version" required="true"/></parameters>'


def _pe(path: str, attributes: str = "", directives: str = SIGN) -> str:
    return f'<pe-file path="{path}" {attributes}>{directives}</pe-file>'


def _set(includes: Mapping[str, str], directives: str | None = SIGN, attributes: str = "", kind: str = "pe") -> str:
    inside = "".join(f'<include path="{path}" {more}/>' for path, more in includes.items())
    loop = "" if directives is None else f"<for-each>{directives}</for-each>"
    return f"<{kind}-file-set {attributes}>{inside}{loop}</{kind}-file-set>"


def _dir(path: str, content: str, attributes: str = "") -> str:
    return f'<directory path="{path}" {attributes}>{content}</directory>'


def _zip(content: str) -> str:
    return f"<zip-file>{content}</zip-file>"


@dataclass(frozen=True, kw_only=True)
class Public:
    """A public configuration.

    Attributes:
        content: of the root element.
        files: builds the artifact; is given an empty directory, and a PE file that is signed already.
        values: the request's parameters.
        signed: the nested files that are signed, by their paths.
        name: of the artifact.
        needs: programs.
    """

    content: str
    build: Callable[[Path, bytes], bytes]
    signed: frozenset[str]
    values: Mapping[str, str] = field(default_factory=dict)
    name: str = "artifact.zip"
    needs: tuple[str, ...] = ()


def _of(files: Mapping[str, bytes | None]) -> Callable[[Path, bytes], bytes]:
    """Return what builds a ZIP of files; `None` stands for a PE file that is signed already."""
    return lambda _, vendor: build_zip({name: vendor if data is None else data for name, data in files.items()})


def _publisher() -> str:
    """Return the name that packages must have, which the sandbox's signer is given in the tests."""
    return authority().code_signer("tests").certificate.subject.rfc4514_string()


_DEMO = "application/SignPath Demo/"


def _demo(directory: Path, vendor: bytes) -> bytes:
    files = {
        f"{_DEMO}Microsoft.Extensions.dll": vendor,
        f"{_DEMO}Microsoft.Tool.exe": vendor,
        f"{_DEMO}Serilog.dll": versioned_pe(ProductName="Serilog"),
        f"{_DEMO}DemoExample.dll": _PE,
        f"{_DEMO}DemoExample.exe": _PE,
    }
    bom = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>'
    return build_zip({"DemoExample.msi": build_msi(directory, files), "bom.xml": bom})


_DEMO_MSI = (
    '<msi-file path="DemoExample.msi">'
    + _dir(
        "application/SignPath Demo",
        _set({"Microsoft.*.dll": _SOME, "Microsoft.*.exe": _SOME}, VERIFY)
        + _set({"Serilog.dll": 'min-matches="0"'}, None, 'product-name="Serilog"')
        + _set({"DemoExample.dll": "", "DemoExample.exe": ""}),
    )
    + SIGN
    + "</msi-file>"
)
_BOM = (
    '<xml-file path="bom.xml" root-element-name="bom" root-element-namespace="http://cyclonedx.org/schema/bom/1.5">'
    "{}</xml-file>"
)
_DEMO_SIGNED = frozenset({"DemoExample.msi", *(f"DemoExample.msi/{_DEMO}DemoExample.{one}" for one in ("dll", "exe"))})
_TELEPRESENCE = versioned_pe(ProductName="Telepresence", ProductVersion="2.1")
_TOOLS = ("msibuild", "gcab", "osslsigncode")


def _telepresence(directory: Path, _: bytes) -> bytes:
    (directory / "msi").mkdir()
    installed = {"telepresence.exe": _TELEPRESENCE, "svc.exe": _TELEPRESENCE}
    msi = build_msi(directory / "msi", installed)
    folders = {f"{folder}/{name}": data for folder in ("amd64", "arm64") for name, data in installed.items()}
    return build_zip({**folders, "amd64.msi": msi, "arm64.msi": msi})


def _msi(files: Mapping[str, bytes | None], name: str, **more: str) -> Callable[[Path, bytes], bytes]:
    def build(directory: Path, vendor: bytes) -> bytes:
        known = {path: vendor if data is None else data for path, data in files.items()}
        return build_zip({name: build_msi(directory, known, **more)})

    return build


_TP_FILES = "".join(
    _pe(name, 'product-name="Telepresence" product-version="${version}"') for name in ("telepresence.exe", "svc.exe")
)

PUBLIC: dict[str, Public] = {
    "signpath-demo": Public(
        content=_zip(_DEMO_MSI + _BOM.format("<xml-sign/>")),
        build=_demo,
        signed=_DEMO_SIGNED | {"bom.xml"},
        needs=_TOOLS,
    ),
    "telepresence": Public(
        content=_VERSION
        + _zip(
            _dir("amd64", _TP_FILES)
            + _dir("arm64", _TP_FILES)
            + "".join(f'<msi-file path="{one}.msi">{_TP_FILES}{SIGN}</msi-file>' for one in ("amd64", "arm64"))
        ),
        build=_telepresence,
        values={"version": "2.1"},
        signed=frozenset(
            path
            for folder in ("amd64", "arm64")
            for path in (
                f"{folder}/telepresence.exe",
                f"{folder}/svc.exe",
                f"{folder}.msi",
                f"{folder}.msi/telepresence.exe",
                f"{folder}.msi/svc.exe",
            )
        ),
        needs=_TOOLS,
    ),
    "trenchbroom": Public(
        content=_zip(_pe("TrenchBroom.exe") + _set({"**/*.dll": _SOME})),
        build=_of({"TrenchBroom.exe": _PE, "x.dll": _PE, "plugins/a/y.dll": _PE}),
        signed=frozenset({"TrenchBroom.exe", "x.dll", "plugins/a/y.dll"}),
    ),
    "mahapps": Public(
        content=f"<nupkg-file>{_dir('lib', _dir('*', _pe('MahApps.Metro.dll'), _MANY))}<nuget-sign/></nupkg-file>",
        build=_of({"M.nuspec": b"<package/>", "lib/net6/MahApps.Metro.dll": _PE, "lib/net8/MahApps.Metro.dll": _PE}),
        name="MahApps.Metro.nupkg",
        signed=frozenset({".", "lib/net6/MahApps.Metro.dll", "lib/net8/MahApps.Metro.dll"}),
    ),
    "qtpass": Public(
        content=_zip(
            _set({"qtpass.exe": 'min-matches="0"', "qtpass-*.exe": 'min-matches="0" max-matches="1"'}).replace(
                "<pe-file-set ", '<pe-file-set product-name="QtPass" '
            )
        ),
        build=_of({"qtpass-1.4.exe": versioned_pe(ProductName="QtPass  ")}),
        signed=frozenset({"qtpass-1.4.exe"}),
    ),
    "optikey": Public(
        content=_zip(_pe("OptiKeyPro.exe")),
        build=_of({"OptiKeyPro.exe": _PE}),
        signed=frozenset({"OptiKeyPro.exe"}),
    ),
    "etlegacy": Public(
        content=_zip(_pe("*.exe")), build=_of({"etlegacy.exe": _PE}), signed=frozenset({"etlegacy.exe"})
    ),
    "nagi": Public(
        content=_zip(f'<msix-file path="Nagi.msixbundle">{SIGN}</msix-file>'),
        build=lambda *_: build_zip({"Nagi.msixbundle": build_msix({}, _publisher(), bundled={"x64.msix": b"PK"})}),
        signed=frozenset({"Nagi.msixbundle"}),
    ),
    "openhv": Public(
        content=_zip(_dir(".", _set({"*.exe": _MANY}))),
        build=_of({"OpenHV.exe": _PE, "Server.exe": _PE}),
        signed=frozenset({"OpenHV.exe", "Server.exe"}),
    ),
    "ps5-camera-driver": Public(
        content=_zip(
            "".join(_pe(f"tool{number}.exe") for number in range(5))
            + "".join(f'<powershell-file path="{one}.ps1">{SIGN}</powershell-file>' for one in ("install", "remove"))
        ),
        build=_of(
            {**{f"tool{number}.exe": _PE for number in range(5)}, "install.ps1": b"echo 1\r\n", "remove.ps1": b"echo 2"}
        ),
        signed=frozenset({*(f"tool{number}.exe" for number in range(5)), "install.ps1", "remove.ps1"}),
    ),
    "hodoku": Public(
        content=_VERSION + _zip(_pe("Hodoku.exe", 'product-name="Hodoku" product-version="${version}"')),
        build=_of({"Hodoku.exe": versioned_pe(ProductName="Hodoku", ProductVersion="2.3.1")}),
        values={"version": "2.3.1"},
        signed=frozenset({"Hodoku.exe"}),
    ),
    "bluebubbles-msix": Public(
        content=_zip(f'<msix-file path="*.msix">{_set({"*.dll": _MANY, "*.exe": _MANY}, VERIFY)}{SIGN}</msix-file>'),
        build=lambda _, vendor: build_zip({"app.msix": build_msix({"a.dll": vendor, "app.exe": vendor}, _publisher())}),
        signed=frozenset({"app.msix"}),
    ),
    "bluebubbles-app": Public(
        content=_zip(
            _pe("bluebubbles_app.exe")
            + _set({"vcruntime140.dll": "", "msvcp140.dll": ""}, VERIFY)
            + _set({"own.dll": ""})
        ),
        build=_of({"bluebubbles_app.exe": _PE, "vcruntime140.dll": None, "msvcp140.dll": None, "own.dll": _PE}),
        signed=frozenset({"bluebubbles_app.exe", "own.dll"}),
    ),
    "komota-rustdesk": Public(
        content=_zip(
            _pe("Komota RustDesk *.exe")
            + '<zip-file path="Komota RustDesk *.zip">'
            + _pe("rustdesk/rustdesk.exe")
            + _pe("rustdesk/librustdesk.dll")
            + "</zip-file>"
        ),
        build=_of(
            {
                "Komota RustDesk 1.3.exe": _PE,
                "Komota RustDesk 1.3.zip": build_zip({"rustdesk/rustdesk.exe": _PE, "rustdesk/librustdesk.dll": _PE}),
            }
        ),
        signed=frozenset(
            {
                "Komota RustDesk 1.3.exe",
                "Komota RustDesk 1.3.zip/rustdesk/rustdesk.exe",
                "Komota RustDesk 1.3.zip/rustdesk/librustdesk.dll",
            }
        ),
    ),
    "lumen": Public(
        content=_zip(
            '<msi-file path="Lumen-*-Windows-x86_64.msi">'
            + _pe("Lumen.exe")
            + _pe("tools/*.exe", _MANY)
            + f'<catalog-file path="driver/lumeniddcx.cat">{SIGN}</catalog-file>'
            + _pe("scripts/vigembus_installer.exe", directives=VERIFY)
            + SIGN
            + "</msi-file>"
        ),
        build=_msi(
            {
                "Lumen.exe": _PE,
                "tools/one.exe": _PE,
                "driver/lumeniddcx.cat": build_catalog({"lumeniddcx.dll": _PE}),
                "driver/lumeniddcx.dll": _PE,
                "scripts/vigembus_installer.exe": None,
            },
            "Lumen-1.2-Windows-x86_64.msi",
        ),
        signed=frozenset(
            {
                "Lumen-1.2-Windows-x86_64.msi",
                *(
                    f"Lumen-1.2-Windows-x86_64.msi/{one}"
                    for one in ("Lumen.exe", "tools/one.exe", "driver/lumeniddcx.cat")
                ),
            }
        ),
        needs=_TOOLS,
    ),
    "irdashies": Public(
        content=_zip(_pe("*Setup.exe", 'min-matches="1" max-matches="1"')),
        build=_of({"irdashies-1.0-Setup.exe": _PE, "latest.yml": b"x"}),
        signed=frozenset({"irdashies-1.0-Setup.exe"}),
    ),
    "toggle-audio": Public(
        content=_VERSION
        + _zip(
            '<msi-file path="toggle-audio-${version}.msi" subject="Toggle Audio" author="hotdogee">'
            + _dir(
                "PFiles64/Toggle Audio",
                _set(
                    {"*.exe": 'original-filename="${file.name}"'},
                    '<authenticode-sign description="Toggle Audio" description-url="https://example.com"/>',
                    'product-name="Toggle Audio" product-version="${version}" company-name="hotdogee"',
                ),
            )
            + SIGN
            + "</msi-file>"
        ),
        build=_msi(
            {
                "PFiles64/Toggle Audio/toggle.exe": versioned_pe(
                    ProductName="Toggle Audio",
                    ProductVersion="3.0",
                    CompanyName="hotdogee",
                    OriginalFilename="toggle.exe",
                )
            },
            "toggle-audio-3.0.msi",
            subject="Toggle Audio",
            author="hotdogee",
        ),
        values={"version": "3.0"},
        signed=frozenset({"toggle-audio-3.0.msi", "toggle-audio-3.0.msi/PFiles64/Toggle Audio/toggle.exe"}),
        needs=_TOOLS,
    ),
    "flyenv": Public(
        content=_zip(_set({"**/*.exe": _SOME, "**/*.dll": _SOME, "**/*.node": _SOME})),
        build=_of({"FlyEnv.exe": _PE, "resources/app/x.node": _PE, "resources/y.dll": _PE}),
        signed=frozenset({"FlyEnv.exe", "resources/app/x.node", "resources/y.dll"}),
    ),
    "grxfirma": Public(
        content=_zip(
            _set({"payload/**/*.exe": _MANY, "uninstallers/*-uninstall.exe": 'min-matches="2" max-matches="2"'})
        ),
        build=_of(
            {
                "payload/a.exe": _PE,
                "payload/b/c.exe": _PE,
                "uninstallers/x-uninstall.exe": _PE,
                "uninstallers/y-uninstall.exe": _PE,
            }
        ),
        signed=frozenset(
            {"payload/a.exe", "payload/b/c.exe", "uninstallers/x-uninstall.exe", "uninstallers/y-uninstall.exe"}
        ),
    ),
    "gettext-iconv": Public(
        content='<parameters><parameter name="iconv" required="true"/><parameter name="curl" default-value="8.0"/>'
        "</parameters>"
        + _zip(
            _dir(
                "bin", _pe("iconv.exe", 'product-version="${iconv}"') + _pe("libcurl*.dll", 'product-version="${curl}"')
            )
        ),
        build=_of(
            {
                "bin/iconv.exe": versioned_pe(ProductVersion="1.17"),
                "bin/libcurl-4.dll": versioned_pe(ProductVersion="8.0"),
            }
        ),
        values={"iconv": "1.17"},
        signed=frozenset({"bin/iconv.exe", "bin/libcurl-4.dll"}),
    ),
    "velox": Public(
        content=_zip(_pe("velox.exe") + _pe("velox-setup.exe")),
        build=_of({"velox.exe": LAUNCHERS["x64"].read_bytes(), "velox-setup.exe": _PE}),
        signed=frozenset({"velox.exe", "velox-setup.exe"}),
    ),
}

INVALID: dict[str, tuple[str, str]] = {
    "lnav": (_zip(_dir("bin", _set({"lnav.exe": ""})) + SIGN), "wrong-place"),
    "hyperion": (
        _zip(_set({"*.exe": ""}, attributes='product-name="Hyperion" product-version="${version}"')),
        "parameter",
    ),
    "bootable": (_zip(f'<pe-file-set><include path="*.exe"/>{SIGN}</pe-file-set>'), "set-without-for-each"),
}
"""Those that SignPath refuses to save, with the rule that they break."""

"""The words of the artifact configuration language.

Source: SignPath's documentation of the artifact configuration, pages "Syntax" and "Reference" (application 1.219).
"""

from __future__ import annotations

from typing import Literal

from signpath_ci.values import dataclass

NAMESPACE = "http://signpath.io/artifact-configuration/v1"
ROOT = "artifact-configuration"

HASHES = ("sha256", "sha384", "sha512")

Effect = Literal["replace", "add", "verify", "record"]
"""What a directive does: it replaces the file by a signed one, adds a file, only verifies, or only records the file."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """An attribute of an element or a directive.

    Attributes:
        choices: the values that it may have; nothing: any.
        is_required: it must be given.
        default: its value where it is not given, if that is known.
        replaced_by: the current name, where this is an older one that is still accepted.
    """

    choices: tuple[str, ...] = ()
    is_required: bool = False
    default: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Directive:
    """What can be done with a file.

    Attributes:
        takes_any_attribute: further attributes are those of a method that the organization has registered.
        is_repeatable: it may stand more than once in one element.
        children: directives that may stand inside it.
    """

    effect: Effect
    attributes: dict[str, Attribute]
    takes_any_attribute: bool = False
    is_repeatable: bool = False
    children: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Element:
    """A kind of file, as the configuration names it.

    Attributes:
        title: how messages call such a file.
        directives: what can be done with it.
        is_container: other files may be named inside it.
        has_set: there is a `-set` of it.
        restrictions: attributes that restrict which file it may be, by what is in it.
        extensions: usual endings of names; they do not decide anything.
        max_size: in bytes; `None`: no limit of its own.
    """

    title: str
    directives: tuple[str, ...]
    is_container: bool = False
    has_set: bool = True
    restrictions: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    max_size: int | None = None


_AUTHENTICODE = ("authenticode-verify", "authenticode-sign")
_PROVENANCE = "include-in-provenance"

ELEMENTS: dict[str, Element] = {
    "pe-file": Element(
        title="PE file",
        directives=_AUTHENTICODE,
        restrictions=(
            "product-name",
            "product-version",
            "file-version",
            "company-name",
            "copyright",
            "original-filename",
        ),
        extensions=(
            ".exe", ".dll", ".acm", ".ax", ".cpl", ".drv", ".efi", ".mui", ".ocx", ".scr", ".sys", ".tsp", ".node",
        ),
    ),
    "powershell-file": Element(
        title="PowerShell file", directives=_AUTHENTICODE, extensions=(".ps1", ".psm1", ".psd1", ".ps1xml", ".psdc1")
    ),
    "windows-script-file": Element(
        title="Windows script file", directives=_AUTHENTICODE, extensions=(".wsf", ".vbs", ".js")
    ),
    "msi-file": Element(
        title="Windows Installer file",
        directives=_AUTHENTICODE,
        is_container=True,
        restrictions=("subject", "author"),
        extensions=(".msi", ".msm", ".msp"),
    ),
    "cab-file": Element(title="cabinet file", directives=_AUTHENTICODE, is_container=True, extensions=(".cab",)),
    "catalog-file": Element(title="catalog file", directives=_AUTHENTICODE, extensions=(".cat",)),
    "appx-file": Element(
        title="APPX package", directives=_AUTHENTICODE, is_container=True, extensions=(".appx", ".appxbundle")
    ),
    "msix-file": Element(
        title="MSIX package", directives=_AUTHENTICODE, is_container=True, extensions=(".msix", ".msixbundle")
    ),
    "opc-file": Element(
        title="OPC package",
        directives=("opc-sign",),
        is_container=True,
        extensions=(".vsix", ".xps", ".hlkx"),
        max_size=40 << 20,
    ),
    "nupkg-file": Element(
        title="NuGet package", directives=("nuget-sign",), is_container=True, extensions=(".nupkg", ".snupkg")
    ),
    "jar-file": Element(
        title="JAR file", directives=("jar-sign",), is_container=True, extensions=(".jar", ".war", ".ear", ".aab")
    ),
    "apk-file": Element(
        title="APK file", directives=("apk-sign",), is_container=True, has_set=False, extensions=(".apk",)
    ),
    "rpm-file": Element(
        title="RPM package", directives=("rpm-sign",), is_container=True, has_set=False, extensions=(".rpm",)
    ),
    "deb-file": Element(
        title="Debian package", directives=("debsigs-sign",), is_container=True, has_set=False, extensions=(".deb",)
    ),
    "zip-file": Element(
        title="ZIP archive", directives=("jar-sign", "create-provenance-file"), is_container=True, extensions=(".zip",)
    ),
    "office-oxml-file": Element(
        title="Office Open XML file",
        directives=("office-macro-sign",),
        extensions=(
            ".xlam", ".xlsb", ".xlsm", ".xltm", ".potm", ".ppam", ".ppsm", ".pptm", ".vsdm", ".vssm", ".vstm",
            ".docm", ".dotm",
        ),
    ),
    "office-binary-file": Element(
        title="binary Office file",
        directives=("office-macro-sign",),
        extensions=(
            ".xla", ".xls", ".xlt", ".pot", ".ppa", ".pps", ".ppt", ".mpp", ".mpt", ".pub", ".vdw", ".vdx", ".vsd",
            ".vss", ".vst", ".vsx", ".vtx", ".doc", ".dot", ".wiz",
        ),
    ),
    "xml-file": Element(
        title="XML file",
        directives=("xml-sign",),
        restrictions=("root-element-name", "root-element-namespace"),
        extensions=(".xml",),
        max_size=2 << 20,
    ),
    "json-file": Element(title="JSON file", directives=("jsf-sign",), has_set=False, extensions=(".json",)),
    "oci-image-layout-archive-file": Element(
        title="OCI image layout archive", directives=("notation-sign", "cosign-sign"), has_set=False
    ),
    "directory": Element(title="directory", directives=("clickonce-sign",), is_container=True),
    "file": Element(
        title="file",
        directives=(
            "dsse-sign",
            "smime-sign",
            "create-cms-signature",
            "create-gpg-signature",
            "create-raw-signature",
            "custom-sign",
            "create-custom-signature",
        ),
    ),
}  # fmt: skip

SETS: dict[str, str] = {f"{name}-set": name for name, element in ELEMENTS.items() if element.has_set}
"""The elements that choose several files of one kind, with that kind."""

_ANY = Attribute()
_REQUIRED = Attribute(is_required=True)
_HASH = Attribute(choices=HASHES, default="sha256")
_PADDING = Attribute(choices=("pkcs1", "pss"))

DIRECTIVES: dict[str, Directive] = {
    "authenticode-sign": Directive(
        effect="replace",
        is_repeatable=True,
        attributes={
            "hash-algorithm": Attribute(choices=("sha1", *HASHES), default="sha256"),
            "description": _ANY,
            "description-url": _ANY,
            "append": Attribute(choices=("true", "false"), default="false"),
        },
    ),
    "authenticode-verify": Directive(effect="verify", attributes={}),
    "clickonce-sign": Directive(effect="replace", attributes={}),
    "nuget-sign": Directive(effect="replace", attributes={}),
    "opc-sign": Directive(effect="replace", attributes={}),
    "office-macro-sign": Directive(effect="replace", attributes={}),
    "jar-sign": Directive(effect="replace", attributes={"manifest-hash-algorithm": _HASH, "hash-algorithm": _HASH}),
    "apk-sign": Directive(effect="replace", attributes={"min-sdk-version": _ANY, "max-sdk-version": _ANY}),
    "rpm-sign": Directive(effect="replace", attributes={}),
    "debsigs-sign": Directive(effect="replace", is_repeatable=True, attributes={"signature-type": _REQUIRED}),
    "xml-sign": Directive(
        effect="replace",
        attributes={
            "key-info-x509-data": Attribute(choices=("none", "leaf", "whole-chain", "exclude-root"), default="leaf")
        },
    ),
    "jsf-sign": Directive(effect="replace", attributes={"hash-algorithm": _HASH, "rsa-padding": _PADDING}),
    "notation-sign": Directive(effect="replace", attributes={"tag": _REQUIRED}),
    "cosign-sign": Directive(effect="replace", attributes={"tag": _REQUIRED}),
    "dsse-sign": Directive(
        effect="add",
        is_repeatable=True,
        attributes={
            "output-file-name": _REQUIRED,
            "payload-type": _REQUIRED,
            "hash-algorithm": _HASH,
            "rsa-padding": _PADDING,
        },
    ),
    "smime-sign": Directive(
        effect="add",
        is_repeatable=True,
        attributes={
            "output-file-name": _REQUIRED,
            "normalization": Attribute(choices=("line-endings", "none"), default="line-endings"),
            "hash-algorithm": _HASH,
            "rsa-padding": _PADDING,
        },
    ),
    "create-cms-signature": Directive(
        effect="add",
        is_repeatable=True,
        attributes={
            "output-file-name": _REQUIRED,
            "output-encoding": Attribute(choices=("pem", "der"), is_required=True),
            "hash-algorithm": _HASH,
            "rsa-padding": _PADDING,
        },
    ),
    "create-gpg-signature": Directive(
        effect="add",
        is_repeatable=True,
        attributes={
            "output-file-name": _REQUIRED,
            "output-encoding": Attribute(choices=("ascii-armored", "binary"), default="ascii-armored"),
            "hash-algorithm": _HASH,
            "version": Attribute(choices=("4",), default="4"),
        },
    ),
    "create-raw-signature": Directive(
        effect="add",
        is_repeatable=True,
        attributes={
            "output-file-name": _REQUIRED,
            "hash-algorithm": Attribute(choices=HASHES, is_required=True),
            "rsa-padding": _PADDING,
        },
    ),
    "custom-sign": Directive(
        effect="replace", is_repeatable=True, takes_any_attribute=True, attributes={"method": _REQUIRED}
    ),
    "create-custom-signature": Directive(
        effect="add",
        is_repeatable=True,
        takes_any_attribute=True,
        attributes={"method": _REQUIRED, "output-file-name": _REQUIRED},
    ),
    _PROVENANCE: Directive(effect="record", attributes={}),
    "create-provenance-file": Directive(
        effect="add",
        attributes={"output-file-name": _REQUIRED},
        children=("create-attestation-signature", "create-verification-summary-file"),
    ),
    "create-verification-summary-file": Directive(
        effect="add", attributes={"output-file-name": _REQUIRED}, children=("create-attestation-signature",)
    ),
    "create-attestation-signature": Directive(
        effect="add",
        is_repeatable=True,
        attributes={"type": Attribute(choices=("cms", "dsse"), is_required=True), "output-file-name": _REQUIRED},
    ),
}

PATH_ATTRIBUTES: dict[str, Attribute] = {
    "path": _ANY,
    "min-matches": Attribute(default="1"),
    "max-matches": Attribute(default="1"),
    "max-occurences": Attribute(replaced_by="max-matches"),
}
"""What says which files are meant; `include` and every nested element have it."""

OLD_RESTRICTIONS = {"productName": "product-name", "productVersion": "product-version"}
"""Spellings of before 1.148 that are still accepted."""

PARAMETER_ATTRIBUTES: dict[str, Attribute] = {
    "name": _REQUIRED,
    "default-value": _ANY,
    "required": Attribute(choices=("true", "false"), default="false"),
}


def directives_of(kind: str) -> tuple[str, ...]:
    """Return the directives that an element of this kind may hold."""
    own = ELEMENTS[kind].directives
    return own if kind == "directory" else (*own, _PROVENANCE)


def element_of(name: str) -> str | None:
    """Return the kind of file that the name of an element or of a set stands for; `None`: it is neither."""
    return name if name in ELEMENTS else SETS.get(name)


REMEDIES: dict[str, str] = {
    "for-each-file-match": "SignPath has no such element: choose several files with a set, "
    '<pe-file-set><include path="*.exe" max-matches="unbounded"/><for-each>...</for-each></pe-file-set>',
    "file-list": "SignPath has no such element: the root holds one file element, such as <zip-file>",
    "files": "SignPath has no such element: the root holds one file element, such as <zip-file>",
    "artifact": "SignPath has no such element: the root holds one file element, such as <zip-file>",
    "metadatarestrictions": 'SignPath has no such element: restrictions are attributes, <pe-file product-name="...">',
    "metadata-restrictions": 'SignPath has no such element: restrictions are attributes, <pe-file product-name="...">',
    "exclude": "SignPath has no such element: what no path names is left as it is",
    "glob": 'a pattern stands in the attribute path, path="*.exe"',
}
"""What to do about names, in lower case, that occur in public configurations and are of no language of SignPath's."""

REMOVED_ATTRIBUTES: dict[tuple[str, str], str] = {
    ("create-raw-signature", "file-name"): "it was renamed to output-file-name in 1.179 and dropped in 1.198",
}

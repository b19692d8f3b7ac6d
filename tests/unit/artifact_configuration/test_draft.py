"""Drafts: every file that can be signed, and a configuration that fits the sample that it was made from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from signpath_ci.artifact_configuration.document import read_document
from signpath_ci.artifact_configuration.draft import NothingToSignError, draft
from signpath_ci.artifact_configuration.plan import Plan
from signpath_ci.artifact_configuration.resolve import make_plan
from tests.support.archives import build_zip
from tests.support.configurations import build_msi, failures, needs_msitools, treated
from tests.support.pe import build_pe

PE, SIGNED_PE = build_pe(), build_pe(table=bytes(16))


def drafted(data: bytes, name: str) -> Plan:
    text = draft(io.BytesIO(data), name)
    return make_plan(read_document(text.encode()), io.BytesIO(data), name=name, values={})


def test_draft_lists_what_can_be_signed_and_fits_its_sample() -> None:
    data = build_zip(
        {
            "app.exe": PE,
            "lib/[x64]/a&b.dll": PE,
            "vendor.dll": SIGNED_PE,
            "install.ps1": b"echo",
            "readme.txt": b"text",
            "inner.zip": build_zip({"tool.exe": PE}),
            "plain.zip": build_zip({"text": b"text"}),
            "app.jar": build_zip({"META-INF/MANIFEST.MF": b"", "x.dll": PE}),
        }
    )

    found = drafted(data, "sample.zip")

    assert failures(found) == []
    assert treated(found) == {
        ".": [],
        "app.exe": ["authenticode-sign"],
        "lib/[x64]/a&b.dll": ["authenticode-sign"],
        "vendor.dll": ["authenticode-verify"],
        "install.ps1": ["authenticode-sign"],
        "inner.zip": [],
        "inner.zip/tool.exe": ["authenticode-sign"],
        "app.jar": ["jar-sign"],
    }


def test_draft_of_a_single_program() -> None:
    assert treated(drafted(PE, "app.exe")) == {".": ["authenticode-sign"]}


@needs_msitools
def test_draft_of_an_installer(tmp_path: Path) -> None:
    msi = build_msi(tmp_path, {"app/a.exe": PE, "app/b.txt": b"b"})
    found = drafted(msi, "setup.msi")
    assert failures(found) == []
    assert treated(found) == {".": ["authenticode-sign"], "app/a.exe": ["authenticode-sign"]}


def test_damaged_container_becomes_a_comment() -> None:
    data = build_zip({"app.exe": PE, "in.zip": build_zip({"a.exe": PE})[:-30]})
    assert treated(drafted(data, "x.zip")) == {".": [], "app.exe": ["authenticode-sign"]}


@pytest.mark.parametrize(("data", "name"), [(b"text", "a.txt"), (build_zip({"a.txt": b"a"}), "a.zip")])
def test_nothing_to_sign(data: bytes, name: str) -> None:
    with pytest.raises(NothingToSignError):
        draft(io.BytesIO(data), name)

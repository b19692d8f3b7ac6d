"""No unsigned file of an earlier run stays beside the signed ones, and no hidden program stays unsigned."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.formats.presence import lacks_signature
from signpath_ci.signing.published import Published
from signpath_ci.workflows.destinations import Extracted, NamedByServer
from tests.support.destinations import receive
from tests.support.pe import LAUNCHERS

UNSIGNED = LAUNCHERS["x64"].read_bytes()
RECORDED = Path(__file__).parents[2] / "recorded" / "signed"


class _Client:
    def __init__(self, *names: str) -> None:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, b"signed")
        self.data = buffer.getvalue()
        self.length = len(self.data)
        self.content_disposition: str | None = None

    def signed_artifact(self, _signing_request_id: str, receive_artifact: Callable[[Any], Any]) -> Any:
        return receive_artifact(self)

    def __iter__(self) -> Iterator[bytes]:
        yield self.data


def _names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / "app-1.0.exe").write_bytes(UNSIGNED)
    (directory / "readme.txt").write_bytes(b"text")
    return directory


def test_an_unsigned_file_that_is_not_replaced_is_refused_and_nothing_is_delivered(out: Path) -> None:
    with pytest.raises(UsageError) as caught:
        receive(Extracted(directory=out, force=True), _Client("app-1.1.exe"))
    assert caught.value.code == "unsigned-leftovers"
    assert _names(out) == ["app-1.0.exe", "readme.txt"]


def test_where_the_submitted_files_are_at_hand_it_is_refused_before_the_submit(out: Path, tmp_path: Path) -> None:
    (tmp_path / "unsigned").mkdir()
    (tmp_path / "unsigned" / "app-1.1.exe").write_bytes(UNSIGNED)
    with pytest.raises(UsageError) as caught:
        Extracted(directory=out, force=True, unsigned=tmp_path / "unsigned").check()
    assert caught.value.code == "unsigned-leftovers"
    Extracted(directory=tmp_path / "unsigned", force=True, unsigned=tmp_path / "unsigned").check()


@pytest.mark.parametrize("more", [{"exclude": ("app-1.0*",)}, {"clean": True}])
def test_it_may_be_excluded_or_deleted(out: Path, more: dict[str, Any]) -> None:
    receive(Extracted(directory=out, force=True, **more), _Client("app-1.1.exe"))
    kept = [] if "clean" in more else ["app-1.0.exe", "readme.txt"]
    assert _names(out) == sorted(["app-1.1.exe", *kept])


def test_what_is_replaced_or_signed_or_in_a_checkout_may_stay(out: Path, tmp_path: Path) -> None:
    (out / "signed.dll").write_bytes((RECORDED / "run_code_on_dllmain_x86.dll").read_bytes())
    receive(Extracted(directory=out, force=True), _Client("app-1.0.exe"))

    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "tool.exe").write_bytes(UNSIGNED)
    receive(Extracted(directory=tmp_path / "checkout", force=True), _Client("app.exe"))


def test_the_directory_of_one_uploaded_file_is_not_searched(out: Path) -> None:
    (out / "app-1.1.exe").write_bytes(UNSIGNED)
    receive(Extracted(directory=out, force=True, unsigned=out / "app-1.1.exe"), _Client("app-1.1.exe"))


@pytest.mark.parametrize("place", [".", "checkout"])
def test_a_checkout_is_not_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        Extracted(directory=Path(place), force=True, clean=True).check()
    assert caught.value.code == "not-cleaned"


def test_a_hidden_program_that_is_not_in_the_artifact_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist" / ".tools").mkdir(parents=True)
    (tmp_path / "dist" / "app.exe").write_bytes(UNSIGNED)
    (tmp_path / "dist" / ".tools" / "helper.exe").write_bytes(UNSIGNED)
    published = Published(path=tmp_path / "dist", has_hidden=False)

    with pytest.raises(UsageError) as caught:
        published.check()
    assert caught.value.code == "hidden-files-left-out"

    Published(path=tmp_path / "dist", has_hidden=False, exclude=("helper.exe",)).check()
    with_hidden = Published(path=tmp_path / "dist", has_hidden=True)
    with_hidden.check()
    (tmp_path / "dist" / f".signpath-{0:016x}-1").write_bytes(b"a download that is under way")
    assert with_hidden.size() == 2 * len(UNSIGNED)


@pytest.mark.parametrize(
    ("name", "data", "lacks"),
    [
        ("app.exe", UNSIGNED, True),
        ("cut.exe", b"MZ", True),
        ("cut.nupkg", b"PK\3\4", True),
        ("a.cat", b"\x30\x80", False),
        ("run.sh", b"#!/bin/sh\n", False),
        ("a.xml", b"<a/>", False),
    ],
)
def test_which_files_lack_a_signature(name: str, data: bytes, lacks: bool) -> None:
    assert lacks_signature(BytesIO(data), name) is lacks


@pytest.mark.parametrize(
    ("name", "entries", "lacks"),
    [
        ("a.nupkg", ["a.nuspec"], True),
        ("a.nupkg", ["a.nuspec", ".signature.p7s"], False),
        ("a.msix", ["AppxManifest.xml"], True),
        ("a.msix", ["AppxManifest.xml", "AppxSignature.p7x"], False),
        ("a.vsix", ["extension.vsixmanifest"], True),
        ("a.vsix", ["extension.vsixmanifest", "package/services/digital-signature/origin.psdor"], False),
        ("a.jar", ["META-INF/MANIFEST.MF"], False),
        ("a.zip", ["a.txt"], False),
    ],
)
def test_which_packages_lack_a_signature(name: str, entries: list[str], lacks: bool) -> None:
    assert lacks_signature(BytesIO(_Client(*entries).data), name) is lacks


class _Raw(_Client):
    def __init__(self, data: bytes, name: str) -> None:
        super().__init__()
        self.data, self.length = data, len(data)
        self.content_disposition = f'attachment; filename="{name}"'


def _package(*names: str) -> bytes:
    return _Client(*names).data


@pytest.mark.parametrize("destination", [Extracted, NamedByServer])
@pytest.mark.parametrize("data", [b"MZ no ZIP", _package("a.nuspec", "lib/a.dll")])
def test_an_artifact_that_is_one_file_gets_the_local_file_s_name(
    tmp_path: Path, destination: type[Extracted | NamedByServer], data: bytes
) -> None:
    (tmp_path / "Lib.nupkg").write_bytes(data)
    published = Published(path=tmp_path / "Lib.nupkg")

    delivered = receive(
        destination(directory=tmp_path / "out", force=False, published=published), _Raw(data, "unsigned-build-0.zip")
    )

    assert delivered.artifact.path == tmp_path / "out" / "Lib.nupkg"
    assert delivered.artifact.path.read_bytes() == data


@pytest.mark.parametrize(("served", "name"), [("setup.exe", "setup.exe"), ("unsigned-setup.exe", "signed-setup.exe")])
def test_without_the_local_file_it_gets_the_server_s_name_but_is_not_called_unsigned(
    tmp_path: Path, served: str, name: str
) -> None:
    receive(Extracted(directory=tmp_path / "out", force=False), _Raw(b"MZ no ZIP", served))
    assert _names(tmp_path / "out") == [name]


def test_a_package_as_it_is_is_not_extracted(tmp_path: Path) -> None:
    receive(Extracted(directory=tmp_path / "out", force=False), _Raw(_package("a.nuspec", "lib/a.dll"), "Lib.nupkg"))
    assert _names(tmp_path / "out") == ["Lib.nupkg"]


def test_a_zip_in_the_artifact_s_zip_is_extracted_once(tmp_path: Path) -> None:
    (tmp_path / "setup.zip").write_bytes(_package("app.exe"))
    receive(
        Extracted(directory=tmp_path / "out", force=False, published=Published(path=tmp_path / "setup.zip")),
        _Client("setup.zip"),
    )
    assert _names(tmp_path / "out") == ["setup.zip"]


def test_no_directory_elsewhere_is_emptied_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "real").mkdir()
    (tmp_path / "home" / "deep").mkdir(parents=True)
    (tmp_path / "checkout" / "link").symlink_to(tmp_path / "home")
    (tmp_path / "checkout" / "inner").symlink_to("real")
    monkeypatch.chdir(tmp_path / "checkout")
    for name in ("link", "link/deep", "real/../link"):
        with pytest.raises(UsageError) as caught:
            Extracted(directory=Path(name), force=True, clean=True).check()
        assert caught.value.code == "not-cleaned"
    for directory in (Path("real"), Path("inner"), tmp_path / "home"):
        Extracted(directory=directory, force=True, clean=True).check()

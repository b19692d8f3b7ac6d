"""Disks that are really full, and file systems that are really read-only: what can't be written is not half-written."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import at
from tests.faults.proxy import Exchange, relay
from tests.support import http
from tests.support.builds import PLATFORMS
from tests.support.disks import PAGE, Disk, disk_at, needs_disks
from tests.support.pe import LAUNCHERS
from tests.support.program import Finished, Program, Sandbox, sandbox_root

pytestmark = needs_disks

_FULL = "No space left on device"
_READ_ONLY = "Read-only file system"


def _on(job: Program, disk: Disk, directory: Path | None = None) -> Program:
    """Return the program as one that sees the disk."""
    return replace(job, prefix=disk.prefix(directory or job.directory))


@pytest.fixture
def disk(job: Program) -> Iterator[Disk]:
    with disk_at(job.directory / "disk") as mounted:
        yield mounted


def _recorded(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the sandbox's own record of all requests, the newest last."""
    answer = http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=20)
    answer.raise_for_status()
    listed: list[dict[str, Any]] = answer.json()
    return listed


def _collect_elsewhere(job: Program, failed: Finished, unsigned: Path = Path("app.exe")) -> None:
    """Fetch what a failed run had signed, by the id that it named."""
    later = job("download", failed.json["signing_request_id"], "--unsigned", unsigned, "-o", "collected.exe")
    assert later.code == 0, later.err


@pytest.mark.parametrize("limit", [{"pages": 16}, {"files": 1}], ids=["no bytes", "no names"])
def test_a_full_disk_gets_no_part_of_the_signed_file(job: Program, limit: dict[str, int]) -> None:
    with disk_at(job.directory / "disk", **limit) as disk:
        failed = _on(job, disk)("sign", "app.exe", "--json", "-o", "disk/app.exe")

        assert failed.code == 8, failed.err
        assert failed.error.startswith(f"disk/app.exe can't be written: {_FULL}.")
        assert disk.names == []
    _collect_elsewhere(job, failed)


def test_without_space_for_a_receipt_nothing_is_signed(job: Program, disk: Disk, sandbox: Sandbox) -> None:
    before = len(_recorded(sandbox))
    disk.fill()

    failed = _on(job, disk)("sign", "app.exe", "--json", "--receipt", "disk/receipt.json")

    assert failed.code == 8, failed.err
    assert failed.error.startswith(f"disk/receipt.json can't be written: {_FULL}.")
    assert disk.names == []
    disk.free()
    again = _on(job, disk)("sign", "app.exe", "--receipt", "disk/receipt.json")
    assert again.code == 0, again.err
    ended = [(entry["status"], entry["times_signed"]) for entry in _recorded(sandbox)[before:]]
    assert ended == [("Canceled", 0), ("Completed", 1)]


def test_without_space_for_the_second_receipt_the_first_leads_on(job: Program, disk: Disk, sandbox: Sandbox) -> None:
    before = len(_recorded(sandbox))
    disk.fill(but=1)
    here = _on(job, disk)

    failed = here("sign", "app.exe", "--json", "--receipt", "disk/receipt.json")

    assert failed.code == 8, failed.err
    assert failed.error.startswith(f"disk/receipt.json can't be written: {_FULL}.")
    assert failed.json["signing_request_id"] in failed.error
    assert disk.names == ["receipt.json"]
    receipt = json.loads((disk.inside / "receipt.json").read_text("utf-8"))
    assert receipt["signing_request_id"] == failed.json["signing_request_id"]
    collected = here("download", "disk/receipt.json")
    assert collected.code == 0, collected.err
    assert [entry["times_signed"] for entry in _recorded(sandbox)[before:]] == [1]


def test_a_resubmit_without_space_for_its_receipt_names_the_request(job: Program, disk: Disk) -> None:
    first = job("sign", "app.exe", "--json")
    disk.fill()

    failed = _on(job, disk)(
        *("resubmit", first.json["signing_request_id"], "--unsigned", "app.exe", "--force", "--json"),
        *("--receipt", "disk/receipt.json"),
    )

    assert failed.code == 8, failed.err
    assert failed.error.startswith(f"disk/receipt.json can't be written: {_FULL}.")
    assert failed.json["signing_request_id"] in failed.error
    assert failed.json["signing_request_id"] != first.json["signing_request_id"]
    assert disk.names == []
    _collect_elsewhere(job, failed)


def test_files_are_replaced_all_or_none(job: Program, disk: Disk) -> None:
    contents = {name: LAUNCHERS["x64"].read_bytes() + name.encode() for name in ("a.exe", "b.exe")}
    for name, content in contents.items():
        (disk.inside / name).write_bytes(content)
    disk.fill(but=40)  # one of the two has room

    failed = _on(job, disk)("sign", "disk/a.exe", "disk/b.exe", "--in-place", "--json")

    assert failed.code == 8, failed.err
    assert _FULL in failed.error
    assert {name: (disk.inside / name).read_bytes() for name in disk.names} == contents
    assert [result["output"] for result in failed.json["results"]] == [None, None]
    assert all(result["signing_request_id"] for result in failed.json["results"])


@pytest.mark.sample(3)
@pytest.mark.parametrize("pages", [40, 80, 130], ids=["no room for the bundle", "none to get it", "none for its files"])
@pytest.mark.parametrize("arguments", [(), ("--in-place",)], ids=["beside", "in place"])
def test_a_bundle_comes_back_as_a_whole_or_not_at_all(
    job: Program, disk: Disk, pages: int, arguments: tuple[str, ...]
) -> None:
    contents = {name: LAUNCHERS["x64"].read_bytes() + name.encode() for name in ("a.exe", "b.exe")}
    for name, content in contents.items():
        (disk.inside / name).write_bytes(content)
    disk.fill(but=pages)

    failed = _on(job, disk, disk.directory)("sign", "a.exe", "b.exe", "--bundle", "--json", *arguments)

    assert failed.code == 8, failed.err
    assert _FULL in failed.error
    assert {name: (disk.inside / name).read_bytes() for name in disk.names} == contents
    assert bool(failed.json["signing_request_id"]) is (pages > 40)


@pytest.mark.parametrize("pages", [8, 50, 80], ids=["no room for it", "none for its files", "none for all files"])
def test_an_archive_is_extracted_as_a_whole_or_not_at_all(job: Program, sandbox: Sandbox, pages: int) -> None:
    artifact = _artifact(job, sandbox)
    here = _github_job(job, sandbox, artifact)
    with disk_at(job.directory / "disk", pages=pages) as disk:
        failed = _on(here, disk)("sign", "--output-artifact-directory", "disk/out", "--json")

        assert failed.code == 8, failed.err
        assert f" can't be written: {_FULL}." in failed.error
        assert disk.names == []
    _collect_elsewhere(job, failed, unsigned=artifact)


def _artifact(job: Program, sandbox: Sandbox) -> Path:
    """Return a ZIP in GitHub's store, of two files that don't get smaller in it."""
    path = Path(sandbox["artifact_store"], "github", f"{uuid.uuid4().hex}.zip")
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(job.directory / "app.exe", "app.exe")
        archive.write(job.directory / "app.exe", "b/app.exe")
    return path


def _github_job(job: Program, sandbox: Sandbox, artifact: Path) -> Program:
    """Return the job on GitHub, where the artifact is of its run."""
    build = {
        "GITHUB_RUN_ID": "77",
        "SIGNPATH_GITHUB_ARTIFACT_ID": artifact.stem,
        "SIGNPATH_GITHUB_TOKEN": "ghs_any",
        "SIGNPATH_CONNECTOR_URL": sandbox["connectors"]["github"],
    }
    return replace(job, environment={**job.environment, **PLATFORMS["github"], **build})


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_result_that_can_not_be_printed_is_no_success(job: Program, disk: Disk, arguments: tuple[str, ...]) -> None:
    disk.fill()
    here = _on(job, disk)

    failed = replace(here, prefix=(*here.prefix, "sh", "-c", 'exec "$@" >>disk/filler', "sh"))(
        "sign", "app.exe", *arguments
    )

    assert failed.code == 8, failed.err
    assert f"standard output can't be written: {_FULL}" in failed.error


def test_a_log_that_has_no_space_loses_no_signature(job: Program, disk: Disk) -> None:
    disk.fill()
    here = _on(job, disk)

    finished = replace(here, prefix=(*here.prefix, "sh", "-c", 'exec "$@" 2>>disk/filler', "sh"))("sign", "app.exe")

    assert (finished.code, finished.out) == (0, "app.signed.exe\n")


def test_what_is_temporary_needs_no_space(job: Program, disk: Disk) -> None:
    disk.fill()
    place = str(disk.directory)

    finished = _on(job, disk)("sign", "app.exe", TMPDIR=place, HOME=place, XDG_CACHE_HOME=place)

    assert (finished.code, finished.out) == (0, "app.signed.exe\n")
    assert disk.names == []


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_what_the_ci_system_is_told_is_not_half_of_it(job: Program, disk: Disk, platform: str) -> None:
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary", "SIGNPATH_DOTENV": "signpath.env"}
    places = {name: str(disk.directory / file) for name, file in files.items()}
    earlier = f"earlier={'1' * (PAGE - 20)}\n"  # so that a part of what is appended has room
    (disk.inside / "output").write_text(earlier, "utf-8")
    disk.fill()

    finished = _on(job, disk)("sign", "app.exe", **PLATFORMS[platform], **places)

    assert (finished.code, finished.out) == (0, "app.signed.exe\n")
    assert f"{places['GITHUB_OUTPUT' if platform == 'github' else 'SIGNPATH_DOTENV']} can't be written" in finished.err
    told = {name: (disk.inside / name).read_text("utf-8") for name in disk.names}
    assert told == {"output": earlier, **({"summary": ""} if platform == "github" else {})}


@pytest.mark.parametrize("option", ["--output=disk/app.exe", "--receipt=disk/receipt.json"])
def test_a_read_only_file_system_is_noticed_before_anything_is_submitted(
    job: Program, disk: Disk, sandbox: Sandbox, option: str
) -> None:
    before = len(_recorded(sandbox))
    disk.make_read_only()

    failed = _on(job, disk)("sign", "app.exe", option)

    assert failed.code == 8, failed.err
    assert failed.error.startswith("The directory disk can't be written.")
    assert len(_recorded(sandbox)) == before


@pytest.mark.sample(2)
@pytest.mark.parametrize("step", ["create", "upload", "poll", "poll again"])
def test_a_file_system_that_becomes_read_only(job: Program, disk: Disk, sandbox: Sandbox, step: str) -> None:
    def then_relay(exchange: Exchange) -> None:
        disk.make_read_only()
        relay(exchange)

    with at(sandbox, step, then_relay) as url:
        failed = _on(job, disk)("sign", "app.exe", "--json", "--output", "disk/app.exe", SIGNPATH_API_URL=url)

    assert failed.code == 8, failed.err
    assert failed.error
    assert disk.names == []
    _collect_elsewhere(job, failed)


def test_files_of_a_read_only_file_system_are_signed_elsewhere(job: Program, disk: Disk) -> None:
    content = (job.directory / "app.exe").read_bytes()
    (disk.inside / "app.exe").write_bytes(content)
    disk.make_read_only()
    output, place = str(job.directory / "signed.exe"), str(disk.directory)
    here = _on(job, disk, disk.directory)

    signed = here("sign", "app.exe", "--output", output, TMPDIR=place, HOME=place)
    replaced = here("sign", "app.exe", "--in-place", TMPDIR=place, HOME=place)

    assert (signed.code, signed.out) == (0, f"{output}\n"), signed.err
    assert here("verify", output, "--unsigned", "app.exe").code == 0
    assert replaced.code == 8, replaced.err
    assert _READ_ONLY in replaced.error
    assert disk.names == ["app.exe"]

"""What SignPath states to have signed must be signed, whatever else is expected of it."""

from __future__ import annotations

import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.support import http
from tests.support.configurations import SIGN, document
from tests.support.pe import LAUNCHERS
from tests.support.program import Finished, Program, Sandbox, job_environment, sandbox_root
from tests.support.servers import forwarding, serving


@pytest.fixture
def archive(program: Program, executable: Path) -> Path:
    path = program.directory / "app.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.write(executable, "bin/app.exe")
        file.writestr("readme.txt", "text")
        file.writestr("setup.js", "WScript.Echo(1);\r\n")
    return path


def _sign(program: Program, sandbox: Sandbox, archive: Path, tree: bytes, *, status: int = 200) -> Finished:
    def special(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        if not handler.path.endswith("/ArtifactDescriptionXml"):
            return False
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(tree)))
        handler.end_headers()
        handler.wfile.write(tree)
        return True

    with serving(forwarding(sandbox["api_url"], special)) as url:
        return program("sign", archive, "--json", "--expect-unchanged", "setup.js", SIGNPATH_API_URL=f"{url}/Api")


def _tree(*names: str) -> bytes:
    inner = "".join(f'<file path="{name}"><authenticode-sign result="signed"/></file>' for name in names)
    return f'<artifact><zip-file path="app.zip">{inner}</zip-file></artifact>'.encode()


def _configuration(*names: str) -> str:
    return document(
        "<zip-file>" + "".join(f'<pe-file path="{name}">{SIGN}</pe-file>' for name in names) + "</zip-file>"
    )


def test_the_tree_of_a_configuration_is_compared_with_the_checkout_s(tmp_path: Path) -> None:
    with running_sandbox(["--processing-seconds", "0", "--state", str(tmp_path / "state")]) as said:
        url = f"{sandbox_root(said)}/sandbox/projects/{said['project_slug']}/artifact-configurations/initial"
        http.request("PUT", url, data=_configuration("a.exe", "b.exe").encode(), timeout=10).raise_for_status()
        program = Program(tmp_path, job_environment(said))
        with zipfile.ZipFile(tmp_path / "app.zip", "w") as file:
            for name in ("a.exe", "b.exe"):
                file.write(LAUNCHERS["x64"], name)
        (tmp_path / "mine.xml").write_text(_configuration("a.exe"), "utf-8")

        plain = program("sign", "app.zip", "--json")
        other = program("sign", "app.zip", "--json", "--force", "--artifact-configuration-file", "mine.xml")

    assert (plain.code, other.code) == (0, 0), plain.err + other.err
    assert plain.json["verification"]["account"]["warnings"] == []
    assert "is not compared" not in plain.err
    [warning] = other.json["verification"]["account"]["warnings"]
    assert warning.endswith(" b.exe.")
    assert other.json["verification"]["account"]["signed"] == 2


def test_what_signpath_states_to_have_signed_must_be_signed(program: Program, sandbox: Sandbox, archive: Path) -> None:
    finished = _sign(program, sandbox, archive, _tree("bin/app.exe", "readme.txt"))

    assert (finished.code, finished.error_code) == (7, "not-verifiable")


def test_a_rule_of_the_user_goes_before_it(program: Program, sandbox: Sandbox, archive: Path) -> None:
    assert _sign(program, sandbox, archive, _tree("bin/app.exe", "setup.js")).code == 0


def test_a_tree_of_other_files_is_a_warning(program: Program, sandbox: Sandbox, archive: Path) -> None:
    finished = _sign(program, sandbox, archive, _tree("bin/app.exe", "other.exe"))

    assert finished.code == 0, finished.err
    [warning] = finished.json["verification"]["account"]["warnings"]
    assert "other.exe" in warning


@pytest.mark.parametrize(("tree", "status"), [(b"<html>", 200), (b"", 404), (b"{}", 403)])
def test_a_tree_that_is_not_to_be_had_is_no_failure(
    program: Program, sandbox: Sandbox, archive: Path, tree: bytes, status: int
) -> None:
    finished = _sign(program, sandbox, archive, tree, status=status)

    assert finished.code == 0, finished.err
    assert "Which files SignPath signed is not compared" in finished.err

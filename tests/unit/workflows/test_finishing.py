"""What failed after the submit says how it is finished with the same request, in the words of its place."""

from __future__ import annotations

import io
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from signpath_ci.errors import NotSignedError, StillPendingError, VerificationError
from signpath_ci.workflows.finishing import Finishing
from signpath_ci.workflows.process import Process
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS
from tests.support.program import Program

ID = "11111111-2222-3333-4444-555555555555"


def _finishing(**environment: str) -> Finishing:
    process = Process(environment=environment, directory=Path(), stdout=io.StringIO(), stderr=io.StringIO())
    return Finishing(process=process, unsigned=Path("a b.exe"), output=Path("out/a.exe"))


def test_a_plugin_names_its_step() -> None:
    github = _finishing(SIGNPATH_PLUGIN="true", GITHUB_ACTIONS="true").step(ID)
    [step] = yaml.safe_load(github)
    assert step["with"] == {"signing-request-id": ID, "unsigned": "a b.exe", "output-artifact-path": "out/a.exe"}
    assert "get-signed-artifact@v" in step["uses"]

    [task] = yaml.safe_load(_finishing(SIGNPATH_PLUGIN="true", TF_BUILD="True").step(ID))
    assert task["inputs"]["signingRequestId"] == ID
    assert "signing_request_id" in _finishing(SIGNPATH_PLUGIN="true", GITLAB_CI="true").step(ID)


def test_after_a_timeout_the_step_fits_its_place() -> None:
    error = StillPendingError("Still pending.", hint=f"It stays alive: resume with: signpath-ci download {ID}")
    _finishing(SIGNPATH_PLUGIN="true", GITHUB_ACTIONS="true").advise(error, ID)
    assert "signpath-ci download" not in error.hint
    assert "get-signed-artifact" in error.hint


def test_a_request_that_was_not_signed_can_not_be_finished() -> None:
    error = NotSignedError("Denied.", hint="Ask.")
    _finishing().advise(error, ID)
    assert error.hint == "Ask."
    refused = VerificationError("Not signed.", code="not-signed")
    _finishing().advise(refused, ID)
    assert ID in refused.hint


@pytest.mark.parametrize("bundle", [(), ("--bundle",)])
def test_the_command_of_the_error_finishes_the_job_with_the_same_request(
    program: Program, bundle: tuple[str, ...]
) -> None:
    """A third party's file comes back unsigned: the error's command, with what it names, needs no second request."""
    third_party = (Path(__file__).parents[2] / "recorded" / "signed" / "run_code_on_dllmain_x86.dll").read_bytes()
    (program.directory / "app.zip").write_bytes(
        build_zip({"app.exe": LAUNCHERS["x64"].read_bytes(), "other.dll": third_party})
    )
    shutil.copy(LAUNCHERS["x64"], program.directory / "b.exe")
    refused = program("sign", *(["b.exe"] if bundle else ["app.zip"]), *bundle, "--subject", "Nobody")

    assert refused.code == 7, refused.err
    found = re.search(r"without another approval: (signpath-ci download .*)$", refused.error)
    assert found is not None, refused.error
    _, *command = shlex.split(found[1])
    finished = program(*command)
    assert finished.code == 0, finished.err
    assert finished.out.strip() == command[-1]

"""How a run that failed after the request was submitted is finished with the same request, so without a new approval.

The words are those of the place where they are read: a command, or the step of the CI system's plugin.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from signpath_ci.errors import LocalFileError, SignPathError, StillPendingError, UsageError, VerificationError
from signpath_ci.platforms import detected
from signpath_ci.text import one_line
from signpath_ci.values import dataclass
from signpath_ci.workflows.process import Process

_STEPS = {
    "github": (
        "- {{uses: signpath-ci/signpath-ci/actions/get-signed-artifact@v{version}, with: {{{inputs}}}}}",
        {"id": "signing-request-id", "unsigned": "unsigned", "output": "output-artifact-path"},
    ),
    "gitlab": (
        "the include gitlab/get-signed-artifact.yml with inputs: {{{inputs}}}",
        {"id": "signing_request_id", "unsigned": "unsigned", "output": "output_artifact_path"},
    ),
    "azure": (
        "- {{task: GetSignedArtifact@4, inputs: {{{inputs}}}}}",
        {"id": "signingRequestId", "unsigned": "unsigned", "output": "outputArtifactPath"},
    ),
}
"""By the CI system: the step that fetches what an earlier request has signed, and what its inputs are called."""


@dataclass(frozen=True, kw_only=True)
class Finishing:
    """What the command or step is given that finishes a run.

    Attributes:
        process: tells in which place the words are read.
        unsigned: the submitted file; `None` where it is not at hand.
        output: where the signed file goes.
        replaces: the output exists already, and is replaced.
    """

    process: Process
    unsigned: Path | None
    output: Path
    replaces: bool = False

    def advise(self, error: SignPathError, signing_request_id: str) -> None:
        """Add to an error how its run is finished, where the request is there to finish it with."""
        step = self.step(signing_request_id)
        if isinstance(error, StillPendingError):
            error.hint = error.hint.replace(f"signpath-ci download {signing_request_id}", step)
        elif isinstance(error, VerificationError | LocalFileError | UsageError):
            again = f"Once that is settled, finish with the same request, without another approval: {step}"
            error.hint = f"{error.hint} {again}".strip()

    def step(self, signing_request_id: str) -> str:
        """Return the command or step, as one line that can be pasted."""
        given = {"id": signing_request_id}
        if self.unsigned is not None:
            given["unsigned"] = one_line(str(self.unsigned))
        given["output"] = one_line(str(self.output))
        platforms = detected(self.process.environment)
        if self.process.environment.get("SIGNPATH_PLUGIN") == "true" and platforms:
            from signpath_ci import __version__

            form, names = _STEPS[platforms[0].name]
            inputs = ", ".join(f"{names[key]}: {json.dumps(text, ensure_ascii=False)}" for key, text in given.items())
            return form.format(version=__version__, inputs=inputs)
        words = ["signpath-ci", "download", given.pop("id")]
        for key, text in given.items():
            words += [f"--{key}", text]
        return shlex.join([*words, "--force"] if self.replaces else words)

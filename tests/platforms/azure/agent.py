"""Runs the steps of an expanded job as Azure's agent does: macros, environments, logging commands, artifacts.

Tasks are run by their real handlers; of Azure's own tasks it knows those that the project's files use.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.platforms.azure.commands import Command, commands
from tests.platforms.azure.expressions import evaluate, is_true
from tests.platforms.processes import OnLine

_DEADLINE = 60  # seconds after which a step hangs, by the judgement of these tests
_MACRO = re.compile(r"\$\((?P<name>[\w. -]+)\)")
_AZURES_OWN = {"UsePythonVersion@0"}


@dataclass(frozen=True)
class Ran:
    """A step at its end."""

    step: Mapping[str, Any]
    succeeded: bool
    output: str

    @property
    def commands(self) -> list[Command]:
        """All commands in its output."""
        return commands(self.output)

    @property
    def issues(self) -> list[tuple[str, str]]:
        """The issues that it raised: type and text."""
        return [(c.properties["type"], c.data) for c in self.commands if c.name in {"task.logissue", "task.issue"}]

    @property
    def results(self) -> list[str]:
        """The results that it reported."""
        return [c.properties["result"] for c in self.commands if c.name == "task.complete"]


@dataclass
class Agent:
    """An agent, and the run that it works on.

    Attributes:
        directory: the job's sources directory.
        temp: its directory for temporary files.
        store: where published artifacts go, as `NAME.zip`.
        environment: what any process needs, and what the agent says of the build.
        secrets: the secret variables, by name; they are no environment variables.
        connections: the service connections by name: URL, data, authorization.
        tasks: the directories of tasks that are installed, by `Name@Version`.
        variables: the other variables, by name.
        summaries: what was uploaded as summary.
        on_line: follows what steps write.
    """

    directory: Path
    temp: Path
    store: Path
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tasks: Mapping[str, Path] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    summaries: list[str] = field(default_factory=list)
    on_line: OnLine | None = None

    def run(self, step: Mapping[str, Any], *, at: str = "", then: Callable[[int], None] | None = None) -> Ran:
        """Run one step to its end; `then` is called with its process id at the first line that holds `at`."""
        if "publish" in step:
            return self._publish(step)
        if "download" in step:
            return self._download(step, step["artifact"], f"$(Pipeline.Workspace)/{step['artifact']}")
        if step.get("task") == "DownloadPipelineArtifact@2":
            return self._download(step, step["inputs"]["artifactName"], step["inputs"]["targetPath"])
        if "checkout" in step or step.get("task") in _AZURES_OWN:
            return Ran(step, True, "")
        lines: list[str] = []
        with self._start_task(step) if "task" in step else self._start_script(step) as process:
            hanging = threading.Timer(_DEADLINE, process.kill)
            hanging.start()
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if self.on_line:
                    self.on_line(line)
                if then and at in line:
                    then(process.pid)
                    then = None
            process.wait()
            hanging.cancel()
        ran = Ran(step, process.returncode == 0, "".join(lines))
        self._obey(ran)
        return replace(ran, succeeded=ran.succeeded and "Failed" not in ran.results)

    def run_job(self, job: Mapping[str, Any]) -> list[Ran]:
        """Run a job's steps; after the first that fails, only those whose condition says so."""
        self.variables["Agent.JobStatus"] = "Succeeded"
        done: list[Ran] = []
        for step in job["steps"]:
            if not self._is_due(step):
                continue
            done.append(self.run(step))
            if not done[-1].succeeded:
                self.variables["Agent.JobStatus"] = "SucceededWithIssues" if step.get("continueOnError") else "Failed"
        return done

    def run_pipeline(self, pipeline: Mapping[str, Any]) -> list[Ran]:
        """Run all stages and jobs in their order, up to the first job that fails."""
        self.variables |= _variables(pipeline.get("variables", {}))
        done: list[Ran] = []
        for stage in pipeline.get("stages", [pipeline]):
            for job in stage.get("jobs", [{"job": "", "steps": stage.get("steps", [])}]):
                steps = job["strategy"]["runOnce"]["deploy"] if "deployment" in job else job
                done += self.run_job(steps)
                if self.variables["Agent.JobStatus"] == "Failed":
                    return done
        return done

    def expanded(self, value: Any) -> str:
        """Return a text with its macros replaced; one without a value stays."""
        known = {**self.secrets, **self.variables}
        plain = {name.lower(): text for name, text in known.items()}
        return _MACRO.sub(lambda found: plain.get(found["name"].lower(), found[0]), str(value))

    def _is_due(self, step: Mapping[str, Any]) -> bool:
        has_failed = self.variables["Agent.JobStatus"] == "Failed"
        functions = {"always": lambda: True, "succeeded": lambda: not has_failed}
        return is_true(evaluate(step.get("condition", "succeeded()"), {"variables": self.variables, **functions}))

    def _environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        variables = {re.sub(r"[. ]", "_", name).upper(): text for name, text in self.variables.items()}
        own = {name: self.expanded(value) for name, value in step.get("env", {}).items()}
        return {**self.environment, "AGENT_TEMPDIRECTORY": str(self.temp), **variables, **own}

    def _start(self, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _start_script(self, step: Mapping[str, Any]) -> subprocess.Popen[str]:
        script = self.temp / "script.sh"
        script.write_text(self.expanded(step["bash"]), "utf-8")
        return self._start(["bash", "--noprofile", "--norc", str(script)], self._environment(step))

    def _start_task(self, step: Mapping[str, Any]) -> subprocess.Popen[str]:
        directory = self.tasks[step["task"]]
        manifest = json.loads((directory / "task.json").read_text("utf-8"))
        declared = {row["name"]: row.get("defaultValue", "") for row in manifest["inputs"]}
        if unknown := step.get("inputs", {}).keys() - declared.keys():
            raise AssertionError(f"{step['task']} has no input {unknown}.")
        inputs = {name: self.expanded(value) for name, value in {**declared, **step.get("inputs", {})}.items()}
        environment = {**self._environment(step), **{f"INPUT_{name.upper()}": text for name, text in inputs.items()}}
        for name, connection in self.connections.items():
            environment[f"ENDPOINT_URL_{name}"] = connection.get("url", "")
            environment[f"ENDPOINT_AUTH_{name}"] = json.dumps(connection["authorization"])
            for key, text in connection.get("data", {}).items():
                environment[f"ENDPOINT_DATA_{name}_{key.upper()}"] = text
        handler = directory / manifest["execution"]["Node20_1"]["target"]
        return self._start(["node", str(handler)], {name: text for name, text in environment.items() if text})

    def _obey(self, ran: Ran) -> None:
        for command in ran.commands:
            if command.name == "task.setvariable":
                name = command.properties["variable"]
                is_output = command.properties.get("isOutput", "").lower() == "true"
                self.variables[f"{ran.step.get('name', '')}.{name}" if is_output else name] = command.data
            elif command.name == "task.uploadsummary":
                self.summaries.append(Path(command.data).read_text("utf-8"))

    def _publish(self, step: Mapping[str, Any]) -> Ran:
        source, name = self.directory / self.expanded(step["publish"]), self.expanded(step["artifact"])
        self.store.mkdir(parents=True, exist_ok=True)
        files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
        base = source.parent if source.is_file() else source
        # One top folder named as the artifact: so it comes out of Azure's store.
        with zipfile.ZipFile(self.store / f"{name}.zip", "w") as archive:
            for path in files:
                archive.write(path, Path(name) / path.relative_to(base))
        return Ran(step, bool(files), "")

    def _download(self, step: Mapping[str, Any], artifact: str, target: str) -> Ran:
        name, directory = self.expanded(artifact), self.directory / self.expanded(target)
        path = self.store / f"{name}.zip"
        if path.exists():
            with tempfile.TemporaryDirectory() as unpacked, zipfile.ZipFile(path) as archive:
                archive.extractall(unpacked)
                shutil.copytree(Path(unpacked) / name, directory, dirs_exist_ok=True)
        return Ran(step, path.exists(), "")


def _variables(given: Any) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {name: str(value) for name, value in given.items()}
    return {row["name"]: str(row["value"]) for row in given if "name" in row}

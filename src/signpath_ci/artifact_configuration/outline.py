"""A plan as lines for people, and as values for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signpath_ci.artifact_configuration.markup import Problem
from signpath_ci.artifact_configuration.plan import Finding, Plan, PlannedDirective, PlannedFile, Treatment

_MOST_LEFT = 20
"""Files of one container that are left as they are, and are listed by name; more are counted."""


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan as a tree: one line a file, indented by how many containers it lies in."""
    yield _line(plan.artifact, "")
    yield from _member_lines(plan.artifact, "  ")


def _member_lines(file: PlannedFile, indentation: str) -> Iterator[str]:
    members = list(file.members().values())
    left = [member for member in members if member.is_left]
    for member in members:
        if member.is_left and len(left) > _MOST_LEFT:
            continue
        yield _line(member, indentation)
        yield from (f"{indentation}  {output}: added" for output in member.outputs())
        yield from _member_lines(member, f"{indentation}  ")
    if len(left) > _MOST_LEFT:
        yield f"{indentation}{len(left)} files: left as they are"


def _line(file: PlannedFile, indentation: str) -> str:
    if file.is_left:
        return f"{indentation}{file.path}: left as it is"
    return f"{indentation}{file.path}: {'; '.join(_treatment(one) for one in file.treatments)}"


def _treatment(treatment: Treatment) -> str:
    done = ", ".join(directive.name for directive in treatment.directives)
    return f"{done or treatment.kind} (line {treatment.position.line})"


def finding_text(finding: Finding, configuration: str) -> str:
    """Return a finding as one line, with its place in the configuration, whose path is given."""
    about = f"{finding.file}: " if finding.file else ""
    hint = f" {_sentence(finding.hint)}" if finding.hint else ""
    return f"{configuration}:{finding.position}: {about}{_sentence(finding.message)}{hint} [{finding.rule}]"


def problem_text(problem: Problem, configuration: str) -> str:
    """Return what is wrong with a configuration as one line, with its place."""
    return f"{configuration}:{problem.position}: {_sentence(problem.message)} [{problem.rule}]"


def _sentence(text: str) -> str:
    if "-" not in text.partition(" ")[0]:  # else it is an attribute's name
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return {
        "would_succeed": not plan.problems,
        "parameters": dict(plan.parameters),
        "files": [
            {
                "path": list(path),
                "outcome": _outcome(file),
                "treatments": [_treatment_object(treatment) for treatment in file.treatments],
            }
            for path, file in plan.walk()
        ],
        "problems": [finding_object(finding) for finding in plan.problems],
        "warnings": [finding_object(finding) for finding in plan.warnings],
    }


def _outcome(file: PlannedFile) -> str:
    if file.must_be_signed:
        return "signed"
    if file.must_be_verified:
        return "verified"
    return "changed" if file.changes else "unchanged"


def _treatment_object(treatment: Treatment) -> dict[str, Any]:
    return {
        "element": treatment.kind,
        "line": treatment.position.line,
        "column": treatment.position.column,
        "directives": [_directive_object(directive) for directive in treatment.directives],
    }


def _directive_object(directive: PlannedDirective) -> dict[str, Any]:
    return {
        "name": directive.name,
        "attributes": dict(directive.attributes),
        "adds": list(directive.outputs()),
        "line": directive.position.line,
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values."""
    return {
        "rule": finding.rule,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.position.line,
        "column": finding.position.column,
    }


def problem_object(problem: Problem) -> dict[str, Any]:
    """Return what is wrong with a configuration as JSON values."""
    return {
        "rule": problem.rule,
        "message": problem.message,
        "line": problem.position.line,
        "column": problem.position.column,
    }

"""`signpath-ci check`: would SignPath sign these files under the artifact configuration of the checkout?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signpath_ci.artifact_configuration import outline
from signpath_ci.artifact_configuration.document import DocumentError
from signpath_ci.artifact_configuration.local_files import LocalFiles
from signpath_ci.artifact_configuration.plan import Plan
from signpath_ci.artifact_configuration.resolve import make_plan
from signpath_ci.errors import ArtifactConfigurationError, LocalFileError, SignPathError, UsageError
from signpath_ci.settings import CheckSettings
from signpath_ci.signing.inputs import expand_inputs
from signpath_ci.values import dataclass
from signpath_ci.workflows.configuration_file import ConfigurationFile, read_configuration_file
from signpath_ci.workflows.inputs import report_left_out
from signpath_ci.workflows.process import Process, print_object, print_words, reporter_for
from signpath_ci.workflows.reporting import watched

_log = logging.getLogger(__name__)
_BUNDLE = "bundle.zip"
_MOST_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class _Checked:
    path: Path
    plan: Plan


def run(settings: CheckSettings, process: Process) -> None:
    """Print the plan of each file, and fail where SignPath would refuse one; offline, and without an account.

    Raises:
        ArtifactConfigurationError: the configuration is not valid, or a file does not fit it.
        UsageError: there is no configuration, or no file is named.
        LocalFileError: a file can't be read.
    """
    with watched(settings, process, reporter_for(process)):
        try:
            _check(settings, process)
        except ArtifactConfigurationError:
            raise
        except SignPathError as error:
            if settings.json:
                print_object(process, _object(None, (), error))
            raise


def _check(settings: CheckSettings, process: Process) -> None:
    if not settings.artifact:
        raise UsageError(
            "No file to check is named.",
            hint="Name it: signpath-ci check FILE, or SIGNPATH_ARTIFACT.",
            code="no-artifact",
        )
    try:
        found = read_configuration_file(settings, process.directory)
    except ArtifactConfigurationError as error:
        _report_invalid(error, settings, process)
        raise
    values = _parameters(settings, process)
    checked = _checked(settings, process, found, values)
    failed = [one for one in checked if one.plan.problems]
    failure = _failure(failed, found) if failed else None
    if settings.json:
        print_object(process, _object(found, checked, failure))
    else:
        print_words(process, f"Artifact configuration: {found.path}")
        print_words(process, f"  SHA-256: {found.configuration.sha256} (compare it with what SignPath has)")
        for one in checked:
            for line in outline.plan_lines(one.plan):
                print_words(process, line)
            for problem in one.plan.problems[:_MOST_SHOWN]:
                print_words(process, f"problem: {outline.finding_text(problem, str(found.path))}")
    for one in checked:
        for warning in one.plan.warnings[:_MOST_SHOWN]:
            _log.warning("%s: %s", one.path, outline.finding_text(warning, str(found.path)))
    if failure:
        raise failure
    _log.info(
        "%s %s %s.",
        ", ".join(str(one.path) for one in checked[:3]),
        "fits" if len(checked) == 1 else "and so on fit" if len(checked) > 3 else "fit",  # noqa: PLR2004 - shown
        found.path,
    )


def _failure(failed: list[_Checked], found: ConfigurationFile) -> ArtifactConfigurationError:
    problems = sum(len(one.plan.problems) for one in failed)
    names = ", ".join(str(one.path) for one in failed[:3]) + (", ..." if len(failed) > 3 else "")  # noqa: PLR2004 - shown
    return ArtifactConfigurationError(
        f"SignPath would fail to sign {names} under {found.path}: "
        f"{'1 problem' if problems == 1 else f'{problems} problems'}.",
        hint=outline.finding_text(failed[0].plan.problems[0], str(found.path)),
        code="would-fail",
    )


def _checked(
    settings: CheckSettings, process: Process, found: ConfigurationFile, values: Mapping[str, str]
) -> list[_Checked]:
    given = [process.directory / path for path in settings.artifact]
    inputs = expand_inputs(given, exclude=settings.exclude)
    report_left_out(inputs)
    files = inputs.files
    if settings.bundle:
        from signpath_ci.signing.bundle import common_directory, member_names

        members = {str(name): path for name, path in member_names(files, common_directory(given)).items()}
        plan = make_plan(found.configuration, LocalFiles(members), name=_BUNDLE, values=values)
        return [_Checked(path=Path(_BUNDLE), plan=plan)]
    checked = []
    for path in files:
        try:
            with path.open("rb") as file:
                plan = make_plan(found.configuration, file, name=path.name, values=values)
        except FileNotFoundError:
            raise LocalFileError(
                f"{path} does not exist.", hint="Check its path, and the step that makes it.", code="file-missing"
            ) from None
        except OSError as error:
            raise LocalFileError(
                f"{path} can't be read: {error.strerror}.", hint="Check its permissions.", code="unreadable-file"
            ) from None
        shown = path.relative_to(process.directory) if path.is_relative_to(process.directory) else path
        checked.append(_Checked(path=shown, plan=plan))
    return checked


def _parameters(settings: CheckSettings, process: Process) -> Mapping[str, str]:
    if not settings.parameters and not settings.parameter:
        return {}
    from signpath_ci.metadata import expand_parameters, parse_parameter_lines, parse_parameters
    from signpath_ci.platforms.collect import collect_origin

    given = parse_parameter_lines(settings.parameters or "") | parse_parameters(settings.parameter)
    if not any("{" in value or "}" in value for value in given.values()):
        return given  # nothing of the build is needed
    return expand_parameters(
        given, collect_origin(process.environment, process.directory, version=settings.build_version)
    )


def _report_invalid(error: ArtifactConfigurationError, settings: CheckSettings, process: Process) -> None:
    cause = error.cause
    if not isinstance(cause, DocumentError):
        return
    path = error.message.partition(" is not ")[0]
    if not settings.json:
        for problem in cause.problems[:_MOST_SHOWN]:
            print_words(process, f"problem: {outline.problem_text(problem, path)}")
    else:
        configuration = {
            "path": path,
            "sha256": cause.sha256,
            "problems": [outline.problem_object(problem) for problem in cause.problems],
        }
        print_object(process, {**_object(None, (), error), "configuration": configuration})


def _object(
    found: ConfigurationFile | None, checked: list[_Checked] | tuple[()], error: SignPathError | None
) -> dict[str, Any]:
    from signpath_ci.report.result import error_object

    return {
        "configuration": {"path": str(found.path), "sha256": found.configuration.sha256, "problems": []}
        if found
        else None,
        "results": [{"artifact": str(one.path), **outline.plan_object(one.plan)} for one in checked],
        "error": error_object(error) if error else None,
    }

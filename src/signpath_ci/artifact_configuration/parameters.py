"""The parameters of a request: which the configuration declares, and which values they have."""

from __future__ import annotations

from collections.abc import Mapping

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.document import Configuration
from signpath_ci.artifact_configuration.plan import Finding


def parameter_findings(configuration: Configuration, values: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what is wrong with the parameters of a request: SignPath refuses the submit.

    Args:
        configuration: what declares them.
        values: by name, as the request gives them.
    """
    declared = {parameter.name: parameter for parameter in configuration.parameters}
    found = [
        Finding(
            rule="missing-parameter",
            message=f"the parameter {name} is required, and has no value",
            hint=f"give it, such as --parameter {name}=VALUE",
            position=parameter.position,
        )
        for name, parameter in declared.items()
        if parameter.is_required and parameter.default is None and name not in values
    ]
    known = ", ".join(declared) or "none"
    folded = {name.lower() for name in declared}
    found += [
        Finding(
            rule="unknown-parameter",
            message=f"the parameter {name} is given, but not declared",
            hint=f"the configuration declares: {known}" + ("; names differ in case" if name.lower() in folded else ""),
            position=configuration.root.position,
        )
        for name in values
        if inferred.UNKNOWN_PARAMETERS_REFUSED and name not in declared
    ]
    return tuple(found)


def parameter_values(configuration: Configuration, values: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each declared parameter: the request's, else its default; of an optional one else nothing.

    A required one that has none is left out.
    """
    found = {}
    for parameter in configuration.parameters:
        value = values.get(parameter.name, parameter.default)
        if value is not None or not parameter.is_required:
            found[parameter.name] = value or ""
    return found

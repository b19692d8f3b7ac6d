"""Version, source version and build travel along by themselves: `description` and `parameters` of a signing request."""

from __future__ import annotations

from signpath_ci.metadata.description import default_description, describe_request, mark_untrusted
from signpath_ci.metadata.parameters import expand_parameters, parse_parameter_lines, parse_parameters
from signpath_ci.metadata.templates import PLACEHOLDERS, expand, placeholder_values

__all__ = [
    "PLACEHOLDERS",
    "default_description",
    "describe_request",
    "expand",
    "expand_parameters",
    "mark_untrusted",
    "parse_parameter_lines",
    "parse_parameters",
    "placeholder_values",
]

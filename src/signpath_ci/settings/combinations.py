"""The rules on options that go together: all of them stand in one table, in the order in which they are checked.

A command checks the rules whose options it takes. The errors, and the table in docs/options.md, are made from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from glob import has_magic
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from signpath_ci.errors import UsageError
from signpath_ci.hosts import is_loopback
from signpath_ci.settings.declaration import Settings


class Combination(NamedTuple):
    """One rule.

    Attributes:
        options: the settings fields that it is about; it is checked for each command that takes all of them.
        is_broken: tells whether settings break it.
        message: what is wrong.
        hint: what to do about it.
        code: one of `error_codes.CODES`.
    """

    options: tuple[str, ...]
    is_broken: Callable[[Any], object]
    message: str
    hint: str
    code: str = "conflicting-options"


def names_several(settings: Any) -> bool:
    """Tell whether settings of `sign` name several files, or what may be several."""
    return settings.in_place or settings.skip_signed or stands_for_several(settings.artifact)


def stands_for_several(given: Sequence[Path]) -> bool:
    """Tell whether files, patterns and directories are, or may be, several files."""
    return len(given) > 1 or any(path.is_dir() or (has_magic(str(path)) and not path.exists()) for path in given)


COMBINATIONS = (
    Combination(
        ("unsigned", "connector_url"),
        lambda s: s.unsigned and not s.connector_url,
        "--unsigned names what a connector fetches, but there is no connector: the file to sign is compared by itself.",
        "Leave it out, or give --connector-url.",
    ),
    Combination(
        ("artifact", "connector_url"),
        lambda s: s.connector_url and s.artifact,
        "A file is named, but through a connector SignPath fetches the artifact from the CI system.",
        "Leave out the file (SIGNPATH_ARTIFACT), or --connector-url.",
    ),
    Combination(
        ("verify_origin", "trusted_build_system_token", "connector_url"),
        lambda s: s.connector_url and (s.verify_origin or s.trusted_build_system_token),
        "Through a connector, the origin is neither sent nor can it be compared: the connector finds it out.",
        "Leave out --verify-origin and the trusted build system's token, or --connector-url.",
    ),
    Combination(
        ("artifact_retrieval_url", "connector_url"),
        lambda s: s.connector_url and s.artifact_retrieval_url,
        "Through a connector, SignPath fetches the artifact from the CI system, and from nowhere else.",
        "Leave out --artifact-retrieval-url, or --connector-url.",
    ),
    Combination(
        ("cancel_after", "connector_url"),
        lambda s: s.connector_url and s.cancel_after,
        "Through a connector, a request can't be canceled: it has no call for it.",
        "Leave out --cancel-after, or --connector-url.",
    ),
    Combination(
        ("receipt", "gitlab_artifact_job_name", "connector_url"),
        lambda s: s.connector_url and s.receipt and s.gitlab_artifact_job_name,
        "A receipt can't tell which artifact of a GitLab job it is of: a job that is retried has others.",
        "Leave out --receipt, or --connector-url and name the file.",
    ),
    Combination(
        ("artifact_retrieval_url", "artifact", "bundle", "in_place", "skip_signed"),
        lambda s: s.artifact_retrieval_url and (s.bundle or names_several(s)),
        "--artifact-retrieval-url is for one file, but several are named, or options for several are given.",
        "Name one file, without --bundle, --in-place and --skip-signed.",
    ),
    Combination(
        ("in_place", "output", "wait_for_completion"),
        lambda s: s.in_place and (s.output or not s.wait_for_completion),
        "--in-place replaces the files themselves, once they are signed.",
        "Leave out --output (SIGNPATH_OUTPUT) and --no-wait-for-completion.",
    ),
    Combination(
        ("artifact", "artifact_retrieval_url"),
        lambda s: not (s.artifact or s.artifact_retrieval_url or getattr(s, "connector_url", None)),
        "No file to sign is named.",
        "Name one (signpath-ci sign FILE, SIGNPATH_ARTIFACT, or artifacts in the manifest), or, where a "
        "connector is to fetch it, the CI system's artifact (SIGNPATH_GITHUB_ARTIFACT_ID, ...).",
        code="no-artifact",
    ),
    Combination(
        ("artifact_retrieval_headers", "artifact_retrieval_url"),
        lambda s: s.artifact_retrieval_headers and _is_plain_http(s.artifact_retrieval_url),
        "--artifact-retrieval-url is not encrypted: the headers for it would travel in the clear.",
        "Give it with https, or leave out the headers.",
        code="unencrypted-url",
    ),
    Combination(
        ("artifact_retrieval_sha256", "artifact_retrieval_url", "artifact"),
        lambda s: s.artifact_retrieval_url and not s.artifact and not s.artifact_retrieval_sha256,
        "The SHA-256 of the file that SignPath is to fetch is not given.",
        "Give --artifact-retrieval-sha256, or name the file itself where it is here.",
        code="no-sha256",
    ),
    Combination(
        ("skip_signed", "verify"),
        lambda s: s.skip_signed and s.verify == "off",
        "--skip-signed needs signatures to be verified.",
        "Leave out --verify off.",
    ),
    Combination(
        ("skip_signed", "trust_root", "thumbprint"),
        lambda s: s.skip_signed and s.verify != "off" and not (s.trust_root or s.thumbprint),
        "--skip-signed leaves out what a trusted signer signed, and nobody is trusted.",
        "Name a --trust-root or a --thumbprint.",
        code="no-trust-configured",
    ),
    Combination(
        ("replace_signatures", "skip_signed"),
        lambda s: s.replace_signatures and not s.skip_signed,
        "--replace-signatures is about files that --skip-signed would leave out.",
        "Give --skip-signed too, or leave it out: without, all files are signed.",
    ),
    Combination(
        ("cancel_after", "wait_for_completion_timeout"),
        lambda s: s.cancel_after is not None and s.cancel_after > s.wait_for_completion_timeout,
        "--cancel-after is longer than the run waits.",
        "Wait at least as long, with --wait-for-completion-timeout (SIGNPATH_WAIT_FOR_COMPLETION_TIMEOUT).",
    ),
    Combination(
        ("verify", "trust_root", "thumbprint"),
        lambda s: s.verify == "strict" and not (s.trust_root or s.thumbprint),
        "--verify strict requires a trusted signer, and nobody is trusted.",
        "Name a --trust-root or a --thumbprint.",
        code="no-trust-configured",
    ),
    Combination(
        ("strict", "artifact", "unsigned"),
        lambda s: not s.artifact,
        "No file to verify is named.",
        "Name one: signpath-ci verify FILE.",
        code="no-artifact",
    ),
    Combination(
        ("strict", "artifact", "unsigned"),
        lambda s: s.unsigned and stands_for_several(s.artifact),
        "--unsigned is the submitted form of one file, but several are verified.",
        "Verify that file by itself.",
    ),
    Combination(
        ("strict", "trust_root", "thumbprint"),
        lambda s: s.strict and not (s.trust_root or s.thumbprint),
        "--strict requires a trusted signer, and nobody is trusted.",
        "Name a --trust-root or a --thumbprint.",
        code="no-trust-configured",
    ),
)
"""Where several are broken, the first gives the error."""


def not_from_manifest(given: set[str]) -> set[str]:
    """Return the options that a manifest, which all CI systems share, does not decide.

    Args:
        given: the options that the command line or the environment gives, other than `false`.
    """
    if "connector_url" not in given:
        # A hook of a packager replaces the one file that it names, wherever the manifest has others delivered.
        return {"output"} if "in_place" in given else set()
    # A connector fetches what the build has published, finds out its origin, and has no call to cancel it.
    names = {"artifact", "receipt", "cancel_after", "verify_origin"}
    return names | {"output"} if "output_artifact_directory" in given else names


def check_combinations(settings: Settings) -> None:
    """Check that options go together, before anything is done.

    Raises:
        UsageError: some do not.
    """
    for rule in COMBINATIONS:
        if vars(settings).keys() >= set(rule.options) and rule.is_broken(settings):
            raise UsageError(rule.message, hint=rule.hint, code=rule.code)


def _is_plain_http(url: str | None) -> bool:
    return (url or "").startswith("http:") and not is_loopback(urlsplit(url or "").hostname or "")

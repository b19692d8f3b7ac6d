"""The sandbox's configuration file: YAML -> `Configuration`. Every error is reported at once, with its line.

What may be written there stands in `schema/sandbox.schema.json`, and for people in docs/sandbox.md.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from signpath_ci.errors import UsageError
from signpath_ci.hosts import is_loopback
from signpath_ci.sandbox.config import (
    MAX_ARTIFACT_BYTES,
    PERMISSIONS,
    ArtifactConfiguration,
    Configuration,
    PipelinePolicy,
    Project,
    Ruleset,
    Run,
    Runner,
    SigningPolicy,
    TrustedBuildSystem,
    User,
    Webhook,
)
from signpath_ci.sandbox.defaults import ADMINISTRATOR

_HINT = "docs/sandbox.md describes the file."
_Place = tuple["str | int", ...]


def read_configuration(path: Path) -> Configuration:
    """Read and check a configuration file.

    Raises:
        UsageError: it can't be read, is not YAML, or breaks the schema; the message names all places and their lines.
    """
    import yaml

    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}.",
            hint="Name a readable file with --config.",
            code="sandbox-configuration",
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise UsageError(f"{path}{line}: is not YAML: {problem}.", hint=_HINT, code="sandbox-configuration") from None
    problems = list(_schema_problems(content)) or [*_twice(node), *_disagreements(content, path.parent)]
    if problems:
        said = "; ".join(_sentence(node, place, problem) for place, problem in sorted(problems, key=_order(node)))
        count = "" if len(problems) == 1 else f"{len(problems)} errors: "
        raise UsageError(f"{path}: {count}{said}.", hint=_HINT, code="sandbox-configuration")
    return _configuration(content, path.parent)


def _schema_problems(content: object) -> Iterator[tuple[_Place, str]]:
    from jsonschema import Draft202012Validator

    schema = json.loads(files("signpath_ci.schema").joinpath("sandbox.schema.json").read_text("utf-8"))
    for error in Draft202012Validator(schema).iter_errors(_without_nothing(content)):
        place: _Place = tuple(error.absolute_path)
        if error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            yield from (((*place, name), "is missing") for name in missing if f"'{name}'" in error.message)
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            yield from (((*place, name), "is not known here") for name in error.instance if name not in known)
        else:
            yield place, error.schema.get("x-must") or error.message


def _without_nothing(content: Any) -> Any:
    """Return it without keys that have no value: they are as good as left out."""
    if isinstance(content, dict):
        return {str(key): _without_nothing(value) for key, value in content.items() if value is not None}
    return [_without_nothing(item) for item in content] if isinstance(content, list) else content


def _twice(node: Any, place: _Place = ()) -> Iterator[tuple[_Place, str]]:
    """Find keys that stand twice in a mapping: YAML would let the last one count."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        yield from (((*place, name), "is there twice") for name in dict.fromkeys(names) if names.count(name) > 1)
        for key, value in node.value:
            yield from _twice(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _twice(item, (*place, index))


def _disagreements(content: Mapping[str, Any], directory: Path) -> Iterator[tuple[_Place, str]]:
    """Find what a schema can't: names that are there twice, files that are not, unencrypted webhooks."""
    tokens = [*_tokens(content, "users"), *_tokens(content, "api_tokens")]
    yield from _repeated(tokens)
    yield from _repeated((("users", i, "name"), user["name"]) for i, user in enumerate(content.get("users") or ()))
    projects = list(enumerate(content["projects"]))
    yield from _repeated((("projects", i, "slug"), project["slug"].lower()) for i, project in projects)
    for i, project in projects:
        for kind in ("artifact_configurations", "signing_policies"):
            items = list(enumerate(project.get(kind) or ()))
            yield from _repeated((("projects", i, kind, k, "slug"), item["slug"].lower()) for k, item in items)
            for k, item in items:
                if kind == "artifact_configurations" and (problem := _unreadable(item, directory)):
                    yield ("projects", i, kind, k, "file"), problem
                for n, policy in enumerate(item.get("pipeline_policies") or ()):
                    if problem := _unreadable(policy, directory, is_yaml=True):
                        yield ("projects", i, kind, k, "pipeline_policies", n, "file"), problem
        url = (project.get("webhook") or {}).get("url", "https:")
        if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
            yield ("projects", i, "webhook", "url"), "must start with https://, or http:// for this machine"


def _tokens(content: Mapping[str, Any], kind: str) -> list[tuple[_Place, str]]:
    return [((kind, i, "token"), user["token"]) for i, user in enumerate(content.get(kind) or ()) if user.get("token")]


def _repeated(values: Iterable[tuple[_Place, str]]) -> Iterator[tuple[_Place, str]]:
    seen: set[str] = set()
    for place, value in values:
        if value in seen:
            yield place, "is there twice"
        seen.add(value)


def _unreadable(item: Mapping[str, Any], directory: Path, *, is_yaml: bool = False) -> str | None:
    import yaml

    if not item.get("file"):
        return None
    try:
        text = (directory / item["file"]).read_text("utf-8")
        if is_yaml:
            yaml.safe_load(text)
    except OSError as error:
        return f"{item['file']} can't be read: {error.strerror}"
    except (ValueError, yaml.YAMLError, RecursionError):
        return f"{item['file']} is not {'YAML' if is_yaml else 'text in UTF-8'}"
    return None


def _sentence(node: Any, place: _Place, problem: str) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".") or "the file"
    return f"line {_line(node, place)}: {name}: {problem}"


def _order(node: Any) -> Any:
    return lambda found: (_line(node, found[0]), str(found))


def _line(node: Any, place: Sequence[str | int]) -> int:
    """Return the line of a place, or of what is around it where the place is missing; from 1."""
    import yaml

    line = node.start_mark.line if node is not None else 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
    return int(line) + 1


def _configuration(content: Mapping[str, Any], directory: Path) -> Configuration:
    people = [_user(user, is_interactive=True) for user in content.get("users") or ()]
    limit = content.get("max_artifact_bytes")
    return Configuration(
        organization_id=str(uuid.UUID(content["organization"]["id"])),
        organization_name=content["organization"].get("name") or "Sandbox",
        users=(*(people or (ADMINISTRATOR,)), *(_user(user, is_interactive=False) for user in content["api_tokens"])),
        trusted_build_systems=tuple(
            TrustedBuildSystem(**system) for system in content.get("trusted_build_systems") or ()
        ),
        projects=tuple(_project(project, directory) for project in content["projects"]),
        runs=tuple(_run(run) for run in content.get("runs") or ()),
        max_artifact_bytes=MAX_ARTIFACT_BYTES if limit is None else limit,
    )


def _user(user: Mapping[str, Any], *, is_interactive: bool) -> User:
    return User(
        name=user["name"],
        token=user.get("token"),
        permissions=frozenset(PERMISSIONS if user.get("may") is None else user["may"]),
        projects=_set(user.get("projects")),
        signing_policies=_set(user.get("signing_policies")),
        is_interactive=is_interactive,
    )


def _set(texts: Sequence[str] | None) -> frozenset[str] | None:
    return None if texts is None else frozenset(texts)


def _project(project: Mapping[str, Any], directory: Path) -> Project:
    slug, webhook = project["slug"], project.get("webhook")
    configurations = tuple(
        ArtifactConfiguration(
            slug=each["slug"],
            name=each.get("name") or each["slug"],
            xml=(directory / each["file"]).read_text("utf-8") if each.get("file") else None,
        )
        for each in project.get("artifact_configurations") or ()
    )
    return Project(
        slug=slug,
        name=project.get("name") or slug,
        signing_policies=tuple(_signing_policy(policy, directory) for policy in project["signing_policies"]),
        artifact_configurations=configurations or (ArtifactConfiguration(slug="initial", name="Initial"),),
        repository_url=project.get("repository_url"),
        trusted_build_systems=_set(project.get("trusted_build_systems")),
        webhook=Webhook(url=webhook["url"], headers=webhook.get("headers") or {}) if webhook else None,
    )


def _run(run: Mapping[str, Any]) -> Run:
    given = {name: value for name, value in run.items() if value is not None}
    given["runners"] = tuple(Runner(**runner) for runner in run.get("runners") or ())
    given["rulesets"] = tuple(
        Ruleset(**{**ruleset, "rules": tuple(ruleset["rules"])}) for ruleset in run.get("rulesets") or ()
    )
    return Run(**{"branch": None, "commit": None, "build_url": None, **given})


def _signing_policy(policy: Mapping[str, Any], directory: Path) -> SigningPolicy:
    given = {name: value for name, value in policy.items() if value is not None}
    given["allowed_branches"] = tuple(policy.get("allowed_branches") or ())
    given["pipeline_policies"] = tuple(
        _pipeline_policy(each, directory) for each in policy.get("pipeline_policies") or ()
    )
    return SigningPolicy(**{"name": policy["slug"], "certificate": policy["slug"], **given})


def _pipeline_policy(policy: Mapping[str, Any], directory: Path) -> PipelinePolicy:
    import yaml

    return PipelinePolicy(
        name=Path(policy["file"]).name,
        document=yaml.safe_load((directory / policy["file"]).read_text("utf-8")),
        is_enforced=policy.get("level", "enforce") == "enforce",
    )

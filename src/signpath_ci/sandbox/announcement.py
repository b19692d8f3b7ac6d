"""What the sandbox says about itself once it is ready: addresses that clients accept, tokens, and what is open."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from signpath_ci.hosts import is_loopback
from signpath_ci.sandbox.config import Configuration
from signpath_ci.sandbox.connectors.routes import CONNECTORS

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


def base_url(host: str, port: int) -> str:
    """Return the URL by which this machine calls a sandbox that listens on `host`."""
    name = "localhost" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def describe(
    url: str, configuration: Configuration, *, trust_root: Path, artifact_store: Path, hosts: Sequence[str], port: int
) -> dict[str, Any]:
    """Return what a client has to know.

    Args:
        url: by which this machine calls the sandbox.
        configuration: its tokens, projects and policies.
        trust_root: PEM file with the root certificate.
        artifact_store: the CI systems' artifacts.
        hosts: names by which other machines may call it.
        port: that it listens on.
    """
    systems = configuration.trusted_build_systems
    tokens = [user for user in configuration.users if user.token]
    project = configuration.projects[0]
    return {
        "api_url": f"{url}/Api",
        "organization_id": configuration.organization_id,
        "api_token": next((user for user in tokens if "submit" in user.permissions), tokens[0]).token,
        "project_slug": project.slug,
        "signing_policy_slug": project.signing_policies[0].slug,
        "trust_root": str(trust_root),
        "web_url": f"{url}/web",
        "trusted_build_system_token": systems[0].token if systems else None,
        "artifact_store": str(artifact_store.absolute()),
        "connectors": {name: f"{url}{path}" for name, path in CONNECTORS.items()},
        "other_urls": [f"http://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts],
    }


def readable(about: dict[str, Any], *, how_to_end: str = "Ctrl+C ends it") -> str:
    """Return it for people: addresses, then commands for a shell."""
    variables = {
        "SIGNPATH_API_URL": "api_url",
        "SIGNPATH_ORGANIZATION_ID": "organization_id",
        "SIGNPATH_API_TOKEN": "api_token",
        "SIGNPATH_PROJECT_SLUG": "project_slug",
        "SIGNPATH_SIGNING_POLICY_SLUG": "signing_policy_slug",
        "SIGNPATH_TRUST_ROOT": "trust_root",
    }
    exports = [f"export {variable}={shlex.quote(str(about[name]))}" for variable, name in variables.items()]
    if not is_loopback(urlsplit(about["web_url"]).hostname or ""):
        exports.append(f"export SIGNPATH_INSECURE_HOST={shlex.quote(_host(about['web_url']))}")
    lines = [f"The sandbox is at {about['web_url']} ({how_to_end}). To use it:", "", *exports]
    if about["other_urls"]:
        lines += ["", "From other machines:"]
        lines += [
            f"  {url}/web; for clients SIGNPATH_API_URL={url}/Api and SIGNPATH_INSECURE_HOST={_host(url)}"
            for url in about["other_urls"]
        ]
    return "\n".join(lines)


def warning(host: str, allowed: Sequence[str]) -> str | None:
    """Return what it means that others can reach the sandbox; `None` where they can't."""
    if is_loopback(host):
        return None
    open_to = f"The sandbox listens on {host}: whoever reaches it can sign, approve and read everything, without login."
    if host in ANY_ADDRESS and not allowed:
        return f"{open_to} It answers to loopback names only: name those of other machines' calls with --allow-host."
    return open_to


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""

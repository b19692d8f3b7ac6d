"""Which requests a list has: the question, and the columns of the database that answer it."""

from __future__ import annotations

from dataclasses import dataclass

from signpath_ci.sandbox.signing_request import SigningRequest, write_document


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which requests to list; what is `None` does not restrict.

    Attributes:
        text: must be part of the file's name, the description, the commit or the id, without regard to case.
        branch: the branch, with `*` for any characters.
        before: submitted before this moment, ISO 8601 in UTC.
        policies: pairs of project and policy that may be listed.
        own: this user's requests are listed too, whatever their policy.
    """

    project: str | None = None
    policy: str | None = None
    configuration: str | None = None
    status: str | None = None
    branch: str | None = None
    text: str | None = None
    before: str | None = None
    policies: frozenset[tuple[str, str]] | None = None
    own: str | None = None


def columns(request: SigningRequest) -> dict[str, str | None]:
    """Return what lists are searched by, and the document."""
    origin = request.origin
    words = (request.file_name, request.description, request.id, origin.commit if origin else None)
    return {
        "state": request.state.name,
        "status": request.state.status,
        "project": request.project_slug,
        "policy": request.signing_policy_slug,
        "configuration": request.artifact_configuration_slug,
        "submitter": request.submitter,
        "created": request.created,
        "branch": origin.branch if origin else None,
        "words": "\n".join(word for word in words if word).casefold(),
        "document": write_document(request),
    }


def condition(query: Query) -> tuple[str, list[str]]:
    """Return the SQL condition of a query, with marks for its values."""
    conditions, values = ["1"], []
    for column in ("project", "policy", "configuration", "status"):
        if value := getattr(query, column):
            conditions.append(f"{column} = ?")
            values.append(value)
    if query.branch:
        conditions.append("branch GLOB ?")
        values.append(query.branch.replace("[", "[[]").replace("?", "[?]"))
    if query.text:
        conditions.append("instr(words, ?)")
        values.append(query.text.casefold())
    if query.before:
        conditions.append("created < ?")
        values.append(query.before)
    if query.policies is not None:
        marks = ", ".join("(?, ?)" for _ in query.policies)
        allowed = f"(project, policy) IN (VALUES {marks})" if marks else "0"
        conditions.append(f"({allowed} OR submitter = ?)")
        values += [*(slug for pair in sorted(query.policies) for slug in pair), query.own or ""]
    return " AND ".join(conditions), values

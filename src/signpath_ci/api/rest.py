"""SignPath's REST API (wire contract, "REST API"): calls and their answers as values of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote

from signpath_ci.api.answers import Answer
from signpath_ci.api.content import Content, FilePart, MultipartForm
from signpath_ci.api.fields import build_settings_parts, form_fields
from signpath_ci.api.refusals import MissingRouteError
from signpath_ci.model import (
    WAITS_FOR_UPLOAD,
    RecordedOrigin,
    RequestStatus,
    RetrievalLink,
    SigningRequest,
    SigningRequestFields,
    Submission,
)

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download
    from signpath_ci.api.transport import Transport

_OCTETS = "application/octet-stream"
_MOST_CERTIFICATE = 256 * 1024
"""Bytes of an answer with a certificate, at most."""

_MOST_TREE = 32 * 1024 * 1024
"""Bytes of a resolved tree, at most."""

_LOOK_FIRST = "Look at the project's signing requests in SignPath before you run it again."

T = TypeVar("T")


class SignPathApi:
    """Calls SignPath for one organization. Every method raises what `Transport`'s methods do.

    Args:
        transport: to the API's base URL, e.g. `https://app.signpath.io/Api`.
        organization_id: a UUID.
    """

    def __init__(self, transport: Transport, organization_id: str) -> None:
        self._transport = transport
        self._organization = f"v1/{quote(organization_id, safe='')}"
        self._requests = f"{self._organization}/SigningRequests"
        self._has_status_route = True
        # The status does not name the page for people; what the submit said is kept for it.
        self._web_links: dict[str, str | None] = {}

    def create(self, fields: SigningRequestFields, *, file_name: str, sha256: str) -> Submission:
        """Announce an artifact: a request that waits for its upload, and is never signed without.

        Safe to repeat, since only a request that gets its artifact is signed.

        Args:
            fields: what the submit says.
            file_name: of the artifact, without a directory.
            sha256: of the artifact, lower-case hex.

        Raises:
            MissingRouteError: the server does not have this call (before 1.191).
            LocalFileError: the build settings file can't be read.
        """
        announced = [("unsignedArtifactMetadata.fileName", file_name), ("unsignedArtifactMetadata.sha256Hash", sha256)]
        form = MultipartForm([*form_fields(fields), *announced], build_settings_parts(fields.build_settings_file))
        body = b"".join(form)
        return self._submission(
            self._transport.post(f"{self._requests}/SubmitWithoutArtifact", body, form.content_type)
        )

    def upload(self, signing_request_id: str, content: Content) -> None:
        """Send the artifact of a request that was made by `create`.

        After a failure the server is asked: only a request that still waits for its artifact is sent it again.
        The route is made of base and id; the answer's `uploadLink` might lead the token elsewhere.
        """

        def arrived(seconds: float) -> bool:
            return self.status(signing_request_id, patience=seconds).status != WAITS_FOR_UPLOAD

        self._transport.deliver(
            self._path(signing_request_id, "/UploadUnsignedArtifact"), content, _OCTETS, arrived=arrived
        )

    def submit_with_artifact(self, fields: SigningRequestFields, *, file_name: str, content: Content) -> Submission:
        """Submit fields and artifact in one call, as servers before 1.191 take it. Not safe to repeat.

        `SubmitWithArtifact` came later, in 1.196: where the two-phase submit is missing, it is missing too.

        Raises:
            ServiceUnavailableError: also where the server may have taken it.
            LocalFileError: the build settings file can't be read.
        """
        parts = [*build_settings_parts(fields.build_settings_file), FilePart("artifact", file_name, content)]
        form = MultipartForm(form_fields(fields), parts)
        answer = self._transport.post(
            self._requests,
            form,
            form.content_type,
            if_in_doubt=_LOOK_FIRST,
        )
        return self._submission(answer)

    def submit_with_retrieval_link(
        self, fields: SigningRequestFields, *, sha256: str, link: RetrievalLink
    ) -> Submission:
        """Submit an artifact that SignPath fetches by itself, and compares with its SHA-256. Not safe to repeat.

        Raises:
            ServiceUnavailableError: also where the server may have taken it.
            LocalFileError: the build settings file can't be read.
        """
        announced = [("url", link.url), ("fileName", link.file_name), ("sha256Hash", sha256)]
        for number, (name, value) in enumerate(link.headers):
            announced += [(f"httpHeaders[{number}].key", name), (f"httpHeaders[{number}].value", value)]
        form = MultipartForm(
            [*form_fields(fields), *((f"artifactRetrievalLink.{name}", value) for name, value in announced)],
            build_settings_parts(fields.build_settings_file),
        )
        answer = self._transport.post(
            f"{self._requests}/SubmitWithArtifactRetrievalLink",
            b"".join(form),
            form.content_type,
            if_in_doubt=_LOOK_FIRST,
            secrets=(link.url, *(value for _, value in link.headers)),
        )
        return self._submission(answer)

    def resubmit(self, signing_request_id: str, *, signing_policy_slug: str, description: str | None) -> Submission:
        """Have the artifact of an earlier request signed under another policy. Not safe to repeat.

        Raises:
            RefusedError: also where the new policy's rules do not allow the artifact's origin.
            ServiceUnavailableError: also where the server may have taken it.
        """
        fields = [("originalSigningRequestId", signing_request_id), ("signingPolicySlug", signing_policy_slug)]
        form = MultipartForm([*fields, *([("description", description)] if description is not None else [])], [])
        answer = self._transport.post(
            f"{self._requests}/Resubmit", b"".join(form), form.content_type, if_in_doubt=_LOOK_FIRST
        )
        return self._submission(answer)

    def status(self, signing_request_id: str, *, patience: float | None = None) -> RequestStatus:
        """Return where a request stands; from the whole request where the server has no status (before 1.200).

        Args:
            signing_request_id: as the submit answered.
            patience: seconds across retries, where less than the transport's.
        """
        if self._has_status_route:
            try:
                answer = self._transport.get(self._path(signing_request_id, "/Status"), patience=patience)
            except MissingRouteError:
                whole = self._transport.get(self._path(signing_request_id), patience=patience)
                self._has_status_route = False
                return self._state(signing_request_id, whole)
            return self._state(signing_request_id, answer)
        return self._state(signing_request_id, self._transport.get(self._path(signing_request_id), patience=patience))

    def request(self, signing_request_id: str) -> SigningRequest:
        """Return the whole request, with the origin that SignPath recorded."""
        answer = self._transport.get(self._path(signing_request_id))
        return SigningRequest(
            state=self._state(signing_request_id, answer),
            description=answer.optional_text("description"),
            project_slug=answer.optional_text("projectSlug"),
            signing_policy_slug=answer.optional_text("signingPolicySlug"),
            artifact_configuration_slug=answer.optional_text("artifactConfigurationSlug"),
            parameters=answer.part("parameters").texts(),
            origin=_recorded_origin(answer.part("origin")) if "origin" in answer else None,
        )

    def signed_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        """Hand the signed file's bytes to `receive`; again from the start where they break off.

        Raises:
            RefusedError: also while the request is not completed.
        """
        return self._transport.download(self._path(signing_request_id, "/SignedArtifact"), receive)

    def unsigned_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        """Hand the submitted file's bytes, as SignPath has them, to `receive`; again from the start, as above."""
        return self._transport.download(self._path(signing_request_id, "/UnsignedArtifact"), receive)

    def signed_artifact_url(self, signing_request_id: str) -> str:
        """Return where the signed file is found, for others to call."""
        return self._transport.url(self._path(signing_request_id, "/SignedArtifact"))

    def certificate(self, signing_request_id: str, *, patience: float) -> bytes:
        """Return the certificate that a request is signed with, in whichever form; `verify.stated` reads it.

        Args:
            signing_request_id: as the submit answered.
            patience: seconds across retries.
        """
        path = self._path(signing_request_id, "/X509Certificate")
        return self._transport.read(path, limit=_MOST_CERTIFICATE, patience=patience)

    def artifact_description(self, signing_request_id: str, *, patience: float) -> bytes:
        """Return the resolved tree of a request, in its own form; `verify.stated_tree` reads it."""
        path = self._path(signing_request_id, "/ArtifactDescriptionXml")
        return self._transport.read(path, limit=_MOST_TREE, patience=patience)

    def policy_certificate(self, project_slug: str, signing_policy_slug: str, *, patience: float) -> bytes:
        """Return the certificate of a signing policy, as above."""
        project, policy = quote(project_slug, safe=""), quote(signing_policy_slug, safe="")
        path = f"{self._organization}/Projects/{project}/SigningPolicies/{policy}/Certificate"
        return self._transport.read(path, limit=_MOST_CERTIFICATE, patience=patience)

    def cancel(self, signing_request_id: str, *, patience: float | None = None) -> None:
        """Cancel a request (servers since 1.207); one that is already final stays as it is."""

        def arrived(seconds: float) -> bool:
            return self.status(signing_request_id, patience=seconds).is_final

        self._transport.deliver(self._path(signing_request_id, "/Cancel"), b"", "", arrived=arrived, patience=patience)

    def _path(self, signing_request_id: str, action: str = "") -> str:
        return f"{self._requests}/{quote(signing_request_id, safe='')}{action}"

    def _submission(self, answer: Answer) -> Submission:
        # A resubmit promises no more than a Location (wire contract, "Submit").
        located = unquote((answer.location or "").rstrip("/").rpartition("/")[2])
        signing_request_id = answer.optional_text("signingRequestId") or located or answer.text("signingRequestId")
        submission = Submission(
            signing_request_id=signing_request_id,
            web_link=answer.optional_link("webLink"),
            signed_artifact_url=self.signed_artifact_url(signing_request_id),
        )
        self._web_links[submission.signing_request_id] = submission.web_link
        return submission

    def _state(self, signing_request_id: str, answer: Answer) -> RequestStatus:
        if web_link := answer.optional_link("webLink"):
            self._web_links[signing_request_id] = web_link
        return RequestStatus(
            signing_request_id=signing_request_id,
            status=answer.text("status"),
            workflow_status=answer.optional_text("workflowStatus"),
            is_final=answer.flag("isFinalStatus"),
            web_link=self._web_links.get(signing_request_id),
        )


def _recorded_origin(origin: Answer) -> RecordedOrigin:
    repository, build = origin.part("repositoryData"), origin.part("buildData")
    return RecordedOrigin(
        repository_url=repository.optional_text("url"),
        branch=repository.optional_text("branchName"),
        commit=repository.optional_text("commitId"),
        scm=repository.optional_text("sourceControlManagementType"),
        build_url=build.optional_text("url"),
        build_settings_file_name=build.part("buildSettingsFile").optional_text("fileName"),
    )

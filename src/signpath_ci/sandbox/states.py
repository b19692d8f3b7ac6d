"""Where a signing request can stand, in SignPath's two vocabularies (wire contract, "Follow")."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """A step of a signing request's life; the member's name is what the store keeps."""

    WAITING_FOR_ARTIFACT_UPLOAD = ("WaitingForArtifactUpload", "Submitted", False)
    SUBMITTED = ("InProgress", "Submitted", False)
    RETRIEVING_ARTIFACT = ("InProgress", "RetrievingArtifact", False)
    QUEUED_FOR_MALWARE_SCANNING = ("InProgress", "QueuedForMalwareScanning", False)
    SCANNING_FOR_MALWARE = ("InProgress", "ScanningForMalware", False)
    WAITING_FOR_APPROVAL = ("WaitingForApproval", "WaitingForApproval", False)
    QUEUED_FOR_PROCESSING = ("InProgress", "QueuedForProcessing", False)
    PROCESSING = ("InProgress", "Processing", False)
    COMPLETED = ("Completed", "Completed", True)
    PROCESSING_FAILED = ("Failed", "ProcessingFailed", True)
    ARTIFACT_RETRIEVAL_FAILED = ("Failed", "ArtifactRetrievalFailed", True)
    DENIED = ("Denied", "Denied", True)
    CANCELED = ("Canceled", "Canceled", True)

    @property
    def status(self) -> str:
        """The coarse `status` on the wire."""
        return self.value[0]

    @property
    def workflow_status(self) -> str:
        """The finer `workflowStatus` on the wire."""
        return self.value[1]

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.value[2]

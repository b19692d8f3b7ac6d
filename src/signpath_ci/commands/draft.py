"""`signpath-ci draft`: a first artifact configuration for a file."""

from __future__ import annotations

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.settings import DraftSettings
from signpath_ci.workflows.process import Process, print_object, print_result


def run(settings: DraftSettings, process: Process) -> None:
    """Print the configuration as XML, or with `--json` as a text in an object.

    Raises:
        LocalFileError: the file can't be read, or is damaged.
        UsageError: there is nothing in it that SignPath signs.
    """
    from signpath_ci.artifact_configuration.draft import NothingToSignError, UnreadableSampleError, draft

    path = settings.artifact
    try:
        with (process.directory / path).open("rb") as file:
            text = draft(file, path.name)
    except FileNotFoundError:
        raise LocalFileError(f"{path} does not exist.", hint="Check its path.", code="file-missing") from None
    except OSError as error:
        raise LocalFileError(
            f"{path} can't be read: {error.strerror}.", hint="Check its permissions.", code="unreadable-file"
        ) from None
    except NothingToSignError:
        raise UsageError(
            f"There is nothing in {path} that SignPath signs.",
            hint="Name a file that can be signed, or a container with such files.",
            code="no-artifact",
        ) from None
    except UnreadableSampleError as error:
        raise LocalFileError(f"{path} can't be read: {error}.", hint="Build it again.", code="malformed-file") from None
    if settings.json:
        print_object(process, {"artifact": str(path), "xml": text})
        return
    # Names come from the file: agents obey `##vso[` wherever it stands, and XML can write one of these signs otherwise.
    print_result(process, text.rstrip("\n").replace("##", "#&#35;"))

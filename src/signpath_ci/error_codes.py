"""The code of every error and of every failed check: what it means, and what to do about it.

`docs/errors.md` is made from this table. A new code is one line here; a test requires that the code which is raised
stands here, and that what stands here is raised.
"""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    # code: (cause, remedy), in the order of the alphabet
    "ambiguous-platform": (
        "Variables of more than one CI system are set.",
        "Unset those that are not true in this job.",
    ),
    "artifact-configuration-invalid": (
        "The artifact configuration is not valid; the messages before it name the lines.",
        "Correct it (docs/artifact-configuration.md).",
    ),
    "artifact-too-large": (
        "The artifact is larger than the server, or a proxy before it, accepts.",
        "Ask who runs the server or the proxy for a higher limit.",
    ),
    "bad-archive": (
        "The signed artifact should be a ZIP, and is not an intact one, or has entries that must not be extracted.",
        "Check the artifact configuration in SignPath; do not use what was downloaded.",
    ),
    "bad-command-line": (
        "The command line has an unknown option or command, or lacks a value.",
        "Read `signpath-ci COMMAND --help`.",
    ),
    "block-map-mismatch": (
        "A file in a package is not what the package's block map, or the bundle's manifest, says.",
        "Do not use the package; make it anew.",
    ),
    "build-settings-file-invalid": (
        "The file with the pipeline's definition can't be read, or is too large to be sent as part of the origin.",
        "Check out the pipeline's definition in this job.",
    ),
    "candidate-mismatch": (
        "The candidate was built from another commit or with other settings than this build of a tag.",
        "Submit, test and promote a candidate that is built from the commit of the tag.",
    ),
    "candidate-receipt-required": (
        "`promote` was given a request's id, which does not say which file and commit it is about.",
        "Name the receipt that `submit` or `sign --receipt` wrote.",
    ),
    "catalog-entry-mismatch": (
        "An entry of a catalog is listed under the digest of another file than it is for.",
        "Do not use the catalog; make it anew.",
    ),
    "certificate-chain": (
        "The certificate chain of the signer, or of the timestamp authority, does not hold together, "
        "or does not lead to a trust root.",
        "Check that the right file is given with `--trust-root`; otherwise do not use the file.",
    ),
    "certificate-missing": (
        "The signature does not contain the certificate of its signer.",
        "Do not use the file; ask who signed it.",
    ),
    "certificate-purpose": (
        "A certificate is not for what it is used for: signing code, or timestamping.",
        "Do not use the file; check the certificate in SignPath.",
    ),
    "certificate-revoked": (
        "A revocation list in the signature names a certificate of its chain.",
        "Do not use the file.",
    ),
    "certificate-validity": (
        "A certificate was not valid when it counts: at the time of the timestamp, or without one now.",
        "Sign with a timestamp, or renew the certificate in SignPath.",
    ),
    "client-certificate-invalid": (
        "The file of `--client-certificate` does not hold a certificate and its private key.",
        "Name a PEM file with both, without a password.",
    ),
    "client-certificate-required": (
        "The server requires a client certificate.",
        "Name one with `--client-certificate`.",
    ),
    "commit-not-on-branch": (
        "The commit is not on the branch that the origin names, or the checkout does not show whether it is.",
        "Name the branch that was released from, and fetch its whole history.",
    ),
    "conflicting-options": (
        "Two options contradict each other, or one lacks the other that it needs.",
        "Leave out one of those that the message names.",
    ),
    "content-added": (
        "What came back has files that were not submitted.",
        "Do not use it; check the artifact configuration in SignPath.",
    ),
    "content-changed": (
        "What came back is signed, but is not what was submitted.",
        "Do not use it; find out which request it belongs to.",
    ),
    "content-missing": (
        "What came back lacks files that were submitted.",
        "Do not use it; check the artifact configuration in SignPath.",
    ),
    "core-not-installed": (
        "The plugin can't install this program on the runner.",
        "Follow the message; a release carries the program as one file, which needs no installation.",
    ),
    "core-not-started": ("The plugin can't start this program, or it ended unexpectedly.", "Read the log."),
    "demo-failed": (
        "The demo has no executable to sign, or can't write its files.",
        "Name a file, and a directory with `--output-directory`.",
    ),
    "denied-signer": (
        "A file is signed by somebody whom `--deny-signer` denies.",
        "Do not publish the file; find out how the signature got there.",
    ),
    "digest-mismatch": (
        "A file's digest is not the one that its signature, or an option, states: it was changed afterwards.",
        "Do not use the file.",
    ),
    "empty-file": ("The file to sign is empty.", "Check the step that builds it."),
    "file-changed": (
        "The file changed while it was uploaded; nothing was submitted.",
        "Sign it after the step that writes it has ended.",
    ),
    "file-missing": ("A file does not exist.", "Check its path, and the step that makes it."),
    "files-not-signed": (
        "Of several files, some were not signed; the exit code is that of the first.",
        "See the error of each file.",
    ),
    "git-failed": (
        "The checkout can't be read with git.",
        "Install git, and follow the message.",
    ),
    "hidden-files-left-out": (
        "The artifact of GitHub leaves out hidden files, and some of them are programs or packages.",
        "Set `include-hidden-files`, or leave them out with `exclude`.",
    ),
    "internal-error": (
        "A defect of this program.",
        "Run it again with `--log-level debug`, and report what it prints.",
    ),
    "interrupted": (
        "SIGINT or SIGTERM ended the run, as where a job is canceled.",
        "Run it again; with `--receipt` it resumes the request.",
    ),
    "invalid-build-variable": (
        "A variable of the CI system has a value that it never has there.",
        "Check whether the pipeline sets it.",
    ),
    "invalid-certificate-file": (
        "A file that should hold certificates holds none.",
        "Name a PEM file with BEGIN CERTIFICATE and END CERTIFICATE lines.",
    ),
    "invalid-file-name": ("A path can't be that of a file.", "Check it for characters such as NUL."),
    "invalid-manifest": (
        "The manifest is not as its schema says; the message names the line.",
        "Correct it (docs/manifest.md).",
    ),
    "invalid-option": ("The value of an option is not valid.", "Correct it as the message says."),
    "invalid-origin-branch": ("`--origin-branch` is not a branch name.", "Give its short name, such as `main`."),
    "invalid-parameter": (
        "A parameter of the request is not valid.",
        "Write it as `NAME=VALUE`, or as the form of the option says.",
    ),
    "invalid-receipt": (
        "A file is not a receipt, or was written by an incompatible version.",
        "Name another one, or remove it where nothing depends on it.",
    ),
    "invalid-template": (
        "A description or parameter has a placeholder that is unknown or has no value.",
        "Correct it, or give it a default: `{name:-DEFAULT}`.",
    ),
    "invalid-text": (
        "A text is too long, or has control characters.",
        "Shorten it, or remove them.",
    ),
    "invalid-url": ("The URL of a service is not valid.", "Check the option that the message names."),
    "jar-structure": (
        "The files of the signature in a JAR do not belong together.",
        "Do not use the file; sign it anew.",
    ),
    "jar-too-many-lines": (
        "A manifest or signature file of a JAR has more than 1,000,000 lines.",
        "Submit less at once.",
    ),
    "jar-too-many-signatures": (
        "A JAR has more than 16 signature files.",
        "Remove signatures that are not needed.",
    ),
    "link-leads-elsewhere": (
        "A directory or pattern holds a link to a file elsewhere.",
        "Remove the link, or name the file itself.",
    ),
    "malformed-file": (
        "A file is damaged, cut off, or can be understood in more than one way.",
        "Do not use the file; build, sign or download it again.",
    ),
    "network-failure": ("A call can't be sent.", "Check the URL, and the proxies that the environment names."),
    "no-api-token": (
        "There is no API token.",
        "Set SIGNPATH_API_TOKEN from the CI system's secrets; builds of forks get none.",
    ),
    "no-artifact": ("No file to sign is named, or a directory or pattern holds none.", "Name one."),
    "no-artifact-configuration": (
        "There is no artifact configuration in the checkout, or none for the slug that is set.",
        "Name its file with `--artifact-configuration-file`, or save it below `.signpath/artifact-configurations/`.",
    ),
    "no-build-artifact-given": (
        "The connector does not know which artifact of the CI system it fetches.",
        "Give the option that the message names.",
    ),
    "no-build-variable": (
        "A variable that names the build to the connector is not set.",
        "Run in a CI job.",
    ),
    "no-connector-platform": (
        "Connectors fetch artifacts of GitHub Actions, GitLab CI and Azure Pipelines, and this is none of them.",
        "Leave out `--connector-url`, and name the file.",
    ),
    "no-file-name": (
        "The URL of the artifact does not end with a file's name.",
        "Give `--artifact-retrieval-name`.",
    ),
    "no-output": ("No output path was given.", "Give `--output`, `--unsigned`, or a receipt instead of the id."),
    "no-policy-rule": (
        "No rule of `--signing-policy-slug` matches this build.",
        "Add a last rule that always matches, such as `*: test-signing`.",
    ),
    "no-python": (
        "The runner has no Python of 3.10 or later.",
        "Install one, use an image that has one, or add a step that sets it up.",
    ),
    "no-sha256": (
        "The SHA-256 of the file that SignPath fetches is not known.",
        "Give `--artifact-retrieval-sha256`, or name the file.",
    ),
    "no-timestamp": (
        "The signature has no timestamp, and `--verify strict` requires one.",
        "Let the signing policy timestamp.",
    ),
    "no-trust-configured": (
        "Strict verification requires a trusted signer, and nobody is trusted.",
        "Give `--trust-root` or `--thumbprint`.",
    ),
    "no-unsigned-files": (
        "`finish` has to know the unsigned files' digests, and nothing says them.",
        "Give `--unsigned`, or `--result` with what `sign --json` printed.",
    ),
    "no-working-directory": ("The working directory does not exist any more.", "Run in one that exists."),
    "not-a-directory": ("A path should be that of a directory, and is not.", "Name a directory that exists."),
    "not-a-file": ("A path should be that of a regular file, and is not.", "Name a regular file."),
    "not-cleaned": (
        "`--clean` names a directory that holds more than signed files.",
        "Name a directory of its own for the signed files.",
    ),
    "not-found": (
        "SignPath does not know the organization or the request, or has no such route.",
        "Check SIGNPATH_ORGANIZATION_ID, the slugs and the URL.",
    ),
    "not-given": ("A required option is missing.", "Give the option or the variable that the message names."),
    "not-signed": (
        "A file that should be signed carries no signature.",
        "Check the artifact configuration in SignPath; do not use the file.",
    ),
    "not-verifiable": (
        "A file has a format that is recognised, but whose signatures this program does not verify.",
        "Verify it with the tool that the message names, and allow it with `--allow-unsupported`.",
    ),
    "origin-differs": (
        "SignPath recorded another origin for the request than that of this build.",
        "Do not publish what was signed; ask who submitted it, and from where.",
    ),
    "origin-untrusted": (
        "The build's origin would not be trustworthy, as with a changed checkout.",
        "Sign in a build of a branch with a clean checkout, or give `--allow-untrusted-origin`.",
    ),
    "output-exists": ("The output exists already.", "Give `--force`, or name another `--output`."),
    "output-failed": ("Standard output can't be written.", "Check the disk where it is redirected to."),
    "output-is-input": ("The output is the input itself.", "Name another `--output`, or use `--in-place`."),
    "package-structure": (
        "A package's signature is not its last entry, or there are two of them.",
        "Do not use the package.",
    ),
    "packages-missing": (
        "A part of this program needs packages that are not installed.",
        "Install those that the message names.",
    ),
    "packages-not-installed": (
        "The packages that verification needs could not be installed.",
        "Check the network, the proxy and the package index; then run `signpath-ci download`.",
    ),
    "part-unknown": (
        "An entry of a package is not one of its parts, so that some readers do not see it.",
        "Do not use the package; make it anew.",
    ),
    "permission-denied": (
        "The token's user may not do this.",
        "Make it a submitter of the signing policy.",
    ),
    "publisher-mismatch": (
        "The publisher in a package's manifest is not the subject of the signer's certificate.",
        "Use the certificate's subject as `Publisher`; Windows requires it.",
    ),
    "receipt-differs": (
        "A receipt contradicts what SignPath has recorded of its request, or another file was submitted.",
        "Do not use the receipt; name the request's id, or submit again.",
    ),
    "receipt-locked": ("Another run holds the receipt.", "Wait until it has ended."),
    "receipt-missing": ("The receipt does not exist.", "Name one that `submit` or `sign --receipt` wrote, or an id."),
    "refused": ("SignPath refused the call.", "Follow the message."),
    "request-canceled": ("The request was canceled.", "See the request's page."),
    "request-denied": ("An approver denied the request.", "See the request's page."),
    "request-failed": ("SignPath could not sign the artifact.", "See the request's page for the reason."),
    "request-invalid": (
        "SignPath refused the fields of the request.",
        "Check the slugs of project, policy and artifact configuration, and the parameters.",
    ),
    "request-not-completed": ("The request ended in a state that is not `Completed`.", "See the request's page."),
    "result-invalid": (
        "The file of `--result` is not what `sign --json` prints.",
        "Redirect the standard output of `signpath-ci sign --json` into it.",
    ),
    "rule-expired": (
        "A rule about files, such as `--expect-unchanged`, has an `expires` date that is over.",
        "Remove the rule, or ask its owner for a later date.",
    ),
    "rule-unused": (
        "With `--strict-rules`, a rule about files matches no file.",
        "Correct the pattern, or remove the rule.",
    ),
    "same-output": ("Several files would be written to one path.", "Sign them by themselves, or without the option."),
    "sandbox-configuration": ("The sandbox's configuration is not valid.", "Correct it as the message says."),
    "sandbox-unusable": ("The sandbox can't use its port or its directories.", "Name others."),
    "secret-as-argument": (
        "A token, or other secret, was given on the command line, which every process of the machine can read.",
        "Set the environment variable, or name a file with the option's `-file` form; revoke that secret.",
    ),
    "self-signed": (
        "The signer's certificate is self-signed, and `--verify strict` requires trust.",
        "Sign with a policy that has a real certificate.",
    ),
    "service-unavailable": (
        "SignPath gave no usable answer within the time for retries.",
        "Run again later; with `--receipt` nothing is submitted twice.",
    ),
    "signature-mismatch": (
        "The signature does not belong to this content or to this certificate.",
        "Do not use the file.",
    ),
    "signed-file-too-large": (
        "The signed file is far larger than the submitted one.",
        "Do not use it; where signing really adds so much, raise `--size-allowance`.",
    ),
    "signed-unexpectedly": (
        "A file carries a signature, which `--must-not-be-signed` forbids.",
        "Correct the artifact configuration in SignPath, or the rule.",
    ),
    "stale-metadata": (
        "A checksum file, an update manifest, a block map or a signature beside the signed files describes unsigned "
        "ones, and `--stale-metadata` is `fail`. The signed files are in place.",
        "Bring it up to date: `--finish`, `signpath-ci finish DIR`, or the command that the warning names "
        "(docs/finish.md).",
    ),
    "still-pending": (
        "The request was not final at the deadline; it is still alive.",
        "Resume with `signpath-ci download`, or wait longer.",
    ),
    "submitted-file-required": (
        "A detached or raw signature can't be verified without the file that it is for.",
        "Give `--unsigned`.",
    ),
    "timestamp-invalid": ("The timestamp is not for this signature, or is not intact.", "Do not use the file."),
    "tls-certificate-untrusted": (
        "The server's TLS certificate is not trusted.",
        "Check the URL; name a private certificate authority in REQUESTS_CA_BUNDLE.",
    ),
    "tls-trust-unreadable": (
        "The file of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE can't be read.",
        "Name a PEM file.",
    ),
    "token-refused": (
        "SignPath does not accept the API token.",
        "Check SIGNPATH_API_TOKEN, and that it belongs to the organization.",
    ),
    "too-many-open-files": ("The limit of open files is reached.", "Raise it (`ulimit -n`)."),
    "uncovered-data": (
        "A signed file holds data that no signature covers, where a payload can hide.",
        "Do not use the file; ask who signed it.",
    ),
    "unencrypted-url": ("A secret would travel over plain http.", "Give an https URL."),
    "unexpected-answer": (
        "Something else than SignPath's API answered.",
        "Check that the URL is the API's, not a web page's.",
    ),
    "unexpected-redirect": ("The server redirects to where the token must not go.", "Change the URL if it has moved."),
    "unexpected-signer": (
        "The signer is not the expected one.",
        "Do not use the file, or correct `--thumbprint`, `--subject` or `--issuer`. Where none is given, SignPath "
        "states the certificate of the signing policy: ask who changed it.",
    ),
    "unreadable-file": ("A file can't be read.", "Check its permissions, and the disk."),
    "unreadable-option-file": ("The file that an option names can't be read.", "Name a readable text file."),
    "unsigned-leftovers": (
        "The directory of the signed files holds unsigned ones, such as those of an earlier run.",
        "Empty it before, give `--clean`, or let them stay with `--exclude`.",
    ),
    "unsuitable-bundle-file": ("A file can't be part of a bundle.", "Rename or copy it."),
    "unsupported-format": (
        "The file has a format whose signatures this program can't verify.",
        "Name it with `--allow-unsupported`, and verify it by other means.",
    ),
    "unsupported-signature": (
        "The file is signed in a way that this program can't verify.",
        "Verify it by other means.",
    ),
    "unverifiable-format": (
        "What would come back for the file can't be verified, so it was not submitted.",
        "Name it with `--allow-unsupported`, leave it out with `--exclude`, or give `--verify off`.",
    ),
    "unwritable-file": ("A file or directory can't be written.", "Check space and permissions."),
    "weak-digest": (
        "The signature uses a digest algorithm that is broken, or that was not allowed.",
        "Let the signing policy use SHA-256 or better.",
    ),
    "weak-digest-allowed": ("Only strong digest algorithms can be allowed.", "Correct `--digest-algorithm`."),
    "weak-key": ("A certificate's key is too weak.", "Renew the certificate in SignPath."),
    "would-fail": (
        "The file does not fit the artifact configuration: SignPath would refuse it.",
        "Follow the messages before it (docs/check.md).",
    ),
    "wrong-receipt": (
        "The receipt is of another server or organization.",
        "Set `--api-url` and `--organization-id` to the receipt's.",
    ),
    "xml-document-type": (
        "An XML file has a document type, which can change what readers see.",
        "Remove the document type.",
    ),
    "xml-malformed": (
        "An XML file is not well-formed, or not what its format requires.",
        "Do not use the file; make it anew.",
    ),
    "xml-signature-structure": (
        "An XML signature, or its place in the document, is not what the format requires.",
        "Do not use the file.",
    ),
    "zip-comment": (
        "The comment of a ZIP archive holds the signature of a ZIP record.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-content-size": (
        "A ZIP archive, with those inside it, unpacks to more than 64 GiB.",
        "Submit less at once, or in several archives.",
    ),
    "zip-data-behind": (
        "A ZIP archive is cut off, or there is data behind its end.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-data-checksum": (
        "The content of an entry of a ZIP archive does not have its stated checksum.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-data-damaged": (
        "The data of an entry of a ZIP archive is damaged or cut off.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-data-end": (
        "The compressed data of an entry of a ZIP archive ends before or after its stated end.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-data-size": (
        "The content of an entry of a ZIP archive does not have its stated size.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-descriptor": (
        "What stands behind the data of an entry of a ZIP archive is not its data descriptor.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-descriptor-ambiguous": (
        "The data of a stored entry of a ZIP archive holds what readers may take for its end.",
        "Pack the archive with compression, or with sizes in front of the entries.",
    ),
    "zip-directory-damaged": (
        "The directory of a ZIP archive is damaged, or does not hold the number of entries that the archive states.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-directory-place": (
        "The directory of a ZIP archive does not end where its end record begins.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-directory-size": (
        "The directory of a ZIP archive has more than 32 MiB.",
        "Submit less at once, or in several archives.",
    ),
    "zip-disks": (
        "A ZIP archive is one part of several.",
        "Pack it as one file.",
    ),
    "zip-end-missing": (
        "A ZIP archive has no end record: it is cut off, or not a ZIP archive.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-entry-directory-data": (
        "A directory in a ZIP archive has content.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-entry-encrypted": (
        "An entry of a ZIP archive is encrypted.",
        "Pack it without a password.",
    ),
    "zip-entry-flags": (
        "An entry of a ZIP archive uses features that are not supported.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-entry-kind": (
        "An entry of a ZIP archive is a directory for some readers, and a file for others.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-entry-link": (
        "An entry of a ZIP archive is a symbolic link.",
        "Pack what it leads to.",
    ),
    "zip-entry-method": (
        "An entry of a ZIP archive is neither stored nor deflated.",
        "Pack it by deflate, which all tools can.",
    ),
    "zip-entry-set-id": (
        "An entry of a ZIP archive has a setuid or setgid bit.",
        "Remove the bit before the file is packed.",
    ),
    "zip-entry-size": (
        "The size of an entry of a ZIP archive is over a limit, or can't be true.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-entry-special": (
        "An entry of a ZIP archive is neither a file nor a directory.",
        "Leave it out.",
    ),
    "zip-extra-field": (
        "An extra field of an entry of a ZIP archive is damaged, or not the same to all readers.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-gap": (
        "There is data in front of, between or behind the entries of a ZIP archive that belongs to none.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-local-header": (
        "The header in front of an entry of a ZIP archive differs from the directory.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-name-absolute": (
        "A name in a ZIP archive is an absolute path.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-name-backslash": (
        "A name in a ZIP archive has a backslash.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-name-collision": (
        "Two names in a ZIP archive are one, or are on some systems: by case, or by Unicode normalisation.",
        "Rename one of the files before they are packed.",
    ),
    "zip-name-control": (
        "A name in a ZIP archive has control characters, or others that can't be seen.",
        "Rename the file before it is packed.",
    ),
    "zip-name-depth": (
        "A path in a ZIP archive has more than 128 directories.",
        "Rename the file before it is packed.",
    ),
    "zip-name-drive": (
        "A name in a ZIP archive has a colon: a drive or a stream on Windows.",
        "Rename the file before it is packed.",
    ),
    "zip-name-encoding": (
        "A name in a ZIP archive is neither ASCII nor UTF-8 to all readers: not declared as UTF-8, or of DOS.",
        "Pack the archive with a tool that writes UTF-8 names, or rename the file.",
    ),
    "zip-name-end": (
        "A name in a ZIP archive ends in what some systems remove: a dot or a blank, or a version as `;1`.",
        "Rename the file before it is packed.",
    ),
    "zip-name-form": (
        "A name in a ZIP archive is not in Unicode's form NFC, and some readers change it.",
        "Rename the file before it is packed.",
    ),
    "zip-name-length": (
        "A name in a ZIP archive has more than 4,096 bytes.",
        "Rename the file before it is packed.",
    ),
    "zip-name-path": (
        "A name in a ZIP archive has an empty part, `.` or `..`.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-name-reserved": (
        "A name in a ZIP archive has another meaning: that of a device on Windows, or `__proto__` in JavaScript.",
        "Rename the file before it is packed.",
    ),
    "zip-name-unicode-path": (
        "A Unicode Path field in a ZIP archive gives an entry another name.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-overlap": (
        "Entries of a ZIP archive overlap, or reach into its directory.",
        "Do not use the file; build, sign or download it again.",
    ),
    "zip-too-deep": (
        "More than four ZIP archives are inside each other.",
        "Unpack some of them before the files are packed.",
    ),
    "zip-too-many-entries": (
        "A ZIP archive has more than 100,000 entries, or with those inside it more than 1,000,000.",
        "Submit less at once, or in several archives.",
    ),
    "zip-zip64-end": (
        "The end record of a ZIP archive differs from its ZIP64 record.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-zip64-entry": (
        "The ZIP64 sizes of an entry of a ZIP archive are missing, or differ from its others.",
        "Pack the archive with another tool, or with other options.",
    ),
    "zip-zip64-locator": (
        "The ZIP64 locator of a ZIP archive does not lead to the record in front of it.",
        "Pack the archive with another tool, or with other options.",
    ),
}
"""Cause and remedy by code."""

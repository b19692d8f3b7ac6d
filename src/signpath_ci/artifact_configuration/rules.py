"""The rules that configurations and plans are held to, by the words that programs and the documentation use."""

from __future__ import annotations

DOCUMENT: dict[str, str] = {
    "attribute": "An attribute of a foreign namespace.",
    "document-type": "A document type or an entity, which are not allowed.",
    "encoding": "The file is not UTF-8 or UTF-16 text.",
    "missing-attribute": "A mandatory attribute is missing.",
    "no-include": "A set has no `include`.",
    "no-root": "There is no root file element.",
    "parameter": "A parameter is used that is not declared.",
    "parameter-name": "The name of a parameter is not valid, or declared already.",
    "second-root": "There is more than one root file element.",
    "set-without-for-each": "A directive or element stands directly in a set.",
    "text": "Text stands between elements.",
    "too-deep": "Elements are nested too deep.",
    "too-large": "The file is too large, or has too many elements.",
    "unknown-attribute": "An attribute that the element does not have.",
    "unknown-element": "An element that is not known, or not possible there.",
    "unknown-root": "The root is not that of SignPath's language.",
    "wrong-namespace": "The namespace is not that of SignPath's language.",
    "wrong-parameter": "`${...}` is broken, or stands where it is not possible.",
    "wrong-path": "A path is not a valid pattern.",
    "wrong-place": "An element or directive stands where it is not possible.",
    "wrong-value": "An attribute has a value that it can't have.",
    "xml": "The file is not well-formed XML.",
}
"""Why a configuration is not valid."""

PROBLEMS: dict[str, str] = {
    "damaged": "A container, or a file with restrictions, can't be read.",
    "metadata": "A file's metadata is not what a restriction requires.",
    "missing-parameter": "A required parameter has no value.",
    "output-name": "The name of an added file is not valid, or taken.",
    "root-name": "The root's `path` does not match the artifact's name.",
    "too-few-matches": "A path names fewer files than `min-matches`.",
    "too-large": "A file is larger than SignPath accepts for its kind.",
    "too-many": "Patterns and files are too many to be compared.",
    "too-many-matches": "A path names more files than `max-matches`.",
    "unknown-parameter": "A parameter is given that the configuration does not declare.",
    "unsigned": "A file whose signature is to be verified carries none.",
    "wrong-format": "A file is of another format than the element that chooses it.",
    "wrong-path": "A path is not a valid pattern once its parameters are replaced.",
    "wrong-value": "An attribute has a value that it can't have once its parameters are replaced.",
}
"""Why SignPath would refuse an artifact."""

WARNINGS: dict[str, str] = {
    "double-zip": "The artifact is a ZIP that holds only a ZIP.",
    "no-restrictions": "Own files are signed whatever their metadata says.",
    "not-resolved": "The files inside a container could not be looked at here.",
    "not-verifiable": "What a directive makes can't be verified by this program.",
    "old-attribute": "An attribute has an old name.",
    "processed-twice": "Two paths choose the same file.",
    "replaced-signature": "A second signature replaces the first.",
    "root-count": "`min-matches` or `max-matches` at the root, where they have no meaning.",
    "stale-checksums": "Checksum or updater files describe files that signing changes.",
    "unsigned-program": "A program or library is unsigned, and nothing signs it.",
    "wildcard-without-max": "A pattern with a wildcard may match only one file.",
}
"""What is permitted, and probably not meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.report.words import size, status_words, verdict_words
from tests.support.values import failure, status, verdict


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (3 << 50, "3072.0 TiB"),
    ],
)
def test_sizes_are_for_people(count: int, words: str) -> None:
    assert size(count) == words


def test_a_status_names_the_workflow_only_where_it_says_more() -> None:
    assert status_words(status("Completed", "Completed")) == "Completed"
    assert status_words(status("InProgress", "Processing")) == "InProgress (Processing)"
    assert status_words(status("InProgress")) == "InProgress"


def test_a_verdict_says_who_when_and_what_is_known() -> None:
    assert verdict_words(verdict()) == [
        "Verified app.signed.exe: trusted by root; same content as submitted",
        "  format: pe",
        "  signer: CN=Acme",
        f"  thumbprint: {'cd' * 32}",
        "  timestamp: 2026-06-01 12:30:15 UTC by CN=TSA",
        f"  digest: sha256 {'ef' * 32}",
    ]


def test_a_failure_says_what_failed() -> None:
    assert verdict_words(failure()) == [
        "Not verified app.signed.exe: failed: the file is not signed [not-signed]",
        "  format: pe",
    ]
    assert verdict_words(failure(path=Path("dir/x.zip"), member="bin/a", format=None, check="it is cut off.")) == [
        "Not verified x.zip: bin/a: failed: it is cut off [not-signed]",
        "  format: unknown",
    ]


def test_what_is_not_known_is_not_claimed() -> None:
    words = verdict_words(
        verdict(trust="not-checked", identity="not-checked", timestamp=None, path=Path("x.zip"), member="bin/a.exe")
    )

    assert words[0] == (
        "Verified x.zip: bin/a.exe: intact, signer not checked (name a --trust-root or --thumbprint); "
        "not compared with the submitted file"
    )
    assert words[4] == "  timestamp: none"

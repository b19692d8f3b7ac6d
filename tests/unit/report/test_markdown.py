from __future__ import annotations

import re
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.model import Origin, Submission
from signpath_ci.report.markdown import summary
from signpath_ci.report.neutral import code, link, token, web_url
from signpath_ci.report.record import FileOutcome, Record
from tests.support.stories import HOSTILE
from tests.support.values import LINK, artifact, failure, status, verdict

ANYTHING = st.text(max_size=60) | st.text("|`\\<>[]()*_#$&:/\r\n\t @.w-~!{}", max_size=40)


def _inline(markdown: str) -> list[Token]:
    """Return what the cells of the tables hold."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [child for token in tokens if token.type == "inline" for child in token.children or []]


@given(ANYTHING)
@example("\\|`|\\`x")
@example("`` ` ``")
@example("|")
def test_any_text_in_a_cell_is_nothing_but_code(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n")

    assert [t.type for t in tokens if t.type.startswith(("tr", "td", "th"))] == [
        *("thead_open", "tr_open", "th_open", "th_close", "th_open", "th_close", "tr_close", "thead_close"),
        *("tr_open", "td_open", "td_close", "td_open", "td_close", "tr_close"),
    ]
    cell, end = [t for t in tokens if t.type == "inline"][2:]
    assert [t.type for t in cell.children or []] in (["code_inline"], ["text"])
    assert cell.content == "none" or (cell.children or [])[0].type == "code_inline"
    assert end.content == "end"


@given(ANYTHING, st.sampled_from(["", "https://host/", "http://host", "javascript:", "data:text/html,"]), ANYTHING)
def test_a_link_leads_to_a_web_page_or_nowhere(text: str, start: str, rest: str) -> None:
    kinds = _inline(f"| a |\n| --- |\n| {link(text, start + rest)} |\n")[1:]

    links = [t for t in kinds if t.type == "link_open"]
    assert len(links) <= 1
    assert all(re.match(r"https?://", str(t.attrs["href"])) for t in links)
    assert {t.type for t in kinds} <= {"link_open", "link_close", "code_inline", "text"}


@given(ANYTHING)
def test_a_url_holds_no_character_that_means_something_elsewhere(text: str) -> None:
    url = web_url("https://signpath.example/" + text)

    assert url is None or re.fullmatch(r"https://signpath\.example[\w:/?#@!&+,;=%~.-]*", url, re.ASCII)


@given(ANYTHING)
def test_a_word_holds_no_character_that_means_something_elsewhere(text: str) -> None:
    assert re.fullmatch(r"[\w.?-]*", token(text), re.ASCII)


def test_urls_that_are_plain_stay_as_they_are() -> None:
    url = "https://app.signpath.io/Web/7c2f0a44-1111/SigningRequests/0b1c?x=1&y=%20#top"
    assert web_url(url) == url
    assert [
        web_url(no) for no in (None, "", "ftp://host/", "javascript:alert(1)", "//host/", "https://", "http://[")
    ] == [None] * 7


def _record(**facts: object) -> Record:
    record = Record()
    for name, value in facts.items():
        setattr(record, name, value)
    return record


def test_a_container_has_a_row_for_each_signature() -> None:
    first = verdict(path=Path("all.zip"), member="a.exe")
    record = _record(
        submission=Submission(signing_request_id="1", web_link=None),
        signed=artifact("all.zip"),
        verdicts=(first, verdict(path=Path("all.zip"), member="b|c.exe", timestamp=None)),
    )

    assert summary(record) == (
        "### SignPath: signed and verified\n\n"
        "| | |\n| --- | --- |\n"
        f"| SHA-256 after | `{'ab' * 32}` |\n"
        "| Signing request | `1` |\n\n"
        "| File | Format | Signer | Thumbprint | Timestamp | Digest | Content | Verdict |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"| `all.zip: a.exe` | `pe` | `CN=Acme` | `{'cd' * 32}` | `2026-06-01 12:30:15 UTC by CN=TSA` "
        f"| `sha256 {'ef' * 32}` | `same content as submitted` | `trusted by root` |\n"
        f"| `all.zip: b¦c.exe` | `pe` | `CN=Acme` | `{'cd' * 32}` | `none` "
        f"| `sha256 {'ef' * 32}` | `same content as submitted` | `trusted by root` |\n"
    )


def test_a_long_list_ends_with_a_count() -> None:
    record = _record(signed=artifact(), verdicts=(verdict(),) * 103)

    lines = summary(record).splitlines()
    assert lines[-1] == "| and 3 more |  |  |  |  |  |  |  |"
    assert sum(line.startswith("| `app.signed.exe`") for line in lines) == 100


def test_one_file_that_failed() -> None:
    record = _record(signed=artifact(), verdicts=(failure(),))

    assert summary(record, error=VerificationError("app.exe: the file is not signed.", code="not-signed")) == (
        "### SignPath: not accepted\n\n"
        "`app.exe: the file is not signed. [not-signed]`\n\n"
        "| | |\n| --- | --- |\n"
        f"| SHA-256 after | `{'ab' * 32}` |\n"
        "| Format | `pe` |\n"
        "| Verdict | `failed: the file is not signed [not-signed]` |\n"
    )


def test_what_was_not_verified_is_not_called_verified() -> None:
    made = Submission(signing_request_id="1", web_link=None)
    titles = [
        summary(_record(submission=made, signed=artifact())),
        summary(_record(submission=made)),
        summary(_record(submission=made, status=status("Completed", final=True))),
        summary(_record()),
        summary(_record(signed=artifact()), error=VerificationError("No signature.", code="not-signed")),
        summary(_record(), error=VerificationError("Nothing.", code="not-signed")),
    ]
    assert [text.splitlines()[0].removeprefix("### SignPath: ") for text in titles] == [
        "signed, not verified",
        "submitted",
        "completed",
        "nothing to sign",
        "not accepted",
        "not signed",
    ]


def test_several_files_have_a_row_each_and_what_failed_comes_first() -> None:
    good = _record(
        submission=Submission(signing_request_id="1", web_link=LINK),
        status=status("Completed", final=True),
        verdicts=(verdict(), verdict()),
    )
    outcomes = (
        FileOutcome(path=Path("a.exe"), record=good, output=Path("a.signed.exe")),
        FileOutcome(
            path=Path("b.exe"),
            record=_record(),
            error=LocalFileError("b.exe is empty.", hint="Look.", code="empty-file"),
        ),
    )

    assert summary(_record(policy="test-signing", outcomes=outcomes)) == (
        "### SignPath: 1 of 2 files signed\n\n"
        "| | |\n| --- | --- |\n| Policy | `test-signing` |\n\n"
        "| File | Signing request | Status | Signer | Result |\n| --- | --- | --- | --- | --- |\n"
        "| `b.exe` |  |  |  | `b.exe is empty. Look. [empty-file]` |\n"
        f"| `a.exe` | [`1`]({LINK}) | `Completed` | `CN=Acme` | `trusted by root; same content as submitted` |\n"
    )


def test_a_hostile_summary_is_a_title_and_tables_of_code() -> None:
    record = _record(
        project=HOSTILE,
        policy=HOSTILE,
        origin=Origin(platform="github", repository_url=HOSTILE, branch=HOSTILE, commit=HOSTILE),
        unsigned=artifact(HOSTILE),
        signed=artifact(),
        status=status(HOSTILE, HOSTILE),
        submission=Submission(signing_request_id=HOSTILE, web_link=HOSTILE),
        verdicts=(verdict(member=HOSTILE), verdict(member=HOSTILE)),
    )

    tokens = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(summary(record, error=VerificationError(HOSTILE, code="not-signed")))
    )

    assert {t.type for t in tokens if t.nesting >= 0} == {
        *("heading_open", "paragraph_open", "inline"),
        *("table_open", "thead_open", "tbody_open", "tr_open", "th_open", "td_open"),
    }
    inline = {child.type for t in tokens if t.type == "inline" for child in t.children or []}
    assert inline <= {"text", "code_inline", "link_open", "link_close"}

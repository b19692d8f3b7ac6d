from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.cli import COMMANDS
from signpath_ci.errors import UsageError
from signpath_ci.schema import load_schema
from signpath_ci.settings import SignSettings, options
from signpath_ci.settings.declaration import Given, check_text
from signpath_ci.settings.manifest import read_manifest

WHOLE = """\
# yaml-language-server: $schema=signing.schema.json
version: 1
organization: 12345678-90ab-cdef-1234-567890abcdef
project: app
policy:
  - "tag v*: release-signing"
  - "*: test-signing"
artifacts: [dist/app.exe, "*.dll"]
parameters:
  Version: "{version}"
  Note: 'say "hi"'
wait:
  timeout: 8h
  cancel-after: 600
  keep-on-interrupt: true
verify:
  level: signed
  trust-roots: [a.pem, b.pem]
output: {path: out.exe, force: false}
"""


def _check(option: str, text: str) -> str | None:
    return check_text(SignSettings, option, text)


def _read(tmp_path: Path, text: str) -> dict[str, Given]:
    path = tmp_path / "signing.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return {
        option: Given(texts=found.texts, source=found.source.removeprefix(f"{tmp_path}/"))
        for option, found in read_manifest(path, _check).items()
    }


def _wrong(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        _read(tmp_path, text)
    return [one.removeprefix(f"{tmp_path}/") for one in caught.value.message.rstrip(".").split("; ")]


def test_every_value_becomes_an_option_with_its_line(tmp_path: Path) -> None:
    def found(line: int, *texts: str) -> Given:
        return Given(texts=texts, source=f"signing.yml:{line}")

    assert _read(tmp_path, WHOLE) == {
        "organization_id": found(3, "12345678-90ab-cdef-1234-567890abcdef"),
        "project_slug": found(4, "app"),
        "signing_policy_slug": found(5, "tag v*: release-signing", "*: test-signing"),
        "artifact": found(8, "dist/app.exe", "*.dll"),
        "parameters": found(9, 'Version: "{version}"\nNote: "say \\"hi\\""'),
        "wait_for_completion_timeout": found(13, "8h"),
        "cancel_after": found(14, "600"),
        "keep_on_interrupt": found(15, "true"),
        "verify": found(17, "signed"),
        "trust_root": found(18, "a.pem", "b.pem"),
        "output": found(19, "out.exe"),
        "force": found(19, "false"),
    }


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
version: 2
project: 7
polcy: release-signing
verify:
  level: loud
  subject: ""
wait:
  timeout: soon
  for-completion: maybe
parameters: {Version: 1.10}
project: again
organization: acme
"""
    told = _wrong(tmp_path, text)

    assert [one.split(" ", 1)[0] for one in told] == [
        "signing.yml:1:", "signing.yml:3:", "signing.yml:5:", "signing.yml:6:", "signing.yml:8:", "signing.yml:9:",
        "signing.yml:10:", "signing.yml:11:", "signing.yml:12:",
    ]  # fmt: skip
    assert told[0] == "signing.yml:1: version is 2, and must be 1"
    assert told[1].startswith("signing.yml:3: polcy is not known")
    assert told[2].startswith("signing.yml:5: verify.level is 'loud', which is none of signed")
    assert told[4].startswith('signing.yml:8: wait.timeout is "soon", and must match ')
    assert told[5] == 'signing.yml:9: wait.for-completion is "maybe", and must be true or false'
    assert told[6] == "signing.yml:10: parameters.Version is 1.1, and must be a text"
    assert told[7] == "signing.yml:11: project stands here a second time"
    assert told[8].startswith("signing.yml:12: organization is 'acme', which is not a UUID")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "signing.yml:1: the file is null, and must be a mapping"),
        ("- version: 1", "signing.yml:1: the file is a list, and must be a mapping"),
        ("{}", "signing.yml:1: the file has no version, which is required"),
        ("version: 1\nverify: [", "signing.yml:2: no YAML: "),
        ("version: 1\na: &a [*a]", "signing.yml:2: an alias (*), which manifests do not have"),
        ("version: 1\napi-token: x", "signing.yml:2: api-token is not known"),
        ("version: 1\n? [a]\n: b", "signing.yml:2: ? is not known"),
        ("version: 1\nproject: 2026-01-01\npolicy: ''", 'signing.yml:3: policy is "", and must have at least 1'),
        ("version: 1\nproject: !!python/name:os.system x\nfoo: 1", "signing.yml:3: foo is not known"),
        ("version: 1\npolicy: ['main: x']", "signing.yml:2: policy is 'main: x', which holds"),
        ("\t", "no YAML"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, text: str, words: str) -> None:
    assert words in _wrong(tmp_path, text)[0]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_manifest(tmp_path / "none.yml", _check)
    (tmp_path / "signing.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_manifest(tmp_path / "signing.yml", _check)
    (tmp_path / "signing.yml").write_bytes(b"#" * 300_000)
    with pytest.raises(UsageError, match="more than"):
        read_manifest(tmp_path / "signing.yml", _check)


@given(st.text(alphabet="version: 1\n-[]{}'\"&*!?|>#%@`\t,abcpolicywaitverify", max_size=80))
def test_any_text_is_a_manifest_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with contextlib.suppress(UsageError):
        _read(tmp_path_factory.getbasetemp(), "version: 1\n" + text)


def test_every_value_of_the_schema_is_an_option_of_sign() -> None:
    def named(schema: object) -> set[str]:
        if not isinstance(schema, dict):
            return set()
        own = {schema["x-option"]} if "x-option" in schema else set()
        return own.union(*(named(inner) for inner in schema.get("properties", {}).values()))

    rows = {row.name: row for row in options(SignSettings)}
    assert named(load_schema("signing")) - rows.keys() == set()
    assert [name for name in named(load_schema("signing")) if rows[name].is_secret] == []
    assert "config" in {command.name for command in COMMANDS}

from __future__ import annotations

import pytest

from signpath_ci.settings.declaration import HiddenValueError
from signpath_ci.settings.parsers import Headers, file_name, retrieval_url


def test_headers_are_lines_and_what_is_secret_in_them_is_masked() -> None:
    headers = Headers.parse("Authorization:  Bearer abc.def== \r\n\nX-Build: 7\n")

    assert headers.pairs == (("Authorization", "Bearer abc.def=="), ("X-Build", "7"))
    assert headers.masked == ("Bearer abc.def==", "abc.def==")
    assert repr(headers) == "Secret(***)"


@pytest.mark.parametrize("text", ["secret", "A b: secret", ": secret", "A:", "A: sec\x00ret", "A: b\nsecret", "A: ü"])
def test_what_is_no_header_is_not_repeated(text: str) -> None:
    with pytest.raises(
        HiddenValueError, match=r"^is not a list of headers: write one a line, NAME: VALUE, in plain ASCII.$"
    ):
        Headers.parse(text)


def test_a_link_stays_as_it_is_and_is_not_repeated_where_it_is_wrong() -> None:
    assert retrieval_url(" https://store.example/a/?sig=x%2F/ ") == "https://store.example/a/?sig=x%2F/"
    for wrong in ("ftp://store.example/a", "https://user:pass@store.example/a", "https://", "a.exe"):
        with pytest.raises(HiddenValueError):
            retrieval_url(wrong)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "C:a", "a\nb"])
def test_a_name_has_no_directory(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a file"):
        file_name(name)
    assert file_name("app 1.2.exe") == "app 1.2.exe"

"""What is no regular file is refused: a FIFO would be waited for, a device be read without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.verify import verify_file
from tests.support.needs import make_fifo
from tests.support.pe import LAUNCHERS


@pytest.mark.parametrize("name", ["fifo", "link", "directory", "/dev/zero", "/dev/null"])
@pytest.mark.parametrize("as_unsigned", [False, True])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str, as_unsigned: bool) -> None:
    make_fifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "directory").mkdir()
    signed, unsigned = (LAUNCHERS["x64"], tmp_path / name) if as_unsigned else (tmp_path / name, None)
    with pytest.raises(LocalFileError) as caught:
        verify_file(signed, unsigned=unsigned)
    assert caught.value.code == "not-a-file"

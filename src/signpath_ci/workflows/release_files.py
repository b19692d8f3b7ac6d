"""What describes the signed files, on the disk: found before and after signing, and brought up to date.

Directories are walked without following links. What is not looked into (too large, too many) is logged.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from signpath_ci.errors import LocalFileError
from signpath_ci.files import beside, is_temporary, open_regular, read_bounded
from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import open_archive
from signpath_ci.model import SignedFileDigests
from signpath_ci.release_metadata import block_map
from signpath_ci.release_metadata.changes import Change
from signpath_ci.release_metadata.digests import ALGORITHMS, FileDigests, digests_of, hash_file, tokens
from signpath_ci.release_metadata.release import Outdated, update
from signpath_ci.release_metadata.remade import detached
from signpath_ci.release_metadata.rewrite import Stale
from signpath_ci.release_metadata.texts import Text, read_text
from signpath_ci.signing.modes import local_mode, set_mode
from signpath_ci.signing.target import disk_errors
from signpath_ci.values import dataclass

_LARGEST_TEXT = 16 * 1024 * 1024
_MOST_BYTES = 256 * 1024 * 1024
"""Of all texts of a release together."""
_MOST_FILES = 20_000
_OWN_NAMES = (".receipt.json",)
_OWN_KEY = '"signing_request_id"'
"""In receipts and in what `--json` prints: they name unsigned files on purpose."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A directory to look into; `is_deep`: and into those below it."""

    path: Path
    is_deep: bool = False


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The files of some directories that may describe others.

    Attributes:
        texts: each text that holds what may be a digest.
        belonging: each file whose name says that it belongs to another: its path, and that one's.
        left_out: what was not looked into, and why.
    """

    texts: Mapping[Path, Text]
    belonging: Mapping[Path, Path]
    left_out: tuple[str, ...] = ()

    @property
    def algorithms(self) -> set[str]:
        """The algorithms of all digests in the texts."""
        return {token.algorithm for text in self.texts.values() for token in tokens(text.text)}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A signed file, and the unsigned one; `before` are its size and digests."""

    unsigned: Path
    signed: Path
    before: FileDigests


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What describes a release.

    Attributes:
        outdated: the files that describe unsigned ones, and can't be brought up to date.
        updated: those that can; they are, where that was wanted.
        left_out: what was not looked into, and why.
    """

    outdated: tuple[Outdated[Path], ...]
    updated: tuple[Outdated[Path], ...]
    left_out: tuple[str, ...] = ()


def list_files(directories: Iterable[Directory]) -> Listing:
    """Read what may describe files."""
    texts: dict[Path, Text] = {}
    belonging: dict[Path, Path] = {}
    left_out: list[str] = []
    budget, number = _MOST_BYTES, 0
    for path, size in walk(directories, left_out):
        number += 1
        if number > _MOST_FILES:
            left_out.append(f"all but {_MOST_FILES} files")
            break
        if found := detached(path.name):
            belonging[path] = path.with_name(found[0])
        if size > _LARGEST_TEXT or size > budget:
            if _may_be_text(path):
                left_out.append(f"{path}: {size} bytes")
            continue
        try:
            data = read_bounded(path, most=_LARGEST_TEXT)
        except OSError as error:
            left_out.append(f"{path}: {error.strerror}")
            continue
        text = read_text(data) if data else None
        if data is None or text is None or _is_own(path, text.text):
            continue
        if next(tokens(text.text), None):
            budget -= len(data)
            texts[path] = text
    return Listing(texts=texts, belonging=belonging, left_out=tuple(left_out))


def hash_path(path: Path, algorithms: Iterable[str]) -> FileDigests:
    """Return the size and digests of a file.

    Raises:
        LocalFileError: it can't be read.
    """
    try:
        with open_regular(path) as file:
            return hash_file(file, set(algorithms))
    except OSError as error:
        raise LocalFileError(
            f"{path} can't be read: {error.strerror}.", hint="Check its permissions.", code="unreadable-file"
        ) from None


def hash_members(archive: Path) -> dict[Path, FileDigests]:
    """Return the size and all digests of each file in a ZIP, by its path in it; nothing where it is not a good one."""
    found: dict[Path, FileDigests] = {}
    try:
        with open_regular(archive) as file, open_archive(file) as opened:
            for entry in opened.entries:
                if not entry.is_directory:
                    with opened.open(entry) as member:
                        found[Path(entry.path)] = hash_file(member, ALGORITHMS)
    except (FormatError, OSError):  # verification says what is wrong with it
        return {}
    return found


def signed_file(path: Path, before: FileDigests | None) -> SignedFileDigests | None:
    """Return a signed file as it is published; `None` where it is the unsigned one.

    Args:
        path: the file.
        before: size and digests of the unsigned file; `None` where they are not known.

    Raises:
        LocalFileError: it can't be read.
    """
    after = hash_path(path, {"sha256", "sha512"})
    if before and before.digests["sha256"] == after.digests["sha256"]:
        return None
    return SignedFileDigests(
        path=path,
        size=after.size,
        sha256=after.digests["sha256"].hex(),
        sha512=after.digests["sha512"].hex(),
        unsigned_size=before.size if before else None,
        unsigned={name: digest.hex() for name, digest in before.digests.items()} if before else {},
    )


def offered(paths: Iterable[Path]) -> tuple[SignedFileDigests, ...]:
    """Return signed files as they are published; of a directory nothing is known."""
    return tuple(found for path in paths if path.is_file() and (found := signed_file(path, None)))


def finish(
    pairs: Sequence[Pair], listing: Listing, *, writable: Sequence[Directory] = (), fresh: Iterable[Path] = ()
) -> Finished:
    """Find what describes unsigned files, and bring it up to date in the directories where that is wanted.

    Args:
        pairs: the signed files.
        listing: what may describe them.
        writable: the directories in which files are replaced; elsewhere they are only found.
        fresh: files that belong to signed ones, and are known to be made of them.

    Raises:
        LocalFileError: a file can't be read or written.
    """
    changed = [(pair, change) for pair in pairs if (change := _change(pair))]
    changes = [change for _, change in changed]
    outdated: list[Outdated[Path]] = []
    new: dict[Path, bytes] = {}
    for path, pair in _block_maps([pair for pair, _ in changed], listing):
        before = hash_path(path, ALGORITHMS)
        data = _made_anew(path, pair.signed) if _is_in(path, writable) else None
        if data:
            new[path] = data
        if data or (not _is_in(path, writable) and _described_size(path) != pair.signed.stat().st_size):
            outdated.append(_whole(path))
        changes.append(Change(name=path.name, before=before, after=digests_of(data) if data else before))
    found = update(listing.texts, changes)
    new |= {path: data for path, data in found.contents.items() if _is_in(path, writable)}
    outdated += found.outdated
    described = {*_places(pair for pair, _ in changed), *new}
    fresh = {*fresh, *(path for path in listing.belonging if path.suffix == block_map.SUFFIX)}
    outdated += [_whole(path) for path, of in listing.belonging.items() if of in described and path not in fresh]
    for path, data in new.items():
        _write(path, data, writable)
    if writable:
        outdated = [one if one.path in new else _unwritten(one) for one in outdated]
    return Finished(
        outdated=tuple(sorted((one for one in outdated if _needs_hand(one)), key=lambda one: one.path)),
        updated=tuple(sorted((one for one in outdated if not _needs_hand(one)), key=lambda one: one.path)),
        left_out=listing.left_out,
    )


def _needs_hand(one: Outdated[Path]) -> bool:
    return any(stale.remedy for stale in one.stale)


def _change(pair: Pair) -> Change | None:
    after = hash_path(pair.signed, pair.before.digests)
    if after.digests == pair.before.digests:
        return None
    return Change(name=pair.unsigned.name, before=pair.before, after=after)


def _places(pairs: Iterable[Pair]) -> dict[Path, Pair]:
    """Return the pairs by where a file lies that belongs to one: beside the signed file, also under its first name."""
    return {place: pair for pair in pairs for place in (pair.signed, pair.signed.with_name(pair.unsigned.name))}


def _block_maps(pairs: Sequence[Pair], listing: Listing) -> Iterator[tuple[Path, Pair]]:
    """Return each block map with the pair that it belongs to."""
    of = _places(pairs)
    for path, described in listing.belonging.items():
        if path.suffix == block_map.SUFFIX and described in of and _described_size(path) is not None:
            yield path, of[described]


def _made_anew(path: Path, signed: Path) -> bytes | None:
    """Return the block map of a signed file; `None` where the one that is there says the same."""
    with disk_errors(path), open_regular(signed) as file:
        made = block_map.build(file)
        current = block_map.decode(read_bounded(path, most=block_map.LARGEST) or b"")
    return None if current == made else block_map.encode(made)


def _described_size(path: Path) -> int | None:
    """Return the size of the file that a block map describes; `None` where it is no block map."""
    try:
        data = read_bounded(path, most=block_map.LARGEST)
    except OSError:
        return None
    found = block_map.decode(data) if data else None
    try:
        return sum(int(size) for file in found["files"] for size in file["sizes"]) if found else None
    except (KeyError, TypeError, ValueError):
        return None


def _whole(path: Path) -> Outdated[Path]:
    """Return what is found of a file that has to be made anew as a whole."""
    of, remedy = detached(path.name) or (path.name, "")
    is_map = path.suffix == block_map.SUFFIX
    stale = Stale(of=of, what="content", remedy="" if is_map else remedy)
    return Outdated(path=path, format="block map" if is_map else "detached signature", stale=(stale,))


def _unwritten(one: Outdated[Path]) -> Outdated[Path]:
    remedy = "it lies elsewhere than the signed files, and is not changed"
    stale = tuple(Stale(of=stale.of, what=stale.what, remedy=stale.remedy or remedy) for stale in one.stale)
    return Outdated(path=one.path, format=one.format, stale=stale)


def _write(path: Path, data: bytes, writable: Sequence[Directory]) -> None:
    """Replace a file at once; its permissions stay.

    Raises:
        LocalFileError: it can't be written, or the way to it leads through a link now.
    """
    root = next(one.path for one in writable if _is_in(path, [one]))
    with disk_errors(path):
        if path.is_symlink() or path.parent.resolve() != root.resolve() / path.parent.relative_to(root):
            raise OSError(errno.ELOOP, "it is a link now", str(path))
        with beside(path) as file:
            file.write(data)
            file.sync()
            set_mode(file.path, local_mode(path))
            file.publish(path, replace=True)


def _is_in(path: Path, directories: Iterable[Directory]) -> bool:
    return any(one.path == path.parent or (one.is_deep and one.path in path.parents) for one in directories)


def fresh_beside(listing: Listing, directory: Path, unsigned: Path) -> list[Path]:
    """Return the files that belong to signed ones, and differ from those at the same path of another directory."""
    others = {path: unsigned / path.relative_to(directory) for path in listing.belonging}
    return [
        path
        for path, other in others.items()
        if other.is_file() and hash_path(other, ["sha256"]) != hash_path(path, ["sha256"])
    ]


def walk(directories: Iterable[Directory], left_out: list[str]) -> Iterator[tuple[Path, int]]:
    """Return the regular files of directories with their sizes, each once, without following links."""
    todo = list(directories)
    seen: set[tuple[Path, bool]] = set()
    files: set[Path] = set()
    while todo:
        directory = todo.pop()
        if (directory.path, directory.is_deep) in seen or (directory.path, True) in seen:
            continue
        seen.add((directory.path, directory.is_deep))
        if not directory.path.is_dir():  # it is made for the signed files
            continue
        try:
            entries = sorted(os.scandir(directory.path), key=lambda entry: entry.name)
        except OSError as error:
            left_out.append(f"{directory.path}: {error.strerror}")
            continue
        for entry in entries:
            path = directory.path / entry.name
            if is_temporary(path):
                continue  # of a run beside this one
            if entry.is_file(follow_symlinks=False) and path not in files:
                files.add(path)
                try:
                    size = entry.stat(follow_symlinks=False).st_size
                except OSError:  # it is gone meanwhile
                    continue
                yield path, size
            elif directory.is_deep and entry.is_dir(follow_symlinks=False):
                todo.append(Directory(path=path, is_deep=True))


def _is_own(path: Path, text: str) -> bool:
    return path.name.endswith(_OWN_NAMES) or (text.lstrip().startswith("{") and _OWN_KEY in text)


def _may_be_text(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return b"\0" not in file.read(8192)
    except OSError:
        return False

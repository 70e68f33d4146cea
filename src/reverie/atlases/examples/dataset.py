"""A data set: the pictures of a folder and below, each content once, told by their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from reverie.album import walked
from reverie.errors import InputError, choice
from reverie.files import READABLE
from reverie.store import sha256_of

_READERS = 8
_SUFFIXES = READABLE | {".npy"}


@dataclass(frozen=True)
class DataPicture:
    """A picture of a data set: its path below the folder, with `/` between, and the sha256 of its file."""

    path: str
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """The pictures of a folder.

    Attributes:
        folder: where they are, from the root: other processes read them too.
        pictures: each content once, by their hashes: so their order does not depend on names. A picture's number is its place here.
        duplicates: paths with the content of another, and that one's path. faults: paths that could not be read, and why.
    """

    folder: Path
    pictures: tuple[DataPicture, ...]
    duplicates: tuple[tuple[str, str], ...] = ()
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """A hash of the contents: the same where the pictures are the same, whatever they are called and wherever they are."""
        return sha256("".join(each.sha256 for each in self.pictures).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.pictures)

    def place(self, number: int) -> Path:
        """The file of a picture."""
        return self.folder / PurePosixPath(self.pictures[number].path)

    def sample(self, most: int) -> frozenset[int]:
        """The numbers of at most so many of them: since they are sorted by hash, an even part is a random one, and always the same."""
        step = max(1.0, len(self.pictures) / most)
        return frozenset(int(number * step) for number in range(min(most, len(self.pictures))))


def data_set(folder: Path) -> DataSet:
    """The data set in a folder and below. Every file is read once, for its hash; whether it is a picture comes to light in the pass.

    Raises:
        InputError: it is no folder, cannot be looked into, or has no picture.
    """
    found = walked(folder)
    paths = [each.path for each in found.files if PurePosixPath(each.path).suffix.lower() in _SUFFIXES]
    faults = [*found.faults.items()]
    if not paths:
        raise InputError(f"no picture in '{folder}', which {choice('dataset')} names", "pictures end in " + " ".join(sorted(READABLE)))
    with ThreadPoolExecutor(_READERS) as readers:
        digests = list(readers.map(lambda path: _digest(folder / PurePosixPath(path)), paths))
    first: dict[str, str] = {}
    duplicates: list[tuple[str, str]] = []
    for path, digest in zip(paths, digests, strict=True):
        if isinstance(digest, OSError):
            faults.append((path, f"cannot be read ({digest.strerror or digest})"))
        elif digest in first:
            duplicates.append((path, first[digest]))
        else:
            first[digest] = path
    pictures = tuple(DataPicture(first[digest], digest) for digest in sorted(first))
    if not pictures:
        raise InputError(f"no picture in '{folder}' can be read, first: {faults[0][0]} {faults[0][1]}", "ask for permission to read them")
    return DataSet(folder.absolute(), pictures, tuple(duplicates), tuple(faults))


def shards(numbers: int, size: int) -> Sequence[range]:
    """The numbers of pictures in parts of one size, the last of which may be smaller."""
    return [range(first, min(first + size, numbers)) for first in range(0, numbers, size)]


def _digest(place: Path) -> str | OSError:
    try:
        return sha256_of(place)
    except OSError as error:
        return error

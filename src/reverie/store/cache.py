"""What the cache holds, and making it smaller."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from reverie.errors import OutputError
from reverie.store.folders import cache_folder

# folder in the cache → what is in it
KINDS = {
    "inputs": "what went into pictures, so that `redo` can make them again",
    "features": "pictures of channels that `see` has shown",
    "weights": "weights that were downloaded",
    "normalisations": "what was said of networks of one's own",
    "scratch": "work on very large pictures",
}
_RECENT = 3600.0  # seconds; a hidden file that is younger may be somebody's who is writing it


@dataclass(frozen=True)
class Holding:
    """What one folder of the cache holds: so many files, of so many bytes in all."""

    kind: str
    files: int
    size: int
    what: str


@dataclass(frozen=True)
class _File:
    place: Path
    kind: str
    size: int
    changed: float


def holdings() -> list[Holding]:
    """Every folder of the cache, the known ones first; none where there is no cache."""
    found = list(_files())
    kinds = [*KINDS, *sorted({each.kind for each in found} - set(KINDS))]
    return [
        Holding(kind, len(own), sum(each.size for each in own), KINDS.get(kind, "of another version of Reverie"))
        for kind in kinds
        if (own := [each for each in found if each.kind == kind]) or kind in KINDS
    ]


def prune(kinds: Collection[str] = (), older_than: float | None = None, to: int | None = None) -> Holding:
    """Remove files from the cache, the oldest first, and say how many went and how large they were.

    Locks, and hidden files younger than an hour, stay: another process may be writing.

    Args:
        kinds: of these alone; none means of all.
        older_than: days since they were written.
        to: bytes that all files of these kinds together may keep.

    Raises:
        OutputError: a file may not be removed.
    """
    found = sorted((each for each in _files() if not kinds or each.kind in kinds), key=lambda each: each.changed)
    now, left = time.time(), sum(each.size for each in found)
    count = size = 0
    for each in found:
        old = older_than is None or now - each.changed > older_than * 86_400
        much = to is None or left > to
        if not (old and much) or _is_held(each, now):
            continue
        try:
            each.place.unlink()
        except FileNotFoundError:  # another process was faster
            continue
        except OSError as error:
            raise OutputError(f"'{each.place}' cannot be removed ({error.strerror})", "it may be in use: try again later") from error
        left, count, size = left - each.size, count + 1, size + each.size
    return Holding(", ".join(kinds), count, size, "")


def _files() -> Iterator[_File]:
    folder = cache_folder()
    for kind in sorted(folder.iterdir()) if folder.is_dir() else ():
        for place, _, names in os.walk(kind) if kind.is_dir() else ():
            for name in names:
                with contextlib.suppress(OSError):  # another process may be pruning
                    each = Path(place) / name
                    facts = each.lstat()
                    yield _File(each, kind.name, facts.st_size, facts.st_mtime)


def _is_held(file: _File, now: float) -> bool:
    hidden = file.place.name.startswith(".")
    return file.place.suffix == ".lock" or (hidden and now - file.changed < _RECENT)

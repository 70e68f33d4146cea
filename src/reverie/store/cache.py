"""What the cache holds, and making it smaller."""

from __future__ import annotations

import contextlib
import re
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from reverie.errors import OutputError
from reverie.store.content_by_hash import sha256_of
from reverie.store.paths import cache_folder

# folder in the cache → what is in it
KINDS = {
    "inputs": "what went into pictures, so that `redo` can make them again",
    "features": "pictures of channels that `see` and the studio have shown",
    "weights": "weights that were downloaded",
    "normalisations": "what was said of networks of one's own",
    "calibrations": "what networks have learnt to be known, so that `recognise` can say so",
    "scores": "scores of pictures, so that a gallery has them without computing them again",
    "scratch": "work on very large pictures",
    "albums": "indexes of folders of pictures, made again where they are missing",
}
# the names that we give. REVERIE_CACHE may name a folder with other people's things in it: those are not ours to count or remove
_SHELF = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64}|\.reverie-[0-9a-f]{16}\.part)")
_WEIGHTS = re.compile(r"[^/]+-([0-9a-f]{8,64})\.[^/]+")
_OURS = {
    "weights": re.compile(rf"{_WEIGHTS.pattern}|\.[^/]+\.(download|etag)"),  # locks stay: another process may hold one
    "scratch": re.compile(r"tmp[a-z0-9_]{8}"),  # where files without a name cannot be
    "albums": re.compile(r"[0-9a-f]{64}\.sqlite"),  # what SQLite and locks put beside them goes with the last process
}
_RECENT = 3600.0  # seconds; a hidden file that is younger may be somebody's who is writing it


@dataclass(frozen=True)
class Holding:
    """So many files of a kind, of so many bytes in all."""

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
        Holding(kind, len(own), sum(each.size for each in own), KINDS.get(kind, "not of this version of Reverie"))
        for kind in kinds
        if (own := [each for each in found if each.kind == kind]) or kind in KINDS
    ]


def prune(kinds: Collection[str] = (), older_than: float | None = None, to: int | None = None) -> Holding:
    """Remove files from the cache, the oldest first, and say how many went and how large they were.

    Locks, hidden files younger than an hour, and downloads that are going on stay: another process is writing.

    Args:
        kinds: of these alone; none means of all that there are now, and none of another version.
        older_than: days since they were last used.
        to: bytes that all files of these kinds together may keep.

    Raises:
        OutputError: files may not be removed; the others are.
    """
    found = sorted((each for each in _files() if each.kind in (kinds or KINDS)), key=lambda each: each.changed)
    now, left = time.time(), sum(each.size for each in found)
    count = size = 0
    refused: list[OSError] = []
    for each in found:
        old = older_than is None or now - each.changed > older_than * 86_400
        much = to is None or left > to
        if not (old and much) or _is_held(each, now) or not _is_what_it_says(each):
            continue
        try:
            each.place.unlink()
        except FileNotFoundError:  # another process was faster
            continue
        except OSError as error:
            refused.append(error)
            continue
        left, count, size = left - each.size, count + 1, size + each.size
    if refused:
        reason = f"{refused[0].strerror}, such as '{refused[0].filename}'"
        raise OutputError(
            f"removed {count} file{'s' * (count != 1)}, but {len(refused)} cannot be ({reason})", "they may be in use: try again later"
        )
    return Holding(", ".join(kinds), count, size, "")


def _files() -> Iterator[_File]:
    folder = cache_folder()
    for kind in sorted(folder.iterdir()) if folder.is_dir() else ():
        ours = _OURS.get(kind.name, _SHELF)
        deep = ("*", "[0-9a-f][0-9a-f]/*") if kind.is_dir() else ()
        for place in (each for pattern in deep for each in kind.glob(pattern) if ours.fullmatch(each.relative_to(kind).as_posix())):
            with contextlib.suppress(OSError):  # another process may be pruning
                facts = place.lstat()
                if stat.S_ISREG(facts.st_mode):
                    yield _File(place, kind.name, facts.st_size, facts.st_mtime)


def _is_held(file: _File, now: float) -> bool:
    if not file.place.name.startswith("."):
        return False
    return now - file.changed < _RECENT or _is_locked(file.place.with_suffix(".lock"))


def _is_what_it_says(file: _File) -> bool:
    """Of weights, whether they have the hash that is in their name: others are called like that too."""
    named = _WEIGHTS.fullmatch(file.place.name) if file.kind == "weights" and not file.place.name.startswith(".") else None
    return named is None or sha256_of(file.place).startswith(named[1])


def _is_locked(place: Path) -> bool:
    if not place.exists():
        return False
    try:
        with FileLock(place, timeout=0):
            return False
    except (Timeout, OSError):
        return True

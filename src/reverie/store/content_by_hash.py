"""Contents kept by their hash: inputs of recipes, and results that need not be made again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from reverie.errors import OutputError
from reverie.store.atomic import beside, made_folder, write_whole
from reverie.store.paths import cache_folder

_CHUNK = 1 << 20


def sha256_of(content: bytes | Path) -> str:
    """Hexadecimal sha256 of bytes, or of a file read piece by piece."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256()
    with content.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


class Kept:
    """Contents kept under their sha256 in a folder, so that a recipe can find its inputs again."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "inputs"

    def put(self, content: bytes | Path) -> str:
        """Keep `content`, or that of a file; the same content twice is one file, and one that is damaged is replaced."""
        digest = sha256_of(content)
        place = self._place(digest)
        if self.find(digest) is None:
            made_folder(place.parent, parents=True)
            if isinstance(content, bytes):
                write_whole(place, content, replace=True)
            else:
                with beside(place, replace=True) as part:
                    shutil.copyfile(content, part)
        return digest

    def put_all(self, contents: Iterable[bytes | Path]) -> tuple[str, ...]:
        """Keep what goes in; a note where that fails, which is no reason not to make the picture."""
        try:
            for content in contents:
                self.put(content)
        except OutputError as error:
            return (f"what went in is not kept for `redo`, which will need it again: {error.fault}",)
        return ()

    def find(self, digest: str) -> Path | None:
        """The file with this content, or None. A file whose content no longer has this hash is dropped."""
        place = self._place(digest)
        with contextlib.suppress(OSError):  # not there, or not to be read
            if sha256_of(place) == digest:
                used(place)
                return place
            place.unlink()
        return None

    def _place(self, digest: str) -> Path:
        return _among(self.folder, digest)


class Shelf:
    """Results kept in the cache under the hash of what they were made from, so that they need not be made again."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / name

    def put(self, made_from: str, content: bytes) -> None:
        """Keep `content`; what was kept before is replaced."""
        place = self._place(made_from)
        made_folder(place.parent, parents=True)
        write_whole(place, content, replace=True)

    def get(self, made_from: str) -> bytes | None:
        """What was kept, or None."""
        with contextlib.suppress(OSError):  # not there, or not to be read
            content = self._place(made_from).read_bytes()
            used(self._place(made_from))
            return content
        return None

    def _place(self, made_from: str) -> Path:
        return _among(self.folder, sha256_of(made_from.encode()))


def used(place: Path) -> None:
    """Note that a kept file was used now: `reverie cache` prunes by it."""
    with contextlib.suppress(OSError):  # only to be read
        os.utime(place)


def _among(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest

"""The list of a gallery: the hash of every picture and of the list, and whether all is still as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reverie.album import Entry, walked
from reverie.album.entries import hash_of, is_picture
from reverie.errors import InputError, UnsafeError
from reverie.judging.galleries.of_grid import missing_files
from reverie.store import sha256_of
from reverie.version import __version__

NAME = "manifest.json"
_LARGEST = 1 << 28  # bytes of a list: over a million pictures
_HASH = re.compile("[0-9a-f]{64}|")  # empty of a file that could not be read
_REMEDY = "make the gallery again, and compare with a copy that you trust"


@dataclass(frozen=True)
class Manifest:
    """What a gallery held when it was made.

    Attributes:
        folder: of the pictures, as seen from the gallery, with `/` between.
        pictures: the sha256 of each, by its path below the folder; empty of a file that could not be read.
        unseen: folders that were not looked into, and links to folders, by path, and why.
        page: the sha256 of each file of the gallery, by its path below it.
    """

    folder: str
    pictures: dict[str, str]
    unseen: dict[str, str] = field(default_factory=dict)
    page: dict[str, str] = field(default_factory=dict)

    @property
    def list_sha256(self) -> str:
        """Of the list: the folder, what was not looked into, and of each picture, by path, its sha256, a blank and its path as the file
        system has it; a zero byte after each."""
        lines = [self.folder, *sorted(self.unseen), *(f"{digest} {path}" for path, digest in sorted(self.pictures.items()))]
        return sha256_of(b"".join(each.encode(errors="surrogateescape") + b"\0" for each in lines))

    def text(self) -> str:
        """The file."""
        pictures = [{"path": path, "sha256": digest} for path, digest in sorted(self.pictures.items())]
        data = {
            "made": "gallery", "reverie": __version__, "folder": self.folder, "list_sha256": self.list_sha256, "count": len(pictures),
            "pictures": pictures, "unseen": self.unseen, "page": self.page,
        }  # fmt: skip
        return json.dumps(data, indent=1) + "\n"


@dataclass(frozen=True)
class Difference:
    """A picture that is not as it was listed.

    Attributes:
        path: where it is, or was where it is gone.
        was: of one that was renamed or moved, the path by which it was listed: a file there is gone, one with its bytes is new.
    """

    path: str
    state: Literal["removed", "added", "changed", "renamed"]
    was: str | None = None


def manifest_of(folder: str, entries: Iterable[Entry], unseen: dict[str, str]) -> Manifest:
    """The list of these pictures, not yet that of the files of the page."""
    return Manifest(folder, {each.path: each.sha256 for each in entries}, unseen)


def read_manifest(gallery: Path) -> Manifest | None:
    """The list of a gallery; None where a folder has none.

    Raises:
        InputError: there is one that cannot be read. UnsafeError: it is not what it says, by its own hash.
    """
    place = gallery / NAME
    try:
        if place.stat().st_size > _LARGEST:
            raise UnsafeError(f"'{place}' is larger than any list of pictures", "do not trust this file")
        data = json.loads(place.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"'{place}' cannot be read ({error.strerror or error})", "make the gallery again") from error
    except (ValueError, RecursionError) as error:
        raise UnsafeError(f"the list in '{place}' was changed: it is not JSON", _REMEDY) from error
    if not isinstance(data, dict) or data.get("made") != "gallery":
        return None
    found = _read(data)
    if found is None:
        raise UnsafeError(f"the list in '{place}' was changed: it is none as Reverie writes it", _REMEDY)
    if found.list_sha256 != data.get("list_sha256") or len(found.pictures) != data.get("count"):
        raise UnsafeError(f"the list in '{place}' was changed: it has another hash than it says", _REMEDY)
    return found


def claims(gallery: Path) -> str | None:
    """The folder whose gallery a folder says to be, though its list was changed since; None where it says no such thing. It tells whose the
    page is that may be replaced, and nothing of what is shown there."""
    place = gallery / NAME
    try:
        data = json.loads(place.read_bytes()) if place.stat().st_size <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    folder = data.get("folder") if isinstance(data, dict) and data.get("made") == "gallery" else None
    return folder if isinstance(folder, str) and "\0" not in folder else None


def check_page(manifest: Manifest, gallery: Path) -> None:
    """Raise UnsafeError where the page of a gallery was changed, so that it may show other than is listed."""
    for name, digest in manifest.page.items():
        place = gallery / name
        if hash_of(place) != digest:
            what = "was changed since the gallery was made" if place.exists() else "is gone"
            raise UnsafeError(f"'{place}' {what}", _REMEDY)


def verified(manifest: Manifest, folder: Path) -> list[Difference]:
    """What is not as it was listed, by path. Every byte is read again: neither size nor time is trusted. Of a grid its own list counts
    too, so that what was gone already when the gallery was made is told as removed.

    Raises:
        InputError: the folder is not there.
    """
    there = walked(folder)
    found = {each.path for each in there.files if each.path in manifest.pictures or is_picture(folder, each.path)}
    removed = {path: digest for path, digest in manifest.pictures.items() if path not in found}
    added = sorted(path for path in found if path not in manifest.pictures)
    renamed = _renamed(removed, {path: hash_of(folder / path) for path in added} if removed else {})
    states = [Difference(path, "renamed", was) for path, was in renamed.items()]
    states += [Difference(path, "removed") for path in removed.keys() - renamed.values()]
    states += [Difference(path, "added") for path in added if path not in renamed]
    states += [Difference(path, "added") for path in there.faults if path not in manifest.unseen]
    states += [
        Difference(path, "changed") for path, digest in manifest.pictures.items() if path in found and hash_of(folder / path) != digest
    ]
    told = {each.path for each in states} | {each.was for each in states}
    states += [Difference(path, "removed") for path in missing_files(folder) if path not in told]
    return sorted(states, key=lambda each: each.path)


def _renamed(removed: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    """By path of a new picture, that of the one that is gone and had its bytes; each is one of a pair. Of both: sha256, by path."""
    gone: dict[str, list[str]] = {}
    for path in sorted(removed, reverse=True):
        gone.setdefault(removed[path], []).append(path)
    return {path: gone[digest].pop() for path, digest in added.items() if digest and gone.get(digest)}


def _read(data: dict[str, Any]) -> Manifest | None:
    try:
        pictures = {each["path"]: each["sha256"] for each in data["pictures"]}
        found = Manifest(data["folder"], pictures, data["unseen"], data["page"])
        texts = [found.folder, *pictures, *found.unseen, *found.unseen.values(), *found.page]
        hashes = [*pictures.values(), *found.page.values()]
        whole = all(isinstance(each, str) for each in (*texts, *hashes)) and all(_HASH.fullmatch(each) for each in hashes)
        inside = all(_is_below(each) for each in (*pictures, *found.page))
    except (LookupError, TypeError, AttributeError):
        return None
    return found if whole and inside and len(pictures) == len(data["pictures"]) else None


def _is_below(path: str) -> bool:
    """Whether a path leads nowhere but into its folder."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\0" not in path

"""The folder of a gallery: its page, the shards, the list; made anew as a whole, and never over what is not a gallery."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from reverie.album import Album, Changes
from reverie.album.grid_listing import NAME as GRID
from reverie.errors import InputError, OutputError, ReverieError, UnsafeError, choice
from reverie.judging.galleries.known import Known, known_of, rankings, with_kept_scores
from reverie.judging.galleries.manifest import NAME, Manifest, claims, manifest_of, read_manifest
from reverie.judging.galleries.of_grid import SeenGrid, damage_of, seen_grid
from reverie.judging.galleries.page import PARTS, details, page, thumbs
from reverie.judging.galleries.starred import Starred, starred
from reverie.store import check_place, is_folder, made_folder, sha256_of, write_whole

PAGE, STARS = "index.html", "stars.json"
MOST_STARS = 5
_PART = re.compile(rf"{PARTS}/(details|thumbs)-\d+-[0-9a-f]{{12}}\.js")
_LARGEST = 1 << 26  # bytes of a file of stars


class GalleryFolder:
    """Where a gallery of a folder goes.

    Args:
        place: of the gallery. It may lie in the folder of the pictures: nothing that is written there is taken for one.
        folder: of the pictures.

    Attributes:
        pictures: what is known of each, once it is written. sheets: the same of sheets, which are counted apart.
        grid: what is there of the grid of the folder; None where it is none. damage: what is wrong with the list of its grid, or empty.
        changes: what the album found.
        manifest: the list, once it is written.
        stars: how many pictures have stars in the file beside the page. starred: what these say of the scores.
    """

    def __init__(self, place: Path, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.pictures: list[Known] = []
        self.sheets: list[Known] = []
        self.grid: SeenGrid | None = None
        self.damage = ""
        self.stars = 0
        self.starred: Starred | None = None
        self.changes = Changes()
        self.manifest: Manifest | None = None

    def ready(self, force: bool) -> None:
        """Find out now whether it can be written: over nothing, an empty folder, or an earlier gallery of the same folder.

        Raises:
            OutputError: something else is there, or it cannot be made.
        """
        there = os.path.lexists(self.place)
        if there and not is_folder(self.place):
            raise OutputError(f"'{self.place}' is not a folder", f"give the name of one with {choice('output')}")
        if there and not force and not self._holds_parts_alone():
            before = claims(self.place)
            if before is None or (self.place / before).resolve() != self.folder.resolve():
                what = "holds other things" if before is None else "is the gallery of another folder"
                raise OutputError(f"'{self.place}' {what}", f"give {choice('force')} to write into it, or another name")
        check_place(self.place / PAGE if there else self.place)

    def _holds_parts_alone(self) -> bool:
        """Whether nothing is there but parts of a gallery, as of one that was killed before its page was written, and stars."""
        parts = {self.place / PARTS, self.place / STARS}
        inside = self.place / PARTS
        return all(each in parts for each in self.place.iterdir()) and (
            not inside.is_dir() or all(_PART.fullmatch(f"{PARTS}/{each.name}") for each in inside.iterdir())
        )

    def tampered(self) -> str:
        """What is wrong with the list of the gallery that is there already; empty where nothing is, or there is none."""
        try:
            read_manifest(self.place)
        except ReverieError as error:
            return error.fault
        return ""

    def before(self) -> Manifest | None:
        """The list of the gallery that is there already; None where there is none that can be read."""
        try:
            return read_manifest(self.place)
        except ReverieError:
            return None

    def write(self, album: Album, told: Callable[[int, int], None] | None = None) -> Path:
        """Bring the album up to date and write the gallery: shards under new names, then the page, then the list. Whoever looks
        meanwhile, or after a kill, sees the gallery before, or this one.

        Args:
            told: as of `Album.update`.

        Raises:
            InputError: the folder cannot be looked into, or holds no pictures. OutputError: the gallery cannot be written.
        """
        self.changes = album.update(told)
        found = [known_of(each) for each in album.entries()]
        self.grid, self.damage = self._grid(found)
        others = album.count("other") - self._own()
        self.sheets = [each for each in found if each.kind == "sheet"]
        self.pictures = with_kept_scores([each for each in found if each.kind != "sheet"])
        if not found:
            count = others + album.count("film")
            beside = f", only {count} other file{'s' * (count != 1)}" if count else ""
            raise InputError(f"no pictures in '{self.folder}' or below{beside}", "give the folder that they are in")
        stars = self._stars()
        self.stars = sum(each.entry.sha256 in stars for each in self.pictures)
        self.pictures, self.starred = starred(self.pictures, stars)
        made_folder(self.place)
        made_folder(self.place / PARTS)
        folder = _seen_from(self.place, self.folder)
        files: dict[str, str] = {}
        images = (album.thumbnail(each.entry.path) for each in self.pictures)
        names = {
            "details": self._written("details", details(self.pictures, folder), files),
            "thumbs": self._written("thumbs", thumbs(images, len(self.pictures)), files),
        }
        listed = manifest_of(folder, (each.entry for each in found), self.changes.faults)
        about: dict[str, Any] = {
            **names, "list_sha256": listed.list_sha256, "stars": stars, "starred": self.starred,
            "sheets": self.sheets, "folder": folder, "grid": self.grid, "damage": self.damage,
            "unseen": self.changes.faults, "films": album.count("film"), "others": others,
        }  # fmt: skip
        content = page(self.folder.resolve().name or str(self.folder), self.pictures, rankings(self.pictures), about).encode()
        write_whole(self.place / PAGE, content, replace=True)
        self.manifest = replace(listed, page={PAGE: sha256_of(content), **files})
        write_whole(self.place / NAME, self.manifest.text().encode(), replace=True)
        for each in (self.place / PARTS).iterdir():
            if _PART.fullmatch(f"{PARTS}/{each.name}") and f"{PARTS}/{each.name}" not in files:
                each.unlink(missing_ok=True)
        return self.place / PAGE

    def _grid(self, found: list[Known]) -> tuple[SeenGrid | None, str]:
        """What is there of the grid, and what is wrong with its list."""
        try:
            return seen_grid(self.folder, found), ""
        except InputError as error:
            return None, damage_of(error, self.folder)

    def _own(self) -> int:
        """How many files the album has seen that are Reverie's own: the list of a grid, and an earlier gallery among the pictures."""
        listing = int((self.folder / GRID).is_file() and (self.grid is not None or bool(self.damage)))
        if not self.place.resolve().is_relative_to(self.folder.resolve()):
            return listing
        parts = self.place / PARTS
        inside = [each for each in parts.iterdir() if _PART.fullmatch(f"{PARTS}/{each.name}")] if parts.is_dir() else []
        return listing + sum(each.is_file() for each in (self.place / PAGE, self.place / NAME, self.place / STARS, *inside))

    def _written(self, kind: str, shards: Iterable[str], files: dict[str, str]) -> list[str]:
        """Write shards that are not there yet, and say what they are called."""
        names = []
        for number, text in enumerate(shards):
            content = text.encode()
            digest = sha256_of(content)
            names.append(f"{PARTS}/{kind}-{number:03}-{digest[:12]}.js")
            files[names[-1]] = digest
            place = self.place / names[-1]
            if not place.is_file() or sha256_of(place) != digest:
                write_whole(place, content, replace=True)
        return names

    def _stars(self) -> dict[str, int]:
        """What a person gave, by the sha256 of the picture, as the page saved it; none where there is no such file.

        Raises:
            InputError: there is one that cannot be used.
        """
        place = self.place / STARS
        if not place.is_file():
            return {}
        try:
            data = json.loads(place.read_bytes()) if place.stat().st_size <= _LARGEST else None
            stars = data["stars"] if isinstance(data, dict) and data.get("made") == "stars" else None
        except (OSError, ValueError, LookupError, RecursionError):
            stars = None
        if not isinstance(stars, dict) or not all(type(each) is int and 1 <= each <= MOST_STARS for each in stars.values()):
            raise InputError(f"'{place}' holds no stars as the page saves them", "save them again from the page, or move this file away")
        return {digest: count for digest, count in stars.items() if re.fullmatch("[0-9a-f]{64}", digest)}


def holds_its_gallery(folder: Path) -> bool:
    """Whether the gallery of a folder lies in the folder itself, as that of a grid does; its list may have been changed since."""
    before = claims(folder)
    return before is not None and (folder / before).resolve() == folder.resolve()


def found_gallery(folder: Path, place: Path) -> tuple[Path, Path, Manifest]:
    """The gallery that is meant by a folder: its own, where it is one, else the one at `place`; the folder of its pictures, and its list.

    Raises:
        InputError: there is none, or that of another folder. UnsafeError: its list was changed, or is gone.
    """
    own = read_manifest(folder)
    if own is not None:
        return folder, folder / own.folder, own
    if (folder / PAGE).is_file() and (folder / PARTS).is_dir():
        raise UnsafeError(f"'{folder}' holds the page of a gallery, and its list, {NAME}, is gone", "make the gallery again")
    found, remedy = read_manifest(place), f"make one: reverie gallery {folder}; or name it with {choice('output')}"
    if found is None:
        raise InputError(f"no gallery of '{folder}' at '{place}'", remedy)
    if (place / found.folder).resolve() != folder.resolve():
        raise InputError(f"no gallery of '{folder}': that at '{place}' is of another folder", remedy)
    return place, folder, found


def _seen_from(place: Path, folder: Path) -> str:
    """The way from the gallery to the pictures, with `/` between; the whole path where there is no way."""
    try:
        return PurePath(os.path.relpath(folder.resolve(), place.resolve())).as_posix()
    except ValueError:  # on another drive
        return folder.resolve().as_posix()

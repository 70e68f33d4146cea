"""Everything that was made, as the page shows it: the album of the studio's pictures, with what people say of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from reverie.album import Album, Entry, camera_at, recipe_at
from reverie.album.grid_listing import NAME as GRID
from reverie.album.grid_listing import read_listing, sizes_in_words
from reverie.errors import InputError, ReverieError, printable
from reverie.judging.galleries import framed_page
from reverie.judging.galleries.known import Known, known_of
from reverie.store import sha256_of
from reverie.studio.server.marks import Marks

Answer = TypeVar("Answer")
_PAGE = re.compile(r"-(seen|asked)(?:-\d+)?\.html$")  # as the queue calls the pages of `see` and `ask`
SORTS = ("new", "old", "name", "stars")
_FRESH = 1.0  # seconds in which the folder is not looked through again


@dataclass(frozen=True)
class Made:
    """A file of the gallery, or a grid, which is a folder.

    Attributes:
        id: by which clients name it, opaque; another content has another.
        known: what its file says, and its recipe; of a grid that of its list.
        kind: `picture`, `film`, `page` or `grid`.
    """

    id: str
    known: Known
    kind: str

    @property
    def entry(self) -> Entry:
        return self.known.entry

    @property
    def name(self) -> str:
        """For people: without the suffix."""
        return printable(Path(self.path).name if self.kind == "grid" else Path(self.path).stem)

    @property
    def path(self) -> str:
        """Below the folder of the gallery."""
        return str(PurePosixPath(self.entry.path).parent) if self.kind == "grid" else self.entry.path


class Gallery:
    """The album of a folder and the marks beside it. An album belongs to a thread, so one thread does it all, for whoever asks.

    Args:
        folder: of the pictures.
    """

    def __init__(self, folder: Path, marks: Marks) -> None:
        self.folder, self.marks = folder, marks
        self._thread = ThreadPoolExecutor(1, "gallery")
        self._album: Album | None = None
        self._looked = 0.0
        self._made: dict[str, Made] = {}
        self._ids: dict[str, str] = {}  # by path
        self._within: dict[str, list[Made]] = {}  # what each grid holds, by its id
        self._known = lru_cache(maxsize=20_000)(self._told_by)

    def close(self) -> None:
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def look(self) -> None:
        """Look through the folder now: something was made or has gone."""
        self._do(lambda: self._look(now=True))

    def all(self) -> list[Made]:
        """Every picture, film, page and grid, the newest first; what a grid holds too."""

        def listed() -> list[Made]:
            self._look()
            return sorted(self._made.values(), key=lambda each: (-each.entry.changed, each.entry.path))

        return self._do(listed)

    def find(self, id: str) -> Made | None:
        """What has this id."""

        def found() -> Made | None:
            self._look()
            return self._made.get(id)

        return self._do(found)

    def ids_of(self, path: str) -> list[str]:
        """The id of what lies at a path below the folder, or of everything in the folder that lies there where it is no grid."""

        def found() -> list[str]:
            for now in (False, True):
                self._look(now)
                if path in self._ids:
                    return [self._ids[path]]
                if below := [id for other, id in self._ids.items() if other.startswith(f"{path}/")]:
                    return below
            return []

        return self._do(found)

    def with_content(self, sha256: str) -> Made | None:
        """A picture with this content."""
        return next((each for each in self.all() if each.entry.sha256 == sha256), None)

    def thumbnail(self, made: Made) -> bytes:
        """In WebP; of a grid its sheet's. Empty where the album has none, as of films."""

        def found() -> bytes:
            shown = [made] if made.kind != "grid" else sorted(self._within.get(made.id, []), key=lambda each: each.known.kind != "sheet")
            return next((small for each in shown if (small := self._opened().thumbnail(each.entry.path))), b"")

        return self._do(found)

    def place(self, made: Made) -> Path:
        return self.folder / made.path

    def within(self, grid: Made) -> list[Made]:
        """What a grid holds, by path: pictures, and sheets."""
        return self._do(lambda: self._within.get(grid.id, []))

    def page(self, grid: Made, sheet: Callable[[Path], str]) -> str:
        """The page of a grid, whole in itself.

        Args:
            sheet: makes a data URI of a sheet.
        """
        held, stars = self.within(grid), self.marks.stars()
        known = [replace(each.known, entry=replace(each.entry, path=each.path.removeprefix(f"{grid.path}/"))) for each in held]
        return framed_page(
            self.place(grid), known, dict(zip((each.entry.path for each in known), map(self.thumbnail, held), strict=True)),
            {each.entry.sha256: stars[each.id] for each in held if each.id in stars}, sheet,
        )  # fmt: skip

    # ── as the page gets it ──────────────────────────────────────────────────────────────────────────────────────────────

    def rows(
        self, *, sort: str = "new", command: str = "", preset: str = "", words: str = "", grid: str = "", offset: int = 0, limit: int = 60
    ) -> dict[str, Any]:
        """Some of those that fit, how many there are, and how many pictures the grids among them hold. A grid is one; it fits where it
        does itself, or something that it holds.

        Args:
            sort: one of `SORTS`. command, preset: that made them. words: each of which stands in the name, the recipe in words or the note.
            grid: the id of one, of which all that it holds is meant.
        """
        stars, notes = self.marks.stars(), self.marks.notes()
        wanted = words.casefold().split()

        def fits(made: Made) -> bool:
            return fits_itself(made) or any(fits_itself(each) for each in holds.get(made.id, ()))

        def fits_itself(made: Made) -> bool:
            text = f"{made.name}\n{made.known.words}\n{notes.get(made.id, '')}".casefold()
            return command in ("", made.known.kind) and preset in ("", made.known.preset) and all(each in text for each in wanted)

        everything = self.all()
        holds = self._do(lambda: self._within)
        inside = {each.id for some in holds.values() for each in some}
        kept = {each.id for each in holds.get(grid, ())}
        found = [each for each in everything if (each.id in kept if grid else each.id not in inside) and fits(each)]
        if sort == "old":
            found.reverse()
        elif sort == "name":
            found.sort(key=lambda each: (each.name.casefold(), each.entry.path))
        elif sort == "stars":
            found.sort(key=lambda each: -stars.get(each.id, 0))
        part = found[offset : offset + limit]
        return {
            "total": len(found), "grids": sum(each.kind == "grid" for each in found),
            "held": sum(_pictures(holds.get(each.id, ())) for each in found),
            "pictures": [self._row(each, stars.get(each.id, 0), notes.get(each.id, "")) for each in part],
        }  # fmt: skip

    def told(self, made: Made) -> dict[str, Any]:
        """Everything that is known of one."""
        known, recipe = made.known, made.known.recipe
        row = self._row(made, self.marks.stars().get(made.id, 0), self.marks.notes().get(made.id, ""))
        return row | {
            "recipe": None if recipe is None else json.loads(recipe.text()),
            "apart": [{"field": field, "value": _plain(value), "usual": _plain(usual)} for field, value, usual in known.apart],
            "networks": known.networks, "layers": known.layers, "classes": known.classes, "scores": known.scores, "steps": known.steps,
            "grid": self._grid_of(made), "bytes": made.entry.size, "notes": made.entry.notes, "fault": made.entry.fault,
        }  # fmt: skip

    def _grid_of(self, made: Made) -> dict[str, str] | None:
        """The grid that holds it."""
        holds = self._do(lambda: self._within)
        found = next((self._made.get(id) for id, some in holds.items() if any(each.id == made.id for each in some)), None)
        return None if found is None else {"id": found.id, "name": found.name}

    def _row(self, made: Made, stars: int, note: str) -> dict[str, Any]:
        entry, known = made.entry, made.known
        return {
            "id": made.id, "name": made.name, "width": entry.width, "height": entry.height, "words": known.words, "command": known.kind,
            "preset": known.preset, "made": entry.changed / 1e9, "stars": stars, "note": note, "faulty": bool(entry.fault),
            "kind": made.kind, "sha256": entry.sha256, "holds": _pictures(self._within.get(made.id, ())) if made.kind == "grid" else None,
        }  # fmt: skip

    # ── in the album's thread ────────────────────────────────────────────────────────────────────────────────────────────

    def _do(self, work: Callable[[], Answer]) -> Answer:
        return self._thread.submit(work).result()

    def _opened(self) -> Album:
        if self._album is None:
            self._album = Album(self.folder)
        return self._album

    def _close(self) -> None:
        if self._album is not None:
            self._album.__exit__(None, None, None)
            self._album = None

    def _look(self, now: bool = False) -> None:
        if not now and time.monotonic() < self._looked + _FRESH:
            return
        changes = self._opened().update()
        if changes.added or changes.changed or changes.removed or not self._looked:
            found = [made for each in self._opened().entries("picture", "unreadable", "film", "other") if (made := self._of(each))]
            self._made, self._ids = {each.id: each for each in found}, {each.path: each.id for each in found}
            self._within = _held(found)
        self._looked = time.monotonic()

    def _of(self, entry: Entry) -> Made | None:
        is_grid = entry.state == "other" and entry.path.endswith(f"/{GRID}") and _is_listing(self.folder / entry.path)
        if entry.state == "other" and not is_grid and not _PAGE.search(entry.path):
            return None
        if not (self.folder / entry.path).resolve().is_relative_to(self.folder.resolve()):  # a link to elsewhere is no picture of ours
            return None
        kind = "grid" if is_grid else {"film": "film", "other": "page"}.get(entry.state, "picture")
        content = entry.sha256 or f"{entry.size} {entry.changed}"
        return Made(sha256_of(f"{content}\0{entry.path}".encode(errors="surrogateescape"))[:24], self._known(entry), kind)

    def _told_by(self, entry: Entry) -> Known:
        """What its file says; of a film its recipe is read here, since the album knows none."""
        if entry.state == "film" and (words := camera_at(self.folder / entry.path)) is not None:
            return Known(entry, words=words, kind="camera")
        if entry.state == "film" and (recipe := recipe_at(self.folder / entry.path)) is not None:
            entry = replace(entry, recipe=recipe.text(), width=recipe.width, height=recipe.height)
        if entry.state == "other" and entry.path.endswith(f"/{GRID}"):
            listing = read_listing((self.folder / entry.path).parent)
            return Known(entry, words="a grid" if listing is None else f"a grid of {sizes_in_words(listing.axes)}", kind="grid")
        page = _PAGE.search(entry.path) if entry.state == "other" else None
        if page:
            what, words = {"seen": ("see", "what each layer made of a picture"), "asked": ("ask", "what networks see in pictures")}[page[1]]
            return Known(entry, words=words, kind=what)
        try:
            return known_of(entry)
        except ReverieError:  # of a later Reverie, which the index has kept
            return Known(entry, words=entry.words)


def _is_listing(place: Path) -> bool:
    """Whether a file is the list of a grid. What a damaged one lists is shown singly."""
    try:
        return read_listing(place.parent) is not None
    except InputError:
        return False


def _held(found: Sequence[Made]) -> dict[str, list[Made]]:
    """What each grid holds, by its id; of a grid in the folder of another, that other one holds it."""
    grids = {each.path: each for each in found if each.kind == "grid"}
    held: dict[str, list[Made]] = {each.id: [] for each in grids.values()}
    for made in found:
        *_, outermost = (None, *(folder for folder in map(str, PurePosixPath(made.path).parents) if folder in grids))
        if outermost is not None:
            held[grids[outermost].id].append(made)
    return held


def _pictures(held: Sequence[Made]) -> int:
    """How many of what a grid holds are pictures, and not its sheets."""
    return sum(each.kind == "picture" and each.known.kind != "sheet" for each in held)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)

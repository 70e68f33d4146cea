"""What is known of one file of a folder: whether it is a picture, what it shows, how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image

from reverie import files
from reverie.album.walking import Found
from reverie.errors import ReverieError, printable
from reverie.files.films.reading import READABLE_FILMS
from reverie.files.input_files import READABLE, kind_of, reading
from reverie.recipe import Recipe, on_sheet, read
from reverie.recipe.description import summary
from reverie.store import sha256_of

State = Literal["picture", "unreadable", "film", "other"]
SIDE = 192  # pixels of the longer side of a thumbnail
_QUALITY = 74  # 0..100, of WebP
_SNIFFED = {"JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000"}  # not BMP: two letters, with which texts begin too


@dataclass(frozen=True)
class Entry:
    """A file as the album knows it.

    Attributes:
        path: below the folder, with `/` between; bytes that are no text as Python's `surrogateescape` has them.
        size: bytes. changed: when the file was last changed, in nanoseconds since 1970.
        state: a picture; one that is `unreadable`; a `film`; or any `other` file.
        fault: why it cannot be read; of a picture why its recipe cannot be used; empty where all is well.
        sha256: of the file; empty where it could not be read at all, and of what is no picture.
        width, height: pixels, upright; 0 where they are not known.
        recipe: its text, sound; empty where there is none.
        words: the recipe in words, or that it is a sheet; empty of pictures that Reverie did not make.
        notes: how the picture was understood, where that may surprise.
    """

    path: str
    size: int
    changed: int
    state: State = "other"
    fault: str = ""
    sha256: str = ""
    width: int = 0
    height: int = 0
    recipe: str = ""
    words: str = ""
    notes: str = ""

    def read_recipe(self) -> Recipe | None:
        """The recipe; None where there is none."""
        return read(self.recipe) if self.recipe else None


@dataclass(frozen=True)
class Look:
    """What a look at a file found: the entry, by which words it is found again, and a thumbnail in WebP, empty where there is none."""

    entry: Entry
    tags: tuple[tuple[str, str], ...] = ()
    thumbnail: bytes = b""


def is_picture(folder: Path, path: str) -> bool:
    """Whether a file is a picture by its name, damaged or not, or by how it begins."""
    place = folder / path
    if place.suffix.lower() in READABLE:
        return True
    try:
        with reading(place) as file:
            return kind_of(file.read(64)) in _SNIFFED
    except ReverieError:
        return False


def look(folder: Path, found: Found) -> Look:
    """Look at a file, as a stranger's: what cannot be read is an entry that says so, and nothing is raised."""
    place = folder / found.path
    if not is_picture(folder, found.path):
        return Look(_entry(found, state="film" if place.suffix.lower() in READABLE_FILMS else "other"))
    try:
        decoded = files.read(place, fit=SIDE)
    except ReverieError as error:
        return Look(_entry(found, state="unreadable", fault=_why(error, place), sha256=hash_of(place)))
    except MemoryError:
        return Look(_entry(found, state="unreadable", fault="needs more memory than is free", sha256=hash_of(place)))
    height, width = decoded.size
    facts: dict[str, object] = {"sha256": decoded.sha256, "width": width, "height": height, "notes": "; ".join(decoded.notes)}
    made = _made(decoded.content, place)
    return Look(_entry(found, state="picture", **facts, **made[0]), made[1], _thumbnail(decoded))


def _entry(found: Found, **facts: object) -> Entry:
    return Entry(found.path, found.size, found.changed, **facts)  # type: ignore[arg-type]


def _made(content: bytes, place: Path) -> tuple[dict[str, object], tuple[tuple[str, str], ...]]:
    """What its recipe says, if it has one."""
    try:
        text = files.recipe_text(content, str(place))
        if text is None:
            return {}, ()
        on = on_sheet(text)
        if on is not None:
            return {"words": f"a sheet of {len(on)} pictures" if on else "a sheet of pictures"}, (("command", "sheet"),)
        recipe = read(text)
        return {"recipe": recipe.text(), "words": summary(recipe)}, tuple(dict.fromkeys(_tags(recipe)))
    except ReverieError as error:
        return {"fault": _why(error, place)}, ()


def _tags(recipe: Recipe) -> list[tuple[str, str]]:
    terms = recipe.target.terms
    return [
        ("command", recipe.command),
        *(("network", each.name) for each in recipe.networks),
        *(("layer", each.layer) for each in terms if each.label is None),
        *(("class", each.label) for each in terms if each.label is not None),
        *(("input", digest) for digest in recipe.contents),
    ]


def _thumbnail(decoded: files.Decoded) -> bytes:
    rgb = decoded.rgb if decoded.rgb.itemsize == 1 else (decoded.rgb >> 8).astype("uint8")  # (H, W, 3)
    image = Image.fromarray(rgb)
    if decoded.alpha is not None:
        image.putalpha(Image.fromarray(decoded.alpha if decoded.alpha.itemsize == 1 else (decoded.alpha >> 8).astype("uint8")))
    image.thumbnail((SIDE, SIDE), reducing_gap=3.0)
    out = BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=2)
    return out.getvalue()


def hash_of(place: Path) -> str:
    """The sha256 of a file; empty of what is none, or cannot be read."""
    try:
        return sha256_of(place) if place.is_file() else ""  # a pipe may never end
    except OSError:
        return ""


def _why(error: ReverieError, place: Path) -> str:
    """The fault without the name, which stands beside it."""
    return printable(error.fault.removeprefix(f"'{place}' ").removeprefix(f"'{printable(place)}' "))

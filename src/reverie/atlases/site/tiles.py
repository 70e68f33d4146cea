"""Sheets of small pictures: of many that a page shows few files are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath

from PIL import Image

from reverie.atlases.site.known import Values
from reverie.atlases.site.writing import SiteWriter

SIDE, ACROSS = 88, 8  # pixels of a tile; tiles across a sheet, and down
PER_SHEET = ACROSS * ACROSS
_QUALITY = 74


def write_sheets(writer: SiteWriter, folder: Path, below: str, pictures: Sequence[str | None], digests: Mapping[str, str]) -> None:
    """Sheets of pictures in their order, as `tiles-0.webp` …; a tile is clear where there is no picture yet.

    Args:
        folder: of the atlas. below: where in it they go.
        pictures: paths below the folder. digests: hashes of them by their paths: a sheet is made anew where one of its own has changed.
    """
    for first in range(0, len(pictures), PER_SHEET):
        mine = {at: path for at, path in enumerate(pictures[first : first + PER_SHEET]) if path is not None}
        if mine:
            rows = -(-min(PER_SHEET, len(pictures) - first) // ACROSS)
            key = f"{SIDE} {ACROSS} {_QUALITY} {rows} {[(at, digests.get(path, '')) for at, path in mine.items()]}"
            writer.file(f"{below}/{_name(first)}", key, partial(_sheet, folder, mine, rows))


def tile(at: int, count: int, has_picture: bool) -> Values:
    """Where a small picture is: its sheet, its column and row there, and how many rows the sheet has; no sheet where it has no picture."""
    first = at - at % PER_SHEET
    rows = -(-min(PER_SHEET, count - first) // ACROSS)
    return {"sheet": _name(first) if has_picture else None, "x": at % ACROSS, "y": (at - first) // ACROSS, "rows": rows}


def _name(first: int) -> str:
    return f"tiles-{first // PER_SHEET}.webp"


def _sheet(folder: Path, paths: Mapping[int, str], rows: int) -> bytes:
    sheet = Image.new("RGBA", (ACROSS * SIDE, rows * SIDE))
    for at, path in paths.items():
        with Image.open(folder / PurePosixPath(path)) as image:
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (at % ACROSS * SIDE, at // ACROSS * SIDE))
    out = BytesIO()
    sheet.save(out, "WEBP", quality=_QUALITY, method=2)
    return out.getvalue()

"""Several pictures on one: side by side as a strip, or as a contact sheet with a label under each."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from reverie.errors import UsageError
from reverie.pictures.resizing import resize

GROUND, EMPTY = 22, 32  # neutral greys of 0..255, so that they lend no colour to the pictures
TITLE, LABEL, FAINT = 236, 200, 118
NEVER = "never fired"
MOST = 1000

# the letters of Pillow's own face are ASCII and a few more
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "×": "x", "→": ">", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"'} | {
    "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "ı": "i",
})  # fmt: skip


def strip(frames: tuple[Tensor, ...], height: int = 240, gap: int = 8) -> Tensor:
    """Pictures (3, H, W) side by side, in reading order, on black: (3, height, W')."""
    scaled = [resize(each, height, max(1, round(each.shape[2] * height / each.shape[1]))) for each in frames]
    columns = min(len(scaled), max(1, math.ceil(math.sqrt(len(scaled) * 2))))
    width = scaled[0].shape[2]
    rows = math.ceil(len(scaled) / columns)
    page = torch.zeros(3, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for number, each in enumerate(scaled):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        page[:, top : top + height, left : left + width] = each
    return page


def contact_sheet(
    pictures: Sequence[Tensor | str | None], labels: Sequence[str], *, side: int = 224, columns: int | None = None, title: str = ""
) -> Tensor:
    """A contact sheet: pictures in reading order on a dark ground, a label under each.

    Args:
        pictures: 1 to 1000 of (3, H, W) in 0..1; a text is an empty place with these words, None one that says "never fired".
        labels: one for each; what is too long for its place ends in "…".
        side: of the square that each picture is fitted into, its shape kept.
        columns: None for a sheet that is a little wider than high.
        title: above them all.

    Returns:
        (3, H, W) in 0..1.
    """
    if not 1 <= len(pictures) <= MOST:
        raise UsageError(f"a sheet of {len(pictures)} pictures", f"it holds 1 to {MOST}")
    if len(labels) != len(pictures):
        raise UsageError(f"{len(labels)} labels for {len(pictures)} pictures", "give one for each")
    if side < 16 or (columns is not None and columns < 1):
        raise UsageError(f"a sheet with side {side} and {columns} columns", "a side is at least 16 pixels, and columns at least 1")
    sizes = _sizes(pictures, side)
    layout = _layout(sizes, side, columns, bool(title.strip()))
    result = _written(layout, [NEVER if each is None else each for each in pictures], labels, title)  # (3, H, W)
    _put(pictures, sizes, layout, result)
    return result


def _sizes(pictures: Sequence[Tensor | str | None], side: int) -> list[tuple[int, int] | None]:
    """Height and width of each in its place; None of an empty one."""
    return [_fitting(each, side) if isinstance(each, Tensor) else None for each in pictures]


def _put(pictures: Sequence[Tensor | str | None], sizes: Sequence[tuple[int, int] | None], layout: _Layout, page: Tensor) -> None:
    """Each picture at this size into the middle of its place on the page (3, H, W)."""
    for each, size, (left, top) in zip(pictures, sizes, layout.places, strict=True):
        if isinstance(each, Tensor) and size is not None:
            height, width = size
            y, x = top + (layout.height - height) // 2, left + (layout.side - width) // 2
            page[:, y : y + height, x : x + width] = resize(each.detach().float().cpu(), height, width)


def table_sheet(
    pictures: Sequence[Sequence[Tensor | str]], rows: Sequence[str], columns: Sequence[str], names: tuple[str, str], *,
    side: int = 224, title: str = "",
) -> Tensor:  # fmt: skip
    """A sheet of pictures in rows and columns, each with a heading.

    Args:
        pictures: of each row as many as there are columns, (3, H, W) in 0..1; a text is an empty place with these words. All together
            are 1 to 1000.
        rows, columns: the heading of each; what is too long ends in "…".
        names: what the rows are, and what the columns are.
        side: of the square that each picture is fitted into, its shape kept.
        title: above them all.

    Returns:
        (3, H, W) in 0..1.
    """
    if not 1 <= len(rows) * len(columns) <= MOST:
        raise UsageError(f"a sheet of {len(rows) * len(columns)} pictures", f"it holds 1 to {MOST}")
    if len(pictures) != len(rows) or any(len(each) != len(columns) for each in pictures):
        raise UsageError(f"pictures that are not {len(rows)} rows of {len(columns)}", "give one for each row and column")
    given = [each for row in pictures for each in row]
    sizes = _sizes(given, side)
    layout = _table_layout(sizes, side, rows, columns, names, bool(title.strip()))
    result = _written(layout, given, [""] * len(given), title)  # (3, H, W)
    _draw_headings(result, layout, rows, columns, names)
    _put(given, sizes, layout, result)
    return result


class _Layout(NamedTuple):
    """Where everything goes, in pixels. Each place is `side` wide and `height` high."""

    size: tuple[int, int]  # height and width of the sheet
    places: list[tuple[int, int]]  # left and top
    side: int
    height: int
    margin: int
    type: int


def _layout(sizes: Sequence[tuple[int, int] | None], side: int, columns: int | None, titled: bool) -> _Layout:
    type = max(10, round(side / 16))
    gap, margin = max(4, round(side / 14)), max(8, round(side / 7))
    height = max((each[0] for each in sizes if each is not None), default=side)  # wide pictures get wide places
    below = round(2.0 * type)
    columns = min(columns or _columns(len(sizes), (side + gap) / (height + below + gap)), len(sizes))
    rows = math.ceil(len(sizes) / columns)
    head = margin + (round(2.6 * type) if titled else 0)
    places = [(margin + n % columns * (side + gap), head + n // columns * (height + below + gap)) for n in range(len(sizes))]
    size = head + rows * (height + below + gap) - gap + margin - round(0.5 * type), 2 * margin + columns * (side + gap) - gap
    return _Layout(size, places, side, height, margin, type)


def _table_layout(
    sizes: Sequence[tuple[int, int] | None], side: int, rows: Sequence[str], columns: Sequence[str], names: tuple[str, str], titled: bool
) -> _Layout:
    """The same with room for headings at the left and above."""
    type = max(10, round(side / 16))
    gap, margin = max(3, round(side / 28)), max(8, round(side / 7))
    height = max((each[0] for each in sizes if each is not None), default=side)
    font = ImageFont.load_default(type)
    wide = min(max(font.getlength(" ".join(each.translate(_PLAIN).split())[:MOST]) for each in (*rows, names[0])), 1.5 * side)
    left = margin + math.ceil(wide) + type
    head = margin + (round(2.6 * type) if titled else 0) + round((3.2 if names[1] else 1.7) * type)
    places = [(left + column * (side + gap), head + row * (height + gap)) for row in range(len(rows)) for column in range(len(columns))]
    size = head + len(rows) * (height + gap) - gap + margin, left + len(columns) * (side + gap) - gap + margin
    return _Layout(size, places, side, height, margin, type)


def _draw_headings(page: Tensor, layout: _Layout, rows: Sequence[str], columns: Sequence[str], names: tuple[str, str]) -> None:
    """Write them onto the page (3, H, W)."""
    grey = Image.fromarray((page[0] * 255).round().byte().numpy())
    draw, font, (first, head) = ImageDraw.Draw(grey), ImageFont.load_default(layout.type), layout.places[0]
    above, room = head - round(0.55 * layout.type), first - layout.margin - layout.type
    draw.text((layout.margin, above), shortened(names[0], font, room), FAINT, font, anchor="ls")
    draw.text((first, above - round(1.5 * layout.type)), shortened(names[1], font, layout.size[1] - first), FAINT, font, anchor="ls")
    for number, heading in enumerate(columns):
        draw.text((layout.places[number][0], above), shortened(heading, font, layout.side), LABEL, font, anchor="ls")
    for number, heading in enumerate(rows):
        middle = layout.places[number * len(columns)][1] + layout.height / 2
        draw.text((layout.margin, middle), shortened(heading, font, room), LABEL, font, anchor="lm")
    page[:] = torch.from_numpy(np.array(grey)).float().div_(255)


def _columns(count: int, shape: float) -> int:
    """So many that the sheet is about 3:2 and its last row as full as can be. `shape`: width by height of a place."""

    def cost(columns: int) -> float:
        rows = math.ceil(count / columns)
        return abs(math.log(columns * shape / rows / 1.5)) + 1.5 * (rows * columns - count) / (rows * columns)

    return min(range(1, count + 1), key=cost)


def _fitting(picture: Tensor, side: int) -> tuple[int, int]:
    """Height and width, of which the longer is `side`."""
    height, width = picture.shape[1:]
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _written(layout: _Layout, pictures: Sequence[Tensor | str], labels: Sequence[str], title: str) -> Tensor:
    """The sheet without its pictures: ground, empty places, title and labels."""
    page = Image.new("L", layout.size[::-1], GROUND)
    draw = ImageDraw.Draw(page)
    small, large = ImageFont.load_default(layout.type), ImageFont.load_default(round(1.5 * layout.type))
    room = layout.size[1] - 2 * layout.margin
    draw.text((layout.margin, layout.margin - round(0.4 * layout.type)), shortened(title, large, room), TITLE, large)
    for each, label, (left, top) in zip(pictures, labels, layout.places, strict=True):
        right, bottom = left + layout.side, top + layout.height
        draw.rectangle((left, top, right - 1, bottom - 1), EMPTY)
        if isinstance(each, str):
            words = shortened(each, small, layout.side)
            draw.text(((left + right) / 2, (top + bottom) / 2), words, FAINT, small, anchor="mm")
        tone = FAINT if isinstance(each, str) else LABEL
        draw.text((left, bottom + round(0.45 * layout.type)), shortened(label, small, layout.side), tone, small)
    grey = torch.from_numpy(np.array(page)).float().div_(255)  # (H, W)
    return grey.expand(3, -1, -1).clone()


def shortened(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int) -> str:
    """On one line, in letters the face has where there are such, and no wider than `room` pixels."""
    words = " ".join(text.translate(_PLAIN).split())[:MOST]
    parts = unicodedata.normalize("NFKD", words.replace("…", "\0"))  # which NFKD would take apart
    plain = "".join(each for each in parts.replace("\0", "…") if not unicodedata.combining(each))
    if font.getlength(plain) <= room:
        return plain
    kept = plain
    while kept and font.getlength(kept.rstrip() + "…") > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"

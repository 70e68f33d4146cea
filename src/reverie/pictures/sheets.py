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
    pictures: Sequence[Tensor | None], labels: Sequence[str], *, side: int = 224, columns: int | None = None, title: str = ""
) -> Tensor:
    """A contact sheet: pictures in reading order on a dark ground, a label under each.

    Args:
        pictures: 1 to 1000 of (3, H, W) in 0..1; None is an empty place, marked "never fired".
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
    sizes = [None if each is None else _fitting(each, side) for each in pictures]
    layout = _layout(sizes, side, columns, bool(title.strip()))
    result = _written(layout, sizes, labels, title)  # (3, H, W)
    for each, size, (left, top) in zip(pictures, sizes, layout.places, strict=True):
        if each is not None and size is not None:
            height, width = size
            y, x = top + (layout.height - height) // 2, left + (side - width) // 2
            result[:, y : y + height, x : x + width] = resize(each.detach().float().cpu(), height, width)
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


def _written(layout: _Layout, sizes: Sequence[tuple[int, int] | None], labels: Sequence[str], title: str) -> Tensor:
    """The sheet without its pictures: ground, empty places, title and labels."""
    page = Image.new("L", layout.size[::-1], GROUND)
    draw = ImageDraw.Draw(page)
    small, large = ImageFont.load_default(layout.type), ImageFont.load_default(round(1.5 * layout.type))
    room = layout.size[1] - 2 * layout.margin
    draw.text((layout.margin, layout.margin - round(0.4 * layout.type)), shortened(title, large, room), TITLE, large)
    for each, label, (left, top) in zip(sizes, labels, layout.places, strict=True):
        right, bottom = left + layout.side, top + layout.height
        draw.rectangle((left, top, right - 1, bottom - 1), EMPTY)
        if each is None:
            words = shortened(NEVER, small, layout.side)
            draw.text(((left + right) / 2, (top + bottom) / 2), words, FAINT, small, anchor="mm")
        tone = FAINT if each is None else LABEL
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

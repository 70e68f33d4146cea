"""Sizes of prints: paper by name, or sides with their unit, and the pixels that a picture has on them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reverie.errors import UsageError, choice, unknown

PRINT_DPI = 300  # dots per inch, where nobody says
_INCH = 2.54  # centimetres
_UNITS = {"mm": 0.1, "cm": 1.0, "m": 100.0, "in": _INCH, "inch": _INCH, "inches": _INCH, '"': _INCH}  # in centimetres
_PAPERS = {  # centimetres, upright: ISO 216, and the sizes of North America
    "a0": (84.1, 118.9), "a1": (59.4, 84.1), "a2": (42.0, 59.4), "a3": (29.7, 42.0), "a4": (21.0, 29.7), "a5": (14.8, 21.0),
    "a6": (10.5, 14.8), "letter": (8.5 * _INCH, 11 * _INCH), "legal": (8.5 * _INCH, 14 * _INCH), "tabloid": (11 * _INCH, 17 * _INCH),
}  # fmt: skip
_SIDE = r"(\d{1,5}(?:[.,]\d{1,4})?)"
_SIDES = re.compile(rf"{_SIDE}\s*(mm|cm|m|inches|inch|in|\")?\s*[x×]\s*{_SIDE}\s*(mm|cm|m|inches|inch|in|\")?")
_WAYS = ("portrait", "landscape")


@dataclass(frozen=True)
class Paper:
    """What is printed on, in centimetres. `way` is `portrait` or `landscape` where it was said; else it is turned as the picture is."""

    width: float
    height: float
    way: str = ""

    def turned_as(self, height: int, width: int) -> Paper:
        """Upright for a picture that is, across for one that is."""
        if self.way or (self.width > self.height) == (width > height) or height == width:
            return self
        return Paper(self.height, self.width)

    def pixels(self, dpi: float) -> tuple[int, int]:
        """(height, width) of all of it."""
        return max(1, round(self.height / _INCH * dpi)), max(1, round(self.width / _INCH * dpi))

    def fitted(self, height: int, width: int, dpi: float) -> tuple[int, int]:
        """(height, width) of a picture of this shape as large as goes onto the paper whole, one of its sides as long as the paper's."""
        high, wide = self.pixels(dpi)
        across = min(wide, int(high * width / height + 0.5))
        while across > 1 and round(height * across / width) > high:
            across -= 1
        return max(1, round(height * across / width)), across

    def told(self, height: int, width: int, dpi: float) -> str:
        """What a picture of this size is on it, in words: its sides, and what of the paper stays free."""
        high, wide = (each / dpi * _INCH for each in (height, width))
        text = f"printed at {dpi:g} dpi: {wide:.1f}×{high:.1f} cm, {width}×{height} pixels"
        sides = ((self.width - wide) / 2, "left and right"), ((self.height - high) / 2, "above and below")
        free, where = max(sides)
        if free < 0.05:
            return text
        return f"{text}; of paper of {self.width:.1f}×{self.height:.1f} cm {free:.1f} cm stay free {where}"


def paper(given: object) -> Paper | None:
    """Paper from a text: `A3`, `A3 landscape`, `60x40cm`, `8x10in`, `297x420 mm`, which is width x height.

    Raises:
        UsageError: no such paper, sides without a unit, or sides that are none.
    """
    if given is None or isinstance(given, Paper):
        return given
    text = " ".join(re.sub(r"(?<=\w)-(?=[a-z])", " ", str(given).lower()).split())
    words = text.split(" ")
    ways = [each for each in words if each in _WAYS]
    name = " ".join(each for each in words if each not in _WAYS)
    if len(ways) > 1:
        raise UsageError(choice("print", given), "it is portrait or landscape, not both")
    sides = _PAPERS.get(name.replace(" ", "")) or _sides(name, given)
    if ways:
        sides = (min(sides), max(sides)) if ways[0] == "portrait" else (max(sides), min(sides))
    return Paper(*sides, way=ways[0] if ways else "")


def _sides(text: str, given: object) -> tuple[float, float]:
    found = _SIDES.fullmatch(text)
    if found is None:
        if re.match(r"[\d.,]", text):
            raise UsageError(choice("print", given), "write both sides and their unit: 60x40cm, 600x400mm or 8x10in, width x height")
        names = [*_PAPERS]
        raise unknown(
            "paper", str(given).strip()[:40], names, "there is " + ", ".join(each.title() for each in names) + "; or write 60x40cm"
        )
    width, first, height, last = found.groups()
    if not (first or last):
        raise UsageError(
            f"{choice('print', given)} without a unit", f"say which: {choice('print', text.replace(' ', '') + 'cm')}, mm or in"
        )
    units = [_UNITS[each] for each in (first or last, last or first)]
    sides = tuple(float(each.replace(",", ".")) * unit for each, unit in zip((width, height), units, strict=True))
    if not all(0.1 <= each <= 10_000 for each in sides):
        raise UsageError(choice("print", given), "a side is from 1 mm to 100 m")
    return sides[0], sides[1]

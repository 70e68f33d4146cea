"""How much of the picture one value of a layer sees, in words: for the page and for the handout, from one place."""

from __future__ import annotations

import math

PARTS = {  # of the picture's width, in words
    1: "", 9 / 10: "nine tenths", 4 / 5: "four fifths", 3 / 4: "three quarters", 2 / 3: "two thirds", 3 / 5: "three fifths", 1 / 2: "half",
    2 / 5: "two fifths", 1 / 3: "a third", 1 / 4: "a quarter", 1 / 5: "a fifth", 1 / 6: "a sixth", 1 / 7: "a seventh", 1 / 8: "an eighth",
    1 / 10: "a tenth", 1 / 12: "a twelfth", 1 / 15: "a fifteenth", 1 / 20: "a twentieth", 1 / 25: "a twenty-fifth", 1 / 30: "a thirtieth",
    1 / 40: "a fortieth", 1 / 50: "a fiftieth", 1 / 75: "a seventy-fifth", 1 / 100: "a hundredth",
}  # fmt: skip
SMALLEST = 1 / 125  # of the width: what is smaller still is less than a hundredth


def on_page(field: int | None, seen: tuple[int, int]) -> str:
    """A sentence on what one value sees, in pixels and in parts of the picture.

    Args:
        field: side of its receptive field in pixels; None is all of the picture.
        seen: (height, width) of the picture in pixels.
    """
    if field is None:
        return "Each value sees all of the picture."
    if field >= 2 * max(seen):
        return f"Each value can see {field} × {field} pixels: all of the picture, wherever it stands."
    if field >= max(seen):
        return f"Each value can see {field} × {field} pixels, from the middle all of the picture."
    return f"Each value sees {field} × {field} pixels, the box: {_share(field, seen)}."


def on_handout(field: int | None, seen: tuple[int, int]) -> str:
    """The same in plain words: what one place of a step looks at."""
    if field is None or field >= 2 * max(seen):
        return "It looks at the whole picture at once."
    if field >= max(seen):
        return "From the middle it looks at the whole picture at once."
    return f"It looks through a window {_share(field, seen)}."


def _share(field: int, seen: tuple[int, int]) -> str:
    """`about a third as wide as the picture`, of a field smaller than the picture's longer side."""
    height, width = seen
    if field < width:
        nearest = min(PARTS, key=lambda part: abs(math.log(part * width / field)))
        about = "about" if field / width > SMALLEST else "less than"
        return " ".join(f"{about} {PARTS[nearest]} as wide as the picture{', and over its full height' if field >= height else ''}".split())
    return "as wide as the picture, but not as high"

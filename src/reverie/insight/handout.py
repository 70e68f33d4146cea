"""The handout: one printed page in plain words, of six steps of the way up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from reverie.insight.layer_report import Rung
from reverie.insight.seen_part import on_handout
from reverie.networks import Label
from reverie.pages import Shot, embedded_images, render

STEPS = 6
SHEET, GAP = 18.8, 0.7  # cm: width of what is printed, and between columns
HIGH = 14.3  # cm that the steps and the room for answers have, between the head and the foot of a sheet
WORDS_HIGH = {1: 1.95, 2: 2.4, 3: 2.85}  # cm of a step's words, by how many columns there are
FEW = 4  # steps, beside which each answer has a line at least
PAIR = 0.49  # of a column's width, that each of two pictures side by side takes
LINES = (0.75, 1.0)  # cm that a written line takes, at least and at most
APART = 0.12  # cm between the answer to one question and the next
PHOTO, PLATE, QUALITY = 900, 800, 86  # longest sides in pixels; quality, 0..100

WORDS = {  # of each level: what it looks for, and what to look for in its pictures
    "edges": ("Lines and borders, where light meets dark.", "Find the thinnest line. Is it still there?"),
    "textures": ("Surfaces: fur, grass, cloth, stone.", "Compare a rough place with a smooth one. Are they still different?"),
    "patterns": ("What repeats: stripes, rings, tiles, nets.", "Find something that repeats. What has become of it?"),
    "parts": ("Parts of things: an eye, a leaf, a wheel.", "Which parts can you still name?"),
    "objects": ("Whole things: an animal, a car, a cup.", "Step back and half close your eyes. What is it?"),
    "scenes": ("Things with all that is around them.", "What of the place, the light and the colours is left?"),
}
UNNAMED = (  # of steps without a level, lowest first: what to look for
    "Find the smallest thing in the picture. Is it still there?",
    "Which parts can you still name?",
    "Step back and half close your eyes. What is it?",
)
GREY = 0.05  # between its channels, of 0..1: a picture that has no more has no colours
SURE = ((0.9, "It is very sure"), (0.6, "It is fairly sure"), (0.3, "It is not sure"), (0.0, "It is only guessing"))


@dataclass(frozen=True)
class StepView:
    """What the template shows of a step: `title`, what it looks for and through how large a window, what to look for, its pictures."""

    number: int
    title: str
    line: str
    find: str
    rebuilt: Shot
    enhanced: Shot | None


@dataclass(frozen=True)
class Layout:
    """How the steps stand on the sheet: in so many columns, their pictures so high (cm); and lines, so high, to write each answer on."""

    columns: int
    height: float
    lines: int
    line: float


def handout(picture: Tensor, seen: tuple[int, int], network: str, labels: Sequence[Label], layers: Sequence[Rung]) -> str:
    """One self-contained HTML page that fits one sheet of A4 or Letter.

    Args:
        picture: (3, H, W) in 0..1, as it is looked at. seen: (height, width) at which the network looked.
        network: its name. labels: what it says, the likeliest first.
        layers: what each made of it, lowest first.
    """
    height, width = seen
    chosen = steps(layers)
    views = [_view(number, each, len(chosen), seen) for number, each in enumerate(chosen, 1)]
    enhanced = any(each.enhanced for each in views)
    return render(
        "reverie.insight",
        "handout",
        {},
        network=network,
        photo=embedded_images.photo(picture, PHOTO, QUALITY),
        ratio=width / height,
        layout=layout(len(views), width / height, 3 if enhanced else 2),
        labels=[(each.label, _of_a_hundred(each.probability)) for each in labels[:2]],
        sure=_sure(labels),
        steps=views,
        coloured=bool((picture.amax(0) - picture.amin(0)).max() > GREY),
        enhanced=enhanced,
    )


def steps(layers: Sequence[Rung]) -> list[Rung]:
    """Six layers at most, lowest first: those that levels stand for where there are enough of them, else evenly spread."""
    named = [each for each in layers if each.layer.level]
    if len(named) in (STEPS, len(layers)):
        return named[:STEPS]
    count = min(STEPS, len(layers))
    return [layers[round(index * (len(layers) - 1) / max(1, count - 1))] for index in range(count)]


def layout(count: int, ratio: float, questions: int) -> Layout:
    """The columns in which the pictures of so many steps, of this width by height, are the largest; and the room they leave."""
    found, kept = [], questions * (LINES[0] + APART) * (count <= FEW)
    for columns in (1, 2, 3):
        rows, wide = -(-count // columns), (SHEET - (columns - 1) * GAP) / columns
        height = min((HIGH - kept) / max(1, rows) - WORDS_HIGH[columns], PAIR * wide / ratio)
        room = max(0.0, (HIGH - rows * (height + WORDS_HIGH[columns])) / questions - APART)
        lines = int(room / LINES[0] + 1e-6)
        found.append(Layout(columns, round(height, 2), lines, round(min(LINES[1], room / max(1, lines)), 2)))
    return max(found, key=lambda each: each.height)  # of equal ones the first


def _view(number: int, rung: Rung, count: int, seen: tuple[int, int]) -> StepView:
    level = rung.layer.level
    what, find = WORDS.get(level or "", ("", UNNAMED[min(2, 3 * (number - 1) // count)]))
    return StepView(
        number=number,
        title=level.capitalize() if level else f"Step {number} of {count}" if count > 1 else "One step of many",
        line=f"{what} {on_handout(rung.layer.receptive_field, seen)}".strip(),
        find=find,
        rebuilt=embedded_images.photo(rung.rebuilt.colours, PLATE, QUALITY),
        enhanced=None if rung.enhanced is None else embedded_images.photo(rung.enhanced.colours, PLATE, QUALITY),
    )


def _sure(labels: Sequence[Label]) -> str:
    if not labels:
        return ""
    return next(words for least, words in SURE if labels[0].probability >= least or least == 0)


def _of_a_hundred(probability: float) -> str:
    """`77 of 100`."""
    share = 100 * probability
    if 99.5 <= share < 100:
        return "more than 99 of 100"
    return f"{share:.0f} of 100" if share >= 1 else "less than 1 of 100"

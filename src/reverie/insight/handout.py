"""The handout: one printed page in plain words, of six steps of the way up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from reverie.insight.layer_report import Rung
from reverie.networks import Label
from reverie.pages import Shot, embedded_images, render

STEPS = 6
TALL = 0.85  # width by height, below which three columns stand side by side
PHOTO, PLATE, QUALITY = 900, 560, 86  # longest sides in pixels; quality, 0..100

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


def handout(picture: Tensor, seen: tuple[int, int], network: str, labels: Sequence[Label], layers: Sequence[Rung], coloured: bool) -> str:
    """One self-contained HTML page that fits one sheet of A4 or Letter.

    Args:
        picture: (3, H, W) in 0..1, as it is looked at. seen: (height, width) at which the network looked.
        network: its name. labels: what it says, the likeliest first.
        layers: what each made of it, lowest first.
        coloured: whether the network sees colours.
    """
    height, width = seen
    chosen = steps(layers)
    views = [_view(number, each, len(chosen), width) for number, each in enumerate(chosen, 1)]
    return render(
        "reverie.insight",
        "handout",
        {},
        network=network,
        photo=embedded_images.photo(picture, PHOTO, QUALITY),
        ratio=width / height,
        shape="tall" if width / height < TALL else "wide",
        labels=[(each.label, _of_a_hundred(each.probability)) for each in labels[:2]],
        sure=_sure(labels),
        steps=views,
        coloured=coloured,
        enhanced=any(each.enhanced for each in views),
    )


def steps(layers: Sequence[Rung]) -> list[Rung]:
    """Six layers at most, lowest first: those that levels stand for where there are enough of them, else evenly spread."""
    named = [each for each in layers if each.layer.level]
    if len(named) in (STEPS, len(layers)):
        return named[:STEPS]
    count = min(STEPS, len(layers))
    return [layers[round(index * (len(layers) - 1) / max(1, count - 1))] for index in range(count)]


def window(field: int | None, width: int) -> str:
    """How much of the picture one place of a step has seen, in words; `field` in pixels, None for all."""
    if field is None or field >= 2 * width:
        return "It looks at the whole picture at once."
    share = field / width
    if share >= 0.9:
        return "It looks through a window as wide as the picture."
    if share >= 0.6:
        return "It looks through a window two thirds as wide as the picture."
    parts = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth", 20: "a twentieth"}
    nearest = min(parts, key=lambda part: abs(part - 1 / share))
    if 1 / share > 30:
        return "It looks through a window as small as a few dots."
    return f"It looks through a window about {parts[nearest]} as wide as the picture."


def _view(number: int, rung: Rung, count: int, width: int) -> StepView:
    level = rung.layer.level
    what, find = WORDS.get(level or "", ("", UNNAMED[min(2, 3 * (number - 1) // count)]))
    return StepView(
        number=number,
        title=level.capitalize() if level else f"Step {number} of {count}",
        line=f"{what} {window(rung.layer.receptive_field, width)}".strip(),
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

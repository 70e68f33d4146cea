"""What networks said of a picture: data, words and a page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reverie.errors import printable
from reverie.networks import Known, Label
from reverie.pages import embedded_images, percent, render
from reverie.pictures import Picture, in_colours

LIMIT = 10_000_000  # bytes of a page
SHOTS = ((960, 84), (480, 70), (240, 60))  # longest side in pixels and quality of the pictures: the first that keep the page below it


@dataclass(frozen=True)
class Observed:
    """What one network sees in a picture.

    Attributes:
        network: its name. labels: the likeliest first, by its own numbers.
        known: whether the first is probably there; None of a network that is not calibrated.
        made_it: it dreamt the picture, so its word is no observation and does not count in the average.
    """

    network: str
    labels: tuple[Label, ...]
    known: Known | None
    made_it: bool = False

    @property
    def remark(self) -> str:
        """`nothing it knows`, `perhaps nothing it knows`, or where it is sure, or cannot tell, an empty text."""
        if self.known is None or (self.known.is_known and self.known.is_sure):
            return ""
        return "perhaps nothing it knows" if self.known.is_known else "nothing it knows"

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        known = None if self.known is None else self.known.as_data()
        return {"network": self.network, "labels": [vars(each) for each in self.labels], "known": known, "made_it": self.made_it}


@dataclass(frozen=True)
class ClassSeen:
    """How likely networks find a class.

    Attributes:
        index, label: by the first network. average: 0..1, over those that did not make the picture, or over all where all did.
        by: the probability that each network gives it, in the order of the observers.
        before: the average in what the picture was made from; None where that is not known.
    """

    index: int
    label: str
    average: float
    by: tuple[float, ...]
    before: float | None


@dataclass(frozen=True, repr=False)
class Asked:
    """What several networks see in one picture. In a notebook it shows itself as its page.

    Attributes:
        name: of the picture, a stranger's text. picture: as it was handed in.
        observers: what each network sees.
        average: the classes that are likeliest on average.
        agreement: 0..1, how much of their probability two of them share on average: the sum over classes of the smaller one; None of one.
        first: by class that any of them puts first, the networks that do.
        classes: the likeliest on average, and what any of them puts first; the likeliest first.
        before: the same of what a dream began with; None where there is none.
        notes: what there is to know.
    """

    name: str
    picture: Picture
    observers: tuple[Observed, ...]
    average: tuple[Label, ...]
    agreement: float | None
    first: dict[str, tuple[str, ...]]
    classes: tuple[ClassSeen, ...]
    before: Asked | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Where they agree, in words: `all 3 put Egyptian cat first; any two agree on 75 % of their probability`."""
        if self.agreement is None:
            return "one network alone: there is nothing to compare"
        makers = {each.network for each in self.observers if each.made_it}
        counted = [each.network for each in self.observers if each.network not in makers] or list(makers)
        told = {what: len(set(who).intersection(counted)) for what, who in self.first.items()}
        parts = [f"{_some(some, len(counted))} put{'s' * (some == 1)} {what} first" for what, some in told.items() if some]
        whom = "of those that did not make it " if makers and len(counted) < len(self.observers) else ""
        which, on_average = ("any two", ", on average") if len(counted) > 2 else ("the two", "")
        return f"{whom}{', '.join(parts)}; {which} agree on {100 * self.agreement:.0f} % of their probability{on_average}"

    def noted(self, notes: Sequence[str]) -> Asked:
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "picture": self.name,
            "networks": [each.as_data() for each in self.observers],
            "average": [vars(each) for each in self.average],
            "classes": [vars(each) for each in self.classes],
            "agreement": None if self.agreement is None else round(self.agreement, 6),
            "first": {what: list(who) for what, who in self.first.items()},
            "before": None if self.before is None else {key: value for key, value in self.before.as_data().items() if key not in _OF_ONE},
            "notes": list(self.notes),
        }

    def page(self) -> str:
        """One self-contained HTML page."""
        return observers_page([self])

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page())}" title="What networks see" style="width:100%;height:60vh;border:0"></iframe>'

    def __repr__(self) -> str:
        seen = f"{self.average[0].label} {self.average[0].probability:.0%}" if self.average else "nothing"
        return f"Asked({self.name!r}, {len(self.observers)} networks: {seen})"


_OF_ONE = ("picture", "before", "notes")


def observers_page(answers: Sequence[Asked]) -> str:
    """One self-contained HTML page, below 10 MB for some hundred pictures: they are coded more coarsely where they must be."""
    page = ""
    for longest, quality in SHOTS:
        page = render("reverie.judging", "ask", {}, parts=[_part(each, longest, quality) for each in answers])
        if len(page.encode()) < LIMIT:
            break
    return page


def _part(asked: Asked, longest: int, quality: int) -> dict[str, Any]:
    def shot(picture: Picture) -> embedded_images.Shot:
        shown = picture.recipe.finish.shown if picture.recipe is not None else ()
        return embedded_images.photo(in_colours(picture.pixels, shown), longest, quality)

    before = asked.before
    return {
        "name": printable(asked.name),
        "shot": shot(asked.picture),
        "before": None if before is None else shot(before.picture),
        "verdict": asked.verdict[:1].upper() + asked.verdict[1:],
        "then": "" if before is None else f"{before.average[0].label}, {percent(before.average[0].probability)}",
        "networks": [printable(each.network) + (" (made it)" if each.made_it else "") for each in asked.observers],
        "remarks": [each.remark or ("something it knows" if each.known is not None else "") for each in asked.observers],
        "has_known": any(each.known is not None for each in asked.observers),
        "rows": [
            {
                "label": each.label,
                "by": [(percent(one), f"{100 * min(max(one, 0.0), 1.0):.1f}") for one in (*each.by, each.average)],
                "before": "" if each.before is None else percent(each.before),
            }
            for each in asked.classes
        ],
        "notes": asked.notes,
    }


def _some(part: int, count: int) -> str:
    return ("both" if count == 2 else f"all {count}") if part == count else f"{part} of {count}"

"""All scores, one row each: what a number means, its range, which way is more, what it needs. Page, docs and tests read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes:
        name: in words, by which it is kept and shown.
        range: the numbers that it can be, with their unit.
        means: what it says, and what its ends are; more is always more of what its name says.
        needs: without which a picture has none.
        source: of the method.
    """

    name: str
    range: str
    means: str
    needs: str
    source: str


_PARTS = "how near the {} of its {} are to those of photographs, in their own spreads: 1 is as near as theirs on average, 1/2 twice as far"
_MEASURES = {
    "light": ("mean and contrast", "light"),
    "colours": ("strength, and correlation of channels,", "colours"),
    "spectrum": ("slope, and distance from a line,", "spectrum"),
}
_MAHALANOBIS = "Mahalanobis 1936"
_CONTRAST = "local contrast divided by itself, as in Wang, Bovik, Sheikh & Simoncelli 2004"

SCORES: tuple[Score, ...] = (
    Score(
        "rise",
        "any number, in standard deviations of photographs",
        "the score of its target on the picture minus that on its start, both as large as the picture (1024 pixels at most): 0 is no rise",
        "a recipe with a built-in network, a target whose scores on photographs are known, and its start, which is kept or in the folder",
        "a target's score: Mordvintsev et al. 2015, Olah et al. 2017, Simonyan et al. 2014",
    ),
    Score(
        "strength among photographs",
        "any number, in standard deviations of photographs",
        "the score of its target minus the mean over photographs, their shorter side at the network's native size, as that of the picture: "
        "0 is as photographs have it",
        "a recipe with a built-in network, and a target whose scores on photographs are known",
        "as of the rise",
    ),
    Score(
        "agreement",
        "0 to 1",
        "how much of their probability two networks that did not make it share on average: 1 where all say the same",
        "two networks at least that did not make it",
        "the overlap of two distributions, as reverie ask tells it",
    ),
    Score(
        "naturalness",
        "above 0 to 1",
        "how near light, colours and spectrum together are to those of photographs: 1 is as near as theirs on average, 1/2 twice as far",
        "a picture alone",
        f"{_MAHALANOBIS}; the spectrum of photographs: Field 1987",
    ),
    *(
        Score(f"natural {part}", "above 0 to 1", _PARTS.format(*words), "a picture alone", _MAHALANOBIS)
        for part, words in _MEASURES.items()
    ),
    Score(
        "difference from its start",
        "0 to 1",
        "how much the local contrasts of light and colours differ at 32×32 pixels: 0 is alike at a glance, 1 another picture",
        "a recipe, and its start, which is kept or in the folder",
        _CONTRAST,
    ),
    Score(
        "difference from its siblings",
        "0 to 1",
        "the same from the one of its siblings that is nearest; siblings are those of the folder with its command and its start",
        "a recipe, and a sibling",
        _CONTRAST,
    ),
)  # fmt: skip

OPINION = "probability of its class, by "
"""What scores are called that the recipe of a class picture has of networks that did not make it."""

ENOUGH = 20
"""Pictures with stars, from which on a ranking is fitted to them."""

FITTED = "fitted to your "
"""How the ranking is called that follows a person's stars."""


def score_of(name: str) -> Score:
    """The row of a score by its name."""
    if name.startswith(OPINION):
        means = "what a network that did not make the picture gives to the class that was asked for, as the recipe has it"
        return Score(name, "0 to 1", means, "a class picture that other networks were asked about", "softmax")
    if name.startswith(FITTED):
        means = "the stars that its scores let expect, by a ridge regression: it says what you like, not what is good"
        return Score(name, "stars, about 1 to 5", means, "a score of the picture, and 20 that have stars", "Hoerl & Kennard 1970")
    return next(each for each in SCORES if each.name == name)


def in_order(names: set[str]) -> list[str]:
    """Names as they are shown: fitted ones last, before them what recipes have."""
    order = [each.name for each in SCORES]
    return sorted(names, key=lambda name: (name.startswith(FITTED), order.index(name) if name in order else len(order), name))

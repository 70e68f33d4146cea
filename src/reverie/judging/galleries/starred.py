"""The stars of a gallery beside its scores: how far they rank pictures alike, and a ranking that is fitted to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverie.judging.galleries.known import Known
from reverie.judging.scores.table import FITTED, in_order

if TYPE_CHECKING:
    from reverie.judging.scores.stars import Correlation, Fitted


@dataclass(frozen=True)
class Starred:
    """What stars say of scores.

    Attributes:
        pictures: how many of the gallery have stars.
        correlations: of each score with the stars.
        fitted: the ranking that is fitted to them; None where they are too few.
    """

    pictures: int
    correlations: tuple[Correlation, ...]
    fitted: Fitted | None = None


def starred(pictures: Sequence[Known], stars: Mapping[str, int]) -> tuple[list[Known], Starred | None]:
    """The same pictures, with what is expected of each by a ranking that is fitted to the stars, if there are enough; and what they say.

    Args:
        stars: by the sha256 of a picture. A file that is there twice counts once.
    """
    given: dict[str, int] = {}
    for at, each in enumerate(pictures):
        if each.entry.sha256 in stars:
            given.setdefault(each.entry.sha256, at)
    names = in_order({name for each in pictures for name in each.scores})
    if not given or not names:
        return list(pictures), None
    from reverie.judging.scores.stars import correlated, fitted

    both = [(pictures[at].scores, stars[digest]) for digest, at in given.items()]
    correlations = []
    for name in names:
        pairs = [(scores[name], count) for scores, count in both if name in scores]
        correlations.append(correlated(name, [score for score, _ in pairs], [count for _, count in pairs]))
    found = fitted([each.scores for each in pictures], {at: stars[digest] for digest, at in given.items()})
    told = Starred(len(given), tuple(correlations), found)
    if found is None:
        return list(pictures), told
    called = f"{FITTED}{found.stars} stars"
    with_it = [
        replace(each, scores={**each.scores, called: found.expected[at]}) if at in found.expected else each
        for at, each in enumerate(pictures)
    ]
    return with_it, told

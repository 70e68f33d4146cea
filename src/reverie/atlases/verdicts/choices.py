"""Whether pictures of a unit tell which photographs excite it: the two-choice test, with a network in the place of people.

After Zimmermann et al. 2024, "Measuring mechanistic interpretability at scale without humans": of two photographs, one of which excites the
unit strongly and the other weakly, that one is chosen which is more like what excites the unit and less like what does the opposite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reverie.atlases.verdicts.paths import unit_length

FEWEST = 6  # photographs on either side
MOST = 24  # on either side
_NINE_OF_TEN = 1.645  # spreads of a normal distribution

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ChoiceScore:
    """How often the right photograph is chosen.

    Attributes:
        score: 0..1 of all pairs, one half by chance; None where it cannot be said, and then `why`.
        trials: how many pairs, each strong photograph with each weak one. network: whose eyes chose.
        chance: how far from one half guessing comes in nine of ten cases, with so many photographs.
    """

    score: float | None
    trials: int
    network: str
    why: str = ""
    chance: float = 0.0


def choice(feature: Floats, negative: Floats, strong: Floats, weak: Floats, network: str) -> ChoiceScore:
    """Make all choices between a photograph of `strong` (n, D) and one of `weak` (m, D); where they are equally alike half is right.

    Args:
        feature, negative: (D,): how the other network sees the pictures of the unit.
    """
    if min(len(strong), len(weak)) < FEWEST:
        return ChoiceScore(None, 0, network, "too few photographs to choose from")
    way = unit_length(feature[None])[0] - unit_length(negative[None])[0]
    yes, no = unit_length(strong) @ way, unit_length(weak) @ way
    right = float((yes[:, None] > no[None]).mean() + 0.5 * (yes[:, None] == no[None]).mean())
    pairs = len(strong) * len(weak)
    chance = _NINE_OF_TEN * math.sqrt((len(strong) + len(weak) + 1) / (12 * pairs))  # of the Mann–Whitney statistic, which this is
    return ChoiceScore(right, pairs, network, chance=chance)


def quarter(count: int, shown: int) -> int:
    """How many photographs stand on either side, of so many of which some are shown: those between the sides are as many as on one."""
    return min(MOST, max(0, (count - shown) // 3))

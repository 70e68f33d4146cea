"""The trust mark of a picture of a unit: two numbers, what they mean in words, and a warning where the picture misleads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reverie.atlases.verdicts.choices import ChoiceScore
from reverie.atlases.verdicts.paths import PathScore

OFF_THE_PATH = 0.3  # below: pictures of other units of the layer came to about 0.3, of the unit itself to 1, as photographs do
AT_RANDOM = 0.4  # of choices: below, it points the wrong way more often than chance would with a dozen photographs on a side
_CLOSE, _TELLS = 0.7, 0.6


@dataclass(frozen=True)
class Trust:
    """What is to be said of a picture of a unit."""

    path: PathScore
    choice: ChoiceScore

    @property
    def misleads(self) -> bool:
        """Whether it points to the wrong photographs, or goes a way of its own and tells nothing of them either."""
        if self.choice.score is not None and self.choice.score < AT_RANDOM:
            return True
        tells = self.choice.score is not None and self.choice.score >= _TELLS
        return self.path.score is not None and self.path.score < OFF_THE_PATH and not tells

    @property
    def words(self) -> str:
        """One or two plain sentences."""
        return f"{self._of_path()} {self._of_choice()}"

    def _of_path(self) -> str:
        score = self.path.score
        if score is None:
            return f"Whether it goes the way of photographs through the network cannot be said: {self.path.why}."
        if score >= _CLOSE:
            return "It goes the way through the network that photographs go which excite this unit."
        if score >= OFF_THE_PATH:
            return "It goes part of the way through the network that photographs go which excite this unit."
        return "It excites this unit on a way of its own through the network, which photographs do not go."

    def _of_choice(self) -> str:
        score = self.choice.score
        if score is None:
            return f"Whether it tells which photographs excite the unit cannot be said: {self.choice.why}."
        share = f"{round(100 * score)} % of pairs"
        if score >= _TELLS:
            return f"Of two photographs it tells the one that excites the unit in {share}."
        if score >= AT_RANDOM:
            return f"It hardly tells which of two photographs excites the unit: rightly in {share}, where guessing gives 50 %."
        return f"It points to the wrong one of two photographs more often than not: rightly in {share}."

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": {"score": _rounded(self.path.score), "layers": [[name, _rounded(each)] for name, each in self.path.layers],
                     "why": self.path.why},
            "choice": {"score": _rounded(self.choice.score), "trials": self.choice.trials, "network": self.choice.network,
                       "why": self.choice.why},
            "misleads": self.misleads, "words": self.words,
        }  # fmt: skip


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 3)

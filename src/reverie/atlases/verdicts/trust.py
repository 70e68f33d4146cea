"""The trust mark of a picture of a unit: two numbers, what they mean in words, and a warning where the picture misleads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reverie.atlases.verdicts.choices import ChoiceScore
from reverie.atlases.verdicts.paths import PathScore

OFF_THE_PATH = 0.3  # below: pictures of other units of the layer came to about 0.3, of the unit itself to 1, as photographs do
_CLOSE = 0.7


@dataclass(frozen=True)
class Trust:
    """What is to be said of a picture of a unit."""

    path: PathScore
    choice: ChoiceScore

    @property
    def misleads(self) -> bool:
        """Whether it points to the wrong photographs, or goes a way of its own and does not point to the right ones either.

        What guessing could have come to as well points nowhere.
        """
        return self._points < 0 or (self.path.score is not None and self.path.score < OFF_THE_PATH and self._points <= 0)

    @property
    def _points(self) -> int:
        """1 to the photographs that excite the unit, -1 to the others, 0 to neither."""
        if self.choice.score is None:
            return 0
        away = self.choice.score - 0.5
        return 0 if abs(away) <= self.choice.chance else 1 if away > 0 else -1

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
        if self._points > 0:
            return f"Of two photographs it tells the one that excites the unit in {share}."
        if self._points < 0:
            return f"Of two photographs it points to the wrong one more often than guessing would: it is right in {share}."
        low, high = (round(100 * (0.5 + side * self.choice.chance)) for side in (-1, 1))
        return f"It is open whether it tells which photographs excite the unit: it is right in {share}, guessing in {low} to {high} %."

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": {"score": _rounded(self.path.score), "layers": [[name, _rounded(each)] for name, each in self.path.layers],
                     "why": self.path.why},
            "choice": {"score": _rounded(self.choice.score), "trials": self.choice.trials, "network": self.choice.network,
                       "chance": round(self.choice.chance, 3), "why": self.choice.why},
            "misleads": self.misleads, "words": self.words,
        }  # fmt: skip


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 3)

"""The public functions. The commands and the studio call these, and add nothing to what they do."""

from reverie.api.dreaming import dream, plan
from reverie.api.filming import film, plan_film, plan_film_again
from reverie.api.imagining import BETWEEN, TOGETHER, feature, imagine, plan_feature, plan_imagine
from reverie.api.journeying import journey, plan_journey, plan_journey_again
from reverie.api.opening import load, wrap
from reverie.api.redoing import redo
from reverie.api.replanning import plan_again
from reverie.api.seeing import plan_see, see
from reverie.render import Plan

__all__ = [
    "BETWEEN", "TOGETHER", "Plan", "dream", "feature", "film", "imagine", "journey", "load", "plan", "plan_again", "plan_feature",
    "plan_film", "plan_film_again", "plan_imagine", "plan_journey", "plan_journey_again", "plan_see", "redo", "see", "wrap",
]  # fmt: skip

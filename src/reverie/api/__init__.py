"""The public functions. The commands and the studio call these, and add nothing to what they do."""

from reverie.api.dreaming import dream, plan_dream
from reverie.api.imagining import feature, features, imagine
from reverie.api.moving import film, journey, plan_film, plan_journey
from reverie.api.opening import load, wrap
from reverie.api.own_score import climb, plan_climb
from reverie.api.plans_from_noise import plan_feature, plan_imagine
from reverie.api.redoing import again, plan_again, redo
from reverie.api.replanning import carried_by, plan_redo
from reverie.api.seeing import plan_see, see
from reverie.pictures import sheet

__all__ = [
    "again", "carried_by", "climb", "dream", "feature", "features", "film", "imagine", "journey", "load", "plan_again", "plan_climb",
    "plan_dream", "plan_feature", "plan_film", "plan_imagine", "plan_journey", "plan_redo", "plan_see", "redo", "see", "sheet", "wrap",
]  # fmt: skip

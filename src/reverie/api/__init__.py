"""The public functions. The commands and the studio call these, and add nothing to what they do.

Each is imported at its first use, with what it needs: a dream needs no films, and no templates of pages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "dream": "api.dreaming", "plan_dream": "api.dreaming", "feature": "api.imagining", "features": "api.imagining",
    "imagine": "api.imagining", "film": "api.moving", "journey": "api.moving", "plan_film": "api.moving", "plan_journey": "api.moving",
    "load": "api.opening", "wrap": "api.opening", "climb": "api.own_score", "plan_climb": "api.own_score",
    "plan_feature": "api.plans_from_noise", "plan_imagine": "api.plans_from_noise", "again": "api.redoing", "plan_again": "api.redoing",
    "redo": "api.redoing", "carried_by": "api.replanning", "plan_redo": "api.replanning", "plan_see": "api.seeing", "see": "api.seeing",
    "sheet": "pictures",
}  # fmt: skip


if not TYPE_CHECKING:  # else any name would do

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'reverie.api' has no attribute {name!r}")
        return getattr(import_module(f"reverie.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

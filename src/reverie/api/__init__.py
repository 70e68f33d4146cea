"""The public functions. The commands and the studio call these, and add nothing to what they do.

Each is imported at its first use, with what it needs: a dream needs no films, and no templates of pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.api.asking import ask
    from reverie.api.atlases.making import Atlas, atlas, estimate_atlas, make_atlas
    from reverie.api.atlases.maps_stage import note_on_maps
    from reverie.api.atlases.planning import AtlasPlan, plan_atlas
    from reverie.api.atlases.workshop import opening_for
    from reverie.api.dreaming import dream, plan_dream
    from reverie.api.elsewhere import Elsewhere, NamedNetwork, OpenLooks, Wish, look_task, make_elsewhere
    from reverie.api.grids import Grid, GridCell, GridFolder, GridPlan, grid, plan_grid
    from reverie.api.imagining import feature, features, imagine
    from reverie.api.moving import film, journey, plan_film, plan_journey
    from reverie.api.opening import load, wrap
    from reverie.api.own_score import climb, plan_climb
    from reverie.api.plans_from_noise import plan_feature, plan_imagine
    from reverie.api.redoing import again, plan_again, redo
    from reverie.api.replanning import carried_by, plan_redo
    from reverie.api.seeing import plan_see, see
    from reverie.pictures import sheet
    from reverie.render import machine
    from reverie.work import engine_for

__all__ = [
    "Atlas", "AtlasPlan", "Elsewhere", "Grid", "GridCell", "GridFolder", "GridPlan", "NamedNetwork", "OpenLooks", "Wish", "again", "ask",
    "atlas", "carried_by", "climb", "dream", "engine_for", "estimate_atlas", "feature", "features", "film", "grid", "imagine", "journey",
    "load", "look_task", "machine", "make_atlas", "make_elsewhere", "note_on_maps", "opening_for", "plan_again", "plan_atlas", "plan_climb",
    "plan_dream", "plan_feature", "plan_film", "plan_grid", "plan_imagine", "plan_journey", "plan_redo", "plan_see", "redo", "see", "sheet",
    "wrap",
]  # fmt: skip

_HOMES = {
    "api.asking": ("ask",),
    "api.atlases.making": ("Atlas", "atlas", "estimate_atlas", "make_atlas"),
    "api.atlases.maps_stage": ("note_on_maps",),
    "api.atlases.planning": ("AtlasPlan", "plan_atlas"),
    "api.atlases.workshop": ("opening_for",),
    "api.dreaming": ("dream", "plan_dream"),
    "api.elsewhere": ("Elsewhere", "NamedNetwork", "OpenLooks", "Wish", "look_task", "machine", "make_elsewhere"),
    "api.grids": ("Grid", "GridCell", "GridFolder", "GridPlan", "grid", "plan_grid"),
    "api.imagining": ("feature", "features", "imagine"),
    "api.moving": ("film", "journey", "plan_film", "plan_journey"),
    "api.opening": ("load", "wrap"),
    "api.own_score": ("climb", "plan_climb"),
    "api.plans_from_noise": ("plan_feature", "plan_imagine"),
    "api.redoing": ("again", "plan_again", "redo"),
    "api.replanning": ("carried_by", "plan_redo"),
    "api.seeing": ("plan_see", "see"),
    "pictures": ("sheet",),
    "render": ("machine",),
    "work": ("engine_for",),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

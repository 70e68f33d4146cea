"""From recipe to pictures: the only room that puts canvas, network, objective and ascent together."""

from reverie.render.batch_memory import fitting
from reverie.render.bound_objectives import Inputs, guided
from reverie.render.frames import Dreamer, Dreamt
from reverie.render.noise import LARGEST, check_size, drawn, generator, noise_start, purposes, threads
from reverie.render.own_objective import Objective, PictureScore, own_layers, own_target
from reverie.render.own_plan import climb_plan
from reverie.render.own_views import Best, best_of
from reverie.render.plan import Plan, Watcher
from reverie.render.provenance import is_built_in, machine, network_used, used_by
from reverie.render.scores import Scores, scorers
from reverie.render.second_opinions import judges
from reverie.render.target_checks import check, check_objective, check_places, check_reach
from reverie.render.tiling import Estimate, tiles_for, whole_only

__all__ = [
    "LARGEST",
    "Best",
    "Dreamer",
    "Dreamt",
    "Estimate",
    "Inputs",
    "Objective",
    "PictureScore",
    "Plan",
    "Scores",
    "Watcher",
    "best_of",
    "check",
    "check_objective",
    "check_places",
    "check_reach",
    "check_size",
    "climb_plan",
    "drawn",
    "fitting",
    "generator",
    "guided",
    "is_built_in",
    "judges",
    "machine",
    "network_used",
    "noise_start",
    "own_layers",
    "own_target",
    "purposes",
    "scorers",
    "threads",
    "tiles_for",
    "used_by",
    "whole_only",
]  # fmt: skip

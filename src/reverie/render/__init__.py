"""From recipe to pictures: the only room that puts canvas, network, objective and ascent together."""

from reverie.render.fit import fitting
from reverie.render.plan import Plan, Watcher
from reverie.render.scores import Inputs, guided, scorers
from reverie.render.starts import check_size, generator, noise_start, purposes, threads
from reverie.render.targets import check, check_objective, check_reach

__all__ = [
    "Inputs", "Plan", "Watcher", "check", "check_objective", "check_reach", "check_size", "fitting", "generator", "guided", "noise_start",
    "purposes", "scorers", "threads",
]  # fmt: skip

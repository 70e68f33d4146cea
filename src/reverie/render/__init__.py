"""From recipe to pictures: the only room that puts canvas, network, objective and ascent together."""

from reverie.render.fit import fitting
from reverie.render.opinions import judges
from reverie.render.plan import Plan, Watcher
from reverie.render.recipes import machine, network_used, used_by
from reverie.render.scores import Inputs, guided, scorers
from reverie.render.starts import check_size, drawn, generator, noise_start, purposes, threads
from reverie.render.targets import check, check_objective, check_reach

__all__ = [
    "Inputs", "Plan", "Watcher", "check", "check_objective", "check_reach", "check_size", "drawn", "fitting", "generator", "guided",
    "judges", "machine", "network_used", "noise_start", "purposes", "scorers", "threads", "used_by",
]  # fmt: skip

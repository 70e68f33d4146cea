"""Seeing: what each layer of a network made of a picture, lowest to highest."""

from reverie.insight.layer_report import Counted, Fidelity, Noticed, Opinion, Rung
from reverie.insight.measures import excited
from reverie.insight.plan import SeePlan, make_plan, noise_usual
from reverie.insight.report import Sight
from reverie.insight.request import Progress, SeeRequest, Watcher, seen_size

__all__ = [
    "Counted", "Fidelity", "Noticed", "Opinion", "Progress", "Rung", "SeePlan", "SeeRequest", "Sight", "Watcher", "excited", "make_plan",
    "noise_usual", "seen_size",
]  # fmt: skip

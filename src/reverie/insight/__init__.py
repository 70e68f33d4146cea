"""Seeing: what each layer of a network made of a picture, lowest to highest."""

from reverie.insight.layers import look
from reverie.insight.measures import excited, noise_usual
from reverie.insight.report import Fidelity, Noticed, Rung, Sight
from reverie.insight.request import Halt, Wish, blocks, seen_size

__all__ = [
    "Fidelity", "Halt", "Noticed", "Rung", "Sight", "Wish", "blocks", "excited", "look", "noise_usual", "seen_size",
]  # fmt: skip

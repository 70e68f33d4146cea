"""Seeing: what each layer of a network made of a picture, lowest to highest."""

from reverie.insight.looking import look
from reverie.insight.parts import excited, noise_usual
from reverie.insight.sight import Fidelity, Noticed, Rung, Sight
from reverie.insight.wish import Halt, Wish, blocks, seen_size

__all__ = [
    "Fidelity", "Halt", "Noticed", "Rung", "Sight", "Wish", "blocks", "excited", "look", "noise_usual", "seen_size",
]  # fmt: skip

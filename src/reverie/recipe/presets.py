"""Named choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reverie.errors import unknown
from reverie.recipe.choices import Level
from reverie.recipe.model import Command


@dataclass(frozen=True)
class Preset:
    """A named set of choices: a level, and what differs from the defaults."""

    level: Level
    shows: str
    choices: dict[str, Any] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
    "etching": Preset("edges", "engraved lines that follow every contour", {"vivid": 0.0, "octaves": 4, "smoothing": 0.9}),
    "weave": Preset("textures", "woven strokes, field against field", {"vivid": 0.12}),
    "mosaic": Preset("patterns", "tiles, beads and arches", {"smoothing": 1.3, "octaves": 6}),
    "eyes": Preset("parts", "eyes and fur wherever something is round", {"smoothing": 1.2}),
    "menagerie": Preset("objects", "whole animals, in a landscape of their own", {"smoothing": 1.2}),
    "garden": Preset("scenes", "leaves, fruit, halls and tents", {"smoothing": 1.3, "octaves": 6, "steps": 20, "vivid": 0.15}),
    "neon": Preset("objects", "the same animals in colours no photograph has", {"vivid": 0.9}),
}
DEFAULT_PRESET = "menagerie"


def preset(name: str) -> Preset:
    """The preset of this name; UsageError with the nearest if there is none."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS, "the presets are " + ", ".join(PRESETS))
    return PRESETS[name]


_FROM_NOISE: dict[str, Any] = {
    "spread": 0.17, "octaves": 3, "octave_scale": 1.41, "steps": 77, "strength": 0.15, "settle": 0.055, "jitter": 22,
    "smoothing": 1.3, "vivid": 0.35, "tone": "light", "rotate": 15.0, "scale": 1.4, "fade": 0.3, "total_variation": 0.12,
}  # fmt: skip

CARICATURE = {"strength": 0.004, "settle": 0.3}  # it begins near its own top, and larger steps would lead down again
OF_DREAMS = ("mix", "keep_colour")  # choices that need a start which is a picture

# what a command's choices are, before anything is said; what stands in no line here is as in the recipe's fields
BASES: dict[Command, dict[str, Any]] = {
    "dream": {},
    "imagine": {**_FROM_NOISE, "noise": 0.16, "focus": 0.6, "centre": 0.5},
    "feature": {**_FROM_NOISE, "noise": 0.1},
    "see": {  # of the pictures rebuilt from a layer
        "canvas": "fourier",
        "spread": 0.004,
        "octaves": 1,
        "steps": 100,
        "strength": 0.02,
        "jitter": 0,
        "vivid": 0.0,
        "tone": "free",
    },
    "journey": {"spread": 0.2, "octaves": 3, "steps": 3},
    "film": {},
}

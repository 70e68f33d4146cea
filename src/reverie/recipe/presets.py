"""Named choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from reverie.errors import unknown
from reverie.recipe.choices import Level


@dataclass(frozen=True)
class Preset:
    """A named set of choices: a level, and what differs from the defaults."""

    level: Level
    shows: str
    choices: dict[str, Any] = field(default_factory=dict)


PresetName = Literal["etching", "weave", "mosaic", "eyes", "menagerie", "garden", "neon"]
PRESETS: dict[PresetName, Preset] = {
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
    """The preset of this name, in capitals or not; UsageError with the nearest if there is none."""
    found = next((each for word, each in PRESETS.items() if word == str(name).lower()), None)
    if found is None:
        raise unknown("preset", str(name), PRESETS, "the presets are " + ", ".join(PRESETS))
    return found


CARICATURE = {"strength": 0.004, "settle": 0.3}  # it begins near its own top, and larger steps would lead down again

"""Named choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reverie.errors import UsageError, choice, unknown
from reverie.recipe.choices import Level


@dataclass(frozen=True)
class Preset:
    """A named set of choices: what differs from the defaults, and of dreams a level."""

    level: Level | None
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

LookName = Literal["natural", "emblem"]
_NATURAL: dict[str, Any] = {
    "natural": 1.0, "tone": "free", "l2": 0.02, "total_variation": 0.3, "smoothing": 1.6, "spread": 0.23,
    "fade": 1.0, "noise": 0.1, "focus": 0.6, "centre": 0.5,
}  # fmt: skip
_EMBLEM: dict[str, Any] = {  # the same choices, as they are without the penalty
    "natural": 0.0, "tone": "light", "l2": 0.0, "total_variation": 0.12, "smoothing": 1.3, "spread": 0.17,
    "fade": 0.3, "noise": 0.16, "focus": 0.6, "centre": 0.5,
}  # fmt: skip
_A_SCENE = "a scene, as photographs show it: what is asked for, and what the network remembers of photographs"
_ALONE = "one form, sharper than life: what is asked for, and nothing else"
LOOKS: dict[LookName, Preset] = {  # of classes
    "natural": Preset(None, _A_SCENE, _NATURAL),
    "emblem": Preset(None, _ALONE, _EMBLEM),
}
LOOKS_OF_UNITS: dict[LookName, Preset] = {
    "natural": Preset(None, _A_SCENE, {**_NATURAL, "natural": 0.4, "focus": 0.3, "centre": 0.3}),
    "emblem": Preset(None, _ALONE, {**_EMBLEM, "noise": 0.1, "focus": 0.0, "centre": 0.0}),
}
DEFAULT_LOOK: LookName = "natural"
DEFAULT_LOOK_OF_UNITS: LookName = "emblem"


def preset(name: str, among: Mapping[Any, Preset]) -> Preset:
    """The preset of this name, in capitals or not; UsageError with the nearest if there is none, or with the commands that have it."""
    word, here = str(name).lower(), "the presets are " + ", ".join(among)
    found = next((each for other, each in among.items() if other == word), None)
    if found is not None:
        return found
    elsewhere = ("imagine", "feature") if word in LOOKS else ("dream", "journey", "film") if word in PRESETS else ()
    if not elsewhere:
        raise unknown("preset", str(name), among, here)
    drawn = f"{choice('natural', 1)} draws to photographs; " if word == "natural" else ""
    raise UsageError(f"no preset '{name}' here", f"`{'`, `'.join(elsewhere)}` have it; {drawn}{here}")


CARICATURE = {"strength": 0.004, "settle": 0.3}  # it begins near its own top, and larger steps would lead down again

"""Every choice that makes a picture, as frozen data: defaults, bounds, help, presets, and the text that travels inside a file."""

from typing import get_args

from reverie.recipe.choices import GROUPS, Ascent, Canvas, Finish, Level, Noise, Penalties, Tiles, Transforms
from reverie.recipe.model import (
    LONGEST_SIDE,
    MOST_SEED,
    MOST_THREADS,
    MOST_TOGETHER,
    OWN,
    SCHEMA,
    Batch,
    Command,
    FileInput,
    Machine,
    Named,
    NetworkUsed,
    NoiseInput,
    Objective,
    Opinion,
    Recipe,
    Stopped,
    VectorInput,
)
from reverie.recipe.moving import MOST_FRAMES, Film, Journey, Stop
from reverie.recipe.presets import BASES, CARICATURE, DEFAULT_PRESET, OF_DREAMS, PRESETS, Preset, preset
from reverie.recipe.reading import LONGEST_TEXT, choose, first_fault, read
from reverie.recipe.resolve import Choices, chosen

DEFAULT_NETWORK = "efficientnet-lite0"
MAX_PIXELS = 500_000_000  # a picture may claim, unless somebody says otherwise
LEVELS: tuple[Level, ...] = get_args(Level)

__all__ = [
    "BASES",
    "CARICATURE",
    "DEFAULT_NETWORK",
    "DEFAULT_PRESET",
    "GROUPS",
    "LEVELS",
    "LONGEST_SIDE",
    "LONGEST_TEXT",
    "MAX_PIXELS",
    "MOST_FRAMES",
    "MOST_SEED",
    "MOST_THREADS",
    "MOST_TOGETHER",
    "OF_DREAMS",
    "OWN",
    "PRESETS",
    "SCHEMA",
    "Ascent",
    "Batch",
    "Canvas",
    "Choices",
    "Command",
    "FileInput",
    "Film",
    "Finish",
    "Journey",
    "Level",
    "Machine",
    "Named",
    "NetworkUsed",
    "Noise",
    "NoiseInput",
    "Objective",
    "Opinion",
    "Penalties",
    "Preset",
    "Recipe",
    "Stop",
    "Stopped",
    "Tiles",
    "Transforms",
    "VectorInput",
    "choose",
    "chosen",
    "first_fault",
    "preset",
    "read",
]

"""Every choice that makes a picture, as frozen data: defaults, bounds, help, presets, and the text that travels inside a file."""

from reverie.recipe.camera_mark import camera_mark, of_camera
from reverie.recipe.choices import GROUPS, Ascent, Canvas, Data, Finish, Flag, Level, Noise, Penalties, Tiles, Transforms, Where
from reverie.recipe.command_table import CLIMB, COMMANDS, CommandSpec, Subject, flag_in, flag_names, flag_of, held_in
from reverie.recipe.moving import MOST_FRAMES, Film, Journey, Stop
from reverie.recipe.presets import DEFAULT_PRESET, LOOKS, LOOKS_OF_UNITS, PRESETS, LookName, Preset, PresetName, preset
from reverie.recipe.print_sizes import PRINT_DPI, Paper, paper
from reverie.recipe.reading import LONGEST_TEXT, choose, first_fault, read
from reverie.recipe.recipe import (
    CHOSEN,
    LONGEST_SIDE,
    MOST_SEED,
    MOST_THREADS,
    MOST_TOGETHER,
    OWN,
    SCHEMA,
    Batch,
    Command,
    FileInput,
    Learnt,
    Machine,
    Named,
    NetworkUsed,
    NoiseInput,
    Objective,
    Opinion,
    Recipe,
    StatisticsInput,
    Stopped,
    Used,
    UsedFile,
    VectorInput,
    is_noise,
)  # fmt: skip
from reverie.recipe.requests import (
    COMPANY,
    LEVELS,
    MAX_PIXELS,
    Along,
    Beside,
    Charted,
    Course,
    Cut,
    FilmReading,
    Goal,
    Look,
    Mask,
    NoiseSeed,
    OfTheNetwork,
    Places,
    Print,
    Seed,
    Seeds,
    Size,
    Style,
    Together,
    Top,
    Variants,
    Varying,
    Width,
    sides,
)  # fmt: skip
from reverie.recipe.resolve import Choices, Request, of_command, resolve
from reverie.recipe.running_requests import (
    AtlasWriting,
    Estimate,
    FilmWriting,
    GivingBack,
    GridWriting,
    Listing,
    Machinery,
    Making,
    Own,
    PageWriting,
    Printing,
    Pruning,
    Replay,
    Scoring,
    Serving,
    Sheet,
    Verifying,
    Working,
    Writing,
)  # fmt: skip
from reverie.recipe.seeds import MOST_SEEDS, each_of, is_one_seed, seeds
from reverie.recipe.sheet_mark import digest, on_sheet, sheet_mark
from reverie.recipe.variants import Layers, variation
from reverie.recipe.varying import NAMING_FILES, SUBJECTS, values_of, varied, vary_named, varying

DEFAULT_NETWORK = "efficientnet-lite0"

__all__ = [
    "CHOSEN", "CLIMB", "COMMANDS", "COMPANY", "DEFAULT_NETWORK", "DEFAULT_PRESET", "GROUPS", "LEVELS", "LONGEST_SIDE", "LONGEST_TEXT",
    "LOOKS", "LOOKS_OF_UNITS", "MAX_PIXELS", "MOST_FRAMES", "MOST_SEED", "MOST_SEEDS", "MOST_THREADS", "MOST_TOGETHER", "NAMING_FILES",
    "OWN", "PRESETS", "PRINT_DPI", "SCHEMA", "SUBJECTS", "Along", "Ascent", "AtlasWriting", "Batch", "Beside", "Canvas", "Charted",
    "Choices", "Command", "CommandSpec", "Course", "Cut", "Data", "Estimate", "FileInput", "Film", "FilmReading", "FilmWriting",
    "Finish", "Flag", "GivingBack", "Goal", "GridWriting", "Journey", "Layers", "Learnt", "Level", "Listing", "Look", "LookName",
    "Machine", "Machinery", "Making", "Mask", "Named", "NetworkUsed", "Noise", "NoiseInput", "NoiseSeed", "Objective", "OfTheNetwork",
    "Opinion", "Own", "PageWriting", "Paper", "Penalties", "Places", "Preset", "PresetName", "Print", "Printing", "Pruning", "Recipe",
    "Replay", "Request", "Scoring", "Seed", "Seeds", "Serving", "Sheet", "Size", "StatisticsInput", "Stop", "Stopped", "Style",
    "Subject", "Tiles", "Together", "Top", "Transforms", "Used", "UsedFile", "Variants", "Varying", "VectorInput", "Verifying", "Where",
    "Width", "Working", "Writing", "camera_mark", "choose", "digest", "each_of", "first_fault", "flag_in", "flag_names", "flag_of",
    "held_in", "is_noise", "is_one_seed", "of_camera", "of_command", "on_sheet", "paper", "preset", "read", "resolve", "seeds",
    "sheet_mark", "sides", "values_of", "variation", "varied", "vary_named", "varying",
]  # fmt: skip

"""The table of commands: of each the models of its choices, its own defaults, what it needs. Flags, help, docs, parameters follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from reverie.recipe.choices import Ascent, Canvas, Data, Finish, Flag, Penalties, Transforms
from reverie.recipe.moving import Film, Journey
from reverie.recipe.presets import DEFAULT_LOOK, DEFAULT_LOOK_OF_UNITS, DEFAULT_PRESET, LOOKS, LOOKS_OF_UNITS, PRESETS, Preset
from reverie.recipe.requests import (
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
)  # fmt: skip
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


@dataclass(frozen=True)
class Subject:
    """What stands behind a command's name without a flag."""

    metavar: str
    description: str
    several: bool = False
    required: bool = True


@dataclass(frozen=True)
class CommandSpec:
    """A command as data.

    Attributes:
        name: on the command line, and of the public function. summary: what it does. example: of its use.
        subjects: what stands behind its name.
        models: of its choices; those of `reverie.recipe.requests` and of the recipe.
        writing: models that the command line alone has.
        defaults: its own, where they differ from those of the models.
        without: fields of its models that it has not.
        networks: how many it takes: one, several that want one picture, each of several by itself, or the recipe's own.
        presets: named choices that it has. usual_preset: the one that counts where nothing is said.
        of_preset: the only choices that it takes from a preset.
        first: choices that are among the few that its help shows, where they are not so everywhere.
        run: the function of the command line that does it, as package.module:function.
        hint: what else its help says at the end.
        borrows: its choices are those of other commands, and so is what they are without being named.
    """

    name: str
    summary: str
    example: str
    run: str
    subjects: tuple[Subject, ...] = ()
    models: tuple[type[Data], ...] = ()
    writing: tuple[type[Data], ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    networks: Literal["none", "one", "several", "each", "own"] = "none"
    presets: Mapping[Any, Preset] = field(default_factory=dict)
    usual_preset: str = ""
    of_preset: tuple[str, ...] = ()
    first: frozenset[str] = frozenset()
    hint: str = ""
    borrows: bool = False

    @cached_property
    def fields(self) -> dict[str, type[Data]]:
        """The names of its choices, and the model of each."""
        return {name: model for model in self.models for name in model.model_fields if name not in self.without}

    @cached_property
    def flags(self) -> dict[str, type[Data]]:
        """The same with what the command line alone has."""
        own = (Own,) if self.networks != "none" else ()
        return {
            **self.fields,
            **{name: model for model in (*own, *self.writing) for name in model.model_fields if name not in self.without},
        }

    def is_open(self, name: str) -> bool:
        """Whether it is for another command to say what a choice is without being named."""
        return self.borrows and self.fields.get(name, Varying) is not Varying

    def default(self, name: str) -> Any:
        """Of a choice, before anything is said."""
        return self.defaults.get(name, self.flags[name].model_fields[name].get_default(call_default_factory=True))


_FROM_NOISE: dict[str, Any] = {
    "octaves": 3, "octave_scale": 1.41, "steps": 77, "strength": 0.15, "settle": 0.055, "jitter": 22, "vivid": 0.35, "rotate": 15.0,
    "scale": 1.4,
}  # fmt: skip
_REBUILT: dict[str, Any] = {  # pictures rebuilt from a layer
    "canvas": "fourier", "spread": 0.004, "octaves": 1, "strength": 0.02, "jitter": 0, "vivid": 0.0, "tone": "free",
}  # fmt: skip
_TOGETHER = "Several are made together, so each differs in details from the one that is made alone; --batch 1 makes them as if alone."
_START = "a picture, or noise:white|grey|pink"
_OF_DREAMS = frozenset({"mix", "keep_colour", "sober"})  # they need a start that is a picture
_OF_JOURNEYS = frozenset({"canvas"})

_ROWS = (
    CommandSpec(
        "recognise", "The labels the network gives, with probabilities, and whether what it sees is probably there.",
        "reverie recognise truck.jpg",
        "reverie.cli.query_commands:recognise", (Subject("PICTURE", "pictures to recognise, or noise:white|grey|pink", several=True),),
        models=(Top, NoiseSeed, Machinery), writing=(Printing,), without=frozenset({"keep", "quiet"}), networks="one",
    ),
    CommandSpec(
        "ask", "What several networks see in pictures, and where they agree.", "reverie ask cloud.jpg -o asked", "reverie.cli.asking:ask",
        (Subject("PICTURE", "pictures to ask about, a folder of them, or noise:white|grey|pink", several=True),),
        models=(Top, NoiseSeed, Machinery), writing=(Writing, Printing), defaults={"top": 3},
        without=frozenset({"keep", "quiet", "with_recipe"}),
        networks="each",
    ),
    CommandSpec(
        "labels", "The classes of a network: their numbers and names, and the words people use for them.", "reverie labels cat",
        "reverie.cli.query_commands:labels",
        (Subject("[WORD…]", "only the classes that a word means or has in its name: cat, terrier", several=True, required=False),),
        writing=(Printing,), without=frozenset({"quiet"}), networks="one",
    ),
    CommandSpec(
        "networks", "The networks that can be looked into; of those that are named, all that is known.", "reverie networks",
        "reverie.cli.query_commands:networks",
        (Subject("[NAME…]", "all that is known of these: efficientnet-lite0", several=True, required=False),),
        writing=(Printing,), without=frozenset({"quiet"}),
    ),
    CommandSpec(
        "layers", "The layers of a network, in forward order: what they give at its native size, and how much of the picture they see.",
        "reverie layers --network efficientnet-lite1", "reverie.cli.query_commands:layers",
        writing=(Printing,), without=frozenset({"quiet"}),
        networks="one",
    ),
    CommandSpec(
        "dream", "Enhance what a layer detects in START: pictures, a folder of them, or noise.", "reverie dream sky.jpg --level objects",
        "reverie.cli.dreaming:dream", (Subject("START", "pictures, a folder of them, or noise:white|grey|pink", several=True),),
        models=(
            Goal, Beside, Mask, Variants, Seeds, Ascent, Transforms, Penalties, Width, Size, Print, Cut, Canvas, Finish, Machinery,
        ),
        writing=(Writing, Making, Sheet, Estimate, Printing), networks="several", presets=PRESETS, usual_preset=DEFAULT_PRESET,
        hint="Bigger forms, subtler, calmer, more colour: docs/knobs.md shows each.",
    ),
    CommandSpec(
        "imagine", "What a network expects a class to look like, from noise. Other networks then say what they see in it.",
        "reverie imagine banana", "reverie.cli.imagining:imagine",
        (Subject("LABEL", "classes, by name or number: banana, 954, class:banana; words for several: cat", several=True, required=False),),
        models=(Style, Together, OfTheNetwork, Seeds, Ascent, Transforms, Penalties, Size, Print, Canvas, Finish, Machinery),
        writing=(Writing, Making, Sheet, Working, Estimate, Printing), defaults={**_FROM_NOISE, **LOOKS[DEFAULT_LOOK].choices},
        without=_OF_DREAMS, networks="several", presets=LOOKS, usual_preset=DEFAULT_LOOK,
        first=frozenset({"natural", "usual", "company"}), hint=_TOGETHER,
    ),
    CommandSpec(
        "feature", "What excites a unit or any target most, from noise.", "reverie feature blocks.4.1:12",
        "reverie.cli.imagining:feature",
        (Subject("TARGET", "what to excite: blocks.4.1:12, blocks.4.1:0-15, a layer, sums of them", several=True, required=False),),
        models=(Style, Together, Along, Places, OfTheNetwork, Seeds, Ascent, Transforms, Penalties, Size, Print, Canvas, Finish, Machinery),
        writing=(Writing, Making, Sheet, Working, Estimate, Printing),
        defaults={**_FROM_NOISE, **LOOKS_OF_UNITS[DEFAULT_LOOK_OF_UNITS].choices},
        without=_OF_DREAMS, networks="several", presets=LOOKS_OF_UNITS, usual_preset=DEFAULT_LOOK_OF_UNITS,
        first=frozenset({"natural"}), hint=_TOGETHER,
    ),
    CommandSpec(
        "see", "What each layer, lowest to highest, made of a picture: one page.", "reverie see truck.jpg",
        "reverie.cli.seeing:see", (Subject("PICTURE", "pictures to look at, or a folder of them", several=True),),
        models=(Look, Seed, Machinery), writing=(Writing, PageWriting, Working, Printing), defaults=_REBUILT, networks="one",
    ),
    CommandSpec(
        "journey", "A film without end: dream on START, move it a little, dream again.", "reverie journey sky.jpg --level parts",
        "reverie.cli.moving:journey",
        (Subject("START", _START), Subject("[TARGET…]", "of a --ring: targets or levels, or NETWORK/TARGET", several=True, required=False)),
        models=(Goal, Journey, Course, Seed, Ascent, Transforms, Penalties, Width, Size, Canvas, Machinery),
        writing=(FilmWriting, Estimate, Printing), defaults={"spread": 0.2, "octaves": 3, "steps": 3}, without=_OF_JOURNEYS,
        networks="several", presets=PRESETS, usual_preset=DEFAULT_PRESET, of_preset=("vivid",),
    ),
    CommandSpec(
        "film", "A dreamt film, steady from frame to frame, with its sound.", "reverie film walk.mp4 --preset eyes",
        "reverie.cli.moving:film", (Subject("VIDEO", "a film: MP4, MOV, WebM, MKV, AVI, GIF …"),),
        models=(Goal, Film, FilmReading, Seed, Ascent, Transforms, Penalties, Width, Machinery),
        writing=(FilmWriting, Estimate, Printing), networks="several", presets=PRESETS, usual_preset=DEFAULT_PRESET,
    ),
    CommandSpec(
        "grid", "Pictures over every combination of choices, on a labelled sheet and a page from which nothing is left out.",
        "reverie grid sky.jpg --vary level=edges,parts,scenes --vary seed=0-3", "reverie.cli.grids:grid",
        (Subject("START", "what `dream` takes; of --command imagine labels, of --command feature targets", several=True, required=False),),
        models=(
            Varying, Goal, Beside, Mask, Together, OfTheNetwork, Seed, Ascent, Transforms, Penalties, Width, Size, Print, Cut, Canvas,
            Finish, Machinery,
        ),
        writing=(GridWriting, Working, Estimate, Printing),
        without=frozenset({"between", "count", "diverse", "with_recipe"}), networks="several",
        hint="Every choice of the command may vary, and the network too; docs/gallery.md shows grids.", borrows=True,
    ),
    CommandSpec(
        "atlas", "A site with a page for every unit of a network, with the real pictures that excite it.",
        "reverie atlas --sample 24 --dataset photographs -o atlas", "reverie.cli.atlases:atlas",
        models=(Charted, Style, Seed, Size, Ascent, Transforms, Penalties, Canvas, Machinery),
        writing=(AtlasWriting, Working, Estimate, Printing),
        defaults={**_FROM_NOISE, **LOOKS_OF_UNITS[DEFAULT_LOOK_OF_UNITS].choices, "octaves": 2, "steps": 48},
        without=frozenset({"with_recipe"}), networks="one", presets=LOOKS_OF_UNITS, usual_preset=DEFAULT_LOOK_OF_UNITS,
        hint="The same command goes on where it was stopped; docs/atlas.md shows what is on a page.",
    ),
    CommandSpec(
        "gallery", "A page of every picture of a folder and below, none left out; and whether they are still what they were.",
        "reverie gallery dreams", "reverie.cli.galleries:gallery", (Subject("FOLDER", "a folder of pictures, made by Reverie or not"),),
        models=(Machinery,), writing=(Writing, Scoring, Verifying, Printing), without=frozenset({"with_recipe", "keep", "scores"}),
        networks="each",
        hint="--network, --device, --precision and --threads say who looks at pictures for --scores, and where.",
    ),
    CommandSpec(
        "studio", "All of this in a web page on this machine, for people who do not type commands.", "reverie studio",
        "reverie.cli.studio:studio", writing=(Serving,),
    ),
    CommandSpec(
        "recipe", "Tell how a picture was made, from the recipe it carries.", "reverie recipe dream.png",
        "reverie.cli.query_commands:recipe",
        (Subject("PICTURE", "a picture or film made by Reverie"),), models=(Listing,),
        writing=(GivingBack, Printing), without=frozenset({"quiet"}),
    ),
    CommandSpec(
        "redo", "Make a picture again from the recipe it carries; or the same but for what is named.", "reverie redo dream.png --seed 5",
        "reverie.cli.redoing:redo", (Subject("PICTURE", "a picture or film made by Reverie"),),
        models=(
            Replay, Goal, Journey, Course, Film, Beside, Mask, Together, Seed, Ascent, Transforms, Penalties, Width, Size, Print, Cut,
            Canvas, Finish, Machinery,
        ),
        writing=(Writing, Printing), without=frozenset({"ring", "keep", "between", "count", "diverse", "batch"}), networks="own",
        borrows=True,
    ),
    CommandSpec(
        "cache", "What is kept in the cache, how large it is; and prune it.", "reverie cache", "reverie.cli.cache:cache",
        models=(Pruning,), writing=(Printing,), without=frozenset({"quiet"}),
    ),
    CommandSpec(
        "doctor", "What is installed, which device there is, what is missing and how to get it.", "reverie doctor",
        "reverie.cli.query_commands:doctor", writing=(Printing,), without=frozenset({"quiet"}),
    ),
)  # fmt: skip

CLIMB = CommandSpec(
    "climb", "Climb a function of pictures.", "reverie.climb(\"sky.jpg\", score)", "", (Subject("START", _START),),
    models=(Mask, Seed, Ascent, Transforms, Penalties, Width, Size, Print, Canvas, Finish, Machinery),
    without=frozenset({"precision", "natural", "sober"}),  # there is no network
)  # fmt: skip
"""Of Python alone: a command line has no functions."""

COMMANDS: dict[str, CommandSpec] = {each.name: each for each in _ROWS}


def flag_in(model: type[Data], name: str) -> Flag:
    """How the command line shows a field."""
    return next((each for each in model.model_fields[name].metadata if isinstance(each, Flag)), Flag())


def held_in(field: FieldInfo) -> Any:
    """What a field holds, where it holds anything: int of `int | None`."""
    kind: Any = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return kind


def flag_names(name: str, flag: Flag) -> tuple[str, ...]:
    return flag.names or ("--" + name.replace("_", "-"),)


def flag_of(field: str) -> str:
    """The flag of a field, for messages: `away` is --from."""
    for spec in COMMANDS.values():
        if field in spec.flags:
            return max(flag_names(field, flag_in(spec.flags[field], field)), key=len)
    return "--" + field.replace("_", "-")

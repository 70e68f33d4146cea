"""The recipe: all that made a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal, TypeGuard

from pydantic import Field, model_validator

from reverie.recipe.choices import (
    MOST_PLANES,
    Ascent,
    Canvas,
    Data,
    Finish,
    Noise,
    OtherTarget,
    Penalties,
    TargetField,
    Tiles,
    Transforms,
    Where,
)
from reverie.recipe.moving import Film, Journey

SCHEMA = 2  # with 2 networks compute in another order, and noise over feature pictures is drawn otherwise: 1 is redone to the eye
MOST_THREADS = 1024
MOST_SEED = 2**63 - 1
LONGEST_SIDE = 10**6  # pixels of a picture that is made
OWN = "own"  # the objective of a picture that climbed a function of somebody's own
MOST_TOGETHER = 256  # pictures in a batch

Command = Literal["dream", "imagine", "feature", "see", "journey", "film"]
Objective = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,40}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Channelled = Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(max_length=4096)]
Native = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
Probability = Annotated[float, Field(ge=0, le=1)]


CHOSEN = ("canvas", "ascent", "transforms", "penalties", "finish", "journey", "film")  # the fields of a recipe that hold choices


class NetworkUsed(Data):
    """A network, by name and by the hash of its weights, and how it was prepared."""

    name: Name
    sha256: Sha256
    target: OtherTarget = Field(None, description="what this one is asked for, where a level means another layer than in the first network")
    mean: Channelled = Field((), description="what is taken off each channel of a picture in 0..1; empty of built-in networks")
    std: Channelled = Field((), description="what each channel is then divided by, above 0; empty of built-in networks")
    size: tuple[Native, ...] = Field((), max_length=2, description="native height and width; empty of built-in networks")
    folded: int = Field(0, ge=0, description="normalisations folded into convolutions")
    unfolded: int = Field(0, ge=0, description="normalisations left as they are, since folding did not match or was in the way")


class FileInput(Data):
    """A picture that went in, by its content."""

    role: Literal["start", "guide", "mask", "film"] = "start"
    sha256: Sha256
    width: int = Field(ge=1, le=10**9)
    height: int = Field(ge=1, le=10**9)


class NoiseInput(Data):
    """Noise that went in; it follows from the seed."""

    role: Literal["start"] = "start"
    noise: Noise

    @property
    def start(self) -> str:
        """As somebody asks for it: `noise:pink`."""
        return f"noise:{self.noise}"


def is_noise(start: object) -> TypeGuard[str]:
    """Whether a start is noise by its name, `noise:pink`, known or not; not a path or a picture."""
    return isinstance(start, str) and start.startswith("noise:")


class Learnt(Data):
    """What the first network learnt from known pictures, by which it tells what it knows: see `reverie.Calibration`."""

    method: Literal["GEN", "GEN + norms"] = Field(description="by which it is measured how known a picture is")
    means: tuple[float, ...] = Field(min_length=1, max_length=2, description="over the known pictures, of each part of the method")
    spreads: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1, max_length=2, description="the same, standard deviations")
    threshold: float = Field(description="from which on a picture is known")
    threshold_interval: tuple[float, ...] = Field(min_length=2, max_length=2, description="in which it lies for 95 % of draws")
    sure: float = Field(description="from which on it is known for sure")
    pictures: int = Field(ge=1, description="how many known ones there were")


class VectorInput(Data):
    """A direction in the channels of a layer, by the content of its file."""

    role: Literal["direction"] = "direction"
    sha256: Sha256
    channels: int = Field(ge=1, le=10**7)


class StatisticsInput(Data):
    """What the network's layers give for usual pictures, by the content of its file: where its own norms remember none."""

    role: Literal["usual"] = "usual"
    sha256: Sha256


UsedFile = FileInput | VectorInput | StatisticsInput
Used = FileInput | NoiseInput | VectorInput | StatisticsInput


class Batch(Data):
    """The pictures that were made together, since a network's last bits depend on its company."""

    kind: Literal["each", "diverse", "between"] = Field(
        "each", description="`diverse` ones keep apart from each other, those `between` share their noise and lead from first to last"
    )
    targets: tuple[TargetField, ...] = Field(min_length=1, max_length=MOST_TOGETHER)
    index: int = Field(0, ge=0, lt=MOST_TOGETHER, description="which of them this picture is, counted from 0")


class Named(Data):
    """A class that a network sees in the picture."""

    index: int = Field(ge=0)
    label: Name
    probability: Probability


class Opinion(Data):
    """What a network that did not dream the picture says of it, when it is final."""

    network: Name
    sha256: Sha256
    rank: int = Field(ge=1, description="of the class that was asked for among all classes; 1 is the first")
    probability: Probability = Field(description="of the class that was asked for")
    labels: tuple[Named, ...] = Field((), max_length=10, description="the most probable classes")


class Stopped(Data):
    """Where an unfinished picture stopped: `step` steps of octave `octave` (both counted from 1) were made."""

    octave: int = Field(ge=1, le=24)
    step: int = Field(ge=1, le=100_000)


class Machine(Data):
    """What the picture was made on: the part of a recipe that a `redo` elsewhere cannot keep."""

    reverie: Name
    torch: Name
    device: Literal["cpu", "cuda", "mps"]
    threads: int = Field(ge=1, le=MOST_THREADS)
    precision: Literal["float32", "bfloat16"]


class Recipe(Data):
    """All of it. Never a path, a user's name or a place."""

    schema_version: int = Field(SCHEMA, ge=1, le=SCHEMA)
    command: Command = "dream"
    networks: tuple[NetworkUsed, ...] = Field(max_length=8, description="one or more; none where a function of pictures alone was climbed")
    inputs: tuple[Used, ...] = Field(min_length=1, max_length=4)
    target: TargetField
    objective: Objective = "excite"
    canvas: Canvas = Canvas()
    ascent: Ascent = Ascent()
    transforms: Transforms = Transforms()
    penalties: Penalties = Penalties()
    finish: Finish = Finish()
    width: int = Field(ge=1, le=LONGEST_SIDE)
    height: int = Field(ge=1, le=LONGEST_SIDE)
    channels: int = Field(3, ge=1, le=MOST_PLANES, description="of the picture: as many as its networks take")
    seed: int = Field(0, ge=0, le=MOST_SEED)
    batch: Batch | None = None
    tiles: Tiles | None = None
    journey: Journey | None = None
    film: Film | None = None
    where: Where | None = Field(
        None, exclude_if=lambda given: given is None, description="the part of the picture that was dreamt on, where no mask says it"
    )
    learnt: Learnt | None = Field(
        None, exclude_if=lambda given: given is None, description="of a sober dream: by what its first network tells what it knows"
    )
    stopped: Stopped | None = None
    made_from: Sha256 | None = Field(
        None, exclude_if=lambda given: given is None, description="of the text of the recipe that this one was changed from, if it was"
    )
    opinions: tuple[Opinion, ...] = Field((), max_length=8)
    machine: Machine

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for fault, breaks in RULES:
            if breaks(self):
                raise ValueError(fault)
        return self

    def input(self, role: str) -> Used | None:
        """The input with this role, if there is one."""
        return next((each for each in self.inputs if each.role == role), None)

    @property
    def contents(self) -> frozenset[str]:
        """The sha256 of every file that went in."""
        return frozenset(each.sha256 for each in self.inputs if not isinstance(each, NoiseInput))

    @property
    def together(self) -> int:
        """How many pictures are made with it, itself among them."""
        return 1 if self.batch is None else len(self.batch.targets)

    @property
    def moves(self) -> bool:
        """Whether it is of a film or a journey, not of a picture."""
        return self.journey is not None or self.film is not None

    @property
    def from_noise_alone(self) -> bool:
        """Whether no file went in, so that there is none to be found again."""
        return not self.contents

    def is_as(self, other: Recipe) -> bool:
        """Whether both make the same picture, whatever other networks said of it."""
        return self.model_copy(update={"opinions": ()}) == other.model_copy(update={"opinions": ()})

    def alone(self) -> Recipe:
        """The same without its company and threads, which change bits: where that is the same, so is the picture to the eye."""
        return self.model_copy(update={"batch": None, "machine": self.machine.model_copy(update={"threads": 1})})

    def is_part_of(self, whole: Recipe) -> bool:
        """Whether it stopped on the way to the picture of another that did not."""
        return self.stopped is not None and whole.stopped is None and self.model_copy(update={"stopped": None}).is_as(whole)

    def text(self) -> str:
        """Canonical JSON: the same recipe gives the same text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_NEEDED_BY = {
    "guide": ("guide", "rebuild"),
    "direction": ("direction",),
    "": ("excite", "log-odds", "caricature", OWN),
}  # input → objectives


def _roles(recipe: Recipe) -> list[str]:
    return [each.role for each in recipe.inputs]


def _lacks(recipe: Recipe, role: str) -> bool:
    """Whether this input is there and its objective does not need it, or the other way round; what others need is not known here."""
    known = recipe.objective in (each for objectives in _NEEDED_BY.values() for each in objectives)
    return known and (recipe.objective in _NEEDED_BY[role]) != (role in _roles(recipe))


def _stops_late(recipe: Recipe) -> bool:
    stopped = recipe.stopped
    return stopped is not None and (stopped.octave > recipe.ascent.octaves or stopped.step > recipe.ascent.steps)


def _unlike_its_batch(recipe: Recipe) -> bool:
    batch = recipe.batch
    return batch is not None and (batch.index >= len(batch.targets) or batch.targets[batch.index] != recipe.target)


def _starts_badly(recipe: Recipe) -> bool:
    roles = _roles(recipe)
    return roles.count("start") + roles.count("film") != 1 or len(set(roles)) < len(roles)


def _is_not_cut(recipe: Recipe) -> bool:
    """Whether its score is no sum over places, or its steps change a place by others; which objectives can be cut is not known here."""
    return (
        (recipe.command, recipe.canvas.canvas, len(recipe.networks), recipe.batch) != ("dream", "pixels", 1, None)
        or (recipe.transforms, recipe.penalties) != (Transforms(), Penalties())
        or any(term.label is not None or term.at is not None for term in recipe.target.terms)
    )


def _moves_places(recipe: Recipe) -> bool:
    """Whether a place of the picture does not stay where it is while it is made, or something beside the network has a say in it."""
    ascent = recipe.ascent
    return (
        (ascent.octaves, ascent.jitter, ascent.focus, ascent.centre, ascent.settle, ascent.tone) != (1, 0, 0, 0, 1, "free")
        or (recipe.transforms, recipe.penalties) != (Transforms(), Penalties())
        or not isinstance(recipe.input("start"), NoiseInput)
        or bool(set(_roles(recipe)) - {"start", "guide"})
        or len(recipe.networks) != 1
    )


def _is_not_sober(recipe: Recipe) -> bool:
    """Whether it says that it is sober, and not by what; or the other way round; or it is no dream."""
    learnt = recipe.learnt
    if learnt is None:
        return recipe.finish.sober
    parts = 1 + (learnt.method != "GEN")
    whole = recipe.finish.sober and recipe.command == "dream" and bool(recipe.networks)
    return not whole or len(learnt.means) != parts or len(learnt.spreads) != parts


def _shows_wrong_channels(recipe: Recipe) -> bool:
    given = recipe.finish.shown
    return bool(given) and (recipe.channels in (1, 3) or max(given) >= recipe.channels)


RULES: tuple[tuple[str, Callable[[Recipe], bool]], ...] = (
    ("it names no network", lambda recipe: not recipe.networks and recipe.objective != OWN),
    ("stopped after its own end", _stops_late),
    ("its target is not that of its place in the batch", _unlike_its_batch),
    ("the same network stands in it twice", lambda recipe: len({each.sha256 for each in recipe.networks}) < len(recipe.networks)),
    ("it needs one start, and no more than one guide, mask and direction", _starts_badly),
    ("the objectives 'rebuild' and 'guide' and the input of that name go together", lambda recipe: _lacks(recipe, "guide")),
    ("the objective 'direction' and the input of that name go together", lambda recipe: _lacks(recipe, "direction")),
    (
        "the command 'film', its input and its choices go together",
        lambda recipe: len({recipe.command == "film", "film" in _roles(recipe), recipe.film is not None}) > 1,
    ),
    ("the command 'journey' and its choices go together", lambda recipe: (recipe.command == "journey") != (recipe.journey is not None)),
    (
        "the command 'see' and the objective 'rebuild' go together",
        lambda recipe: (recipe.command == "see") != (recipe.objective == "rebuild"),
    ),
    (
        "statistics of usual pictures and the penalty 'natural' go together, with one network",
        lambda recipe: "usual" in _roles(recipe) and (not recipe.penalties.natural or len(recipe.networks) != 1),
    ),
    ("only pictures of three channels have colours to keep", lambda recipe: recipe.channels != 3 and recipe.finish.keep_colour),
    ("sober are dreams alone, by networks that have learnt what they know", _is_not_sober),
    ("channels are shown that it has not, or that need no choice", _shows_wrong_channels),
    (
        "a part of the picture is dreamt on by dreams alone, and without a mask",
        lambda recipe: recipe.where is not None and (recipe.command != "dream" or "mask" in _roles(recipe)),
    ),
    ("frames are grey or coloured", lambda recipe: recipe.moves and recipe.channels not in (1, 3)),
    ("such a picture is not made in tiles", lambda recipe: recipe.tiles is not None and _is_not_cut(recipe)),
    (
        "what is rebuilt place by place is seen straight, in one octave, from noise",
        lambda recipe: recipe.objective == "rebuild" and _moves_places(recipe),
    ),
)
"""What a recipe must not be, whatever its fields: what is then said, and whether it is so."""

"""The recipe: all that made a picture."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reverie.recipe.choices import MOST_PLANES, Ascent, Canvas, Data, Finish, Noise, OtherTarget, Penalties, TargetField, Tiles, Transforms
from reverie.recipe.moving import Film, Journey

SCHEMA = 1
MOST_THREADS = 1024
MOST_SEED = 2**63 - 1
LONGEST_SIDE = 10**6  # pixels of a picture that is made
MOST_TOGETHER = 256  # pictures in a batch

Command = Literal["dream", "imagine", "feature", "see", "journey", "film"]
Objective = Literal["excite", "guide", "caricature", "direction", "rebuild"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Channelled = Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(max_length=4096)]
Native = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
Probability = Annotated[float, Field(ge=0, le=1)]


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


class VectorInput(Data):
    """A direction in the channels of a layer, by the content of its file."""

    role: Literal["direction"] = "direction"
    sha256: Sha256
    channels: int = Field(ge=1, le=10**7)


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
    networks: tuple[NetworkUsed, ...] = Field(min_length=1, max_length=8)
    inputs: tuple[FileInput | NoiseInput | VectorInput, ...] = Field(min_length=1, max_length=4)
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
    stopped: Stopped | None = None
    opinions: tuple[Opinion, ...] = Field((), max_length=8)
    machine: Machine

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.stopped and (self.stopped.octave > self.ascent.octaves or self.stopped.step > self.ascent.steps):
            raise ValueError("stopped after its own end")
        if self.batch and (self.batch.index >= len(self.batch.targets) or self.batch.targets[self.batch.index] != self.target):
            raise ValueError("its target is not that of its place in the batch")
        if len({each.sha256 for each in self.networks}) < len(self.networks):
            raise ValueError("the same network stands in it twice")
        roles = [each.role for each in self.inputs]
        if roles.count("start") + roles.count("film") != 1 or len(set(roles)) < len(roles):
            raise ValueError("it needs one start, and no more than one guide, mask and direction")
        if (self.objective in ("guide", "rebuild")) != ("guide" in roles):
            raise ValueError("the objectives 'rebuild' and 'guide' and the input of that name go together")
        if (self.objective == "direction") != ("direction" in roles):
            raise ValueError("the objective 'direction' and the input of that name go together")
        if (self.command == "film") != ("film" in roles) or (self.command == "film") != (self.film is not None):
            raise ValueError("the command 'film', its input and its choices go together")
        if (self.command == "journey") != (self.journey is not None):
            raise ValueError("the command 'journey' and its choices go together")
        if (self.objective == "rebuild") != (self.command == "see"):
            raise ValueError("the command 'see' and the objective 'rebuild' go together")
        if self.channels != 3 and self.finish.keep_colour:
            raise ValueError("only pictures of three channels have colours to keep")
        if self.finish.shown and (self.channels in (1, 3) or max(self.finish.shown) >= self.channels):
            raise ValueError("channels are shown that it has not, or that need no choice")
        if self.channels not in (1, 3) and self.command in ("journey", "film"):
            raise ValueError("frames are grey or coloured")
        if self.tiles is not None and not self._can_be_cut():
            raise ValueError("such a picture is not made in tiles")
        if self.objective == "rebuild" and not self._looks_straight():
            raise ValueError("what is rebuilt place by place is seen straight, in one octave, from noise")
        return self

    def _can_be_cut(self) -> bool:
        """Whether its score is a sum over places, and its steps change each place by itself."""
        return (
            (self.command, self.canvas.canvas, len(self.networks), self.batch) == ("dream", "pixels", 1, None)
            and self.objective in ("excite", "guide", "direction")
            and (self.transforms, self.penalties) == (Transforms(), Penalties())
            and all(term.label is None and term.at is None for term in self.target.terms)
        )

    def _looks_straight(self) -> bool:
        """Whether each place of the picture stays where it is while it is made, and nothing but the network has a say in it."""
        way = self.ascent
        return (
            (way.octaves, way.jitter, way.focus, way.centre, way.settle, way.tone) == (1, 0, 0, 0, 1, "free")
            and (self.transforms, self.penalties) == (Transforms(), Penalties())
            and isinstance(self.input("start"), NoiseInput)
            and not {each.role for each in self.inputs} - {"start", "guide"}
            and len(self.networks) == 1
        )

    def input(self, role: str) -> FileInput | NoiseInput | VectorInput | None:
        """The input with this role, if there is one."""
        return next((each for each in self.inputs if each.role == role), None)

    def text(self) -> str:
        """Canonical JSON: the same recipe gives the same text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

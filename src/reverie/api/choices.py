"""The choices of each public function, for editors and type checkers. A test holds them to the fields of the recipe's models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar

import numpy as np
from PIL import Image
from torch import Tensor

from reverie.pictures import Picture
from reverie.recipe import COMMANDS, CommandSpec, Level

PictureLike = str | Path | Picture | Image.Image | Tensor
DirectionLike = str | Path | bytes | Sequence[float] | np.ndarray[Any, Any] | Tensor
Function = TypeVar("Function", bound=Callable[..., object])


class GoalChoices(TypedDict, total=False):
    """Instead of a target."""

    level: Level
    preset: str


class AlongChoices(TypedDict, total=False):
    """A direction in a layer."""

    direction: DirectionLike
    towards: PictureLike | Sequence[PictureLike]
    away: PictureLike | Sequence[PictureLike]


class BesideChoices(AlongChoices, total=False):
    """What lies beside the start."""

    guide: PictureLike
    caricature: bool


class MaskChoices(TypedDict, total=False):
    """Where to dream."""

    mask: PictureLike


class WidthChoices(TypedDict, total=False):
    """How large, of what begins with a picture."""

    width: int


class SizeChoices(TypedDict, total=False):
    """How large, of what begins with noise."""

    size: int | tuple[int, int] | str


class CutChoices(TypedDict, total=False):
    """How a large picture is cut."""

    tile: int
    halo: int


class BatchChoices(TypedDict, total=False):
    """Which are made together."""

    batch: int


class RunChoices(TypedDict, total=False):
    """Another result of the same choices, and where it runs."""

    seed: int
    device: str
    threads: int
    keep: bool
    max_pixels: int


class SpreadChoices(TypedDict, total=False):
    """Of the noise that something begins with."""

    spread: float


class CanvasChoices(SpreadChoices, total=False):
    """What is optimised."""

    canvas: Literal["pixels", "fourier", "maco"]


class AscentChoices(TypedDict, total=False):
    """How it climbs."""

    octaves: int
    octave_scale: float
    steps: int
    strength: float
    settle: float
    jitter: int
    smoothing: float
    vivid: float
    tone: Literal["keep", "light", "free"]
    focus: float
    centre: float


class TransformsChoices(TypedDict, total=False):
    """How the network is shown it."""

    rotate: float
    scale: float
    crop: float
    mirror: bool
    noise: float
    fade: float


class PenaltiesChoices(TypedDict, total=False):
    """What each step takes back."""

    total_variation: float
    l2: float
    border: float
    spectrum: float


class FinishChoices(TypedDict, total=False):
    """What is done to the result."""

    opacity: bool
    deep: bool
    shown: str | int | Sequence[int]


class MixChoices(TypedDict, total=False):
    """What of the start is in the result."""

    mix: float
    keep_colour: bool


class LookChoices(TypedDict, total=False):
    """What of a picture is looked at, and how."""

    layers: str | Sequence[str]
    why: str | int
    channels: int
    usual: str | Path
    width: int
    steps: int
    shown: str | int | Sequence[int]


class CourseChoices(TypedDict, total=False):
    """How a journey moves."""

    frames: int
    fps: float
    motion: str
    loop: bool
    close: float
    enter: float
    rounds: int
    turn: float
    ring: Sequence[str]
    seconds: float


class CarriedChoices(TypedDict, total=False):
    """How a film is read, and carried from frame to frame."""

    steady: float
    carried_octaves: int
    carried_steps: int
    frames: int
    strict: bool


class WritingChoices(TypedDict, total=False):
    """How a film is written."""

    force: bool
    with_recipe: bool
    preview: int
    keep_frames: bool
    partial: bool


class _Climbing(AscentChoices, TransformsChoices, PenaltiesChoices, RunChoices, total=False):
    """What everything that climbs has."""


class ClimbChoices(_Climbing, MaskChoices, WidthChoices, SizeChoices, CanvasChoices, FinishChoices, MixChoices, total=False):
    """Of `climb`."""


class DreamChoices(ClimbChoices, GoalChoices, BesideChoices, CutChoices, total=False):
    """Of `dream`."""


class ImagineChoices(_Climbing, SizeChoices, CanvasChoices, FinishChoices, BatchChoices, total=False):
    """Of `imagine`."""


class FeatureChoices(ImagineChoices, AlongChoices, total=False):
    """Of `feature` and `features`."""


class SeeChoices(LookChoices, RunChoices, total=False):
    """Of `see`."""


class JourneyChoices(_Climbing, GoalChoices, CourseChoices, WidthChoices, SizeChoices, SpreadChoices, WritingChoices, total=False):
    """Of `journey`."""


class FilmChoices(_Climbing, GoalChoices, CarriedChoices, WidthChoices, WritingChoices, total=False):
    """Of `film`."""


class Changes(DreamChoices, CourseChoices, CarriedChoices, BatchChoices, total=False):
    """Of `again`: what shall be other than it was."""

    target: str
    start: PictureLike


def documented(command: str | CommandSpec) -> Callable[[Function], Function]:
    """Lists every choice of a command, with its default, in the docstring of its function."""

    def add(function: Function) -> Function:
        spec = COMMANDS[command] if isinstance(command, str) else command
        rows = [f"        {name} = {spec.default(name)!r}: {model.model_fields[name].description}" for name, model in spec.fields.items()]
        told = "Choices, and what they are without being named:"
        function.__doc__ = "\n".join([(function.__doc__ or "").rstrip(), "", f"    {told}", *rows, ""])
        return function

    return add

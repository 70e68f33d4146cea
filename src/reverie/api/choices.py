"""The choices of each public function, for editors and type checkers. A test holds them to the fields of the recipe's models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, SupportsIndex, TypedDict, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reverie.networks import Label
from reverie.pictures import Picture
from reverie.recipe import COMMANDS, CommandSpec, Level, LookName, PresetName, Where
from reverie.target import Target

PictureLike = str | Path | Picture | Image.Image | np.ndarray[Any, Any] | Tensor | bytes
Device = Literal["auto", "cpu", "cuda", "mps"] | str | torch.device
Precision = Literal["auto", "float32", "bfloat16"] | torch.dtype
Climbed = str | Target | tuple[str, SupportsIndex]
ClassLike = str | SupportsIndex | Label
DirectionLike = str | Path | bytes | Sequence[float] | np.ndarray[Any, Any] | Tensor
Several = int | Sequence[int] | str | None  # a seed, or several: range(1, 11), [1, 4, 7]
Function = TypeVar("Function", bound=Callable[..., object])


class GoalChoices(TypedDict, total=False):
    """Instead of a target."""

    level: Level | None
    preset: PresetName | None


class _AnyGoalChoices(TypedDict, total=False):
    """Instead of a target, or beside it."""

    level: Level | None
    preset: PresetName | LookName | None


class StyleChoices(TypedDict, total=False):
    """What a picture from noise looks like."""

    preset: LookName | None


class AlongChoices(TypedDict, total=False):
    """A direction in a layer."""

    direction: DirectionLike | None
    towards: PictureLike | Sequence[PictureLike] | None
    away: PictureLike | Sequence[PictureLike] | None


class BesideChoices(AlongChoices, total=False):
    """What lies beside the start, and what it has a say in."""

    guide: PictureLike | None
    caricature: bool | None
    sober: bool | None


class PlacesChoices(TypedDict, total=False):
    """Where a layer counts."""

    mask: PictureLike | None


class MaskChoices(PlacesChoices, total=False):
    """Where to dream."""

    where: Where | None


class WidthChoices(TypedDict, total=False):
    """How large, of what begins with a picture."""

    width: int | None


class SizeChoices(TypedDict, total=False):
    """How large, of what begins with noise."""

    size: int | tuple[int, int] | str | None


class PrintChoices(TypedDict, total=False):
    """How large on paper."""

    print: str | None


class CutChoices(TypedDict, total=False):
    """How a large picture is cut."""

    tile: int | None
    halo: int | None


class BatchChoices(TypedDict, total=False):
    """Which are made together."""

    batch: int | None
    company: int | None


class DeviceChoices(TypedDict, total=False):
    """Where it runs."""

    device: Device | None
    threads: int | None


class MachineryChoices(DeviceChoices, total=False):
    """The same, and what is allowed."""

    max_pixels: int | None


class PrecisionChoices(TypedDict, total=False):
    """What a network computes in."""

    precision: Precision | None


class RedoChoices(MachineryChoices, PrecisionChoices, total=False):
    """All that says how it runs, as `redo` takes it."""


class SeedChoices(TypedDict, total=False):
    """Another result of the same choices."""

    seed: int | None


class KeepChoices(TypedDict, total=False):
    """What is kept."""

    keep: bool | None


class OfTheNetworkChoices(TypedDict, total=False):
    """What is made as the network's own pictures are."""

    usual: PictureLike | Sequence[PictureLike] | None
    class_score: Literal["logit", "log-odds"] | None


class RunChoices(RedoChoices, SeedChoices, KeepChoices, total=False):
    """Another result of the same choices, where it runs, and what is kept."""


class SpreadChoices(TypedDict, total=False):
    """Of the noise that something begins with."""

    spread: float | None
    light: float | str | Sequence[float] | None


class CanvasChoices(SpreadChoices, total=False):
    """What is optimised."""

    canvas: Literal["pixels", "fourier", "maco"] | None


class AscentChoices(TypedDict, total=False):
    """How it climbs."""

    octaves: int | None
    octave_scale: float | None
    steps: int | None
    strength: float | None
    settle: float | None
    jitter: int | None
    rest: float | None
    smoothing: float | None
    vivid: float | None
    tone: Literal["keep", "light", "free"] | None
    focus: float | None
    centre: float | None


class TransformsChoices(TypedDict, total=False):
    """How the network is shown it."""

    rotate: float | None
    scale: float | None
    crop: float | None
    mirror: bool | None
    noise: float | None
    fade: float | None


class PenaltiesChoices(TypedDict, total=False):
    """What each step takes back."""

    total_variation: float | None
    l2: float | None
    border: float | None
    spectrum: float | None


class NaturalChoices(TypedDict, total=False):
    """To what a network remembers."""

    natural: float | None


class FinishChoices(TypedDict, total=False):
    """What is done to the result."""

    opacity: bool | None
    deep: bool | None
    dpi: int | None
    shown: str | int | Sequence[int] | None


class MixChoices(TypedDict, total=False):
    """What of the start is in the result."""

    mix: float | None
    keep_colour: bool | None


class LookChoices(TypedDict, total=False):
    """What of a picture is looked at, and how."""

    layers: str | Sequence[str] | None
    level: Level | None
    why: ClassLike | None
    baseline: Literal["mean", "black", "blurred"] | PictureLike | None
    channels: int | None
    usual: str | Path | Sequence[PictureLike] | np.ndarray[Any, Any] | Tensor | None
    width: int | None
    steps: int | None
    shown: str | int | Sequence[int] | None


class CourseChoices(TypedDict, total=False):
    """How a journey moves."""

    frames: int | None
    fps: float | None
    motion: str | None
    loop: bool | None
    close: float | None
    enter: float | None
    rounds: int | None
    turn: float | None
    ring: Sequence[str] | None
    seconds: float | None


class CarriedChoices(TypedDict, total=False):
    """How a film is read, and carried from frame to frame."""

    steady: float | None
    carried_octaves: int | None
    carried_steps: int | None
    frames: int | None
    strict: bool | None


class WritingChoices(TypedDict, total=False):
    """How a film is written."""

    force: bool | None
    with_recipe: bool | None
    preview: int | None
    keep_frames: bool | None
    partial: bool | None


class _Growing(AscentChoices, TransformsChoices, PenaltiesChoices, DeviceChoices, total=False):
    """What everything that climbs has."""


class _Reading(_Growing, MachineryChoices, KeepChoices, total=False):
    """The same of what files go into."""


class _Climbing(_Reading, SeedChoices, total=False):
    """The same of what has one seed."""


class _Dreaming(_Reading, MaskChoices, WidthChoices, SizeChoices, PrintChoices, CanvasChoices, FinishChoices, MixChoices, total=False):
    """What everything that begins with a picture and is one has."""


class ClimbChoices(_Dreaming, SeedChoices, total=False):
    """Of `climb`."""


class DreamChoices(_Dreaming, NaturalChoices, PrecisionChoices, GoalChoices, BesideChoices, CutChoices, total=False):
    """Of `dream`."""


class ImagineChoices(
    _Growing, NaturalChoices, StyleChoices, OfTheNetworkChoices, RedoChoices, SizeChoices, PrintChoices, CanvasChoices, FinishChoices,
    BatchChoices, KeepChoices, total=False,
):  # fmt: skip
    """Of `imagine`."""


class FeatureChoices(ImagineChoices, AlongChoices, PlacesChoices, total=False):
    """Of `feature` and `features`."""


class SeeChoices(LookChoices, RunChoices, total=False):
    """Of `see`."""


class JourneyChoices(
    _Climbing, NaturalChoices, PrecisionChoices, GoalChoices, CourseChoices, WidthChoices, SizeChoices, SpreadChoices, WritingChoices,
    total=False,
):  # fmt: skip
    """Of `journey`."""


class FilmChoices(_Climbing, NaturalChoices, PrecisionChoices, GoalChoices, CarriedChoices, WidthChoices, WritingChoices, total=False):
    """Of `film`."""


class GridChoices(
    _Dreaming, RunChoices, NaturalChoices, _AnyGoalChoices, BesideChoices, CutChoices, BatchChoices, OfTheNetworkChoices, total=False,
):  # fmt: skip
    """Of `grid`: what all pictures share."""

    target: Climbed | None


class Changes(GridChoices, CourseChoices, CarriedChoices, total=False):
    """Of `again`: what shall be other than it was."""

    start: PictureLike | None


def documented(command: str | CommandSpec) -> Callable[[Function], Function]:
    """Lists every choice of a command, with its default, in the docstring of its function."""

    def add(function: Function) -> Function:
        spec = COMMANDS[command] if isinstance(command, str) else command
        rows = [f"        {name} = {spec.default(name)!r}: {model.model_fields[name].description}" for name, model in spec.fields.items()]
        told = f"{(function.__doc__ or '').rstrip()}\n\n    Choices, and what they are without being named:"
        function.__doc__ = "\n".join([told, *rows, ""])
        return function

    return add

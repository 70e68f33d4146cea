"""Every choice that changes a pixel, as frozen data: defaults, bounds, help. The flags of the command line are made from these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, field_validator

from reverie.errors import UsageError
from reverie.target import Target, parse

Level = Literal["edges", "textures", "patterns", "parts", "objects", "scenes"]
Noise = Literal["white", "grey", "pink"]
Where = Literal["top", "bottom", "left", "right", "centre", "edges", "subject", "background"]
MOST_PLANES = 10**6  # channels of a picture


@dataclass(frozen=True)
class Flag:
    """How the command line shows a choice.

    Attributes:
        metavar: what stands for its value.
        names: of the flag, where it is not the choice's own name with two dashes.
        first: one of the few that `--help` shows.
        negative: the flag turns the choice off.
        several: it may be given more than once.
        switch: it takes no value, whatever the choice holds.
        seeds: several may be given in one text, as `1-10`.
    """

    metavar: str = ""
    names: tuple[str, ...] = ()
    first: bool = False
    negative: bool = False
    several: bool = False
    switch: bool = False
    seeds: bool = False


class Data(BaseModel):
    """Frozen, strict, and without fields nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)
    group: ClassVar[str] = "more"  # that help lists its flags in


def _target(given: Any) -> Target:
    if isinstance(given, Target):
        return given
    if not isinstance(given, str):
        raise ValueError("should be a text")
    try:
        return parse(given)
    except UsageError as error:
        raise ValueError(str(error)) from error


TargetField = Annotated[
    Target, PlainValidator(_target), PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string", "maxLength": 2000})
]
"""A target, which is a text in a file."""
OtherTarget = Annotated[
    Target | None,
    PlainValidator(lambda given: None if given in ("", None) else _target(given)),
    PlainSerializer(lambda target: "" if target is None else str(target), return_type=str),
    WithJsonSchema({"type": "string", "maxLength": 2000}),
]
"""The same where there may be none: an empty text."""


def _each_channel(given: Any) -> Any:
    """`0.13`, `"0.5,0.4,0.3"`, a list → a tuple of numbers."""
    if isinstance(given, str):
        try:
            return tuple(float(each) for each in given.split(","))
        except ValueError:
            raise ValueError("should be numbers with commas between, such as 0.5,0.4,0.3") from None
    if isinstance(given, bool):
        raise ValueError("should be a number, or one of each channel")
    return (float(given),) if isinstance(given, (int, float)) else given if given is None else tuple(given)


class Canvas(Data):
    """What is optimised."""

    group: ClassVar[str] = "the canvas"
    canvas: Literal["pixels", "fourier", "maco"] = Field(
        "pixels", description="what is optimised: pixels, Fourier coefficients, or phases under the spectrum of photographs (MaCo)"
    )
    spread: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="contrast of the noise a picture begins with, at which pixels are held; photographs have 0.23, 0 leaves its own",
    )
    light: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], BeforeValidator(_each_channel), Flag("X[,X,X]")] = Field(
        (),
        max_length=4096,
        exclude_if=lambda given: not given,
        description="mean of the noise a picture begins with, 0 black to 1 white, of all channels or of each; without it middle grey",
    )


class Ascent(Data):
    """How the canvas climbs."""

    group: ClassVar[str] = "how strongly"
    octaves: Annotated[int, Flag(first=True)] = Field(5, ge=1, le=24, description="sizes it is dreamt at; more bring larger forms")
    octave_scale: float = Field(1.4, gt=1, le=4, description="how much larger each octave is than the one before")
    steps: Annotated[int, Flag(first=True)] = Field(16, ge=1, le=100_000, description="steps in each octave")
    strength: Annotated[float, Flag(first=True)] = Field(
        0.012, gt=0, le=1, description="size of a step: the root mean square of the change, where 1 is black to white"
    )
    settle: float = Field(1.0, gt=0, le=1, description="the last step's strength as a share of the first's: less than 1 comes to rest")
    jitter: int = Field(32, ge=0, le=1024, description="the picture is shifted by up to so many pixels before each step")
    rest: float = Field(
        0.0,
        ge=0,
        le=1,
        exclude_if=lambda given: not given,
        description="share of the steps, the last, at which the network sees the picture as it is: without jitter and other transforms",
    )
    smoothing: Annotated[float, Flag(first=True)] = Field(
        1.0, ge=0, le=3, description="the gradient is divided by frequency to this power: 0 gives grain, more gives broad forms"
    )
    vivid: Annotated[float, Flag(first=True)] = Field(
        0.1, ge=0, le=1, description="how free colours are: 0 changes them together as in photographs, 1 each by itself"
    )
    tone: Literal["keep", "light", "free"] = Field(
        "keep",
        description="'keep' holds the light and contrast of each colour at the start's, 'light' those of all together, so that the "
        "picture may take on a colour, 'free' lets them go where the dream leads",
    )
    focus: float = Field(
        0.0, ge=0, le=3, description="places where the network looks most get more of each step: fewer subjects on a calmer ground"
    )
    centre: float = Field(0.0, ge=0, le=1, description="how much more of each step the middle gets, so that one subject grows there")


class Transforms(Data):
    """How the network is shown the picture: differently at each step, so that what grows does not hang on one view of it."""

    group: ClassVar[str] = "how the network is shown it"
    rotate: float = Field(0.0, ge=0, le=180, description="the network sees it turned by up to so many degrees")
    scale: float = Field(1.0, ge=1, le=4, description="the network sees it larger or smaller by up to this factor")
    crop: float = Field(1.0, ge=0.1, le=1, description="the network sees a part of it whose side is at least this share of the whole")
    mirror: bool = Field(False, description="the network sees it mirrored left to right in half of the steps")
    noise: float = Field(0.0, ge=0, le=1, description="the network sees it under noise of this spread, less and less until the last step")
    fade: float = Field(1.0, gt=0, le=1, description="the network sees it at a contrast drawn between this share and all of it")


class Penalties(Data):
    """What each step takes back, as a share of its strength."""

    group: ClassVar[str] = "what each step takes back"
    total_variation: float = Field(0.0, ge=0, le=10, description="against grain: evens out differences between neighbours, keeps edges")
    l2: float = Field(0.0, ge=0, le=10, description="against glare: draws every value towards middle grey")
    border: float = Field(0.0, ge=0, le=10, description="draws the border towards middle grey, and the subject into the middle")
    spectrum: float = Field(0.0, ge=0, le=10, description="draws the power at each frequency towards that of photographs")
    natural: float = Field(
        0.0,
        ge=0,
        le=10,
        exclude_if=lambda given: not given,
        description="draws the picture to what the network remembers of its training pictures: whole scenes",
    )


class Tiles(Data):
    """How a picture too large for one pass is cut. Where it is not, a recipe has none."""

    tile: int = Field(ge=16, le=2**16, description="side of the tiles a large picture's gradient is computed in")
    halo: int = Field(ge=0, le=2**12, description="pixels beyond each tile that the network is shown with it")


class Finish(Data):
    """What is done to the dream when the last step is made."""

    group: ClassVar[str] = "the result"
    mix: Annotated[float, Flag(first=True)] = Field(0.0, ge=0, le=1, description="share of the start in it: 0 is all dream, 1 all start")
    sober: Annotated[bool, Flag(first=True)] = Field(
        False,
        exclude_if=lambda given: not given,
        description="dream only where, and as far as, the network knows what is there",
    )
    keep_colour: bool = Field(False, description="take only light and dark from the dream, and the colours from the start")
    opacity: bool = Field(
        False, description="write where the dream changed most as opacity (alpha), the rest transparent: PNG, WebP or TIFF"
    )
    deep: bool = Field(False, description="write 16 bits a colour (PNG)")
    dpi: Annotated[int | None, Flag("N")] = Field(
        None,
        ge=1,
        le=10_000,
        exclude_if=lambda given: given is None,
        description="dots per inch, which the file says to printers; without it as the start says, of a print 300",
    )
    shown: tuple[Annotated[int, Field(ge=0, lt=MOST_PLANES)], ...] = Field(
        (),
        max_length=3,
        description="of a network with other than one or three channels: those that are looked at as red, green and blue, counted from "
        "0, such as 3,2,1; or one, in grey",
    )

    @field_validator("shown", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        if isinstance(given, str) and re.fullmatch(r"\s*\d{1,9}(\s*,\s*\d{1,9})*\s*", given):
            return tuple(int(each) for each in given.split(","))
        if isinstance(given, str):
            raise ValueError("should be numbers of channels, such as 3,2,1")
        return (given,) if type(given) is int else tuple(given) if isinstance(given, list) else given

    @field_validator("shown")
    @classmethod
    def _three(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        if len(numbers) == 2:
            raise ValueError("should be three channels, or one")
        return numbers


GROUPS: tuple[type[Data], ...] = (Canvas, Ascent, Transforms, Penalties, Finish)

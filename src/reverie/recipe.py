"""Every choice that makes a picture, as frozen data: defaults, bounds, help, presets, and the text that travels inside a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reverie.errors import InputError, UsageError, unknown
from reverie.target import brief, parse

SCHEMA = 1
DEFAULT_NETWORK = "efficientnet-lite0"
MAX_PIXELS = 500_000_000  # a picture may claim, unless --max-pixels says otherwise
LONGEST_TEXT = 1 << 20  # characters of a recipe read from a file
MOST_THREADS = 1024
MOST_SEED = 2**63 - 1
LONGEST_SIDE = 10**6  # pixels of a picture that is made
LEVELS = ("edges", "textures", "patterns", "parts", "objects", "scenes")

Level = Literal["edges", "textures", "patterns", "parts", "objects", "scenes"]
Noise = Literal["white", "grey", "pink"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Model = TypeVar("Model", bound=BaseModel)


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class Ascent(_Data):
    """How the canvas climbs."""

    octaves: int = Field(5, ge=1, le=24, description="sizes the picture is dreamt at, from small to full; more bring larger forms")
    octave_scale: float = Field(1.4, gt=1, le=4, description="how much larger each octave is than the one before")
    steps: int = Field(16, ge=1, le=100_000, description="steps in each octave")
    strength: float = Field(0.012, gt=0, le=1, description="size of a step: the root mean square of the change, where 1 is black to white")
    jitter: int = Field(32, ge=0, le=1024, description="the picture is shifted by up to so many pixels before each step")
    smoothing: float = Field(
        1.0, ge=0, le=3, description="the gradient is divided by frequency to this power: 0 gives grain, more gives broad forms"
    )
    vivid: float = Field(0.1, ge=0, le=1, description="how free colours are: 0 changes them together as in photographs, 1 each by itself")
    tone: Literal["keep", "free"] = Field(
        "keep", description="'keep' holds the light and contrast of each colour at the start's, 'free' lets them go where the dream leads"
    )


class Finish(_Data):
    """What is done to the dream when the last step is made."""

    mix: float = Field(0.0, ge=0, le=1, description="share of the start in the result: 0 is all dream, 1 is all start")
    keep_colour: bool = Field(False, description="take only light and dark from the dream, and the colours from the start")
    deep: bool = Field(False, description="write 16 bits a colour (PNG)")


class Canvas(_Data):
    """What is optimised."""

    kind: Literal["pixels"] = "pixels"


class NetworkUsed(_Data):
    """A network, by name and by the hash of its weights, and how it was prepared."""

    name: Name
    sha256: Sha256
    folded: int = Field(0, ge=0, description="normalisations folded into convolutions")
    unfolded: int = Field(0, ge=0, description="normalisations left as they are, since folding did not match or was in the way")


class FileInput(_Data):
    """A picture that went in, by its content."""

    role: Literal["start"] = "start"
    sha256: Sha256
    width: int = Field(ge=1, le=10**9)
    height: int = Field(ge=1, le=10**9)


class NoiseInput(_Data):
    """Noise that went in; it follows from the seed."""

    role: Literal["start"] = "start"
    noise: Noise


class Stopped(_Data):
    """Where an unfinished picture stopped: `step` steps of octave `octave` (both counted from 1) were made."""

    octave: int = Field(ge=1, le=24)
    step: int = Field(ge=1, le=100_000)


class Machine(_Data):
    """What the picture was made on: the part of a recipe that a `redo` elsewhere cannot keep."""

    reverie: Name
    torch: Name
    device: Literal["cpu", "cuda", "mps"]
    threads: int = Field(ge=1, le=MOST_THREADS)
    precision: Literal["float32", "bfloat16"]


class Recipe(_Data):
    """All of it. Never a path, a user's name or a place."""

    schema_version: int = Field(SCHEMA, ge=1, le=SCHEMA)
    command: Literal["dream"] = "dream"
    networks: tuple[NetworkUsed, ...] = Field(min_length=1, max_length=1)
    inputs: tuple[FileInput | NoiseInput, ...] = Field(min_length=1, max_length=1)
    target: str = Field(max_length=2000)
    objective: Literal["excite"] = "excite"
    canvas: Canvas = Canvas()
    ascent: Ascent = Ascent()
    finish: Finish = Finish()
    width: int = Field(ge=1, le=LONGEST_SIDE)
    height: int = Field(ge=1, le=LONGEST_SIDE)
    seed: int = Field(0, ge=0, le=MOST_SEED)
    stopped: Stopped | None = None
    machine: Machine

    @field_validator("target")
    @classmethod
    def _canonical(cls, text: str) -> str:
        try:
            return str(parse(text))
        except UsageError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _stopped_within(self) -> Recipe:
        if self.stopped and (self.stopped.octave > self.ascent.octaves or self.stopped.step > self.ascent.steps):
            raise ValueError("stopped after its own end")
        return self

    def text(self) -> str:
        """Canonical JSON: the same recipe gives the same text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_EDITED = "the picture may have been edited by another program"


class _NotOurs(ValueError):
    """JSON that some programs read one way and some another."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise _NotOurs("a field stands in it twice")
    return data


def _no_number(name: str) -> None:
    raise _NotOurs(f"{name} is no number of JSON")


def read(text: str) -> Recipe:
    """A recipe from the text that a picture carries. The text is a stranger's: it is checked, field by field.

    Raises:
        InputError: too long, not JSON, from a newer version, or with a field that is unknown or out of bounds.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(f"a recipe of {len(text)} characters", f"the longest allowed is {LONGEST_TEXT}")
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        fault = str(error) if isinstance(error, _NotOurs) else "it is not JSON"
        raise InputError(f"the recipe is not valid: {fault}", _EDITED) from error
    if not isinstance(data, dict):
        raise InputError("the recipe is not valid: it is not a JSON object", _EDITED)
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA:
        raise InputError(f"the recipe has version {brief(str(version))}, this Reverie knows {SCHEMA}", "install a newer Reverie")
    try:
        return Recipe.model_validate_json(text.encode())  # strict as JSON is: an array is a tuple, but "5" is no 5
    except ValidationError as error:
        raise InputError(f"the recipe is not valid: {first_fault(error)}", _EDITED) from error
    except UnicodeEncodeError as error:
        raise InputError("the recipe is not valid: it holds half a character", _EDITED) from error


def first_fault(error: ValidationError) -> str:
    """The first fault of a validation, in one short line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(brief(str(part), 60) for part in fault["loc"][:6])
    return brief(f"{place}: {_plain(fault['msg'])}" if place else _plain(fault["msg"]), 240)


def _plain(message: str) -> str:
    """A message of pydantic's as the rest of a sentence."""
    message = (
        message.removeprefix("Value error, ").removeprefix("Input ").replace("a valid integer", "a whole number").replace("a valid ", "a ")
    )
    message = message.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")
    message = message.replace("Extra inputs are not permitted", "no such field")
    return message[:1].lower() + message[1:]


def choose(model: type[Model], **values: Any) -> Model:
    """`model(**values)`, with a UsageError that names the flag instead of pydantic's report."""
    try:
        return model(**values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = "--" + "-".join(str(part) for part in fault["loc"]).replace("_", "-")
        given = values.get(str(fault["loc"][0])) if fault["loc"] else None
        raise UsageError(f"{name} {brief(str(given))}", f"it {_plain(fault['msg'])}") from error


@dataclass(frozen=True)
class Preset:
    """A named set of choices: a level, and what differs from the defaults."""

    level: Level
    shows: str
    choices: dict[str, Any] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
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
    """The preset of this name; UsageError with the nearest if there is none."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS, "the presets are " + ", ".join(PRESETS))
    return PRESETS[name]

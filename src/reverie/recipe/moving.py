"""Choices of pictures that move."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from reverie.recipe.choices import Data, Flag, TargetField

MOST_FRAMES = 1_000_000


class Stop(Data):
    """A target of a ring, and which of the recipe's networks it belongs to, counted from 0."""

    target: TargetField
    network: int = Field(0, ge=0, lt=8)


class Journey(Data):
    """How a journey moves."""

    group: ClassVar[str] = "how it moves"
    frames: Annotated[int, Flag(first=True)] = Field(300, ge=1, le=MOST_FRAMES, description="frames of the film")
    fps: Annotated[float, Flag(first=True)] = Field(25.0, ge=0.1, le=240, description="frames a second")
    motion: Annotated[str, Flag(first=True)] = Field(
        "zoom", max_length=400, description="how the picture moves: names, or an expression of time"
    )
    loop: Annotated[bool, Flag(first=True)] = Field(False, description="the film closes on itself")
    close: float = Field(2.0, gt=0, le=3600, description="seconds in which a loop's end goes over into its beginning")
    enter: float = Field(
        1.0, ge=0, le=3600, description="seconds in which a start that is a picture goes over into the dream; 0 begins there"
    )
    rounds: int = Field(8, ge=1, le=1000, description="times the start is dreamt on, unmoved, for the first frame")
    turn: float = Field(4.0, gt=0, le=3600, description="seconds that each target of a ring dreams, before the next takes over")
    ring: tuple[Stop, ...] = Field((), max_length=64)


class Film(Data):
    """How a dreamt film is carried from frame to frame."""

    group: ClassVar[str] = "how it moves"
    steady: Annotated[float, Flag(first=True)] = Field(
        0.97, ge=0, le=1, description="how much of the last dream is carried along with the film; 0 dreams each frame anew, and flickers"
    )
    carried_octaves: int = Field(5, ge=1, le=24, description="octaves of a frame that begins with the last dream")
    carried_steps: int = Field(3, ge=1, le=100_000, description="steps in each of them")
    frames: int = Field(0, ge=0, le=MOST_FRAMES, description="dream only so many frames, from the first on; 0 for all of them")

"""What both sides of decoding and writing films agree on: the limits, the requests, and the answers.

A request goes to the process as a line of JSON on its stdin, an answer comes as a line of JSON on its stdout. Pixels follow the message
that announces them as they are, (H, W, 3) uint8. Fractions are pairs of numerator and denominator, sizes are [width, height].
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NotRequired, TypedDict

LONGEST_SIDE = 32_768
MOST_FRAMES = 1_000_000
LONGEST_MESSAGE = 1 << 26  # bytes
MEMORY = 3 << 30
"""Bytes of address space for a decoder, its libraries and threads included; more is given for large frames."""

Pair = list[int]
Kind = Literal["input", "unsafe", "extra"]


class Fault(Exception):
    """What is wrong with a film: raised in the process, told as an answer, and raised by the other side as one of our errors."""

    def __init__(self, kind: Kind, fault: str, remedy: str) -> None:
        self.kind, self.fault, self.remedy = kind, fault, remedy
        super().__init__(fault)


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ReadRequest(TypedDict):
    """Survey a film, or give its frames from number `begin` on; `name` is for messages, `brightest` and `order` what a survey found."""

    do: Literal["survey", "frames"]
    path: str
    name: str
    max_pixels: int
    begin: NotRequired[int]
    brightest: NotRequired[float | None]
    order: NotRequired[str]


class WriteRequest(TypedDict):
    """Write a film of the frames that follow; `times` ends with when the last is over."""

    path: str
    suffix: str
    height: int
    width: int
    times: list[Pair]
    sound: str | None
    sound_name: str
    tracks: list[int] | None  # which of its sounds; None for all
    sound_end: Pair | None


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Head(TypedDict):
    """Of a survey: what the first frame says of all. `matrix` a, b, c, d: (x, y) goes to (a·x + c·y, b·x + d·y)."""

    type: Literal["head"]
    size: Pair  # with square pixels
    coded: Pair
    matrix: list[int]
    base: Pair  # seconds of one tick of `times`
    origin: Pair  # when the film begins, in seconds
    rate: Pair | None  # frames a second by the header
    hdr: str | None  # what is to be said of how its light is coded


class Times(TypedDict):
    """Of a survey: when frames are shown and how long, in ticks."""

    type: Literal["times"]
    times: list[tuple[int | None, int]]


class Found(TypedDict):
    """The end of a survey: see `Reading`."""

    type: Literal["found"]
    packets: int
    lost: int
    missing: int
    corrupt: int
    resized: Pair | None
    sounds: list[str]  # their codecs
    heard: list[int]
    clear: bool  # whether some of it is transparent
    fields: int  # frames that are two fields
    order: str  # tff or bff: which of them is the earlier; auto where it cannot be told
    brightest: float | None  # light of HDR


class Frame(TypedDict):
    """A frame, whose pixels follow."""

    type: Literal["frame"]
    size: Pair
    matrix: list[int]


class Note(TypedDict):
    type: Literal["note"]
    text: str


class Sign(TypedDict):
    """Still at work, or all of it is done."""

    type: Literal["alive", "done"]


class Faulty(TypedDict):
    type: Literal["fault"]
    kind: Kind
    fault: str
    remedy: str


class Full(TypedDict):
    """The disk is full, or the place is not to be written."""

    type: Literal["no room"]
    number: int  # of the operating system's error
    text: str


Answer = Head | Times | Found | Frame | Note | Sign
Message = Answer | Faulty | Full


def pair(value: Fraction) -> Pair:
    return [value.numerator, value.denominator]

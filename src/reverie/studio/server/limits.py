"""How much is taken from a page: a studio is for a few people on one machine, and a stranger's file may be anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is refused.

    Attributes:
        body: bytes of a request that is no upload.
        upload: bytes of a file.
        pixels: of a picture, width × height.
        seconds: that a whole request may take to arrive.
        idle: seconds without a byte, after which it is cut off.
        uploads: at once. inputs: files that are kept, all together.
        streams: of events, at once. cameras: at once.
        film_frames: of a film of a camera.
        frame: bytes of a picture of a camera. frame_side: pixels of its longer side.
        side: pixels of the longer side of a picture that is only looked at.
        waiting: jobs in the queue that are not done.
    """

    body: int = 1 << 20
    upload: int = 1 << 30
    pixels: int = 100_000_000
    seconds: float = 600.0
    idle: float = 20.0
    uploads: int = 4
    inputs: int = 10_000
    streams: int = 100
    cameras: int = 4
    film_frames: int = 10_000
    frame: int = 2 << 20
    frame_side: int = 2048
    side: int = 2048
    waiting: int = 1000

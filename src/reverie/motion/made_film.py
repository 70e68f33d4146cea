"""What is made of pictures that move."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reverie.recipe import Recipe


@dataclass(frozen=True)
class Footage:
    """A film, or a folder of frames, that was made.

    Attributes:
        path: of the file or folder.
        recipe: how it was made, or None where it was left out.
        frames: in it.
        seconds: that making took, those of earlier sittings not counted.
        notes: what the user should know.
        finished: False where it was stopped before its end.
    """

    path: Path
    recipe: Recipe | None = field(repr=False)
    frames: int
    seconds: float
    notes: tuple[str, ...] = ()
    finished: bool = True

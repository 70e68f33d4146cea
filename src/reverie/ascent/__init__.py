"""The loop that changes a canvas so that a score grows: octaves, transforms, steps."""

from reverie.ascent.gradient import Differentiation, Score
from reverie.ascent.loop import Progress, between_steps, climb
from reverie.ascent.memory import kept_memory
from reverie.ascent.octaves import ClimbSettings, Penalty, Size, added, octave_sizes
from reverie.ascent.tiles import Span, Tiling, Window
from reverie.ascent.transforms import IDENTITY, Transform

__all__ = [
    "IDENTITY", "ClimbSettings", "Differentiation", "Penalty", "Progress", "Score", "Size", "Span", "Tiling", "Transform", "Window",
    "added", "between_steps", "climb", "kept_memory", "octave_sizes",
]  # fmt: skip

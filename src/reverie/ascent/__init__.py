"""The loop that changes a canvas so that a score grows: octaves, views, steps."""

from reverie.ascent.climb import Penalty, Progress, Score, Size, Way, added, climb, octave_sizes
from reverie.ascent.memory import kept_memory
from reverie.ascent.tiles import Span, Tiling, Window
from reverie.ascent.transforms import STRAIGHT, View

__all__ = [
    "STRAIGHT", "Penalty", "Progress", "Score", "Size", "Span", "Tiling", "View", "Way", "Window", "added", "climb", "kept_memory",
    "octave_sizes",
]  # fmt: skip

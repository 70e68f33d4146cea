"""What is optimised, and colour. Never sees a network; holds no optimiser."""

from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.canvas.colour import PHOTOGRAPHS, keep_colour
from reverie.canvas.fourier import Fourier
from reverie.canvas.maco import Phase, magnitudes
from reverie.canvas.pixels import Canvas, Pixels
from reverie.canvas.preconditioner import LOWEST, Preconditioner, friendly
from reverie.canvas.tone import LightTone, Tone

__all__ = [
    "LOWEST", "PHOTOGRAPHS", "Canvas", "Fourier", "LightTone", "Phase", "Pixels", "Preconditioner", "Tone", "canvas_of", "friendly",
    "keep_colour", "magnitudes",
]  # fmt: skip


def canvas_of(kind: str, pictures: Tensor, smoothing: float, vivid: float, generators: Sequence[torch.Generator] = ()) -> Canvas:
    """The canvas of this kind that shows these pictures (N, C, H, W), or of `maco` what its fixed spectrum leaves of them.

    With generators, one for each picture, phases are drawn from them instead: those of noise would not have the light of photographs.
    """
    if kind == "fourier":
        return Fourier.of(pictures, smoothing, vivid)
    if kind == "maco":
        if not generators:
            return Phase.of(pictures, vivid)
        size = (pictures.shape[2], pictures.shape[3])
        drawn = Phase.drawn(*size, vivid, generators, pictures.shape[1])
        return Phase(drawn.parameters.to(pictures.device), size, vivid)
    return Pixels(pictures)

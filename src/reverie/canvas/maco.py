"""A picture as phases alone: how strong each wave is stays as in photographs."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.canvas.fourier import shift
from reverie.canvas.natural_statistics import amplitudes, coloured, root
from reverie.pictures import LIGHT, MEAN, SPREAD, frequencies, irfft2

OFF = 1 / 510  # half a grey level of 8 bits: black and white of a file are not taken as infinitely far


class Phase:
    """The phases of a picture's waves (MaCo: Fel et al. 2023, arXiv 2306.06805); their magnitudes are held at those of photographs.

    A picture is soft(MEAN + L · irfft2(magnitude · e^(i · phase))): L takes decorrelated colours to those of photographs, `soft` brings
    any number into 0..1. The magnitude follows the table in `natural` by cycles per picture, along its longer side, and is divided so
    that light has the spread of photographs before `soft`, at any size, in the mean over drawn phases. It is none at no cycles: the mean
    stays, and a picture gets neither brighter nor darker.

    Attributes:
        parameters: (N, C, H, W//2+1) float32, in radians.
        size: (height, width) in pixels.
        magnitude: (C, H, W//2+1), of rfft2 with norm="forward".
    """

    parameters: Tensor
    size: tuple[int, int]

    def __init__(self, parameters: Tensor, size: tuple[int, int], vivid: float) -> None:
        self.parameters = parameters
        self.size = size
        self.vivid = vivid
        channels = parameters.shape[1]
        self.colours = root(vivid, channels).float().to(parameters.device)  # (C, C)
        self.magnitude = magnitudes(*size, vivid, channels).to(parameters.device)  # (C, H, W//2+1)

    @classmethod
    def of(cls, pictures: Tensor, vivid: float) -> Phase:
        """The canvas with the phases of these, (N, C, H, W) in 0..1. What a Phase canvas painted comes back, black and white nearly.

        White noise is no start for it: what its colours have in common is less than in photographs, and its light comes out half as
        strong. `drawn` is.
        """
        inverse = torch.linalg.inv(root(vivid, pictures.shape[1])).float().to(pictures.device)
        planes = coloured(hard(pictures.detach()) - MEAN, inverse)  # (N, C, H, W)
        height, width = pictures.shape[-2:]
        return cls(torch.fft.rfft2(planes).angle(), (height, width), vivid)

    @classmethod
    def drawn(cls, height: int, width: int, vivid: float, generators: Sequence[torch.Generator], channels: int = 3) -> Phase:
        """The canvas with phases drawn by chance, for each picture from a generator of its own."""
        # the phases of noise are those of real numbers: as even in the columns that mirror themselves as in the others
        noise = [torch.randn(channels, height, width, generator=each, device=each.device) for each in generators]
        return cls(torch.fft.rfft2(torch.stack(noise)).angle(), (height, width), vivid)

    def signal(self, parameters: Tensor) -> Tensor:
        """(N, C, H, W//2+1) → (N, C, H, W): decorrelated colours around 0, whose rfft2 has exactly the held magnitude."""
        phases = mirrored(parameters, self.size[1])
        waves = torch.polar(self.magnitude.expand_as(phases), phases)
        return irfft2(waves, self.size, norm="forward")  # (N, C, H, W)

    def pictures(self, parameters: Tensor) -> Tensor:
        """(N, C, H, W//2+1) → (N, C, H, W) in 0..1."""
        return soft(MEAN + coloured(self.signal(parameters), self.colours))

    def resized(self, height: int, width: int, generators: Sequence[torch.Generator]) -> Phase:
        """At another size: a wave that both sizes have keeps its place in the picture, the phases of new ones are drawn.

        Args:
            generators: one for each picture; each is drawn from alike, whichever waves are new.
        """
        device = self.parameters.device
        drawn = Phase.drawn(height, width, self.vivid, generators, self.parameters.shape[1])
        phases = drawn.parameters.to(device)  # (N, C, H', W'//2+1)
        old = mirrored(self.parameters, self.size[1])
        turn = shift(self.size[0], height, device)[:, None] + shift(self.size[1], width, device)  # (max H, max W)
        down, across = (min(self.size[0], height) - 1) // 2, (min(self.size[1], width) - 1) // 2
        right = slice(across + 1)
        for rows in (slice(down + 1), slice(-down, None))[: 2 if down else 1]:
            phases[:, :, rows, right] = old[:, :, rows, right] + turn[rows, right]
        return Phase(phases, (height, width), self.vivid)

    def moved(self, parameters: Tensor) -> Phase:
        """The same canvas with other parameters."""
        other = copy.copy(self)
        other.parameters = parameters.detach()
        return other


def soft(values: Tensor) -> Tensor:
    """Any numbers → 0..1, nearly as they are in the middle. Its slope, 1 at 0.5 and 0.42 at 0 and 1, falls as a power, not as an
    exponential, so that no pixel is ever lost to the gradient."""
    out = 2 * values - 1
    return 0.5 + 0.5 * out * (1 + out.square().square()).pow(-0.25)


def hard(values: Tensor) -> Tensor:
    """What `soft` takes to these."""
    out = 2 * values.clamp(OFF, 1 - OFF) - 1
    return 0.5 + 0.5 * out * (1 - out.square().square()).pow(-0.25)


def magnitudes(height: int, width: int, vivid: float, channels: int = 3) -> Tensor:
    """(C, H, W//2+1): how strong each wave of each decorrelated colour is; see `Phase`. Other than three channels are each as light is."""
    found = amplitudes(frequencies(height, width) * max(height, width)).double()
    twice = torch.full((width // 2 + 1,), 2.0, dtype=torch.float64)  # a wave and its mirror image, which rfft2 leaves out
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    spread = (found.square() * twice).sum(dim=(1, 2)).sqrt()  # (3)
    if channels != 3:  # the first decorrelated colour is nearly light
        found, light = found[:1].expand(channels, -1, -1), spread[0]
    else:
        light = (torch.tensor(LIGHT).double() @ root(vivid) * spread).norm()
    gain: Tensor = SPREAD / light.clamp_min(1e-12)  # a single pixel has no waves
    return (found * gain).float()


def mirrored(phases: Tensor, width: int) -> Tensor:
    """(N, C, H, W//2+1) → the same, such as the waves of real numbers have them.

    In the columns of no and of most horizontal cycles a wave's mirror image is there too; its phase is the opposite, and irfft2 would
    quietly average the two, which weakens both. The upper half of such a column counts; a wave that is its own image is 0 or π.
    """
    height = phases.shape[2]
    inner = (height - 1) // 2

    def steady(column: Tensor) -> Tensor:  # (N, C, H)
        upper = column[..., 1 : inner + 1]
        own = torch.where(column.detach().cos() < 0, math.pi, 0.0)
        middle = own[..., inner + 1 : height - inner]  # (N, C, 1) of an even height, else (N, C, 0)
        return torch.cat([own[..., :1], upper, middle, -upper.flip(-1)], -1)

    columns = [steady(phases[..., 0])[..., None], phases[..., 1:]]
    if width % 2 == 0:
        columns = [columns[0], phases[..., 1:-1], steady(phases[..., -1])[..., None]]
    return torch.cat(columns, -1)

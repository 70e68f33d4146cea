"""A picture as Fourier coefficients, each reaching as far as in photographs."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.canvas.natural_statistics import coloured, root
from reverie.pictures import frequencies, irfft2

# a sigmoid reaches 0 and 1 only at infinity, so black and white are taken as this much off: below the 1e-5 to which a picture comes
# back, and as large as that allows, since a step there moves the picture only by this much
OFF = 5e-6


class Fourier:
    """Fourier coefficients with 1/f^power scaling (Olah et al. 2017; Mordvintsev et al. 2018, "Differentiable Image Parameterizations").

    A picture is sigmoid(L · irfft2(scale · c)): c are the parameters, L takes decorrelated colours to those of photographs. With `vivid`
    0 this is the canvas of Lucid, at 1 each colour goes its own way, as other than three channels always do.

    The scale is f^-power, no larger than at one wave per picture, divided so that parameters drawn from a normal distribution of
    spread 1 give, before L, planes of spread 1, whatever the picture's size: a step of the same size in every parameter, as Adam
    takes it, changes a large picture as much as a small one.

    Attributes:
        parameters: (N, C, H, W//2+1, 2) float32, real and imaginary parts.
        size: (height, width) in pixels.
    """

    parameters: Tensor
    size: tuple[int, int]

    def __init__(self, parameters: Tensor, size: tuple[int, int], power: float, vivid: float) -> None:
        self.parameters = parameters
        self.size = size
        self.power = power
        self.vivid = vivid
        self.colours = root(vivid, parameters.shape[1]).float().to(parameters.device)  # (C, C)
        self.scale = scaling(*size, power).to(parameters.device)  # (H, W//2+1)

    @classmethod
    def of(cls, pictures: Tensor, power: float, vivid: float) -> Fourier:
        """The canvas that paints these, (N, C, H, W) in 0..1, to 1e-5."""
        height, width = pictures.shape[-2:]
        blank = pictures.new_zeros(*pictures.shape[:2], height, width // 2 + 1, 2)
        canvas = cls(blank, (height, width), power, vivid)
        inverse = torch.linalg.inv(root(vivid, pictures.shape[1])).float().to(pictures.device)
        planes = coloured(pictures.detach().logit(OFF), inverse)  # (N, C, H, W)
        return canvas._holding(torch.fft.rfft2(planes, norm="forward"))

    def pictures(self, parameters: Tensor) -> Tensor:
        """(N, C, H, W//2+1, 2) → (N, C, H, W) in 0..1."""
        return coloured(self._planes(parameters), self.colours).sigmoid()

    def resized(self, height: int, width: int, generators: Sequence[torch.Generator] = ()) -> Fourier:
        """The same picture at another size: a wave keeps its number of cycles per picture, its amplitude and its place.

        Waves that the old size had not are zero, waves that the new one cannot hold are cut. No generator is needed.
        """
        waves = torch.fft.rfft2(self._planes(self.parameters), norm="forward")  # (N, C, H, W//2+1)
        waves = _wider(_taller(waves, self.size[0], height), self.size[1], width)
        blank = self.parameters.new_zeros(*waves.shape, 2)
        return Fourier(blank, (height, width), self.power, self.vivid)._holding(waves)

    def moved(self, parameters: Tensor) -> Fourier:
        """The same canvas with other parameters."""
        other = copy.copy(self)
        other.parameters = parameters.detach()
        return other

    def held(self, like: Fourier) -> Fourier:
        """The same canvas with the mean of another one of this size, and its contrast over all waves together, before the sigmoid."""
        reach = self.scale.square()[..., None].clone()  # (H, W//2+1, 1)
        reach[0, 0] = 0
        now, then = ((each.square() * reach).sum(dim=(1, 2, 3, 4), keepdim=True).sqrt() for each in (self.parameters, like.parameters))
        parameters = self.parameters * torch.where((now > 1e-9) & (then > 1e-9), then / now.clamp_min(1e-9), torch.ones_like(now))
        parameters[..., 0, 0, :] = like.parameters[..., 0, 0, :]
        return self.moved(parameters)

    def _planes(self, parameters: Tensor) -> Tensor:
        waves = torch.view_as_complex(parameters.contiguous()) * self.scale  # (N, C, H, W//2+1)
        for column in {0, self.size[1] // 2} if self.size[1] % 2 == 0 else {0}:
            # a wave's mirror image is in the same column; irfft2 averages the two on a CPU, and promises nothing on a GPU
            waves[..., column] = (waves[..., column] + _mirror(waves[..., column])) / 2
        # amplitudes that do not depend on the size: the sum over waves is not divided by the number of pixels
        return irfft2(waves, self.size, norm="forward")  # (N, C, H, W)

    def _holding(self, waves: Tensor) -> Fourier:
        return self.moved(torch.view_as_real(waves / self.scale).contiguous())


def scaling(height: int, width: int, power: float) -> Tensor:
    """(H, W//2+1): how far a unit of each coefficient reaches; see `Fourier`."""
    reach = frequencies(height, width).double().clamp_min(1 / max(height, width)).pow(-power)
    # energy of a normal draw: a coefficient stands for itself and its mirror image, with two parts each; in the columns that
    # mirror themselves only the symmetric half counts
    energy = torch.full_like(reach, 4)
    energy[:, 0] = 1
    if width % 2 == 0:
        energy[:, -1] = 1
    return (reach / (energy * reach.square()).sum().sqrt()).float()


def shift(old: int, new: int, device: torch.device) -> Tensor:
    """(max(old, new)): the turn of each wave, in radians, that keeps it in place: pixels are taken at their centres."""
    longer = max(old, new)
    cycles = torch.fft.fftfreq(longer, d=1 / longer, device=device)
    turns: Tensor = cycles * (2 * math.pi * (0.5 / new - 0.5 / old))
    return turns


def _taller(waves: Tensor, old: int, new: int) -> Tensor:
    """(N, C, old, K) → (N, C, new, K). A wave of two pixels is both its mirror images at once: it is split, and put together again."""
    turn = _turn(shift(old, new, waves.device))[:, None]  # (max(old, new), 1)
    if new < old:
        waves = waves * turn
    inner = (min(old, new) - 1) // 2
    middle = inner + 1
    found = waves.new_zeros(*waves.shape[:2], new, waves.shape[3])
    found[:, :, : inner + 1] = waves[:, :, : inner + 1]
    found[:, :, new - inner :] = waves[:, :, old - inner :]
    if min(old, new) % 2 == 0:
        if new > old:
            found[:, :, middle] = found[:, :, -middle] = waves[:, :, middle] / 2
        elif new < old:
            found[:, :, middle] = waves[:, :, middle] + waves[:, :, -middle]
        else:
            found[:, :, middle] = waves[:, :, middle]
    return found * turn if new > old else found


def _wider(waves: Tensor, old: int, new: int) -> Tensor:
    """(N, C, H, old//2+1) → (N, C, H, new//2+1); see `_taller`. Of horizontal waves one of two mirror images is kept."""
    turn = _turn(shift(old, new, waves.device)[: max(old, new) // 2 + 1])
    if new < old:
        waves = waves * turn
    inner = (min(old, new) - 1) // 2
    middle = inner + 1
    found = waves.new_zeros(*waves.shape[:3], new // 2 + 1)
    found[..., : inner + 1] = waves[..., : inner + 1]
    if min(old, new) % 2 == 0:
        column = waves[..., middle]  # (N, C, H)
        if new > old:
            column = column / 2
        elif new < old:
            column = column + _mirror(column)
        found[..., middle] = column
    return found * turn if new > old else found


def _mirror(column: Tensor) -> Tensor:
    """(N, C, H): the coefficients of the mirror images of waves without a horizontal direction."""
    return column.flip(2).roll(1, 2).conj()


def _turn(angles: Tensor) -> Tensor:
    return torch.polar(torch.ones_like(angles), angles)

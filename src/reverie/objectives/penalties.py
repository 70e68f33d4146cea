"""What a picture is penalised for, whatever the network says: the regularisers of the field, as directions to go back."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.recipe import Penalties

GREY, SPREAD = 0.5, 0.25
Penalty = Callable[[Tensor], Tensor]  # pictures (N, C, H, W) → what to take away from them, the same shape


def penalty(settings: Penalties, natural: Callable[[int, int, torch.device], Tensor]) -> Penalty | None:
    """The direction in which a picture gets worse, by all penalties together; None where there are none.

    Args:
        settings: their weights; at 1 a strongly textured picture loses about as much in a step as it gains.
        natural: gives the amplitude of photographs for a height and width, (H, W//2+1), on a device.
    """
    parts: list[tuple[float, Penalty]] = [
        (settings.total_variation, total_variation),
        (settings.l2, lambda pictures: (pictures - GREY) / SPREAD),
        (settings.border, border),
        (settings.spectrum, lambda pictures: spectrum(pictures, natural(pictures.shape[2], pictures.shape[3], pictures.device))),
    ]
    given = [(weight, part) for weight, part in parts if weight]
    if not given:
        return None
    return lambda pictures: torch.stack([weight * part(pictures) for weight, part in given]).sum(0)


def total_variation(pictures: Tensor, edge: float = 0.01) -> Tensor:
    """Gradient of the total variation, colours together (Rudin, Osher & Fatemi 1992). Differences well under `edge` count as squares."""
    across = F.pad(pictures[..., 1:] - pictures[..., :-1], (0, 1))  # (N, C, H, W)
    down = F.pad(pictures[..., 1:, :] - pictures[..., :-1, :], (0, 0, 0, 1))
    length = torch.addcmul(across.square(), down, down).sum(1, keepdim=True).add_(edge**2).rsqrt_()  # (N, 1, H, W)
    across, down = across * length, down * length
    return F.pad(across[..., :-1], (1, 0)) - across + F.pad(down[..., :-1, :], (0, 0, 1, 0)) - down


def border(pictures: Tensor) -> Tensor:
    """Distance from grey, from nothing in the middle to all of it at the border."""
    rows, columns = (torch.linspace(-1, 1, side, device=pictures.device).abs() for side in pictures.shape[2:])
    outward = torch.maximum(rows[:, None], columns[None]).pow(4)  # (H, W)
    return outward * (pictures - GREY) / SPREAD


def spectrum(pictures: Tensor, natural: Tensor) -> Tensor:
    """What has to be taken away so that the amplitude at each frequency is that of photographs, phases kept.

    Args:
        pictures: (N, C, H, W).
        natural: amplitude of photographs, up to a factor: (H, W//2+1); its mean frequency, at 0, is not looked at.
    """
    height, width = pictures.shape[2:]
    waves = torch.fft.rfft2(pictures)  # (N, C, H, W//2+1)
    power = waves.abs().square().mean(1, keepdim=True)  # (N, 1, H, W//2+1)
    wanted = natural.square()
    level = (power[..., 1:].sum((2, 3), keepdim=True) / wanted[..., 1:].sum()).clamp_min(1e-20)  # (N, 1, 1, 1)
    ratio = (wanted * level / power.clamp_min(1e-20)).sqrt().clamp(0.5, 2.0)  # no step goes further than half or double
    ratio[..., 0, 0] = 1.0
    away: Tensor = torch.fft.irfft2(waves * (1 - ratio), s=(height, width))
    return away / SPREAD

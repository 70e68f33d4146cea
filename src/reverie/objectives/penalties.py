"""What a picture is penalised for, whatever the network says: the regularisers of the field, as directions to go back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reverie.pictures import irfft2, rfft2
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

    def together(pictures: Tensor) -> Tensor:
        (weight, part), *others = given
        total = part(pictures).mul_(weight)
        for weight, part in others:
            total.add_(part(pictures), alpha=weight)
        return total

    return together


def total_variation(pictures: Tensor, edge: float = 0.01) -> Tensor:
    """Gradient of the total variation, colours together (Rudin, Osher & Fatemi 1992). Differences well under `edge` count as squares."""
    across, down = torch.empty_like(pictures), torch.empty_like(pictures)
    torch.sub(pictures[..., 1:], pictures[..., :-1], out=across[..., :-1])
    torch.sub(pictures[..., 1:, :], pictures[..., :-1, :], out=down[..., :-1, :])
    across[..., -1] = 0
    down[..., -1, :] = 0
    shorter = across.square().addcmul_(down, down).sum(1, keepdim=True).add_(edge**2).rsqrt_().neg_()  # (N, 1, H, W)
    across *= shorter
    down *= shorter
    found = across + down
    found[..., 1:] -= across[..., :-1]
    found[..., 1:, :] -= down[..., :-1, :]
    return found


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
    waves = rfft2(pictures, (height, width))  # (N, C, H, W//2+1)
    power = waves.abs().square().mean(1, keepdim=True)  # (N, 1, H, W//2+1)
    wanted = natural.square()
    level = (power[..., 1:].sum((2, 3), keepdim=True) / wanted[..., 1:].sum()).clamp_min(1e-20)  # (N, 1, 1, 1)
    ratio = (wanted * level / power.clamp_min(1e-20)).sqrt().clamp(0.5, 2.0)  # no step goes further than half or double
    ratio[..., 0, 0] = 1.0
    return irfft2(waves * (1 - ratio), (height, width)).div_(SPREAD)

"""What a network takes to be the subject of a picture: where it answers most, and what speaks for the classes it sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie.errors import InputError, UsageError, choice
from reverie.networks.attribution import Remainder
from reverie.networks.network import Network
from reverie.pictures import resize
from reverie.pictures.regions import along_contours, parting, smooth_step
from reverie.target import CLASSES

SIDE = 112  # of the map, its shorter one
_CLASSES = 5  # that count, by their probability
_RADIUS = 10  # of the map within which it follows the contours of the picture
_SOFT = 0.3  # of the map's range over which the subject ends
_FLAT = 0.01  # spread of a picture of one colour, of which the network sees only its own borders
_AGREE = 0.4  # correlation between the maps below which they tell of no subject: photographs of things have 0.41 to 0.85, textures and
# noise 0.17 to 0.37, measured on 24 pictures


def subject(network: Network, picture: Tensor) -> Tensor:
    """(h, w) in 0..1: where the subject of a picture (C, H, W) is, soft at its border.

    Three maps of the last layer that has places count alike: what each place says for the likely classes by its own gradient, what it
    says by the mean gradient of each channel (Grad-CAM, Selvaraju et al. 2017), and how strongly it answers at all; of the picture as
    the network recognises it, and where it takes pictures of any size also of one twice as large, which shows more finely where.

    Raises:
        InputError: the maps do not agree: there is no subject that the network sees. UsageError: it has no class scores, or no places.
    """
    layer = _layer(network)
    height, width = picture.shape[1:]
    scale = SIDE / min(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    maps = [_stretched(_brought(each, size)) for view in _views(network, layer, picture) for each in _maps(network, layer, view)]
    together = torch.corrcoef(torch.stack([each.flatten() for each in maps])).nan_to_num()
    others = len(maps) * (len(maps) - 1)
    agree = float(together.sum() - together.diagonal().sum()) / others
    if agree < _AGREE or float(picture.std()) < _FLAT:
        raise InputError(f"{network.name} sees no subject in this picture", f"paint a mask and give it with {choice('mask')}")
    found = _stretched(along_contours(torch.stack(maps).mean(0), resize(picture, *size), _RADIUS))
    return smooth_step((found - parting(found)) / _SOFT + 0.5)


def _layer(network: Network) -> str:
    """The last block that has places, or where there are no blocks the last layer."""
    if network.anatomy.classes is None:
        raise UsageError(f"the subject of a picture by {network.name}, which has no class scores", f"paint one: {choice('mask')}")
    placed = [each for each in network.layers if each.height > 1 and each.width > 1]
    if not placed:
        raise UsageError(f"the subject of a picture by {network.name}, of which no layer has places", f"paint one: {choice('mask')}")
    blocks = [each for each in placed if each.kind in ("block", "stage")]
    return (blocks or placed)[-1].name


def _views(network: Network, layer: str, picture: Tensor) -> list[Tensor]:
    """The picture as the network is shown it, each (1, C, H, W)."""
    views = [resize(picture, *network.size)[None]]
    if network.is_free(layer) and network.is_free(CLASSES):
        height, width = picture.shape[1:]
        scale, phase = 2 * min(network.size) / min(height, width), network.phase(layer)
        longest = 4 * 2 * min(network.size)  # of a panorama
        finer = [phase * max(1, round(min(side * scale, longest) / phase)) for side in (height, width)]
        views.append(resize(picture, *finer)[None])
    return views


def _maps(network: Network, layer: str, view: Tensor) -> Sequence[Tensor]:
    """What each place says for the likely classes, by two measures, and how strongly it answers: (1, 1, h, w) each, from 0."""
    ready = network.prepare([layer, CLASSES])
    with torch.inference_mode(False), torch.enable_grad():
        pixels = view.to(network.device)
        with torch.no_grad():
            seen = ready(pixels)[layer]  # (1, C, h, w)
        values = seen.detach().clone().requires_grad_(True)
        scores = Remainder(ready, layer, pixels)(values)[0]  # (K,)
        shares = scores.detach().softmax(0)
        likely = shares.topk(min(_CLASSES, len(shares))).indices
        (gradient,) = torch.autograd.grad((scores[likely] * shares[likely]).sum(), values)
    by_place = (seen * gradient).sum(1, keepdim=True).clamp_min(0)
    by_channel = (seen * gradient.mean((2, 3), keepdim=True)).sum(1, keepdim=True).clamp_min(0)
    strength = seen.square().mean(1, keepdim=True)
    return [each.float().cpu() for each in (by_place, by_channel, strength)]


def _brought(values: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, 1, h, w) → (H, W)."""
    return F.interpolate(values, size, mode="bilinear", align_corners=False)[0, 0]


def _stretched(values: Tensor) -> Tensor:
    """(H, W) → 0..1, from what a twentieth are below to what a twentieth are above."""
    low, high = (float(each) for each in torch.quantile(values.flatten(), torch.tensor([0.05, 0.95])))
    return ((values - low) / max(high - low, 1e-12)).clamp(0, 1)

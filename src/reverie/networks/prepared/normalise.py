"""What goes into a network: pictures in 0..1, with as many channels as it takes, normalised."""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.pictures import LIGHT


def normalise(pictures: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`shift + pictures * scale`: (N, C, H, W) in 0..1 → as the network takes them.

    A network of one channel sees the light of coloured pictures; one of several sees a grey picture in all of them.

    Raises:
        UsageError: another number of channels than the network has.
    """
    have, want = pictures.shape[1], scale.shape[1]
    if want == 1 and have == 3:
        light = torch.tensor(LIGHT, dtype=pictures.dtype, device=pictures.device).view(1, 3, 1, 1)
        pictures = (pictures * light).sum(1, keepdim=True)  # (N, 1, H, W)
    elif have not in (1, want):
        raise UsageError(f"a picture of {have} channels for a network that takes {want}", "give it one with as many")
    return torch.addcmul(shift, pictures, scale)

"""Channels: a picture brought to those a network takes, and to the three colours that eyes take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.errors import InputError
from reverie.pictures.disk_backed import bands, room

LIGHT = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
IN_FILES = (1, 3)  # channels that picture files hold: grey, and colours


def grey(pixels: Tensor) -> Tensor:
    """(1, H, W): the light of colours (3, H, W); of a pixel whose colours are equal exactly their value."""
    result = room(1, *pixels.shape[1:])
    weights = pixels.new_tensor(LIGHT).view(3, 1, 1)
    for rows in bands(*pixels.shape[1:]):
        red, green, blue = band = pixels[:, rows]  # (3, h, W)
        result[0, rows] = torch.where((red == green) & (green == blue), red, (band * weights).sum(0))
    return result


def in_channels(pixels: Tensor, channels: int, name: str = "the picture") -> Tensor:
    """(C, H, W) → (channels, H, W): of colours their light for one channel, a grey picture in all three colours.

    Raises:
        InputError: nothing else is made of another number of channels.
    """
    have = pixels.shape[0]
    if have == channels:
        return pixels
    if (have, channels) == (3, 1):
        return grey(pixels)
    if (have, channels) == (1, 3):
        return pixels.repeat(3, 1, 1)
    what = {1: "one channel", 3: "three colours"}.get(have, f"{have} channels")
    remedy = "give a picture" if channels in IN_FILES else f"give a .npy file of shape ({channels}, H, W)"
    raise InputError(f"'{name}' has {what}, and the network takes {channels}", remedy)


def in_colours(pixels: Tensor, channels: Sequence[int] = ()) -> Tensor:
    """(C, H, W) → (3, H, W): as it is looked at.

    Args:
        pixels: of any number of channels. Without `channels` one is shown in grey, and three as they are. Of two the first is red, the
            second green, and blue their mean: where they agree it is grey, and what sets them apart has a colour. Of more the first three
            are red, green and blue.
        channels: the three that are shown as red, green and blue, counted from 0; or one, that is shown alone in grey.
    """
    if channels:
        return pixels[list(channels)] if len(channels) == 3 else pixels[channels[0]].expand(3, -1, -1)
    if len(pixels) == 1:
        return pixels.expand(3, -1, -1)
    if len(pixels) == 2:
        return torch.stack([pixels[0], pixels[1], pixels.mean(0)])  # (3, H, W)
    return pixels[:3]

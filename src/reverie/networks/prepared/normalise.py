"""What goes into a network: pictures in 0..1, with as many channels as it takes, normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.pictures import LIGHT
from reverie.pictures.from_arrays import in_range


def batch_of(given: object) -> Tensor:
    """(N, C, H, W) in 0..1, floats; UsageError for what is no batch of pictures."""
    if not isinstance(given, Tensor):
        raise UsageError(f"a {type(given).__name__} where a batch of pictures belongs", "give a tensor (N, C, H, W) in 0..1")
    if given.dim() != 4 or not given.numel():
        raise UsageError(f"the shape {tuple(given.shape)} of a batch of pictures", "it is (N, C, H, W): of one picture picture[None]")
    return in_range(given, "tensor", strict=False)


@dataclass(frozen=True)
class Normalise:
    """Call it with pictures (N, C, H, W) in 0..1 to get them as the network takes them: `shift + pictures * scale`."""

    scale: Tensor  # (1, C, 1, 1)
    shift: Tensor  # (1, C, 1, 1)

    @classmethod
    def of(cls, mean: Sequence[float], std: Sequence[float], range: tuple[float, float]) -> Normalise:
        """From each channel's mean and deviation in the units of `range`, which is what black and white are before."""
        low, high = range
        with torch.inference_mode(False):  # else they could be in no graph
            deviation = torch.tensor(std, dtype=torch.float32)
            scale = ((high - low) / deviation).view(1, -1, 1, 1)  # (1, C, 1, 1)
            shift = ((low - torch.tensor(mean, dtype=torch.float32)) / deviation).view(1, -1, 1, 1)  # (1, C, 1, 1)
        return cls(scale, shift)

    def __call__(self, pictures: Tensor) -> Tensor:
        """A network of one channel sees the light of coloured pictures; one of several sees a grey picture in all of them.

        Raises:
            UsageError: another number of channels than the network has.
        """
        have, want = pictures.shape[1], self.channels
        if want == 1 and have == 3:
            light = torch.tensor(LIGHT, dtype=pictures.dtype, device=pictures.device).view(1, 3, 1, 1)
            pictures = (pictures * light).sum(1, keepdim=True)  # (N, 1, H, W)
        elif have not in (1, want):
            raise UsageError(f"a picture of {have} channels for a network that takes {want}", "give it one with as many")
        return torch.addcmul(self.shift, pictures, self.scale)

    def on(self, where: torch.device) -> Normalise:
        """The same for pictures on a device."""
        return Normalise(self.scale.to(where), self.shift.to(where))

    @property
    def channels(self) -> int:
        """How many the network takes."""
        return self.scale.shape[1]

    @property
    def mean(self) -> Tensor:
        """(1, C, 1, 1): what is taken off each channel of a picture in 0..1."""
        return -self.shift / self.scale

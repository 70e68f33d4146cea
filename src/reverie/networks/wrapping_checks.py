"""What can be known of a module to be wrapped before it is looked into: channels that do not fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks.inspection.anatomy import CONVOLUTIONS
from reverie.networks.inspection.wrappers import unwrapped
from reverie.networks.network import Network
from reverie.networks.prepared.short_pass import Enough, short_pass


def check_channels(network: Network) -> None:
    """Raise UsageError where the first convolution of a pass takes other channels than there are means and deviations."""
    module = unwrapped(network.module)
    names: dict[nn.Module, str] = {part: name for name, part in module.named_modules() if isinstance(part, CONVOLUTIONS)}
    if not names or any(nn.parameter.is_lazy(each) for each in module.parameters()):
        return
    met: list[tuple[str, int, int]] = []

    def stop(part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(part, CONVOLUTIONS)
        axis = -len(part.kernel_size) - 1
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].dim() >= -axis:
            met.append((names[part], part.in_channels, inputs[0].shape[axis]))
        raise Enough

    first = next((each for each in module.parameters() if each.is_floating_point()), torch.zeros(1))
    x = network.normalise(torch.full((1, network.channels, *network.size), 0.5)).to(first.device, first.dtype)  # (1, C, H, W)
    short_pass(module, x, dict.fromkeys(names, stop))
    if met and met[0][1] != met[0][2] == network.channels:
        name, takes, given = met[0]
        says = f"a mean and std of {given} channel{'s' * (given > 1)}"
        raise UsageError(f"{says}, and the first convolution, '{name}', takes {takes}", f"give {takes}, one for each channel")

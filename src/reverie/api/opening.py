"""Networks from names and modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from reverie.errors import UsageError
from reverie.networks import Network, open_network, wrap_module
from reverie.recipe import DEFAULT_NETWORK

Networks = Network | str | Sequence[Network | str] | None


def load(name: str = DEFAULT_NETWORK, *, device: str | None = None) -> Network:
    """A built-in network with its trained weights.

    Args:
        name: one of those that `reverie networks` lists.
        device: `cpu`, `cuda` or `mps`; without it the fastest there is.

    Raises:
        UsageError: no such network or device. MissingExtra: its weights are not installed. UnsafeError: their hash is wrong.
    """
    return open_network(name, device)


def wrap(
    module: nn.Module,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    range: tuple[float, float] = (0.0, 1.0),
    size: int | tuple[int, int] = 224,
    labels: Sequence[str] = (),
    scores: str | None = None,
    name: str | None = None,
    device: str | None = None,
) -> Network:
    """Any `nn.Module` that takes pictures (N, C, H, W), made ready for looking into.

    It is left as it was, and its weights are read at each call.

    Args:
        module: the network; its mode, gradients and hooks are not touched.
        mean, std: of each channel, as its training normalised pictures, in the units of `range`.
        range: what black and white are before normalisation: (0, 1), (0, 255), (-1, 1).
        size: native side, or (height, width), of a picture.
        labels: names of its classes, in order.
        scores: which entry of a dictionary it gives is the class scores, where that is not clear.
        name: for recipes and messages; without it the name of its class.
        device: where its prepared copy runs.

    Raises:
        UsageError: `mean` and `std` of different lengths, or a deviation that is not above 0.
    """
    if name is not None and not 0 < len(name) <= 200:
        raise UsageError(f"a network's name of {len(name)} characters", "give it one of 1 to 200")
    return wrap_module(module, mean, std, range, size, labels, scores, name, device)


def opened(network: Network | str | None, device: str | None) -> Network:
    """The network that is meant, on the device that is asked for."""
    if isinstance(network, Network):
        if device not in (None, "auto", network.device.type):
            raise UsageError(f"device '{device}', but the network is open on {network.device.type}", "load it with that device")
        return network
    return load(network or DEFAULT_NETWORK, device=device)


def all_opened(networks: Networks, device: str | None) -> tuple[Network, ...]:
    """The networks that are meant: one, or several that shall all want the picture."""
    given = list(networks) if isinstance(networks, (list, tuple)) else [cast(Any, networks)]
    if not 1 <= len(given) <= 8:
        raise UsageError(f"{len(given)} networks", "give one to eight")
    found = tuple(opened(each, device) for each in given)
    for each in found:
        if each.channels != 3:
            raise UsageError(
                f"{each.name} takes pictures of {each.channels} channels", "a dream needs a network of colour pictures, of three"
            )
    if len({each.sha256 for each in found}) < len(found):
        raise UsageError("the same network twice", "give different ones")
    if len({each.device for each in found}) > 1:
        raise UsageError("networks on different devices", "open them on the same one")
    return found

"""Networks from names and modules."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from reverie.api.choices import Device, Precision
from reverie.errors import UsageError, choice, spoken
from reverie.networks import Network, Preprocessing, open_network, wrap_module
from reverie.networks.normalisation_check import doubts
from reverie.networks.opening import Definition, Notes, find_size, open_source
from reverie.networks.prepared.device import choose, is_meant, slower, word
from reverie.networks.prepared.device import precision as precision_there
from reverie.networks.sources.download import DownloadWatcher, is_offline
from reverie.networks.sources.source import source
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import DEFAULT_NETWORK
from reverie.target import CLASSES

Labels = Sequence[str] | Mapping[str, int] | Mapping[int, str]
Networks = Network | str | Sequence[Network | str] | None


class Opened(NamedTuple):
    """A network, and what there is to say of how it was opened."""

    network: Network
    notes: Notes = Notes()


def load(
    name: str | Path = DEFAULT_NETWORK,
    *,
    definition: Definition | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    range: tuple[float, float] | None = None,
    size: int | tuple[int, int] | None = None,
    labels: Labels | str | Path | None = None,
    scores: str | int | None = None,
    offline: bool = False,
    device: Device | None = None,
    precision: Precision | None = None,
) -> Network:
    """A network with its trained weights.

    Args:
        name: a built-in one; `torchvision:NAME`, `timm:NAME.TAG` or `hf:OWNER/NAME@REVISION`, whose weights are downloaded on first use;
            or a file of weights.
        definition: the code that weights in a file or on the hub belong to: `package.module:function`, or the function, which gives the
            module.
        mean, std, range, size, labels, scores: as in `wrap`, for a file of weights, where `labels` may be a file too. What is said once is
            remembered for these weights, and need not be said again; the size without it is 224.
        offline: download nothing.
        device: `cpu`, `cuda` or `mps`; without it the fastest there is.
        precision: what it computes in, `float32` or `bfloat16`; without it bfloat16 on a GPU made for it, else float32.

    Raises:
        UsageError: no such network, device or precision, or its normalisation is not known. MissingExtra: what it needs is not
            installed. InputError: its file is missing, or cannot be had. UnsafeError: what its file holds is not what it should be.
    """
    precision_there(choose(device), precision)  # a wrong one is told before anything is downloaded
    said = Preprocessing.of(mean, std, range, size, labels, scores)
    with ordinary_modes():
        network, notes = open_up(name, said, definition=definition, offline=offline)
    network.to(device, precision)
    for note in filter(None, (*notes.warnings, slower(network.device, network.dtype))):
        warnings.warn(spoken(note), stacklevel=2)
    return network


def open_up(
    name: str | Path,
    said: Preprocessing | None = None,
    *,
    definition: Definition | None = None,
    offline: bool = False,
    progress: DownloadWatcher | None = None,
) -> Opened:
    """All of `load` but the device, with what there is to say in place of warnings. The network is on the CPU.

    Args:
        said: what was said of the network.
        progress: told the bytes of a download that are there, and how many there will be.
    """
    said = said or Preprocessing()
    meant = source(str(name))
    if meant.kind == "built-in":
        if said != Preprocessing() or definition is not None:
            raise UsageError(
                f"'{meant.name}' knows its own normalisation, size and labels", "leave them out; they are for your own networks"
            )
        return Opened(open_network(meant.name))
    if meant.is_zoo:
        offline = is_offline(offline)
    return Opened(*open_source(meant, said, definition=definition, offline=offline, progress=progress))


def wrap(
    module: nn.Module,
    *,
    mean: Sequence[float] | float,
    std: Sequence[float] | float,
    range: tuple[float, float] = (0.0, 1.0),
    size: int | tuple[int, int] | None = None,
    labels: Labels = (),
    scores: str | int | None = None,
    name: str | None = None,
    device: Device | None = None,
    precision: Precision | None = None,
) -> Network:
    """Any `nn.Module` that takes pictures (N, C, H, W), made ready for looking into.

    It is left as it was, and its weights are read at each call.

    Args:
        module: the network; its mode, gradients and hooks are not touched.
        mean, std: of each channel, as its training normalised pictures, in the units of `range`; of one channel the number alone.
        range: what black and white are before normalisation: (0, 1), (0, 255), (-1, 1).
        size: native side, or (height, width), of a picture; without it 224, or where that is not taken the one usual size that is.
        labels: names of its classes, in order, or numbers by name, or names by number; of a network that gives one number two of them,
            first that of a low one.
        scores: which entry of what it gives is the class scores, where that is not clear: a key or field, or its place, from 0.
        name: for recipes and messages; without it the name of its class.
        device: where its prepared copy runs. precision: what that computes in, as in `load`.

    Raises:
        UsageError: `mean` and `std` of different lengths, a deviation that is not above 0, a side or a name that can be none; it cannot
            take a picture of this size, has no such output, or other classes than labels.
    """
    with ordinary_modes():
        said = Preprocessing.of(mean, std, range, size, labels, scores)
        network = wrap_module(module, said, name).to(device, precision)
        sized = find_size(network, said) or _assumed_size(network, said)
        notes = [sized, *network.written_remarks(), doubts(network), slower(network.device, network.dtype)]
        network.check_labels()
    for note in filter(None, notes):
        warnings.warn(spoken(note), stacklevel=2)
    return network


def _assumed_size(network: Network, said: Preprocessing) -> str:
    """A note where the native size is a guess: nobody said it, and others are taken too; else an empty text."""
    if said.size is not None or not network.is_free(CLASSES):
        return ""
    height, width = network.size
    fault = f"the native size of {network.name} was not said, and {width}×{height} is assumed"
    return f"{fault}: if it was trained at another, say it, {choice('size', 'SIDE')}"


def named(given: object) -> list[Network | str | Path | None]:
    """The networks that are named, one or several.

    Raises:
        UsageError: one of them is none, as a bare module.
    """
    found: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    for each in found:
        what = type(each).__name__
        if isinstance(each, nn.Module):
            raise UsageError(f"a bare module ({what}) where a network belongs", "wrap it first: reverie.wrap(module, mean=…, std=…)")
        if not isinstance(each, (Network, str, Path, type(None))):
            raise UsageError(f"a {what} where a network belongs", "give one that is open, or its name")
    return found


def all_open(given: Networks, device: str | torch.device | None, precision: str | torch.dtype | None) -> tuple[Network, ...]:
    """The networks that are meant; those that are named by name are opened so, the others stay as they are."""
    how = cast("Precision | None", precision)  # what is none is told by `load`
    return tuple(
        each if isinstance(each, Network) else load(each or DEFAULT_NETWORK, device=device, precision=how) for each in named(given)
    )


def networks_from(given: Networks, device: str | torch.device | None, precision: str | torch.dtype | None = None) -> tuple[Network, ...]:
    """The networks that are meant: one, or several that shall all want the picture; those that are named by name are opened.

    Raises:
        UsageError: none or more than eight, one twice, ones that do not go together, or one that is open on another device, or in another
            precision.
    """
    each_given = named(given)
    if not 1 <= len(each_given) <= 8:
        raise UsageError(f"{len(each_given)} networks", "give one to eight")
    for each in each_given:
        if not isinstance(each, Network):
            continue
        if not is_meant(each.device, device):
            raise UsageError(f"{choice('device', device)}, but the network is open on {each.device}", "load it with that device")
        if precision is not None and precision != "auto" and precision_there(each.device, precision) != each.dtype:
            fault = f"{choice('precision', word(precision))}, but the network is open in {word(each.dtype)}"
            raise UsageError(fault, "load it with that precision")
    found = all_open(given, device, precision)
    if len({each.channels for each in found}) > 1:
        counts = " and ".join(str(each.channels) for each in found)
        raise UsageError(f"networks that take {counts} channels", "give networks that take the same pictures")
    if len({each.sha256 for each in found}) < len(found):
        raise UsageError("the same network twice", "give different ones")
    if len({each.device for each in found}) > 1:
        raise UsageError("networks on different devices", "open them on the same one")
    if len({each.dtype for each in found}) > 1:
        raise UsageError("networks in different precisions", "open them in the same one")
    return found

"""Why a network cannot take a picture of the size that was said for it, found by handing it other things; and what to do about it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.anatomy import CONVOLUTIONS, measuring_norms
from reverie.networks.inspection.failures import CannotTake
from reverie.networks.inspection.native_sides import remedy_of, sides, takes

_ALONE = "wrap it in a module that takes pictures alone"
_DEVICE = re.compile(r"CUDA|cuda|HIP|Expected all tensors to be on the same device|NVIDIA")


def remedy(module: nn.Module, picture: Tensor, error: CannotTake) -> str:
    """What to do where a network cannot take a picture (1, C, H, W), by what it does take.

    Args:
        module: a copy, in evaluation mode, whose weights may be converted.
        error: what it raised.
    """
    causes: tuple[Callable[[nn.Module, Tensor, CannotTake], str], ...] = (
        _several_inputs, _device, _channels, _other_kinds, _batch_of_one, _keys, _precision, _size,
    )  # fmt: skip
    with torch.no_grad():
        found = next(filter(None, (cause(module, picture, error) for cause in causes)), "")
    return found or f"say its native size if it is another, or {error.remedy}"


def _several_inputs(module: nn.Module, _picture: Tensor, error: CannotTake) -> str:
    inner: Any = module
    while isinstance(inner, nn.DataParallel) or hasattr(inner, "_orig_mod"):
        inner = getattr(inner, "_orig_mod", None) or inner.module
    try:
        parameters = list(inspect.signature(inner.forward).parameters.values())
    except (TypeError, ValueError):  # not written in Python
        return ""
    asked = [each.name for each in parameters if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    if not parameters:
        return f"its forward takes no input: {_ALONE}"
    if len(asked) > 1:
        counted = {2: "two", 3: "three", 4: "four"}.get(len(asked), str(len(asked)))
        return f"it takes {counted} inputs ({', '.join(asked)}): {_ALONE}"
    return ""


def _device(_module: nn.Module, _picture: Tensor, error: CannotTake) -> str:
    if not _DEVICE.search(error.said):
        return ""
    return "it names a device in its forward: say x.device there instead of .cuda() or 'cuda'; it is looked at in a copy on the CPU"


def _channels(module: nn.Module, picture: Tensor, _error: CannotTake) -> str:
    """The first convolution says how many channels it takes."""
    first = next((part for part in module.modules() if isinstance(part, CONVOLUTIONS)), None)
    if first is None or first.in_channels == picture.shape[1]:
        return ""
    other = picture.new_zeros(1, first.in_channels, *picture.shape[2:])
    several = f"{first.in_channels} channel{'s' * (first.in_channels > 1)}"
    if not takes(module, other):
        return ""
    return f"it takes pictures of {several}, not of {picture.shape[1]}: give a mean and std for each"


def _other_kinds(module: nn.Module, picture: Tensor, _error: CannotTake) -> str:
    return next((told for given, told in _kinds(picture) if takes(module, given)), "")


def _kinds(picture: Tensor) -> Iterator[tuple[Any, str]]:
    """What else a picture may be handed over as, with what to do."""
    begin = "wrap it in a module that begins with"
    yield picture.permute(0, 2, 3, 1), f"it takes pictures as (N, H, W, C): {begin} x.permute(0, 2, 3, 1)"
    yield picture.flatten(1), f"it takes the pixels in a row: {begin} x.flatten(1)"
    yield picture[0], "it takes one picture (C, H, W) without a batch: wrap it in a module that stacks what it gives for each"
    yield [picture[0]], "it takes a list of pictures (C, H, W): wrap it in a module that begins with list(x)"
    yield [picture], "it takes a list of tensors: wrap it in a module that begins with [x]"
    for frames in (1, 8, 16):
        clip = picture[:, :, None].expand(-1, -1, frames, -1, -1)
        told = f"x[:, :, None].repeat(1, 1, {frames}, 1, 1)" if frames > 1 else "x[:, :, None]"
        yield clip, f"it takes films (N, C, T, H, W): {begin} {told}"
    yield picture[:, None], f"it takes films (N, T, C, H, W): {begin} x[:, None]"
    yield (picture * 255).long(), f"it takes whole numbers: {begin} x.long()"


class _Asked(dict[str, Tensor]):
    """A dictionary that has the picture under every name, and writes down what was asked for."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture, self.names = picture, dict[str, None]()

    def __missing__(self, name: str) -> Tensor:
        self.names[name] = None
        return self.picture

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """As if it were there."""
        return self[name]

    pop = get

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or hasattr(Tensor, name):
            raise AttributeError(name)
        return self[name]


def _keys(module: nn.Module, picture: Tensor, _error: CannotTake) -> str:
    asked = _Asked(picture)
    ran = takes(module, asked)
    names = [each for each in asked.names if isinstance(each, str)]
    if not names or not (ran or len(names) < 4):
        return ""
    given = ", ".join(f"'{name}': {'x' if number == 0 else '…'}" for number, name in enumerate(names))
    return f"it takes a dictionary: wrap it in a module that takes pictures alone, and hands on {{{given}}}"


def _batch_of_one(module: nn.Module, picture: Tensor, error: CannotTake) -> str:
    """A norm that measures its batch has nothing to measure in one picture."""
    measuring = measuring_norms(module)
    if not measuring or not takes(module, torch.cat([picture, 0.5 * picture])):
        return ""
    name = error.layer if error.layer in measuring else measuring[0]
    return f"norm '{name}' takes mean and spread from the batch, and one picture has none there: train it with track_running_stats=True"


def _precision(module: nn.Module, picture: Tensor, _error: CannotTake) -> str:
    """A type that is written into its forward."""
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        if takes(module.to(dtype), picture.to(dtype)):
            return f"{str(dtype).removeprefix('torch.')} is written into its forward: take that out, it is looked at in float32"
    module.float()
    return ""


def _size(module: nn.Module, picture: Tensor, _error: CannotTake) -> str:
    return remedy_of(sides(module, picture))

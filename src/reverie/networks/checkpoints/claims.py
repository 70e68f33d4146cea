"""What a file of weights says it holds, before any of it is read; and how that is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import InputError, UnsafeError, printable

UNCOUNTED = "num_batches_tracked"  # files older than torch 0.4.1 have none
LONGEST = 1000  # characters of a name
_SHOWN = 3


@dataclass
class Claim:
    """A tensor as a file describes it: strides and offset in elements, within the storage `key` of `room` elements."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...] | None = None  # None: contiguous
    offset: int = 0
    room: int = 0
    key: str = ""

    def problem(self) -> str:
        """Why such a tensor cannot be, or shares its own elements; empty where it is sound."""
        if len(self.shape) > 16 or any(each < 0 for each in self.shape) or self.offset < 0:
            return "has a shape that cannot be"
        if self.stride is None or 0 in self.shape:
            return ""
        if len(self.stride) != len(self.shape):
            return "has strides that do not go with its shape"
        extent = 1
        for stride, side in sorted((stride, side) for stride, side in zip(self.stride, self.shape, strict=True) if side > 1):
            if stride < extent:
                return "counts elements more than once (its strides overlap)"
            extent += (side - 1) * stride
        if self.end > self.room:
            return f"claims more than is stored: {self.end:,} elements of {self.room:,}"
        return ""

    @property
    def strides(self) -> tuple[int, ...]:
        """Those of a tensor that has some."""
        return self.stride or ()

    @property
    def end(self) -> int:
        """The element of the storage after its last."""
        return self.offset + 1 + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True))


def damaged(name: str, why: str) -> InputError:
    return InputError(f"'{name}' {why}", "it may be broken off or no file of weights: fetch or save it again")


def no_weights(name: str, why: str) -> InputError:
    return InputError(f"'{name}' {why}", "give a file that holds the weights: torch.save(model.state_dict(), …)")


def of_numpy(name: str) -> InputError:
    made = "{name: torch.from_numpy(each) for name, each in arrays.items()}"
    return InputError(f"'{name}' holds arrays of NumPy, which are not read", f"make them tensors: torch.save({made}, …)")


def refused(name: str, why: str, remedy: str = "do not use this file; ask its owner for a .safetensors") -> UnsafeError:
    return UnsafeError(f"'{name}' is refused: it {why}", remedy)


def brief(name: object) -> str:
    """A name out of a file, fit for a message."""
    text = printable(str(name)[:101])
    return text if len(text) <= 100 else text[:99] + "…"


def own_tensors(module: nn.Module, name: str) -> dict[str, Tensor]:
    """The module's tensors by name, which share its memory.

    Raises:
        InputError: it has some without memory: a module on the meta device, or one that takes its shapes from its first picture.
    """
    own = {key: value for key, value in module.state_dict().items() if isinstance(value, Tensor)}
    if any(nn.parameter.is_lazy(each) or each.is_meta for each in own.values()):
        fault = f"the weights '{name}' cannot be filled into a {type(module).__name__} that has no memory for them yet"
        raise InputError(fault, "run it once on a picture in its definition, and do not make it on the meta device")
    return own


def compare(found: Mapping[str, Any], own: Mapping[str, Tensor], ignore: Collection[str], name: str, network: str) -> None:
    """Names, shapes and dtypes of Claims or Tensors against the module's.

    Raises:
        UnsafeError: one is missing, is too many, or differs; a floating dtype may be another floating dtype.
    """
    remedy = "they belong to another network, or to another definition of it"
    skipped = tuple(ignore)
    missing = [each for each in own if each not in found and not each.startswith(skipped) and each.rpartition(".")[2] != UNCOUNTED]
    unexpected = [each for each in found if each not in own and not each.startswith(skipped)]
    if missing or unexpected:
        parts = [f"{word} {_some(names)}" for word, names in (("without", missing), ("with", unexpected)) if names]
        raise UnsafeError(f"the weights in '{name}' do not fit {network}: {' and '.join(parts)}", remedy)
    for key, mine in own.items():
        theirs = found.get(key)
        if theirs is None or key.startswith(skipped):
            continue
        if tuple(mine.shape) != tuple(theirs.shape):
            shapes = f"{brief(key)} is {_sides(theirs.shape)}, not {_sides(mine.shape)}"
            raise UnsafeError(f"the weights in '{name}' do not fit {network}: {shapes}", remedy)
        if mine.dtype != theirs.dtype and not (mine.is_floating_point() and theirs.dtype.is_floating_point):
            fault = f"{brief(key)} is {_plain(theirs.dtype)}, not {_plain(mine.dtype)}"
            raise UnsafeError(f"the weights in '{name}' do not fit {network}: {fault}", remedy)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(brief(each) for each in names[:_SHOWN]) + rest


def _sides(shape: Collection[int]) -> str:
    return "×".join(str(each) for each in shape) or "one number"


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

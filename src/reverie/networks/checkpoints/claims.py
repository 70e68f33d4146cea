"""What a file of weights says it holds, before any of it is read; and how that is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from reverie.errors import InputError, UnsafeError, printable

WRAPPERS = ("state_dict", "model_state_dict", "model")  # entries that checkpoints of a training keep the weights under
PREFIXES = ("module.", "_orig_mod.", "model.")  # of DataParallel, of torch.compile, of a module that trains another
UNCOUNTED = "num_batches_tracked"  # files older than torch 0.4.1 have none
LONGEST = 1000  # characters of a name
_SHOWN = 3
_Entry = TypeVar("_Entry")


@dataclass
class Claim:
    """A tensor as a file describes it: strides and offset in elements, within a storage of `room` elements."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...] | None = None  # None: contiguous
    offset: int = 0
    room: int = 0

    def problem(self) -> str:
        """Why such a tensor cannot be, or shares its own elements; empty where it is sound."""
        if len(self.shape) > 16 or any(each < 0 for each in self.shape) or self.offset < 0:
            return "has a shape that cannot be"
        if self.stride is None or 0 in self.shape:
            return ""
        if len(self.stride) != len(self.shape):
            return "has strides that do not go with its shape"
        end = 1
        for stride, side in sorted((stride, side) for stride, side in zip(self.stride, self.shape, strict=True) if side > 1):
            if stride < end:
                return "counts elements more than once (its strides overlap)"
            end = (side - 1) * stride + end
        if self.offset + end > self.room:
            return f"claims more than is stored: {self.offset + end:,} elements of {self.room:,}"
        return ""


def damaged(name: str, why: str) -> InputError:
    return InputError(f"'{name}' {why}", "it may be broken off or no file of weights: fetch or save it again")


def refused(name: str, why: str, remedy: str = "do not use this file; ask its owner for a .safetensors") -> UnsafeError:
    return UnsafeError(f"'{name}' is refused: it {why}", remedy)


def brief(name: object) -> str:
    """A name out of a file, fit for a message."""
    text = printable(str(name)[:101])
    return text if len(text) <= 100 else text[:99] + "…"


def unwrapped(found: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The state dict inside a checkpoint; `found` itself where it is one."""
    for _ in range(len(WRAPPERS)):
        inner = [found[each] for each in WRAPPERS if isinstance(found.get(each), Mapping)]
        if not inner:
            break
        found = inner[0]
    return found


def named(found: Mapping[str, _Entry], own: Collection[str]) -> dict[str, _Entry]:
    """`found` without the prefixes that all its names bear and the module's `own` do not."""
    names = list(found)
    for _ in range(2 * len(PREFIXES)):
        worn = [each for each in PREFIXES if names and all(name.startswith(each) for name in names)]
        if not worn or all(name.startswith(worn[0]) for name in own):
            break
        names = [name.removeprefix(worn[0]) for name in names]
    return dict(zip(names, found.values(), strict=True))


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

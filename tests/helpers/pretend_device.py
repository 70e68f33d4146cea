"""A GPU that is not there: tensors that say they lie on `cuda`, while the CPU works out their values.

It refuses what CUDA refuses (tensors of two devices in one operator, a generator of the CPU), and counts how often the program would wait
for the device. It needs no build with CUDA and registers nothing: all of it are two modes of this thread and some patched functions of
`torch.cuda`, which are gone once `pretending` ends. Beneath, where PyTorch's own code looks, the tensors lie on a device `meta` of a
number that nobody uses.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
import torchgen
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

_SHOWN, _BENEATH, _CPU = torch.device("cuda", 0), torch.device("meta", 1), torch.device("cpu")
_BFLOAT16, _OLDER = (8, 0), (7, 5)  # compute capabilities: tensor cores that take bfloat16, and those that do not
# operators whose result the program waits for, or whose result's size
_AWAITED = {
    "_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "_unique", "_unique2", "unique_dim",
    "unique_consecutive", "bincount", "_linalg_check_errors", "histc", "multinomial", "linalg_eigh", "_linalg_svd",
}  # fmt: skip
_DATA: Any = Tensor.data  # a property of the class
_FROM_DATA = (torch.tensor, torch.as_tensor, torch.asarray)  # they make a tensor on the CPU, and copy it
_INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}


class Place(NamedTuple):
    """Where in Reverie the program waited, and for what."""

    operator: str
    file: str
    line: int


@dataclass
class Log:
    """What a GPU would have noticed.

    Attributes:
        reads: times the program waited for a number or a copy from the device.
        writes: times it waited for a copy to the device: PyTorch waits for those too, unless they are `non_blocking`.
        refused: what was refused, also where an `except` has hidden it.
    """

    reads: Counter[Place] = field(default_factory=Counter)
    writes: Counter[Place] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def waits(self) -> int:
        return self.reads.total() + self.writes.total()


class OnDevice(Tensor):
    """A tensor of the pretended device. `values` is the tensor on the CPU, of the same shape and strides."""

    values: Tensor  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, values: Tensor) -> OnDevice:
        return Tensor._make_wrapper_subclass(
            cls, values.size(), strides=values.stride(), storage_offset=values.storage_offset(), dtype=values.dtype, device=_BENEATH
        )

    def __init__(self, values: Tensor) -> None:
        self.values = values

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise AssertionError(f"{func} on the pretended device, outside of `pretending` or in another thread")

    device = property(lambda self: _SHOWN)
    is_cuda = property(lambda self: True)
    is_meta = property(lambda self: False)

    @property
    def data(self) -> Tensor:
        beneath: Tensor = _DATA.__get__(self)
        return beneath

    @data.setter
    def data(self, other: Tensor) -> None:
        assert isinstance(other, OnDevice)
        _DATA.__set__(self, other)
        self.values = other.values

    def data_ptr(self) -> int:
        return self.values.data_ptr()

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.values.untyped_storage()

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")
        return self.detach().cpu().numpy()

    def __array__(self, *_: Any) -> Any:
        return self.numpy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = self.detach().clone().requires_grad_(self.requires_grad)
        copied.__dict__.update({name: value for name, value in self.__dict__.items() if name != "values"})
        return memo.setdefault(id(self), copied)


class _Renamed(TorchFunctionMode):
    """Takes `cuda` in the arguments of PyTorch's functions for the device beneath."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **kwargs)
        if func is Tensor.cuda:
            return args[0].to(_BENEATH)
        if func in _FROM_DATA and _is_ours(kwargs.get("device")):
            kwargs.pop("device")
            return func(*args, **kwargs).to(_BENEATH)
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], OnDevice):
            args = (args[0], _indices(args[1]), *args[2:])
        args = tuple(_BENEATH if _is_ours(each) else each for each in args)
        if _is_ours(kwargs.get("device")):
            kwargs["device"] = _BENEATH
        return func(*args, **kwargs)


def _indices(index: Any) -> Any:
    """Lists of numbers are copied to the device, as PyTorch does it for others."""
    if isinstance(index, tuple):
        return tuple(_indices(each) for each in index)
    return torch.tensor(index).to(_BENEATH) if isinstance(index, list) else index


def _is_ours(device: Any) -> bool:
    return (isinstance(device, torch.device) and device.type == "cuda") or (isinstance(device, str) and device.partition(":")[0] == "cuda")


class _Pretend(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs every operator on the CPU's values."""

    def __init__(self, log: Log) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.log = log

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else PyTorch imports its compiler at the first operator, which takes two seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        flat = list(_leaves((*args, *kwargs.values())))
        ours = [each for each in flat if isinstance(each, OnDevice)]
        asked = kwargs.get("device")
        if not ours and asked != _BENEATH:
            return func(*args, **kwargs)
        on_device = asked in (None, _BENEATH)
        self._check(func, args, flat, asked, on_device)
        self._count(func, args, kwargs, flat, on_device)
        output = func(*_mapped(_taken, args), **{name: _mapped(_taken, each) for name, each in kwargs.items()})
        known = {id(each.values): each for each in ours}
        if any(
            each.shape != each.values.shape or each.stride() != each.values.stride() for each in ours
        ):  # in place, as `as_strided_` does
            with torch._C._AutoDispatchBelowAutograd(), torch._C._DisableTorchDispatch():
                func(*args, **kwargs)
        return _mapped(lambda each: known[id(each)] if id(each) in known else _placed(each, on_device), output)

    def _check(self, func: Any, args: Any, flat: Sequence[Any], asked: torch.device | None, on_device: bool) -> None:
        name = _name(func)
        if on_device and any(isinstance(each, torch.Generator) for each in flat):
            self._refuse(f"{func}: Expected a 'cuda' device type for generator but found 'cpu'")
        others = [each for each in flat if isinstance(each, Tensor) and not isinstance(each, OnDevice)]
        assert all(each.device != _BENEATH for each in others), f"{func}: a tensor of the device beneath that has no values"
        if name in ("copy_", "_to_copy") or asked is not None:
            return
        if name in _INDEXING and isinstance(args[0], OnDevice):
            others = [each for each in others if not any(each is index for index in args[1])]
        written = [each for each in _written(func, args) if isinstance(each, Tensor) and not isinstance(each, OnDevice)]
        if written or any(each.dim() > 0 or name not in _mixing() for each in others):
            self._refuse(f"{func}: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!")

    def _count(self, func: Any, args: Any, kwargs: Any, flat: Sequence[Any], on_device: bool) -> None:
        name = _name(func)
        reads = name in _AWAITED
        writes = False
        if name in ("_to_copy", "copy_"):
            source, target = (args[1], isinstance(args[0], OnDevice)) if name == "copy_" else (args[0], on_device)
            waited = not (kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))
            reads, writes = isinstance(source, OnDevice) and not target, not isinstance(source, OnDevice) and target and waited
        elif name in _INDEXING:
            indices = [each for each in args[1] if isinstance(each, Tensor)]
            reads = any(each.dtype in (torch.bool, torch.uint8) for each in indices)
            writes = any(not isinstance(each, OnDevice) for each in indices)
        elif name == "repeat_interleave":
            reads = kwargs.get("output_size") is None
        if reads or writes:
            (self.log.reads if reads else self.log.writes)[_place(name)] += 1

    def _refuse(self, why: str) -> None:
        self.log.refused.append(why)
        raise RuntimeError(why)


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _leaves(value)
        else:
            yield value


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    return type(value)(_mapped(function, each) for each in value) if type(value) in (list, tuple) else function(value)


def _taken(value: Any) -> Any:
    return value.values if isinstance(value, OnDevice) else _CPU if isinstance(value, torch.device) else value


def _placed(value: Any, on_device: bool) -> Any:
    if not isinstance(value, Tensor) or not on_device:
        return value
    return OnDevice(value.resolve_conj().resolve_neg())  # the tensor in sight could not say that it is one


def _name(func: Any) -> str:
    return str(func.overloadpacket.__name__)


def _written(func: Any, args: Any) -> Iterator[Any]:
    """The arguments that an operator writes into."""
    for value, argument in zip(args, func._schema.arguments, strict=False):
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield value


@cache
def _mixing() -> frozenset[str]:
    """Operators that take a number in the CPU's memory beside tensors of the device: those whose devices PyTorch's list does not check."""
    text = (Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml").read_text()
    return frozenset(re.findall(r"^- func: (\w+)[^\n]*\n(?:  [^\n]*\n)*?  device_check: NoCheck", text, re.MULTILINE))


def _place(operator: str) -> Place:
    frame = sys._getframe(2)
    while frame is not None and "/reverie/" not in frame.f_code.co_filename:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return Place(operator, "", 0)
    return Place(operator, frame.f_code.co_filename.rpartition("/reverie/")[2], frame.f_lineno)


@contextmanager
def pretending(bfloat16: bool = False) -> Iterator[Log]:
    """Inside, and in this thread, there is a GPU named `cuda`; with `bfloat16` one on which networks run in it."""
    log = Log()
    there: dict[str, Any] = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "synchronize": lambda *_: None,
        "get_device_capability": lambda *_: _BFLOAT16 if bfloat16 else _OLDER,
        "mem_get_info": lambda *_: (64 << 30, 80 << 30),
    }
    with mock.patch.multiple(torch.cuda, **there), _Renamed(), _Pretend(log):
        yield log

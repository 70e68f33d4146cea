"""Writes down the operators that run, forward and back, with what goes in and what comes out of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

_SAME = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)  # of what never changes, the same
_EMPTY = ("aten::empty", "aten::new_empty")  # room that is not to be kept
_OTHER_EACH_TIME = {
    torch.Tag.nondeterministic_seeded,
    torch.Tag.data_dependent_output,  # a number read from a tensor may decide what runs next
    torch.Tag.dynamic_output_shape,
}


class Slot(int):
    """The number of a value: it has one, and never another."""


class Call(NamedTuple):
    """An operator and its arguments; among them, at any depth of lists, slots stand for tensors."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def takes(self) -> Iterator[Slot]:
        """The slots it reads."""
        return slots_in((self.args, self.kwargs))


class Operation(NamedTuple):
    """A call that gives new values; and the one that overwrites a value that nobody reads later, where that was what ran.

    `written`: the slots of a storage that is changed, of which others are views.
    """

    call: Call
    gives: tuple[Slot | None, ...]
    in_place: Call | None = None
    overwrites: Slot | None = None
    written: Set[Slot] = frozenset()


def slots_in(value: Any) -> Iterator[Slot]:
    """All slots in nested lists, tuples and dictionaries."""
    if isinstance(value, Slot):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from slots_in(each)
    elif isinstance(value, dict):
        yield from slots_in(list(value.values()))


class CannotRecord(Exception):
    """What runs cannot be played back."""


class NumbersRead(TorchFunctionMode):
    """While open, tells the recorder of numbers that are read from a tensor without an operator, and may decide what runs next."""

    _READS = ("tolist", "numpy", "__array__", "__dlpack__")

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__name__", "") in self._READS:
            self._recorder.refused = self._recorder.refused or "numbers are read from a tensor"
        return function(*args, **(kwargs or {}))


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While open, all operators of this thread are written down.

    What changes a tensor in place is written down as what gives a new one. No tensor is kept alive but constants: those that were there
    before, as weights, and what is made of them alone.

    Attributes:
        operations: in the order in which they ran.
        constants: by their slots.
        refused: why it cannot be played back, if so.
        count: of slots.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else PyTorch's compiler is imported, for seconds

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []
        self.constants: dict[Slot, Tensor] = {}
        self.refused = ""
        self.count = 0
        self._slots: dict[Any, Slot] = {}  # by where a tensor lies
        self._in_storage: dict[int, set[Slot]] = {}
        self._stale: set[Slot] = set()  # overwritten
        self._outside: set[Slot] = set()
        self._storages: dict[int, StorageWeakRef] = {}  # so that no other storage gets the same address

    def enter(self, tensor: Tensor) -> Slot:
        """A slot for what comes from outside, and is another each time."""
        slot = self._new(tensor)
        self._outside.add(slot)
        return slot

    def _new(self, tensor: Tensor) -> Slot:
        slot = Slot(self.count)
        self.count += 1
        key = self._key(tensor)
        self._slots[key] = slot
        self._in_storage.setdefault(key[0], set()).add(slot)
        return slot

    def slot(self, tensor: Tensor) -> Slot:
        """The slot of a tensor; of one that was never seen that of a constant."""
        found = self._slots.get(self._key(tensor))
        if found is None:
            found = self._new(tensor)
            self.constants[found] = tensor
        elif found in self._stale:
            raise CannotRecord("a tensor is read after another view of it was overwritten")
        return found

    def __torch_dispatch__(self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = dict(kwargs or {})
        if self.refused:
            return function(*args, **kwargs)
        call = None
        try:
            call = Call(function, self._written(tuple(args)), self._written(kwargs))
            output = function(*args, **kwargs)
            self._write(call, output if isinstance(output, (tuple, list)) else (output,))
        except CannotRecord as error:
            self.refused = str(error)
            return function(*args, **kwargs) if call is None else output
        return output

    def _write(self, call: Call, given: Sequence[Any]) -> None:
        function: Any = call.function
        if _OTHER_EACH_TIME & set(function.tags):
            raise CannotRecord(f"{function} gives something else each time")
        if not all(each is None or isinstance(each, Tensor) for each in given):
            raise CannotRecord(f"{function} gives something other than tensors")
        if any(each is None and str(wanted.type) == "Tensor" for each, wanted in zip(call.args, function._schema.arguments, strict=False)):
            raise CannotRecord(f"{function} takes a tensor that is none")  # it cannot be handed one from outside
        if function in _SAME:
            return
        takes, gives = set(call.takes()), [None if each is None else self._slots.get(self._key(each)) for each in given]
        if takes <= self.constants.keys() and not function._schema.name.startswith(_EMPTY):
            if not takes.intersection(each for each in gives if each is not None):  # else overwritten, by constants
                self.constants.update((self._new(each), each) for each in given if each is not None)
            return
        self.operations.append(self._changing(call, given) if function._schema.is_mutable else Operation(call, self._entered(given)))

    def _entered(self, given: Sequence[Any]) -> tuple[Slot | None, ...]:
        return tuple(None if each is None else self._new(each) for each in given)

    def _changing(self, call: Call, given: Sequence[Any]) -> Operation:
        """What overwrites a tensor: as what gives a new one; where there are views of it, as it is."""
        function: Any = call.function
        changed = [each.name for each in function._schema.arguments if each.alias_info is not None and each.alias_info.is_write]
        space, _, name = function._schema.name.partition("::")
        packet = getattr(getattr(torch.ops, space), name.removesuffix("_"), None)
        apart = bool(changed) and changed[0] in call.kwargs  # as `out`
        overload = "default" if apart else function._overloadname
        if len(changed) != 1 or packet is None or overload not in packet.overloads():
            raise CannotRecord(f"{function} overwrites a tensor")
        target: Slot = call.kwargs[changed[0]] if apart else call.args[0]
        storage = next(held for held in self._in_storage.values() if target in held)
        if storage & self.constants.keys() or (storage != {target} and storage & self._outside):
            raise CannotRecord(f"{function} overwrites what was there before")
        if storage - self._stale != {target}:
            return Operation(call, tuple(None if each is None else self.slot(each) for each in given), written=storage)
        self._stale.add(target)
        kwargs = {name: each for name, each in call.kwargs.items() if not (apart and name == changed[0])}
        return Operation(Call(getattr(packet, overload), call.args, kwargs), self._entered(given), call, target)

    def _written(self, value: Any) -> Any:
        """The same with slots in the place of tensors."""
        if isinstance(value, Tensor):
            return self.slot(value)
        if isinstance(value, (list, tuple)):
            return [self._written(each) for each in value] if isinstance(value, list) else tuple(self._written(each) for each in value)
        if isinstance(value, dict):
            return {name: self._written(each) for name, each in value.items()}
        return value

    def _key(self, tensor: Tensor) -> tuple[Any, ...]:
        if tensor.layout is not torch.strided:  # a weight in oneDNN's order
            self._storages.setdefault(id(tensor), tensor)  # type: ignore[arg-type]
            return (id(tensor),)
        storage = tensor.untyped_storage()
        place: int = storage._cdata
        if place not in self._storages:
            self._storages[place] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        return place, tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.is_conj(), tensor.is_neg()

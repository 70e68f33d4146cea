"""A pass and its gradient as two lists of operators, to be run on other pictures of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from reverie.networks.tape.recorder import Call, CannotRecord, Operation, Recorder, Slot

Values = list[Any]  # by slot


class Tape:
    """Made of what a recorder wrote down.

    Args:
        recorder: closed.
        forward: how many of its operations are the pass; the rest is its gradient.
        pictures: their slot.
        seen: the slots of what the pass gives.
        gradients: the slots of the gradients by that, and their strides.
        result: the slot of the gradient by the pictures.
    """

    def __init__(
        self,
        recorder: Recorder,
        forward: int,
        pictures: Slot,
        seen: Sequence[Slot],
        gradients: Mapping[Slot, tuple[int, ...]],
        result: Slot,
    ) -> None:
        self._pictures, self._seen, self._gradients, self._result = pictures, tuple(seen), dict(gradients), result
        there, back = _needed(recorder.operations, forward, {*seen, result})
        made = {slot for each in there for slot in each.gives if slot is not None}
        if any(made & each.written for each in back):
            raise CannotRecord("the gradient overwrites what the pass has left")
        read = {slot for each in (*there, *back) for slot in _takes(each)} | {*seen, result}
        self._values: Values = [None] * recorder.count
        for slot in read & recorder.constants.keys():
            self._values[slot] = recorder.constants[slot]
        lasting = {*seen, *recorder.constants, *(slot for each in back for slot in _takes(each))}
        self._there = _steps(there, lasting)
        self._back = _steps(back, {result, *recorder.constants})

    @property
    def nbytes(self) -> int:
        """How much memory its constants take, weights that are the network's own among them."""
        return sum(each.numel() * each.element_size() for each in self._values if each is not None)

    def forward(self, pictures: Tensor) -> Values:
        """A pass: all values that its gradient needs."""
        values = self._values.copy()
        values[self._pictures] = pictures
        _run(self._there, values)
        return values

    def seen(self, values: Values) -> list[Tensor]:
        """What a pass gives."""
        return [values[slot] for slot in self._seen]

    def back(self, values: Values, gradients: Sequence[Tensor]) -> Tensor:
        """The gradient by the pictures, from those by what the pass gives. The values are used up, so that their memory is free at once."""
        for (slot, stride), each in zip(self._gradients.items(), gradients, strict=True):
            values[slot] = each if each.stride() == stride else torch.empty_strided(each.shape, stride, dtype=each.dtype).copy_(each)
        _run(self._back, values)
        found: Tensor = values[self._result]
        return found


class _Step(NamedTuple):
    run: Callable[[Values], Any]
    gives: Slot | tuple[Slot | None, ...]
    dead: tuple[Slot, ...]  # what nobody reads after it


def _run(steps: Iterable[_Step], values: Values) -> None:
    for run, gives, dead in steps:
        if isinstance(gives, Slot):
            values[gives] = run(values)
        else:
            for slot, each in zip(gives, run(values), strict=True):
                if slot is not None:
                    values[slot] = each
        for slot in dead:
            values[slot] = None


def _steps(operations: Sequence[Operation], lasting: Iterable[Slot]) -> list[_Step]:
    """Ready to run; all but the lasting values are let go as soon as nobody reads them any more."""
    own, lasting = {slot for each in operations for slot in each.gives}, set(lasting)
    last: dict[Slot, int] = {}  # where each value is read, or made, for the last time
    chosen = [each.in_place if each.in_place and each.overwrites in own - lasting else each.call for each in operations]
    for number, (operation, call) in enumerate(zip(operations, chosen, strict=True)):
        last.update((slot, number) for slot in operation.gives if slot is not None)
        last.update((slot, number) for slot in call.takes())
    dead: list[list[Slot]] = [[] for _ in operations]
    for slot, number in last.items():
        if slot not in lasting:
            dead[number].append(slot)
    steps = []
    for operation, call, over in zip(operations, chosen, dead, strict=True):
        single = len(operation.gives) == 1 and not _gives_several(call)
        gives = operation.gives[0] if single else operation.gives
        steps.append(_Step(_bound(call), operation.gives if gives is None else gives, tuple(over)))
    return steps


def _gives_several(call: Call) -> bool:
    function: Any = call.function
    returns = function._schema.returns
    return len(returns) != 1 or "[]" in str(returns[0].type) or str(returns[0].type).startswith("List")


def _bound(call: Call) -> Callable[[Values], Any]:
    """The call as a function of all values."""
    function, pattern, kwargs = call.function, list(call.args), call.kwargs
    places = [(number, each) for number, each in enumerate(pattern) if isinstance(each, Slot)]
    if len(places) == sum(1 for _ in call.takes()):

        def run(values: Values) -> Any:
            args = pattern.copy()
            for number, slot in places:
                args[number] = values[slot]
            return function(*args, **kwargs)

        return run
    return lambda values: function(*_filled(pattern, values), **_filled(kwargs, values))


def _filled(value: Any, values: Values) -> Any:
    """The same with tensors in the place of slots."""
    if isinstance(value, Slot):
        return values[value]
    if isinstance(value, (list, tuple)):
        return [_filled(each, values) for each in value]
    if isinstance(value, Mapping):
        return {name: _filled(each, values) for name, each in value.items()}
    return value


def _takes(operation: Operation) -> set[Slot]:
    return {*operation.call.takes(), *(operation.in_place.takes() if operation.in_place else ())}


def _needed(operations: Sequence[Operation], forward: int, wanted: set[Slot]) -> tuple[list[Operation], list[Operation]]:
    """Those that what is wanted follows from: of the pass, and of its gradient."""
    halves: tuple[list[Operation], list[Operation]] = ([], [])
    for number in reversed(range(len(operations))):
        operation = operations[number]
        if wanted.intersection(operation.gives) or wanted & operation.written:
            wanted |= _takes(operation)
            halves[number >= forward].append(operation)
    return halves[0][::-1], halves[1][::-1]

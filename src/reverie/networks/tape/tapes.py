"""The tapes of one network: recorded while it runs, compared with it, played from then on."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from reverie.networks.tape.recorder import CannotRecord, NumbersRead, Recorder, Slot
from reverie.networks.tape.tape import Tape, Values

MOST = 16  # tapes of one network that are kept
MOST_BYTES = 1_000_000_000  # of constants, beside the two used last
CHECKED = 2  # sizes at which a tape gave the same bytes, and then it is believed at others

Look = Callable[[Tensor], dict[str, Tensor]]  # pictures (N, C, H, W), as the network takes them → activations
_Names = tuple[str, ...]


class Tapes:
    """Call them with a way to look at pictures; gradients flow to the pictures alone, not from one activation to another, and once.

    A tape gives the same bytes as the network itself. Where it does not, or cannot be made, the network itself runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # a gradient is worked out where nothing else keeps threads apart
        self._held: OrderedDict[Any, Tape] = OrderedDict()
        self._good: defaultdict[_Names, set[Any]] = defaultdict(set)  # tapes that gave the same bytes
        self.refused: dict[_Names, str] = {}  # and why

    def __call__(self, names: _Names, look: Look, pictures: Tensor) -> dict[str, Tensor]:
        """The activations of these names."""
        if names in self.refused or not (pictures.is_cpu and pictures.requires_grad and torch.is_grad_enabled()):
            return look(pictures)
        key = (names, pictures.shape, pictures.stride(), pictures.dtype)
        with self._lock:
            way = self._way(key, look)
        seen = _Through.apply(pictures, way)  # type: ignore[no-untyped-call]
        return dict(zip(names, seen, strict=True))

    def _way(self, key: Any, look: Look) -> _Way:
        names, tape = key[0], self._held.get(key)
        if tape is None:
            return _Recorded(names, look, lambda made: self._keep(key, made), lambda why: self._refuse(names, why))
        if key not in self._good[names] and len(self._good[names]) < CHECKED:
            return _Compared(names, look, tape, lambda same: self._judge(key, same))
        self._held.move_to_end(key)
        return _Played(tape)

    def __len__(self) -> int:
        return len(self._held)

    @property
    def believed(self) -> set[_Names]:
        """Layers of which a tape gave the same bytes."""
        return {names for names, good in self._good.items() if good} - self.refused.keys()

    def _keep(self, key: Any, tape: Tape) -> None:
        with self._lock:
            self._held[key] = tape
            while len(self._held) > 2 and (len(self._held) > MOST or sum(each.nbytes for each in self._held.values()) > MOST_BYTES):
                self._held.popitem(last=False)

    def _judge(self, key: Any, same: bool) -> None:
        if not same:
            self._refuse(key[0], "it gives other bytes")
            return
        with self._lock:
            self._good[key[0]].add(key)

    def _refuse(self, names: _Names, why: str) -> None:
        with self._lock:
            self.refused[names] = why
            for key in [each for each in self._held if each[0] == names]:
                del self._held[key]


class _Through(torch.autograd.Function):
    """One step of the graph, which the whole network is."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, way: _Way) -> tuple[Tensor, ...]:
        ctx.way = way
        return tuple(each.detach() for each in way.forward(pictures))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        way, ctx.way = ctx.way, None
        if way is None:
            raise RuntimeError("the gradient of a pass on tape can be asked for once")
        return way.back(gradients), None


class _Way(Protocol):
    """How a pass is made, and then its gradient."""

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """What is seen."""
        ...

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        """The gradient by the pictures."""
        ...


class _Played:
    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._values: Values = []

    def forward(self, pictures: Tensor) -> list[Tensor]:
        self._values = self._tape.forward(pictures.detach())
        return self._tape.seen(self._values)

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        return self._tape.back(self._values, gradients)


class _Itself:
    """The network."""

    def __init__(self, names: _Names, look: Look) -> None:
        self._names, self._look = names, look
        self._pictures = torch.empty(0)
        self._seen: list[Tensor] = []

    def forward(self, pictures: Tensor) -> list[Tensor]:
        self._pictures = pictures.detach().requires_grad_(True)
        with torch.enable_grad():
            self._seen = self._looked(self._pictures.clone())  # it may write into what it is handed
        return self._seen

    def _looked(self, pictures: Tensor) -> list[Tensor]:
        seen = self._look(pictures)
        return [seen[name] for name in self._names]

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        pairs = [(each, gradient) for each, gradient in zip(self._seen, gradients, strict=True) if each.requires_grad]
        if not pairs:
            return torch.zeros_like(self._pictures)
        with torch.enable_grad():
            end: Any = _End.apply([each for _, each in pairs], *(each for each, _ in pairs))  # type: ignore[no-untyped-call]
        (found,) = torch.autograd.grad(end, self._pictures)
        return found


class _End(torch.autograd.Function):
    # gradients handed to autograd.grad itself make it import a library for symbols, which takes seconds

    @staticmethod
    def forward(ctx: Any, gradients: list[Tensor], *seen: Tensor) -> Tensor:
        ctx.gradients = gradients
        return seen[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *one: Tensor) -> tuple[Tensor | None, ...]:
        return None, *ctx.gradients


class _Recorded(_Itself):
    """The network, and what runs is written down."""

    def __init__(self, names: _Names, look: Look, made: Callable[[Tape], None], refused: Callable[[str], None]) -> None:
        super().__init__(names, look)
        self._recorder = Recorder()
        self._made, self._refused = made, refused
        self._slots: tuple[Slot, list[Slot]] | None = None
        self._forward = 0

    def _looked(self, pictures: Tensor) -> list[Tensor]:
        recorder = self._recorder
        given = recorder.enter(pictures)
        with NumbersRead(recorder), recorder:
            seen = super()._looked(pictures)
        self._forward = len(recorder.operations)
        try:
            self._slots = given, [recorder.slot(each) for each in seen]
        except CannotRecord as error:
            recorder.refused = recorder.refused or str(error)
        return seen

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        recorder = self._recorder
        gradients = [each.clone() for each in gradients]  # one memory for several would be taken for one gradient
        entered = [recorder.enter(each) for each in gradients]
        with NumbersRead(recorder), recorder:
            found = super().back(gradients)
        try:
            if recorder.refused or self._slots is None:
                raise CannotRecord(recorder.refused)
            strides = {slot: each.stride() for slot, each in zip(entered, gradients, strict=True)}
            self._made(Tape(recorder, self._forward, *self._slots, strides, recorder.slot(found)))
        except CannotRecord as error:
            self._refused(str(error))
        return found


class _Compared(_Itself):
    """The network, and a tape beside it."""

    def __init__(self, names: _Names, look: Look, tape: Tape, judge: Callable[[bool], None]) -> None:
        super().__init__(names, look)
        self._tape, self._judge = tape, judge

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        found, seen = super().back(gradients), [each.detach() for each in self._seen]
        self._seen = []
        try:
            self._judge(self._agrees(seen, gradients, found))
        except (RuntimeError, TypeError, ValueError):  # an operator that cannot be called from outside
            self._judge(False)
        return found

    @torch.no_grad()
    def _agrees(self, seen: list[Tensor], gradients: Sequence[Tensor], found: Tensor) -> bool:
        values = self._tape.forward(self._pictures.detach())
        return all(map(torch.equal, self._tape.seen(values), seen)) and torch.equal(self._tape.back(values, gradients), found)

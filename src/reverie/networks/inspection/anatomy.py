"""What a network is made of, as one watched pass shows it: its layers, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from torch import nn

from reverie.errors import UsageError, listing, unknown
from reverie.networks.inspection.habits import Habits
from reverie.networks.inspection.layer_names import ATTENTION, CLASS, LayerName
from reverie.networks.inspection.layouts import Layout
from reverie.networks.inspection.readings import Reading

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6)
_LISTED = f"{listing('layers')} lists what can be looked into"
_Fact = TypeVar("_Fact")


def measuring_norms(module: nn.Module) -> list[str]:
    """The names of its norms that take mean and spread from the batch at hand."""
    return [name for name, part in module.named_modules() if isinstance(part, NORMS) and part.running_mean is None]


class Layer(NamedTuple):
    """A place where a network can be looked into, at its native size.

    `receptive_field` is the side, in pixels, of the square of the picture that one value can depend on; None is all of it.
    `level` is the plain-language level that stands for this layer, or None.
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int
    stride: int
    receptive_field: int | None
    level: str | None = None


@dataclass(frozen=True)
class Chain:
    """A convolution whose output only `norm` reads, and a `norm` (or convolution) whose output only `act` reads; by module name.

    `onward`: only another convolution reads what `act` gives.
    """

    conv: str
    norm: str | None = None
    act: str | None = None
    onward: bool = False


@dataclass
class Anatomy:
    """What one pass showed.

    `calls`, `shapes`, `strides`, `reaches`: by module name, in the order in which they end; of a module called several times also by
    `name#0`, `name#1` … A reach is the side, in pixels, of what one value can depend on; it is missing where that is all of the picture.
    `hands_on`: modules that give the very tensor a convolution gave them, with that convolution. `layouts`: of those outputs that lie over
    the picture. `heads`: how many each module's attention has. `free`: what can be looked at on pictures of any size, by bare name; CLASSES
    is in it where the class scores can. `habits`: how it is handed pictures. `outputs`: how many tensors it gives. `reading`: how the
    class scores are read from them; None where that is not clear, and then `unclear` says why. `nans`: what gives NaN, the first that does
    at the front, CLASSES at the end.
    """

    layers: list[Layer] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    norms: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    strides: dict[str, int] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)
    hands_on: dict[str, str] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    habits: Habits = field(default_factory=Habits)
    outputs: int = 0
    reading: Reading | None = None
    unclear: UsageError | None = None
    nans: tuple[str, ...] = ()

    @property
    def classes(self) -> int | None:
        """How many; None where it is not clear what their scores are."""
        return None if self.reading is None else self.reading.classes

    @property
    def single(self) -> bool:
        """One picture at a time, no batch."""
        return self.habits.alone

    def shape(self, name: str) -> tuple[int, ...]:
        """(1, C, H, W) of what a layer gives at the native size, laid over the picture.

        Raises:
            UsageError: it gives no tensor, is not called so often, or has no such part.
        """
        asked = self._named(name)
        shape = _of(self.shapes, asked)
        if shape is None:
            raise UsageError(f"layer '{asked.without_part}' gives no tensor", _LISTED)
        calls = self.calls[asked.module]
        if asked.call is not None and asked.call >= calls:
            raise UsageError(
                f"no layer '{name}': '{asked.module}' is called {calls} times in a pass", f"the last is '{asked.module}#{calls - 1}'"
            )
        if asked.part == CLASS:
            return self._class_shape(name, asked, shape[1])
        return self._attention_shape(name, asked) if asked.part == ATTENTION else shape

    def _class_shape(self, name: str, asked: LayerName, channels: int) -> tuple[int, ...]:
        layout = _of(self.layouts, asked)
        if layout is None or not layout.before:
            raise UsageError(f"no layer '{name}': '{asked.without_part}' has no class token", _LISTED)
        return (1, channels, 1, 1)

    def _attention_shape(self, name: str, asked: LayerName) -> tuple[int, ...]:
        heads, layout = _of(self.heads, asked), _of(self.layouts, asked)
        if heads is None or layout is None or layout.order != "tokens":
            known = (each.name for each in self.layers if each.kind == "attention")
            raise unknown("layer", name, known, "it has no attention to places")
        return (1, heads, *layout.grid)

    def _named(self, name: str) -> LayerName:
        return LayerName.parse(name, self.calls)

    def layout(self, name: str) -> Layout | None:
        """How what a layer gives lies over the picture; None of what does not."""
        return _of(self.layouts, self._named(name))

    def stride(self, name: str) -> int:
        """How many pixels of the picture lie between neighbouring values of a layer."""
        return _of(self.strides, self._named(name)) or 1

    def reach(self, name: str) -> int | None:
        """The side, in pixels, of what one value of a layer can depend on; None where that is all of the picture."""
        asked = self._named(name)
        return None if asked.part else _of(self.reaches, asked)

    def is_free(self, name: str) -> bool:
        """Whether a layer (or CLASSES) can be looked at on pictures of any size; others see them through windows of the native size."""
        return self._named(name).module in self.free

    def phase(self, name: str) -> int:
        """The largest stride up to a layer: pictures that differ by a multiple of it in place and size are seen alike."""
        asked = self._named(name)
        bare = asked.without_part if asked.without_part in self.strides else asked.module
        before = list(self.strides)[: list(self.strides).index(bare) + 1] if bare in self.strides else []
        return max((self.strides[each] for each in before), default=1)


def _of(facts: Mapping[str, _Fact], asked: LayerName) -> _Fact | None:
    """What is known of a call, or of its module."""
    return facts.get(asked.without_part) or facts.get(asked.module)

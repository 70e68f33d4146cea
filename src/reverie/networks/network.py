"""The network as everyone outside sees it: pictures in 0..1 go in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import UsageError, printable, unknown
from reverie.networks.attribution import Attribution, attribute
from reverie.networks.builtin import labels as label_names
from reverie.networks.builtin.weights import fingerprint
from reverie.networks.channel_statistics import Usual, known
from reverie.networks.inspection.anatomy import Anatomy, Layer, examine
from reverie.networks.inspection.hooks import Seen, check_names, watch
from reverie.networks.inspection.layer_names import ATTENTION, CLASS, Spot, spot
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.prepared.device import choose, precision
from reverie.networks.prepared.frozen_copy import at_rest, signature, twin
from reverie.networks.prepared.normalise import normalise
from reverie.networks.prepared.prepared import Folded, Prepared, fold
from reverie.pictures import as_tensor, resize
from reverie.target import CLASSES

MOST_HELD = 1_000_000_000  # bytes of prepared copies that a network keeps, beside the two used last


@dataclass(frozen=True)
class Label:
    """A class the network sees in a picture; `probability` in 0..1."""

    index: int
    label: str
    probability: float


class Network:
    """A trained image classifier, prepared for looking into.

    Its module is read, never changed: what runs is a frozen copy, made anew when the weights have changed.
    `net(pictures)` takes (N, C, H, W) in 0..1 and gives class scores (N, K), normalisation inside.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str,
        mean: Sequence[float],
        std: Sequence[float],
        range: tuple[float, float] = (0.0, 1.0),
        size: int | tuple[int, int] = 224,
        labels: Sequence[Sequence[str]] = (),
        levels: dict[str, str] | None = None,
        scores: str | None = None,
        sha256: str | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.size = (size, size) if isinstance(size, int) else size
        self.labels = [tuple(printable(name) for name in names) for names in labels]  # a stranger's might steer a terminal
        self.levels = levels or {}
        self.device = choose(device)
        self.dtype = dtype or precision(self.device)
        self.channels = len(mean)
        self._scores = scores
        self._sha256 = sha256
        self._loaded = signature(module, values=True)
        low, high = range
        with torch.inference_mode(False):  # else they could be in no graph
            deviation = torch.tensor(std, dtype=torch.float32)
            self._scale = ((high - low) / deviation).view(1, -1, 1, 1)  # (1, C, 1, 1)
            self._shift = ((low - torch.tensor(mean, dtype=torch.float32)) / deviation).view(1, -1, 1, 1)  # (1, C, 1, 1)
        self._signature: tuple[Any, ...] | None = None
        self._values: tuple[Any, ...] | None = None
        self._anatomy: Anatomy | None = None
        self._folded: dict[frozenset[str], Folded] = {}

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.size[0]}×{self.size[1]}, {self.device.type})"

    def __call__(self, pictures: Tensor) -> Tensor:
        parameter = next(self.module.parameters(), pictures)
        place = parameter.device
        x = normalise(pictures.to(place), self._scale.to(place), self._shift.to(place)).to(parameter.dtype)
        with at_rest(self.module):
            return class_scores(self.module(x), self._scores)

    @property
    def mean(self) -> tuple[float, ...]:
        """What is taken off each channel of a picture in 0..1, to six digits."""
        return _digits(-self._shift / self._scale)

    @property
    def std(self) -> tuple[float, ...]:
        """What each channel of a picture in 0..1 is then divided by, to six digits."""
        return _digits(1 / self._scale)

    @property
    def sha256(self) -> str:
        """Of the file of the weights; of one's own network, of its names, shapes and values."""
        if self._sha256 is not None and signature(self.module, values=True) == self._loaded:
            return self._sha256
        return fingerprint(self.module)

    @property
    def anatomy(self) -> Anatomy:
        self._refresh()
        if self._anatomy is None:
            inverted = {layer: level for level, layer in self.levels.items()}
            with torch.inference_mode(False):
                self._anatomy = examine(twin(self.module), self._example(), inverted, self._scores)
        return self._anatomy

    @property
    def layers(self) -> list[Layer]:
        """Every stage, block and convolution in forward order, at the native size."""
        return list(self.anatomy.layers)

    def layer(self, name: str) -> tuple[int, ...]:
        """Shape (1, C, H, W) of a layer's activations at the native size; UsageError if there is no such layer."""
        check_names(self.module, [name])
        anatomy, asked = self.anatomy, spot(name)
        shape: tuple[int, ...] | None = self._of(anatomy.shapes, asked)
        if shape is None:
            raise UsageError(f"layer '{asked.whole}' gives no tensor", "`reverie layers` lists what can be looked into")
        calls = anatomy.calls[asked.module]
        if asked.call is not None and asked.call >= calls:
            raise UsageError(
                f"no layer '{name}': '{asked.module}' is called {calls} times in a pass", f"the last is '{asked.module}#{calls - 1}'"
            )
        form = self._of(anatomy.forms, asked)
        if asked.part == CLASS:
            if form is None or not form.before:
                raise UsageError(f"no layer '{name}': '{asked.whole}' has no class token", "`reverie layers` lists what can be looked into")
            return (1, shape[1], 1, 1)
        if asked.part == ATTENTION:
            heads = self._of(anatomy.heads, asked)
            if heads is None or form is None or form.layout != "tokens":
                raise unknown(
                    "layer", name, (each.name for each in anatomy.layers if each.kind == "attention"), "it has no attention to places"
                )
            return (1, heads, *form.grid)
        return shape

    @staticmethod
    def _of(found: Mapping[str, Any], asked: Spot) -> Any:
        """What an anatomy knows of a call, or of its module."""
        return found.get(asked.whole) or found.get(asked.module)

    def stride(self, name: str) -> int:
        """How many pixels of the picture lie between neighbouring values of a layer."""
        return self._of(self.anatomy.strides, spot(name)) or 1

    def reach(self, name: str) -> int | None:
        """The side, in pixels, of what one value of a layer can depend on; None where that is all of the picture."""
        asked = spot(name)
        return None if asked.part else self._of(self.anatomy.reaches, asked)

    def is_free(self, name: str) -> bool:
        """Whether a layer (or CLASSES) can be looked at on pictures of any size; others see them through windows of the native size."""
        return spot(name).module in self.anatomy.free

    def phase(self, name: str) -> int:
        """The largest stride on the way to a layer: pictures that differ by a multiple of it in place and size are seen alike."""
        strides = self.anatomy.strides
        bare = spot(name).whole if spot(name).whole in strides else spot(name).module
        before = list(strides)[: list(strides).index(bare) + 1] if bare in strides else []
        return max((strides[each] for each in before), default=1)

    def level(self, level: str) -> str:
        """The layer that a plain-language level stands for; UsageError where the network has no levels."""
        if level not in self.levels:
            known = ", ".join(self.levels)
            raise UsageError(f"{self.name} has no level '{level}'", f"it has: {known}" if known else "name a layer with --target instead")
        return self.levels[level]

    def class_index(self, label: str) -> int:
        """The number of a class by name or number; UsageError with near names."""
        return label_names.find(label, self.labels, self.anatomy.classes)

    def watch(self, *names: str) -> AbstractContextManager[Seen]:
        """`with net.watch("blocks.2.1") as seen: net(x)`: activations of any module, in a dictionary; nothing is left behind.

        Of a module called several times in a pass, `name#0`, `name#1` … are the calls, the bare name the last.
        """
        return watch(self.module, *names)

    def recognise(self, picture: Any, top: int = 5) -> list[Label]:
        """The `top` most probable classes of a picture: a path, a PIL image, or a tensor (C, H, W) in 0..1.

        The whole picture is brought to the network's native size; its shape is not kept, so nothing is cut away.
        """
        if top < 1:
            raise UsageError(f"top {top}", "ask for at least one label")
        pixels = resize(as_tensor(picture), *self.size)[None]  # (1, C, H, W)
        with torch.no_grad():
            logits = self.prepare([CLASSES])(pixels.to(self.device))[CLASSES][0]  # (K,)
        best = logits.softmax(0).topk(min(top, len(logits)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [Label(index, self._label(index), probability) for index, probability in pairs]

    def attribute(self, picture: Any, layers: Sequence[str], index: int, against: int | None = None) -> list[Attribution]:
        """What counted: how much each place and channel of these layers spoke for class `index`, and against class `against`.

        The picture is what `recognise` takes, and is brought to the native size as there. Needs captum; see `attribution.attribute`.
        """
        return attribute(self, as_tensor(picture), layers, index, against)

    def usual(self) -> Usual | None:
        """How strongly each channel usually answers to photographs; None of a network that has not been measured with these weights."""
        return known(self.name, self.sha256)

    def _label(self, index: int) -> str:
        return self.labels[index][0] if index < len(self.labels) else str(index)

    def prepare(self, wanted: Iterable[str]) -> Prepared:
        """The network made ready to give these layers (or CLASSES), and nothing after the last of them."""
        names = tuple(dict.fromkeys(wanted))
        for name in names:
            if name != CLASSES:
                self.layer(name)
        anatomy = self.anatomy
        foldable = {each for chain in anatomy.chains for each in (chain.conv, chain.norm, chain.act)}
        foldable |= {name for name in anatomy.shapes if name.rpartition(".")[0] in foldable}  # what stands inside a norm
        bare = [spot(name).module for name in names]
        spared = frozenset(anatomy.hands_on.get(name, name) for name in bare) & foldable
        if (values := signature(self.module, values=True)) != self._values:
            self._values, self._folded = values, {}
        if spared not in self._folded:
            with torch.inference_mode(False):
                folded = fold(twin(self.module), anatomy, self._example(), spared)
                folded.module.to(device=self.device, dtype=self.dtype)
                for each in folded.module.parameters():
                    if each.dim() == 4 and self.device.type != "mps":
                        each.data = each.data.contiguous(memory_format=torch.channels_last)
            self._folded[spared] = folded
        ready = self._folded[spared] = self._folded.pop(spared)  # the last used is the last
        self._drop_oldest()
        return Prepared(
            module=ready.module,
            scale=self._scale.to(self.device),
            shift=self._shift.to(self.device),
            wanted=names,
            anatomy=anatomy,
            size=self.size,
            folded=ready.folded,
            unfolded=ready.unfolded,
            dtype=self.dtype,
            scores=self._scores,
            lock=ready.lock,
        )

    def _drop_oldest(self) -> None:
        """Copies that were folded for other layers go, the longest unused first, where they take much memory."""
        each = sum(tensor.numel() * tensor.element_size() for tensor in self.module.parameters())
        while len(self._folded) > max(2, MOST_HELD // max(1, each)):
            del self._folded[next(iter(self._folded))]

    def _example(self) -> Tensor:
        """A picture of even noise at the native size, as the module takes it."""
        generator = torch.Generator().manual_seed(0)
        pictures = torch.rand(1, self.channels, *self.size, generator=generator)  # (1, C, H, W)
        return normalise(pictures, self._scale, self._shift)

    def _refresh(self) -> None:
        """Forget what was prepared if the module's weights have changed since."""
        now = signature(self.module)
        if now != self._signature:
            self._signature, self._anatomy, self._folded = now, None, {}


def _digits(each: Tensor) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") + 0.0 for value in each.flatten().tolist())

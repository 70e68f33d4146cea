"""The network as everyone outside sees it: pictures in 0..1 go in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn

from reverie.errors import UsageError, listing, printable, spoken
from reverie.networks import calibrating
from reverie.networks.attribution import PIXELS, Attribution, attribute_pictures
from reverie.networks.builtin import class_lookup
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.class_lookup import ClassEntry, Label, said
from reverie.networks.channel_statistics import Usual, known
from reverie.networks.inspection import answers
from reverie.networks.inspection.anatomy import Anatomy, Layer
from reverie.networks.inspection.chance import generators
from reverie.networks.inspection.checkpointing import straight_through_checkpoints
from reverie.networks.inspection.examine import examine
from reverie.networks.inspection.failures import of_native_size
from reverie.networks.inspection.habits import lay_out
from reverie.networks.inspection.hooks import Seen, check_names, watch
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.wrappers import plain_name, real_names
from reverie.networks.prepared.device import choose, precision
from reverie.networks.prepared.fitting import Fits
from reverie.networks.prepared.folded_copies import FoldedCopies
from reverie.networks.prepared.folding import never_folded
from reverie.networks.prepared.frozen_copy import at_rest, frozen_copy
from reverie.networks.prepared.gradients import refused, without_gradient
from reverie.networks.prepared.identity import fingerprint, signature
from reverie.networks.prepared.normalise import Normalise, batch_of
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.preprocessing import RANGE, SIDE, Preprocessing
from reverie.networks.read_once import once, reading_once
from reverie.networks.rejector import Calibration, Recognised
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import LEVELS
from reverie.target import CLASSES, Names


class Network:
    """A trained image classifier, prepared for looking into.

    Its module is read, never changed: what runs is a frozen copy, made anew when the weights have changed.
    `net(pictures)` takes (N, C, H, W) in 0..1 and gives class scores (N, K), of probabilities their logarithms, normalisation inside.
    It runs on the CPU until `to` says more.

    Args:
        module: the network itself.
        preprocessing: with mean and std; what else it does not say is the usual.
        name: for recipes and messages.
        levels: plain-language levels, and the layer that each stands for.
        sha256: of the file that the weights were loaded from. The module is then ours, and moves with `to`.
    """

    def __init__(
        self, module: nn.Module, preprocessing: Preprocessing, *, name: str, levels: dict[str, str] | None = None, sha256: str | None = None
    ) -> None:
        assert preprocessing.mean is not None and preprocessing.std is not None
        self.module, self.name = module, name
        self.size = preprocessing.size or (SIDE, SIDE)
        self.labels = [tuple(printable(name) for name in names) for names in preprocessing.labels or ()]  # may steer a terminal
        self.levels = levels or {}
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.normalise = Normalise.of(preprocessing.mean, preprocessing.std, preprocessing.range or RANGE)
        self._scores = preprocessing.scores
        self._sha256, self._loaded = sha256, signature(module, values=True)
        self._signature: tuple[Any, ...] | None = None
        self._anatomy: Anatomy | None = None
        self._folded = FoldedCopies()
        self._fits = Fits()
        self._broken: dict[str, str] = {}  # by layer, why no gradient comes from it to the picture

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.size[0]}×{self.size[1]}, {self.device.type})"

    def __call__(self, pictures: Tensor) -> Tensor:
        like = next((each for each in self.module.parameters() if each.is_floating_point()), pictures)
        x = self.normalise.on(like.device)(batch_of(pictures).to(like.device)).to(like.dtype)
        with at_rest(self.module), of_native_size(self.module, x, self.size):
            scores = answers.clear_reading(self._anatomy or self.anatomy).scores(self.module(x), len(x))
        answers.check_finite(scores.detach(), self.module, self.name)
        return scores

    def to(self, device: str | torch.device | None, dtype: str | torch.dtype | None = None) -> Network:
        """Run from now on on a device: its prepared copies, and a module that was loaded; one that was wrapped is not touched.

        Args:
            device: `cpu`, `cuda` or `mps`; None for the fastest there is.
            dtype: of the prepared copies, `float32` or `bfloat16`; without it bfloat16 where the device is made for it, else float32.

        Returns:
            the network itself.

        Raises:
            UsageError: no such device or precision, or not on this machine.
        """
        where = choose(device)
        kind = precision(where, dtype)
        if (where, kind) != (self.device, self.dtype):
            self.device, self.dtype, self._folded, self._fits = where, kind, FoldedCopies(), Fits()
        if self._sha256 is not None:
            self.module.to(where)
        return self

    @property
    def channels(self) -> int:
        """How many a picture for it has."""
        return self.normalise.channels

    @property
    def mean(self) -> tuple[float, ...]:
        """What is taken off each channel of a picture in 0..1, to six digits."""
        return _digits(self.normalise.mean)

    @property
    def std(self) -> tuple[float, ...]:
        """What each channel of a picture in 0..1 is then divided by, to six digits."""
        return _digits(1 / self.normalise.scale)

    @property
    def sha256(self) -> str:
        """Of the file of the weights; of one's own network, of its names, shapes and values."""
        if self._sha256 is not None and self._values == self._loaded:
            return self._sha256
        return self._fingerprint()

    def _fingerprint(self) -> str:
        return once(self, "fingerprint", lambda: fingerprint(self.module))

    @property
    def _values(self) -> tuple[Any, ...]:
        return once(self, "values", lambda: signature(self.module, values=True))

    def has_weights(self, sha256: str) -> bool:
        """Whether a hash is that of its file, or of its names, shapes and values."""
        return sha256 == self.sha256 or sha256 == self._fingerprint()

    @property
    def anatomy(self) -> Anatomy:
        self._refresh()
        if self._anatomy is None:
            levels = {layer: level for level, layer in self.levels.items()}
            with ordinary_modes(), straight_through_checkpoints():
                self._anatomy = examine(frozen_copy(self.module), self._example(), levels, self._scores, len(self.labels))
        return self._anatomy

    @property
    def layers(self) -> list[Layer]:
        """Every stage, block and convolution in forward order, at the native size."""
        return list(self.anatomy.layers)

    @property
    def names(self) -> Names:
        """What its layers are called, for the target language."""
        return once(self, "names", lambda: Names(frozenset(real_names(self.module)), self.levels))

    def layer_name(self, name: str) -> str:
        """The layer that a name stands for: itself, or a level's, where no module has that name; UsageError where there is none."""
        names = self.names
        if not isinstance(name, str):
            raise UsageError(f"a {type(name).__name__} where a layer's name belongs", f"give a text; {listing('layers')} lists them")
        found = self.level(name) if name in LEVELS and name not in names.modules else names.layer(name)
        asked = LayerName.parse(found, names.modules)
        found = str(asked._replace(module=plain_name(asked.module, names.modules)))  # out of what compiling and the like put around it
        check_names(names.modules, [found], self.levels)
        return found

    def layer(self, name: str) -> tuple[int, ...]:
        """Shape (1, C, H, W) of a layer's activations at the native size; UsageError if there is no such layer."""
        return self.anatomy.shape(self.layer_name(name))

    def stride(self, name: str) -> int:
        """How many pixels of the picture lie between neighbouring values of a layer."""
        return self.anatomy.stride(self.layer_name(name))

    def reach(self, name: str) -> int | None:
        """The side, in pixels, of what one value of a layer can depend on; None where that is all of the picture."""
        return self.anatomy.reach(self.layer_name(name))

    def is_free(self, name: str) -> bool:
        """Whether a layer (or CLASSES) can be looked at on pictures of any size; others see them through windows of the native size."""
        return self.anatomy.is_free(name if name == CLASSES else self.layer_name(name))

    def phase(self, name: str) -> int:
        """The largest stride up to a layer: pictures that differ by a multiple of it in place and size are seen alike."""
        return self.anatomy.phase(self.layer_name(name))

    def level(self, level: str) -> str:
        """The layer that a plain-language level stands for; UsageError where the network has no levels."""
        if level not in self.levels:
            known = ", ".join(self.levels)
            remedy = f"it has: {known}" if known else f"name a layer instead: {listing('layers')} lists them"
            raise UsageError(f"{self.name} has no level '{level}'", remedy)
        return self.levels[level]

    def class_index(self, label: str | SupportsIndex | Label) -> int:
        """The number of a class by name, number or `Label`; UsageError with near names, or where several or no clear scores are meant."""
        self._check_scores()
        return class_lookup.find(said(label), self.labels, self.anatomy.classes)

    def class_indices(self, label: str | SupportsIndex | Label) -> tuple[int, ...]:
        """The numbers of the classes that a label means: of a word for several, such as `cat`, all of them."""
        self._check_scores()
        return class_lookup.find_all(said(label), self.labels, self.anatomy.classes)

    def _check_scores(self) -> None:
        answers.clear_reading(self.anatomy)
        self.check_labels()

    def watch(self, *names: str) -> AbstractContextManager[Seen]:
        """`with net.watch("blocks.2.1") as seen: net(x)`: activations of any module, in a dictionary; nothing is left behind.

        Of a module called several times in a pass, `name#0`, `name#1` … are the calls, the bare name the last. A level stands
        for its layer.
        """
        real = real_names(self.module)
        asked = {name: LayerName.parse(self.layer_name(name), real) for name in names}
        return watch(self.module, *names, layers={name: str(each._replace(module=real[each.module])) for name, each in asked.items()})

    @reading_once()
    def recognise(self, picture: Any, top: int = 5) -> Recognised:
        """The `top` most probable classes of a picture: a path, a PIL image, an array, a tensor (C, H, W) in 0..1.

        The whole picture is brought to the network's native size; its shape is not kept, so nothing is cut away. `known` of what comes
        back says whether the first is probably there; it is None of a network that is not built in until `calibrate`.
        """
        return calibrating.recognised(self, picture, top)

    recognize = recognise

    def calibrate(self, pictures: Any, *, keep: bool = True) -> Calibration:
        """Learn from known pictures (a folder, a list, a DataLoader) to tell them from others: `recognise` then says `known`.

        Each shows a thing of one of its classes, at least 5 different ones, better 19 or more, at best none that it was trained on. With
        `keep` it is known from now on, in the cache, for these very weights. Raises InputError: none, too few, or too few to be read.
        """
        return calibrating.calibrate(self, pictures, keep)

    def classes(self, *words: str) -> list[ClassEntry]:
        """The classes that have a name, with what people call them: all, or those that any of the words means.

        Raises:
            UsageError: a word that fits none (with what is near in spelling), or a network without labels.
        """
        return class_lookup.entries(self.labels, words)

    def attribute(
        self,
        picture: Any,
        layers: str | Sequence[str],
        index: str | SupportsIndex | Label,
        against: str | SupportsIndex | Label | None = None,
        *,
        baseline: Any = "mean",
    ) -> list[Attribution]:
        """What counted: how much each place and channel of these layers spoke for class `index`, and against class `against`.

        The picture is what `recognise` takes, and is brought to the native size as there; of several, in a list or a batch (N, C, H, W),
        all that comes back begins with N. Layers are any that are listed but those of kind `attention`; `pixels` among them is the
        picture itself (a module of that name goes before).
        `baseline` is what it is compared with: `mean`, the network's mean colour, `black`, `blurred`, or a picture. Needs captum; see
        `attribution.attribute`.
        """
        given, modules = [layers] if isinstance(layers, str) or not isinstance(layers, Iterable) else layers, self.names.modules
        names = [name if name == PIXELS and name not in modules else self.layer_name(name) for name in given]
        ready = self.prepare([*(name for name in names if name != PIXELS or name in modules), CLASSES])
        classes = [each if each is None or isinstance(each, int) else self.class_index(each) for each in (index, against)]
        return attribute_pictures(ready, picture, names, classes[0], classes[1], baseline)

    def usual(self) -> Usual | None:
        """How strongly each channel usually answers to photographs; None of a network that has not been measured with these weights."""
        return known(self.name, self.sha256) if self.name in CATALOGUE else None  # a hash of all weights takes its time

    def prepare(self, wanted: Iterable[str]) -> Prepared:
        """The network made ready to give these layers (or CLASSES), and nothing after the last of them."""
        layers, anatomy = {name: name if name == CLASSES else self.layer_name(name) for name in wanted}, self.anatomy
        for name in layers.values():
            if name != CLASSES:
                anatomy.shape(name)
        self._folded.renew(self.module, self._values, self.name)
        answers.check_answers(anatomy, self.module, tuple(layers.values()))
        with ordinary_modes():
            folded = self._folded.but(never_folded(anatomy, layers.values()), self.module, anatomy, self._example, self._move)
            return Prepared(
                module=folded.module, normalise=self.normalise.on(self.device), layers=layers, anatomy=anatomy, size=self.size,
                folded=folded.folded, unfolded=folded.unfolded, dtype=self.dtype, fits=self._fits, tapes=self._folded.tapes,
                lock=folded.lock, generators=generators(folded.module, self.device) if anatomy.habits.draws else (),
            )  # fmt: skip

    def remarks(self) -> list[str]:
        """What is to be said of it before it is looked into, one line each; most often nothing. Raises as `written_remarks`."""
        return [spoken(each) for each in self.written_remarks()]

    def written_remarks(self) -> list[str]:
        """The same, with choices as a message carries them.

        Raises:
            UsageError: it cannot take a picture of its native size, or has not the output that was named as its class scores.
        """
        if self._scores is not None:
            answers.clear_reading(self.anatomy)
        return answers.remarks_on(self.anatomy, self.module, self.name)

    def without_gradient(self, names: Sequence[str]) -> dict[str, str]:
        """Of these layers (or CLASSES) those from which no gradient comes to the picture, and why; a dead unit has one, of zeros."""
        self._refresh()
        if fresh := [name for name in names if name not in self._broken]:
            self._broken |= without_gradient(self.prepare(fresh), self._noise().to(self.device))
        return {name: self._broken[name] for name in names if self._broken[name]}

    def check_gradient(self, names: Sequence[str]) -> None:
        """Raise UsageError where no gradient comes from one of these layers (or CLASSES) to the picture, so that nothing can climb it."""
        for name, why in self.without_gradient(names).items():
            listed = [each.name for each in self.layers]
            without = self.without_gradient(listed)
            raise refused(name, why, next((each for each in reversed(listed) if each not in without), None))

    def _move(self, module: nn.Module) -> None:
        module.to(device=self.device, dtype=self.dtype)
        if self.device.type != "mps":
            lay_out(module, plain=self.anatomy.habits.plain)

    def _example(self) -> Tensor:
        """A picture of even noise at the native size, as the module takes it."""
        return self.normalise(self._noise())

    def check_labels(self) -> None:
        """Raise UsageError where there are labels, but not one for each class."""
        answers.check_labels(self.anatomy, len(self.labels))

    def _noise(self) -> Tensor:
        """(1, C, H, W) in 0..1: a picture of even noise at the native size."""
        return torch.rand(1, self.channels, *self.size, generator=torch.Generator().manual_seed(0))

    def _refresh(self) -> None:
        """Forget what was prepared if the module's weights, or the native size, have changed since."""
        if (now := (*once(self, "signature", lambda: signature(self.module)), self.size)) != self._signature:
            self._signature, self._anatomy, self._folded, self._fits, self._broken = now, None, FoldedCopies(), Fits(), {}


def _digits(each: Tensor) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") + 0.0 for value in each.flatten().tolist())

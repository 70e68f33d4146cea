"""What a network recognises in a picture, whether that is probably there, and how known pictures teach it to tell."""

from __future__ import annotations

import json
import warnings
from typing import Any, Protocol, SupportsIndex

import torch
from torch import Tensor

from reverie.errors import InputError, OutputError, ReverieError, spoken
from reverie.networks import rejector
from reverie.networks.builtin import class_lookup
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.class_lookup import Label
from reverie.networks.inspection import answers
from reverie.networks.norm_statistics import Remembering, remembered
from reverie.networks.prepared.normalise import Normalise
from reverie.networks.rejector import Calibration, Raw, Recognised
from reverie.pictures import as_tensor, resize
from reverie.pictures.loading import evenly, several
from reverie.pictures.torch_modes import ordinary_modes
from reverie.store import Shelf, sha256_of
from reverie.target import CLASSES

MOST = 500  # pictures that are looked at, of more an even part
_NAMED = 3  # in a warning


class Recognising(Remembering, Protocol):
    """What of a network is asked."""

    name: str
    size: tuple[int, int]
    labels: list[tuple[str, ...]]
    normalise: Normalise

    @property
    def sha256(self) -> str: ...
    @property
    def channels(self) -> int: ...
    def check_labels(self) -> None: ...


def recognised(network: Recognising, picture: Any, top: int | SupportsIndex) -> Recognised:
    """The `top` most probable classes of a picture, and whether the first is probably there, where that can be told."""
    most = class_lookup.how_many(top, network.anatomy.classes or 1)
    found = calibration(network)
    probabilities, raw = Look(network, found is not None and len(found.means) > 1)(picture)
    best = probabilities.topk(most)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    known = None if found is None or len(raw) != len(found.means) else found.known(raw)
    return Recognised((Label(each, label(network, each), probability) for each, probability in pairs), known)


def label(network: Recognising, index: int) -> str:
    """What a class is called: its first name, or its number."""
    return network.labels[index][0] if index < len(network.labels) else str(index)


def calibrate(network: Recognising, pictures: Any, keep: bool = True) -> Calibration:
    """See `Network.calibrate`."""
    given = several(pictures, "pictures")
    look = Look(network)
    raws: dict[str, Raw] = {}
    faults: list[ReverieError] = []
    for each in evenly(given, MOST):
        try:
            pixels = as_tensor(each, network.channels)  # (C, H, W)
        except ReverieError as error:
            faults.append(error)
            continue
        raws[sha256_of(pixels.contiguous().numpy().tobytes() + str(pixels.shape).encode())] = look(pixels)[1]
    if faults and len(raws) < rejector.LEAST:
        raise InputError(
            f"{len(faults)} of {len(given)} pictures cannot be read, first: {faults[0]}", f"give {rejector.LEAST} at least that can"
        )
    found = rejector.calibrated(list(raws.values()))
    for note in _notes(faults, len(given), len(raws)):
        warnings.warn(note, stacklevel=3)
    if keep:
        try:
            _shelf().put(_key(network), json.dumps(found.as_data()).encode())
        except OutputError as error:
            warnings.warn(spoken(f"the calibration of {network.name} is not kept for another time: {error.fault}"), stacklevel=3)
    return found


def calibration(network: Recognising) -> Calibration | None:
    """What was learnt from pictures of these very weights, normalised like this at this size; of a built-in network what was measured."""
    shelf = _shelf()
    if shelf.folder.is_dir():  # a hash of all weights takes its time
        content = shelf.get(_key(network))
        try:
            found = None if content is None else rejector.calibration_from(json.loads(content))
        except ValueError:  # damaged: as if it were not there
            found = None
        if found is not None:
            return found
    return rejector.measured(network.name, network.sha256) if network.name in CATALOGUE else None


class Look:
    """A network made ready to say its classes, and what the rejector judges by.

    Args:
        network: the network.
        by_norms: whether it is asked too how usual a picture is to its norms, if they remember any.
    """

    def __init__(self, network: Recognising, by_norms: bool = True) -> None:
        self._network = network
        self._usual = remembered(network, [CLASSES]) if by_norms else {}
        self._ready = network.prepare([*self._usual, CLASSES])
        answers.check_several(network.anatomy, network.name)
        network.check_labels()

    @property
    def parts(self) -> int:
        """Of how many numbers what the rejector judges by consists."""
        return 1 + bool(self._usual)

    def __call__(self, picture: Any) -> tuple[Tensor, Raw]:
        """Of a picture, brought to the native size: the probabilities (K,), and what the rejector judges by."""
        network, ready = self._network, self._ready
        with ordinary_modes(), torch.no_grad():
            pixels = resize(as_tensor(picture, network.channels), *network.size)[None]  # (1, C, H, W)
            seen = ready(pixels.to(network.device))
            logits = seen[CLASSES][0]  # (K,)
            answers.check_finite(logits, network.module, network.name)
            probabilities = answers.clear_reading(ready.anatomy).probabilities(logits)  # (K,)
            return probabilities, rejector.raw_of(seen, self._usual, probabilities)


def _notes(faults: list[ReverieError], given: int, looked_at: int) -> list[str]:
    found = []
    if faults:
        which = "; ".join(each.fault for each in faults[:_NAMED]) + (" …" if len(faults) > _NAMED else "")
        found.append(f"{len(faults)} of {given} pictures cannot be read and are left out: {which}")
    if looked_at < rejector.ENOUGH:
        found.append(
            f"of {looked_at} pictures follows a threshold that {looked_at} of {looked_at + 1} new ones pass on average; "
            f"{rejector.ENOUGH} or more make it 95 %"
        )
    return found


def _key(network: Recognising) -> str:
    """The weights, and how pictures are handed to them."""
    scale = [round(each, 6) for part in (network.normalise.mean, network.normalise.scale) for each in part.flatten().tolist()]
    return json.dumps(["calibration 1", network.sha256, scale, list(network.size)])


def _shelf() -> Shelf:
    return Shelf("calibrations")

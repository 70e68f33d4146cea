"""The pass over a data set: a part of its pictures through the network once, and what all layers of a group answered."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.atlases.examples.summary import Summary, merged, summary_of
from reverie.errors import ReverieError
from reverie.networks import Network
from reverie.pictures import as_tensor, in_channels, resize
from reverie.pictures.torch_modes import ordinary_modes
from reverie.target import CLASSES

BATCH = 8  # pictures of a pass
LABELS = 5  # of each picture that are kept
_GROUP = 128 << 20  # bytes of activations of a batch that may be there at once
_PER_SUMMARY = 256  # pictures that are summed up at once


@dataclass(frozen=True)
class Shown:
    """Pictures that are looked at: their numbers in the data set, their files, and for how many places each is drawn from, where it is in
    the sample; 0 where it is not."""

    numbers: Sequence[int]
    places: Sequence[Path]
    spots: Sequence[int]


@dataclass
class Looked:
    """What came of it.

    Attributes:
        summaries: by layer.
        numbers: (n,) of the pictures that could be read. labels: (n, 5) their likeliest classes, −1 where there are fewer; likely: (n, 5)
            the probabilities of these. embedding: (n, D) what the last layer says of them, its mean over places.
        faults: numbers of pictures that could not be read, and why.
    """

    summaries: dict[str, Summary]
    numbers: NDArray[np.int32]
    labels: NDArray[np.int32]
    likely: NDArray[np.float32]
    embedding: NDArray[np.float16]
    faults: dict[int, str] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """As files: `NAME.layer.npz` for each layer, `pictures.npz`, `faults.json`."""
        out = io.BytesIO()
        np.savez(out, numbers=self.numbers, labels=self.labels, likely=self.likely, embedding=self.embedding)
        found = {f"{name}.layer.npz": each.to_bytes() for name, each in self.summaries.items()}
        return {**found, "pictures.npz": out.getvalue(), "faults.json": json.dumps(self.faults).encode()}


def layer_groups(network: Network, layers: Sequence[str]) -> list[list[str]]:
    """The layers that are watched in one pass, so that what a batch leaves fits; each group reads the data set once."""
    groups: list[list[str]] = []
    held = 0
    for name in layers:
        size = 4 * BATCH * int(np.prod(network.layer(name)))
        if not groups or held + size > _GROUP:
            groups.append([])
            held = 0
        groups[-1].append(name)
        held += size
    return groups


def look_at(
    network: Network, layers: Sequence[str], embedding: str, shown: Shown, tell: Callable[[float], object] = lambda _: False
) -> Looked | None:
    """What layers answer to pictures, each brought to the network's native size.

    Args:
        layers: with channels; those of a vision transformer lie over the picture too.
        embedding: the layer whose means tell pictures apart.
        shown: the pictures. tell: is told the share that is done; a true answer stops.

    Returns:
        what came of it; None where it was stopped.
    """
    has_classes = network.anatomy.classes is not None
    ready = network.prepare([*dict.fromkeys([*layers, embedding]), *([CLASSES] if has_classes else [])])
    parts: dict[str, list[Summary]] = {name: [] for name in layers}
    held: dict[str, list[_Answers]] = {name: [] for name in layers}
    kept: list[tuple[NDArray[Any], ...]] = []
    faults: dict[int, str] = {}
    waiting = 0

    def sum_up() -> None:
        for name, answers in held.items():
            if answers:
                parts[name].append(_summed(answers))
                answers.clear()

    with ordinary_modes(), torch.no_grad():
        for batch, done in _batches(network, shown, faults):
            seen = ready(torch.stack([pixels for _, _, pixels in batch]).to(network.device))
            numbers = np.asarray([number for number, _, _ in batch], np.int32)
            for name in layers:
                held[name].append(_answers(seen[name], numbers, [spots for _, spots, _ in batch]))
            kept.append((numbers, *_labels(network, seen[CLASSES] if has_classes else None, len(batch)), _means(seen[embedding])))
            waiting += len(batch)
            if waiting >= _PER_SUMMARY:
                sum_up()
                waiting = 0
            if tell(done) and done < 1:
                return None
    sum_up()
    if not kept:
        return Looked({}, np.empty(0, np.int32), np.empty((0, LABELS), np.int32), np.empty((0, LABELS), np.float32),
                      np.empty((0, 0), np.float16), faults)  # fmt: skip
    numbers, labels, likely, vectors = (np.concatenate(each) for each in zip(*kept, strict=True))
    return Looked({name: merged(each) for name, each in parts.items()}, numbers, labels, likely, vectors, faults)


def seconds_of_pass(network: Network, layers: Sequence[str], pictures: int) -> float:
    """About how long a pass over so many pictures takes here, but for reading them: by two batches of noise, the first not counted."""
    noise = torch.rand(BATCH, network.channels, *network.size, generator=torch.Generator().manual_seed(0)).to(network.device)
    seconds = 0.0
    for group in layer_groups(network, layers):
        ready = network.prepare(group)
        with ordinary_modes(), torch.no_grad():
            ready(noise)
            began = time.monotonic()
            seen = ready(noise)
            for name in group:
                _answers(seen[name], np.arange(BATCH, dtype=np.int32), [1] * BATCH)
            seconds += (time.monotonic() - began) * pictures / BATCH
    return seconds


@dataclass(frozen=True)
class _Answers:
    """Of one batch, see `summary_of`."""

    largest: NDArray[np.float32]
    places: NDArray[np.int32]
    means: NDArray[np.float32]
    numbers: NDArray[np.int32]
    in_sample: NDArray[np.bool_]
    spots: NDArray[np.float32]
    spots_at: NDArray[np.int32]
    spots_place: NDArray[np.int32]


def _summed(answers: Sequence[_Answers]) -> Summary:
    columns = zip(*((each.largest, each.places, each.means, each.numbers, each.in_sample, each.spots, each.spots_at, each.spots_place)
                    for each in answers), strict=True)  # fmt: skip
    return summary_of(*(np.concatenate(each) for each in columns))


def _batches(network: Network, shown: Shown, faults: dict[int, str]) -> Iterator[tuple[list[tuple[int, int, Tensor]], float]]:
    """Batches of (number, spots, (C, H, W)) at the native size, and the share that is done with each; what cannot be read is a fault."""
    batch: list[tuple[int, int, Tensor]] = []
    for place, (number, path, spots) in enumerate(zip(shown.numbers, shown.places, shown.spots, strict=True), 1):
        try:
            pixels = in_channels(as_tensor(path, network.channels), network.channels)
            batch.append((number, spots, resize(pixels, *network.size)))
        except ReverieError as error:
            faults[number] = error.fault.replace(str(path), path.name)  # a site says nothing of where things are
        if batch and (len(batch) == BATCH or place == len(shown.numbers)):
            yield batch, place / len(shown.numbers)
            batch = []


def _answers(seen: Tensor, numbers: NDArray[np.int32], spots: Sequence[int]) -> _Answers:
    """Of (N, C, h, w)."""
    flat = seen.flatten(2)  # (N, C, h·w)
    largest, places = flat.max(2)
    drawn, at, where = [], [], []
    for row, (number, count) in enumerate(zip(numbers.tolist(), spots, strict=True)):
        if count:
            chosen = np.random.default_rng(number).permutation(flat.shape[2])[:count]
            drawn.append(flat[row, :, torch.from_numpy(chosen).to(flat.device)].T.cpu().numpy())  # (count, C)
            at += [number] * len(chosen)
            where += chosen.tolist()
    return _Answers(
        largest.float().cpu().numpy(), places.to(torch.int32).cpu().numpy(), flat.mean(2).float().cpu().numpy(), numbers,
        np.asarray([count > 0 for count in spots]),
        np.concatenate(drawn).astype(np.float32) if drawn else np.empty((0, flat.shape[1]), np.float32),
        np.asarray(at, np.int32), np.asarray(where, np.int32),
    )  # fmt: skip


def _labels(network: Network, scores: Tensor | None, count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(N, 5) each: classes and their probabilities."""
    labels, likely = np.full((count, LABELS), -1, np.int32), np.zeros((count, LABELS), np.float32)
    if scores is not None and network.anatomy.reading is not None:
        for row, logits in enumerate(scores):
            best = network.anatomy.reading.probabilities(logits).topk(min(LABELS, len(logits)))
            labels[row, : len(best.indices)], likely[row, : len(best.indices)] = best.indices.cpu().numpy(), best.values.cpu().numpy()
    return labels, likely


def _means(seen: Tensor) -> NDArray[np.float16]:
    return seen.flatten(2).mean(2).float().clamp(-65504, 65504).cpu().numpy().astype(np.float16)

"""The stage in which another network looks at the photographs that excite units strongly and weakly, for the two-choice test."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.api.atlases.examples_stage import answers_of, data_key
from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.atlases.examples.of_units import SHOWN
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.atlases.verdicts.choices import quarter
from reverie.errors import InputError, ReverieError
from reverie.insight.request import blocks
from reverie.networks import Network
from reverie.pictures import as_tensor, in_channels, resize
from reverie.pictures.torch_modes import ordinary_modes
from reverie.render import judges
from reverie.work import Result, Task
from reverie.work.any_order import Part

NAME = "eyes"
_SHARD = 64  # pictures of a task
_DEEP = 0.85  # of the blocks: of lite1's, among those by which real pictures of units were told best from those of others


@dataclass(frozen=True)
class Eyes:
    """A network that made none of the pictures, and the layer whose means say what it sees."""

    network: Network
    layer: str

    @property
    def key(self) -> str:
        return f"{self.network.sha256} {self.layer}"

    def see(self, pictures: Sequence[torch.Tensor]) -> NDArray[np.float16]:
        """(n, D) of pictures (C, H, W) of any sizes, each by itself: so that what comes of one does not hang on its company."""
        ready = self.network.prepare([self.layer])
        found = []
        with ordinary_modes(), torch.no_grad():
            for each in pictures:
                pixels = resize(in_channels(each, self.network.channels), *self.network.size)[None].to(self.network.device)
                found.append(ready(pixels)[self.layer].flatten(2).mean(2)[0].float().cpu().numpy().astype(np.float16))
        return np.stack(found)


def eyes_of(plan: AtlasPlan) -> Eyes | None:
    """Of the first network that is installed, knows the same classes, and did not dream; None where there is none."""
    for network in judges(plan.network):
        deep = [each.name for each in blocks(network)]
        return Eyes(network, deep[round(_DEEP * (len(deep) - 1))])
    return None


def same_eyes(plan: AtlasPlan, key: str | None) -> Eyes | None:
    """The same where a task is made as where it was thought of; raises InputError where another network is at hand there."""
    found = eyes_of(plan)
    if (None if found is None else found.key) != key:
        raise InputError("the network that judges is another where the work is done", "install the same extras there")
    return found


def sides(plan: AtlasPlan, store: AtlasStore, stem: str, channels: Sequence[int]) -> dict[int, tuple[list[int], list[int]]]:
    """Of each unit the numbers of pictures that excite it strongly, but are not shown, and of those that excite it least."""
    summary = answers_of(store, stem)
    if summary is None:
        return {}
    count = quarter(summary.count, SHOWN)
    return {each: (summary.top_at[each, SHOWN : SHOWN + count].tolist(), summary.low_at[each, :count].tolist()) for each in channels}


def seen_pictures(store: AtlasStore, key: str) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
    """Numbers (n,) of pictures that were looked at, and what was seen of them (n, D)."""
    numbers, rows = [np.empty(0, np.int32)], []
    for path in (path for name, facts in _shards(store, key) if facts["numbers"] for path in store.files_of("eyes", name)):
        with np.load(io.BytesIO((store.folder / path).read_bytes()), allow_pickle=False) as found:
            numbers.append(found["numbers"])
            rows.append(found["seen"])
    return np.concatenate(numbers), np.concatenate(rows) if rows else np.empty((0, 0), np.float16)


def pictures_key(plan: AtlasPlan, eyes: Eyes) -> str:
    """A hash of what the sight of the data set follows from."""
    assert plan.data is not None
    return sha256(json.dumps([data_key(plan, plan.data), eyes.key, 1]).encode()).hexdigest()


def _shards(store: AtlasStore, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, facts) for name, facts in store.all("eyes") if store.is_finished("eyes", name, key))


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    data, eyes = plan.data, None if plan.data is None else eyes_of(plan)
    if data is None or eyes is None:
        return []
    key = pictures_key(plan, eyes)
    there = {number for _, facts in _shards(store, key) for number in (*facts["numbers"], *facts["unreadable"])}
    asked: set[int] = set()
    for layer in plan.layers:
        for strong, weak in sides(plan, store, layer.stem, layer.channels).values():
            asked |= {*strong, *weak}
    missing = sorted(asked - there)
    found = []
    for first in range(0, len(missing), _SHARD):
        numbers = missing[first : first + _SHARD]
        name = sha256(json.dumps([key, numbers]).encode()).hexdigest()[:16]
        what = {
            "stage": NAME, "name": name, "key": key, "eyes": eyes.key, "numbers": numbers,
            "places": [str(data.place(each)) for each in numbers],
        }  # fmt: skip
        found.append(Task(f"photographs {numbers[0]}–{numbers[-1]}", what, float(len(numbers))))
    return found


def _make(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    eyes = same_eyes(plan, what["eyes"])
    assert eyes is not None  # else there was nothing to ask
    seen, numbers, unreadable = [], [], []
    for place, (number, path) in enumerate(zip(what["numbers"], what["places"], strict=True), 1):
        try:
            seen.append(eyes.see([as_tensor(Path(path), plan.network.channels)])[0])
            numbers.append(number)
        except ReverieError:
            unreadable.append(number)
        if part(place / len(what["numbers"]), "another network looks"):
            return None
    out = io.BytesIO()
    np.savez(out, numbers=np.asarray(numbers, np.int32), seen=np.stack(seen) if seen else np.empty((0, 0), np.float16))
    return {"seen.npz": out.getvalue(), "facts.json": json.dumps({"numbers": numbers, "unreadable": unreadable}).encode()}


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    name = task.what["name"]
    files = {f"{HIDDEN}/eyes/{name}.npz": result["seen.npz"]}
    store.put("eyes", name, task.what["key"], json.loads(result["facts.json"]), files)


def _after(plan: AtlasPlan, store: AtlasStore) -> None:
    """What was seen of another data set, or by another network, goes."""
    eyes = None if plan.data is None else eyes_of(plan)
    if eyes is not None:
        store.forget("eyes", [name for name, _ in _shards(store, pictures_key(plan, eyes))])


EYES = Stage(NAME, _tasks, _make, _done, _after)

"""The stage in which it is found out what feeds each unit and what it feeds, between each shown layer and the next."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie.api.atlases.examples_stage import answers_of
from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.stages import Stage
from reverie.atlases.store import HIDDEN, AtlasStore
from reverie.atlases.wiring import FAR, end
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.wiring import wires
from reverie.pictures.torch_modes import ordinary_modes
from reverie.render import noise_start
from reverie.work import Result, Task
from reverie.work.any_order import Part

NAME = "wiring"
_NOISE = 4  # pictures by which spreads are measured where there are no real ones


@dataclass(frozen=True)
class _Pair:
    """Two layers that are shown one after the other, as the store tells of them; spreads of their channels on real pictures."""

    below: Mapping[str, Any]
    above: Mapping[str, Any]
    spreads: tuple[list[float], list[float]] | None
    key: str

    @property
    def name(self) -> str:
        return f"{self.below['name']} → {self.above['name']}"

    @property
    def path(self) -> str:
        """Where what leads from one to the other is, below the folder."""
        return f"{HIDDEN}/wires/{self.below['stem']}--{self.above['stem']}.npz"


def _shown(store: AtlasStore) -> list[Mapping[str, Any]]:
    """The layers that the atlas shows, those of earlier runs too, lowest first; but for attention, which says where a layer looks."""
    return [each for each in (store.facts("about", "network") or {}).get("layers", ()) if each["kind"] != "attention"]


def _pairs(plan: AtlasPlan, store: AtlasStore) -> list[_Pair]:
    found, shown = [], _shown(store)
    spreads = [_spreads(store, each["stem"]) for each in shown]
    for below, above, one, other in zip(shown, shown[1:], spreads, spreads[1:], strict=False):
        both = None if one is None or other is None else (one, other)
        follows = [plan.network.sha256, below["name"], above["name"], both, 1]
        found.append(_Pair(below, above, both, sha256(json.dumps(follows).encode()).hexdigest()))
    return found


def _spreads(store: AtlasStore, stem: str) -> list[float] | None:
    """Of the values of each channel at places of real pictures; None where there are none."""
    answers = answers_of(store, stem)
    if answers is None or len(answers.spots) < 2:
        return None
    return [float(f"{each:.4g}") for each in answers.spots.astype(np.float32).std(0)]


def _tasks(plan: AtlasPlan, store: AtlasStore) -> Sequence[Task]:
    missing = [each for each in _pairs(plan, store) if not store.is_finished("wires", each.name, each.key)]
    return [
        Task(
            each.name,
            {
                "stage": NAME, "below": each.below["name"], "above": each.above["name"], "spreads": each.spreads, "pair": each.name,
                "key": each.key, "path": each.path,
            },
            float(each.above["channels"]),
        )
        for each in missing
    ]  # fmt: skip


def make_wires(plan: AtlasPlan, what: Mapping[str, Any], part: Part) -> Result | None:
    """What leads from one layer to another.

    Returns:
        `wires.npz`: `strengths` (K, C), see `Wires.strengths`, of no rows where they cannot be found out; and `facts.json`. None where it
        was stopped.
    """
    net, below, above = plan.network, what["below"], what["above"]
    noise = _noise(net, _NOISE)  # (4, C, H, W)
    strengths, facts = np.empty((0, 0), np.float32), {"activations": 0, "by": "pictures" if what["spreads"] else "noise", "why": ""}
    try:
        spreads = _measured(net, below, above, noise) if what["spreads"] is None else tuple(map(torch.tensor, what["spreads"]))
        found = wires(net.prepare([below, above]), below, above, noise[0], lambda share: part(share, f"{below} → {above}"))
    except UsageError as error:  # it takes no other activations than its own: nothing else is wrong with it
        facts["why"] = error.fault
    else:
        if found is None:
            return None
        strengths, facts["activations"] = found.strengths(*spreads).numpy(), found.activations
    out = io.BytesIO()
    np.savez(out, strengths=strengths)
    return {"wires.npz": out.getvalue(), "facts.json": json.dumps(facts).encode()}


def _noise(net: Network, count: int) -> Tensor:
    """(N, C, H, W): pictures that are at hand wherever the work goes on."""
    return torch.stack([noise_start("pink", *net.size, each, NAME, channels=net.channels).pixels for each in range(count)]).to(net.device)


def _measured(net: Network, below: str, above: str, pictures: Tensor) -> tuple[Tensor, ...]:
    """(C,), (K,): the spread of each channel's values over all places of pictures."""
    with ordinary_modes(), torch.no_grad():
        seen = net.prepare([below, above])(pictures)
    return tuple(seen[name].transpose(0, 1).flatten(1).std(1).cpu() for name in (below, above))


def _done(plan: AtlasPlan, store: AtlasStore, task: Task, result: Result) -> None:
    what = task.what
    store.put("wires", what["pair"], what["key"], json.loads(result["facts.json"]), {what["path"]: result["wires.npz"]})


def _after(plan: AtlasPlan, store: AtlasStore) -> None:
    """Both ends of each unit told: of layers of earlier runs too, which may have other neighbours now."""
    pairs = _pairs(plan, store)
    into, out_of = {each.above["name"]: each for each in pairs}, {each.below["name"]: each for each in pairs}
    for layer in _shown(store):
        before, behind = into.get(layer["name"]), out_of.get(layer["name"])
        key = sha256(" ".join("" if each is None else each.key for each in (before, behind)).encode()).hexdigest()
        missing = [each for each in layer["units"] if not store.is_finished("wiring", f"{layer['name']}:{each}", key)]
        if missing:
            first, second = _End(store, before, rows=True), _End(store, behind, rows=False)
            for channel in missing:
                facts = {
                    "from": first.of(channel),
                    "to": second.of(channel),
                    "why": {"from": first.why, "to": second.why},
                    "by": first.by or second.by,
                }
                store.put("wiring", f"{layer['name']}:{channel}", key, facts)
    store.forget("wires", [each.name for each in pairs])


class _End:
    """What leads to the units of a layer (rows of the strengths), or from them (columns)."""

    def __init__(self, store: AtlasStore, pair: _Pair | None, rows: bool) -> None:
        self.why = self.by = ""
        self._strengths = np.empty((0, 0), np.float32)
        if pair is None:
            return
        self._layer = (pair.below if rows else pair.above)["name"]
        facts = store.facts("wires", pair.name)
        assert facts is not None  # none is missing
        self._activations, self.by, self.why = facts["activations"], facts["by"], facts["why"]
        if self._activations > FAR:
            self.why = (
                f"{self._layer} is too far away: {self._activations} activation functions lie between, and through more than {FAR} the"
                " weights alone no longer say what feeds what"
            )
        if not self.why:
            with np.load(io.BytesIO((store.folder / pair.path).read_bytes()), allow_pickle=False) as found:
                self._strengths = found["strengths"] if rows else found["strengths"].T

    def of(self, channel: int) -> dict[str, Any] | None:
        return end(self._layer, self._strengths[channel], self._activations) if len(self._strengths) else None


WIRING = Stage(NAME, _tasks, make_wires, _done, _after)

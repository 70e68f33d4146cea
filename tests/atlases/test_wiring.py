"""What feeds a unit and what it feeds, from the weights to what the store tells of each unit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import Flow, wrapped
from torch import Tensor, nn

from reverie.api.atlases.planning import plan_atlas
from reverie.api.atlases.wiring_stage import WIRING
from reverie.atlases.store import AtlasStore
from reverie.atlases.wiring import end
from reverie.networks import Network


def test_the_strongest_come_first_with_their_signs_and_their_share() -> None:
    found = end("low", np.asarray([0.5, -2.0, 0.0, 1.0], np.float32), 2)
    # the largest is −2; all add up to 3.5, of which nothing is left out
    assert found == {"layer": "low", "units": [[1, -1.0], [3, 0.5], [0, 0.25]], "share": 1.0, "activations": 2}


def test_of_many_eight_are_told_and_what_share_they_are() -> None:
    found = end("low", np.asarray([1.0] * 16, np.float32), 0)
    assert found is not None
    assert [channel for channel, _ in found["units"]] == list(range(8))  # of equal ones the first
    assert found["share"] == 0.5


@pytest.mark.parametrize("strengths", [[0.0, 0.0], [float("nan"), 1.0], []])
def test_where_no_wire_leads_nothing_is_told(strengths: list[float]) -> None:
    assert end("low", np.asarray(strengths, np.float32), 0) is None


def hand(between: int = 1) -> Network:
    """Three 1×1 convolutions with known weights, a ReLU before each but the first, or more of them before the last."""

    def way(m: Any, x: Tensor) -> Tensor:
        y = m.two(F.relu(m.one(x)))
        for _ in range(between):
            y = F.relu(y)
        scores: Tensor = m.three(y).mean((2, 3))
        return scores

    made = Flow(way, one=nn.Conv2d(3, 2, 1), two=nn.Conv2d(2, 2, 1, bias=False), three=nn.Conv2d(2, 3, 1, bias=False))
    with torch.no_grad():
        made.one.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0]]).view(2, 3, 1, 1))
        made.one.bias.copy_(torch.tensor([0.1, 0.1]))
        made.two.weight.copy_(torch.tensor([[1.0, -2], [0, 3]]).view(2, 2, 1, 1))
        made.three.weight.copy_(torch.tensor([[1.0, 0], [0, -1], [2, 1]]).view(3, 2, 1, 1))
    return wrapped(made.eval())


def worked(net: Network, folder: Path, layers: list[str]) -> AtlasStore:
    """The stage alone, in a store that knows what is shown."""
    plan = plan_atlas(net, layers=layers, classes="none")
    store = AtlasStore(folder)
    about = [
        {"name": each.name, "stem": each.stem, "kind": each.layer.kind, "channels": each.layer.channels, "units": [*each.channels]}
        for each in plan.layers
    ]
    store.put("about", "network", net.sha256, {"layers": about})
    for task in WIRING.tasks(plan, store):
        result = WIRING.make(plan, json.loads(json.dumps(task.what)), lambda share, words: False)  # as it would travel
        assert result is not None
        WIRING.done(plan, store, task, result)
    WIRING.after(plan, store)
    assert not WIRING.tasks(plan, store)
    return store


def test_a_unit_has_what_feeds_it_and_what_it_feeds(tmp_path: Path) -> None:
    with worked(hand(), tmp_path, ["one", "two", "three"]) as store:
        middle = store.facts("wiring", "two:1")
        assert middle is not None
        assert middle["from"] == {"layer": "one", "units": [[1, 1.0]], "share": 1.0, "activations": 1}
        fed = dict(middle["to"]["units"])
        assert fed == pytest.approx({1: -1.0, 2: 1.0}, abs=0.05)  # two:0 is hardly ever above 0, so that three:2 is nearly two:1
        first, last = store.facts("wiring", "one:0"), store.facts("wiring", "three:0")
        assert first is not None and first["from"] is None and first["to"]["units"] == [[0, 1.0]]
        assert last is not None and last["to"] is None and last["from"]["units"] == [[0, 1.0]]
        two = store.facts("wiring", "two:0")
        assert two is not None and [each[0] for each in two["from"]["units"]] == [1, 0] and two["from"]["units"][0][1] == -1.0
        assert two["by"] == "noise"


def test_a_layer_between_that_is_shown_later_changes_the_neighbours(tmp_path: Path) -> None:
    with worked(hand(), tmp_path, ["one", "three"]) as store:
        before = store.facts("wiring", "one:0")
        assert before is not None and before["to"]["layer"] == "three" and before["to"]["activations"] == 2
    with worked(hand(), tmp_path, ["one", "two", "three"]) as store:
        now = store.facts("wiring", "one:0")
        assert now is not None and now["to"]["layer"] == "two"
        assert [name for name, _ in store.all("wires")] == ["one → two", "two → three"]
        assert sorted(each.name for each in (tmp_path / ".atlas" / "wires").iterdir()) == ["one--two.npz", "two--three.npz"]


def test_what_is_too_far_away_is_said_so(tmp_path: Path) -> None:
    with worked(hand(between=5), tmp_path, ["two", "three"]) as store:
        found = store.facts("wiring", "two:0")
    assert found is not None and found["to"] is None
    assert "too far away: 5 activation functions" in found["why"]["to"] and found["why"]["from"] == ""

"""What is done once for many pictures: plans of a thousand units ask no more of a network's weights than plans of a few."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from tests.helpers.tiny import Hand, wrapped

from reverie.api import plan_dream, plan_feature, plan_imagine
from reverie.networks import Network, network
from reverie.networks.read_once import once, reading_once

LABELS = ["edges", "warm", "cold"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often all weights were looked through, by what for."""
    counts: Counter[str] = Counter()
    for name in ("signature", "fingerprint", "real_names"):
        original = getattr(network, name)

        def counted(*given: Any, original: Any = original, name: str = name, **choices: Any) -> Any:
            counts[name + " of values" * bool(choices)] += 1
            return original(*given, **choices)

        monkeypatch.setattr(network, name, counted)
    return counts


def asked(net: Network, read: Counter[str], command: str, count: int) -> Counter[str]:
    read.clear()
    if command == "imagine":
        plans = plan_imagine([0, 1, 2] * count, network=net, batch=1)
    elif command == "feature":
        plans = plan_feature(["edge:0", "light:1", "edge:1"] * count, network=net, batch=1)
    else:
        plans = [plan_dream(torch.rand(3, 32, 32), target=" + ".join(["edge:0", "light:1"] * count), network=net)]
    assert len(plans) == (1 if command == "dream" else 3 * count)
    return Counter(read)


@pytest.mark.parametrize("command", ["imagine", "feature", "dream"])
def test_a_plan_of_many_reads_the_weights_as_often_as_one_of_few(command: str, read: Counter[str]) -> None:
    net = wrapped(Hand(), labels=LABELS)
    few, many = asked(net, read, command, 1), asked(net, read, command, 20)
    assert few == many
    assert many["signature of values"] <= 3 and many["signature"] <= 3


def test_weights_that_change_between_two_plans_are_seen(read: Counter[str]) -> None:
    module = Hand()
    net = wrapped(module)
    before = plan_feature("edge:0", network=net)[0].recipe.networks[0].sha256
    module.light.weight.data.mul_(2)
    assert plan_feature("edge:0", network=net)[0].recipe.networks[0].sha256 != before


def test_read_once_inside_and_anew_outside() -> None:
    counts, one, other = Counter[str](), object(), object()

    def read(name: str) -> int:
        counts[name] += 1
        return counts[name]

    with pytest.raises(KeyError), reading_once():
        assert [once(one, "a", lambda: read("one")), once(one, "b", lambda: read("one")), once(other, "a", lambda: read("other"))] == [
            1,
            2,
            1,
        ]
        with reading_once():
            assert once(one, "a", lambda: read("one")) == 1, "what was read outside of it is still true"
        assert once(one, "a", lambda: read("one")) == 1
        raise KeyError
    assert once(one, "a", lambda: read("one")) == 3

"""What each layer made of a picture, in Python: what it noticed and where, what counted, in which order, and what is kept."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.helpers.known import there
from tests.helpers.looking import BARE, FEW, LABELS, shown
from tests.helpers.tiny import SIDE, Flow, Hand, wrapped
from torch import Tensor, nn

import reverie
import reverie.insight.layer_by_layer
from reverie.api import plan_see
from reverie.errors import UsageError
from reverie.insight import Rung, Sight, excited
from reverie.networks import Network
from reverie.pictures import Picture, quantise
from reverie.render import Plan
from reverie.store import cache_folder

pytestmark = pytest.mark.usefixtures("briefly")


def patched(top: int, left: int, colour: tuple[float, float, float] = (1, 0, 0), side: int = 3) -> Tensor:
    """Middle grey, and a square of one colour."""
    picture = torch.full((3, SIDE, SIDE), 0.5)
    picture[:, top : top + side, left : left + side] = torch.tensor(colour).view(3, 1, 1)
    return picture


def deep(parts: int = 2, **choices: Any) -> Network:
    """Convolutions in a row."""
    torch.manual_seed(0)
    names = "abcdef"[:parts]
    convs = {name: nn.Conv2d(3 if name == "a" else 4, 4, 3, padding=1) for name in names}

    def way(m: Any, x: Tensor) -> Tensor:
        for name in names:
            x = F.relu(getattr(m, name)(x) + 0.1)
        return m.head(x.mean((2, 3)))  # type: ignore[no-any-return]

    return wrapped(Flow(way, **convs, head=nn.Linear(4, 3)), labels=LABELS, **choices)


def same(one: Picture, other: Picture) -> bool:
    return np.array_equal(quantise(one.pixels), quantise(other.pixels))


# ---- what was noticed


@pytest.mark.parametrize(("top", "left"), [(2, 9), (11, 0)])
@pytest.mark.parametrize(("layer", "channel", "colour"), [("light", 1, (1, 0, 0)), ("edge", 1, (1, 0, 0)), ("light", 0, (1, 1, 1))])
def test_heat_maps_sit_where_the_patch_is(hand: Network, layer: str, channel: int, colour: Any, top: int, left: int) -> None:
    seen = reverie.see(patched(top, left, colour), network=hand, layers=[layer], channels=2, steps=1)
    (found,) = [each for each in seen[layer].noticed if each.channel == channel]
    assert found.heat.shape == (SIDE, SIDE)
    inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    inside[top : top + 3, left : left + 3] = True
    assert found.heat[inside].min() > found.heat[~inside].max() + 0.5
    if colour == (1, 0, 0):
        assert seen[layer].noticed[0].channel == channel and found.score > 1


def test_the_score_of_a_channel_is_the_mean_of_its_top_tenth() -> None:
    seen = torch.zeros(3, 4, 5)  # 20 places, so that a tenth is two
    seen[0, 1, 2], seen[0, 3, 3] = 9.0, 5.0
    seen[1] = 3.0
    seen[2, 0, 0] = 100.0
    usual = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([2.0, 0.5, 10.0])
    found = excited(seen, usual, 3)
    noted: list[tuple[int, Any]] = [(each.channel, each.score) for each in found]
    assert noted == [
        (2, pytest.approx((10 + 0) / 2)), (0, pytest.approx(((9 - 1) / 2 + (5 - 1) / 2) / 2)), (1, pytest.approx(2.0)),
    ]  # fmt: skip
    assert torch.allclose(found[1].heat, (seen[0] - 1) / 2)
    assert [each.channel for each in excited(seen, usual, 1)] == [2] and excited(seen, usual, 0) == []
    assert len(excited(seen, usual, 9)) == 3
    few = excited(seen[:, :1, :3], usual, 1)  # of three places a tenth is one
    assert few[0].score == pytest.approx(10.0)


def test_a_channel_that_never_changes_is_never_noticed() -> None:
    seen = torch.full((3, 2, 2), 1e6)
    usual = torch.tensor([0.0, 0.0, 0.0]), torch.tensor([0.0, 1e-9, 1.0])
    found = excited(seen, usual, 3)
    assert found[0].channel == 2 and [each.score for each in found[1:]] == [0, 0]
    still = excited(seen, (torch.zeros(3), torch.zeros(3)), 1)
    assert all(math.isfinite(each.score) for each in still)


# ---- the way up


def test_rungs_are_lowest_first_whatever_the_order_given() -> None:
    network = deep(4)
    seen = reverie.see(shown(), network=network, layers=["c", "a", "d"], **BARE)
    assert [each.name for each in seen.layers] == ["a", "c", "d"] and seen.expected == 3
    assert seen["c"] is seen.layers[1] and isinstance(seen["c"], Rung)
    with pytest.raises(UsageError, match="no layer 'b'"):
        seen["b"]
    assert [each.name for each in reverie.see(shown(), network=network, **BARE).layers] == ["a", "b", "c", "d"]


def test_a_layer_alone_is_as_it_is_in_company(hand: Network) -> None:
    both, one = (reverie.see(shown(), network=hand, layers=names, **FEW) for names in (["light", "edge"], "edge"))
    first, second = both["edge"], one["edge"]
    assert there(first.rebuilt).encode() == there(second.rebuilt).encode()
    assert there(first.enhanced).encode() == there(second.enhanced).encode()
    alone, beside = ({**each.fidelity.as_data(), "opinions": 0} for each in (first, second))
    assert alone == pytest.approx(beside, rel=1e-6)  # what is looked at is not fused, so last bits differ
    assert torch.allclose(first.activations, second.activations, atol=1e-6)
    assert [each.channel for each in first.noticed] == [each.channel for each in second.noticed]


def test_what_a_rung_holds(hand: Network) -> None:
    seen = reverie.see(shown(24, 32), network=hand, channels=1, steps=20)
    assert seen.seen == (16, 21) and seen.network == "Hand" and seen.labels[0].label == seen.why
    assert seen.against == seen.labels[1].label and seen.seconds > 0 and seen.name == "the picture" and seen.notes == ()
    for each in seen.layers:
        assert each.activations.shape == (2, 16, 21) and there(each.rebuilt).size == (16, 21) and there(each.enhanced).size == (20, 26)
        recipe = there(there(each.rebuilt).recipe)
        assert recipe.command == "see" and str(recipe.target) == each.name
        assert there(there(each.enhanced).recipe).command == "dream"
        feature = each.noticed[0].feature
        assert feature is not None and feature.recipe is not None and str(feature.recipe.target) == f"{each.name}:{each.noticed[0].channel}"
        assert 0 <= each.fidelity.relative_error < 0.2 and -1 <= each.fidelity.similarity < 1
    assert seen["light"].fidelity.similarity > seen["edge"].fidelity.similarity


def test_other_networks_say_whether_it_is_still_the_same(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Hand()
    judges = [wrapped(Hand(), labels=LABELS, name="like it"), wrapped(other, labels=LABELS, name="contrary")]
    with torch.no_grad():
        other.head.bias[:] = torch.tensor([0.0, 0.0, 99.0])
    monkeypatch.setattr(reverie.insight.measures, "judges", lambda network: judges if network is hand else [])
    picture = patched(2, 2, (1, 0.2, 0), 12)
    (rung,) = reverie.see(picture, network=hand, layers=["light"], channels=0, steps=30).layers
    same_as, contrary = rung.fidelity.opinions
    assert (same_as.network, same_as.label, same_as.same) == ("like it", hand.recognise(picture)[0].label, True)
    assert (contrary.label, contrary.same) == ("cold", True)  # it says so of the picture too
    assert contrary.probability == pytest.approx(1)


def test_what_was_seen_is_told_in_one_line(hand: Network) -> None:
    plan = plan_see(shown(24, 32), network=hand, **FEW)
    *_, seen = plan.layers()
    assert repr(seen) == "Sight('the picture', Hand, 2 of 2 layers)"
    assert (
        repr(plan) == "SeePlan(Sight('the picture', Hand, 0 of 2 layers))" and repr(plan.request) == "SeeRequest(2 layers of Hand at 21×16)"
    )
    rung = seen["edge"]
    assert repr(rung).startswith("Rung('edge', 2 channels of 16×21, similarity ")
    assert repr(rung.noticed[0]).startswith(f"Noticed(channel {rung.noticed[0].channel}, score ") and len(repr(rung.counted)) < 30


# ---- what counted


@pytest.mark.parametrize("layer", ["light", "act", "edge"])
def test_what_counted_sums_to_the_difference_of_the_scores(hand: Network, layer: str) -> None:
    if layer == "act":
        hand = deep(3)
        layer = "b"
    picture = shown()
    spoke = reverie.see(picture, network=hand, layers=[layer], **BARE)[layer].counted
    assert spoke is not None
    best, second = (each.index for each in hand.recognise(picture, top=2))
    with torch.no_grad():
        ends = hand(torch.stack([picture, torch.zeros_like(picture)]))  # black is its mean
    wanted = float((ends[0] - ends[1])[best] - (ends[0] - ends[1])[second])
    assert spoke.total == pytest.approx(wanted, abs=1e-5)
    assert float(spoke.places.sum()) == pytest.approx(wanted, abs=0.02 * float((ends[0] - ends[1]).abs().max()) + 1e-5)
    assert all(score > 0 for _, score in spoke.channels_for) and all(score < 0 for _, score in spoke.channels_against)
    strengths = [score for _, score in spoke.channels_for], [-score for _, score in spoke.channels_against]
    assert all(each == sorted(each, reverse=True) for each in strengths)


def test_of_a_word_for_several_classes_the_likeliest_is_explained(hand: Network) -> None:
    picture = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    order = [each.index for each in hand.recognise(picture)]
    names = [hand.labels[each][0] for each in order]
    seen = reverie.see(picture, network=hand, layers=["edge"], why=f"few={order[2]}|{order[1]}", **BARE)
    assert (seen.why, seen.against) == (names[1], names[0])
    assert f"few={order[2]}|{order[1]} is any of 2 classes; explained is {names[1]}, the likeliest of them here" in seen.notes


@pytest.mark.parametrize("why", ["cold", 2, "class:2"])
def test_why_explains_another_label(hand: Network, why: str | int) -> None:
    picture = patched(4, 4, side=8)
    first = reverie.see(picture, network=hand, layers=["edge"], **BARE)
    assert (first.why, first.against) == ("warm", "edges")
    seen = reverie.see(picture, network=hand, layers=["edge"], why=why, **BARE)
    assert (seen.why, seen.against) == ("cold", "warm")
    counted = seen["edge"].counted
    assert counted is not None and counted.total < -0.1 and counted.channels_for == () and counted.channels_against[0][0] == 1


# ---- the cache


def feature_of(seen: Sight) -> Picture:
    found = seen.layers[0].noticed[0].feature
    assert found is not None
    return found


def test_feature_pictures_are_kept(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    made = Plan.make_all

    def counting(self: Plan, *given: Any) -> Any:
        calls.append(self.recipe.command)
        return made(self, *given)

    monkeypatch.setattr(Plan, "make_all", counting)
    ways: dict[str, Any] = {"network": hand, "layers": ["edge"], "steps": 2}
    first = reverie.see(shown(), channels=1, **ways)
    assert calls == ["see", "dream", "feature"]
    again = reverie.see(shown(20, 24), channels=1, seed=5, **ways)  # another picture and seed: the network is the same
    assert calls[3:] == ["see", "dream"]
    assert same(feature_of(first), feature_of(again)) and feature_of(first).recipe == feature_of(again).recipe
    (kept,) = (each for each in (cache_folder() / "features").rglob("*") if each.is_file())
    whole = kept.read_bytes()
    for damaged in (b"", b"damaged", whole[: len(whole) // 2]):
        kept.write_bytes(damaged)
        third = reverie.see(shown(), channels=1, **ways)
        assert calls[-1] == "feature" and same(feature_of(first), feature_of(third))
        assert kept.read_bytes() == whole  # put right
    before = len(calls)
    reverie.see(shown(), channels=2, **ways)
    assert calls[before:] == ["see", "dream", "feature"]  # of the second alone


def test_without_keeping_there_is_no_cache(hand: Network) -> None:
    reverie.see(shown(), network=hand, layers=["edge"], keep=False, **FEW)
    assert not cache_folder().exists()


# ---- several pictures, and how long


def test_a_list_of_pictures_gives_a_list(hand: Network) -> None:
    told: list[tuple[float, str]] = []
    seen = reverie.see([shown(), shown(20, 24)], network=hand, progress=lambda state: told.append((state.done, state.doing)), **FEW)
    assert [each.seen for each in seen] == [(16, 16), (16, 19)] and all(len(each.layers) == 2 for each in seen)
    assert same(there(seen[0]["edge"].rebuilt), there(reverie.see(shown(), network=hand, **FEW)["edge"].rebuilt))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and 0.9 < shares[-1] <= 1 and told[0][1] == "1/2, light: rebuilding"
    stopped = reverie.see([shown()] * 3, network=hand, progress=lambda state: state.doing == "2/3, edge: rebuilding", **FEW)
    assert [len(each.layers) for each in stopped] == [2, 1]
    with pytest.raises(UsageError, match="no pictures"):
        reverie.see([], network=hand)


def test_how_long_it_takes_is_counted_in_steps(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that runs a second with each step that is tried, at 16 × 16 pixels."""
    ticks = iter(range(10_000))
    monkeypatch.setattr("reverie.insight.duration.time.perf_counter", lambda: float(next(ticks)))
    few = plan_see(shown(), network=hand, channels=0, steps=10, layers=["light", "edge"])
    assert few.request.why is not None  # with what counted, as long as 32 steps
    took = few.seconds()
    enhanced = sum(2 * side**2 / 16**2 for side in (20, 14))  # two steps each, of an octave of 1.25 times the side and of one below
    assert took == pytest.approx(2 * (10 + enhanced + 32))
    more = plan_see(shown(), network=hand, channels=0, steps=110, layers=["light", "edge"])
    assert more.seconds() - took == pytest.approx(200)
    featured = plan_see(shown(), network=hand, channels=1, steps=10, layers=["light", "edge"])
    assert featured.seconds() > took + 100
    reverie.see(shown(), network=hand, channels=1, steps=10)  # the features are in the cache now
    assert featured.seconds() == pytest.approx(took)


def test_what_was_asked_for_is_the_same_where_the_look_is(hand: Network) -> None:
    first, again = (plan_see(shown(), network=hand, **FEW).asked for _ in range(2))
    assert first == again
    baseline, usual = torch.zeros(3, SIDE, SIDE), [patched(1, 1)]
    others = (
        {"seed": 1}, {"layers": ["edge"]}, {"width": 32}, {"why": 2}, {"baseline": "black"}, {"baseline": baseline},
        {"baseline": baseline + 0.5}, {"usual": usual}, {"usual": [patched(2, 9)]},
    )  # fmt: skip
    asked = [plan_see(shown(), network=hand, **{**FEW, **other}).asked for other in others]
    assert all(each != other for each, other in combinations([first, *asked], 2))
    assert plan_see(shown(), network=hand, **FEW, usual=usual).asked == asked[-2]

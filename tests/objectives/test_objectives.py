"""The objectives beside exciting: guide, caricature, direction, pictures that differ, several networks; and what is best for each."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.climbing import BARE, ONE, drawn, pictures, run, scoring
from tests.helpers.known import there
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor

from reverie.ascent import IDENTITY, Score
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.objectives import caricature, direction, diverse, guide
from reverie.objectives.excite import excite
from reverie.recipe import Ascent
from reverie.render.scores import even
from reverie.target import CLASSES, parse

LONG = BARE.model_copy(update={"steps": 200, "strength": 0.1, "settle": 0.2})
RED, GREEN, BLUE = (torch.eye(3)[number].view(3, 1, 1).expand(3, 16, 16) for number in range(3))


def other_network(scale: float = 1.0) -> Network:
    """Another tiny network: its `light` holds three mixtures of colours, `scale` times as strong; norm and edges as in `Hand`."""
    module = Hand()
    with torch.no_grad():
        module.light.weight.copy_(scale * torch.tensor([[0.2, 1, -0.3], [-0.5, 0.1, 1]]).view(2, 3, 1, 1))
        there(module.norm.running_var).fill_(scale**2)
        there(module.norm.running_mean).fill_(0.1 * scale)
    return wrapped(module, labels=["edges", "warm", "cold"])


def rises(score: Score, start: Tensor, settings: Ascent = ONE) -> bool:
    seeds = tuple(range(len(start)))
    last = run(start, score, settings, seeds)[-1].pictures
    return bool((score(last, IDENTITY) > score(start, IDENTITY)).all())


# ---- every objective rises within three steps


COMPARED = [("light", "free")]  # light and warmth themselves are held otherwise
COMPARED += [(each, tone) for each in ("act", "edge", "norm + 0.5*edge", "edge - 0.25*act") for tone in ("free", "light", "keep")]


@pytest.mark.parametrize(("target", "tone"), COMPARED)
@pytest.mark.parametrize("objective", ["guide", "caricature", "direction"])
def test_every_objective_rises_within_three_steps(hand: Network, objective: str, target: str, tone: str) -> None:
    start = pictures(low=0.3, high=0.7)
    inputs: dict[str, Any] = {
        "guide": {"guide": pictures(side=20, width=18, low=0.0, high=1.0, seed=8)[0]},
        "caricature": {"start": start},
        "direction": {"direction": torch.tensor([1.0, 0.5])},
    }[objective]
    score, _ = scoring(target, hand, objective=objective, **inputs)
    assert rises(score, start, ONE.model_copy(update={"tone": tone}))


@pytest.mark.parametrize("target", ["edge", "edge:0", "class:warm", "act:1 - 0.5*edge"])
def test_pictures_that_shall_differ_rise_too(hand: Network, target: str) -> None:
    start = pictures(3)
    score, plain = scoring([target] * 3, hand, kind="diverse")[0], scoring([target] * 3, hand)[0]
    price = plain(start, IDENTITY).abs()  # of likeness, as it was at the start

    def worth(some: Tensor) -> Tensor:
        bare = plain(some, IDENTITY)
        likeness = (bare - score(some, IDENTITY)) / bare.abs().clamp_min(1e-6)
        return bare - price * likeness

    last = run(start, score, ONE, (1, 2, 3))[-1].pictures
    assert worth(last).sum() > worth(start).sum()  # each may give way for the others


@pytest.mark.parametrize(("first", "second"), [("edge", "act"), ("class:warm", "class:edges"), ("light:0", "norm:1")])
def test_what_two_networks_want_rises_in_both(hand: Network, first: str, second: str) -> None:
    other, start = other_network(), pictures()
    score, _ = scoring(f"{first} | {second}", hand, other)
    last = run(start, score, ONE)[-1].pictures
    for target, network in ((first, hand), (second, other)):
        alone, _ = scoring(target, network)
        assert alone(last, IDENTITY) > alone(start, IDENTITY), target


# ---- where the best can be worked out


@pytest.mark.parametrize(
    ("target", "best"),
    [("light:0", 3.0), ("light:1", 1.0), ("-light:1", 1.0), ("norm:0", 1.0), ("class:warm - 0.5*light:0", 0.5 + 0.5 - 0.5)],
)
def test_the_best_picture_of_a_channel_is_found(hand: Network, target: str, best: float) -> None:
    score, _ = scoring(target, hand)
    last = run(pictures(), score, LONG)[-1].pictures
    assert float(score(last, IDENTITY)) == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize(
    ("vector", "best", "value"),
    [((0.0, 1.0), (1, 0, 0), 0.5**0.5), ((0.0, -2.0), (0, 0, 1), 0.5**0.5), ((1.0, 0.0), (1, 1, 1), 3.0)],
)
def test_the_best_picture_along_a_direction_of_a_linear_layer_is_found(
    hand: Network, vector: tuple[float, float], best: tuple[int, int, int], value: float
) -> None:
    # light, R+G+B, and warmth, R-B, of colours in 0..1: nothing is as warm for its light as pure red, nor as light as white
    score, _ = scoring("light", hand, objective="direction", direction=torch.tensor(vector))
    last = run(pictures(), score, LONG)[-1].pictures
    assert float(score(last, IDENTITY)) == pytest.approx(value, abs=0.01)
    assert (last - torch.tensor(best).view(1, 3, 1, 1)).abs().max() < 0.02


def test_each_place_goes_the_way_of_the_most_similar_place_of_the_guide(hand: Network) -> None:
    shown = torch.cat([RED[..., :8], BLUE[..., :8]], -1)  # features (1, 1) and (1, -1): a red place gives 2R+G, a blue one G+2B
    score, _ = scoring("light", hand, objective="guide", guide=shown)
    start = pictures(low=0.45, high=0.55)
    warmer = start[:, 0] > start[:, 2]
    last = run(start, score, BARE.model_copy(update={"steps": 60, "strength": 0.05}))[-1].pictures
    assert float(score(last, IDENTITY)) == pytest.approx(3, abs=0.01)
    assert (last[:, 1] > 0.99).all()
    assert (last[:, 0][warmer] > 0.99).all() and (last[:, 2][~warmer] > 0.99).all()
    assert torch.allclose(last[:, 2][warmer], start[:, 2][warmer], atol=1e-4)  # blue is not asked for where it is warm
    assert torch.allclose(last[:, 0][~warmer], start[:, 0][~warmer], atol=1e-4)


# ---- what the scores say, in numbers


def test_a_guide_that_is_the_start_matches_every_place_with_itself() -> None:
    seen = torch.eye(4).view(1, 4, 2, 2)  # four places, each with a feature of its own
    score = guide(parse("a"), {"a": seen})
    assert score({"a": seen}).tolist() == [1.0]
    assert score({"a": torch.cat([seen, seen.flip(3), 2 * seen])}).tolist() == [1.0, 1.0, 2.0]  # wherever a feature is, it is found
    here = seen.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(score({"a": here}).sum(), here)
    assert torch.allclose(slope, seen / 4)  # more of what is there


def test_a_guide_is_matched_where_it_is_most_similar() -> None:
    shown = torch.tensor([[[[1.0, 0.0, -1.0]], [[0.0, 2.0, -1.0]]]])  # (1, 2, 1, 3): places (1, 0), (0, 2), (-1, -1)
    here = torch.tensor([[[[3.0, -4.0]], [[1.0, 1.0]]]])  # places (3, 1) and (-4, 1)
    score = guide(parse("a - 0.5*b"), {"a": shown, "b": shown})
    best = (max(3, 2, -4) + max(-4, 2, 3)) / 2
    assert score({"a": here, "b": here}).tolist() == [0.5 * best]


def test_a_guide_makes_the_result_more_like_itself(lite0: Network) -> None:
    start, target = pictures(side=64, low=0.35, high=0.65), "blocks.1.1"
    stripes = torch.zeros(3, 64, 64)
    stripes[..., ::8] = stripes[..., 1::8] = stripes[..., 2::8] = stripes[..., 3::8] = 1
    settings, look = ONE.model_copy(update={"steps": 8, "smoothing": 1.0}), lite0.prepare([target])

    def features(some: Tensor) -> Tensor:
        with torch.no_grad():
            return F.normalize(look(some)[target].mean((2, 3)), dim=1)  # (1, C)

    def likeness(guided_by: Tensor | None, to: Tensor) -> float:
        inputs: dict[str, Any] = {} if guided_by is None else {"guide": guided_by, "objective": "guide"}
        last = run(start, scoring(target, lite0, **inputs)[0], settings)[-1].pictures
        return float((features(last) * features(to[None])).sum())

    lying = stripes.transpose(1, 2)
    assert likeness(stripes, stripes) > max(likeness(None, stripes), likeness(lying, stripes)) + 0.005
    assert likeness(lying, lying) > max(likeness(None, lying), likeness(stripes, lying)) + 0.005


def test_a_caricature_is_dot_product_times_cosine() -> None:
    own = torch.tensor([[[[3.0, 4.0]], [[0.0, 0.0]]]])  # (1, 2, 1, 2)
    score = caricature(parse("a"), {"a": own})
    others = torch.cat([own, 2 * own, torch.tensor([[[[4.0, 3.0]], [[0.0, 0.0]]]]), -own])
    assert score({"a": others}).tolist() == pytest.approx([25 / 4, 50 / 4, 24 / 4 * 24 / 25, -25 / 4 * 0.1])
    assert caricature(parse("2*a"), {"a": own})({"a": own}).tolist() == pytest.approx([25 / 2])
    generator = drawn(4)
    print("seed 4")
    for _ in range(50):  # of all activations as strong, those of the start itself say it best
        other = torch.randn(own.shape, generator=generator)
        assert score({"a": other * (5 / other.norm())}) < score({"a": own})


def test_a_caricature_compares_with_the_start_seen_the_same_way(hand: Network) -> None:
    from reverie.ascent.transforms import Transform

    start = pictures()
    score, _ = scoring("edge", hand, objective="caricature", start=start)
    moved = Transform(shifts=((3, 2),))
    seen = hand.prepare(["edge"])(moved(start))["edge"]
    assert float(score(moved(start), moved)) == pytest.approx(float(seen.square().mean()), rel=1e-4)
    assert float(score(moved(start), IDENTITY)) < float(score(moved(start), moved))


def test_a_direction_is_dot_product_times_cosine_at_each_place() -> None:
    seen = torch.tensor([[[[3.0, 0.0, -3.0]], [[4.0, 2.0, 4.0]]]])  # places (3, 4), (0, 2), (-3, 4)
    score = direction(parse("a"), torch.tensor([10.0, 0.0]))  # of any length
    assert score({"a": seen}).tolist() == pytest.approx([(3 * 3 / 5 + 0 - 3 * 0.1) / 3])
    assert direction(parse("-2*a"), torch.tensor([0.0, 1.0]))({"a": seen}).tolist() == pytest.approx([-2 * (3.2 + 2 + 3.2) / 3])
    assert score({"a": torch.zeros(1, 2, 1, 3)}).tolist() == [0.0]


def test_each_picture_of_a_batch_may_have_a_direction_of_its_own() -> None:
    seen = torch.tensor([[[[3.0]], [[4.0]]], [[[4.0]], [[3.0]]]])  # (2, 2, 1, 1)
    score = direction(parse("a"), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    assert score({"a": seen}).tolist() == pytest.approx([3 * 3 / 5, 3 * 3 / 5])
    assert score({"a": seen.flip(0)}).tolist() == pytest.approx([4 * 4 / 5, 4 * 4 / 5])


@pytest.mark.parametrize(("objective", "word"), [("guide", "a guide"), ("caricature", "a caricature"), ("direction", "a direction")])
@pytest.mark.parametrize("target", ["edge:0", "class:warm"])
def test_what_compares_layers_needs_layers(hand: Network, objective: str, word: str, target: str) -> None:
    inputs: dict[str, Any] = {"guide": RED} if objective == "guide" else {"direction": torch.ones(2)} if objective == "direction" else {}
    with pytest.raises(UsageError, match=f"{word} with the target '{target}'"):
        scoring(target, hand, objective=objective, **inputs)


@pytest.mark.parametrize("objective", ["guide", "direction"])
def test_what_compares_places_needs_places(hand: Network, objective: str) -> None:
    with pytest.raises(UsageError, match="'head'; it has no places"):
        scoring("head", hand, objective=objective, guide=RED, direction=torch.ones(3))


def test_a_direction_has_as_many_numbers_as_the_layer_has_channels(hand: Network) -> None:
    with pytest.raises(UsageError, match="a direction of 3 numbers; 'edge' has 2 channels"):
        scoring("edge", hand, objective="direction", direction=torch.ones(3))


# ---- pictures that differ


def test_likeness_costs_a_share_of_the_score() -> None:
    wave = torch.tensor([1.0, -1.0, 1.0, -1.0])
    first, second = torch.zeros(1, 2, 1, 4), torch.zeros(1, 2, 1, 4)
    first[0, 0, 0], second[0, 1, 0] = wave, wave  # different channels: their Gram matrices have nothing in common
    score = diverse(lambda seen: seen["a"].new_tensor([4.0] * len(seen["a"])), ("a",), weight=0.5)
    assert score({"a": torch.cat([first, first])}).tolist() == pytest.approx([2.0, 2.0])
    assert score({"a": torch.cat([first, second])}).tolist() == pytest.approx([4.0, 4.0])
    assert score({"a": torch.cat([first, first, second])}).tolist() == pytest.approx([3.0, 3.0, 4.0])
    assert score({"a": torch.cat([first, second]) + 5}).tolist() == pytest.approx([4.0, 4.0])  # what all have alike does not count
    assert score({"a": first}).tolist() == [4.0]  # alone there is nothing to differ from


def gram_cosine(seen: Tensor) -> float:
    """The mean cosine of the Gram matrices of every two of them."""
    flat = seen.flatten(2) - seen.flatten(2).mean((0, 2), keepdim=True)
    grams = F.normalize(torch.einsum("ncp,ndp->ncd", flat, flat).flatten(1), dim=1)
    pairs = list(itertools.combinations(range(len(grams)), 2))
    return sum(float(grams[a] @ grams[b]) for a, b in pairs) / len(pairs)


def test_diverse_pictures_differ_more_than_others_of_the_same_unit(lite0: Network) -> None:
    target = "blocks.2.1:7"
    settings = Ascent(octaves=1, steps=12, jitter=4, strength=0.05, tone="light")
    start = pictures(3, side=64, low=0.3, high=0.7)
    found, scores = {}, {}
    for kind in ("each", "diverse"):
        last = run(start, scoring([target] * 3, lite0, kind=kind)[0], settings, (1, 2, 3))[-1].pictures
        with torch.no_grad():
            found[kind] = gram_cosine(lite0.prepare(["blocks.2.1"])(last)["blocks.2.1"])
            scores[kind] = scoring([target] * 3, lite0)[0](last, IDENTITY)
            before = scoring([target] * 3, lite0)[0](start, IDENTITY)
    print(found, scores)
    assert found["diverse"] < 0.8 * found["each"]
    assert (scores["diverse"] > before).all()  # and still show the unit


# ---- several networks


def test_every_network_has_the_same_say(hand: Network) -> None:
    ends = [
        run(pictures(), scoring("edge | act", hand, other_network(scale))[0], BARE)[-1].pictures for scale in (1.0, 1000.0)
    ]  # fmt: skip
    assert torch.allclose(ends[0], ends[1], atol=1e-4)
    weighed = run(pictures(), scoring("edge | 1000*act", hand, other_network())[0], BARE)[-1].pictures
    assert torch.allclose(weighed, ends[0], atol=1e-4)


def test_even_keeps_the_picture_and_levels_its_gradient() -> None:
    some = pictures(2).requires_grad_(True)
    shown = even(some)
    assert torch.equal(shown, some)
    weights = torch.stack([torch.full((3, 16, 16), 1e-3), torch.full((3, 16, 16), -1e3)])
    (slope,) = torch.autograd.grad((shown * weights).sum(), some)
    assert torch.allclose(slope, weights.sign(), atol=1e-5)
    (none,) = torch.autograd.grad((even(some) * 0).sum(), some)
    assert none.eq(0).all()


def test_any_of_several_classes_is_led_by_the_one_ahead() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0, 9.0]], requires_grad=True)
    score = excite([parse("2*class:few=0..2 + class:3")], {"few=0..2": (0, 1, 2), "3": (3,)}.__getitem__)({CLASSES: logits})
    assert score.item() == pytest.approx(2 * math.log(math.exp(1) + math.exp(2) + math.exp(3)) + 9)
    (gradient,) = torch.autograd.grad(score.sum(), logits)
    shares = gradient[0, :3] / 2
    assert shares.sum().item() == pytest.approx(1) and shares[2] > 0.6 > shares[1] > shares[0]

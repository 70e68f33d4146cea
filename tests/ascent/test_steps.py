"""Steps: how far each goes and where, on every canvas; what is held, masked, led softly, carried upwards; each picture as if alone."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.climbing import BARE, ONE, nothing, pictures, run, scoring
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor

from reverie.ascent import IDENTITY, ClimbSettings, Progress
from reverie.ascent.gradient import SOFT_STEPS
from reverie.ascent.step_rules import Attention
from reverie.canvas import LightTone
from reverie.canvas.tone import CAST
from reverie.networks import Network
from reverie.pictures import resize
from reverie.recipe import Ascent, Canvas, Transforms
from reverie.render import generator, noise_start

ALL = Transforms(rotate=15, scale=1.3, crop=0.8, mirror=True, noise=0.15, fade=0.4)
each_canvas = pytest.mark.parametrize("kind", ["pixels", "fourier", "maco"])


def patterned(x: Tensor, _: object) -> Tensor:
    """A score that asks for a pattern of noise, at every size."""
    weights = torch.randn(3, *x.shape[2:], generator=torch.Generator().manual_seed(9))
    return (x * weights).sum((1, 2, 3))


def settings(kind: str = "pixels", *, ascent: Ascent = ONE, **choices: object) -> ClimbSettings:
    return ClimbSettings(canvas=Canvas(canvas=kind), ascent=ascent, **choices)  # type: ignore[arg-type]


def strides(states: list[Progress]) -> list[float]:
    """The root mean square of the change of each step but the first."""
    return [float((b.pictures - a.pictures).square().mean().sqrt()) for a, b in pairwise(states)]


# ---- how far


@each_canvas
@pytest.mark.parametrize("strength", [0.004, 0.02])
@pytest.mark.parametrize("choices", [{"smoothing": 1.0}, {"smoothing": 1.3, "vivid": 0.35, "focus": 0.6, "centre": 0.5}])
def test_a_step_has_its_strength_on_every_canvas(kind: str, strength: float, choices: dict[str, float]) -> None:
    start = pictures(2, side=24, width=32, low=0.4, high=0.6)
    ascent = ONE.model_copy(update={"steps": 5, "strength": strength, **choices})
    states = run(start, patterned, settings(kind, ascent=ascent), (1, 2))
    for number in range(2):
        own = [float((b.pictures - a.pictures)[number].square().mean().sqrt()) for a, b in pairwise(states)]
        assert own == pytest.approx([strength] * 4, rel=0.04)
    assert (states[-1].score > states[0].score).all()


def test_a_mean_that_tone_takes_away_does_not_count_as_a_step() -> None:
    ascent = ONE.model_copy(update={"steps": 4, "tone": "keep", "strength": 0.005})
    states = run(pictures(low=0.3, high=0.7), lambda x, _: patterned(x, _) + 50 * x.sum((1, 2, 3)), settings(ascent=ascent))
    assert strides(states) == pytest.approx([0.005] * 3, rel=0.05)


@each_canvas
def test_steps_settle_as_a_geometric_series_over_all_octaves(kind: str) -> None:
    ascent = ONE.model_copy(update={"steps": 5, "strength": 0.02, "settle": 0.05, "octaves": 2})
    states = run(pictures(side=32, low=0.4, high=0.6), patterned, settings(kind, ascent=ascent))
    expected = [0.02 * 0.05 ** (number / 9) for number in range(10)]
    assert strides(states[:5]) == pytest.approx(expected[1:5], rel=0.04)
    assert strides(states[5:]) == pytest.approx(expected[6:], rel=0.04)


@each_canvas
def test_nothing_to_climb_moves_no_canvas(kind: str) -> None:
    states = run(pictures(), nothing, settings(kind))
    assert not any(bool(state.alive.any()) for state in states)
    assert all(torch.allclose(state.pictures, states[0].pictures, atol=1e-6) for state in states)
    assert kind == "maco" or torch.allclose(states[0].pictures, pictures(), atol=2e-5)


@each_canvas
def test_a_dead_picture_of_a_batch_stays_while_the_others_climb(kind: str) -> None:
    states = run(pictures(2), lambda x, _: patterned(x, _) * torch.tensor([1.0, 0.0]), settings(kind), (1, 2))
    assert states[-1].alive.tolist() == [True, False]
    assert torch.allclose(states[-1].pictures[1], states[0].pictures[1], atol=1e-6)
    assert (states[-1].pictures[0] - states[0].pictures[0]).std() > 0.01


# ---- where


def test_focus_gives_more_to_places_that_are_looked_at() -> None:
    left = torch.ones(2, 3, 28, 28)
    left[0, ..., :14], left[1, ..., 14:] = 3, 3
    assert torch.equal(Attention(0, 0)(left.clone(), 0.5), left)
    for focus in (0.5, 1.0, 2.0):
        seen = Attention(focus, 0)(left.clone(), 0)
        assert torch.allclose(seen[0, :, :, :12], torch.tensor(3 * 1.5**focus))
        assert torch.allclose(seen[0, :, :, 16:], torch.tensor(0.5**focus))
        assert torch.allclose(seen[1], seen[0].flip(2))  # each picture by itself
    remembers = Attention(1, 0)
    remembers(left[:1], 0)
    later = remembers(left[1:], 0)  # 0.8 of what was and 0.2 of what is: 2.6 and 1.4, of mean 2
    assert torch.allclose(later[..., :12], torch.tensor(1.3)) and torch.allclose(later[..., 16:], torch.tensor(3 * 0.7))


@pytest.mark.parametrize("size", [(15, 31), (31, 15)])
@pytest.mark.parametrize("centre", [0.3, 1.0])
@pytest.mark.parametrize("done", [0.0, 1.0])
def test_the_middle_gets_more_and_later_less_so(size: tuple[int, int], centre: float, done: float) -> None:
    seen = Attention(0, centre)(torch.ones(1, 3, *size), done)[0, 0]
    reach = (0.5 + 0.4 * done) / centre
    assert seen[size[0] // 2, size[1] // 2] == 1 == seen.max()
    assert float(seen[0, 0]) == pytest.approx(math.exp(-1 / reach**2), rel=1e-4)
    assert float(seen[0, size[1] // 2]) == pytest.approx(math.exp(-0.5 / reach**2), rel=1e-4)
    assert torch.allclose(seen, seen.flip(0, 1), atol=1e-6)


@each_canvas
def test_focus_and_centre_move_what_a_step_changes(kind: str) -> None:
    start = pictures(side=48, low=0.4, high=0.6)
    shares = []
    for choices in ({}, {"centre": 1.0}):
        states = run(start, patterned, settings(kind, ascent=BARE.model_copy(update=choices)))
        change = (states[1].pictures - states[0].pictures).square()
        shares.append(float(change[..., 12:36, 12:36].sum() / change.sum()))
    print(shares)
    assert shares[1] > (1.5 if kind == "pixels" else 1.05) * shares[0]


@each_canvas
def test_where_the_gradient_went_is_counted(kind: str) -> None:
    def upper(x: Tensor, _: object) -> Tensor:
        return patterned(torch.cat([x[..., : x.shape[2] // 2, :], 0 * x[..., x.shape[2] // 2 :, :]], 2), None)

    ascent = ONE.model_copy(update={"octaves": 2, "octave_scale": 2.0, "jitter": 1})
    for state in run(pictures(2, side=32), lambda x, _: upper(x, _) * torch.tensor([1.0, 100.0]), settings(kind, ascent=ascent), (1, 2)):
        assert state.changed.shape == (2, 1, 8, 8) and state.changed.min() >= 0  # a value for 4 pixels a side of the result
        assert state.changed.mean((1, 2, 3)).tolist() == pytest.approx([1.0, 1.0], abs=0.03)
        assert state.changed[..., :3, :].mean() > 20 * state.changed[..., 5:, :].mean()


# ---- what is held


def light_and_spread(some: Tensor) -> tuple[Tensor, Tensor]:
    return some.mean((1, 2, 3)), some.var((2, 3), correction=0).mean(1).sqrt()


def test_light_tone_holds_light_and_spread_and_lets_colours_come() -> None:
    start = pictures(2)
    other = pictures(2, low=-1, high=3, seed=8)
    other[:, 0] += 0.05 * other.std()
    held = LightTone.of(start).hold(other)
    for got, wanted in zip(light_and_spread(held), light_and_spread(start), strict=True):
        assert torch.allclose(got, wanted, atol=1e-5)
    assert (held[:, 0] - held[:, 1]).mean() > 0.01  # the cast is still there
    assert torch.allclose(LightTone.of(start).hold(start), start, atol=1e-5)


def test_light_tone_limits_casts() -> None:
    start, other = pictures(2), pictures(2, seed=8)
    other[:, 0] += 2
    held = LightTone.of(start).hold(other)
    spread = light_and_spread(start)[1]
    casts = (held.mean((2, 3)) - start.mean((1, 2, 3))[:, None]).abs()  # (N, 3)
    assert torch.allclose(casts[:, 0], CAST * spread, atol=1e-5)
    assert torch.allclose(light_and_spread(held)[0], light_and_spread(start)[0], atol=1e-5)
    assert (casts <= CAST * spread[:, None] + 1e-5).all()
    assert torch.allclose(light_and_spread(held)[1], spread, atol=1e-5)


def test_light_tone_leaves_a_flat_picture_finite() -> None:
    flat, start = torch.full((1, 3, 16, 16), 0.3), pictures()
    assert LightTone.of(start).hold(flat).isfinite().all()
    assert torch.allclose(LightTone.of(flat).hold(start).mean(), flat.mean(), atol=1e-5)


@pytest.mark.parametrize("tone", ["light", "keep"])
def test_light_is_held_through_an_ascent(hand: Network, tone: str) -> None:
    start = pictures(low=0.4, high=0.6, side=24)
    score, _ = scoring("edge + norm:1", hand)
    states = run(start, score, ONE.model_copy(update={"tone": tone, "steps": 10, "vivid": 0.5}))
    last = states[-1].pictures
    assert last.min() > 0 and last.max() < 1
    for got, wanted in zip(light_and_spread(last), light_and_spread(start), strict=True):
        assert torch.allclose(got, wanted, atol=2e-4)
    warmth = float((last[:, 0] - last[:, 2]).mean() - (start[:, 0] - start[:, 2]).mean())
    assert abs(warmth) < 1e-3 if tone == "keep" else warmth > 0.02


@pytest.mark.parametrize(("bounded", "share"), [(True, 1.0), (False, 0.0)])
def test_what_pulls_beyond_black_and_white_does_not_hold_its_neighbours_there(bounded: bool, share: float) -> None:
    """White stripes on black are best, but every place loses by light in the mean."""
    weights = torch.full((3, 32, 32), -1.0)
    weights[..., ::8] = weights[..., 1::8] = 1.0
    ascent = ONE.model_copy(update={"steps": 60, "tone": "free", "strength": 0.1, "smoothing": 1.0})
    ways = settings(ascent=ascent, bounded=bounded)
    *_, last = run(torch.full((1, 3, 32, 32), 0.3), lambda x, _: (x * weights).sum((1, 2, 3)), ways)
    assert float(last.pictures[..., ::8].mean()) == pytest.approx(share, abs=0.05)


# ---- masks


@each_canvas
@pytest.mark.parametrize("tone", ["keep", "free"])
def test_outside_of_a_mask_every_state_is_the_start(hand: Network, kind: str, tone: str) -> None:
    start = pictures(side=32, width=40)
    mask = torch.zeros(1, 1, 32, 40)
    mask[..., 8:20, 10:30] = 1
    mask[..., 20:24, 10:30] = 0.5
    ascent = ONE.model_copy(update={"octaves": 2, "octave_scale": 2.0, "jitter": 3, "tone": tone, "strength": 0.05, "smoothing": 1.0})
    for state in run(start, scoring("edge", hand)[0], settings(kind, ascent=ascent, mask=mask, transforms=ALL)):
        size = state.pictures.shape[2:]
        own, base = resize(mask, *size), resize(start, *size)
        outside = (own == 0).expand_as(base)
        assert outside.float().mean() > 0.3
        assert torch.equal(state.pictures[outside], base[outside])
        assert (state.pictures - base)[own.expand_as(base) == 1].abs().mean() > 0.005
        coarse = F.max_pool2d(own, 4 * size[0] // 32, ceil_mode=True)
        assert state.changed[coarse == 0].max() < 0.2 * state.changed.max()  # nothing but what came with another size


# ---- dead starts


def dark() -> Tensor:
    return pictures(low=0.05, high=0.2)  # light below 1, at which `act:0` is dead


@pytest.mark.parametrize("kind", ["pixels", "fourier"])  # phases cannot brighten a picture
@pytest.mark.parametrize("target", ["act:0", "act:0@3,3"])
def test_a_dead_start_is_brought_to_life(hand: Network, kind: str, target: str) -> None:
    score, soft = scoring(target, hand)
    ascent = ONE.model_copy(update={"steps": 40, "strength": 0.03})
    without = run(dark(), score, settings(kind, ascent=ascent))
    assert not any(bool(state.alive) for state in without) and torch.allclose(without[-1].pictures, dark(), atol=1e-4)
    states = run(dark(), score, settings(kind, ascent=ascent, soft=soft))
    assert bool(states[0].soft) and bool(states[0].alive) and float(states[0].score) == 0
    assert bool(states[-1].alive) and not bool(states[-1].soft) and float(score(states[-1].pictures, IDENTITY)) > 0


def test_only_the_dead_of_a_batch_are_led_softly(hand: Network) -> None:
    score, soft = scoring(["act:0", "act:0"], hand)
    start = torch.cat([pictures(low=0.5), dark()])
    states = run(start, score, ClimbSettings(ascent=ONE, soft=lambda x, view: soft(x, view) + patterned(x, view)), (1, 2))
    assert states[0].soft.tolist() == [False, True] and states[0].alive.tolist() == [True, True]
    alone = run(start[:1], scoring("act:0", hand)[0], ClimbSettings(ascent=ONE), (1,))
    assert torch.allclose(states[-1].pictures[:1], alone[-1].pictures, atol=1e-6)


def test_a_unit_that_can_never_fire_is_given_up() -> None:
    module = Hand()
    with torch.no_grad():
        module.light.weight[0] = 0
    network = wrapped(module)
    score, soft = scoring("act:0", network)
    start = pictures()
    states = run(start, score, ClimbSettings(ascent=ONE, soft=soft))
    assert not any(bool(state.alive) or bool(state.soft) for state in states)
    assert torch.allclose(states[-1].pictures, start, atol=1e-6)


def test_no_picture_is_led_softly_for_longer_because_of_another() -> None:
    calls: list[int] = []

    def score(x: Tensor, _: object) -> Tensor:  # the first is dead for ever; the second alive until the first was given up
        calls.append(len(calls))
        return x.sum((1, 2, 3)) * torch.tensor([0.0, float(len(calls) <= SOFT_STEPS)])

    ascent = ONE.model_copy(update={"steps": SOFT_STEPS + 3, "strength": 1e-4})
    states = run(pictures(2), score, ClimbSettings(ascent=ascent, soft=lambda x, _: x.sum((1, 2, 3))), (1, 2))
    assert [state.soft.tolist() for state in states] == [[True, False]] * SOFT_STEPS + [[False, True]] * 3
    assert states[-1].alive.tolist() == [False, True]


# ---- octaves


def test_what_grew_is_carried_up_as_it_is_and_a_dream_is_laid_over_its_start() -> None:
    start = pictures(side=32)

    def first_octave(x: Tensor, _: object) -> Tensor:
        return patterned(x, _) if x.shape[2] == 16 else nothing(x, _)

    ascent = ONE.model_copy(update={"octaves": 2, "octave_scale": 2.0, "strength": 0.05})
    grown = run(start, first_octave, ClimbSettings(ascent=ascent, grown=True))
    assert torch.allclose(grown[-1].pictures, resize(grown[2].pictures, 32, 32), atol=1e-6)
    laid = run(start, first_octave, ClimbSettings(ascent=ascent))
    assert torch.equal(laid[2].pictures, grown[2].pictures)
    assert (laid[-1].pictures - grown[-1].pictures).std() > 0.03
    fine = start - resize(resize(start, 16, 16), 32, 32)  # the start's own detail is in the one and not in the other
    assert float((laid[-1].pictures * fine).sum()) > float((grown[-1].pictures * fine).sum()) + 0.5 * float((fine * fine).sum())


@pytest.mark.parametrize("kind", ["fourier", "maco"])
def test_other_canvases_grow_too(kind: str) -> None:
    ascent = ONE.model_copy(update={"octaves": 2, "octave_scale": 2.0})
    states = run(
        pictures(2, side=64), lambda x, _: patterned(x, _) * float(x.shape[2] == 32), settings(kind, ascent=ascent, grown=True), (1, 2)
    )
    small, large = states[2].pictures, resize(states[-1].pictures, 32, 32)
    alike = torch.nn.functional.cosine_similarity((small - small.mean()).flatten(), (large - large.mean()).flatten(), 0)
    assert alike > 0.85


# ---- alone and in company


@each_canvas
def test_one_step_is_the_same_alone_and_in_a_batch(lite0: Network, kind: str) -> None:
    targets = ["blocks.2.1:3", "blocks.1.1", "class:banana"]
    start = torch.stack([noise_start("pink", 64, 64, 5, each, 0.17).pixels for each in targets])
    ascent = Ascent(octaves=1, steps=1, jitter=6, strength=0.02, tone="free" if kind != "pixels" else "light", focus=0.6, centre=0.5)
    how = settings(kind, ascent=ascent, transforms=ALL, grown=True)
    together = run(start, scoring(targets, lite0)[0], how, generators=[generator(5, each) for each in targets])[-1]
    for number, target in enumerate(targets):
        alone = run(start[number : number + 1], scoring(target, lite0)[0], how, generators=[generator(5, target)])[-1]
        assert (together.pictures[number] - alone.pictures[0]).abs().max() < 1e-4
        assert float(together.score[number]) == pytest.approx(float(alone.score[0]), rel=1e-3, abs=1e-5)


def test_the_final_score_is_the_same_alone_and_in_a_batch(lite0: Network) -> None:
    targets = ["blocks.2.1:3", "blocks.2.0:5", "blocks.3.0:7"]
    start = torch.stack([noise_start("pink", 64, 64, 5, each, 0.17).pixels for each in targets])
    ascent = Ascent(octaves=2, steps=4, jitter=6, strength=0.1, settle=0.06, smoothing=1.3, vivid=0.35, tone="light")
    how = ClimbSettings(ascent=ascent, transforms=Transforms(rotate=15, scale=1.3, noise=0.1, fade=0.4), grown=True)
    batch, _ = scoring(targets, lite0)
    before = batch(start, IDENTITY)
    last = run(start, batch, how, generators=[generator(5, each) for each in targets])[-1].pictures
    together = batch(last, IDENTITY)
    for number, target in enumerate(targets):
        score, _ = scoring(target, lite0)
        own = run(start[number : number + 1], score, how, generators=[generator(5, target)])[-1].pictures
        alone = score(own, IDENTITY)
        print(target, float(before[number]), float(alone), float(together[number]))
        assert float(together[number]) == pytest.approx(float(alone), rel=0.02)
        assert (last[number] - own[0]).square().mean().sqrt() < 0.02  # 0.11 with other views; after many more steps last bits do as much
        assert float(alone) > float(before[number])

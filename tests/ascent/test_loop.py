"""The ascent: every kind of target rises, light and contrast are held, chance comes from the generators alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from tests.helpers.climbing import ONE, pictures, run, scoring
from torch import Tensor, nn

from reverie.ascent import IDENTITY, ClimbSettings, Size, Transform, octave_sizes
from reverie.canvas import LOWEST, Preconditioner, Tone, friendly
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.objectives import excite
from reverie.pictures import resize
from reverie.recipe import Ascent
from reverie.render import check, generator
from reverie.target import CLASSES, parse

CPU = torch.device("cpu")


# ---- every kind of target rises


TARGETS = [
    "light",
    "act",
    "edge",
    "light:0",
    "light:1",
    "norm:1",
    "edge:0",
    "edge:1@7,9",
    "edge:0@0,15",
    "edge:0@centre",
    "-edge:1@3,4",
    "class:warm",
    "class:2",
    "-class:edges",
    "-light",
    "2*edge:1 - 0.5*light:0",
    "class:warm - 0.25*edge + light:1@2,2",
]


HELD = ("light:0", "light:1", "norm:1", "-light")  # light and warmth themselves, which `keep` holds


@pytest.mark.parametrize(
    ("target", "tone"), [(each, tone) for each in TARGETS for tone in ("free", "keep") if tone == "free" or each not in HELD]
)
def test_every_kind_of_target_rises(hand: Network, target: str, tone: str) -> None:
    score, _ = scoring(target, hand)
    start = pictures()
    settings = ONE.model_copy(update={"tone": tone})
    states = run(start, score, settings)
    assert float(states[0].score) == float(score(start, IDENTITY))
    assert float(score(states[-1].pictures, IDENTITY)) > float(score(start, IDENTITY))


@pytest.mark.parametrize("target", ["blocks.1.1", "blocks.2.1:3", "-blocks.1.0:5", "blocks.2.0:3@2,3", "class:banana"])
def test_targets_rise_on_the_real_network_with_the_usual_settings(lite0: Network, target: str) -> None:
    score, _ = scoring(target, lite0)
    start = pictures(side=64, low=0.3, high=0.7)
    states = run(start, score, Ascent(octaves=1, steps=3, jitter=0))
    assert float(score(states[-1].pictures, IDENTITY)) > float(score(start, IDENTITY))


def test_the_score_is_the_weighted_sum_of_what_the_terms_say(hand: Network) -> None:
    x = torch.zeros(2, 3, 16, 16)
    x[:, 0] = 1.0  # light: 1 and 1; normalised: 0 and 0.5; edge: 0 and 0.5; classes: 0, 1, -0.5
    x[1] *= 2  # light: 2 and 2; normalised: 0.5 and 1; inside, edge 0 and 1
    expected = {
        "light": [1.0, 4.0],
        "light:1": [1.0, 2.0],
        "norm": [0.125, 0.625],
        "edge:1@3,3": [0.5, 1.0],
        "edge:1@": [0.5, 1.0],
        "edge:0@3,3": [0.0, 0.0],
        "edge:0@3,0": [0.0, 0.5],  # left of it is nothing
        "edge:0@3,15": [0.0, -0.5],
        "class:warm": [1.0, 1.5],
        "class:2": [-0.5, -1.0],
        "2*light:1 - 0.5*light - class:warm": [0.5, 0.5],
    }
    for target, wanted in expected.items():
        assert scoring([target] * 2, hand)[0](x, IDENTITY).tolist() == pytest.approx(wanted, abs=1e-6), target


def test_excite_knows_no_network() -> None:
    seen = {"a": torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]]), CLASSES: torch.tensor([[5.0, 7.0]])}
    score = excite([parse("a + 10*a:1 + 100*a:0@0,1 + 1000*class:seven")], lambda label: (1,))
    assert score(seen).tolist() == [(1 + 9 + 0 + 4) / 4 + 10 * 1 + 100 * 3 + 1000 * 7]
    for height, width, middle in ((3, 5, 7.0), (4, 4, 10.0), (1, 2, 1.0)):
        numbered = {"a": torch.arange(float(height * width)).view(1, 1, height, width)}
        assert excite([parse("a:0@")], lambda label: ())(numbered).tolist() == [middle]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("lihgt", "did you mean 'light'"),
        ("light:2", "no channel 2 in 'light'; it has 2, numbered from 0"),
        ("light:0@16,0", "no place 16,0 in 'light'"),
        ("light:0@0,16", "no place 0,16 in 'light'"),
        ("light#1", "no layer 'light#1'"),
        ("class:3", "no class 3"),
        ("class:warn", "did you mean 'warm'"),
        ("head:0@1,1", "no place 1,1 in 'head'"),
    ],
)
def test_targets_the_network_does_not_have(hand: Network, target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check(parse(target), hand)


# ---- light and contrast


def measured(pixels: Tensor) -> tuple[Tensor, Tensor]:
    return pixels.mean((2, 3)), pixels.std((2, 3), correction=0)


def test_tone_is_held_through_an_ascent(hand: Network) -> None:
    start = pictures(low=0.4, high=0.6, side=24)
    score, _ = scoring("edge", hand)
    for state in run(start, score, Ascent(octaves=2, steps=6, jitter=3)):
        if state.pictures.shape == start.shape and state.pictures.min() > 0 and state.pictures.max() < 1:
            for got, wanted in zip(measured(state.pictures), measured(start), strict=True):
                assert (got - wanted).abs().max() < 1e-3
    assert state.pictures.min() > 0 and state.pictures.max() < 1
    assert (state.pictures - start).std() > 0.01


def test_tone_held_is_the_tone_there_was() -> None:
    start, other = pictures(2, seed=7), pictures(2, low=-3, high=9, seed=8)
    held = Tone.of(start).hold(other)
    for got, wanted in zip(measured(held), measured(start), strict=True):
        assert (got - wanted).abs().max() < 1e-5
    assert torch.allclose(Tone.of(start).hold(start), start, atol=1e-6)
    flat = torch.full((2, 3, 16, 16), 0.25)
    kept = Tone.of(start).hold(flat)
    assert kept.isfinite().all() and torch.allclose(kept.mean((2, 3)), start.mean((2, 3)), atol=1e-6)
    assert torch.allclose(Tone.of(flat).hold(start).mean((2, 3)), flat.mean((2, 3)), atol=1e-6)


# ---- nothing to climb


@pytest.mark.parametrize("tone", ["free", "keep"])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_start_gives_numbers(hand: Network, tone: Any, value: float) -> None:
    score, _ = scoring("edge + class:warm", hand)
    for state in run(torch.full((1, 3, 16, 16), value), score, Ascent(octaves=2, steps=2, jitter=2, tone=tone)):
        assert state.pictures.isfinite().all() and state.score.isfinite().all()
        assert state.pictures.min() >= 0 and state.pictures.max() <= 1


@pytest.mark.parametrize("tone", ["free", "keep"])
def test_a_dead_gradient_leaves_the_picture_as_it_is(tone: Any) -> None:
    start = pictures()
    for state in run(start, lambda x, _: (x.clamp(max=-1) * 0).sum((1, 2, 3)), Ascent(octaves=1, steps=3, tone=tone)):
        assert torch.allclose(state.pictures, start, atol=1e-6)


@pytest.mark.parametrize("size", [1e-15, 1e-25])
def test_a_faint_gradient_is_a_gradient(size: float) -> None:
    start = pictures()
    strong = run(start, lambda x, _: x[:, 0, :8].sum((1, 2)), ONE)[-1].pictures
    faint = run(start, lambda x, _: size * x[:, 0, :8].sum((1, 2)), ONE)[-1].pictures
    assert torch.allclose(strong, faint, atol=1e-4)


def test_an_even_gradient_takes_steps_no_larger_than_another() -> None:
    start = pictures()
    (state,) = run(start, lambda x, _: x.mean((1, 2, 3)), ONE.model_copy(update={"steps": 1}))
    assert 0 < float((state.pictures - start).mean()) < 5 * ONE.strength


def test_an_ascent_where_gradients_are_switched_off(hand: Network) -> None:
    score, _ = scoring("edge", hand)
    with torch.no_grad():
        states = run(pictures(), score, ONE)
    assert torch.equal(states[-1].pictures, run(pictures(), score, ONE)[-1].pictures)


# ---- octaves and steps


def test_octave_sizes() -> None:
    settings = Ascent(octaves=3, octave_scale=2)
    assert octave_sizes(100, 64, settings) == [Size(25, 16), Size(50, 32), Size(100, 64)]
    assert octave_sizes(100, 64, settings, smallest=32) == [Size(50, 32), Size(100, 64)]
    assert octave_sizes(20, 20, settings, smallest=32) == [Size(20, 20)]
    assert octave_sizes(360, 640, Ascent(octaves=5, octave_scale=1.4))[0] == Size(94, 167)
    assert min(min(size) for size in octave_sizes(16, 16, Ascent(octaves=24, octave_scale=4))) == 1


def test_progress_counts_from_one_to_the_end() -> None:
    settings = Ascent(octaves=3, octave_scale=2, steps=2, jitter=0)
    states = run(pictures(side=32), lambda x, _: x[:, :, :4].mean((1, 2, 3)), settings)
    assert [(state.octave, state.step) for state in states] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert all((state.octaves, state.steps) == (3, 2) for state in states)
    assert [tuple(state.pictures.shape[2:]) for state in states[::2]] == [(8, 8), (16, 16), (32, 32)]
    done = [state.done for state in states]
    assert done == sorted(done) and done[-1] == pytest.approx(1)


def test_a_step_has_the_strength_it_should() -> None:
    start = pictures(low=0.45, high=0.55)
    weights = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(9))
    for strength in (0.01, 0.03):
        (state,) = run(start, lambda x, _: (x * weights).sum((1, 2, 3)), ONE.model_copy(update={"steps": 1, "strength": strength}))
        change = state.pictures - start
        assert float(change.square().mean().sqrt()) == pytest.approx(strength, rel=1e-3)
        assert float((change * weights).sum()) > 0


def test_octaves_carry_upwards_what_was_added() -> None:
    start = pictures(side=32, low=0.4, high=0.6)
    weights = torch.linspace(-1, 1, 8).view(1, 1, 8, 1)

    def only_small(x: Tensor, _: Transform) -> Tensor:
        return (x * weights).sum((1, 2, 3)) if x.shape[2] == 8 else (x * 0).sum((1, 2, 3))

    states = run(start, only_small, Ascent(octaves=3, octave_scale=2, steps=4, jitter=0, tone="free"))
    small, last = states[3].pictures, states[-1].pictures
    low, carried = small - resize(start, 8, 8), resize(last, 8, 8) - resize(start, 8, 8)
    assert low.std() > 0.02
    assert nn.functional.cosine_similarity(low.flatten(), carried.flatten(), 0) > 0.9
    assert ((last - start) - (last - start).mean()).std() < 2 * low.std()


# ---- chance


def test_jitter_is_drawn_from_the_generators_alone(hand: Network) -> None:
    score, _ = scoring("edge", hand)
    settings = Ascent(octaves=2, steps=3, jitter=5)
    start = pictures()
    torch.manual_seed(10)
    before = torch.get_rng_state()
    first = run(start, score, settings, (1,))[-1].pictures
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(11)
    assert torch.equal(run(start, score, settings, (1,))[-1].pictures, first)
    assert not torch.equal(run(start, score, settings, (2,))[-1].pictures, first)
    still = settings.model_copy(update={"jitter": 0})
    assert torch.equal(run(start, score, still, (1,))[-1].pictures, run(start, score, still, (2,))[-1].pictures)


def test_a_generator_for_each_seed_and_purpose() -> None:
    def draw(seed: int, purpose: str) -> int:
        return int(torch.randint(2**62, (1,), generator=generator(seed, purpose)))

    assert draw(1, "a") == draw(1, "a")
    assert len({draw(1, "a"), draw(2, "a"), draw(1, "b"), draw(0, "a"), draw(2**63 - 1, "a")}) == 5


@pytest.mark.parametrize("target", ["edge", "class:warm + edge:0"])
def test_a_picture_in_a_batch_is_as_if_alone(hand: Network, target: str) -> None:
    start = pictures(2)
    settings = Ascent(octaves=1, steps=1, jitter=6, strength=0.05)
    together = run(start, scoring([target] * 2, hand)[0], settings, (3, 4))[0]
    for number, seed in enumerate((3, 4)):
        alone = run(start[number : number + 1], scoring(target, hand)[0], settings, (seed,))[0]
        assert (together.pictures[number] - alone.pictures[0]).abs().max() < 1e-4
        assert float(together.score[number]) == pytest.approx(float(alone.score[0]), rel=1e-5)
    assert (together.pictures[0] - start[0]).std() > 0.01


def test_an_ascent_leaves_start_and_network_alone(hand: Network) -> None:
    score, _ = scoring("edge", hand)
    start = pictures()
    before, weights = start.clone(), hand.sha256
    run(start, score, ONE)
    assert torch.equal(start, before) and not start.requires_grad and start.grad is None
    assert hand.sha256 == weights


# ---- smoothing


def wave(height: int, width: int, down: int, across: int) -> Tensor:
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    return torch.sin(2 * math.pi * (down * y + across * x) + 0.3).expand(1, 3, height, width)


def test_power_0_leaves_a_gradient_as_it_is() -> None:
    gradient = pictures(2)
    assert torch.allclose(Preconditioner(16, 16, 0, 1, CPU)(gradient), gradient, atol=1e-6)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("down", "across"), [(3, 0), (0, 5), (4, 7), (20, 20)])
def test_a_wave_is_divided_by_its_frequency_to_the_power(power: float, down: int, across: int) -> None:
    height, width = 64, 60
    gradient = wave(height, width, down, across)
    frequency = math.hypot(down / height, across / width)
    smoothed = Preconditioner(height, width, power, 1, CPU)(gradient)
    assert torch.allclose(smoothed, gradient * frequency**-power, atol=1e-3 * frequency**-power)


def test_what_is_slower_than_the_lowest_is_favoured_no_further() -> None:
    flat = torch.full((1, 3, 64, 60), 0.5)
    smoothed = Preconditioner(64, 60, 1.5, 1, CPU)(flat)
    assert torch.allclose(smoothed, flat * LOWEST**-1.5, rtol=1e-4)
    slow = wave(256, 16, 1, 0)
    assert torch.allclose(Preconditioner(256, 16, 1.5, 1, CPU)(slow), slow * LOWEST**-1.5, rtol=1e-3, atol=0.5)


def test_awkward_sizes_are_padded_and_cut_again() -> None:
    assert [friendly(each) for each in (1, 7, 61, 97, 640, 1021)] == [1, 8, 64, 100, 640, 1024]
    gradient = wave(61, 97, 6, 9)
    smoothed = Preconditioner(61, 97, 1, 1, CPU)(gradient)
    assert smoothed.shape == gradient.shape
    inner = (..., slice(20, 40), slice(30, 60))
    frequency = math.hypot(6 / 61, 9 / 97)
    assert nn.functional.cosine_similarity(smoothed[inner].flatten(), gradient[inner].flatten(), 0) > 0.97
    assert float(smoothed[inner].std() / gradient[inner].std()) == pytest.approx(1 / frequency, rel=0.15)


def test_colours_go_together_unless_they_are_let_free() -> None:
    red = torch.zeros(1, 3, 16, 16)
    red[:, 0] = pictures()[:, 0] - 0.5
    assert torch.allclose(Preconditioner(16, 16, 0, 1, CPU)(red), red, atol=1e-6)
    mixed = Preconditioner(16, 16, 0, 0, CPU)(red)
    for colour in (1, 2):
        assert nn.functional.cosine_similarity(mixed[:, colour].flatten(), red[:, 0].flatten(), 0) > 0.99


def test_progress_says_what_is_being_done_and_shows_no_numbers_of_pictures() -> None:
    ascent = ONE.model_copy(update={"octaves": 2, "steps": 2})
    state = run(pictures(2), lambda x, _: x.mean((1, 2, 3)) * 0 + 0.25, ascent, (1, 2))[2]
    assert state.doing == "octave 2/2  step 1/2  score 0.25"
    assert repr(state).startswith("Progress(octave 2/2  step 1/2  score 0.25  ") and "tensor" not in repr(state)
    for each in (state, ClimbSettings(mask=torch.zeros(1, 1, 4, 4)), Transform(noise=torch.zeros(1, 3, 4, 4))):
        assert "tensor" not in repr(each) and len(repr(each)) < 100

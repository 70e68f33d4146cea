"""Penalties: what each step takes back. Each draws a picture where it says, and no further."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.climbing import BARE, ONE, drawn, nothing, pictures, run
from tests.helpers.recipes import PLAIN
from torch import Tensor

from reverie.ascent import ClimbSettings
from reverie.canvas import magnitudes
from reverie.objectives import penalty
from reverie.objectives.penalties import SPREAD, border, spectrum, total_variation
from reverie.recipe import Canvas, Penalties, Recipe
from reverie.render.scores import penalised


def natural(height: int, width: int, _: object = None) -> Tensor:
    return magnitudes(height, width, 0.0)[0]


def with_penalties(**weights: float) -> Recipe:
    return PLAIN.model_copy(update={"penalties": Penalties(**weights)})


def test_no_penalty_takes_nothing() -> None:
    assert penalty(Penalties(), natural) is None
    assert penalised(PLAIN) is None


@pytest.mark.parametrize("kind", ["pixels", "fourier"])
def test_l2_alone_draws_to_grey(kind: Any) -> None:
    start = pictures(low=0.0, high=1.0)
    settings = ClimbSettings(
        canvas=Canvas(canvas=kind), ascent=ONE.model_copy(update={"steps": 60, "strength": 0.1, "settle": 0.02}),
        penalty=penalised(with_penalties(l2=1.0)),
    )  # fmt: skip
    last = run(start, nothing, settings)[-1].pictures
    assert (last - 0.5).abs().max() < 0.02 if kind == "pixels" else (last - 0.5).std() < 0.3 * (start - 0.5).std()


def test_border_draws_the_border_to_grey_and_leaves_the_middle() -> None:
    start = pictures(side=31, low=0.0, high=1.0)
    settings = ClimbSettings(ascent=ONE.model_copy(update={"steps": 60, "strength": 0.1}), penalty=penalised(with_penalties(border=1.0)))
    last = run(start, nothing, settings)[-1].pictures
    edge = torch.cat([last[..., 0, :], last[..., -1, :], last[..., :, 0], last[..., :, -1]], -1)
    assert (edge - 0.5).abs().max() < 0.02
    assert (last - start)[..., 13:18, 13:18].abs().max() < 0.02
    back = border(torch.ones(1, 3, 31, 61))
    assert back[0, 0, 15, 30] < 1e-9 and torch.allclose(back[..., 0, :], torch.tensor(0.5 / SPREAD))
    assert (back[0, 0, 15, 31:] >= back[0, 0, 15, 30:-1]).all()


@pytest.mark.parametrize("size", [(12, 17), (1, 9), (9, 1), (2, 2)])
def test_the_gradient_of_total_variation_is_that_of_its_formula(size: tuple[int, int]) -> None:
    some = pictures(2, side=size[0], width=size[1]).double().requires_grad_(True)
    down, across = torch.zeros_like(some), torch.zeros_like(some)
    down[..., :-1, :] = some[..., 1:, :] - some[..., :-1, :]
    across[..., :-1] = some[..., 1:] - some[..., :-1]
    lengths = (down.square() + across.square()).sum(1).add(0.01**2).sqrt()  # (N, H, W): colours together
    (expected,) = torch.autograd.grad(lengths.sum(), some)
    assert torch.allclose(total_variation(some.detach()), expected, atol=1e-9)


def test_total_variation_evens_out_grain_and_keeps_an_edge() -> None:
    start = torch.full((1, 3, 16, 16), 0.3)
    start[..., 8:] = 0.7
    grainy = start + 0.03 * torch.randn(start.shape, generator=drawn(1))
    ascent = ONE.model_copy(update={"steps": 60, "strength": 0.01, "settle": 0.05})
    settings = ClimbSettings(ascent=ascent, penalty=penalised(with_penalties(total_variation=0.5)))
    last = run(grainy, nothing, settings)[-1].pictures
    assert last[..., :8].std() < 0.3 * grainy[..., :8].std()
    assert float(last[..., 8:].mean() - last[..., :8].mean()) > 0.35
    assert float((last[..., 8] - last[..., 7]).mean()) > 0.3


def test_the_spectrum_is_drawn_towards_that_of_photographs() -> None:
    white = 0.5 + 0.1 * torch.randn(1, 3, 64, 64, generator=drawn(2))
    wanted = natural(64, 64)[1:32, 1:32].log()

    def off(some: Tensor) -> float:
        """How far the spectrum is from that of photographs, in logarithms; a factor does not count."""
        power = torch.fft.rfft2(some).abs().square().mean((0, 1))[1:32, 1:32]
        return float((0.5 * power.log() - wanted).std())

    settings = ClimbSettings(ascent=ONE.model_copy(update={"steps": 30, "strength": 0.1}), penalty=penalised(with_penalties(spectrum=1.0)))
    last = run(white, nothing, settings)[-1].pictures
    print("off by", off(white), off(last))
    assert off(last) < 0.2 * off(white)
    assert abs(float(last.mean() - white.mean())) < 1e-4
    before, after = torch.fft.rfft2(white), torch.fft.rfft2(last)
    assert torch.cos(before.angle() - after.angle())[..., 1:32, 1:32].mean() > 0.95  # the waves stay where they were


def test_a_picture_with_the_spectrum_of_photographs_is_left_alone() -> None:
    phases = torch.fft.rfft2(torch.randn(1, 1, 32, 33, generator=drawn(3))).angle()
    one = torch.fft.irfft2(torch.polar(natural(32, 33).expand_as(phases).clone(), phases), s=(32, 33))
    some = 0.5 + one.expand(1, 3, 32, 33)
    assert spectrum(some, natural(32, 33)).abs().max() < 0.15 * (some - 0.5).std() / SPREAD
    twice = torch.full((32, 17), 1.0)
    twice[2, 3] = twice[-2, 3] = 1.3
    away = torch.fft.rfft2(spectrum(some, natural(32, 33) * twice) * SPREAD)[0, 0]  # it asks for 1.3 times that wave, hardly less of others
    assert float((away / torch.fft.rfft2(some)[0, 0])[2, 3].real) == pytest.approx(-0.3, abs=0.03)
    assert spectrum(torch.full((1, 3, 32, 33), 0.4), natural(32, 33)).abs().max() < 1e-4  # a flat one has none


def test_penalties_add_up_by_their_weights() -> None:
    some = pictures()
    both = penalty(Penalties(total_variation=0.5, border=2.0), natural)
    assert both is not None
    assert torch.allclose(both(some), 0.5 * total_variation(some) + 2 * border(some), atol=1e-6)


def test_a_penalty_takes_back_from_what_the_score_asks_for() -> None:
    start, pattern = pictures(low=0.4, high=0.6), torch.randn(3, 16, 16, generator=drawn(4)).sign()
    ends = []
    for weight in (0.0, 0.5, 1.5):
        settings = ClimbSettings(ascent=BARE.model_copy(update={"steps": 40}), penalty=penalised(with_penalties(l2=weight)))
        ends.append(run(start, lambda x, _: (x * pattern).sum((1, 2, 3)), settings)[-1].pictures)
    spreads = [float((each - 0.5).std()) for each in ends]
    assert spreads[0] > spreads[1] > spreads[2] > 0.1
    # where the pull of the score, 1 along a pattern of signs, and that towards grey are as strong: |x - 0.5| = SPREAD / weight
    assert float((ends[2] - 0.5).abs().mean()) == pytest.approx(SPREAD / 1.5, rel=0.1)

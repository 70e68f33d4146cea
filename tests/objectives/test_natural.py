"""How far from usual activations are, worked out by torch's own distributions; and the score that is climbed beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from reverie.objectives.natural import _Moments, beside, distance


def of(mean: list[float], spread: list[float], seed: int = 0) -> Tensor:
    """(1, C, 8, 8), of exactly these means and standard deviations."""
    values = torch.randn(1, len(mean), 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values = (values - values.mean((2, 3), keepdim=True)) / values.std((2, 3), keepdim=True, unbiased=False)
    return values * torch.tensor(spread).view(-1, 1, 1) + torch.tensor(mean).view(-1, 1, 1)


def normal(mean: float, spread: float) -> Normal:
    return Normal(torch.tensor(mean), torch.tensor(spread))


USUAL = {"a": (torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])), "b": (torch.zeros(1), torch.ones(1))}


def squared(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The squared divergence of a channel beside sixteen usual ones, in units of one of twice the usual power."""
    (mean, spread), (usual, its) = here, there
    among = (mean + 16 * usual) / 17
    power = (mean**2 + spread**2 + 16 * (usual**2 + its**2)) / 17 - among**2
    unit = float(kl_divergence(normal(0, (18 / 17) ** 0.5), normal(0, 1)))
    return (float(kl_divergence(normal(among, power**0.5), normal(usual, its))) / unit) ** 2


def test_the_distance_is_the_mean_of_squared_divergences_less_of_deep_layers() -> None:
    a, b = of([1.5, 0.0], [1.0, 2.0]), of([0.2], [0.5])
    pairs = [((1.5, 1.0), (1.0, 0.5)), ((0.0, 2.0), (-2.0, 3.0)), ((0.2, 0.5), (0.0, 1.0))]
    each = [squared(*pair) for pair in pairs]
    assert float(distance({"a": a, "b": b}, USUAL)) == pytest.approx(((each[0] + each[1]) / 2 + each[2] / 2) / 2, rel=1e-5)
    pair = {"a": torch.cat([a, a]), "b": torch.cat([b, b])}
    assert distance(pair, USUAL).tolist() == pytest.approx(2 * [((each[0] + each[1]) / 2 + each[2] * 0.5**0.5) / 2], rel=1e-5)
    usual = {"a": of([1.0, -2.0], [0.5, 3.0]), "b": of([0.0], [1.0])}
    assert float(distance(usual, USUAL)) == pytest.approx(0, abs=1e-6)


def test_what_differs_as_photographs_do_costs_little() -> None:
    usual = {"b": (torch.zeros(1), torch.ones(1))}
    silent, twice, loud = (float(distance({"b": of([0.0], [spread])}, usual)) for spread in (1e-3, 2**0.5, 8**0.5))
    assert 0.8 < silent < 1.2 and twice == pytest.approx(1, rel=1e-4) and loud > 500


def test_pictures_of_a_batch_count_together() -> None:
    low, high = of([-1.0], [0.5], 1), of([1.0], [0.5], 2)
    usual = {"b": (torch.zeros(1), torch.tensor([1.25**0.5]))}
    both = torch.cat([low, high])
    assert torch.allclose(distance({"b": both}, usual), torch.zeros(2, dtype=torch.float64), atol=1e-6)
    assert all(float(distance({"b": each}, usual)) > 0.1 for each in (low, high))


def test_channels_that_hardly_ever_change_say_nothing_and_a_flat_picture_is_finite() -> None:
    usual = {"a": (torch.zeros(2), torch.tensor([1.0, 1e-4]))}
    assert float(distance({"a": of([0.0, 5.0], [1.0, 1.0])}, usual)) == pytest.approx(0, abs=1e-6)
    flat = torch.zeros(1, 2, 4, 4, requires_grad=True)
    away = distance({"a": flat}, usual)
    (slope,) = torch.autograd.grad(away.sum(), flat)
    assert torch.isfinite(away).all() and torch.isfinite(slope).all() and 0.5 < float(away.detach()) < 2


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_moments_and_their_gradient(layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).contiguous(memory_format=layout)
    mean, square = _Moments.apply(x)  # type: ignore[no-untyped-call]
    assert torch.allclose(mean, x.mean((2, 3))) and torch.allclose(square, x.square().mean((2, 3)))
    assert torch.autograd.gradcheck(_Moments.apply, x.requires_grad_(True))


def test_the_score_stays_and_its_gradient_is_that_of_logarithms() -> None:
    score = torch.tensor([2.0, -4.0, 0.0], requires_grad=True)
    away = torch.tensor([0.5, 0.25, 0.5], requires_grad=True)
    found = beside(score, away, 3.0)
    assert torch.equal(found.detach(), score.detach())
    by_score, by_distance = torch.autograd.grad(found.sum(), (score, away))
    assert torch.allclose(by_score, torch.tensor([1 / 2.0, 1 / 4.0, 1e3])) and torch.allclose(by_distance, torch.tensor([-6.0, -12.0, 0.0]))

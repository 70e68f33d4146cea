"""Where something is known, and how far a dream may go: the geometry by hand, and real photographs."""

from __future__ import annotations

import itertools

import pytest
import torch
from bench import photographs
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.calibrating import calibration
from reverie.networks.known_parts import KnownParts, Window, blended, inside, squares_of
from reverie.pictures import as_tensor, resize


@pytest.fixture(scope="module")
def cat() -> Tensor:
    return resize(as_tensor(photographs.photograph("chelsea"), 3), 192, 288)


def flat(height: int, width: int) -> Tensor:
    """(3, H, W): a clear blue sky, lighter below."""
    down = torch.linspace(0, 1, height)[:, None].expand(height, width)
    return torch.stack([0.3 + 0.3 * down, 0.5 + 0.2 * down, 0.8 + 0.1 * down])


@pytest.mark.parametrize(("height", "width"), [(360, 640), (640, 360), (100, 100), (157, 500), (900, 1350), (1, 700)])
def test_squares_cover_the_picture_each_half_beside_the_next(height: int, width: int) -> None:
    squares = squares_of(height, width, 224)
    covered = torch.zeros(height, width)
    for each in squares:
        assert each.height == each.width <= min(height, width)
        each.of(covered[None])[:] += 1
    assert covered.min() >= 1
    assert {each.height for each in squares} == {min(height, width, max(round(min(height, width) / 4), 157))}
    for name in ("top", "left"):
        begins = sorted({getattr(each, name) for each in squares})
        assert all(after - before <= -(-squares[0].height // 2) + 1 for before, after in itertools.pairwise(begins))


def test_blended_is_the_mean_of_the_windows_that_a_place_is_in() -> None:
    left, right = Window(0, 0, 8, 8), Window(0, 4, 8, 8)
    found = blended([(left, 1.0), (right, 0.0)], (8, 12), (8, 12))
    assert torch.equal(found[:, :4], torch.ones(8, 4))
    assert torch.equal(found[:, 8:], torch.zeros(8, 4))
    assert found[0, 4:8].tolist() == sorted(found[0, 4:8].tolist(), reverse=True)
    assert float(found[3, 5] + found[3, 6]) == pytest.approx(1, abs=1e-6)  # as far from the one's middle as from the other's


def test_inside_falls_at_borders_but_not_at_those_of_the_picture() -> None:
    found = inside(Window(0, 8, 16, 16), (16, 40), (16, 40))
    assert found.amax(0)[:8].max() == found.amax(0)[24:].max() == 0
    assert torch.equal(found[:, 12:20], torch.ones(16, 8))  # from its upper border to its lower one
    assert 0 < found[8, 8] < found[8, 10] < 1


def test_a_cat_is_known_and_a_clear_sky_is_not(lite0: Network, cat: Tensor) -> None:
    parts = KnownParts(lite0)
    of_cat, of_sky = parts.places(cat), parts.places(flat(192, 288))
    assert of_cat.shape == of_sky.shape == (160, 240)
    assert of_cat.mean() > 0.4
    assert of_sky.max() == 0


def test_beside_a_cat_a_clear_sky_is_not_known(lite0: Network, cat: Tensor) -> None:
    wide = torch.cat([cat, flat(192, 480)], 2)
    found = KnownParts(lite0).places(wide)
    assert found[:, :200].mean() > 0.3
    assert found[:, -250:].max() < 0.05


def test_as_far_leaves_what_is_known_and_takes_back_what_is_not(lite0: Network, cat: Tensor) -> None:
    parts = KnownParts(lite0)
    dream = reverie.dream(cat, level="parts", network=lite0, octaves=3, steps=10).pixels
    share = parts.as_far(cat, dream)
    assert 0 < share.min() <= share.max() < 1
    mixed = torch.lerp(cat, dream, resize(share[None], 192, 288))
    known = [each for each in [Window(0, 0, 192, 288), *squares_of(192, 288, 224)] if parts.is_known(each.of(cat))]
    assert known
    assert all(parts.is_known(each.of(mixed)) for each in known)
    assert not all(parts.is_known(each.of(dream)) for each in known)
    assert torch.equal(parts.as_far(cat, cat), torch.ones(160, 240))


def test_a_network_that_has_learnt_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"which cannot tell what it knows; .*calibrate"):
        KnownParts(wrapped(Hand(), labels=["edges", "warm", "cold"]))


def test_what_another_learnt_is_refused(lite0: Network) -> None:
    with pytest.raises(UsageError, match="does not fit it"):
        KnownParts(wrapped(nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())), calibration(lite0))  # without norms

"""Views: how a picture is shown to the network, drawn for each picture from its own generator."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.climbing import drawn, pictures, run
from torch import Tensor

from reverie.ascent import IDENTITY, ClimbSettings
from reverie.ascent.transforms import Transform, _grid, draw
from reverie.recipe import Ascent, Transforms

CPU = torch.device("cpu")
ALL = Transforms(rotate=20, scale=1.3, crop=0.7, mirror=True, noise=0.2, fade=0.4)
FIRST = 8  # random numbers that a turned one draws at first; the first of them is the angle's, the second the scale's


def share(seed: int, number: int) -> float:
    """What a seed draws at this place, -1..1."""
    return float(torch.rand(FIRST, generator=drawn(seed))[number] * 2 - 1)


def transform(
    shape: tuple[int, ...], transforms: Transforms, jitter: int = 0, done: float = 0.0, seeds: tuple[int, ...] = (0,)
) -> Transform:
    return draw(torch.Size(shape), transforms, jitter, done, [drawn(seed) for seed in seeds], CPU)


def places(height: int, width: int) -> Tensor:
    """(1, 3, H, W): in each pixel its own place, in pixels from the middle: down, right, and 0."""
    down, right = (torch.arange(side) + 0.5 - side / 2 for side in (height, width))
    return torch.stack([down[:, None].expand(height, width), right.expand(height, width), torch.zeros(height, width)])[None]


def test_a_transform_without_transforms_is_the_picture() -> None:
    some = pictures(2)
    assert torch.equal(IDENTITY(some), some)
    assert torch.equal(transform((2, 3, 16, 16), Transforms(), seeds=(1, 2))(some), some)
    still = Transform(affine=torch.tensor([[[1.0, 0, 0], [0, 1, 0]]] * 2))
    assert torch.allclose(still(some), some, atol=1e-5)


@pytest.mark.parametrize("seed", [each for each in range(12) if abs(share(each, 0)) > 0.5])
def test_a_quarter_turn_is_rot90(seed: int) -> None:
    part = share(seed, 0)
    some, wide = pictures(seed=seed), pictures(side=16, width=28, seed=seed)
    quarter = Transforms(rotate=90 / abs(part))
    turns = 1 if part > 0 else -1
    assert torch.allclose(transform((1, 3, 16, 16), quarter, seeds=(seed,))(some), torch.rot90(some, turns, (2, 3)), atol=1e-4)
    # of a picture that is wider than high the middle square is turned as a square is: nothing is stretched
    turned = transform((1, 3, 16, 28), quarter, seeds=(seed,))(wide)
    assert torch.allclose(turned[..., 6:22], torch.rot90(wide[..., 6:22], turns, (2, 3)), atol=1e-4)


@pytest.mark.parametrize("size", [(48, 48), (40, 72), (72, 40)])
def test_a_turn_keeps_distances(size: tuple[int, int]) -> None:
    for seed in range(4):
        turn = math.radians(25 * share(seed, 0))
        seen = transform((1, 3, *size), Transforms(rotate=25), seeds=(seed,))(places(*size))[0]
        y, x = slice(size[0] // 2 - 8, size[0] // 2 + 8), slice(size[1] // 2 - 8, size[1] // 2 + 8)  # the middle: nothing is mirrored in
        down, right = seen[0, y, x], seen[1, y, x]
        own = places(*size)[0][:, y, x]
        assert torch.allclose(torch.hypot(down, right), torch.hypot(own[0], own[1]), atol=1e-3)
        assert float((down[1:] - down[:-1]).mean()) == pytest.approx(math.cos(turn), abs=1e-4)
        assert float((down[:, 1:] - down[:, :-1]).mean()) == pytest.approx(math.sin(turn), abs=1e-4)


def sides(found: Transform) -> list[float]:
    assert found.affine is not None
    return (found.affine[:, 0, 0] ** 2 + found.affine[:, 1, 0] ** 2).sqrt().tolist()


def test_scales_lie_within_bounds_on_both_sides_of_1() -> None:
    found = sides(transform((60, 3, 16, 16), Transforms(scale=1.5), seeds=tuple(range(60))))
    assert 1 / 1.5 - 1e-5 <= min(found) < 0.75 and 1.35 < max(found) <= 1.5 + 1e-5
    assert 15 < sum(each > 1 for each in found) < 45
    for seed, size in enumerate(found):
        assert size == pytest.approx(1.5 ** share(seed, 1), rel=1e-4)
    # at half the side, neighbours in what is shown are half a pixel apart in the picture: it is shown at twice its size
    seed = next(each for each in range(60) if share(each, 1) < -0.5)
    seen = transform((1, 3, 32, 48), Transforms(scale=2 ** (1 / -share(seed, 1))), seeds=(seed,))(places(32, 48))[0]
    assert torch.allclose(seen[0, 9:24, 5], seen[0, 8:23, 5] + 0.5, atol=1e-4)
    assert torch.allclose(seen[1, 5, 9:24], seen[1, 5, 8:23] + 0.5, atol=1e-4)


def test_a_crop_is_a_part_of_the_picture() -> None:
    found = transform((80, 3, 24, 36), Transforms(crop=0.5), seeds=tuple(range(80)))
    assert found.affine is not None
    part, moved = found.affine[:, 0, 0], found.affine[:, :, 2]
    assert torch.equal(part, found.affine[:, 1, 1]) and found.affine[:, 0, 1].eq(0).all()
    assert 0.5 <= float(part.min()) < 0.55 and 0.95 < float(part.max()) <= 1
    assert (moved.abs() + part[:, None]).max() <= 1 + 1e-6  # it never goes beyond the border
    assert (moved.abs() + part[:, None]).max(1).values.gt(0.99).sum() < 40 and moved.std(0).min() > 0.1  # and goes everywhere


def test_about_half_of_the_views_are_mirrored() -> None:
    some = pictures()
    mirrored = 0
    for seed in range(200):
        seen = transform((1, 3, 16, 16), Transforms(mirror=True), seeds=(seed,))(some)
        flipped = torch.allclose(seen, some.flip(3), atol=1e-5)
        assert flipped or torch.allclose(seen, some, atol=1e-5)
        mirrored += flipped
    assert 75 < mirrored < 125


@pytest.mark.parametrize("transforms", [Transforms(), Transforms(rotate=1e-6)])
def test_jitter_moves_by_up_to_so_many_pixels(transforms: Transforms) -> None:
    wide = places(40, 60)
    found = []
    for seed in range(60):
        seen = transform((1, 3, 40, 60), transforms, jitter=5, seeds=(seed,))(wide)[0]
        moved = (seen - wide[0])[:2, 10:30, 10:50].flatten(1)
        assert torch.allclose(moved, moved[:, :1].expand_as(moved), atol=1e-3)
        found.append(moved[:, 0])
    moves = torch.stack(found)  # (60, 2)
    assert moves.abs().max() <= 5 + 1e-3 and moves.amax(0).min() > 3.5 and moves.amin(0).max() < -3.5
    if transforms == Transforms():
        assert torch.equal(moves, moves.round())


def test_noise_falls_to_nothing_at_the_end() -> None:
    found = [transform((1, 3, 64, 64), Transforms(noise=0.2), done=done).noise for done in (0.0, 0.5, 0.9)]
    assert [float(each.std()) for each in found if each is not None] == pytest.approx([0.2, 0.1, 0.2 * 0.0245], rel=0.05)
    assert transform((1, 3, 64, 64), Transforms(noise=0.2), done=1.0).noise is None
    some = pictures(side=64)
    shown = transform((1, 3, 64, 64), Transforms(noise=0.2))(some)
    assert found[0] is not None and torch.allclose(shown - some, found[0], atol=1e-6)


def test_fading_takes_contrast_and_keeps_the_mean() -> None:
    some = pictures(40)
    shown = transform((40, 3, 16, 16), Transforms(fade=0.3), seeds=tuple(range(40)))(some)
    assert torch.allclose(shown.mean((1, 2, 3)), some.mean((1, 2, 3)), atol=1e-5)
    left = shown.std((1, 2, 3)) / some.std((1, 2, 3))
    assert 0.3 - 1e-4 <= float(left.min()) < 0.4 and 0.9 < float(left.max()) <= 1 + 1e-4


@pytest.mark.parametrize("transforms", [Transforms(), Transforms(noise=0.2, fade=0.4), ALL])
@pytest.mark.parametrize("done", [0.0, 0.6, 1.0])
def test_the_transform_of_a_picture_does_not_depend_on_its_batch(transforms: Transforms, done: float) -> None:
    some = pictures(3)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    together = transform((3, 3, 16, 16), transforms, 4, done, (11, 12, 13))(some)
    assert torch.equal(torch.get_rng_state(), before)
    for number, seed in enumerate((11, 12, 13)):
        alone = transform((1, 3, 16, 16), transforms, 4, done, (seed,))(some[number : number + 1])
        assert torch.allclose(together[number], alone[0], atol=1e-6)
    assert not torch.equal(transform((1, 3, 16, 16), transforms, 4, done, (14,))(some[:1]), together[:1])


def test_the_same_transform_shows_a_start_as_it_showed_the_picture() -> None:
    some = pictures()
    found = transform((1, 3, 16, 16), ALL, 4)
    assert torch.equal(found(some), found(some.clone()))


@pytest.mark.parametrize("transforms", [Transforms(), ALL])
def test_a_gradient_finds_its_way_back_to_where_it_came_from(transforms: Transforms) -> None:
    some = pictures(side=24).requires_grad_(True)
    found = transform((1, 3, 24, 24), transforms, 3)
    (gradient,) = torch.autograd.grad(found(some)[:, :, 8:16, 8:16].sum(), some)
    assert gradient.isfinite().all() and gradient.abs().amax() > 0
    before = some.detach()
    after = before + 0.01 * gradient
    assert found(after)[:, :, 8:16, 8:16].sum() > found(before)[:, :, 8:16, 8:16].sum()


FADED = Transform(contrast=torch.tensor([0.3, 0.8, 1.0]).view(3, 1, 1, 1), noise=torch.rand(3, 3, 9, 12))
SHIFTS = [((0, 0), (4, -6), (-4, 6)), ((1, 0), (0, -1), (-2, -3)), ((4, 6), (3, 0), (-1, 5))]  # up to half a side


@pytest.mark.parametrize("found", [
    *(Transform(shifts=each) for each in SHIFTS), FADED, replace(FADED, shifts=SHIFTS[1]), replace(FADED, noise=None),
    transform((3, 3, 9, 12), ALL, 4, seeds=(1, 2, 3)), IDENTITY,
])  # fmt: skip
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_the_way_back_is_that_of_autograd(found: Transform, form: torch.memory_format) -> None:
    some = torch.rand(3, 3, 9, 12).requires_grad_(True)
    towards = torch.randn(3, 3, 9, 12).contiguous(memory_format=form)
    (wanted,) = torch.autograd.grad((found(some) * towards).sum(), some)
    before = towards.clone()
    assert torch.allclose(found.back(towards), wanted, atol=1e-5)
    assert torch.equal(towards, before)


def test_a_shift_of_the_smallest_pictures_finds_its_way_back() -> None:
    for height, width, shift in [(1, 1, (0, 0)), (2, 1, (1, 0)), (2, 3, (-1, 1)), (3, 2, (1, -1))]:
        some = torch.rand(1, 3, height, width).requires_grad_(True)
        towards, found = torch.randn(1, 3, height, width), Transform(shifts=(shift,))
        (wanted,) = torch.autograd.grad((found(some) * towards).sum(), some)
        assert torch.allclose(found.back(towards), wanted, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 16), (7, 12), (1, 5)])
def test_places_are_those_of_affine_grid(size: tuple[int, int]) -> None:
    affine = torch.randn(3, 2, 3)
    assert torch.allclose(_grid(affine, *size), F.affine_grid(affine, [3, 3, *size], align_corners=False), atol=1e-6)


@pytest.mark.parametrize("side", [16, 15])  # a multiple of eight numbers, and not
def test_noise_is_even_and_each_picture_draws_its_own(side: int) -> None:
    shape = (3, side, side)
    together = transform((4, *shape), Transforms(noise=0.2), seeds=(5, 6, 7, 5)).noise
    assert together is not None and torch.equal(together[0], together[3])
    for number, seed in enumerate((5, 6, 7)):
        alone = transform((1, *shape), Transforms(noise=0.2), seeds=(seed,)).noise
        assert alone is not None and torch.equal(alone[0], together[number])
    assert not torch.equal(together[0], together[1])
    many = transform((1, 3, 200, 200), Transforms(noise=0.2)).noise
    assert many is not None and abs(float(many.mean())) < 3e-3 and float(many.std()) == pytest.approx(0.2, rel=0.01)
    levels = torch.unique(many)
    assert len(levels) == 256 and float(levels.max() + levels.min()) == pytest.approx(0, abs=1e-6)
    neighbours = (many[..., 1:] * many[..., :-1]).mean(), (many[:, 1:] * many[:, :-1]).mean()
    assert max(abs(float(each)) for each in neighbours) < 0.02 * 0.2**2


@pytest.mark.parametrize(("rest", "still"), [(0.0, 0), (0.1, 1), (0.5, 3), (1.0, 6)])
def test_at_rest_the_picture_is_shown_as_it_is(rest: float, still: int) -> None:
    shown: list[bool] = []

    def score(each: Tensor, transform: Transform) -> Tensor:
        shown.append(transform is IDENTITY)
        return each.sum((1, 2, 3))

    ascent = Ascent(octaves=2, steps=3, rest=rest)
    run(pictures(), score, ClimbSettings(ascent=ascent, transforms=Transforms(rotate=9.0)))
    assert shown == [False] * (6 - still) + [True] * still

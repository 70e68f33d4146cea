"""Pictures moved without blur, and taken apart by the size of their details."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reverie.pictures.geometry import bands, from_opponent, light, moved, opponent


def noise(height: int = 40, width: int = 56, seed: int = 3) -> Tensor:
    print(f"seed {seed}")
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def waves(right: float = 0.0, down: float = 0.0, across: float = 0.15, along: float = 0.1) -> Tensor:
    """Sine waves, so many cycles per pixel, shifted: (3, 64, 80)."""
    y, x = torch.meshgrid(torch.arange(64.0) - down, torch.arange(80.0) - right, indexing="ij")
    return torch.stack([torch.sin(2 * math.pi * (across * x + along * y))] * 3)


def test_nothing_moved_is_the_same() -> None:
    picture = noise()
    assert moved(picture) is picture
    assert torch.allclose(moved(picture, right=1e-9), picture, atol=2e-5)


def test_whole_pixels_are_shifted_to_where_they_should_be() -> None:
    picture = noise()
    assert torch.allclose(moved(picture, right=3)[:, :, 3:], picture[:, :, :-3], atol=2e-5)
    assert torch.allclose(moved(picture, down=-2)[:, :-2], picture[:, 2:], atol=2e-5)


def test_a_quarter_turn_is_clockwise() -> None:
    square = noise(41, 41)
    assert torch.allclose(moved(square, angle=90), square.rot90(-1, (1, 2)), atol=1e-3)


def test_zoom_makes_larger_around_the_middle() -> None:
    y, x = torch.meshgrid(torch.arange(41.0) - 20, torch.arange(41.0) - 20, indexing="ij")

    def spot(radius: float) -> Tensor:
        return torch.exp(-(x**2 + y**2) / (2 * radius**2))[None]

    assert torch.allclose(moved(spot(3), zoom=1.5), spot(4.5), atol=2e-3)
    middle = (slice(None), slice(10, -10), slice(10, -10))  # around it there are mirrored ones
    assert torch.allclose(moved(spot(4), zoom=0.5)[middle], spot(2)[middle], atol=2e-3)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.5), (0.25, -0.7)])
def test_parts_of_a_pixel_do_not_blur(right: float, down: float) -> None:
    middle = (slice(None), slice(14, -14), slice(14, -14))
    assert (moved(waves(), right=right, down=down) - waves(right, down))[middle].abs().max() < 0.01


def test_a_hundred_moves_leave_fine_detail() -> None:
    picture = waves(across=0.12, along=0.06)
    for number in range(100):
        picture = moved(picture, right=0.5 if number % 2 else -0.5)
    middle = (slice(None), slice(16, -16), slice(16, -16))
    kept = picture[middle].square().mean() / waves(across=0.12, along=0.06)[middle].square().mean()
    assert kept > 0.8  # bilinear sampling leaves less than a millionth


def test_beyond_the_borders_it_goes_on_mirrored() -> None:
    picture = noise()
    shifted = moved(picture, right=4)
    assert torch.allclose(shifted[:, :, :4], picture[:, :, 1:5].flip(2), atol=2e-5)
    assert torch.isfinite(moved(picture, zoom=0.05, angle=77, right=500)).all()
    assert moved(noise(2, 3), zoom=1.1).shape == (3, 2, 3)


def test_bands_add_up_and_hold_what_is_as_large_as_they_are() -> None:
    picture = noise()
    parts = bands(picture)
    assert len(parts) >= 4 and torch.allclose(sum(parts, torch.zeros(())), picture, atol=1e-5)
    fine, *_, coarse = bands(waves(across=0.4, along=0.0))
    assert fine.square().mean() > 50 * coarse.square().mean()
    fine, *_, coarse = bands(waves(across=0.02, along=0.0))
    assert coarse.square().mean() > 50 * fine.square().mean()
    assert len(bands(noise(4, 4))) == 1


def test_light_weighs_colours_as_the_eye_does() -> None:
    assert torch.allclose(light(torch.ones(3, 2, 2)), torch.ones(2, 2))
    red, green, blue = (float(light(torch.eye(3)[each].view(3, 1, 1))) for each in range(3))
    assert green > red > blue > 0


def test_light_and_colour_come_apart_and_together_again() -> None:
    picture = noise()
    parts = opponent(picture)
    assert torch.equal(parts[0], light(picture)) and torch.allclose(from_opponent(parts), picture, atol=1e-6)
    assert opponent(torch.full((3, 2, 2), 0.3))[1:].abs().max() < 1e-6  # grey has no colour

"""Parts of a picture as masks: where they are white and black, and that contours are followed."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from reverie.pictures.regions import along_contours, parting, region, smooth_step
from reverie.recipe import Where


@pytest.mark.parametrize(
    ("name", "white", "black"),
    [
        ("top", (2, 40), (37, 40)),
        ("bottom", (37, 40), (2, 40)),
        ("left", (20, 4), (20, 75)),
        ("right", (20, 75), (20, 4)),
        ("centre", (20, 40), (1, 1)),
        ("edges", (1, 1), (20, 40)),
    ],
)
def test_a_part_is_white_where_it_is_and_black_far_from_it(name: str, white: tuple[int, int], black: tuple[int, int]) -> None:
    mask = region(name, 40, 80)
    assert mask.shape == (40, 80) and mask[white] == 1 and mask[black] == 0
    assert float(mask.min()) >= 0 and float(mask.max()) <= 1
    steps = torch.cat([mask.diff(dim=0).abs().flatten(), mask.diff(dim=1).abs().flatten()])
    assert float(steps.max()) < 0.25  # soft


def test_halves_and_opposites_add_up_to_the_whole() -> None:
    for first, second in (("top", "bottom"), ("left", "right"), ("centre", "edges")):
        assert torch.allclose(region(first, 33, 21) + region(second, 33, 21), torch.ones(33, 21))
    assert float(region("top", 64, 64).mean()) == pytest.approx(0.5, abs=1e-4)
    assert torch.equal(region("top", 50, 70), region("left", 70, 50).T)
    assert {"top", "bottom", "left", "right", "centre", "edges"} == set(get_args(Where)) - {"subject", "background"}


def test_a_coarse_mask_takes_on_the_contour_of_the_picture() -> None:
    picture = torch.full((3, 60, 60), 0.2)
    picture[:, :, 24:] = 0.8  # a contour at column 24
    coarse = smooth_step((torch.arange(60) - 12.0) / 36).expand(60, 60)  # from black at 12 to white at 48, middle at 30
    found = along_contours(coarse, picture, 8)
    jump = found.diff(dim=1)[30]
    assert int(jump.argmax()) == 23 and float(jump[23]) > 5 * float(coarse.diff(dim=1).max())


def test_dark_and_light_part_between_them() -> None:
    values = torch.cat([torch.full((300,), 0.2), torch.full((100,), 0.7)]).view(20, 20)
    assert 0.4 < parting(values) < 0.5

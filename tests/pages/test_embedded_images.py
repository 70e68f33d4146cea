"""Pictures and maps as data URIs: colours, and grids made coarser."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.helpers.sights import unpacked

from reverie.pages import embedded_images


def test_heat_is_clear_at_the_usual_and_below_and_grows_with_the_spreads() -> None:
    ramp = torch.arange(-20.0, 81.0)[None].expand(70, -1) / 10  # (70, 101): −2..8
    alpha = unpacked(embedded_images.heat(ramp, top=8.0))[0, :, 3]
    assert (alpha[:21] == 0).all()
    assert (np.diff(alpha[20:]) >= 0).all() and alpha[30] < alpha[60] < alpha[100]
    assert alpha[100] == embedded_images.OPAQUE


def test_what_counted_is_blue_for_and_orange_against_and_clear_where_nothing_did() -> None:
    places = torch.zeros(70, 90)
    places[:, :30], places[:, 60:] = 2.0, -1.0
    found = unpacked(embedded_images.counted(places))
    assert tuple(found[5, 5, :3]) == embedded_images.FOR and embedded_images.FOR[2] > embedded_images.FOR[0]
    assert tuple(found[5, 85, :3]) == embedded_images.AGAINST and embedded_images.AGAINST[0] > embedded_images.AGAINST[2]
    assert found[5, 45, 3] == 0
    assert found[5, 5, 3] > found[5, 85, 3] > 0  # twice as strong, so more opaque


def test_a_map_of_nothing_or_of_what_is_no_number_is_clear() -> None:
    for values in (torch.zeros(4, 6), torch.full((4, 6), float("nan"))):
        assert (unpacked(embedded_images.heat(values, 4.0))[..., 3] == 0).all()
        assert (unpacked(embedded_images.counted(values))[..., 3] == 0).all()


def test_a_fine_grid_keeps_its_peaks_and_its_sums() -> None:
    fine = torch.zeros(96, 144)
    fine[10, 20], fine[50, 60] = 7.0, -3.0
    peaks, sums = embedded_images.coarse(fine, 48), embedded_images.coarse(fine, 48, adding=True)
    assert peaks.shape == sums.shape == (32, 48)
    assert peaks[3, 6] == 7 and peaks.sum() == 7
    assert sums[3, 6] == pytest.approx(7) and sums[16, 20] == pytest.approx(-3) and sums.sum() == pytest.approx(4)

"""Flashes of films whose number is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reverie.motion.flashing import SAFE, flashes

FPS = 20


def film(colour: Callable[[int], Any], seconds: float = 2.0, size: tuple[int, int] = (72, 96)) -> int:
    """The flashes of a film of which each frame is of one colour, 0..255, or a whole picture."""
    count = round(seconds * FPS)
    frames = (np.broadcast_to(np.asarray(colour(number), np.uint8), (*size, 3)) for number in range(count))
    return flashes(frames, [number / FPS for number in range(count)])


def squares(rate: float, low: Any = 0, high: Any = 255) -> Callable[[int], Any]:
    """Dark and bright in turn, so many times a second."""
    return lambda number: high if number * rate / FPS % 1 < 0.5 else low


@pytest.mark.parametrize("rate", [1, 2, 5, 10])
def test_so_many_flashes_a_second_are_counted(rate: int) -> None:
    assert film(squares(rate)) == rate
    assert film(squares(rate), size=(9, 7)) == rate
    assert film(squares(rate), size=(720, 1280)) == rate


def test_a_film_that_is_still_fades_or_is_cut_once_flashes_never() -> None:
    assert film(lambda _: 130) == 0
    assert film(lambda number: 6 * number) == 0
    assert film(lambda number: 0 if number < 20 else 255) == 0
    assert flashes([], []) == 0


def test_a_fade_that_goes_to_and_fro_is_a_flash() -> None:
    assert film(lambda number: 127 + 127 * np.sin(2 * np.pi * number / FPS * 4)) == 4 > SAFE


def test_what_changes_too_little_or_is_bright_at_both_ends_does_not_count() -> None:
    assert film(squares(5, 100, 115)) == 0  # 0.05 of relative luminance
    assert film(squares(5, 100, 140)) == 5
    assert film(squares(5, 232, 255)) == 0  # above 0.80 at its darkest
    assert film(squares(5, 228, 255)) == 5


def test_a_small_place_does_not_count_and_a_large_one_does() -> None:
    def spot(side: int) -> Callable[[int], Any]:
        def frame(number: int) -> Any:
            picture = np.zeros((72, 96, 3), np.uint8)
            picture[10 : 10 + side, 10 : 10 + side] = squares(5)(number)
            return picture

        return frame

    assert film(spot(10)) == 0
    assert film(spot(24)) == 5


def test_saturated_red_counts_where_its_light_does_not() -> None:
    assert film(squares(5, (80, 0, 0), (140, 0, 0))) == 5
    assert film(squares(5, (0, 0, 80), (0, 0, 140))) == 0


def test_flashes_at_one_time_of_the_film_are_enough() -> None:
    assert film(lambda number: squares(6)(number) if 40 <= number < 65 else 0, seconds=6) == 6


def test_times_are_taken_as_they_are() -> None:
    frames = [np.full((32, 32, 3), 255 * (number % 2), np.uint8) for number in range(12)]
    assert flashes(frames, [number / 2 for number in range(12)]) == 1
    assert flashes(frames, [number / 20 for number in range(12)]) > SAFE

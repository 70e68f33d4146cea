"""How large a picture may claim to be: one limit, for all that is read inside it and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.helpers.clips import pan, save_clip

from reverie.errors import UnsafeError
from reverie.files import at_most_pixels, decode, encode, most_pixels, read_array
from reverie.files.films.reading import frames, survey
from reverie.pictures import Picture, load, with_content
from reverie.recipe import MAX_PIXELS

SMALL = encode(np.zeros((4, 5, 3), np.uint8), suffix=".png")


def test_the_limit_holds_inside_and_the_innermost_counts() -> None:
    assert most_pixels() == MAX_PIXELS
    with at_most_pixels(19):
        with pytest.raises(UnsafeError, match="claims 5×4 = 20 pixels, more than 19"), at_most_pixels(19):
            decode(SMALL, "a.png")
        with at_most_pixels(20):
            decode(SMALL, "a.png")
        assert most_pixels() == 19
    assert most_pixels() == MAX_PIXELS


def test_an_error_inside_ends_it_too() -> None:
    with pytest.raises(KeyError), at_most_pixels(1):
        raise KeyError
    assert most_pixels() == MAX_PIXELS


def test_another_thread_has_a_limit_of_its_own() -> None:
    seen: list[int] = []
    with at_most_pixels(7):
        thread = threading.Thread(target=lambda: seen.append(most_pixels()))
        thread.start()
        thread.join()
    assert seen == [MAX_PIXELS]


def test_arrays_and_pictures_are_judged_alike(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 4, 5), np.float32))
    (tmp_path / "a.png").write_bytes(SMALL)
    for act in (lambda: read_array(tmp_path / "a.npy"), lambda: load(tmp_path / "a.npy"), lambda: load(tmp_path / "a.png")):
        with at_most_pixels(20):
            act()
        with pytest.raises(UnsafeError) as refused, at_most_pixels(19):
            act()
        assert refused.value.field == "max_pixels"


def test_what_is_in_memory_already_claims_nothing() -> None:
    with at_most_pixels(1):
        assert with_content(Picture(torch.zeros(3, 4, 5))).size == (4, 5)


def test_a_film_keeps_the_limit_that_held_when_its_reading_began(tmp_path: Path) -> None:
    place = save_clip(tmp_path / "a.mp4", pan(3, 48, 64).frames)
    with pytest.raises(UnsafeError, match="more than 3,071") as refused, at_most_pixels(48 * 64 - 1):
        survey(place)
    assert refused.value.field == "max_pixels"
    with at_most_pixels(48 * 64):
        reading = frames(place)
    with at_most_pixels(1), reading as decoded:  # read lazily, after the limit has changed
        assert len(list(decoded)) == 3
    with at_most_pixels(48 * 64 - 1):
        reading = frames(place)
    with reading as decoded, pytest.raises(UnsafeError, match="more than 3,071"):
        next(decoded)

"""How a film moves, against clips whose motion is known to the pixel: flow, what can be trusted, cuts, what is carried, flicker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("av")

from tests.helpers import clips
from tests.helpers.clips import Clip

from reverie.motion.film_frames import flicker
from reverie.motion.optical_flow import Carried, carried, flow_threads, warped

SIZE = 120, 160
MOVING: dict[str, tuple[Callable[[], Clip], float, float, float]] = {
    # the clip; most that the flow may miss, in pixels; least trust in what was to be seen; most in what was hidden
    "pan": (lambda: clips.pan(4, *SIZE, speed=(3.3, 1.4), seed=1), 0.12, 0.95, 0.15),
    "pan of a photograph": (lambda: clips.pan(4, *SIZE, speed=(-2.7, 1.2), world=clips.photograph("coffee", 240, 320)), 0.15, 0.95, 0.15),
    "zoom out": (lambda: clips.zoom(4, *SIZE, rate=1 / 1.02), 0.1, 0.95, 0.2),
    "zoom in": (lambda: clips.zoom(4, *SIZE, rate=1.02), 0.1, 0.97, 1.0),
    "occlusion": (lambda: clips.occlusion(4, *SIZE, speed=10), 0.2, 0.85, 0.1),
    "occlusion in a pan": (lambda: clips.occlusion(4, *SIZE, speed=6, ground=(1.3, 0.0)), 0.2, 0.85, 0.15),
}


def ways(clip: Clip) -> list[Carried]:
    """From each frame's predecessor to it, from the second frame on."""
    return [carried(new, last) for last, new in zip(clip.frames, clip.frames[1:], strict=False)]


@pytest.mark.parametrize("name", MOVING)
def test_the_flow_is_that_of_the_clip_and_trusted_where_it_can_be(name: str) -> None:
    make, most, seen, unseen = MOVING[name]
    clip = make()
    for way, flow, hidden in zip(ways(clip), clip.flows[1:], clip.hidden[1:], strict=True):
        away = np.hypot(*np.moveaxis(way.flow - flow, 2, 0))[~hidden]  # pixels
        trust = way.trust[~hidden].mean(), way.trust[hidden].mean() if hidden.any() else 0.0
        print(f"{away.mean():.3f} pixels, trust {trust[0]:.3f}, of what was hidden {trust[1]:.3f}")
        assert away.mean() < most and trust[0] > seen and trust[1] < unseen and not way.cut
        assert way.flow.dtype == way.trust.dtype == np.float32 and way.trust.min() >= 0 and way.trust.max() <= 1


def test_the_ground_behind_an_object_is_not_trusted_even_if_it_is_narrow() -> None:
    """Four pixels a frame, without the soft edge of the disc: that moves with it, and may be carried."""
    clip = clips.occlusion(5, *SIZE, speed=4)
    disc = [(flow[..., 0] < 0).astype(np.float32) for flow in clip.flows]  # each (H, W)
    for number, way in enumerate(ways(clip), 1):
        edge = np.stack([np.roll(disc[number], (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]).max(0) > 0
        behind = clip.hidden[number] & ~edge & (np.arange(SIZE[1]) > 0)
        print(behind.sum(), way.trust[behind].mean())
        assert behind.sum() > 30 and way.trust[behind].mean() < 0.3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_cut_is_found_and_nothing_else_is_one(seed: int) -> None:
    print(f"seed {seed}")
    assert [way.cut for way in ways(clips.cut(8, *SIZE, seed=seed))] == [number == 4 for number in range(1, 8)]
    for fast in (clips.pan(3, *SIZE, speed=(10.0, 10.0), seed=seed), clips.zoom(3, *SIZE, rate=1.06, seed=seed)):
        assert not any(way.cut for way in ways(fast))


def test_what_changes_without_moving_is_not_carried() -> None:
    """A lamp that goes on: nothing moves, and the flow there and back comes home."""
    last = clips.noise(96, 144)
    new = last.copy()
    new[30:60, 40:90] = np.minimum(last[30:60, 40:90].astype(int) + 70, 255)
    way = carried(new, last)
    assert way.trust[34:56, 44:86].mean() < 0.3 and way.trust[70:].mean() > 0.95 and not way.cut


def test_light_that_fades_slowly_is_no_cut() -> None:
    clip = clips.pan(6, *SIZE)
    faded = [np.rint(frame * (1 - 0.04 * number)).astype(np.uint8) for number, frame in enumerate(clip.frames)]
    assert not any(way.cut for way in ways(Clip(faded, clip.flows, clip.hidden)))


def test_frames_that_stand_still_are_carried_whole() -> None:
    frame = clips.noise(*SIZE)
    way = carried(frame, frame)
    assert np.abs(way.flow).max() < 0.1 and way.trust.min() > 0.99 and not way.cut


def test_the_same_bits_at_any_number_of_threads_which_stays_as_it_was() -> None:
    import cv2

    clip = clips.occlusion(2, *SIZE, speed=5, ground=(1.3, 0.7))
    before, found = cv2.getNumThreads(), []
    for count in (1, 2, 1):
        with flow_threads(count):
            assert cv2.getNumThreads() == count
            found.append(carried(clip.frames[1], clip.frames[0]))
            found.append(carried(clip.frames[1], clip.frames[0]))
    with pytest.raises(RuntimeError), flow_threads(before + 1):
        raise RuntimeError
    assert cv2.getNumThreads() == before
    assert all(np.array_equal(each.flow, found[0].flow) and np.array_equal(each.trust, found[0].trust) for each in found)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (16, 400), (15, 64), (64, 15), (2, 2)])
def test_small_and_odd_frames(size: tuple[int, int]) -> None:
    (way,) = ways(clips.pan(2, *size, speed=(1.0, 0.0), world=clips.noise(64, 64)))
    assert way.flow.shape == (*size, 2) and np.isfinite(way.flow).all() and way.trust.shape == size
    assert way.flow.dtype == way.trust.dtype == np.float32
    if min(size) < 16:
        assert way.cut and not way.flow.any() and not way.trust.any()
    else:
        assert not way.cut
    flat = np.full((*size, 3), 128, np.uint8)
    assert np.isfinite(carried(flat, flat).flow).all()


# ── carried ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (0, -2), (-5, 4)])
def test_whole_pixels_are_carried_exactly(right: int, down: int) -> None:
    """flow says where a place was: a flow of (3, 0) brings what is three to the right."""
    print("seed 5")
    values = np.random.default_rng(5).normal(0, 1, (40, 56, 3)).astype(np.float32)
    flow = np.broadcast_to(np.array([right, down], np.float32), (40, 56, 2))
    moved = warped(values, flow)
    inside = slice(8, -8), slice(8, -8)
    wanted = np.roll(values, (-down, -right), (0, 1))
    assert moved.shape == values.shape and moved.dtype == np.float32 and np.array_equal(moved[inside], wanted[inside])
    if right == -5:
        assert np.allclose(moved[20, 0], values[24, 0], atol=1e-6)  # from outside: the border's


def test_a_frame_carried_by_the_known_flow_is_the_next_one() -> None:
    clip = clips.pan(3, *SIZE, speed=(2.5, -1.5))
    moved = warped(clip.frames[1].astype(np.float32), clip.flows[2])
    assert np.abs(moved - clip.frames[2])[~clip.hidden[2]].mean() < 1.0
    assert np.abs(clip.frames[1].astype(np.float32) - clip.frames[2])[~clip.hidden[2]].mean() > 10


# ── flicker ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_film_that_is_carried_exactly_does_not_flicker() -> None:
    clip = clips.pan(4, 48, 64, speed=(3.0, 1.0))
    seen = [~each for each in clip.hidden]
    assert flicker(clip.frames, clip.flows, seen) < 1e-4
    lit = [np.minimum(frame.astype(int) + 10 * (number % 2), 255).astype(np.uint8) for number, frame in enumerate(clip.frames)]
    assert 9.5 < flicker(lit, clip.flows, seen) < 10.001
    assert flicker(clip.frames, [np.zeros_like(each) for each in clip.flows], seen) > 5


def test_flicker_by_hand() -> None:
    """Three frames that stand still: 12 and 6 levels of one colour, seen in all of one and a half of the other."""
    frames = [np.full((4, 6, 3), 100, np.uint8) for _ in range(4)]
    frames[1][..., 0] += 12  # 12 / 3 = 4 levels
    frames[2][...] = frames[1]
    frames[2][:, 3:, 1] -= 6  # 2 levels in the half that is looked at
    frames[3][...] = 255  # after a cut: nothing of it was to be seen
    flows = [np.zeros((4, 6, 2), np.float32)] * 4
    all_of_it, right, none = np.ones((4, 6), bool), np.arange(6) >= np.full((4, 1), 3), np.zeros((4, 6), bool)
    assert flicker(frames, flows, [none, all_of_it, right, none]) == pytest.approx(3.0, abs=1e-5)
    assert flicker(frames[:3], flows, [none, all_of_it, ~right]) == pytest.approx(2.0, abs=1e-5)

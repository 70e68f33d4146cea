"""Films that are whole: their frames, upright and in the right colours, and when each is shown."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.helpers.clips import Clip, cut, noise, occlusion, off, pan, save_clip, seen, zoom

from reverie.files.films import reading
from reverie.files.films.reading import frames, survey
from reverie.store import sha256_of

FRAMES = pan(12, 48, 64, world=noise(48, 64, 3)).frames


def decoded(place: Path, begin: int = 0) -> list[np.ndarray]:
    with frames(place, begin) as pictures:
        return list(pictures)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts"])
def test_every_container_gives_all_frames_in_order(tmp_path: Path, suffix: str) -> None:
    place = save_clip(tmp_path / f"a{suffix}", FRAMES, sound_seconds=None if suffix == ".gif" else 0.48)
    found = survey(place, strict=True)
    assert (found.width, found.height, len(found.times)) == (64, 48, 12)
    assert found.sound == (suffix != ".gif") and found.complete and found.notes == ()
    assert found.sha256 == sha256_of(place)
    assert repr(found).startswith("Survey(64×48, 12 frames, 0.") and len(repr(found)) < 40
    steps = [float(after - before) for before, after in zip(found.times, found.times[1:], strict=False)]
    assert steps[1:] == pytest.approx([0.04] * 10, abs=1e-9) and float(found.times[0]) < 0.05
    assert float(found.end - found.times[-1]) == pytest.approx(0.04, abs=0.001)
    pictures = decoded(place)
    assert len(pictures) == 12 and all(each.dtype == np.uint8 and each.flags.c_contiguous for each in pictures)
    for number, picture in enumerate(pictures):
        nearest = min(range(12), key=lambda each: off(picture, FRAMES[each]))
        assert nearest == number
    later = decoded(place, 9)
    assert len(later) == 3 and all(np.array_equal(a, b) for a, b in zip(later, pictures[9:], strict=True))


def test_a_film_by_another_name_is_read_by_its_content(tmp_path: Path) -> None:
    place = save_clip(tmp_path / "a.webm", FRAMES[:3]).rename(tmp_path / "a.avi")
    assert len(survey(place, strict=True).times) == 3


def test_variable_times_are_those_of_the_file(tmp_path: Path) -> None:
    times = [Fraction(n, 90_000) for n in (0, 3000, 3600, 45_000, 45_001, 90_000)]
    place = save_clip(tmp_path / "a.mp4", FRAMES[:6], times=times)
    found = survey(place, strict=True)
    assert found.times == tuple(times)
    assert found.end == times[-1] + Fraction(1, 25) and found.fps == 6 / found.end


def test_sound_that_begins_first_leaves_the_picture_its_delay(tmp_path: Path) -> None:
    times = [Fraction(1, 5) + Fraction(n, 25) for n in range(5)]
    place = save_clip(tmp_path / "a.mkv", FRAMES[:5], times=times, sound_seconds=0.4)
    assert survey(place).times == tuple(times)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_frames_are_upright(tmp_path: Path, turn: int) -> None:
    picture = noise(48, 64, 4)
    place = save_clip(tmp_path / "a.mp4", [np.rot90(picture, -turn // 90)] * 2, rotation=turn)
    found = survey(place)
    (first, _) = decoded(place)
    assert first.shape == (48, 64, 3) and (found.width, found.height) == (64, 48)
    assert off(first, picture) < 6 < off(first, picture[::-1])


@pytest.mark.parametrize("across", [1, -1])
@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("swapped", [False, True])
def test_mirrored_and_turned_as_the_matrix_says(across: int, down: int, swapped: bool) -> None:
    """Every pixel of a small picture goes where the matrix sends it."""
    a, b, c, d = (0, down, across, 0) if swapped else (across, 0, 0, down)
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    x, y = np.meshgrid(range(3), range(2))
    to_x, to_y = a * x + c * y, b * x + d * y
    wanted = np.zeros((3, 2, 3) if swapped else (2, 3, 3), np.uint8)
    wanted[to_y - to_y.min(), to_x - to_x.min()] = picture
    assert np.array_equal(reading._upright(picture, [a, b, c, d]), wanted)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_matrix_and_the_range_of_the_film(tmp_path: Path, matrix: str, full: bool) -> None:
    """Coded by hand from the definition of luminance and colour difference, not by the library that decodes."""
    colours = np.array([[200, 30, 40], [20, 180, 60], [30, 50, 220], [255, 255, 255], [0, 0, 0], [128, 128, 128]], float)
    red, blue = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}[matrix]
    luminance = colours @ [red, 1 - red - blue, blue]
    difference = (colours[:, 2] - luminance) / (2 - 2 * blue), (colours[:, 0] - luminance) / (2 - 2 * red)
    scale = (1, 0, 1) if full else (219 / 255, 16, 224 / 255)
    planes = [luminance * scale[0] + scale[1], *(each * scale[2] + 128 for each in difference)]
    place = tmp_path / "a.mkv"
    with av.open(str(place), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 6 * 16, 16, "yuv444p"
        context = stream.codec_context
        context.colorspace, context.color_range = {"bt709": 1, "smpte170m": 6}[matrix], 2 if full else 1
        coded = [np.repeat(np.rint(each).clip(0, 255).astype(np.uint8)[None].repeat(16, 0), 16, 1) for each in planes]
        frame = av.VideoFrame.from_ndarray(np.stack(coded), "yuv444p", channel_last=False)
        frame.colorspace, frame.color_range = context.colorspace, context.color_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (picture,) = decoded(place)
    assert np.abs(picture[8, 8::16].astype(int) - colours).max() <= 2


def test_pixels_that_are_not_square_become_so(tmp_path: Path) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2], aspect=Fraction(3, 2))
    found = survey(place, strict=True)
    assert (found.width, found.height) == (96, 48) and found.complete
    assert found.notes == ("its pixels are not square; it is brought from 64×48 to 96×48",)
    assert decoded(place)[0].shape == (48, 96, 3)


@pytest.mark.parametrize(
    ("raw", "wanted", "mended"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], 0),
        ([0, 1, None, 3], [0, 1, 2, 3], 1),
        ([0, 1, 1, 2, 3], [0, 1, 1.5, 2, 3], 1),
        ([0, 1, 500, 3, 4], [0, 1, 2, 3, 4], 1),
        ([0, 1, -5, 3, 4], [0, 1, 2, 3, 4], 1),
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5], 3),
        ([0, 1, 10**9, 10**9 + 1], [0, 1, 2, 3], 2),
        ([5, 5, 5], [5, 6, 7], 2),
        ([-3, 1, 2], [0, 1, 2], 1),
        ([None, None], [0, 1], 2),
    ],
)
def test_times_that_make_no_sense_are_mended(raw: list[int | None], wanted: list[float], mended: int) -> None:
    given = [None if each is None else Fraction(each) for each in raw]
    assert reading._mended(given, Fraction(1)) == ([Fraction(each) for each in wanted], mended)


def test_films_take_no_torch_and_decode_nothing_here() -> None:
    code = "import sys; import reverie.files.films.reading; print({'torch', 'av', 'cv2'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


# ── what the tests themselves are made of ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "clip",
    [pan(4, 40, 60, speed=(2.5, -1.25)), zoom(4, 40, 60, rate=1.03), occlusion(12, 40, 60, ground=(1.0, 0.0)), cut(4, 40, 60)],
    ids=["pan", "zoom", "occlusion", "cut"],
)
def test_the_motion_of_rendered_clips_is_what_they_say(clip: Clip) -> None:
    y, x = np.mgrid[:40, :60].astype(float)
    for n in range(1, len(clip.frames)):
        flow, shown = clip.flows[n], ~clip.hidden[n]
        back = seen(clip.frames[n - 1], x + flow[..., 0], y + flow[..., 1])
        wrong = np.abs(back.astype(int) - clip.frames[n]).mean(-1)
        still = np.abs(clip.frames[n - 1].astype(int) - clip.frames[n]).mean(-1)
        if shown.any():
            assert wrong[shown].mean() < 0.25 * still[shown].mean() + 0.1
    assert clip.hidden[0].all() and not clip.hidden[1].all()

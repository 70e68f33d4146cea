"""Films that we write: every frame at its time, the sound to the last sample, the recipe, and the same bytes again."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from tests.helpers.clips import noise, off, pan, save_clip
from tests.helpers.imagefiles import RECIPE

from reverie.errors import InputError, OutputError, UnsafeError, UsageError
from reverie.files import recipe_text
from reverie.files.films import child_process
from reverie.files.films.child_writing import gif_marks, ticks
from reverie.files.films.reading import frames, survey
from reverie.files.films.writing import write_film
from reverie.files.recipes import xmp

CLIP = pan(12, 48, 64).frames
EVEN = [Fraction(n, 25) for n in range(12)]
END = Fraction(12, 25)


def read(place: Path) -> list[np.ndarray]:
    with frames(place) as pictures:
        return list(pictures)


@pytest.mark.parametrize(("suffix", "near"), [(".mp4", 8), (".webm", 8), (".GIF", 12)])
def test_every_frame_comes_back_at_its_time(tmp_path: Path, suffix: str, near: float) -> None:
    place = write_film(tmp_path / f"a{suffix}", CLIP, EVEN, END)
    found = survey(place, strict=True)
    assert found.times == tuple(EVEN) and found.end == END and found.notes == ()
    pictures = read(place)
    assert len(pictures) == 12
    for mine, other in zip(pictures, CLIP, strict=True):
        assert mine.shape == other.shape and off(mine, other) < near
        assert np.abs(mine.mean((0, 1)) - other.mean((0, 1))).max() < 1.5  # no shift of light or colour
    assert [each.name for each in tmp_path.iterdir()] == [place.name]


def test_times_that_vary_are_kept_exactly(tmp_path: Path) -> None:
    for times in (
        [Fraction(n, 30_000) for n in (0, 1001, 2002, 9009, 9010, 30_030)],
        [Fraction(1, 3), Fraction(1, 2), Fraction(7, 11), Fraction(1), Fraction(5, 4), Fraction(9, 7)],
    ):
        end = times[-1] + Fraction(1, 7)
        place = write_film(tmp_path / "a.mp4", CLIP[:6], times, end, replace=True)
        found = survey(place, strict=True)
        assert found.times == tuple(times) and found.end == end
        webm = survey(write_film(tmp_path / "a.webm", CLIP[:6], times, end, replace=True), strict=True)
        assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(times, webm.times, strict=True))


def test_a_clock_that_counts_all_times_exactly() -> None:
    assert ticks([Fraction(0), Fraction(1, 25)], Fraction(2, 25)) == 10_000
    assert ticks([Fraction(0), Fraction(1001, 30_000)], Fraction(1)) == 30_000
    assert ticks([Fraction(1, 10_007), Fraction(1, 10_009)], Fraction(1)) == 1_000_000


def test_a_gif_leaves_out_what_is_too_short_to_be_shown(tmp_path: Path) -> None:
    assert gif_marks([Fraction(0), Fraction(1, 30), Fraction(2, 30)], Fraction(3, 30)) == ([0, 1, 2], [0, 3, 7, 10])
    kept, marks = gif_marks([Fraction(n, 100) for n in range(9)], Fraction(9, 100))
    assert (kept, marks) == ([0, 2, 4, 6], [0, 2, 4, 6, 9])
    notes: list[str] = []
    place = write_film(tmp_path / "a.gif", CLIP, [Fraction(n, 100) for n in range(12)], Fraction(12, 100), tell=notes.append)
    assert len(survey(place).times) == 6 and survey(place).end == Fraction(12, 100)
    assert notes == ["a GIF shows 6 of the 12 frames: none of them for less than 2/100 of a second"]
    with Image.open(place) as image:
        assert isinstance(image, GifImageFile)
        assert image.info["loop"] == 0 and image.n_frames == 6


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_odd_sides_and_one_frame(tmp_path: Path, suffix: str) -> None:
    picture = noise(45, 61, 2)
    notes: list[str] = []
    place = write_film(tmp_path / f"a{suffix}", [picture], [Fraction(0)], Fraction(1, 2), tell=notes.append)
    found = survey(place, strict=True)
    (back,) = read(place)
    assert back.shape == ((46, 62, 3) if suffix == ".mp4" else (45, 61, 3)) and off(back[:45, :61], picture) < 10
    if suffix == ".mp4":
        assert off(back[45], back[44]) < 6 and off(back[:, 61], back[:, 60]) < 6
    assert len(notes) == (suffix == ".mp4")
    assert found.end == Fraction(1, 2)


def test_colours_are_tagged_for_browsers_and_the_index_is_in_front(tmp_path: Path) -> None:
    for suffix in (".mp4", ".webm"):
        place = write_film(tmp_path / f"a{suffix}", CLIP, EVEN, END, sound=save_clip(tmp_path / "s.mp4", CLIP, sound_seconds=0.5))
        with av.open(str(place)) as container:
            context = container.streams.video[0].codec_context
            assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
            assert context.pix_fmt == "yuv420p" and context.name == ("h264" if suffix == ".mp4" else "vp9")
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_frames_may_be_files(tmp_path: Path) -> None:
    for number, each in enumerate(CLIP[:3]):
        Image.fromarray(each).save(tmp_path / f"{number}.png")
    place = write_film(tmp_path / "a.mp4", [tmp_path / f"{n}.png" for n in range(3)], EVEN[:3], EVEN[3])
    assert place.read_bytes() == write_film(tmp_path / "b.mp4", iter(CLIP[:3]), EVEN[:3], EVEN[3]).read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_the_same_frames_give_the_same_bytes_and_carry_the_recipe(tmp_path: Path, suffix: str) -> None:
    source = save_clip(tmp_path / "s.mkv", CLIP, sound_seconds=0.48)
    one, two = (
        write_film(tmp_path / f"{name}{suffix}", CLIP, EVEN, END, sound=source, recipe=RECIPE).read_bytes() for name in ("one", "two")
    )
    assert one == two
    assert recipe_text(tmp_path / f"one{suffix}") == RECIPE == recipe_text(one)
    plain = write_film(tmp_path / f"plain{suffix}", CLIP, EVEN, END, sound=source)
    assert recipe_text(plain) is None and len(plain.read_bytes()) < len(one)
    assert survey(tmp_path / f"one{suffix}", strict=True).times == tuple(EVEN)
    assert len(read(tmp_path / f"one{suffix}")) == 12


def test_recipes_of_strangers(tmp_path: Path) -> None:
    """Too long, cut short, endless: told, never believed."""
    long = "x" * (1 << 20)
    for suffix in (".mp4", ".webm", ".gif"):
        place = write_film(tmp_path / f"a{suffix}", CLIP[:2], EVEN[:2], EVEN[2], recipe=long)
        assert recipe_text(place) == long
        content = place.read_bytes()
        for at in (30, len(content) // 2, len(content) - 500_000, len(content) - 9):
            try:
                assert recipe_text(content[:at]) in (None, "x" * len(recipe_text(content[:at]) or ""))
            except InputError:
                continue
        with pytest.raises(UsageError, match="too long"):
            write_film(tmp_path / f"b{suffix}", CLIP[:2], EVEN[:2], EVEN[2], recipe=long + "x")
    boxes = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08free" * 300_000
    with pytest.raises(UnsafeError, match="parts"):
        recipe_text(boxes)
    packet = b"\0\x90\0\0uuid" + xmp.UUID + bytes(0x900000 - 24)
    with pytest.raises(UnsafeError):
        recipe_text(b"\0\0\0\x10ftypisom\0\0\0\0" + packet)
    assert recipe_text(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\1uuid") is None
    assert recipe_text(b"\x1a\x45\xdf\xa3\x80" + b"\xff" * 50) is None


# ── whole or not at all ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_there_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    place = tmp_path / "a.mp4"
    place.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        write_film(place, CLIP, EVEN, END)
    assert place.read_bytes() == b"mine"
    write_film(place, CLIP, EVEN, END, replace=True)
    assert len(survey(place).times) == 12 and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OutputError, match="does not exist"):
        write_film(tmp_path / "none" / "a.mp4", CLIP, EVEN, END)
    with pytest.raises(UsageError, match=r"cannot be written as '\.avi'"):
        write_film(tmp_path / "a.avi", CLIP, EVEN, END)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_no_room_on_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    resource = pytest.importorskip("resource")
    assert resource
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "  # a file may grow to 20 kB, no further
    monkeypatch.setattr(child_process, "_CODE", code + child_process._CODE)
    rng = np.random.default_rng(0)
    grains = [rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(12)]
    place = tmp_path / f"a{suffix}"
    with pytest.raises(OutputError) as caught:
        write_film(place, grains, EVEN, END)
    assert "no room" in caught.value.fault or "cannot be written" in caught.value.fault
    assert list(tmp_path.iterdir()) == []


def test_the_disk_that_is_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = child_process._CODE.replace(
        "main(", f"import reverie.files.films.child_writing as m; m.write = lambda *_: m.full({errno.ENOSPC}); main("
    )
    code = code.replace("main(", "m.full = lambda n: (_ for _ in ()).throw(OSError(n, 'No space left on device')); main(")
    monkeypatch.setattr(child_process, "_CODE", code)
    with pytest.raises(OutputError, match="no room left to write"):
        write_film(tmp_path / "a.mp4", CLIP, EVEN, END)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_fail_or_do_not_fit_leave_nothing(tmp_path: Path) -> None:
    place = tmp_path / "a.mp4"

    def failing() -> Iterator[np.ndarray[Any, Any]]:
        yield CLIP[0]
        raise InputError("a frame is damaged", "dream it again")

    with pytest.raises(InputError, match="a frame is damaged"):
        write_film(place, failing(), EVEN, END)
    for pictures in (CLIP[:5], [*CLIP, CLIP[0]], [CLIP[0], CLIP[1][:40], *CLIP[2:]]):
        with pytest.raises(ValueError, match=r"times|first"):
            write_film(place, pictures, EVEN, END)
    for times, end in (([Fraction(0), Fraction(0)], END), ([Fraction(0), Fraction(1)], END), ([], END), ([Fraction(-1), Fraction(0)], END)):
        with pytest.raises(ValueError, match="each later"):
            write_film(place, CLIP[:2], times, end)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_is_killed_leaves_nothing_at_the_name(tmp_path: Path) -> None:
    code = f"""
import sys, time
from fractions import Fraction
from pathlib import Path
import numpy as np
from reverie.files.films.writing import write_film
def frames():
    for n in range(1000):
        yield np.full((48, 64, 3), n % 256, np.uint8)
        print(n, flush=True)
        time.sleep(0.01)
write_film(Path({str(tmp_path / "a.mp4")!r}), frames(), [Fraction(n, 25) for n in range(1000)], Fraction(40))
"""
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(5):
        writer.stdout.readline()
    writer.kill()
    writer.wait()
    writer.stdout.close()
    for _ in range(100):  # its encoder hears of it and goes
        left = [each.name for each in tmp_path.iterdir()]
        time.sleep(0.01)
    assert all(each.startswith(".reverie-") and each.endswith(".part") for each in left) and len(left) <= 1


def test_an_encoder_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "_CODE", "import os, sys; sys.stdin.buffer.readline(); os.abort()")
    with pytest.raises(OutputError, match="the encoder stopped"):
        write_film(tmp_path / "a.mp4", CLIP, EVEN, END)
    with pytest.raises(InputError, match="sound that makes the writer crash"):
        write_film(tmp_path / "a.mp4", CLIP, EVEN, END, sound=save_clip(tmp_path / "s.mp4", CLIP, sound_seconds=0.4))
    assert [each.name for each in tmp_path.iterdir()] == ["s.mp4"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

"""Films that cannot be read, or only in part; processes that die or hang while they decode."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.helpers.clips import noise, pan, save_clip
from tests.helpers.damage import damaged, sound_films, timeless

from reverie.errors import InputError, MissingExtra, ReverieError, UnsafeError
from reverie.files import at_most_pixels, decode
from reverie.files.films import child_process, reading
from reverie.files.films.child_process import Child
from reverie.files.films.reading import frames, survey

LIMIT = 10_000_000
FRAMES = pan(20, 48, 64).frames


def refused(error: type[ReverieError], place: Path, limit: int = LIMIT, strict: bool = False) -> str:
    with pytest.raises(error) as caught, at_most_pixels(limit):
        survey(place, strict)
    assert type(caught.value) is error and caught.value.remedy and "\n" not in str(caught.value)
    assert str(place) in str(caught.value)
    return caught.value.fault


def test_a_hundred_damaged_films_give_a_note_or_one_line(tmp_path: Path) -> None:
    films = sound_films(tmp_path)
    seed = 5
    print("seed", seed)
    rng = random.Random(seed)
    readable = refusals = 0
    child = Child(patience=10)
    try:
        for turn in range(100):
            how, place = damaged(rng, films, tmp_path)
            try:
                with at_most_pixels(LIMIT):
                    found = survey(place, child=child)
                readable += 1
                assert found.times and all(a < b for a, b in zip(found.times, (*found.times[1:], found.end), strict=True)), (turn, how)
                assert found.width * found.height <= LIMIT and found.times[0] >= 0 and found.fps > 0
                assert found.complete or found.notes
            except ReverieError as error:
                refusals += 1
                assert error.exit_code in (3, 4) and "\n" not in str(error) and error.remedy, (turn, how)
            assert not child.hung, (turn, how)
            if not child.alive:
                child.close()
                child = Child(patience=10)
    finally:
        child.close()
    assert readable > 20 and refusals > 20  # both happen


@pytest.mark.parametrize(("suffix", "options"), [(".mp4", {"movflags": "+faststart"}), (".webm", {}), (".mkv", {})])
def test_a_film_cut_short_tells_how_many_frames_of_how_many(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    place = save_clip(tmp_path / f"a{suffix}", FRAMES, options=options)
    assert survey(place, strict=True).complete
    place.write_bytes(place.read_bytes()[: place.stat().st_size * 2 // 3])
    found = survey(place)
    count = len(found.times)
    assert 4 < count < 18 and not found.complete and found.notes == (f"{count} of 20 frames can be read",)
    with frames(place) as pictures:
        assert len(list(pictures)) == count
    assert f"{count} of 20 frames can be read" in refused(InputError, place, strict=True)


def test_what_is_no_film(tmp_path: Path) -> None:
    for content in (b"hello\n" * 50, bytes(1000), b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile 'a.mp4'\n"):
        place = tmp_path / "text.mp4"
        place.write_bytes(content)
        assert ("is a text, not a film" if content[0] else "is not a film") in refused(InputError, place)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "is empty" in refused(InputError, empty)
    assert "does not exist" in refused(InputError, tmp_path / "none.mp4")
    assert "is a folder" in refused(InputError, tmp_path)
    with pytest.raises(InputError, match="does not exist"), frames(tmp_path / "none.mp4"):
        pass


def test_a_script_opens_no_other_file(tmp_path: Path) -> None:
    save_clip(tmp_path / "a.ts", FRAMES[:5])
    place = tmp_path / "script.mp4"
    place.write_text("ffconcat version 1.0\nfile a.ts\n")
    with av.open(str(place)) as container:
        assert next(container.decode(video=0)).width == 64  # whoever does not refuse scripts reads it
    assert "not a film" in refused(InputError, place)


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    place = tmp_path / "sound.mp4"
    with av.open(str(place), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "no moving picture" in refused(InputError, place)


def test_sizes_are_judged_before_anything_is_decoded(tmp_path: Path) -> None:
    place = save_clip(tmp_path / "a.mkv", FRAMES[:2])
    assert "64×48 = 3,072 pixels a frame, more than 3,000" in refused(UnsafeError, place, 3000)
    wide = tmp_path / "wide.mp4"
    for size in ((100_000, 48), (48, 100_000)):
        wide.write_bytes(b"YUV4MPEG2 W%d H%d F25:1 C420jpeg\nFRAME\n" % size + bytes(3 * size[0] * size[1] // 2))
        assert f"claims {size[0]}×{size[1]}; no side" in refused(InputError, wide, 10**9)


def test_a_size_that_changes_ends_what_can_be_read(tmp_path: Path) -> None:
    """Two films in one transport stream, as recorders write them."""
    small = save_clip(tmp_path / "a.ts", FRAMES[:12]).read_bytes()
    large = save_clip(tmp_path / "b.ts", [noise(96, 128)] * 8, times=[Fraction(12 + n, 25) for n in range(8)]).read_bytes()
    place = tmp_path / "both.ts"
    place.write_bytes(small + large)
    found = survey(place)
    assert len(found.times) == 12 and (found.width, found.height) == (64, 48)
    assert found.notes[0] == "12 of 20 frames can be read: after them the size changes from 64×48 to 128×96"
    with frames(place) as pictures:
        assert {each.shape for each in pictures} == {(48, 64, 3)}
    refused(InputError, place, strict=True)


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".gif"])
def test_no_frames_a_second_become_some(tmp_path: Path, suffix: str) -> None:
    place = save_clip(tmp_path / f"a{suffix}", FRAMES[:8])
    sound = place.read_bytes()
    place.write_bytes(timeless(bytearray(sound)))
    assert place.read_bytes() != sound
    found = survey(place)
    assert len(found.times) == 8 and 1 < found.fps < 100
    steps = {after - before for before, after in zip(found.times, found.times[1:], strict=False)}
    assert len(steps) == 1


def test_a_film_without_any_times_has_25_frames_a_second_and_says_so() -> None:
    step, notes = reading._step([Fraction(0)] * 5, None)
    assert step == Fraction(1, 25) and notes == ["it does not say how many frames a second it has; 25 are taken"]
    assert reading._step([Fraction(0)] * 5, Fraction(30)) == (Fraction(1, 30), [])
    assert reading._step([Fraction(0), Fraction(1, 8), Fraction(2, 8)], Fraction(30)) == (Fraction(1, 8), [])


def test_a_film_where_a_picture_is_wanted_is_told_apart(tmp_path: Path) -> None:
    for suffix in (".mp4", ".webm"):
        with pytest.raises(InputError, match="is a film, not a picture"):
            decode(save_clip(tmp_path / f"a{suffix}", FRAMES[:2]).read_bytes(), "a")


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def instead(monkeypatch: pytest.MonkeyPatch, code: str, patience: float = 20.0) -> None:
    """The process runs other code."""
    monkeypatch.setattr(child_process, "_CODE", code)
    monkeypatch.setattr(child_process, "PATIENCE", patience)


def test_a_process_that_crashes_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2])
    instead(monkeypatch, "import os, sys; sys.stdin.buffer.readline(); os.abort()")
    assert "makes the decoder crash" in refused(InputError, place)
    instead(monkeypatch, "raise SystemExit")
    assert "makes the decoder crash" in refused(InputError, place)
    with pytest.raises(InputError, match="makes the decoder crash"), frames(place) as pictures:
        next(pictures)


def test_a_process_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2])
    instead(monkeypatch, "import time; time.sleep(1000)", 0.5)
    assert "busy without end" in refused(InputError, place)


def test_a_process_that_wants_all_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resource")
    if sys.platform == "darwin":
        pytest.skip("macOS knows the limit and does not hold it")
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2])
    code = child_process._CODE.replace(
        "main(", "import reverie.files.films.child_decoding as f; f.survey = lambda request: bytearray(1 << 36); main("
    )
    assert code != child_process._CODE
    instead(monkeypatch, code)
    assert "needs more memory" in refused(InputError, place)


def test_the_process_ends_with_the_reading_and_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES)
    children: list[Child] = []

    def begun() -> Child:
        children.append(Child())
        return children[0]

    monkeypatch.setattr(reading, "Child", begun)
    with frames(place) as pictures:
        next(pictures)
        assert children[0].alive
    assert not children[0].alive
    child = Child()
    child._process.stdin.close()  # as if we had died
    assert child._process.wait(timeout=60) == 0
    child.close()


def test_the_process_takes_no_av_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2])
    (tmp_path / "av.py").write_text("raise SystemExit(7)")
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert len(survey(Path(place.name)).times) == 2


def test_names_that_look_like_addresses_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no such names")
    monkeypatch.chdir(tmp_path)
    for name in ("http:a.mp4", "a%03d.mp4", "-i.mp4", "夢 'x'.mp4"):
        save_clip(tmp_path / "plain.mp4", FRAMES[:2]).rename(name)
        assert len(survey(Path(name)).times) == 2


def test_without_pyav_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = save_clip(tmp_path / "a.mp4", FRAMES[:2])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install .*av opencv-python-headless"):
        survey(place)

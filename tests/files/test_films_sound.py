"""The sound of a film in another: kept to the last sample, with languages, titles and chapters; damaged, it never costs the film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.helpers.clips import RATE, heard, pan, save_clip, sound

from reverie.files.films.reading import survey
from reverie.files.films.writing import write_film

CLIP = pan(12, 48, 64).frames
EVEN = [Fraction(n, 25) for n in range(12)]
END = Fraction(12, 25)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two pieces of sound, at the offset at which it is greatest within a hundredth of a second."""
    best = 0.0
    for shift in range(-RATE // 100, RATE // 100, 4):
        a, b = (one[max(0, shift) :], other[max(0, -shift) :])
        size = min(len(a), len(b))
        best = max(best, float(np.corrcoef(a[:size], b[:size])[0, 1]))
    return best


@pytest.mark.parametrize(
    ("source", "codec", "suffix", "again"),
    [
        (".mp4", "aac", ".mp4", False), (".mkv", "flac", ".mp4", False), (".ts", "aac", ".mp4", False), (".mkv", "pcm_s16le", ".mp4", True),
        (".mov", "aac", ".mp4", False), (".webm", "libopus", ".webm", False), (".mp4", "aac", ".webm", True),
        (".mkv", "libopus", ".mp4", True), (".mkv", "aac", ".mp4", False), (".avi", "mp3", ".mp4", False),
    ],
)  # fmt: skip
def test_sound_is_kept_from_the_first_sample_to_the_last(tmp_path: Path, source: str, codec: str, suffix: str, again: bool) -> None:
    clip = [CLIP[n % 12] for n in range(50)]
    given = save_clip(tmp_path / f"s{source}", clip, sound_seconds=2.0, sound_codec=codec)
    notes: list[str] = []
    place = write_film(tmp_path / f"a{suffix}", clip, [Fraction(n, 25) for n in range(50)], Fraction(2), sound=given, tell=notes.append)
    assert (len(notes) == 1 and "the sound was" in notes[0]) == again
    before, began = heard(given)
    after, begins = heard(place)
    if not again:
        assert len(after) == len(before)
    assert 0 <= len(after) - 2 * RATE <= 2048 or len(after) == len(before)  # AAC fills its last packet with silence
    assert source == ".ts" or abs(begins - began) < Fraction(1, 1000)  # the clock of a stream begins somewhere
    original, piece = (before if source in (".ts", ".avi") else sound(2.0)[0]), RATE // 20  # which do not tell what is to be swallowed
    assert alike(after[:piece], original[:piece]) > 0.99
    last = len(before) if source in (".ts", ".avi") else 2 * RATE
    assert alike(after[last - piece : last], original[-piece:]) > 0.99
    assert 0.9 < np.std(after[: 2 * RATE]) / np.std(original) < 1.1


def played(place: Path) -> tuple[np.ndarray, Fraction]:
    """The sound of a file at its own rate: ((channels, samples) float32, when the first one is heard)."""
    with av.open(str(place)) as container:
        decoded = list(container.decode(audio=0))
    assert decoded[0].pts is not None and decoded[0].time_base is not None
    return np.concatenate([each.to_ndarray() for each in decoded], 1), decoded[0].pts * decoded[0].time_base


def beginnings(rate: int, channels: int) -> dict[str, np.ndarray]:
    """Sounds of a second that are there from the first sample on. (channels, samples) float32."""
    time, rng = np.arange(rate) / rate, np.random.default_rng(0)
    shift = np.arange(channels)[:, None]
    hz = 2 * np.pi * time
    beats = (5 * time) % 1
    made = {
        "rising": 0.5 * np.sin(hz * (300 + 900 * time) + shift),
        "tone": 0.5 * np.sin(440 * hz + shift),
        "low": 0.6 * np.sin(60 * hz + 1 + shift),
        "chirps": 0.4 * np.sin(2 * np.pi * (250 * time + 80 * beats**2) + shift) * (0.4 + 0.6 * np.sin(np.pi * beats)),
        "chord": sum(0.12 * np.sin(each * n * hz + each + shift) / n for each in (220.0, 277.2, 329.6) for n in (1, 2, 3, 4)),
        "struck": sum(
            0.15 * np.cos(each * n * hz + shift) / n * np.exp(-6 * n * time) for each in (196.0, 246.9, 293.7) for n in (1, 2, 3)
        ),
        "quiet": 0.01 * np.sin(440 * hz + shift),
        "hum": np.stack([0.02 * np.convolve(rng.standard_normal(rate + 63), np.hanning(64), "valid") for _ in range(channels)]),
    }
    return {name: np.asarray(each, np.float32) for name, each in made.items()}


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (16_000, 1)])
def test_sound_that_is_encoded_again_is_good_from_its_first_sample(tmp_path: Path, rate: int, channels: int) -> None:
    clip, times = [CLIP[n % 12] for n in range(25)], [Fraction(n, 25) for n in range(25)]
    piece, around = rate // 20, range(-40, 41)
    for name, values in beginnings(rate, channels).items():
        given = save_clip(tmp_path / f"{name}.mkv", clip, sound_values=values, sound_rate=rate, sound_codec="pcm_s16le")
        after, begins = played(write_film(tmp_path / f"{name}.mp4", clip, times, Fraction(1), sound=given))
        assert begins == 0 and 0 <= after.shape[1] - rate <= 2048, name
        assert np.corrcoef(after[:, :piece].ravel(), values[:, :piece].ravel())[0, 1] > 0.99, name
        long = [float((after[:, 100 + each : rate // 2 + each] * values[:, 100 : rate // 2]).sum()) for each in around]
        assert around[int(np.argmax(long))] == 0, name  # to the sample
        assert np.corrcoef(after[:, rate - piece : rate].ravel(), values[:, -piece:].ravel())[0, 1] > 0.99, name


@pytest.mark.parametrize("late", [Fraction(1, 100), Fraction(1, 2)])
def test_sound_that_is_encoded_again_may_begin_late_and_be_short(tmp_path: Path, late: Fraction) -> None:
    clip, times = [CLIP[n % 12] for n in range(25)], [Fraction(n, 25) for n in range(25)]
    for samples in (12_000, 300):
        values = sound(0.25)[:, :samples]
        given = save_clip(tmp_path / "s.mkv", clip, sound_values=values, sound_codec="pcm_s16le", sound_begins=late)
        after, begins = played(write_film(tmp_path / "a.mp4", clip, times, Fraction(1), sound=given, replace=True))
        first = int((late - begins) * RATE)
        assert first >= 0 and np.abs(after[0, : max(0, first - 1024)]).max(initial=0) < 1e-4
        near = [after[0, max(0, first + each) :][:samples] for each in range(-5, 6)]  # MP4 counts such delays in 1/10,000 s
        assert max(np.corrcoef(each, values[0, : len(each)])[0, 1] for each in near) > 0.99
        again, began = played(write_film(tmp_path / "b.mp4", clip, times, Fraction(1), sound=tmp_path / "a.mp4", replace=True))
        assert abs(began - begins) < Fraction(1, 5000) and after.shape == again.shape and np.abs(after - again).max() < 1e-5


def test_every_track_with_its_language_titles_and_chapters(tmp_path: Path) -> None:
    given = save_clip(
        tmp_path / "s.mkv", CLIP, sound_seconds=0.48, sounds=2, metadata={"title": "A film", "location": "+1+2/", "artist": "I"}
    )
    place = write_film(tmp_path / "a.mp4", CLIP, EVEN, END, sound=given)
    with av.open(str(place)) as container:
        assert len(container.streams.audio) == 2
        assert container.metadata["title"] == "A film" and container.metadata["artist"] == "I"
        assert not {"location", "creation_time", "encoder"} & set(container.metadata)
    assert alike(heard(place, 1)[0][:2400], sound(0.48, seed=1)[0][:2400]) > 0.98


def test_sound_of_a_film_that_was_stopped_is_left_out_from_there(tmp_path: Path) -> None:
    given = save_clip(tmp_path / "s.mkv", CLIP, sound_seconds=4.0)
    place = write_film(tmp_path / "a.mp4", CLIP, EVEN, END, sound=given, sound_end=END)
    assert abs(len(heard(place)[0]) / RATE - float(END)) < 0.1
    whole = write_film(tmp_path / "b.mp4", CLIP, EVEN, END, sound=given)
    assert len(heard(whole)[0]) == 4 * RATE


def test_sound_that_is_damaged_never_costs_the_film(tmp_path: Path) -> None:
    given = save_clip(tmp_path / "s.ts", CLIP, sound_seconds=2.0)
    content = bytearray(given.read_bytes())
    heads = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xf1"]  # each packet of AAC begins so
    for name, these in (("half.ts", heads[40:60]), ("none.ts", heads)):
        for at in these:
            content[at : at + 2] = bytes(2)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "text.mp4").write_bytes(b"no film at all")
    for name, words in (("half.ts", "parts of the sound"), ("none.ts", "the film is silent"), ("text.mp4", "the film is silent")):
        source = tmp_path / name
        notes: list[str] = []
        place = write_film(tmp_path / "a.mp4", CLIP, EVEN, END, sound=source, tell=notes.append, replace=True)
        assert len(survey(place).times) == 12 and len(notes) == 1 and words in notes[0]


def test_films_without_sound_stay_silent(tmp_path: Path) -> None:
    given = save_clip(tmp_path / "s.mp4", CLIP)
    assert not survey(write_film(tmp_path / "a.mp4", CLIP, EVEN, END, sound=given), strict=True).sound
    notes: list[str] = []
    write_film(tmp_path / "a.gif", CLIP, EVEN, END, sound=given, tell=notes.append)
    assert notes == ["a GIF has no sound"]

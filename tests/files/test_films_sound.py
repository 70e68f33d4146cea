"""The sound of a film in another: kept to the last sample, with languages, titles and chapters; damaged, it never costs the film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.helpers.clips import RATE, heard, pan, save_clip, sound

from reverie.files.films.reading import frames, survey
from reverie.files.films.writing import write_film

CLIP = pan(12, 48, 64).frames
EVEN = [Fraction(n, 25) for n in range(12)]
END = Fraction(12, 25)


def off(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def read(place: Path) -> list[np.ndarray]:
    with frames(place) as pictures:
        return list(pictures)


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
    assert alike(after[:piece], original[:piece]) > 0.98
    last = len(before) if source in (".ts", ".avi") else 2 * RATE
    assert alike(after[last - piece : last], original[-piece:]) > 0.98
    assert 0.9 < np.std(after[: 2 * RATE]) / np.std(original) < 1.1


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

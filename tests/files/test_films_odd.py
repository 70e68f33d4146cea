"""Films that are honest but odd: light for HDR screens, fields, transparency, sounds of unknown kinds; and what is no film."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.helpers.clips import off, pan, save_clip
from tests.helpers.imagefiles import TO_BT2020, hdr_of, light_of, photo, pq, saved, tiff, tiff_tags

from reverie.errors import InputError
from reverie.files.films.reading import frames, survey
from reverie.files.films.writing import write_film

SCENES = [photo(48, 64), photo(48, 64)[:, ::-1].copy(), photo(48, 64)[::-1].copy()]
_TRANSFER = {"PQ": 16, "HLG": 18, "SDR": 14}


def film_of(
    place: Path, signals: list[np.ndarray], *, transfer: int = 1, primaries: int = 1, matrix: int = 9, full: bool = False, turn: int = 0
) -> Path:
    """A film of (H, W, 3) signals in 0..1, coded at 10 bits, without loss, by the definition of its matrix (BT.2020 or BT.709)."""
    red, blue = {9: (0.2627, 0.0593), 1: (0.2126, 0.0722)}[matrix]
    with av.open(str(place), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = signals[0].shape[:2]
        stream.pix_fmt = "yuv444p10le"
        context = stream.codec_context
        told = {"color_trc": transfer, "color_primaries": primaries, "colorspace": matrix, "color_range": 2 if full else 1}
        for name, value in told.items():
            setattr(context, name, value)
        if turn:
            stream.set_display_rotation(turn)
        for number, signal in enumerate(signals):
            light = signal @ [red, 1 - red - blue, blue]
            difference = (signal[..., 2] - light) / (2 - 2 * blue), (signal[..., 0] - light) / (2 - 2 * red)
            scale = (1023, 0, 1023) if full else (876, 64, 896)
            planes = [light * scale[0] + scale[1], *(each * scale[2] + 512 for each in difference)]
            frame = av.VideoFrame(signal.shape[1], signal.shape[0], "yuv444p10le")
            for plane, each in zip(frame.planes, planes, strict=True):
                rows = np.zeros((signal.shape[0], plane.line_size // 2), "<u2")
                rows[:, : signal.shape[1]] = np.rint(each).clip(0, 1023)
                plane.update(rows.tobytes())
            for name, value in told.items():
                setattr(frame, name, value)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return place


def shown(place: Path, begin: int = 0) -> list[np.ndarray]:
    with frames(place, begin, survey(place)) as pictures:
        return list(pictures)


# ── colours ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["PQ", "HLG"])
@pytest.mark.parametrize("full", [False, True])
def test_hdr_without_highlights_is_the_scene_and_is_said(tmp_path: Path, kind: str, full: bool) -> None:
    place = film_of(tmp_path / "a.mkv", [hdr_of(each, kind) for each in SCENES], transfer=_TRANSFER[kind], primaries=9, full=full)
    found = survey(place, strict=True)
    assert found.complete and len(found.notes) == 1 and kind in found.notes[0]
    for picture, scene in zip(shown(place), SCENES, strict=True):
        assert off(picture, scene) < 1.5
    assert np.array_equal(shown(place, 2)[0], shown(place)[2])


def test_highlights_of_a_film_are_rolled_off_as_bright_as_its_brightest_frame(tmp_path: Path) -> None:
    sun = np.full((48, 64, 3), pq(np.array(900.0)))
    alone = film_of(tmp_path / "a.mkv", [hdr_of(SCENES[0], "PQ")], transfer=16, primaries=9)
    both = film_of(tmp_path / "b.mkv", [hdr_of(SCENES[0], "PQ"), sun], transfer=16, primaries=9)
    assert survey(alone).brightest == pytest.approx(1, abs=0.03) and survey(both).brightest == pytest.approx(900 / 203, rel=0.03)
    first, second = shown(both)
    assert second.min() >= 252
    dark = light_of(SCENES[0]).max(-1) < 0.6
    assert off(first[dark], SCENES[0][dark]) < 1.5 and first.max() <= shown(alone)[0].max()


def test_a_film_in_bt2020_for_ordinary_screens(tmp_path: Path) -> None:
    light = (light_of(SCENES[0]) @ TO_BT2020.T).clip(0)
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    place = film_of(tmp_path / "a.mkv", [signal], transfer=14, primaries=9)
    assert off(shown(place)[0], SCENES[0]) < 1.5 and survey(place).notes == ()


def test_turned_hdr_is_upright(tmp_path: Path) -> None:
    given = film_of(tmp_path / "a.mkv", [hdr_of(SCENES[0], "HLG")], transfer=18, primaries=9)
    with av.open(str(given)) as source, av.open(str(tmp_path / "b.mkv"), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0], opaque=True)
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    (picture,) = shown(tmp_path / "b.mkv")
    assert picture.shape == (64, 48, 3) and off(picture, np.rot90(SCENES[0])) < 1.5


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def moving(time: int) -> np.ndarray:
    picture = np.full((64, 96, 3), 60, np.uint8)
    picture[16:48, 8 + 5 * time : 28 + 5 * time] = 230
    return picture


def interlaced(place: Path, first: str, count: int = 6, said: str = "") -> Path:
    """Two moments in the lines of each frame, the earlier in the first, third … (tff) or the others (bff); `said` where the file lies."""
    with av.open(str(place), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv444p"
        stream.codec_context.flags |= 1 << 18 | 1 << 29  # of fields
        base = Fraction(1, 25)
        graph = av.filter.Graph()
        told = graph.add_buffer(width=96, height=64, format=av.VideoFormat("yuv444p"), time_base=base), graph.add("setfield", said or first)
        graph.link_nodes(*told, graph.add("buffersink")).configure()
        for number in range(count):
            early, late = moving(2 * number), moving(2 * number + 1)
            picture = early.copy()
            picture[1 if first == "tff" else 0 :: 2] = late[1 if first == "tff" else 0 :: 2]
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv444p")
            frame.pts, frame.time_base = number, base
            graph.push(frame)
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode(None))
    return place


@pytest.mark.parametrize("said", ["tff", "bff"])
@pytest.mark.parametrize("first", ["tff", "bff"])
def test_fields_become_frames_in_the_right_order(tmp_path: Path, first: str, said: str) -> None:
    place = interlaced(tmp_path / "a.mkv", first, said=said)
    found = survey(place, strict=True)
    assert found.complete and found.notes == ("its frames are interlaced and were deinterlaced (bwdif), each at its time",)
    assert found.times == tuple(Fraction(n, 25) for n in range(6))
    pictures = shown(place)
    assert len(pictures) == 6
    for number, picture in enumerate(pictures):
        lines = picture[18:46, :, 1].astype(int)
        assert np.abs(np.diff(lines, axis=0)).mean() < 1  # combs would be 25
        assert off(picture, moving(2 * number)) < 4  # the moment of the first field
    for begin in (1, 3, 5):
        assert all(np.array_equal(one, other) for one, other in zip(shown(place, begin), pictures[begin:], strict=True))


def test_one_interlaced_frame_is_a_film_too(tmp_path: Path) -> None:
    assert len(shown(interlaced(tmp_path / "a.mkv", "tff", 1))) == 1


def test_whole_frames_are_left_as_they_are(tmp_path: Path) -> None:
    clip = pan(4, 48, 64).frames
    place = save_clip(tmp_path / "a.mp4", clip)
    assert survey(place).notes == ()
    assert all(off(one, other) < 9 for one, other in zip(shown(place), clip, strict=True))


# ── transparency ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def clear(opaque: bool = False) -> list[np.ndarray]:
    """Of the scene the left half opaque, the right one not, and a strip between half so."""
    alpha = np.zeros((48, 64, 1), np.uint8)
    alpha[:, :28], alpha[:, 28:36] = 255, 128
    return [np.dstack([each, np.full_like(alpha, 255) if opaque else alpha]) for each in SCENES]


def alpha_film(place: Path, codec: str, pixels: str, opaque: bool = False) -> Path:
    with av.open(str(place), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"auto-alt-ref": "0", "crf": "4", "b": "0"} if "vpx" in codec else {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for number, each in enumerate(clear(opaque)):
            frame = av.VideoFrame.from_ndarray(each, "rgba").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return place


def pillow_film(place: Path, opaque: bool = False) -> Path:
    first, *others = (Image.fromarray(each) for each in clear(opaque))
    first.save(place, save_all=True, append_images=others, duration=40, disposal=1 if place.suffix == ".png" else 2)
    return place


MAKERS: dict[str, Callable[..., Path]] = {
    ".webm": lambda place, **is_opaque: alpha_film(place, "libvpx-vp9", "yuva420p", **is_opaque),
    "8.webm": lambda place, **is_opaque: alpha_film(place, "libvpx", "yuva420p", **is_opaque),
    ".mov": lambda place, **is_opaque: alpha_film(place, "prores_ks", "yuva444p10le", **is_opaque),
    ".png": pillow_film,
    ".gif": pillow_film,
}


@pytest.mark.parametrize("kind", list(MAKERS))
def test_what_is_transparent_is_laid_on_white_and_it_is_said(tmp_path: Path, kind: str) -> None:
    place = MAKERS[kind](tmp_path / f"a{kind}")
    found = survey(place, strict=True)
    assert found.notes == ("it is transparent in places, which were laid on white",)
    picture = shown(place)[0].astype(int)
    assert np.abs(picture[:, 40:] - 255).mean() < 3 and off(picture[:, :24], SCENES[0][:, :24]) < 9
    if kind == ".mov":
        half = (SCENES[0][:, 30:34].astype(int) * 128 + 255 * 127) / 255
        assert off(picture[:, 30:34], half) < 3


@pytest.mark.parametrize("kind", [".webm", ".mov", ".png"])
def test_opaque_films_with_a_place_for_alpha_say_nothing(tmp_path: Path, kind: str) -> None:
    place = MAKERS[kind](tmp_path / f"a{kind}", opaque=True)
    assert survey(place, strict=True).notes == () and off(shown(place)[0], SCENES[0]) < 9


# ── sounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_unknown_kind(film: Path, *tracks: int) -> Path:
    """These of its two sounds of a kind that nobody knows, as phones write them."""
    content = bytearray(film.read_bytes())
    places = [at for at in range(len(content)) if content[at : at + 4] == b"mp4a"]
    for track in tracks:
        content[places[track] : places[track] + 4] = b"apac"
        inside = content.find(b"esds", places[track])
        content[inside : inside + 4] = b"dapa"
    place = film.with_suffix(".mov")
    place.write_bytes(content)
    return place


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("bad", [0, 1])
def test_sounds_that_can_be_read_are_kept_and_the_others_named(tmp_path: Path, bad: int, suffix: str) -> None:
    clip = pan(12, 48, 64).frames
    place = of_unknown_kind(save_clip(tmp_path / "s.mp4", clip, sound_seconds=0.48, sounds=2), bad)
    found = survey(place)
    assert found.sounds == (1 - bad,) and found.sound
    assert found.notes == (f"of its 2 sounds number {bad + 1} (of an unknown kind) cannot be read; the others are kept",)
    told: list[str] = []
    for tracks in (found.sounds, None):
        made = write_film(
            tmp_path / f"a{suffix}", clip, found.times, found.end, sound=place, tracks=tracks, replace=True, tell=told.append
        )  # fmt: skip
        assert survey(made, strict=True).sounds == (0,)
    assert sum("cannot be read and is left out" in each for each in told) == 1  # where nobody had looked before


def test_a_sound_that_is_garbage_is_left_out_and_without_any_the_film_is_silent(tmp_path: Path) -> None:
    clip = pan(12, 48, 64).frames
    good = save_clip(tmp_path / "s.mp4", clip, sound_seconds=0.48, sounds=2)
    assert survey(of_unknown_kind(good, 0, 1)).notes == ("none of its 2 sounds can be read",)
    content, rng = bytearray(good.read_bytes()), np.random.default_rng(0)
    with av.open(str(good)) as container:
        for packet in container.demux(container.streams.audio[1]):
            if packet.size and packet.pos is not None:
                content[packet.pos : packet.pos + packet.size] = rng.integers(0, 256, packet.size, np.uint8).tobytes()
    (tmp_path / "garbage.mp4").write_bytes(content)
    found = survey(tmp_path / "garbage.mp4")
    assert found.sounds == (0,) and "number 2 (aac)" in found.notes[0]
    with pytest.raises(InputError, match="number 2"):
        survey(tmp_path / "garbage.mp4", strict=True)


# ── what is no film ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (saved(photo(), "JPEG"), "a picture, not a film"),
        (saved(photo(), "PNG"), "a picture, not a film"),
        (saved(photo(), "WEBP"), "a picture, not a film"),
        (saved(photo(), "AVIF"), "a picture, not a film"),
        (tiff((tiff_tags(photo(), 2), photo())), "a picture, not a film"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "a picture, not a film"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(99), "a camera's raw file (CR3), which cannot be read"),
        (b"<!doctype html><title>404</title>", "a web page, not a film"),
        (b"%PDF-1.7\n", "a PDF document, which cannot be read"),
        (b"ID3\4\0\0" + bytes(99), "sound, not a film"),
    ],
)
def test_what_is_no_film_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    place = tmp_path / "film.mp4"
    place.write_bytes(content)
    with pytest.raises(InputError) as caught:
        survey(place)
    assert caught.value.fault == f"'{place}' is {what}" and caught.value.remedy


def test_of_a_moving_avif_the_film_and_not_its_picture(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(each) for each in SCENES)
    first.save(tmp_path / "a.avif", save_all=True, append_images=others, duration=40, quality=95)
    assert len(survey(tmp_path / "a.avif", strict=True).times) == 3
    assert all(off(one, other) < 5 for one, other in zip(shown(tmp_path / "a.avif"), SCENES, strict=True))


def test_a_moving_webp_is_named(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(each) for each in SCENES)
    first.save(tmp_path / "a.webp", save_all=True, append_images=others, duration=40)
    with pytest.raises(InputError, match="is an animated WebP, which cannot be read"):
        survey(tmp_path / "a.webp")

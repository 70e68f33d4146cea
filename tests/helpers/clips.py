"""Films for tests: rendered clips whose motion is known to the pixel, and writers of small video files.

A clip is what a camera sees of worlds without end (a picture and its mirror images), so the motion is exact everywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data


@dataclass(frozen=True)
class Clip:
    """Frames and the motion between neighbours.

    Attributes:
        frames: each (H, W, 3) uint8.
        flows: each (H, W, 2) float32: the pixel (x, y) of frame n was at (x + flow[y, x, 0], y + flow[y, x, 1]) in frame n - 1; zeros for
            the first frame and after a cut.
        hidden: each (H, W) bool: pixels of frame n that were not to be seen in frame n - 1 (covered, outside, on the soft edge of an
            object, or all of them in the first frame and after a cut).
    """

    frames: list[np.ndarray]
    flows: list[np.ndarray]
    hidden: list[np.ndarray]


# ── worlds ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Pink noise in colour with flat shapes on it, smooth enough to be moved by parts of a pixel. (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])  # (H, W // 2 + 1)
    falling = np.exp(-((frequency / 0.25) ** 2)) / np.maximum(frequency, 1 / max(height, width))
    spectrum = np.fft.rfft2(rng.standard_normal((3, height, width))) * falling
    values = np.fft.irfft2(spectrum, (height, width)).transpose(1, 2, 0)  # (H, W, 3)
    grey = values.mean(-1, keepdims=True)
    values = grey + 0.5 * (values - grey)  # colours go together, as in photographs
    picture = np.ascontiguousarray(np.clip(127 + 45 * (values - values.mean()) / values.std(), 0, 255).astype(np.uint8))
    for _ in range(12):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(4, max(5, width // 8))), int(rng.integers(4, max(5, height // 8))))
        colour = tuple(int(each) for each in rng.integers(20, 236, 3))
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.6)


@functools.cache
def photograph(name: str, height: int, width: int) -> np.ndarray:
    """A photograph of scikit-image (`coffee`, `chelsea`, `astronaut`, `rocket`) cut and scaled to this size. (H, W, 3) uint8."""
    whole = np.ascontiguousarray(getattr(data, name)()[..., :3])
    scale = max(height / whole.shape[0], width / whole.shape[1])
    size = (max(width, round(whole.shape[1] * scale)), max(height, round(whole.shape[0] * scale)))
    scaled = cv2.resize(whole, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def seen(world: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The world at these places (H, W), in its own pixels; beyond its edge it is mirrored."""
    height, width = world.shape[:2]
    x, y = (((each + 0.5) % (2 * size)) for each, size in ((x, width), (y, height)))
    x, y = np.minimum(x, 2 * width - x) - 0.5, np.minimum(y, 2 * height - y) - 0.5
    return cv2.remap(world, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return x, y


def _outside(flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    x, y = _grid(height, width)
    x, y = x + flow[..., 0], y + flow[..., 1]
    beyond: np.ndarray = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    return beyond


def _first(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((height, width, 2), np.float32), np.ones((height, width), bool)


# ── clips ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pan(
    frames: int,
    height: int,
    width: int,
    *,
    speed: tuple[float, float] = (3.0, 1.0),
    seed: int = 0,
    world: np.ndarray | None = None,
) -> Clip:
    """The camera moves by `speed` pixels (right, down) a frame over `world` (`noise` by default)."""
    world = noise(height, width, seed) if world is None else world
    x, y = _grid(height, width)
    pictures, flows, hidden = [], [], []
    for n in range(frames):
        pictures.append(seen(world, x + n * speed[0], y + n * speed[1]))
        flow, unseen = _first(height, width)
        if n:
            flow[...] = speed
            unseen = _outside(flow)
        flows.append(flow)
        hidden.append(unseen)
    return Clip(pictures, flows, hidden)


def zoom(
    frames: int,
    height: int,
    width: int,
    *,
    rate: float = 1.01,
    turn: int = 60,
    seed: int = 0,
    world: np.ndarray | None = None,
) -> Clip:
    """The camera nears the middle by `rate` a frame for `turn` frames, then goes back as far, over and over."""
    world = noise(height, width, seed) if world is None else world
    x, y = _grid(height, width)
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    middle = (world.shape[1] - 1) / 2, (world.shape[0] - 1) / 2
    scales = [rate ** float(turn - abs(n % (2 * turn) - turn)) for n in range(frames)]
    pictures, flows, hidden = [], [], []
    for n, scale in enumerate(scales):
        pictures.append(seen(world, middle[0] + x / scale, middle[1] + y / scale))
        flow, unseen = _first(height, width)
        if n:
            shrink = scales[n - 1] / scale - 1
            flow[..., 0], flow[..., 1] = x * shrink, y * shrink
            unseen = _outside(flow)
        flows.append(flow)
        hidden.append(unseen)
    return Clip(pictures, flows, hidden)


def occlusion(
    frames: int,
    height: int,
    width: int,
    *,
    speed: int = 4,
    ground: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
    world: np.ndarray | None = None,
    thing: np.ndarray | None = None,
) -> Clip:
    """A disc with a picture of its own passes from left to right before the world, again and again.

    Args:
        speed: of the disc, pixels a frame.
        ground: movement of the camera over the world behind, pixels a frame; the disc does not follow it.
        thing: the picture on the disc (`noise` by default).
    """
    world = noise(height, width, seed) if world is None else world
    thing = noise(height, width, seed + 1000) if thing is None else thing
    x, y = _grid(height, width)
    radius = min(height, width) * 0.28
    path = width + 2 * (radius + 2)  # it jumps back while it is out of sight
    pictures, flows, hidden, cover_before = [], [], [], np.zeros((height, width))
    for n in range(frames):
        middle = (0.25 * path + n * speed) % path - (radius + 2)
        cover = np.clip(radius + 0.5 - np.hypot(x - middle, y - (height - 1) / 2), 0, 1)  # (H, W) 1 on the disc
        behind, before = seen(world, x + n * ground[0], y + n * ground[1]), seen(thing, x - middle, y)
        pictures.append(np.rint(behind + cover[..., None] * (before.astype(np.float64) - behind)).astype(np.uint8))
        flow, unseen = _first(height, width)
        if n:
            on = cover > 0.5
            flow[on], flow[~on] = (-speed, 0), ground
            there = cv2.remap(
                cover_before.astype(np.float32),
                (x + flow[..., 0]).astype(np.float32),
                (y + flow[..., 1]).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )  # (H, W) how much of the disc was where each pixel comes from
            unseen = _outside(flow) | (cover > 0) & (cover < 1) | (np.abs(there - on) > 0.01)
        flows.append(flow)
        hidden.append(unseen)
        cover_before = cover
    return Clip(pictures, flows, hidden)


def cut(frames: int, height: int, width: int, *, speed: tuple[float, float] = (2.0, 0.0), seed: int = 0) -> Clip:
    """Two scenes, each a pan; the second begins at frame `frames // 2`."""
    first = pan(frames // 2, height, width, speed=speed, seed=seed)
    second = pan(frames - frames // 2, height, width, speed=(-speed[0], -speed[1]), seed=seed + 1)
    return Clip(first.frames + second.frames, first.flows + second.flows, first.hidden + second.hidden)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9", ".avi": "mpeg4", ".gif": "gif", ".ts": "libx264"}
SOUNDS = {".mp4": "aac", ".mov": "aac", ".mkv": "flac", ".webm": "libopus", ".avi": "mp3", ".ts": "aac"}
RATE = 48_000


def sound(seconds: float, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Tones whose pitch rises from 300 to 3,000 Hz, loud from the first sample to the last. (channels, samples) float32 in -1..1."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.stack([0.5 * np.sin(2 * np.pi * (300 * time + 1350 * time**2 / seconds) + seed + n) for n in range(channels)]).astype("f4")


def save_clip(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    fps: Fraction | int = 25,
    times: Sequence[Fraction] | None = None,
    sound_seconds: float | None = None,
    sound_codec: str | None = None,
    sounds: int = 1,
    sound_values: np.ndarray | None = None,
    sound_rate: int = RATE,
    sound_begins: Fraction = Fraction(0),
    rotation: int = 0,
    codec: str | None = None,
    pixels: str | None = None,
    matrix: str = "bt709",
    full: bool = False,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A small video file of these frames.

    Args:
        times: when each frame is shown, in seconds; evenly at `fps` by default.
        sound_seconds: length of the sound, if there is to be one; `sound_codec` for another than the usual of the container.
        sounds: number of sound tracks.
        sound_values: (channels, samples) float32 at `sound_rate`, for another sound than `sound`.
        sound_begins: when its first sample is heard, in seconds.
        rotation: 90, 180 or 270 degrees by which a player turns the frames, against the clock.
        pixels: pixel format.
        matrix, full: how colours are coded: bt709 or smpte170m (bt601), levels 0..255 or 16..235.
        aspect: width of a pixel by its height.
    """
    suffix = path.suffix.lower()
    codec = codec or CODECS[suffix]
    base = Fraction(1, 90_000)
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=Fraction(fps))
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.height, context.width = frames[0].shape[:2]
        context.pix_fmt = pixels or ("rgb8" if codec == "gif" else "yuv420p")
        context.time_base = Fraction(1, 100) if codec == "gif" else 1 / Fraction(fps) if codec == "mpeg4" else base
        context.thread_count = 1
        coded = {"bt709": (1, 1, 1), "smpte170m": (6, 6, 6)}[matrix]
        if codec != "gif":
            context.colorspace, context.color_primaries, context.color_trc = coded
            context.color_range = 2 if full else 1
        context.options = {
            "libx264": {"preset": "ultrafast", "crf": "12"},
            "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"},
            "mpeg4": {"qscale": "2"},
        }.get(codec, {})
        if aspect:
            context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        voices = [sound(sound_seconds, seed=number) for number in range(sounds)] if sound_seconds else []
        voices = voices if sound_values is None else [sound_values]
        tracks = [_sound_stream(container, sound_codec or SOUNDS[suffix], sound_rate, len(each)) for each in voices]
        for n, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            if codec != "gif":
                frame = frame.reformat(
                    format=context.pix_fmt,
                    dst_colorspace={"bt709": "itu709", "smpte170m": "itu601"}[matrix],
                    dst_color_range="JPEG" if full else "MPEG",
                )
                frame.colorspace, frame.color_primaries, frame.color_trc = coded
            frame.time_base = context.time_base
            frame.pts = round((times[n] if times else n / Fraction(fps)) / context.time_base)
            frame.duration = round(1 / Fraction(fps) / context.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for track, each in zip(tracks, voices, strict=True):
            _write_sound(container, track, each, round(sound_begins * sound_rate))
    return path


def _sound_stream(container: av.container.OutputContainer, codec: str, rate: int, channels: int) -> av.AudioStream:
    options = {"aac_coder": "fast"} if codec == "aac" else {}  # the other one spoils the first packets
    stream = container.add_stream(codec, rate=rate, layout="mono" if channels == 1 else "stereo", options=options)
    assert isinstance(stream, av.AudioStream)
    return stream


def _write_sound(container: av.container.OutputContainer, stream: av.AudioStream, values: np.ndarray, begins: int) -> None:
    context = stream.codec_context
    kind, layout = context.format, context.layout.name
    if kind.name.startswith("s16"):
        values = np.rint(values * 32767).astype("i2")
    elif kind.name.startswith("s32"):
        values = np.rint(values * 2147480000).astype("i4")
    size = context.frame_size or 1024
    for at in range(0, values.shape[1], size):
        piece = values[:, at : at + size]
        laid = piece if kind.is_planar else piece.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(laid), kind.name, layout)
        frame.sample_rate, frame.time_base, frame.pts = context.sample_rate, Fraction(1, context.sample_rate), begins + at
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def heard(path: Path, track: int = 0) -> tuple[np.ndarray, Fraction]:
    """The sound of a file as a player gives it: ((samples,) float32 of the first channel at 48 kHz, when the first one is heard)."""
    pieces = []
    began = None
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        resampler = av.AudioResampler("fltp", "mono", RATE)
        for frame in container.decode(stream):
            if began is None:
                assert frame.pts is not None and frame.time_base is not None
                began = frame.pts * frame.time_base
            pieces += [each.to_ndarray()[0] for each in resampler.resample(frame)]
        pieces += [each.to_ndarray()[0] for each in resampler.resample(None)]
    assert began is not None
    return np.concatenate(pieces), Fraction(began)


def off(one: np.ndarray, other: np.ndarray) -> float:
    """How far two pictures are apart on average, of 255."""
    return float(np.abs(one.astype(int) - other).mean())

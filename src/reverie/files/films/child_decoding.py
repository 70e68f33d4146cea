"""What the process that decodes films does with one: survey it, or give its frames."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reverie.errors import choice
from reverie.files.films.child_common import FAULTS, codec_of, open_film, origin, say
from reverie.files.films.child_frames import FieldOrder, Painter, coding_of, whole_frames
from reverie.files.films.protocol import LONGEST_SIDE, MEMORY, MOST_FRAMES, Fault, ReadRequest, pair
from reverie.files.limits import most_pixels
from reverie.files.recipes.film_containers import segment_end

if TYPE_CHECKING:
    import av
    import av.container

_A_PIXEL = 64  # bytes of memory more for each pixel: a decoder holds some twenty frames
_THREADS = 8
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # decoders that also read what is beside the picture


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def limit_memory(size: int) -> None:
    """Take no more address space than this, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size if hard < 0 else min(size, hard), hard))


def _judge(width: int, height: int, name: str) -> None:
    """Refuse a size before anything of it is decoded, and allow memory for it."""
    if width <= 0 or height <= 0:
        fault = f"'{name}' has a picture without a size, or of a kind that cannot be read"
        raise Fault("input", fault, "convert it with another program first")
    if max(width, height) > LONGEST_SIDE:
        raise Fault("input", f"'{name}' claims {width}×{height}; no side of a film may exceed {LONGEST_SIDE:,}", "scale it down first")
    if width * height > most_pixels():
        claim = f"'{name}' claims {width}×{height} = {width * height:,} pixels a frame, more than {most_pixels():,}"
        raise Fault("unsafe", claim, f"allow more with {choice('max_pixels')} if you trust it")
    limit_memory(MEMORY + _A_PIXEL * width * height)


def _stream(container: av.container.InputContainer, name: str) -> Any:
    """The moving picture, its size judged."""
    import av

    moving = [each for each in container.streams.video if not each.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise Fault("input", f"'{name}' has no moving picture in it", "give a film")
    stream = (
        moving[0] if moving[0].frames != 1 else max(moving, key=lambda each: each.frames)
    )  # the first may be a picture of it, as in AVIF
    context = stream.codec_context
    _judge(context.width, context.height, name)
    context.thread_type, context.thread_count = "SLICE", min(_THREADS, os.cpu_count() or 1)  # by frames, damaged ones would vary
    context.options = {"max_pixels": str(most_pixels())}
    return stream


# ── decoding ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Reading:
    """A film decoded once from end to end, frame by frame, and what was found out meanwhile.

    Attributes:
        packets, lost, corrupt: frames in the file so far; of them those that gave no picture, or one with guesses in it.
        missing: frames that the header promises and the file does not hold.
        resized: the size that the picture changed to, which ends it.
        heard: the numbers, among the sounds, of those that could be decoded, in a survey.
    """

    def __init__(self, container: av.container.InputContainer, stream: Any, survey: bool = False) -> None:
        self.container, self.stream = container, stream
        self.survey = survey
        self.sounds = list(container.streams.audio) if survey else []
        self.packets = self.given = self.lost = self.corrupt = self.missing = self._seen = 0
        self._promised = _promised(container, stream)
        self.resized: tuple[int, int] | None = None
        self.heard = set[int]()
        self._decoder = _with_alpha(stream)
        self._spoke = time.monotonic()

    def frames(self) -> Iterator[Any]:
        size: tuple[int, int] | None = None
        for frame in self._decoded():
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                self.resized = frame.width, frame.height
                for packet in self._demuxed():  # what is left is counted, so that "of how many" can be told
                    self.packets += int(packet.stream is self.stream and packet.size > 0)
                break
            self.given += 1
            self.corrupt += int(frame.is_corrupt)
            if self.given > MOST_FRAMES:
                raise Fault("unsafe", f"the film has more than {MOST_FRAMES:,} frames", "cut it into parts first")
            yield frame
        self.missing = max(0, self._promised - self._seen)
        if self.stream.codec_context.name in ("h264", "hevc"):  # one packet, one frame
            self.lost = max(self.lost, self.packets - self.given)

    def _decoded(self) -> Iterator[Any]:
        self._packets = self._demuxed()
        for packet in self._packets:
            if packet.stream is not self.stream:
                self._listen(packet)
                continue
            if packet.size and not packet.is_discard:
                self.packets += 1
            try:
                frames = self._decode(packet)
            except FAULTS as error:
                if isinstance(error, MemoryError):
                    raise
                self.lost += 1
                continue
            yield from frames
        with contextlib.suppress(*FAULTS):  # after a demuxer that broke off, what the decoder still holds
            yield from self._decode(None)

    def _decode(self, packet: Any) -> Any:
        return (self.stream if self._decoder is None else self._decoder).decode(packet)

    def _demuxed(self) -> Iterator[Any]:
        try:
            for packet in self.container.demux(self.stream, *self.sounds):
                if time.monotonic() - self._spoke > 1:
                    self._sign()
                self._seen += int(packet.stream is self.stream and packet.dts is not None)  # empty ones repeat a frame
                yield packet
        except FAULTS:
            return

    def _sign(self) -> None:
        """A sign of life, while there is nothing else to say."""
        if self.survey:
            say({"type": "alive"})
        self._spoke = time.monotonic()

    def _listen(self, packet: Any) -> None:
        with contextlib.suppress(*FAULTS):
            if packet.decode():
                self.heard.add(self.sounds.index(packet.stream))


def _with_alpha(stream: Any) -> Any:
    """The decoder that reads a WebM's transparency too, which the usual one leaves out; None where the usual one does."""
    import av

    name = _WITH_ALPHA.get(stream.codec_context.name)
    if stream.metadata.get("alpha_mode") != "1" or name is None:
        return None
    try:
        decoder: Any = av.CodecContext.create(name, "r")
    except (ValueError, *FAULTS):
        return None
    decoder.thread_count = 1
    return decoder


def _promised(container: av.container.InputContainer, stream: Any) -> int:
    """How many frames the index of the file lists; 0 where it does not tell."""
    listed: int = sum(each.size > 0 for each in stream.index_entries)  # an empty one repeats a frame
    if "mov" in container.format.name:
        return listed if listed <= MOST_FRAMES else 0
    if container.format.name == "avi":
        return int(listed if 2 * listed > stream.frames or stream.frames > MOST_FRAMES else stream.frames)
    if "matroska" in container.format.name and _cut_short(container.name):
        rate, seconds = _rate(stream), Fraction(container.duration or 0, 1_000_000)
        return int(rate * seconds + Fraction(1, 2)) if rate and rate * seconds <= MOST_FRAMES else 0
    return 0


def _cut_short(path: str) -> bool:
    """Whether a WebM or MKV ends before it should."""
    with Path(path).open("rb") as file:
        try:
            return segment_end(file) > file.seek(0, os.SEEK_END)
        except struct.error:
            return False


def _rate(stream: Any) -> Fraction | None:
    """Frames a second by the header, if it is one that films have."""
    for each in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if each and 5 <= each <= 240:
            return Fraction(each)
    return None


def _matrix(frame: Any) -> list[int]:
    """a, b, c, d: (x, y) → (a·x + c·y, b·x + d·y), as players turn the frame."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or len(bytes(data)) != 36:
        return [1, 0, 0, 1]
    numbers = memoryview(bytes(data)).cast("i")
    return [numbers[0], numbers[1], numbers[3], numbers[4]]


def _width(frame: Any, stream: Any) -> int:
    """The width with square pixels."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if not aspect or not Fraction(1, 8) <= aspect <= 8:
        return int(frame.width)
    return max(1, int(frame.width * aspect + Fraction(1, 2)))


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def survey(request: ReadRequest) -> None:
    """Decode all of a film, and tell what there is."""
    name = request["name"]
    with open_film(request["path"], name) as container:
        stream = _stream(container, name)
        reading = Reading(container, stream, survey=True)
        begins = origin(container)
        times: list[tuple[int | None, int]] = []
        painter, order = Painter(), FieldOrder()
        brightest, clear, fields = None, False, 0
        for frame in reading.frames():
            fields += bool(frame.interlaced_frame)
            order.look(frame)
            clear = clear or painter.is_clear(frame)
            if (coding := coding_of(frame)) is not None and coding.hdr:
                brightest = max(brightest or 1.0, painter.brightest(frame, coding))
            if reading.given == 1:
                _say_head(container, stream, frame, begins, name)
            times.append((frame.pts if frame.pts is not None else frame.dts, frame.duration or 0))
            if len(times) >= 2000:
                say({"type": "times", "times": times})
                times = []
        if not reading.given:
            raise Fault("input", f"no frame of '{name}' can be read", "fetch it again, or convert it with another program first")
        say({"type": "times", "times": times})
        say({
            "type": "found", "packets": reading.packets, "lost": reading.lost, "missing": reading.missing, "corrupt": reading.corrupt,
            "resized": None if reading.resized is None else list(reading.resized), "sounds": [codec_of(each) for each in reading.sounds],
            "heard": sorted(reading.heard), "clear": clear, "fields": fields, "order": order.found,
            "brightest": brightest,
        })  # fmt: skip


def _say_head(container: av.container.InputContainer, stream: Any, frame: Any, begins: Fraction, name: str) -> None:
    width = _width(frame, stream)
    _judge(width, frame.height, name)
    rate = None if "mov" in container.format.name else _rate(stream)  # which has it from the times
    say({
        "type": "head", "size": [width, frame.height], "coded": [frame.width, frame.height], "matrix": _matrix(frame),
        "base": pair(frame.time_base or stream.time_base or Fraction(1, 1000)), "origin": pair(begins),
        "rate": None if rate is None else pair(rate), "hdr": coding.note if (coding := coding_of(frame)) is not None else None,
    })  # fmt: skip


def frames(request: ReadRequest) -> None:
    """Decode a film, and give its frames."""
    name, begin = request["name"], request["begin"]
    with open_film(request["path"], name) as container:
        stream = _stream(container, name)
        painter = Painter(request.get("brightest"))
        reading = Reading(container, stream)
        for number, frame in enumerate(whole_frames(reading.frames(), request.get("order", "auto"))):
            if number < begin:
                if number % 50 == 0:
                    say({"type": "alive"})
                continue
            width = _width(frame, stream)
            _judge(width, frame.height, name)
            rgb = painter.rgb(frame, width)
            say({"type": "frame", "size": [width, frame.height], "matrix": _matrix(frame)})
            if isinstance(rgb, np.ndarray):
                sys.stdout.buffer.write(np.ascontiguousarray(rgb).data)
                sys.stdout.buffer.flush()
            else:
                _give(rgb.planes[0], width, frame.height)
        say({"type": "done"})


def _give(plane: Any, width: int, height: int) -> None:
    """The pixels, rows without what they are padded with."""
    length, rows = 3 * width, memoryview(plane)
    if plane.line_size == length:
        sys.stdout.buffer.write(rows[: length * height])
    else:
        for top in range(0, plane.line_size * height, plane.line_size):
            sys.stdout.buffer.write(rows[top : top + length])
    sys.stdout.buffer.flush()

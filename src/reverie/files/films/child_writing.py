"""What the process that writes films does with the picture: raw frames on stdin → MP4, WebM or GIF, the same bytes every time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from reverie.files.films.child_common import FAULTS, no_room, note, say
from reverie.files.films.protocol import Fault, WriteRequest
from reverie.files.films.sound import Sound

if TYPE_CHECKING:
    import av
    import av.container

_THREADS = 4  # how many encode is part of what comes out: a number that does not follow the machine
_BT709 = 1  # of swscale
_GIF_SHORTEST = 2  # hundredths of a second: browsers take less for ten
_MOST_TICKS = 1_000_000  # a second


class _Unheard(Exception):
    """The sound cannot go into the film; no frame has been taken yet."""


def write(request: WriteRequest, source: BinaryIO) -> None:
    """One film, as `write_film` asks for it; says notes and, at the end, `done`."""
    *times, end = (Fraction(*each) for each in request["times"])
    height, width, place = request["height"], request["width"], request["path"]
    frames = _frames(source, height, width, len(times))
    if request["suffix"] == ".gif":
        count = _gif(place, frames, height, width, times, end)
        if request["sound"]:
            note("a GIF has no sound")
    else:
        try:
            count = _film(request, frames, times, end)
        except _Unheard:
            note(f"the sound of '{request['sound_name']}' cannot be read; the film is silent")
            count = _film({**request, "sound": None}, frames, times, end)
    _check(place, count)
    say({"type": "done"})


def _frames(source: BinaryIO, height: int, width: int, count: int) -> Iterator[Any]:
    """The frames that come in, as VideoFrame in rgb24."""
    import av

    for _ in range(count):
        content = source.read(height * width * 3)
        if len(content) < height * width * 3:
            raise SystemExit(1)  # whoever wanted the film is gone
        yield av.VideoFrame.from_ndarray(np.frombuffer(content, np.uint8).reshape(height, width, 3), "rgb24")


def _check(place: str, count: int) -> None:
    """What was written is all there: an error while a file is closed is not always told."""
    import av

    with av.open(place, "r") as container:
        found = sum(packet.size > 0 for packet in container.demux(video=0))
    if found != count:
        raise OSError(5, f"{found} of {count} frames were written")


# ── MP4 and WebM ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def ticks(times: Sequence[Fraction], end: Fraction) -> int:
    """A clock, in ticks a second, that all these times are whole numbers of; a fine one, where that cannot be."""
    exact = math.lcm(*(each.denominator for each in (*times, end)))
    return exact * max(1, -(-10_000 // exact)) if exact <= _MOST_TICKS else _MOST_TICKS


def in_ticks(times: Sequence[Fraction], end: Fraction, rate: int) -> list[int]:
    """All times and the end in ticks, each later than the one before."""
    out: list[int] = []
    for each in (*times, end):
        out.append(max(round(each * rate), out[-1] + 1 if out else 0))
    return out


def _film(request: WriteRequest, frames: Iterator[Any], times: Sequence[Fraction], end: Fraction) -> int:
    import av

    mp4 = request["suffix"] == ".mp4"
    rate = ticks(times, end) if mp4 else 1000
    marks = in_ticks(times, end, rate)
    options = {"movflags": "+faststart", "video_track_timescale": str(rate), "movie_timescale": str(rate)} if mp4 else {}
    fine = av.video.reformatter.Interpolation
    flags = fine.BICUBIC | fine.ACCURATE_RND | fine.FULL_CHR_H_INP | fine.BITEXACT
    converter = av.video.reformatter.VideoReformatter()
    with av.open(request["path"], "w", format="mp4" if mp4 else "webm", container_options=options) as container:
        container.flags |= 0x400  # bitexact
        stream = _video(container, mp4, request["height"], request["width"], rate, len(times) / (end - times[0]))
        sound = _begun(container, request)
        span = {mark: after - mark for mark, after in pairwise(marks)}

        def put(packets: Sequence[Any]) -> None:
            for packet in packets:
                packet.duration = span[packet.pts]
                until = Fraction(packet.dts, rate)
                container.mux(packet)
                if sound is not None:
                    sound.give(until)

        for mark, frame in zip(marks, frames, strict=False):
            yuv = converter.reformat(
                _even(frame) if mp4 else frame, format="yuv420p", interpolation=flags, threads=1, src_color_range="JPEG",
                dst_colorspace=_BT709, dst_color_range="MPEG",
            )  # fmt: skip
            yuv.colorspace = yuv.color_primaries = yuv.color_trc = 1
            yuv.pts, yuv.time_base, yuv.duration = mark, Fraction(1, rate), span[mark]
            put(stream.encode(yuv))
        for packet in stream.encode_lazy(None):
            put([packet])
            say({"type": "alive"})
        if sound is not None:
            sound.give(None)
            sound.close()
    return len(times)


def _begun(container: av.container.OutputContainer, request: WriteRequest) -> Sound | None:
    """The sound, if there is any; all tracks are known, and the head of the film is written."""
    try:
        sound = Sound(container, request) if request["sound"] else None
        container.start_encoding()
    except (Fault, *FAULTS) as error:
        if not request["sound"] or no_room(error):
            raise
        raise _Unheard from error
    return sound


def _video(container: av.container.OutputContainer, mp4: bool, height: int, width: int, rate: int, fps: Fraction) -> Any:
    if mp4:
        options = {"crf": "16", "preset": "medium"}
        if height % 2 or width % 2:
            note(f"H.264 has even sides: {width}×{height} became {width + width % 2}×{height + height % 2}, its last pixels repeated")
            height, width = height + height % 2, width + width % 2
    else:
        options = {
            "crf": "22", "b": "0", "deadline": "good", "cpu-used": "4", "tile-columns": "2", "auto-alt-ref": "1", "lag-in-frames": "25",
        }  # fmt: skip
    stream = container.add_stream("libx264" if mp4 else "libvpx-vp9", rate=fps.limit_denominator(1001), options=options)
    context: Any = stream.codec_context
    context.height, context.width, context.pix_fmt = height, width, "yuv420p"
    context.time_base = Fraction(1, rate)
    context.thread_count = _THREADS
    context.colorspace = context.color_primaries = context.color_trc = 1  # bt709
    context.color_range = 1  # 16..235
    context.sample_aspect_ratio = Fraction(1)
    context.flags |= 1 << 23  # bitexact
    return stream


def _even(frame: Any) -> Any:
    """With even sides, the last row and column repeated."""
    import av

    if not frame.height % 2 and not frame.width % 2:
        return frame
    rgb = np.pad(frame.to_ndarray(), ((0, frame.height % 2), (0, frame.width % 2), (0, 0)), "edge")  # (H, W, 3)
    return av.VideoFrame.from_ndarray(rgb, "rgb24")


# ── GIF ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gif_marks(times: Sequence[Fraction], end: Fraction) -> tuple[list[int], list[int]]:
    """Which frames a GIF shows, and when, in hundredths of a second; of the end too."""
    last = max(round((end - times[0]) * 100), _GIF_SHORTEST)
    kept, marks = [0], [0]
    for number, time in enumerate(times[1:], 1):
        mark = round((time - times[0]) * 100)
        if mark - marks[-1] >= _GIF_SHORTEST and last - mark >= _GIF_SHORTEST:
            kept.append(number)
            marks.append(mark)
    return kept, [*marks, last]


def _gif(place: str, frames: Iterator[Any], height: int, width: int, times: Sequence[Fraction], end: Fraction) -> int:
    """With the 256 colours that suit all frames best; for that they are seen twice, and wait in a nameless file."""
    import av

    kept, marks = gif_marks(times, end)
    if len(kept) < len(times):
        note(f"a GIF shows {len(kept):,} of the {len(times):,} frames: none of them for less than {_GIF_SHORTEST}/100 of a second")
    with tempfile.TemporaryFile(dir=Path(place).parent, prefix=".reverie-", suffix=".part") as waiting:
        wanted = set(kept)
        palette = _graph(("palettegen", "stats_mode=full"), (width, height))
        for number, frame in enumerate(frames):
            if number in wanted:
                waiting.write(frame.to_ndarray().tobytes())
                frame.pts, frame.time_base = number, Fraction(1, 100)
                palette.push(frame)
        waiting.seek(0)
        palette.push(None)
        colours = palette.pull()
        painter = _graph(("paletteuse", "dither=sierra2_4a:diff_mode=rectangle"), (width, height), colours)
        with av.open(place, "w", format="gif", container_options={"loop": "0", "final_delay": str(marks[-1] - marks[-2])}) as container:
            container.flags |= 0x400  # bitexact
            stream: Any = container.add_stream("gif", rate=100)
            stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
            stream.codec_context.time_base = Fraction(1, 100)
            order = iter(marks)
            for number, frame in enumerate(_frames(waiting, height, width, len(kept))):
                frame.pts, frame.time_base = number, Fraction(1, 100)
                painter.push(frame, 0)
                if number == 0:
                    painter.push(colours, 1)
                    painter.push(None, 1)
                _paint(painter, stream, container, order)
            painter.push(None, 0)
            _paint(painter, stream, container, order)
            container.mux(stream.encode(None))
    return len(kept)


def _graph(filter: tuple[str, str], size: tuple[int, int], palette: Any = None) -> Any:
    """Frames in rgb24 → the filter; a palette is its second source."""
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    made, sink = graph.add(*filter), graph.add("buffersink")
    graph.add_buffer(width=size[0], height=size[1], format="rgb24", time_base=Fraction(1, 100)).link_to(made)  # type: ignore[arg-type]
    if palette is not None:
        second = graph.add_buffer(width=palette.width, height=palette.height, format=palette.format, time_base=Fraction(1, 100))
        second.link_to(made, 0, 1)
    made.link_to(sink)
    graph.configure()
    return graph


def _paint(graph: Any, stream: Any, container: Any, marks: Iterator[int]) -> None:
    """Write what the filter has ready, each frame at the next of `marks`."""
    import av

    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        frame.pts, frame.time_base = next(marks), Fraction(1, 100)
        container.mux(stream.encode(frame))

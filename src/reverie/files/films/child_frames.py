"""From what a decoder gives to pictures: fields become frames, colours sRGB, and what is transparent is laid on white."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reverie.files.colour_coding import CINEMA, HLG, LINEAR, PQ, UNSPECIFIED, Coding, coded

if TYPE_CHECKING:
    import av

_BT709, _BT601 = 1, 5  # of swscale
_WIDE = (9, 10, 11, 12)  # primaries that are converted; those of television differ too little from sRGB's for players to do so
_CURVES = (LINEAR, PQ, CINEMA, HLG)
_LEVEL = 8  # of the table of colours: 64 steps along each of red, green and blue
_GLANCE = 256  # pixels across, of what is looked at for the brightest
_Packed = npt.NDArray[np.uint8]


def coding_of(frame: Any) -> Coding | None:
    """How a frame's colours are coded, where that is not as ordinary screens have it."""
    transfer = frame.color_trc if frame.color_trc in _CURVES else 1
    primaries = frame.color_primaries if transfer in (PQ, HLG) or frame.color_primaries in _WIDE else UNSPECIFIED
    coding = coded(primaries, transfer)
    return None if coding is None or coding.is_srgb else coding


class FieldOrder:
    """Which of two fields is the earlier, as what moves shows it: many files say it wrong."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._counts: dict[str, float] = {}

    def look(self, frame: Any) -> None:
        """At the next frame of a film, if it has fields."""
        if not frame.interlaced_frame:
            return
        self._graph = self._graph or _graph(("idet", ""), frame)
        self._graph.push(frame)
        for each in _ready(self._graph):
            self._counts = {order: float(each.metadata.get(f"lavfi.idet.multiple.{order}", 0)) for order in ("tff", "bff")}

    @property
    def found(self) -> str:
        """tff or bff, of the upper or the lower one; auto where it cannot be told, and each frame is believed."""
        upper, lower = self._counts.get("tff", 0), self._counts.get("bff", 0)
        return "tff" if upper > max(1, 4 * lower) else "bff" if lower > max(1, 4 * upper) else "auto"


def whole_frames(frames: Iterator[Any], order: str = "auto") -> Iterator[Any]:
    """Of two fields one frame (bwdif), at the time of the earlier; whole frames as they are. As many as there were."""
    graph: Any = None
    for frame in frames:
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        graph = graph or _graph(("bwdif", f"mode=send_frame:parity={order}:deint=interlaced"), frame)
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


class Painter:
    """Frames → (H, W, 3) uint8 in sRGB.

    Args:
        brightest: light of the film, where white is 1, if that was measured.
    """

    def __init__(self, brightest: float | None = None) -> None:
        import av

        fine = av.video.reformatter.Interpolation
        self._flags = fine.BICUBIC | fine.ACCURATE_RND | fine.FULL_CHR_H_INT | fine.BITEXACT
        self._converter = av.video.reformatter.VideoReformatter()
        self._others: dict[Any, Any] = {}
        self._brightest = brightest

    def rgb(self, frame: Any, width: int) -> av.VideoFrame | _Packed:
        """A frame of this width: as rgb24, or as its levels."""
        coding = coding_of(frame)
        clear = self._alpha(frame, width)
        if coding is None:
            plain: Any = self._as(frame, "rgb24", width)
            return plain if clear is None else _on_white(plain.to_ndarray(), clear)
        coding = coding if self._brightest is None else replace(coding, peak=max(1.0, self._brightest))
        deep: npt.NDArray[np.uint16] = self._through_table(coding, self._as(frame, "rgb48le", width)).to_ndarray()
        levels = ((deep.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        return levels if clear is None else _on_white(levels, clear)

    def brightest(self, frame: Any, coding: Coding) -> float:
        """Light of a frame of HDR, where white is 1."""
        glance = self._as(frame, "rgb48le", min(_GLANCE, frame.width), point=True)
        return coding.for_picture(glance.to_ndarray()).peak

    def is_clear(self, frame: Any) -> bool:
        """Whether some of it is transparent."""
        return has_alpha(frame) and self._alpha(frame, frame.width) is not None

    def _alpha(self, frame: Any, width: int) -> _Packed | None:
        """(H, W, 1), or None where all is opaque."""
        if not has_alpha(frame):
            return None
        alpha: _Packed = self._as(frame, "rgba", width).to_ndarray()[..., 3:]
        return alpha if alpha.min() < 255 else None

    def _as(self, frame: Any, kind: str, width: int, point: bool = False) -> Any:
        import av

        converter = self._converter if kind == "rgb24" else self._others.setdefault(kind, av.video.reformatter.VideoReformatter())
        full = frame.color_range == 2 or frame.format.name.startswith("yuvj")
        return converter.reformat(
            frame, width=width, format=kind, interpolation=av.video.reformatter.Interpolation.POINT if point else self._flags, threads=1,
            src_colorspace=_colorspace(frame), src_color_range="JPEG" if full else None, dst_color_range="JPEG",
        )  # fmt: skip

    def _through_table(self, coding: Coding, frame: Any) -> Any:
        """In sRGB, by a table of colours made once."""
        import av

        key = coding, frame.width, frame.height
        if key not in self._others:
            table = coding.table(_LEVEL**2).reshape(_LEVEL**3, _LEVEL**3, 3)
            colours: Any = av.VideoFrame.from_ndarray(table, "rgb48le")
            colours.pts, colours.time_base = 0, Fraction(1, 100)
            graph = _graph(("haldclut", "interp=tetrahedral"), frame, colours)
            graph.push(colours, 1)
            graph.push(None, 1)
            self._others[key] = graph, 0
        graph, number = self._others[key]
        self._others[key] = graph, number + 1
        frame.pts, frame.time_base = number, Fraction(1, 100)
        graph.push(frame, 0)
        return graph.pull()


def has_alpha(frame: Any) -> bool:
    """Whether the format has a place for it."""
    return any(each.is_alpha for each in frame.format.components) or frame.format.name == "pal8"


def _on_white(rgb: _Packed, alpha: _Packed) -> _Packed:
    opaque = alpha.astype(np.uint16)
    return ((rgb * opaque + 255 * (255 - opaque) + 127) // 255).astype(np.uint8)


def _colorspace(frame: Any) -> int | None:
    """How its colours are coded, where it does not say: as players guess, by its height."""
    return None if frame.colorspace != 2 or frame.format.is_rgb else _BT709 if frame.height >= 720 else _BT601


def _graph(filter: tuple[str, str], *sources: Any) -> Any:
    """Frames like these → the filter."""
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    made, sink = graph.add(*filter), graph.add("buffersink")
    for place, each in enumerate(sources):
        base = each.time_base or Fraction(1, 1000)
        graph.add_buffer(width=each.width, height=each.height, format=each.format, time_base=base).link_to(made, 0, place)
    made.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: Any) -> Iterator[Any]:
    """What a filter has done."""
    import av

    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return

"""What the process that writes films does with the sound, titles and chapters of another film."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reverie.files.films.child_common import FAULTS, codec_of, no_room, note, open_film, origin
from reverie.files.films.protocol import WriteRequest

if TYPE_CHECKING:
    import av
    import av.container

_AS_IT_IS = {".mp4": frozenset(["aac", "mp3", "ac3", "eac3", "alac", "flac"]), ".webm": frozenset(["opus", "vorbis"])}
_AGAIN = {".mp4": "aac", ".webm": "libopus"}
_RATES = frozenset([8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
_KEPT = ("title", "artist", "album", "comment", "description", "date", "genre", "copyright")
_AHEAD = Fraction(1, 4)  # seconds that sound goes before the picture
_LONGEST_GAP = 600  # seconds of silence that are put in where sound is missing
_LEAD = {".mp4": 1024, ".webm": 0}  # samples of silence to begin with, for AAC is poor in its first packets; players are told to skip them
_OPTIONS = {".mp4": {"aac_pns": "0"}, ".webm": {}}  # noise is kept as it is, not made up


_Timed = tuple[Fraction, Any]  # when a packet of the new film is due, in seconds, and the packet


class Sound:
    """The sound of a film on its way into another, packet by packet.

    Args:
        container: the film that is written; nothing has been put into it yet.
        request: as `write_film` sends it.
    """

    def __init__(self, container: av.container.OutputContainer, request: WriteRequest) -> None:
        self._out, self._suffix = container, request["suffix"]
        self._name = request["sound_name"]
        self._end = None if request["sound_end"] is None else Fraction(*request["sound_end"])
        assert request["sound"] is not None
        self._in = open_film(request["sound"], self._name)
        self._origin = origin(self._in)
        wanted = request["tracks"]
        self._lanes: dict[int, _Copied | _Encoded] = {}
        for number, stream in enumerate(self._in.streams.audio):
            if wanted is None or number in wanted:
                with contextlib.suppress(*FAULTS):
                    self._lanes[stream.index] = self._lane(stream)
                    continue
                note(f"the sound number {number + 1} ({codec_of(stream)}) of '{self._name}' cannot be read and is left out")
        self._broken = False
        _titles(self._in, container, self._origin)
        self._packets = self._made()
        self._next: _Timed | None = None

    def give(self, until: Fraction | None) -> None:
        """Put in what is due up to a quarter of a second after `until`; all of it for None."""
        while True:
            self._next = self._next or next(self._packets, None)
            if self._next is None or (until is not None and self._next[0] > until + _AHEAD):
                return
            try:
                self._out.mux(self._next[1])
            except FAULTS as error:
                if no_room(error):
                    raise
                self._broken = True  # a packet that the new container cannot take
            self._next = None

    def close(self) -> None:
        self._in.close()
        if self._broken or any(lane.broken for lane in self._lanes.values()):
            note(f"parts of the sound of '{self._name}' cannot be read and are left out")

    def _lane(self, stream: Any) -> _Copied | _Encoded:
        kind = _Copied if codec_of(stream) in _AS_IT_IS[self._suffix] else _Encoded
        lane: _Copied | _Encoded = kind(self._out, stream, self._suffix, self._origin)
        if language := stream.metadata.get("language"):
            lane.stream.metadata["language"] = language
        return lane

    def _made(self) -> Iterator[_Timed]:
        if not self._lanes:
            return
        packets = self._in.demux(*(each for each in self._in.streams.audio if each.index in self._lanes))
        while True:
            try:
                packet = next(packets, None)
            except FAULTS:
                self._broken = True
                packet = None
            if packet is None:
                break
            for due, made in self._lanes[packet.stream.index].take(packet):
                if self._end is None or due < self._end:
                    yield due, made
        for lane in self._lanes.values():
            yield from lane.rest(self._end)


class _Copied:
    """A track whose packets go over as they are."""

    def __init__(self, out: av.container.OutputContainer, source: Any, suffix: str, begins: Fraction) -> None:
        self.stream: Any = out.add_stream_from_template(source, opaque=True)
        self.broken = False
        self._begins, self._last = begins, Fraction(-_LONGEST_GAP)
        self._rate, self._size = source.codec_context.sample_rate or 1, source.codec_context.frame_size or 0
        self._next: Fraction | None = None

    def take(self, packet: Any) -> list[_Timed]:
        if packet.dts is None or not packet.size:
            self.broken |= packet.size > 0
            return []
        due = self._exactly(packet, packet.dts * packet.time_base - self._begins)
        if not self._last < due < max(self._last, Fraction(0)) + _LONGEST_GAP:
            self.broken = True
            return []
        self.broken |= self._next is not None and self._size > 0 and due - self._next > Fraction(1, 10)  # a hole
        self._last, self._next = due, due + Fraction(self._size, self._rate)
        packet.time_base = Fraction(1, self._rate)
        packet.dts = packet.pts = round(due * self._rate)  # sound comes in its own order
        packet.duration = self._size or round(packet.duration * packet.time_base * self._rate)
        packet.stream = self.stream
        return [(due, packet)]

    def _exactly(self, packet: Any, due: Fraction) -> Fraction:
        """To the sample, where the file counts in milliseconds."""
        guess = self._next
        if guess is None and packet.has_sidedata("skip_samples"):
            guess = -Fraction(int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little"), self._rate)
        return guess if guess is not None and abs(guess - due) < Fraction(3, 2000) else due

    def rest(self, end: Fraction | None) -> Sequence[_Timed]:
        return []


class _Encoded:
    """A track that is decoded and encoded again, silent where parts of it are missing."""

    def __init__(self, out: av.container.OutputContainer, source: Any, suffix: str, begins: Fraction) -> None:
        import av

        context = source.codec_context
        self._rate = context.sample_rate if suffix == ".mp4" and context.sample_rate in _RATES else 48_000
        layout = "mono" if context.channels == 1 else "stereo"
        stream: Any = out.add_stream(_AGAIN[suffix], rate=self._rate, layout=layout, options=_OPTIONS[suffix])
        self.stream = stream
        self.stream.bit_rate = 96_000 * (1 if layout == "mono" else 2)
        self.stream.codec_context.flags |= 1 << 23  # bitexact
        self._format = self.stream.codec_context.format.name
        self._layout = layout
        self._resampler = av.AudioResampler(self._format, layout, self._rate)
        self.broken = False
        self._begins, self._lead = begins, _LEAD[suffix]
        self._samples: int | None = None  # where the next one goes
        note(f"the sound was {codec_of(source)} and is now {'AAC' if suffix == '.mp4' else 'Opus'}")

    def take(self, packet: Any) -> list[_Timed]:
        try:
            frames = packet.decode()
        except FAULTS:
            self.broken = True
            return []
        made: list[_Timed] = []
        for frame in frames:
            made += self._until(frame)
            for each in self._resampler.resample(frame):
                made += self._encoded(each)
        return made

    def rest(self, end: Fraction | None) -> Sequence[_Timed]:
        made = []
        if self._samples is not None:
            for each in self._resampler.resample(None):
                if end is None or each.samples < (end * self._rate) - self._samples:
                    made += self._encoded(each)
            made += self._due(self.stream.encode(None))
        return made

    def _until(self, frame: Any) -> list[_Timed]:
        """Silence up to a frame that comes late, and before the first."""
        place = None if frame.pts is None else round((frame.pts * frame.time_base - self._begins) * self._rate)
        if self._samples is None:
            first = max(0, place) if place is not None and place < _LONGEST_GAP * self._rate else 0
            self._samples = first - self._lead
            return self._silent(self._lead)
        missing = 0 if place is None else place - self._samples
        return self._silent(missing) if self._rate // 10 < missing < _LONGEST_GAP * self._rate else []

    def _silent(self, samples: int) -> list[_Timed]:
        made = []
        for at in range(0, samples, 1024):
            made += self._encoded(_silence(self._format, self._layout, min(1024, samples - at), self._rate))
        return made

    def _encoded(self, frame: Any) -> list[_Timed]:
        assert self._samples is not None
        frame.pts, frame.time_base = self._samples, Fraction(1, self._rate)
        self._samples += frame.samples
        return self._due(self.stream.encode(frame))

    def _due(self, packets: Sequence[Any]) -> list[_Timed]:
        return [(each.dts * each.time_base, each) for each in packets]


def _silence(kind: str, layout: str, samples: int, rate: int) -> Any:
    import av

    frame = av.AudioFrame(kind, layout, samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = rate
    return frame


def _titles(source: av.container.InputContainer, out: av.container.OutputContainer, begins: Fraction) -> None:
    """Title, author and the like, and chapters; nothing about places or machines."""
    known = {key.lower(): text for key, text in source.metadata.items()}
    out.metadata.update({key: known[key][:10_000] for key in _KEPT if known.get(key)})
    chapters = []
    try:
        found = source.chapters()
    except FAULTS:
        return
    for each in found[:1000]:
        base = each["time_base"]
        if base and each["end"] > each["start"]:
            shift = round(begins / base)
            title = {key: text[:1000] for key, text in each["metadata"].items() if key == "title"}
            chapters.append({**each, "start": each["start"] - shift, "end": each["end"] - shift, "metadata": title})
    if chapters:
        out.set_chapters(chapters)  # type: ignore[arg-type]

"""What decoding and writing share of FFmpeg, inside the process: opening a film, its clock, its faults, and words to the other side."""

from __future__ import annotations

import errno
import json
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reverie.files.films.protocol import Fault, Message

try:
    from av.error import FFmpegError
except ImportError:  # which `child.main` tells
    FFmpegError = OSError  # type: ignore[misc, assignment]

if TYPE_CHECKING:
    import av.container

FAULTS = (
    FFmpegError, OSError, ValueError, EOFError, RuntimeError, LookupError, ArithmeticError, AttributeError, TypeError, BufferError,
)  # fmt: skip
"""What PyAV raises on hostile bytes, but for MemoryError."""

# No playlists, no scripts, nothing that opens other files or the net.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,nut,h264,hevc,m4v,mjpeg,yuv4mpegpipe"
_FROM_ZERO = ("mov", "matroska", "avi", "gif")
_LATE = 10  # seconds; a clock that begins later belongs to a part of something longer


def say(message: Message) -> None:
    """Send an answer."""
    sys.stdout.buffer.write((json.dumps(message) + "\n").encode())
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    say({"type": "note", "text": text})


def no_room(error: BaseException) -> bool:
    """Whether the disk is full, or the place not to be written."""
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EACCES, errno.EROFS)
    return isinstance(error, OSError) and error.errno in full


def open_film(path: str, name: str) -> av.container.InputContainer:
    """The film, its headers read.

    Raises:
        Fault: it is none.
    """
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        return av.open(path, "r", container_options=options, metadata_errors="replace")
    except MemoryError:
        raise
    except FAULTS as error:
        raise Fault("input", f"'{name}' is not a film, or its header is damaged", "give an MP4, MOV, WebM, MKV, AVI or GIF") from error


def codec_of(stream: Any) -> str:
    """The name of its codec; the four letters by which the file calls it, where that is unknown."""
    context = stream.codec_context
    tag = "".join(each for each in str(getattr(stream, "codec_tag", "") or "") if each.isprintable()).strip("\0 ")
    return str(context.codec.canonical_name) if context is not None else tag or "of an unknown kind"


def origin(container: av.container.InputContainer) -> Fraction:
    """The moment of the file's clock at which the film begins: that of its first stream, or 0 where that is the custom of the format."""
    starts = [each.start_time * each.time_base for each in container.streams if each.start_time is not None and each.time_base]
    pictures = [each.start_time * each.time_base for each in container.streams.video if each.start_time is not None and each.time_base]
    first = min(starts, default=Fraction(0))
    if first > _LATE or not any(each in container.format.name for each in _FROM_ZERO):
        return Fraction(first)
    return min([Fraction(0), *pictures])  # sound that begins before 0 is what its decoder swallows

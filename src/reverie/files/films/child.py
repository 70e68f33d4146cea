"""What the process that decodes films does. It imports PyAV, and of ours little: it starts quickly.

Requests come as lines of JSON on stdin, answers go as lines of JSON to stdout; pixels follow their message as they are.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

try:
    from av.error import FFmpegError
except ImportError:  # which `main` tells
    FFmpegError = OSError  # type: ignore[misc, assignment]

if TYPE_CHECKING:
    import av
    import av.container

MEMORY = 3 << 30
"""Bytes of address space for a decoder, its libraries and threads included; more is given for large frames."""

# No playlists, no scripts, nothing that opens other files or the net.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,nut,h264,hevc,m4v,mjpeg,yuv4mpegpipe"
FAULTS = (
    FFmpegError, OSError, ValueError, EOFError, RuntimeError, LookupError, ArithmeticError, AttributeError, TypeError, BufferError,
)  # fmt: skip
_FROM_ZERO = ("mov", "matroska", "avi", "gif")
_LATE = 10  # seconds; a clock that begins later belongs to a part of something longer


class Fault(Exception):
    def __init__(self, kind: str, fault: str, remedy: str) -> None:
        self.message = {"is": "fault", "kind": kind, "fault": fault, "remedy": remedy}
        super().__init__(fault)


def say(**message: Any) -> None:
    sys.stdout.buffer.write((json.dumps(message) + "\n").encode())
    sys.stdout.buffer.flush()


def main(work: str) -> None:
    """Serve: `read` until stdin closes, `write` one film."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    try:
        import av
    except ImportError:
        say(**Fault("extra", "films need PyAV, which cannot be imported here", "pip install --force-reinstall 'av>=18.1'").message)
        return
    av.logging.set_level(av.logging.PANIC)
    if work == "write":
        from reverie.files.films.muxing import write

        _answering(lambda: write(json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer), "the film", decoding=False)
        return
    from reverie.files.films.decoding import frames, survey

    limit_memory(MEMORY)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        _answering(partial({"survey": survey, "frames": frames}[request["do"]], request), request["name"])


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Lines of stdin, at whose end nobody wants us any more, whatever keeps us busy."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _answering(act: Callable[[], None], name: str, decoding: bool = True) -> None:
    """Run it, and say what went wrong. What goes wrong while we encode is no fault of a file: the process ends."""
    try:
        act()
    except Fault as fault:
        say(**fault.message)
    except BrokenPipeError:
        os._exit(0)
    except (MemoryError, *FAULTS) as error:
        if no_room(error):
            assert isinstance(error, OSError)
            say(**{"is": "room"}, number=error.errno, text=str(error.strerror))
        elif isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            say(**Fault("input", f"'{name}' needs more memory than a film should", "make it smaller with another program first").message)
        elif decoding:
            say(**Fault("input", f"'{name}' is damaged", "fetch it again, or convert it with another program first").message)
        else:
            raise


def no_room(error: BaseException) -> bool:
    """Whether the disk is full, or the place not to be written."""
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EACCES, errno.EROFS)
    return isinstance(error, OSError) and error.errno in full


def limit_memory(size: int) -> None:
    """Take no more address space than this, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size if hard < 0 else min(size, hard), hard))


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(path: str, name: str) -> av.container.InputContainer:
    """The film, its headers read."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        return av.open(path, "r", container_options=options, metadata_errors="replace")
    except MemoryError:
        raise
    except FAULTS as error:
        raise Fault("input", f"'{name}' is not a film, or its header is damaged", "give an MP4, MOV, WebM, MKV, AVI or GIF") from error


def origin(container: av.container.InputContainer) -> Fraction:
    """The moment of the file's clock at which the film begins: that of its first stream, or 0 where that is the custom of the format."""
    starts = [each.start_time * each.time_base for each in container.streams if each.start_time is not None and each.time_base]
    pictures = [each.start_time * each.time_base for each in container.streams.video if each.start_time is not None and each.time_base]
    first = min(starts, default=Fraction(0))
    if first > _LATE or not any(each in container.format.name for each in _FROM_ZERO):
        return Fraction(first)
    return min([Fraction(0), *pictures])  # sound that begins before 0 is what its decoder swallows

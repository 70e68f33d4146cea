"""What the process that decodes or writes films does: it serves requests. It imports PyAV, and of ours little: it starts quickly."""

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

from reverie.files.films.child_common import FAULTS, no_room, say
from reverie.files.films.protocol import MEMORY, Fault, ReadRequest
from reverie.files.limits import at_most_pixels


def main(work: str) -> None:
    """Serve: `read` until stdin closes, `write` one film."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    try:
        import av
    except ImportError:
        from reverie.installing import install

        _say_fault(Fault("extra", "films need PyAV, which cannot be imported here", install("av", how="--force-reinstall")))
        return
    av.logging.set_level(av.logging.PANIC)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy, still to come, would take address space for each of many cores
    if work == "write":
        from reverie.files.films.child_writing import write

        _answer(lambda: write(json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer), "the film", decoding=False)
        return
    from reverie.files.films.child_decoding import frames, limit_memory, survey

    limit_memory(MEMORY)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request: ReadRequest = json.loads(requests.get())

        def serve(request: ReadRequest = request) -> None:
            with at_most_pixels(request["max_pixels"]):
                (survey if request["do"] == "survey" else frames)(request)

        _answer(serve, request["name"])


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Lines of stdin, at whose end nobody wants us any more, whatever keeps us busy."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _answer(act: Callable[[], None], name: str, decoding: bool = True) -> None:
    """Run it, and say what went wrong. What goes wrong while we encode is no fault of a file: the process ends."""
    try:
        act()
    except Fault as fault:
        _say_fault(fault)
    except BrokenPipeError:
        os._exit(0)
    except (MemoryError, *FAULTS) as error:
        if isinstance(error, OSError) and no_room(error):
            say({"type": "no room", "number": error.errno or 0, "text": str(error.strerror)})
        elif isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            _say_fault(Fault("input", f"'{name}' needs more memory than a film should", "make it smaller with another program first"))
        elif decoding:
            _say_fault(Fault("input", f"'{name}' is damaged", "fetch it again, or convert it with another program first"))
        else:
            raise


def _say_fault(fault: Fault) -> None:
    say({"type": "fault", "kind": fault.kind, "fault": fault.fault, "remedy": fault.remedy})

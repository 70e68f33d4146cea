"""The process that does the jobs, as the server has it: started, watched, started again; what it shows and answers."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from reverie.errors import OutputError, ReverieError
from reverie.studio.jobs import process
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.ledger import Ledger
from reverie.studio.jobs.life import Life, how_it_ended, unanswered
from reverie.studio.jobs.protocol import Message, from_fault, receive, send
from reverie.studio.jobs.settling import settle
from reverie.studio.jobs.wishes import checked

Question = Literal["recognise", "layers", "networks", "classes", "estimate", "checked"]
_KEPT_FRAMES = 32  # previews of which the newest frame is kept
_MOST_CAMERAS = 8
_BAD_STARTS = 3  # in a row, after which it is not started again
_LONGEST_FRAME = 4 << 20  # bytes of a camera's JPEG


@dataclass
class _Camera:
    """The newest frame that came in and was not handed over yet, and the newest that went out."""

    choices: Mapping[str, Any]
    waiting: bytes | None = None
    busy: bool = False
    dreamt: bytes | None = None
    seen: Mapping[str, Any] | None = None


class Worker:
    """The process that runs torch; the server has one.

    It does the jobs of the home's queue one after the other, answers questions, and makes previews and the camera's frames, which go
    before jobs: the running job waits between two of its steps, and goes on. When it ends by itself (a crash, no memory), the job that ran
    counts one crash and waits again, or after two is set aside (a crash of what went before it is not its own); then another is started.
    A cancelled job of which nothing is heard is ended with the process, and is no crash.
    When the server ends, in whatever way, it ends too. Frames are JPEG files; the newest alone is kept.

    All methods may be called from any thread, and none waits for the process but `stop`.

    Args:
        home: whose jobs are done. Only one server at a time may work on it: see `Home.serving`.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.fault = ""
        self.device: str | None = None  # where it works, once it is ready
        self._lock = threading.RLock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._stopping = False
        self._ready = False
        self._away = False  # from the running job, whose fault a crash is not then
        self._bad_starts = 0
        self._numbers = count(time.time_ns() // 1_000_000)  # of questions and previews: other ones after a restart
        self._answers: dict[int, Future[Any]] = {}
        self._sessions: dict[str, int] = {}
        self._frames: OrderedDict[int, bytes] = OrderedDict()
        self._job_frame: tuple[int, bytes] | None = None
        self._cameras: OrderedDict[str, _Camera] = OrderedDict()
        self._watching: threading.Thread | None = None
        self._life = Life(home)

    def start(self) -> None:
        """Start the process; it is ready for questions some seconds later, and what is asked before waits. Once started it stays so."""
        with self._lock:
            if self._process is None:
                self._stopping, self._bad_starts, self.fault = False, 0, ""
                self._begin()

    def stop(self, timeout: float = 10.0) -> None:
        """End the process, after at most so many seconds by force, or at once where it was not ready. A job that runs waits again."""
        with self._lock:
            self._stopping = True
            watching = self._watching
            self._send(Message("stop"))
            if not self._ready and self._process is not None:  # it loads torch, and has begun with nothing
                self._process.kill()
        if watching is None:
            return
        watching.join(timeout)
        if watching.is_alive():
            with self._lock:
                if self._process is not None:
                    self._process.kill()
            watching.join()

    @property
    def alive(self) -> bool:
        """Whether the process runs; False too where it could not be started several times in a row, and `fault` says why."""
        with self._lock:
            return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """Of the process, or None where there is none."""
        with self._lock:
            return None if self._process is None else self._process.pid

    @property
    def silent(self) -> float:
        """Seconds since something was heard of the job that runs; 0 where none does."""
        return self._life.silent

    def preview(
        self, session: str, command: str, subjects: Sequence[str], choices: Mapping[str, Any], side: int, patient: bool = False
    ) -> int:
        """Begin a small picture of a wish, octave by octave; one of the same session that is not done is given up.

        Its frames come with `frame`, and an event of kind `preview` tells of each new one, of its end, and of what is wrong with the wish.

        Args:
            session: of a page, say; each has one preview at a time, and at most 32 have one.
            command, subjects, choices: as of a job; dream, imagine, feature, journey and film.
            side: the longest in pixels, 32 to 1024.
            patient: nobody waits for it, so the running job has as much time as it takes.

        Returns:
            its number. Raises as `wishes.checked`.
        """
        wish = checked(self.home, command, subjects, choices)
        what = {
            "command": wish.command, "subjects": list(wish.subjects), "choices": dict(wish.choices), "side": max(32, min(1024, int(side))),
            "patient": patient,
        }  # fmt: skip
        with self._lock:
            number = next(self._numbers)
            before = self._sessions.pop(session, None)
            if before is not None:
                self._send(Message("drop", before))
            self._sessions[session] = number
            while len(self._sessions) > _KEPT_FRAMES:
                self.cancel_preview(next(iter(self._sessions.values())))
            self._send(Message("preview", number, what))
        return number

    def frame(self, preview: int) -> bytes | None:
        """The newest frame of a preview, or None where there is none yet, or no longer."""
        with self._lock:
            return self._frames.get(preview)

    def cancel_preview(self, preview: int) -> None:
        """Give a preview up; its last frame stays for a while. Of one that is done nothing changes."""
        with self._lock:
            self._sessions = {session: number for session, number in self._sessions.items() if number != preview}
            self._send(Message("drop", preview))

    def job_frame(self, job: int) -> bytes | None:
        """What the running job looks like now; None of one that does not run, or has nothing to show yet."""
        with self._lock:
            return self._job_frame[1] if self._job_frame is not None and self._job_frame[0] == job else None

    def job_page(self, job: int) -> bytes | None:
        """The page of a `see` that runs, as far as it is: HTML; None where there is none yet."""
        with suppress(OSError):
            return (self.home.work / str(int(job)) / "page.html").read_bytes()
        return None

    def ask(self, kind: Question, **what: Any) -> Future[Any]:
        """Ask the process; it answers between two steps of what it does.

        - `recognise`, picture (a reference), top, network: `{"labels": [{"index", "label", "probability"}], "known": {…} or None,
          "remark"}`.
        - `networks`: rows as `reverie networks --json` has them, of built-in ones.
        - `layers`, network: rows as `reverie layers --json` has them.
        - `classes`, network, words (a list): `[{"index", "label", "names", "words"}]`; those that a word means, or all.
        - `estimate`, command, subjects, choices: `{"seconds", "bytes", "words"}`: of the result.
        - `checked`, command, subjects, choices: None, or `{"fault", "remedy", "field"}` of what is wrong with the wish; nothing is made.

        Returns:
            a future of the answer, as JSON has it. It raises the ReverieError that the question led to, or OutputError where the process
            ended before it had answered.
        """
        found: Future[Any] = Future()
        with self._lock:
            if self._connection is None:
                found.set_exception(OutputError(self.fault or "the process that does the work does not run", "start the studio again"))
                return found
            number = next(self._numbers)
            self._answers[number] = found
            if not self._send(Message("ask", number, {"kind": kind, **what})):
                self._answers.pop(number, None)
                found.set_exception(unanswered())
        return found

    def camera(self, session: str, frame: bytes, choices: Mapping[str, Any]) -> None:
        """Hand over what a camera sees; a frame that was not dreamt on yet is dropped for it. Eight sessions at most: the oldest ends.

        Args:
            frame: a JPEG file, of at most 4 MB.
            choices: `target` or `level`, `network`, `side` (pixels, 256), `still` (0..1, how much of the dream a still scene keeps, 0.97).
        """
        if len(frame) > _LONGEST_FRAME:
            return
        with self._lock:
            found = self._cameras.setdefault(session, _Camera(choices))
            self._cameras.move_to_end(session)
            found.choices, found.waiting = choices, frame
            while len(self._cameras) > _MOST_CAMERAS:
                self.close_camera(next(iter(self._cameras)))
            self._hand_over(session, found)

    def camera_frame(self, session: str) -> bytes | None:
        """The newest dreamt frame of a session, once: None until there is another one."""
        with self._lock:
            found = self._cameras.get(session)
            if found is None:
                return None
            dreamt, found.dreamt = found.dreamt, None
            return dreamt

    def camera_seen(self, session: str) -> Mapping[str, Any] | None:
        """What was seen in that frame: `{"labels": […], "channels": [{"layer", "channel", "strength"}], "moved": 0..1}`; or its fault."""
        with self._lock:
            found = self._cameras.get(session)
            return None if found is None else found.seen

    def close_camera(self, session: str) -> None:
        """Forget a session."""
        with self._lock:
            if self._cameras.pop(session, None) is not None:
                self._send(Message("close camera", session))

    def _begin(self) -> None:
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        found = context.Process(target=process.main, args=(there, str(self.home.folder)), name="reverie-worker", daemon=True)
        try:
            found.start()
        except OSError as error:  # no memory, or too many processes
            here.close()
            self.fault = f"the process that does the work cannot be started ({error.strerror or error})"
            return
        finally:
            there.close()
        self._process, self._connection, self._ready, self._away, self._life = found, here, False, False, Life(self.home)
        self._life.watch(found)
        self._watching = threading.Thread(target=self._watch, args=(found, here), name="reverie-worker-watch", daemon=True)
        self._watching.start()

    def _send(self, message: Message) -> bool:
        """Hand over a message; whether there was somebody to take it."""
        if self._connection is None:
            return False
        try:
            send(self._connection, message)
        except (OSError, ValueError):
            return False
        return True

    def _watch(self, found: BaseProcess, connection: Connection) -> None:
        """Take what it sends until it ends; then see what is to be done."""
        while True:
            try:
                self._take(receive(connection))
            except (EOFError, ValueError):
                break
        found.join(5.0)
        if found.is_alive():  # its pipe broke, and it did not end
            found.kill()
            found.join()
        with suppress(OSError):
            connection.close()
        self._after(found)

    def _after(self, found: BaseProcess) -> None:
        """The process has ended: its job is settled, what waits for answers is told, and another is started unless nobody wants one."""
        why = how_it_ended(found.exitcode)
        with self._lock:
            self._process = self._connection = None
            answers, self._answers = self._answers, {}
            self._sessions, self._job_frame = {}, None
            for each in self._cameras.values():
                each.busy = False
            blameless, ready = self._stopping or self._away, self._ready
        for answer in answers.values():
            if answer.set_running_or_notify_cancel():
                answer.set_exception(unanswered())
        try:
            ledger = Ledger(self.home)
            try:
                settle(self.home, ledger)
                if blameless:
                    ledger.put_back()
                else:
                    ledger.crashed(why)
                ledger.previews_ended(f"the process that does the work ended ({why})")
            finally:
                ledger.close()
        except ReverieError as error:
            why = str(error)
        with self._lock:
            self._bad_starts = 0 if ready else self._bad_starts + 1
            if self._bad_starts >= _BAD_STARTS:
                self.fault = f"the process that does the work cannot be started: {why}"
            elif not self._stopping:
                self._begin()

    def _take(self, message: Message) -> None:
        """Something that it sends."""
        self._life.heard(message)
        answer: Future[Any] | None = None
        with self._lock:
            if message.kind == "ready":
                self._ready, self._bad_starts, self.device = True, 0, str(message.what.get("device") or "") or None
            elif message.kind == "away":
                self._away = bool(message.what.get("away"))
            elif message.kind in ("answer", "fault"):
                answer = self._answers.pop(int(message.key), None)
            elif message.kind == "preview frame":
                self._frames[int(message.key)] = message.content
                self._frames.move_to_end(int(message.key))
                while len(self._frames) > _KEPT_FRAMES:
                    self._frames.popitem(last=False)
            elif message.kind == "job frame":
                self._job_frame = (int(message.key), message.content) if message.content else None
            elif message.kind == "camera frame" and (camera := self._cameras.get(str(message.key))) is not None:
                camera.busy, camera.dreamt, camera.seen = False, message.content or None, message.what
                self._hand_over(str(message.key), camera)
        if answer is None or not answer.set_running_or_notify_cancel():
            return
        if message.kind == "answer":
            answer.set_result(message.what.get("answer"))
        else:
            answer.set_exception(from_fault(message.what))

    def _hand_over(self, session: str, camera: _Camera) -> None:
        """The newest frame, if the last one was dreamt on."""
        if camera.busy or camera.waiting is None:
            return
        frame, camera.waiting = camera.waiting, None
        camera.busy = self._send(Message("camera", session, {"choices": dict(camera.choices)}, frame))

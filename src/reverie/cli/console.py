"""What the commands print: data on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from reverie.errors import InputError, MissingExtra, OutputError, ReverieError, UnsafeError, printable, spoken
from reverie.recipe import flag_of


class Progress(Protocol):
    """How far some work is: its share, 0..1, and what is being done, in words."""

    @property
    def done(self) -> float: ...

    @property
    def doing(self) -> str: ...


def say(text: str) -> None:
    """A line on stdout, at once: whoever reads us through a pipe sees each result when it is there."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:  # a file's name that is not text, or a terminal that knows few letters
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(text) + b"\n")
        sys.stdout.buffer.flush()


def print_json(data: Any) -> None:
    text = json.dumps(_plain(data), ensure_ascii=False, indent=1, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(_plain(data), indent=1)
    say(text)


def _plain(data: Any) -> Any:
    """What JSON can say: a number that is none becomes null."""
    if isinstance(data, dict):
        return {name: _plain(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def remark(text: str | ReverieError) -> None:
    """A line of ours beside the data; an error as the command line says it."""
    if isinstance(text, ReverieError):
        text = "; ".join(each for each in text.with_flags(flag_of) if each)
    print(f"reverie: {printable(spoken(text, flag_of))}", file=sys.stderr)


class Faults(list[ReverieError]):
    """What is wrong with some of several things, to be told once the others are done; of one thing alone it is raised.

    Attributes:
        many: whether there are several.
    """

    def __init__(self, many: bool) -> None:
        super().__init__()
        self.many = many

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Inside is the work on one of them. What was asked for wrongly is so for all, and is raised."""
        try:
            yield
        except (InputError, UnsafeError, OutputError, MissingExtra) as error:
            if not self.many:
                raise
            self.append(error)


def told(faults: Sequence[ReverieError]) -> int:
    """Say each in a line, what is wrong with several once; the exit code that follows, which is that of the first."""
    for each in {str(each): each for each in faults}.values():
        remark(each)
    return faults[0].exit_code if faults else 0


class Notes:
    """What the user should know of one thing after another, each told once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, notes: Iterable[str], of: str = "") -> None:
        """Those that have not been told yet, after the name of what they are `of`."""
        for each in dict.fromkeys(notes):
            if each not in self._told:
                remark(f"{of}: {each}" if of else each)
            self._told.add(each)


def of_file(note: str, role: str, name: str) -> str:
    """A note that begins with what the file is to the result, with the file's name instead; as it is where there is no name."""
    return f"'{name}': {note.removeprefix(f'{role}: ')}" if name and note.startswith(f"{role}: ") else note


def aside(text: str) -> None:
    """A line for people, beside the data."""
    print(printable(text), file=sys.stderr)


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns apart by two blanks, numbers to the right; made for people and for `cut` and `awk` alike."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(head), *cells]) for column in range(len(head))]
    right = [bool(rows) and all(isinstance(row[column], (int, float)) for row in rows) for column in range(len(head))]
    for row in [list(head), *cells]:
        line = [cell.rjust(width) if flush else cell.ljust(width) for cell, width, flush in zip(row, widths, right, strict=True)]
        say("  ".join(line).rstrip())


@contextmanager
def downloading(name: str, quiet: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar of what comes down, drawn once the first bytes are there; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    tasks: list[Any] = []

    def told(done: int, total: int | None) -> None:
        if not tasks:
            shown.start()
            tasks.append(shown.add_task(f"downloading {printable(name)}", total=None))
        shown.update(tasks[0], completed=done, total=total)

    try:
        yield told
    finally:
        shown.stop()


@dataclass(frozen=True)
class Counted:
    """How many of some things are done, for the line of progress; `what` they are, in words."""

    number: int
    count: int
    what: str = ""

    @property
    def done(self) -> float:
        return self.number / max(self.count, 1)

    @property
    def doing(self) -> str:
        return f"{self.number:,} of {self.count:,} {self.what}".rstrip()


class Line:
    """A line of progress on stderr: octave, step, score, time left. The first Ctrl-C asks the dream to stop, the second ends all."""

    def __init__(self, quiet: bool) -> None:
        self.interrupted = False
        self.doing = "dreaming"
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, progress: Progress) -> bool:
        """Draw how far it is; whether it was interrupted."""
        if not self._quiet:
            self._draw(progress.done, progress.doing)
        return self.interrupted

    def begin(self, doing: str) -> None:
        """The next steps belong to another picture."""
        self.close()
        self.doing = doing

    def _draw(self, done: float, state: str) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
            self._bar.start()
            self._task = self._bar.add_task(self.doing, total=1.0, state="")
        self._bar.update(self._task, completed=done, state=state)

    def close(self) -> None:
        """Take the line away; the next step draws a new one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def line(quiet: bool, part: str = "step") -> Iterator[Line]:
    """A progress line that listens for Ctrl-C while it is open; it stops when a part is done, of which the message says what it is."""
    shown = Line(quiet)

    def ask(_number: int, _frame: FrameType | None) -> None:
        if shown.interrupted:
            raise KeyboardInterrupt
        shown.interrupted = True
        with suppress(OSError):  # not print: it may be what was interrupted
            os.write(2, f"\nreverie: stopping after this {part}; press Ctrl-C again to give up\n".encode())

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield shown
    finally:
        shown.close()
        signal.signal(signal.SIGINT, before)

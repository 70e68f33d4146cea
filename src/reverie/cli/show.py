"""What the commands print: data on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reverie.ascent import Progress


def print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=1))


def remark(text: str) -> None:
    print(f"reverie: {text}", file=sys.stderr)


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns apart by two blanks, numbers to the right; made for people and for `cut` and `awk` alike."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(head), *cells]) for column in range(len(head))]
    right = [bool(rows) and all(isinstance(row[column], (int, float)) for row in rows) for column in range(len(head))]
    for row in [list(head), *cells]:
        line = [cell.rjust(width) if flush else cell.ljust(width) for cell, width, flush in zip(row, widths, right, strict=True)]
        print("  ".join(line).rstrip())


class Line:
    """A line of progress on stderr: octave, step, score, time left. The first Ctrl-C asks the dream to stop, the second ends all."""

    def __init__(self, quiet: bool) -> None:
        self.interrupted = False
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, progress: Progress) -> bool:
        if not self._quiet:
            self._draw(progress)
        return self.interrupted

    def _draw(self, progress: Progress) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("dreaming", total=1.0, state="")
        state = (
            f"octave {progress.octave}/{progress.octaves}  step {progress.step}/{progress.steps}  score {float(progress.score.mean()):.4g}"
        )
        self._bar.update(self._task, completed=progress.done, state=state)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def line(quiet: bool) -> Iterator[Line]:
    """A progress line that listens for Ctrl-C while it is open."""
    shown = Line(quiet)

    def ask(_number: int, _frame: FrameType | None) -> None:
        if shown.interrupted:
            raise KeyboardInterrupt
        shown.interrupted = True
        remark("stopping after this step; press Ctrl-C again to give up")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield shown
    finally:
        shown.close()
        signal.signal(signal.SIGINT, before)

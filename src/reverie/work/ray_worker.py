"""What works in a process of a cluster: it opens once what tasks are made with, makes one task at a time, and says how far it is."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from reverie.errors import OutputError, ReverieError, first_line
from reverie.version import __version__
from reverie.waiting import give_way
from reverie.work.engines import Make, Result, Task


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        result: of a task; None where there is none. fault: what a user can mend. broken: what else went wrong, in a line.
    """

    result: Result | None = None
    fault: ReverieError | None = None
    broken: str = ""


class Worker:
    """Lives in a process of its own. `told` answers while `make` works, in another thread."""

    def __init__(self) -> None:
        self._make: Make | None = None
        self._far = (0, 0.0, "")

    def open(self, opening: bytes, version: str) -> Answer:
        """Get ready: `opening` is a pickled `Opening` of a Reverie of this version; another's is refused before it is looked at."""
        if version != __version__:
            fault = f"a worker of the cluster has Reverie {__version__}, and this is {version}"
            return Answer(fault=OutputError(fault, "install the same on all machines"))
        give_way()  # before torch is there
        try:
            self._make = pickle.loads(opening)()
        except ReverieError as error:
            return Answer(fault=error)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told where somebody reads it
            return Answer(broken=_told(error))
        return Answer()

    def make(self, task: Task) -> Answer:
        """Make a task."""
        assert self._make is not None
        ticks = self._far[0]

        def part(share: float, doing: str) -> bool:
            nonlocal ticks
            ticks += 1
            self._far = (ticks, share, doing)
            return False

        part(0.0, "")
        try:
            return Answer(self._make(task, part))
        except ReverieError as error:
            return Answer(fault=error)
        except Exception as error:  # noqa: BLE001  # it may be this task's fault, or that of what is left of another
            return Answer(broken=_told(error))

    def told(self) -> tuple[int, float, str]:
        """A number that grows with every sign of life, the share of the task that is done, and what is being done."""
        return self._far


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"

"""Tasks that travel to processes of a cluster, and do there what their `what` says."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from reverie.errors import InputError
from reverie.work import Make, Result, Task
from reverie.work.any_order import Part


@dataclass(frozen=True)
class Opens:
    """Gets a worker ready; a file in a folder says that it did."""

    folder: str = ""
    fault: str = ""

    def __call__(self) -> Make:
        if self.fault:
            raise InputError(self.fault, "mend it")
        if self.folder:
            (Path(self.folder) / f"opened-{os.getpid()}").touch()
        return make


def make(task: Task, part: Part) -> Result | None:
    """Its number doubled, and which process did it, after what else it shall do."""
    what = task.what
    if part(0.5, "half"):
        return None
    if "first" in what and not Path(what["first"]).exists():  # what happens at the first try alone
        Path(what["first"]).touch()
        os._exit(1)
    if what.get("does") == "die":
        os._exit(1)
    if what.get("does") == "sleep":
        time.sleep(3600)
    if what.get("does") == "fault":
        raise InputError(f"'{task.name}' cannot be made", "leave it out")
    if what.get("does") == "raise":
        raise ZeroDivisionError("a mistake of ours")
    if "seconds" in what:
        time.sleep(what["seconds"])
    return {"double": str(2 * what["number"]).encode(), "process": str(os.getpid()).encode()}


def tasks(count: int, **special: object) -> list[Task]:
    """Numbered tasks; `t3={...}` adds to what number 3 does."""
    found = []
    for number in range(count):
        more = special.get(f"t{number}", {})
        assert isinstance(more, dict)
        found.append(Task(f"task {number}", {"number": number, **more}))
    return found

"""Long jobs as units: what is finished is a file, whole or absent, and the same command goes on where it stopped."""

from reverie.work.any_order import Doing, Outcome, run_in_any_order
from reverie.work.choosing import engine_for
from reverie.work.engines import Engine, Make, Opening, Result, Task, ThisProcess
from reverie.work.in_order import Job, Progress, Watcher, run_in_order
from reverie.work.locking import locked
from reverie.work.whole_png import is_whole_png

__all__ = [
    "Doing", "Engine", "Job", "Make", "Opening", "Outcome", "Progress", "Result", "Task", "ThisProcess", "Watcher", "engine_for",
    "is_whole_png", "locked", "run_in_any_order", "run_in_order",
]  # fmt: skip

"""Long jobs as units: what is finished is a file, whole or absent, and the same command goes on where it stopped."""

from reverie.work.any_order import Doing, Outcome, run_in_any_order
from reverie.work.in_order import Job, Progress, Watcher, run_in_order
from reverie.work.locking import locked
from reverie.work.whole_png import is_whole_png

__all__ = ["Doing", "Job", "Outcome", "Progress", "Watcher", "is_whole_png", "locked", "run_in_any_order", "run_in_order"]

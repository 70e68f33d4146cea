"""Jobs: the queue of a studio, and the process that does them. It knows no web."""

from reverie.studio.jobs.home import Home
from reverie.studio.jobs.protocol import fault_of
from reverie.studio.jobs.queue import Queue
from reverie.studio.jobs.records import OPEN, STATES, Event, Job, State
from reverie.studio.jobs.wishes import MADE, Wish, checked
from reverie.studio.jobs.worker import Worker

__all__ = ["MADE", "OPEN", "STATES", "Event", "Home", "Job", "Queue", "State", "Wish", "Worker", "checked", "fault_of"]

"""The process that does the jobs: it alone imports torch. It ends when the server does, in whatever way that ends."""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection
from pathlib import Path

from reverie.studio.jobs.home import Home
from reverie.studio.jobs.mailbox import Inbox, Outbox
from reverie.waiting import give_way


def main(connection: Connection, folder: str) -> None:
    """Do the jobs of a home until the server says stop, or is gone.

    Args:
        connection: to the server. folder: of the home.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which then says stop
    give_way()
    inbox, outbox = Inbox(connection), Outbox(connection)
    home = Home(Path(folder))
    with home.working():
        from reverie.studio.jobs.desk import Desk  # loads torch, which takes seconds; until then there is nothing that ending could spoil

        signal.signal(signal.SIGTERM, lambda *_: inbox.stop())  # of a machine that goes down: the job is given back first
        Desk(home, inbox, outbox).run()

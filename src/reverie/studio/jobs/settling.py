"""From `work/` to `pictures/`: how a result becomes one, so that a kill at any moment neither loses it nor makes it twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from reverie.errors import OutputError
from reverie.store import sync_folder
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.ledger import Ledger, Result


def publish(home: Home, ledger: Ledger, job: int, made: Sequence[tuple[int | None, str, str]]) -> list[Result]:
    """Make results of files that are whole below `work/JOB`; see `Ledger.announced` for what each is, and the invariant there.

    Raises:
        OutputError: one cannot be moved; the next start moves it.
    """
    found = [_move(home, ledger, each) for each in ledger.announced(job, made, lambda name: _is_free(home, name))]
    sync_folder(home.pictures)
    ledger.moved(found)
    return found


def settle(home: Home, ledger: Ledger) -> None:
    """Bring to its end what a process that was killed had begun to publish; take away what no job needs any more.

    Nobody else may be at work in the home.
    """
    left = [_move(home, ledger, each) for each in ledger.unmoved()]
    if left:
        sync_folder(home.pictures)
        ledger.moved(left)
    needed = ledger.open_jobs()
    for each in home.work.iterdir():
        if not (each.name.isdecimal() and int(each.name) in needed):
            shutil.rmtree(each, ignore_errors=True)


def _move(home: Home, ledger: Ledger, result: Result) -> Result:
    """Move a result to its name; one that was moved before stays. Nothing that has the name meanwhile is replaced."""
    origin = home.work / str(result.job) / result.origin
    try:
        if not os.path.lexists(origin):
            return result
        while True:
            target = home.pictures / result.name
            if not os.path.lexists(target):
                origin.rename(target)
                return result
            result = ledger.renamed(result, lambda name: _is_free(home, name))
    except OSError as error:
        raise OutputError(
            f"'{result.name}' cannot be put among the pictures ({error.strerror or error})", "see that there is room"
        ) from error


def _is_free(home: Home, name: str) -> bool:
    return not (os.path.lexists(home.pictures / name) or os.path.lexists(home.trash / name))

"""Where a command has its parts made: in this process, or by an engine that flags choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reverie.cli.flags import Call
from reverie.recipe import Machinery, Recipe, Working

if TYPE_CHECKING:
    from reverie.cli.public import api


@contextmanager
def elsewhere(call: Call, recipes: Iterable[Recipe], places: Iterable[Path]) -> Iterator[api.Elsewhere | None]:
    """Who makes the pictures of some recipes, for as long as the block lasts; None for this process.

    Args:
        places: files that may go in.
    """
    from reverie.cli.public import api

    working, machines = call.of(Working), [each.machine for each in recipes]
    threads, on_gpu = max(each.threads for each in machines), any(each.device != "cpu" for each in machines)
    with closing(api.engine_for(working, threads, on_gpu)) as engine:
        if working.on is None:
            yield None
            return
        own = tuple(api.NamedNetwork(*each) for each in call.network.own_by_name())
        yield api.Elsewhere(engine, own, tuple(places), call.of(Machinery).max_pixels)

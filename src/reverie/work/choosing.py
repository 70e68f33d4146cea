"""Which engine: the one place where it is chosen."""

from __future__ import annotations

import os

from reverie.errors import UsageError, choice
from reverie.recipe import Working
from reverie.work.engines import Engine, ThisProcess
from reverie.work.ray_engine import RayChoices, RayEngine


def engine_for(working: Working, threads: int, on_gpu: bool = False) -> Engine:
    """Who makes the parts of a job. Nothing is started or reached yet; `close` it in the end.

    Args:
        working: what was asked for.
        threads: of each worker, which are those of this process too: so the bytes are the same.
        on_gpu: whether the networks compute on a GPU, of which each worker then has one where nothing else is said.

    Raises:
        UsageError: a choice that only workers have, without any.
    """
    if working.on is None:
        for name in ("workers", "gpus_per_worker"):
            if getattr(working, name) is not None:
                raise UsageError(f"{choice(name)} without {choice('on')}", f"say where the workers are: {choice('on', 'ray')}")
        return ThisProcess()
    gpus = working.gpus_per_worker if working.gpus_per_worker is not None else float(on_gpu)
    return RayEngine(RayChoices(working.on, working.workers, threads, gpus), os.cpu_count() or 1)

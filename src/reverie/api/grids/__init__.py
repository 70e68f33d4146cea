"""Grids: pictures over every combination of choices, and the folder that they go to.

Its names are imported at their first use, so that a folder can be looked at without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.api.grids.cells import GridCell
    from reverie.api.grids.folder import GridFolder
    from reverie.api.grids.making import Grid, grid, plan_grid
    from reverie.api.grids.planning import GridPlan

__all__ = ["Grid", "GridCell", "GridFolder", "GridPlan", "grid", "plan_grid"]

_HOMES = {
    "api.grids.cells": ("GridCell",),
    "api.grids.folder": ("GridFolder",),
    "api.grids.making": ("Grid", "grid", "plan_grid"),
    "api.grids.planning": ("GridPlan",),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

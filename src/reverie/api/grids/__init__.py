"""Grids: pictures over every combination of choices, and the folder that they go to."""

from reverie.api.grids.making import Grid, grid, plan_grid
from reverie.api.grids.planning import GridPlan

__all__ = ["Grid", "GridPlan", "grid", "plan_grid"]

"""Pictures on disk: the recipes they carry, and an index of all pictures of a folder. Knows no torch.

Its names are imported at their first use, so that reading a recipe takes neither a codec nor SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.album.entries import Entry, State
    from reverie.album.grid_listing import check_grid_folder
    from reverie.album.index import Album, Changes
    from reverie.album.recipes import camera_at, kept_inputs, made_by_reverie, read_recipe, recipe_at, sheet_at
    from reverie.album.walking import Found, Walked, walked

__all__ = [
    "Album", "Changes", "Entry", "Found", "State", "Walked", "camera_at", "check_grid_folder", "kept_inputs", "made_by_reverie",
    "read_recipe", "recipe_at", "sheet_at", "walked",
]  # fmt: skip

_HOMES = {
    "album.entries": ("Entry", "State"),
    "album.grid_listing": ("check_grid_folder",),
    "album.index": ("Album", "Changes"),
    "album.recipes": ("camera_at", "kept_inputs", "made_by_reverie", "read_recipe", "recipe_at", "sheet_at"),
    "album.walking": ("Found", "Walked", "walked"),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

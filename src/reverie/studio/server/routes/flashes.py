"""How films flash, before they are played."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path as Place
from typing import Annotated, Any

from fastapi import APIRouter, Path

from reverie.files.films.reading import frames, survey
from reverie.files.limits import at_most_pixels
from reverie.motion.flashing import SAFE, flashes
from reverie.studio.server.refusals import Refused, gone
from reverie.studio.server.studio import Here

router = APIRouter()
_one = threading.Lock()  # measuring takes a processor: one after another


@router.get("/api/pictures/{id}/flashes")
def measured(here: Here, id: Annotated[str, Path(pattern="^[0-9a-f]{24}$")]) -> dict[str, Any]:
    """The most flashes of a film within a second, measured on its frames, and whether that is `safe` for most people (WCAG 2.3.1)."""
    made = here.gallery.find(id)
    if made is None:
        raise gone("film")
    if made.kind != "film":
        raise Refused(415, "this is no film", "films alone flash")
    with _one:
        most = _flashes(here.gallery.place(made), made.id, here.limits.pixels)
    return {"most": most, "safe": most <= SAFE}


@lru_cache(maxsize=1000)
def _flashes(place: Place, _id: str, pixels: int) -> int:
    """Of a film with this id, which is of its content: measured once."""
    with at_most_pixels(pixels):
        found = survey(place)
        with frames(place, found=found) as each:
            return flashes(each, (float(time) for time in found.times))

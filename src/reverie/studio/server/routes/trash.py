"""What was thrown away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from reverie.studio.server.refusals import gone
from reverie.studio.server.routes.answers import image
from reverie.studio.server.studio import Here

router = APIRouter()
Id = Annotated[str, Path(pattern="^[0-9a-f]{24}$")]


@router.get("/api/trash")
def trash(here: Here) -> dict[str, Any]:
    """What is in it, the last first."""
    return {"pictures": here.trash.rows()}


@router.get("/api/trash/{id}/thumb", response_class=Response)
def small(here: Here, id: Id) -> Response:
    thumbnail = here.marks.thrown_thumbnail(id)
    if not thumbnail:
        raise gone("small picture")
    return image(thumbnail, "image/webp")


@router.post("/api/trash/{id}/restore")
def restore(here: Here, id: Id) -> dict[str, str]:
    """Back into the gallery."""
    here.trash.restore(id)
    return {"id": id}


@router.post("/api/trash/empty")
def empty(here: Here) -> dict[str, int]:
    """Remove all of it for good."""
    return {"removed": here.trash.empty()}

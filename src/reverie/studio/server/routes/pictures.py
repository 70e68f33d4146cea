"""The gallery."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path as Place
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from reverie.studio.server.made_pictures import Made
from reverie.studio.server.refusals import Refused, gone
from reverie.studio.server.routes.answers import file, image, page, stream
from reverie.studio.server.seen import media_type, reduced
from reverie.studio.server.studio import Here, Studio
from reverie.studio.server.zipping import zipped

router = APIRouter()
Id = Annotated[str, Path(pattern="^[0-9a-f]{24}$")]
_THUMB = 320  # pixels of the longer side of a film's first frame
_FULL = 4096  # the same of a picture of a kind that browsers do not show
_SHEET = 2560  # and of a sheet on the page of a grid
_LONGEST_NOTE = 2000


class Stars(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    stars: int = Field(ge=0, le=5)


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    note: str = Field(max_length=_LONGEST_NOTE)


@router.get("/api/pictures")
def pictures(
    here: Here,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
    sort: Literal["new", "old", "name", "stars"] = "new",
    command: Annotated[str, Query(max_length=40)] = "",
    preset: Annotated[str, Query(max_length=40)] = "",
    words: Annotated[str, Query(max_length=200)] = "",
    grid: Annotated[str, Query(pattern="^([0-9a-f]{24})?$")] = "",
) -> dict[str, Any]:
    """Everything that was made, none left out: those that fit, how many there are, and how many pictures are `held` by the grids among
    them. A grid is one; `grid`, its id, lists all that it holds."""
    return here.gallery.rows(sort=sort, command=command, preset=preset, words=words, grid=grid, offset=offset, limit=limit)


@router.get("/api/pictures/{id}")
def picture(here: Here, id: Id) -> dict[str, Any]:
    """All that is known of one, its recipe too."""
    return here.gallery.told(_found(here, id))


@router.get("/api/pictures/{id}/image", response_class=Response)
def whole(here: Here, id: Id) -> Response:
    """It in full, as browsers show or play it."""
    made = _found(here, id)
    if made.kind in ("page", "grid"):
        raise Refused(415, f"this is a {made.kind}", "look at it at /page")
    place = here.gallery.place(made)
    if (kind := media_type(place)) is not None:
        return file(place, kind)
    return image(*reduced(place, _FULL, here.limits.pixels))


@router.get("/api/pictures/{id}/thumb", response_class=Response)
def small(here: Here, id: Id) -> Response:
    """It, small; of a film its first frame, of a grid its sheet."""
    made = _found(here, id)
    if made.kind == "film":
        return image(*reduced(here.gallery.place(made), _THUMB, here.limits.pixels))
    if thumbnail := here.gallery.thumbnail(made):
        return image(thumbnail, "image/webp")
    raise gone("small picture")


@router.get("/api/pictures/{id}/page", response_class=HTMLResponse)
def shown(here: Here, id: Id) -> Response:
    """A page that was made, as `see` makes them, or that of a grid; it stands in a frame of its own, and can ask nothing of the studio."""
    made = _found(here, id)
    if made.kind == "grid":

        def sheet(place: Place) -> str:
            content, kind = reduced(place, _SHEET, here.limits.pixels)
            return f"data:{kind};base64,{b64encode(content).decode('ascii')}"

        return page(here.gallery.page(made, sheet))
    if made.kind != "page":
        raise Refused(415, "this is no page", "look at it at /image")
    return page(here.gallery.place(made).read_bytes())


@router.get("/api/pictures/{id}/download", response_class=Response)
def download(here: Here, id: Id) -> Response:
    """The file as it is, with its recipe; of a grid its whole folder as one zip file."""
    made = _found(here, id)
    place = here.gallery.place(made)
    if made.kind == "grid":
        return stream(zipped(place), "application/zip", save_as=f"{made.name}.zip")
    return file(place, "application/octet-stream", save_as=made.name + place.suffix)


@router.put("/api/pictures/{id}/stars")
def stars(here: Here, id: Id, given: Stars) -> dict[str, int]:
    """From 1 to 5; 0 takes them away."""
    here.marks.give_stars(_found(here, id).id, given.stars)
    return {"stars": given.stars}


@router.put("/api/pictures/{id}/note")
def note(here: Here, id: Id, given: Note) -> dict[str, str]:
    here.marks.write_note(_found(here, id).id, given.note)
    return {"note": given.note}


@router.post("/api/pictures/{id}/trash")
def throw(here: Here, id: Id) -> dict[str, str]:
    """Into the trash, from where it can be had back."""
    here.trash.throw(_found(here, id))
    return {"id": id}


def _found(here: Studio, id: str) -> Made:
    made = here.gallery.find(id)
    if made is None:
        raise gone("picture")
    return made

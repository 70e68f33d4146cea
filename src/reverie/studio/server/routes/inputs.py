"""What people bring."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from reverie.studio.server.forms_of_recipes import form_of
from reverie.studio.server.inputs import recipe_in
from reverie.studio.server.refusals import Refused, gone
from reverie.studio.server.routes.answers import image
from reverie.studio.server.studio import Here, Studio

router = APIRouter()
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
    "type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}},
}}}}}  # fmt: skip


class Seen(BaseModel):
    """A picture: `input:SHA256` or `picture:ID`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    picture: str = Field(max_length=100)


class Again(BaseModel):
    """What is to be made again: a picture of the gallery by its id, or what was brought by its sha256."""

    model_config = ConfigDict(extra="forbid", strict=True)
    picture: str | None = Field(None, max_length=100)
    input: str | None = Field(None, max_length=100)


@router.post("/api/inputs", status_code=201, openapi_extra=_FORM)
async def bring(here: Here, request: Request) -> dict[str, Any]:
    """Bring a picture, a film or an array (multipart, `file`); what it is, and the recipe that it carries."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise Refused(415, "no file came", "send it as multipart/form-data, in the field `file`")
    with here.uploads:
        async with request.form(max_files=1, max_fields=8, max_part_size=1 << 12) as form:
            given = form.get("file")
            if not isinstance(given, UploadFile):
                raise Refused(400, "no file came", "send it in the field `file`")
            found = await run_in_threadpool(here.inputs.put, given.file, given.filename or "")
    return dataclasses.asdict(found)


@router.get("/api/inputs/{sha256}", response_class=Response)
def look(here: Here, sha256: Sha256, side: Annotated[int, Query(ge=16, le=2048)] = 1024) -> Response:
    """It, no side longer than that (JPEG, or PNG where it is transparent); of a film its first frame."""
    try:
        return image(*here.inputs.reduced(sha256, side))
    except LookupError:
        raise gone("file") from None


@router.post("/api/recognise")
async def recognise(here: Here, seen: Seen) -> dict[str, Any]:
    """The labels that the network gives, whether it knows such pictures, and a remark in words."""
    picture = await run_in_threadpool(here.translator.file, seen.picture, "picture")
    found: dict[str, Any] = await here.ask("recognise", picture=picture)
    return found


@router.post("/api/again")
def again(here: Here, what: Again) -> dict[str, Any]:
    """The form filled in as something was made: `command`, `subjects`, `choices`, and the sha256 of what is `missing`."""
    recipe = recipe_in(_place(here, what))
    if recipe is None:
        raise Refused(422, "it carries no recipe", "pictures made by Reverie do")
    return form_of(recipe, here.inputs, here.gallery)


def _place(here: Studio, what: Again) -> Any:
    if what.picture is not None:
        made = here.gallery.find(what.picture.removeprefix("picture:"))
        if made is None:
            raise gone("picture")
        return here.gallery.place(made)
    place = here.inputs.find((what.input or "").removeprefix("input:"))
    if place is None:
        raise gone("file")
    return place

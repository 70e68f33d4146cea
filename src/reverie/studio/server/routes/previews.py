"""Previews: a small picture while somebody moves a slider."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from reverie.studio.server.routes.answers import frame
from reverie.studio.server.studio import Here
from reverie.studio.server.wishes import Asked

router = APIRouter()
Number = Annotated[int, Path(ge=0, le=2**53)]


class Preview(Asked):
    """A wish that is only looked at; `session` is a page: its newest preview takes the place of those before."""

    session: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    side: int = Field(320, ge=32, le=1024)
    patient: bool = Field(False, description="nobody waits for it: the running job has half of the time meanwhile")


@router.post("/api/previews", status_code=201)
def begin(here: Here, asked: Preview) -> dict[str, int]:
    """Begin one; it goes before all jobs, a patient one in turns with the job that runs."""
    wish = here.translator.wish(asked)
    return {"preview": here.worker.preview(asked.session, wish.command, wish.subjects, dict(wish.choices), asked.side, asked.patient)}


@router.get("/api/previews/{id}", response_class=Response)
def look(here: Here, id: Number, request: Request) -> Response:
    """Its newest picture (JPEG); 204 where there is none yet."""
    return frame(here.worker.frame(id), request)


@router.delete("/api/previews/{id}", status_code=204)
def end(here: Here, id: Number) -> None:
    """Nobody looks any more."""
    here.worker.cancel_preview(id)

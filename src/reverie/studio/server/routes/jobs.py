"""The queue."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from reverie.errors import InputError
from reverie.studio.jobs import Job, Wish
from reverie.studio.server.refusals import Refused, gone
from reverie.studio.server.routes.answers import frame, page
from reverie.studio.server.studio import Here, Studio
from reverie.studio.server.wishes import Asked

router = APIRouter()
_PATIENCE = 20.0  # seconds
Number = Annotated[int, Path(ge=0, le=2**53)]


class Place(BaseModel):
    """Where a job shall be among those that wait, from 0."""

    model_config = ConfigDict(extra="forbid", strict=True)
    place: int = Field(ge=0, le=100_000)


class Cleared(BaseModel):
    """Jobs of which states are to be forgotten."""

    model_config = ConfigDict(extra="forbid")
    states: list[Literal["done", "failed", "cancelled", "aside"]] = ["done", "failed", "cancelled", "aside"]


@router.get("/api/jobs")
def jobs(
    here: Here,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Jobs in any state, the newest first."""
    return {"jobs": [here.translator.job(each) for each in here.queue.jobs(limit=limit, before=before)]}


@router.post("/api/jobs", status_code=201)
async def add(here: Here, asked: Asked) -> dict[str, Any]:
    """A new job behind all others; 422 with the `field` where a choice is wrong."""
    if len(await run_in_threadpool(here.queue.jobs, ("waiting", "paused"), here.limits.waiting)) >= here.limits.waiting:
        raise Refused(429, f"{here.limits.waiting:,} jobs are waiting already", "wait until some are done, or cancel them")
    wish = await run_in_threadpool(here.translator.wish, asked)
    await _check(here, wish)
    job = await run_in_threadpool(here.queue.add, wish.command, wish.subjects, wish.choices)
    return await run_in_threadpool(here.translator.job, job)


@router.post("/api/estimate")
async def estimate(here: Here, asked: Asked) -> dict[str, Any]:
    """What it would take: `seconds`, `bytes`, and both in `words`."""
    wish = await run_in_threadpool(here.translator.wish, asked)
    found: dict[str, Any] = await here.ask("estimate", command=wish.command, subjects=list(wish.subjects), choices=dict(wish.choices))
    return found


@router.post("/api/jobs/clear")
def clear(here: Here, cleared: Cleared | None = None) -> dict[str, int]:
    """Forget jobs that are over; their pictures stay."""
    return {"cleared": here.queue.clear((cleared or Cleared()).states)}


@router.get("/api/jobs/{id}")
def job(here: Here, id: Number) -> dict[str, Any]:
    return here.translator.job(_found(here, id))


@router.post("/api/jobs/{id}/move")
def move(here: Here, id: Number, place: Place) -> dict[str, Any]:
    """To another place among those that wait."""
    _found(here, id)
    return here.translator.job(here.queue.move(id, place.place))


@router.post("/api/jobs/{id}/{change}")
def change(here: Here, id: Number, change: Literal["pause", "resume", "cancel", "retry"]) -> dict[str, Any]:
    """Pause it, let it go on, end it with the best so far, or try it again."""
    _found(here, id)
    changed: Job = getattr(here.queue, change)(id)
    return here.translator.job(changed)


@router.get("/api/jobs/{id}/preview", response_class=Response)
def preview(here: Here, id: Number, request: Request) -> Response:
    """What it looks like now (JPEG); 204 where there is nothing yet."""
    return frame(here.worker.job_frame(id), request)


@router.get("/api/jobs/{id}/page", response_class=HTMLResponse)
def growing(here: Here, id: Number) -> Response:
    """The page of a `see` that runs, as far as it is; 204 where there is nothing yet."""
    return page(here.worker.job_page(id))


@router.post("/api/queue/{change}")
def whole(here: Here, change: Literal["hold", "go"]) -> dict[str, bool]:
    """Stop the whole queue, or let it go on."""
    here.queue.hold() if change == "hold" else here.queue.go_on()
    return {"held": here.queue.held}


async def _check(here: Studio, wish: Wish) -> None:
    """Refused where the network says that the wish is wrong. Where nobody answers in time the job itself finds out."""
    what = {"command": wish.command, "subjects": list(wish.subjects), "choices": dict(wish.choices)}
    try:
        wrong = await here.ask("checked", _PATIENCE, **what)
    except Refused as error:
        if error.status != 503:
            raise
        return
    if wrong:
        raise Refused(422, wrong["fault"], wrong["remedy"], wrong["field"])


def _found(here: Studio, id: int) -> Job:
    try:
        return here.queue.job(id)
    except InputError as error:
        raise gone("job") from error

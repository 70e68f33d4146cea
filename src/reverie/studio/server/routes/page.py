"""The page, the state of everything, and what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from reverie.studio.pages import document
from reverie.studio.server.forms import forms
from reverie.studio.server.studio import Here

router = APIRouter()
_MOST = 2**53  # an id of an event


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def page() -> str:
    return document()


@router.get("/api/state")
def state(here: Here) -> dict[str, Any]:
    """All jobs that are not done and the newest that are, and `event`, the id after which to listen."""
    return here.state()


async def _a_stream(here: Here) -> AsyncIterator[None]:
    with here.streams:
        yield


@router.get("/api/events", response_class=EventSourceResponse, dependencies=[Depends(_a_stream)])
async def events(
    here: Here,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int | None, Query(ge=0, le=_MOST)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """What happens after an event: kinds `job`, `queue`, `preview`, `picture`. `queue` with `missed` says: read the state anew."""
    begin = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 16 else after
    async for each in here.pulse.after(here.pulse.last if begin is None else begin):
        yield ServerSentEvent(data=each.data, event=each.kind, id=str(each.id))


@router.get("/api/forms")
def all_forms() -> dict[str, Any]:
    """Every choice of every command: its kind, default, bounds and help."""
    return forms()

"""The application: every route, behind the guard."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from reverie.studio.pages import BASE_STYLE, STATIC
from reverie.studio.server.guard import Guard
from reverie.studio.server.refusals import add_to
from reverie.studio.server.routes import ROUTERS
from reverie.studio.server.studio import Studio
from reverie.version import __version__

_ABOUT = """
All of it is behind the token: open `/?token=TOKEN` once and keep the cookie. What changes something needs the header `X-Reverie: 1`.
Errors are `{"fault", "remedy", "field"}`. A picture is `input:SHA256` (brought) or `picture:ID` (made); nothing is named by a path.
"""


def application(studio: Studio, *, token: str, hosts: Iterable[str], cookie: str = "reverie") -> FastAPI:
    """The web application of a studio.

    Args:
        token: who has it may do everything. hosts: names and ports by which this machine may be called, `NAME:PORT`.
        cookie: the name of that which holds the token.
    """

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        async with studio.running():
            yield

    for suffix, kind in {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.items():
        mimetypes.add_type(kind, suffix)  # Windows takes them from a registry that anybody may have changed
    app = FastAPI(
        title="Reverie's studio", version=__version__, description=_ABOUT, lifespan=running, openapi_url="/api/openapi.json", docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.studio = studio
    add_to(app)
    for each in ROUTERS:
        app.include_router(each)
    app.add_api_route("/static/style/base.css", lambda: FileResponse(BASE_STYLE), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard, token=token, hosts=frozenset(hosts), cookie=cookie, limits=studio.limits)
    return app

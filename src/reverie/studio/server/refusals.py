"""Errors as the page gets them: `{"fault", "remedy", "field"}` and a status."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from reverie.errors import MissingExtra, OutputError, ReverieError, UnsafeError, first_line, printable
from reverie.store import FULL
from reverie.studio.server.guard import told_as_json

_PATH = re.compile(r"'(?:[^'\n]*[/\\])([^'/\\\n]+)'")
_WORDS = {400: "this request is damaged", 404: "there is no such thing here", 405: "this cannot be done here", 422: "this cannot be used"}


class Refused(Exception):
    """What a route refuses by itself.

    Args:
        status: of the answer. fault, remedy: as of a ReverieError. field: the choice that is at fault.
    """

    def __init__(self, status: int, fault: str, remedy: str = "", field: str | None = None) -> None:
        super().__init__(fault)
        self.status, self.fault, self.remedy, self.field = status, fault, remedy, field


def gone(what: str) -> Refused:
    """404 for something that has an id."""
    return Refused(404, f"there is no such {what}", "it may have been removed meanwhile: load the page again")


def busy(what: str) -> Refused:
    return Refused(503, what, "try again in a moment")


def told(error: ReverieError) -> tuple[int, dict[str, Any]]:
    """The status and the answer that an error becomes. Places on this machine's disk are cut to the name of the file."""
    status = 413 if isinstance(error, UnsafeError) else 503 if isinstance(error, (OutputError, MissingExtra)) else 422
    fault, remedy = (_PATH.sub(r"'\1'", each) for each in error.with_flags(_as_a_form_says))
    return status, {"fault": printable(fault), "remedy": printable(remedy), "field": error.field}


def _as_a_form_says(field: str) -> str:
    return f"“{field.replace('_', ' ')}”"


def answered(status: int, fault: str, remedy: str = "", field: str | None = None) -> Response:
    return Response(told_as_json(fault, remedy, field), status, media_type="application/json")


def add_to(app: FastAPI) -> None:
    """Make every error of the application an answer of this form."""

    @app.exception_handler(ReverieError)
    async def ours(_request: Request, error: ReverieError) -> Response:
        status, data = told(error)
        return answered(status, **data)

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return answered(error.status, error.fault, error.remedy, error.field)

    @app.exception_handler(HTTPException)
    async def of_http(_request: Request, error: HTTPException) -> Response:
        fault = _WORDS.get(error.status_code) or printable(error.detail)
        response = answered(error.status_code, fault)
        response.headers.update(error.headers or {})
        if error.status_code in (408, 413):
            response.headers["connection"] = "close"
        return response

    @app.exception_handler(OSError)
    async def of_the_disk(_request: Request, error: OSError) -> Response:
        full = error.errno in FULL
        fault = "there is no room left on the disk" if full else f"the disk cannot be used ({error.strerror or type(error).__name__})"
        return answered(503, fault, "free some space" if full else "see who may write into the studio's folder")

    @app.exception_handler(sqlite3.Error)
    async def of_the_marks(_request: Request, error: sqlite3.Error) -> Response:
        return answered(503, f"what was said of pictures cannot be kept ({first_line(error)})", "free some space, or restart the studio")

    @app.exception_handler(ClientDisconnect)
    async def of_nobody(_request: Request, _error: ClientDisconnect) -> Response:
        return answered(400, _WORDS[400])  # who asked has gone in the middle, and will not read it

    @app.exception_handler(RequestValidationError)
    async def of_a_form(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = [str(each) for each in first["loc"] if each not in ("body", "query", "path", "header")]
        where = ".".join(place)
        if first["loc"][:1] == ("path",):
            return answered(404, _WORDS[404])
        return answered(422, f"{where or 'the request'}: {printable(first['msg'])[:200]}", "see the documentation of the interface", where)

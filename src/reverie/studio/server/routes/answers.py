"""Answers that are pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse

from reverie.store import sha256_of

FOREVER = {"cache-control": "private, max-age=31536000, immutable"}  # of what has its content in its address
_INERT = "default-src 'none'; sandbox"
_OF_PAGES = (  # a page that was made has its script and style in itself; it is shown where it can reach nothing of the studio
    "default-src 'none'; img-src data: blob:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)


def image(content: bytes, media_type: str) -> Response:
    """A picture that will never be another at this address."""
    return Response(content, media_type=media_type, headers={**FOREVER, "content-security-policy": _INERT})


def frame(content: bytes | None, request: Request) -> Response:
    """A picture (JPEG) that will soon be another: 204 where there is none yet, 304 where the client has it."""
    if content is None:
        return Response(status_code=204)
    tag = f'"{sha256_of(content)[:24]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(content, media_type="image/jpeg", headers={"etag": tag, "content-security-policy": _INERT})


def page(content: bytes | str | None) -> Response:
    """A page that was made, as `see` makes them; 204 where there is none yet."""
    if content is None:
        return Response(status_code=204)
    return HTMLResponse(content, headers={"content-security-policy": _OF_PAGES})


def file(place: Path, media_type: str, *, save_as: str | None = None) -> Response:
    """A file as it is, in parts where they are asked for; or one to be saved under a name."""
    headers = {**FOREVER, "content-security-policy": _INERT}
    return FileResponse(place, media_type=media_type, filename=save_as, headers=headers)


def stream(content: Iterator[bytes], media_type: str, *, save_as: str) -> Response:
    """What is made while it is sent, to be saved under a name."""
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(save_as, safe='')}", "content-security-policy": _INERT}
    return StreamingResponse(content, media_type=media_type, headers=headers)

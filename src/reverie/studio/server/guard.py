"""Who may ask: Host, Origin, the page's own header, the token; how much and how slowly; and the headers of every answer.

Pure ASGI, around everything, so that no route, WebSocket or stream of events can be forgotten. A page of another site that is open in the
same browser can send requests to this machine: it has another Origin, and cannot set the header. A name of another site that is made to
lead to this machine (DNS rebinding) is another Host.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reverie.studio.server.limits import Limits

HEADER = "x-reverie"
UPLOADS = "/api/inputs"
_READING = ("GET", "HEAD")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    "cache-control": "no-store",
}
_STRANGER = (  # of a browser that asks for the page without the token: people read it
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Reverie</title>"
    b"<h1>This is not the address of the studio</h1><p>Open the one that <code>reverie studio</code> printed when it was started: it ends "
    b"with <code>?token=</code> and some letters, which are others at each start. Nothing that was made is lost."
)
_ENTRY = (  # a browser keeps a strict cookie back while it follows a link of another site, so the next step is the page's own
    b"<!doctype html><html lang=en><title>Reverie</title><meta http-equiv=refresh content='0;url=/'><p><a href='/'>Open the studio</a></p>"
)


class Guard:
    """Lets through what comes from the studio's own page, or from a program that has the token.

    Args:
        app: what is guarded.
        token: of this start; it comes in the address once, and in a cookie from then on.
        hosts: names and ports by which this machine may be called, as browsers write them, `NAME:PORT`.
        cookie: its name. Cookies know no ports, so it differs between studios.
        limits: of what is sent.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str], cookie: str, limits: Limits) -> None:
        self._app, self._token, self._cookie, self._limits = app, token, cookie, limits
        self._hosts = frozenset(each.lower() for each in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _Headers(scope)
        answer = self._fault(scope, headers)
        if scope["type"] == "websocket":
            if answer is not None or not self._has_cookie(headers):
                await send({"type": "websocket.close", "code": 4403})  # before it is accepted: 403
            else:
                await self._app(scope, receive, send)
            return
        telling = _with_headers(send)
        if answer is not None:
            await _refuse(telling, answer)
        elif self._enters(scope):
            await self._enter(headers, telling)
        elif not self._has_cookie(headers):
            if scope["path"] == "/" and "text/html" in (headers.one("accept") or ""):
                await _answer(telling, 403, _STRANGER, [(b"content-type", b"text/html; charset=utf-8")])
                return
            await _refuse(telling, "this studio asks for its own address: open the one that `reverie studio` printed, with its token")
        else:
            await self._within(scope, receive, telling, headers)

    # ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fault(self, scope: Scope, headers: _Headers) -> str | None:
        """What is wrong with where it comes from; None where nothing is."""
        host = headers.one("host")
        if host is None or host.lower() not in self._hosts:
            return "this name does not lead to the studio: open the address that `reverie studio` printed"
        if headers.all("origin") and headers.one("origin") != f"http://{host.lower()}":
            return "another site asks for this: only the studio's own page may"
        if not self._enters(scope) and (headers.one("sec-fetch-site") or "none") not in ("same-origin", "none"):
            return "another site asks for this: only the studio's own page may"
        if scope["type"] == "http" and scope["method"] not in _READING and headers.one(HEADER) != "1":
            return "this changes something, and needs the header `X-Reverie: 1`, which the studio's page sends"
        return None

    def _enters(self, scope: Scope) -> bool:
        """Whether it has the token in its address."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            return False
        try:
            given = dict(parse_qsl(scope["query_string"].decode("ascii"), max_num_fields=8)).get("token", "")
        except ValueError:
            return False
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _has_cookie(self, headers: _Headers) -> bool:
        try:
            found = SimpleCookie("; ".join(headers.all("cookie"))).get(self._cookie)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._token.encode())

    async def _enter(self, headers: _Headers, send: Send) -> None:
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict".encode()
        told = [(b"set-cookie", cookie), (b"location", b"/")]
        status, body = 303, b""
        if headers.one("sec-fetch-site") not in (None, "none", "same-origin"):
            status, body, told = 200, _ENTRY, [(b"set-cookie", cookie), (b"content-type", b"text/html; charset=utf-8")]
        await _answer(send, status, body, told)

    # ── how much ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _within(self, scope: Scope, receive: Receive, send: Send, headers: _Headers) -> None:
        most = self._limits.upload + (1 << 16) if scope["path"] == UPLOADS and scope["method"] == "POST" else self._limits.body
        said = headers.one("content-length")
        if said is not None and (not said.isascii() or not said.isdecimal() or len(said) > 18 or int(said) > most):
            await _answer(send, 413, told_as_json(_too_much(most), ""), [(b"content-type", b"application/json"), (b"connection", b"close")])
            return
        await self._app(scope, _Counted(receive, most, self._limits), send)


class _Counted:
    """Receives a body of so many bytes at most, in time.

    Raises:
        HTTPException: 413 for more, 408 for what comes too slowly; the application makes the answer.
    """

    def __init__(self, receive: Receive, most: int, limits: Limits) -> None:
        self._receive, self._most, self._limits = receive, most, limits
        self._count, self._whole, self._due = 0, False, asyncio.get_running_loop().time() + limits.seconds

    async def __call__(self) -> Message:
        if self._whole:  # what comes now is that the other side has gone, which may take for ever
            return await self._receive()
        left = min(self._limits.idle, self._due - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(max(left, 0)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "it came too slowly, and was cut off") from None
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._count > self._most:
                raise HTTPException(413, _too_much(self._most))
        return message


class _Headers:
    """The headers of a request, by their names in small letters."""

    def __init__(self, scope: Scope) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            self._all.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def all(self, name: str) -> list[str]:
        return self._all.get(name, [])

    def one(self, name: str) -> str | None:
        """Its value; None where there is none, or where there are several, of which nobody knows which counts."""
        found = self.all(name)
        return found[0] if len(found) == 1 else None


def told_as_json(fault: str, remedy: str, field: str | None = None) -> bytes:
    """What every answer says that is none: `{"fault", "remedy", "field"}`."""
    return json.dumps({"fault": fault, "remedy": remedy, "field": field}, ensure_ascii=False).encode("utf-8", "replace")


def _too_much(most: int) -> str:
    size = f"{most / (1 << 20):,.0f} MB" if most >= 1 << 20 else f"{most / (1 << 10):,.0f} KB"
    return f"it is larger than {size}, the most that is taken here"


def _with_headers(send: Send) -> Send:
    """Adds what every answer has, where it has no such header of its own."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            there = {name.lower() for name, _ in given}
            message = {**message, "headers": given + [(n.encode(), v.encode()) for n, v in _ALWAYS.items() if n.encode() not in there]}
        await send(message)

    return sent


async def _refuse(send: Send, fault: str) -> None:
    fault, _, remedy = fault.partition(": ")
    await _answer(send, 403, told_as_json(fault, remedy), [(b"content-type", b"application/json")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})

"""Who may ask: every route and every method, from every Host and Origin, with and without the cookie and the page's header."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount
from tests.helpers.studio_server import COOKIE, HOST, HOSTS, INSIDE, TOKEN, Answer, Set, asked, made, scope_of

from reverie.studio.server.addresses import is_loopback, names, shown

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
OUR_HOSTS = (HOST, "localhost:8123", "[::1]:8123", "LOCALHOST:8123")
OTHER_HOSTS = (
    "", "evil.example", "127.0.0.1", "127.0.0.1:8124", "127.0.0.1:8123.evil.example", "evil.example:8123", "0.0.0.0:8123",
    "localhost.:8123",
)  # fmt: skip
OTHER_ORIGINS = (
    "null", "http://evil.example", "https://{host}", "http://{host}.evil.example", "http://{host}/", "file://", "http://127.0.0.1:9999",
    "chrome-extension://abcdefgh",
)  # fmt: skip


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Set]:
    found = made(tmp_path_factory.mktemp("guard") / "home")
    found.studio.pulse.closed = True  # a stream of events ends at once
    yield found
    found.close()


def _leaves(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for each in routes:
        inner = getattr(each, "original_router", None)
        yield from _leaves(inner.routes) if inner is not None else iter([each])


def table(found: Set) -> list[tuple[str, frozenset[str], bool]]:
    """Every route of the application: an address of it, its methods, and whether it is a WebSocket."""
    rows = []
    for each in _leaves(found.app.routes):
        path = str(getattr(each, "path", ""))
        if isinstance(each, Mount):
            path += "/app.js"
        path = path.replace("{id}", "1" if "/jobs/" in path or "/previews/" in path else "0" * 24)
        path = path.replace("{sha256}", "0" * 64).replace("{change}", "pause")
        rows.append((path, frozenset(getattr(each, "methods", None) or {"GET"}), path == "/api/camera"))
    return rows


def test_the_table_has_every_route(one: Set) -> None:
    rows = table(one)
    documented = {re.sub(r"{\w+}", "*", path) for path in one.app.openapi()["paths"]}
    assert len(rows) >= len(documented) + 4  # the page, the static files, the interface, the camera
    assert {path for path, _, _ in rows} >= {"/", "/api/events", "/api/camera", "/static/app.js", "/api/openapi.json", "/api/trash/empty"}
    assert sum(is_socket for *_, is_socket in rows) == 1


def everything(found: Set) -> tuple[Any, ...]:
    """What a request could change."""
    worker = found.worker
    files = sorted(str(each) for each in found.home.folder.rglob("*") if each.suffix not in (".sqlite-shm", ".sqlite-wal"))
    return found.queue.last_event, found.queue.held, len(worker.previews), len(worker.ended), len(worker.asked), files


async def _sent(found: Set, method: str, path: str, is_socket: bool, headers: dict[str, str]) -> Answer:
    if not is_socket:
        return await asked(found.app, method, path, headers, b"{}")
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"} if not said else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        said.append(message)

    await found.app({**scope_of("", path, headers.items()), "type": "websocket", "scheme": "ws", "subprotocols": []}, receive, send)
    return Answer(101 if said[0]["type"] == "websocket.accept" else 403, {}, b"")


def test_of_all_hosts_origins_and_methods_only_our_own_come_through(one: Set) -> None:
    assert len(OUR_HOSTS + OTHER_HOSTS) >= 12 and len(OTHER_ORIGINS) + 2 >= 10
    before, wrong, count = everything(one), [], 0

    async def walk() -> None:
        nonlocal count
        for path, _, is_socket in table(one):
            for method in ("GET",) if is_socket else METHODS:
                for host in OUR_HOSTS + OTHER_HOSTS:
                    for origin in ("", *OTHER_ORIGINS, f"http://{host.lower()}"):
                        ours = host in OUR_HOSTS and origin in ("", f"http://{host.lower()}")
                        if ours:  # those that come through are looked at below
                            continue
                        headers = {**INSIDE, "host": host, **({"origin": origin.format(host=host)} if origin else {})}
                        answer = await _sent(one, method, path, is_socket, headers)
                        count += 1
                        if answer.status != 403:
                            wrong.append((method, path, host, origin, answer.status))

    asyncio.run(walk())
    assert not wrong and count > 20_000
    assert everything(one) == before


def test_what_is_ours_comes_through_and_nothing_is_a_fault_of_the_server(one: Set) -> None:
    known: dict[str, set[str]] = {}
    for path, methods, is_socket in table(one):
        known.setdefault(path, set()).update(methods if not is_socket else {"GET"})
    known["/static/app.js"].add("HEAD")
    sockets = {path for path, _, is_socket in table(one) if is_socket}
    wrong = []

    async def walk() -> None:
        for path, methods in known.items():
            for method in ("GET",) if path in sockets else METHODS:
                for host in OUR_HOSTS:
                    for origin in ("", f"http://{host.lower()}"):
                        headers = {**INSIDE, "host": host, "content-type": "application/json", **({"origin": origin} if origin else {})}
                        answer = await _sent(one, method, path, path in sockets, headers)
                        fits = answer.status != 405 if method in methods else answer.status >= 400
                        if answer.status == 403 or answer.status >= 500 or not fits:
                            wrong.append((method, path, host, origin, answer.status, answer.body))

    asyncio.run(walk())
    assert not wrong


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        f"{COOKIE}=",
        f"{COOKIE}={TOKEN}x",
        f"{COOKIE}={TOKEN[:-1]}",
        f"other={TOKEN}",
        f"{COOKIE}=\xe9",
        "=;=;;",
        f'{COOKIE}="\\777"',
    ],
)
def test_without_the_cookie_nothing_is_told(one: Set, cookie: str | None) -> None:
    before = everything(one)
    headers = {name: value for name, value in INSIDE.items() if name != "cookie"} | ({} if cookie is None else {"cookie": cookie})

    async def walk() -> None:
        for path, _, is_socket in table(one):
            for method in ("GET",) if is_socket else METHODS:
                assert (await _sent(one, method, path, is_socket, headers)).status == 403, (method, path)

    asyncio.run(walk())
    assert everything(one) == before


@pytest.mark.parametrize("header", [None, "", "0", "11", "1, 1"])
def test_what_changes_something_needs_the_header_of_the_page(one: Set, header: str | None) -> None:
    before = everything(one)
    headers = {name: value for name, value in INSIDE.items() if name != "x-reverie"} | ({} if header is None else {"x-reverie": header})

    async def walk() -> None:
        for path, _, is_socket in table(one):
            for method in METHODS[2:] if not is_socket else ():
                assert (await _sent(one, method, path, is_socket, headers)).status == 403, (method, path)

    asyncio.run(walk())
    assert everything(one) == before
    assert one.ask("GET", "/api/state", None, **{"x-reverie": ""}).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_browser_that_says_another_site_asks_is_believed(one: Set, site: str) -> None:
    assert one.ask("GET", "/api/state", None, **{"sec-fetch-site": site}).status == 403
    assert one.ask("GET", "/api/state", None, **{"sec-fetch-site": "same-origin"}).status == 200
    assert one.ask("GET", "/", None, **{"sec-fetch-site": "none"}).status == 200


def test_two_hosts_or_origins_are_none(one: Set) -> None:
    async def send(*more: tuple[str, str]) -> int:
        found: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def sent(message: Any) -> None:
            found.append(message)

        headers = [*INSIDE.items(), *more]
        await one.app(scope_of("GET", "/api/forms", headers), receive, sent)
        return int(found[0]["status"])

    assert asyncio.run(send()) == 200
    assert asyncio.run(send(("host", HOST))) == 403
    assert asyncio.run(send(("origin", f"http://{HOST}"), ("origin", f"http://{HOST}"))) == 403


def outside(found: Set, path: str, **headers: str) -> Answer:
    return asyncio.run(asked(found.app, "GET", path, {"host": HOST, **headers}))


def test_the_token_in_the_address_becomes_a_cookie_that_scripts_and_other_sites_have_not(one: Set) -> None:
    answer = outside(one, f"/?token={TOKEN}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert set(answer.headers["set-cookie"].split("; ")) == {f"{COOKIE}={TOKEN}", "Path=/", "HttpOnly", "SameSite=Strict"}
    assert answer.headers["referrer-policy"] == "no-referrer"
    across = outside(one, f"/?token={TOKEN}", **{"sec-fetch-site": "cross-site"})  # a link of another page: the cookie would be kept back
    assert across.status == 200 and "set-cookie" in across.headers and b"url=/" in across.body


@pytest.mark.parametrize(
    "query", ["", "token=", "token=wrong", f"token={TOKEN}x", f"Token={TOKEN}", "token=%00", "token=%ff%fe", "&" * 50, "a=b&" * 20]
)
def test_another_token_opens_nothing(one: Set, query: str) -> None:
    answer = outside(one, f"/?{query}")
    assert answer.status == 403 and "set-cookie" not in answer.headers
    assert "token" in answer.data["remedy"]


def test_the_token_opens_nothing_but_the_page(one: Set) -> None:
    assert outside(one, f"/api/state?token={TOKEN}").status == 403
    assert outside(one, f"/static/app.js?token={TOKEN}").status == 403
    assert asyncio.run(asked(one.app, "GET", f"/?token={TOKEN}", {"host": "evil.example"})).status == 403
    assert asyncio.run(asked(one.app, "POST", f"/?token={TOKEN}", {"host": HOST, "x-reverie": "1"})).status == 403


@pytest.mark.parametrize("path", ["/", "/api/state", "/static/app.js", "/nothing", "/api/jobs/9", "/api/openapi.json"])
def test_every_answer_tells_browsers_to_be_strict(one: Set, path: str) -> None:
    for answer in (one.ask("GET", path), outside(one, path)):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


def test_nothing_of_the_page_stands_inline(one: Set) -> None:
    page = one.ask("GET", "/").body.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert all("src=" in each or "application/json" in each for each in re.findall(r"<script[^>]*>", page))
    assert not re.findall(r"(?:src|href)=\"(?!/|#)", page)  # nothing from elsewhere


def test_get_changes_nothing(one: Set) -> None:
    before = everything(one)
    for path, methods, is_socket in table(one):
        if "GET" in methods and not is_socket:
            one.ask("GET", path)
    assert everything(one)[:4] == before[:4]


def test_hosts_are_those_of_the_address() -> None:
    assert names("127.0.0.1", 8123) == HOSTS
    assert "127.0.0.1" in names("127.0.0.1", 80)
    assert "192.168.7.7:8123" in names("192.168.7.7", 8123) and "evil.example:8123" not in names("192.168.7.7", 8123)
    assert shown("::1") == "[::1]" and shown("studio.example") == "studio.example"
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost") and not is_loopback("0.0.0.0")
    assert {f"{each}:1" for each in ("localhost", "127.0.0.1")} <= names("0.0.0.0", 1)

"""Behind a real server: events, many clients, slow and lying ones, other sites' sockets, and the end."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import fastapi.routing
import pytest
from tests.helpers.studio_server import COOKIE, TOKEN, Set, jpeg, multipart, served
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from reverie.errors import OutputError, UsageError
from reverie.studio.jobs.queue import told
from reverie.studio.server import serve
from reverie.studio.server.addresses import bound

DREAM = {"command": "dream", "subjects": ["noise:pink"], "choices": {}}
OURS = {"cookie": f"{COOKIE}={TOKEN}", "x-reverie": "1", "content-type": "application/json"}


@pytest.fixture
def place(studio: Set) -> Iterator[tuple[str, int]]:
    with served(studio) as found:
        yield found


def call(place: tuple[str, int], method: str, path: str, data: Any = None, **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(*place, timeout=20)) as line:
        line.request(method, path, None if data is None else json.dumps(data), {**OURS, **headers})
        answer = line.getresponse()
        return answer.status, answer.read()


@contextmanager
def listening(place: tuple[str, int], after: int | None = None, **headers: str) -> Iterator[Iterator[tuple[int, str, dict[str, Any]]]]:
    """The events as they come: id, kind and data."""
    with closing(http.client.HTTPConnection(*place, timeout=20)) as line:
        line.request("GET", "/api/events" + ("" if after is None else f"?after={after}"), headers={**OURS, **headers})
        answer = line.getresponse()
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")

        def come() -> Iterator[tuple[int, str, dict[str, Any]]]:
            found: dict[str, str] = {}
            for raw in answer:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name:
                    found[name] = value
                elif "id" in found:
                    yield int(found["id"]), found["event"], json.loads(found["data"])
                    found = {}
                else:
                    yield -1, "comment", found

        yield come()


def test_what_happens_is_told_once_and_in_order_and_again_after_a_broken_line(studio: Set, place: tuple[str, int]) -> None:
    first = json.loads(call(place, "POST", "/api/jobs", DREAM)[1])["id"]
    state = json.loads(call(place, "GET", "/api/state")[1])
    with listening(place, state["event"]) as events:
        call(place, "POST", f"/api/jobs/{first}/pause")
        (one, kind, data), (two, other, order) = next(events), next(events)
    assert (kind, data["id"], data["state"]) == ("job", first, "paused") and one > state["event"]
    assert (other, order["held"], two > one) == ("queue", False, True)
    call(place, "POST", f"/api/jobs/{first}/cancel")  # while nobody listens
    with listening(place, None, **{"last-event-id": str(two)}) as events:
        number, kind, data = next(events)
        assert number > two and (kind, data["state"]) == ("job", "cancelled")
    with listening(place, 0) as events:  # from before this server began
        assert [kind for _, kind, _ in (next(events), next(events))] == ["job", "queue"]
    with listening(place, 10**12) as events:  # of another studio: read the state anew
        assert next(events)[2] == {"held": False, "missed": True}


def test_events_of_before_the_start_are_told_too(studio: Set) -> None:
    job = studio.queue.add("dream", ["noise:pink"], {})
    studio.studio.pulse.__init__(studio.queue, studio.studio.pulse._told)  # type: ignore[misc]  # as a server that starts now
    with served(studio) as place, listening(place, 0) as events:
        number, kind, data = next(events)
        assert (kind, data["id"]) == ("job", job.id) and number <= studio.queue.last_event


def test_a_result_is_told_by_its_id(studio: Set, place: tuple[str, int]) -> None:
    (studio.home.pictures / "sky-dream-0.jpg").write_bytes(jpeg())
    with listening(place, studio.queue.last_event) as events:
        with studio.queue.database.changing() as change:
            told(change, "picture", "sky-dream-0.jpg", {"name": "sky-dream-0.jpg", "job": 7})
        _, kind, data = next(events)
    assert kind == "picture" and data["job"] == 7
    assert call(place, "GET", f"/api/pictures/{data['picture']}/image")[0] == 200


def test_a_line_on_which_nothing_happens_is_kept_open(place: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.05)
    with listening(place) as events:
        assert [next(events)[1] for _ in range(3)] == ["comment"] * 3


def test_only_so_many_listen_at_once_and_who_goes_makes_room(studio: Set, place: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.02)
    with listening(place), listening(place), listening(place):
        assert call(place, "GET", "/api/events")[0] == 429
    for _ in range(200):  # it is noticed at the next sign of life
        if call(place, "GET", "/api/forms")[0] == 200 and studio.studio.streams._free == 3:
            break
    assert studio.studio.streams._free == 3


def test_fifty_clients_read_the_state_while_the_queue_changes(studio: Set, place: tuple[str, int]) -> None:
    number = json.loads(call(place, "POST", "/api/jobs", DREAM)[1])["id"]
    statuses: list[int] = []
    changing = threading.Event()

    def reads() -> None:
        with closing(http.client.HTTPConnection(*place, timeout=60)) as line:
            for _ in range(10):
                line.request("GET", "/api/state", headers=OURS)
                answer = line.getresponse()
                data = json.loads(answer.read())
                statuses.append(answer.status if data["event"] > 0 else 0)

    def changes() -> None:
        while not changing.is_set():
            for what in ("pause", "resume"):
                statuses.append(call(place, "POST", f"/api/jobs/{number}/{what}")[0])

    threads = [threading.Thread(target=reads) for _ in range(50)]
    also = threading.Thread(target=changes)
    also.start()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    changing.set()
    also.join()
    assert set(statuses) == {200} and len(statuses) > 500


def raw(place: tuple[str, int], sent: bytes) -> bytes:
    """What comes back to these bytes, to the end; nothing more is sent."""
    with closing(socket.create_connection(place, 20)) as line:
        found = b""
        with suppress(ConnectionError):
            line.sendall(sent)
        with suppress(ConnectionResetError):  # it has closed before it had read everything
            while piece := line.recv(1 << 16):
                found += piece
        return found


def head(place: tuple[str, int], *more: str, path: str = "/api/inputs", method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"host: {place[0]}:{place[1]}", f"cookie: {COOKIE}={TOKEN}", "x-reverie: 1", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_slow_lying_and_broken_uploads(studio: Set, place: tuple[str, int], caplog: pytest.LogCaptureFixture) -> None:
    body, kind = multipart(jpeg(), "a.jpg")
    form = f"content-type: {kind}"
    slow = raw(place, head(place, form, f"content-length: {len(body)}") + body[:60])  # and no more
    assert slow.startswith(b"HTTP/1.1 408") and b"connection: close" in slow.lower()
    assert raw(place, head(place, form, "content-length: 999999999") + body[:60]).startswith(b"HTTP/1.1 413")
    assert raw(place, head(place, form, "content-length: -5") + body).startswith(b"HTTP/1.1 4")
    assert raw(place, head(place, form, "content-length: 5", "content-length: 900") + body).startswith(b"HTTP/1.1 4")
    assert raw(place, head(place, form, "transfer-encoding: chunked") + b"zz\r\n" + body).startswith(b"HTTP/1.1 4")
    short = raw(place, head(place, form, "connection: close", f"content-length: {len(body) - 40}") + body)  # it says less than it sends
    assert short.startswith(b"HTTP/1.1 4")
    large = b"".join(b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000) for _ in range(6))
    answer = raw(place, head(place, form, "transfer-encoding: chunked") + b"%x\r\n%s\r\n" % (80, body[:80]) + large)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")  # where the line is closed under what still comes, the answer may be lost
    with closing(socket.create_connection(place, 20)) as line:
        line.sendall(head(place, form, f"content-length: {len(body)}") + body[:60])  # it goes in the middle
    assert raw(place, head(place, "connection: close", form, f"content-length: {len(body)}") + body).startswith(b"HTTP/1.1 201")
    kept = [each for each in studio.home.inputs.folder.rglob("*") if each.is_file() and each.suffix != ".name"]
    assert len(kept) == 1
    assert "Exception" not in caplog.text


def test_requests_that_are_none(place: tuple[str, int]) -> None:
    for sent in (
        b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET  / HTTP/9.9\r\n\r\n",
        head(place, "connection: close", path="/" + "a" * 70_000, method="GET"),
        head(place, "connection: close", "x: " + "y" * 70_000, method="GET", path="/nothing"),
    ):  # fmt: skip
        assert raw(place, sent).startswith(b"HTTP/1.1 4")
    at = f"{place[0]}:{place[1]}".encode()
    elsewhere = raw(place, b"GET http://evil.example/api/state HTTP/1.1\r\nhost: " + at + b"\r\nconnection: close\r\n\r\n")
    assert elsewhere.startswith(b"HTTP/1.1 40")


def test_a_line_on_which_no_request_comes_is_closed(place: tuple[str, int]) -> None:
    assert raw(place, b"GET / HTTP/1.1\r\nhost: ") == raw(place, b"") == b""


def test_a_socket_is_for_our_own_page(studio: Set, place: tuple[str, int]) -> None:
    address, origin = f"ws://{place[0]}:{place[1]}/api/camera", Origin(f"http://{place[0]}:{place[1]}")
    cookie = {"cookie": OURS["cookie"]}
    for other, headers in (
        (Origin("http://evil.example"), cookie), (Origin("null"), cookie), (origin, {}), (origin, {"cookie": f"{COOKIE}=x"}),
    ):  # fmt: skip
        with pytest.raises(InvalidStatus) as refused:
            connect(address, origin=other, additional_headers=headers)
        assert refused.value.response.status_code == 403
    with connect(address, origin=origin, additional_headers=cookie) as line:
        line.send('{"choices": {"level": "edges"}}')
        line.send(jpeg(32, 3))
        assert line.recv(timeout=20) == jpeg(32, 3)


def test_who_listens_is_told_of_the_end(studio: Set) -> None:
    with ExitStack() as later:
        with served(studio) as place:
            events = later.enter_context(listening(place))
            call(place, "POST", "/api/jobs", DREAM)
            assert next(events)[0] > 0
        assert all(number > 0 for number, *_ in events)  # to the end, which is whole: a line that is cut off would raise


def test_a_port_that_is_taken_and_a_host_that_is_not_ours() -> None:
    with bound("127.0.0.1", 0) as taken, pytest.raises(OutputError, match="is taken"), bound("127.0.0.1", taken.getsockname()[1]):
        pass
    for host in ("203.0.113.7", "no-such-host.invalid"):
        with pytest.raises(UsageError), bound(host, 0):
            pass
    with pytest.raises(UsageError), bound("127.0.0.1", 70_000):
        pass


def test_a_folder_belongs_to_one_studio(studio: Set) -> None:
    with studio.home.serving(), pytest.raises(OutputError, match="another studio"):
        serve(studio.home.folder, ready=print)

"""The queue, previews and questions, over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.helpers.studio_server import INSIDE, Set, jpeg, scope_of

from reverie.errors import InputError, OutputError, UsageError, choice
from reverie.recipe import COMMANDS
from reverie.studio.server.limits import Limits
from reverie.studio.server.refusals import Refused
from reverie.studio.server.routes.camera import check_frame

DREAM = {"command": "dream", "subjects": ["noise:pink"], "choices": {"level": "objects", "size": "64x48"}}


def test_a_job_from_its_wish_to_its_end(studio: Set) -> None:
    made = studio.send("POST", "/api/jobs", DREAM)
    assert made.status == 201 and made.data["state"] == "waiting" and made.data["choices"] == DREAM["choices"]
    number = made.data["id"]
    for change, state in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"), ("retry", "waiting")):
        assert studio.ask("POST", f"/api/jobs/{number}/{change}").data["state"] == state
    assert studio.ask("GET", f"/api/jobs/{number}").data["id"] == number
    studio.ask("POST", f"/api/jobs/{number}/cancel")
    assert studio.ask("POST", "/api/jobs/clear").data == {"cleared": 1}
    assert studio.ask("GET", f"/api/jobs/{number}").status == 404
    for change in ("pause", "resume", "cancel", "retry"):
        assert studio.ask("POST", f"/api/jobs/{number}/{change}").status == 404
    assert studio.ask("POST", "/api/jobs/1/explode").status == 404


def test_the_order_and_the_whole_queue(studio: Set) -> None:
    first, second = (studio.send("POST", "/api/jobs", DREAM).data["id"] for _ in range(2))
    assert studio.send("POST", f"/api/jobs/{second}/move", {"place": 0}).data["place"] == 0
    assert studio.ask("GET", f"/api/jobs/{first}").data["place"] == 1
    assert studio.send("POST", f"/api/jobs/{second}/move", {"place": -1}).status == 422
    assert studio.ask("POST", "/api/queue/hold").data == {"held": True}
    state = studio.ask("GET", "/api/state").data
    assert (
        state["held"]
        and state["device"] == "cpu"
        and [each["id"] for each in state["jobs"]] == [second, first]
        and state["event"] == studio.queue.last_event
    )
    assert studio.ask("POST", "/api/queue/go").data == {"held": False}
    assert [each["id"] for each in studio.ask("GET", f"/api/jobs?before={second}").data["jobs"]] == [first]


def test_only_so_many_wait(studio: Set) -> None:
    for _ in range(studio.studio.limits.waiting):
        assert studio.send("POST", "/api/jobs", DREAM).status == 201
    assert studio.send("POST", "/api/jobs", DREAM).status == 429


def test_what_the_network_says_of_a_wish_comes_back_and_a_network_that_says_nothing_stops_nobody(studio: Set) -> None:
    studio.worker.answers["checked"] = {"fault": "no layer 'block4.1'", "remedy": "did you mean 'blocks.4.1'?", "field": "target"}
    answer = studio.send("POST", "/api/jobs", DREAM)
    assert (answer.status, answer.data["field"]) == (422, "target") and not studio.queue.jobs()
    studio.worker.answers["checked"] = OutputError("the process ended", "ask again")
    assert studio.send("POST", "/api/jobs", DREAM).status == 201


@pytest.mark.parametrize(
    ("error", "status"),
    [(UsageError("no such layer"), 422), (InputError("damaged"), 422), (OutputError("it ended"), 503), (RuntimeError("gone"), 503)],
)
def test_what_the_worker_refuses_has_a_status(studio: Set, error: Exception, status: int) -> None:
    picture = f"input:{studio.bring(jpeg()).data['input']}"
    studio.worker.answers["recognise"] = error
    assert studio.send("POST", "/api/recognise", {"picture": picture}).status == status


def test_errors_speak_as_forms_do_and_name_no_place_on_this_machine(studio: Set) -> None:
    picture = f"input:{studio.bring(jpeg()).data['input']}"
    fault = f"'{studio.home.folder}/inputs/ab/sky.png' does not fit {choice('width', 3)}"
    studio.worker.answers["recognise"] = InputError(fault, f"give another {choice('width')}")
    answer = studio.send("POST", "/api/recognise", {"picture": picture}).data
    assert answer == {"fault": "'sky.png' does not fit “width” 3", "remedy": "give another “width”", "field": "width"}


def test_a_preview_is_begun_looked_at_and_ended(studio: Set) -> None:
    picture = f"input:{studio.bring(jpeg()).data['input']}"
    wish = {"session": "page-1", "command": "dream", "subjects": [picture], "choices": {"level": "edges"}, "side": 320}
    number = studio.send("POST", "/api/previews", wish).data["preview"]
    assert studio.worker.previews == [("page-1", "dream", (picture,), {"level": "edges"}, 320)]
    assert studio.ask("GET", f"/api/previews/{number}").status == 204
    studio.worker.frames[number] = jpeg(64)
    shown = studio.ask("GET", f"/api/previews/{number}")
    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, jpeg(64), "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    same = studio.ask("GET", f"/api/previews/{number}", None, **{"if-none-match": shown.headers["etag"]})
    assert (same.status, same.body) == (304, b"")
    studio.worker.frames[number] = jpeg(64, 200)
    assert studio.ask("GET", f"/api/previews/{number}", None, **{"if-none-match": shown.headers["etag"]}).status == 200
    assert studio.ask("DELETE", f"/api/previews/{number}").status == 204 and studio.worker.ended == [number]
    for wrong in ({"side": 5000}, {"side": "320"}, {"session": ""}, {"session": "a b"}, {"session": "x" * 65}, {"more": 1}):
        assert studio.send("POST", "/api/previews", {**wish, **wrong}).status == 422


def test_a_job_is_looked_at_while_it_runs(studio: Set) -> None:
    assert [studio.ask("GET", f"/api/jobs/3/{what}").status for what in ("preview", "page")] == [204, 204]
    studio.worker.job_frames[3], studio.worker.pages[3] = jpeg(), b"<p>growing"
    assert studio.ask("GET", "/api/jobs/3/preview").body == jpeg()
    page = studio.ask("GET", "/api/jobs/3/page")
    assert page.body == b"<p>growing" and "sandbox" in page.headers["content-security-policy"]


def test_networks_layers_classes_and_estimates(studio: Set) -> None:
    assert studio.ask("GET", "/api/networks").data["networks"][0]["installed"]
    assert studio.ask("GET", "/api/layers").data["layers"] and studio.worker.asked[-1] == ("layers", {"network": "efficientnet-lite0"})
    assert studio.ask("GET", "/api/layers?network=timm:resnet18").status == 422  # nothing is fetched
    assert {each["label"] for each in studio.ask("GET", "/api/classes?q=banana").data["classes"]} == {"banana"}
    assert len(studio.ask("GET", "/api/classes").data["classes"]) == 1000
    assert studio.ask("GET", "/api/classes?q=qwertyuiop").data["classes"] == []
    assert studio.send("POST", "/api/estimate", DREAM).data["words"] == "about 3 seconds"


def test_forms_have_every_choice_of_the_table_but_what_a_page_may_not_say(studio: Set) -> None:
    forms = {each["name"]: each for each in studio.ask("GET", "/api/forms").data["commands"]}
    assert list(forms) == [name for name in ("dream", "imagine", "feature", "see", "journey", "film", "ask", "grid") if name in COMMANDS]
    for name, form in forms.items():
        fields = {each["name"]: each for group in form["groups"] for each in group["fields"]}
        assert set(fields) - {"network"} == set(COMMANDS[name].fields) - {"keep", "max_pixels"}
        for each in fields.values():
            assert each["help"] and each["kind"] and (each["kind"] != "choice" or each["choices"])
    steps = next(each for group in forms["dream"]["groups"] for each in group["fields"] if each["name"] == "steps")
    assert (steps["kind"], steps["low"], steps["high"], steps["default"], steps["first"]) == ("whole", 1, 100_000, 16, True)
    assert [each["name"] for each in forms["dream"]["presets"]][:2] == ["etching", "weave"]


# ── the camera ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def talk(found: Set, *said: str | bytes, frames: int = 0) -> list[Any]:
    """What comes back where these are sent, one after another; it goes on until so many frames have come."""

    async def run() -> list[Any]:
        came: list[Any] = []
        todo: list[Any] = [{"type": "websocket.connect"}]
        todo += [{"type": "websocket.receive", **({"text": each} if isinstance(each, str) else {"bytes": each})} for each in said]
        enough = asyncio.Event()

        async def receive() -> Any:
            if todo:
                return todo.pop(0)
            if frames:
                await enough.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            came.append(message)
            if sum(1 for each in came if each.get("bytes")) >= frames:
                enough.set()

        scope = {**scope_of("", "/api/camera", INSIDE.items()), "type": "websocket", "scheme": "ws", "subprotocols": []}
        await found.app(scope, receive, send)
        return came

    return found.loop.run(run())


def test_a_camera_says_its_choices_and_gets_the_newest_frame(studio: Set) -> None:
    first = json.dumps({"choices": {"level": "parts", "side": 128, "still": 0.9}})
    came = talk(studio, first, jpeg(32, 1), jpeg(32, 2), jpeg(32, 200), frames=1)
    assert came[0]["type"] == "websocket.accept" and came[1]["bytes"] == jpeg(32, 200)
    assert studio.worker.choices == {"level": "parts", "side": 128, "still": 0.9}
    assert len(studio.worker.closed) == 1


@pytest.mark.parametrize(
    "said",
    [
        ("no json",), ("{}",), ('{"choices": []}',), ('{"choices": {"output": "/etc/passwd"}}',), ('{"choices": {"network": "timm:a"}}',),
        ('{"choices": {"side": 100000}}',), ('{"choices": {"still": NaN}}',), ('{"choices": {}}', b"no jpeg"), (jpeg(),), ("[" * 9000,),
        ('{"choices": {}}', b"\x89PNG\r\n\x1a\n" + bytes(50)), ('{"choices": {}}', b""), ('{"choices": {}}', jpeg(3000)),
    ],
)  # fmt: skip
def test_a_camera_that_says_something_else_is_closed(studio: Set, said: tuple[str | bytes, ...]) -> None:
    *_, told, closed = talk(studio, *said)
    assert closed["type"] == "websocket.close" and closed["code"] == 4422
    assert set(json.loads(told["text"])) == {"fault", "remedy", "field"}
    assert not studio.worker.cameras


def test_frames_have_bounds() -> None:
    limits = Limits(frame=1000, frame_side=100)
    check_frame(jpeg(50), limits)
    for frame in (jpeg(101), b"\xff\xd8" + bytes(2000), jpeg(50)[:20]):
        with pytest.raises(Refused):
            check_frame(frame, limits)


def test_only_so_many_cameras(studio: Set) -> None:
    for _ in range(2):
        studio.studio.cameras.__enter__()
    assert talk(studio, '{"choices": {}}')[-1]["code"] == 4429
    studio.studio.cameras.__exit__()
    assert talk(studio, '{"choices": {}}')[-1]["type"] == "websocket.accept"


def test_the_results_of_a_grid_are_all_that_is_in_its_folder(studio: Set) -> None:
    job = studio.queue.add("dream", ["noise:pink"], {})
    with studio.queue.database.changing() as change:
        values = (job.id, "grid", "sky-grid")
        change.execute("INSERT INTO results (job, unit, origin, name, moved) VALUES (?, 0, ?, ?, 1)", values)
    (studio.home.pictures / "sky-grid").mkdir()
    for name in ("a.jpg", "b.jpg", "index.html"):
        (studio.home.pictures / "sky-grid" / name).write_bytes(b"<p>" if name.endswith("html") else jpeg())
    results = studio.ask("GET", f"/api/jobs/{job.id}").data["results"]
    assert [studio.ask("GET", f"/api/pictures/{each}").data["name"] for each in results] == ["a", "b"]

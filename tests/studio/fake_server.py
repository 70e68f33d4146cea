"""A studio without a network: the routes of the real one, whose jobs go on when a test says so. Pictures are real and small.

`python -m tests.studio.fake_server [PORT] [FOLDER of pictures]` shows it in a browser.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, File, Request, Response, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image, ImageFilter, ImageOps

from reverie.recipe import COMMANDS
from reverie.studio.pages import BASE_STYLE, STATIC, document
from reverie.studio.server.forms import forms

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TINTS = {"edges": "#777777", "textures": "#996633", "patterns": "#3366aa", "parts": "#aa3355", "objects": "#338844", "scenes": "#8844aa"}
LABELS = [{"index": 281, "label": "tabby", "probability": 0.56}, {"index": 285, "label": "Egyptian cat", "probability": 0.23},
          {"index": 282, "label": "tiger cat", "probability": 0.11}]  # fmt: skip
LAYERS = [{"name": f"blocks.{block}.{at}", "kind": "block", "channels": 40, "stride": 2**block, "receptive_field": 31, "level": level}
          for block, level in enumerate(TINTS) for at in range(2)]  # fmt: skip
CLASSES = [{"index": 281, "label": "tabby", "names": ["tabby", "tabby cat"], "words": ["cat"]},
           {"index": 954, "label": "banana", "names": ["banana"], "words": ["fruit"]},
           {"index": 980, "label": "volcano", "names": ["volcano"], "words": ["mountain"]}]  # fmt: skip


def jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


class Studio:
    """Its state, and what a test does to it.

    Attributes:
        asked: every request that changes something, as (path, what was sent).
        refuse: of a path, the error that it answers with.
        over: it ends its streams.
        device: None until it is ready. silent: seconds since anything was heard of the job that runs.
        stirred: how much the camera's scene moves.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, dict[str, Any]] = {}
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        self.held = self.over = False
        self.device: str | None = "cpu"
        self.silent = 0.0
        self.inputs: dict[str, tuple[str, bytes]] = {}
        self.recipes: dict[str, dict[str, Any]] = {}
        self.pictures: dict[str, dict[str, Any]] = {}
        self.content: dict[str, bytes] = {}
        self.trash: dict[str, dict[str, Any]] = {}
        self.previews: dict[int, bytes] = {}
        self.asked: list[tuple[str, Any]] = []
        self.refuse: dict[str, tuple[int, dict[str, Any]]] = {}
        self.stirred = 0.0

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((len(self.events) + 1, kind, dict(data)))

    def set(self, number: int, **changes: Any) -> None:
        """Change a job, and tell of it."""
        self.jobs[number] = {**self.jobs[number], **changes}
        self.tell("job", self.jobs[number])

    def add(self, command: str, subjects: list[str], choices: dict[str, Any]) -> dict[str, Any]:
        number = len(self.jobs) + 1
        place = sum(job["state"] == "waiting" for job in self.jobs.values())
        self.jobs[number] = {
            "id": number, "command": command, "subjects": subjects, "choices": choices, "state": "waiting", "place": place, "done": 0.0,
            "doing": "", "left": None, "crashes": 0, "fault": "", "results": [], "made": 1.8e9 + number, "started": None,
            "ended": None,
        }  # fmt: skip
        self.tell("job", self.jobs[number])
        return self.jobs[number]

    def make(self, name: str, image: Image.Image, recipe: dict[str, Any] | None = None, **more: Any) -> str:
        """A picture in the gallery."""
        key = hashlib.sha256(name.encode()).hexdigest()[:24]
        self.content[key] = jpeg(image)
        self.pictures[key] = {
            "id": key, "name": name, "width": image.width, "height": image.height, "words": f"a dream, {name}", "command": "dream",
            "made": 1.8e9 + len(self.pictures), "stars": 0, "note": "", "faulty": False, "kind": "picture", "recipe": recipe, **more,
        }  # fmt: skip
        self.tell("picture", {"name": name, "job": None})
        return key

    def source(self, subjects: list[str]) -> Image.Image:
        kind, _, name = (subjects or ["noise:pink"])[0].partition(":")
        content = self.inputs[name][1] if kind == "input" else self.content[name] if kind == "picture" else b""
        return Image.open(BytesIO(content)).convert("RGB") if content else Image.effect_noise((300, 300), 60).convert("RGB")

    def dreamt(self, command: str, subjects: list[str], choices: Mapping[str, Any], side: int) -> bytes:
        """Something that differs with every choice, and is plain to see."""
        image = self.source(subjects)
        image.thumbnail((side, side))
        preset = COMMANDS["dream"].presets.get(choices.get("preset", "menagerie"))
        tint = TINTS[choices.get("level") or (preset.level if preset else None) or "objects"]
        edges = ImageOps.autocontrast(image.convert("L").filter(ImageFilter.FIND_EDGES))
        return jpeg(Image.blend(image, ImageOps.colorize(edges, "#101010", tint), 0.6))


def app_of(studio: Studio) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/static/style/base.css", lambda: FileResponse(BASE_STYLE))
    app.mount("/static", StaticFiles(directory=STATIC))

    def image(content: bytes) -> Response:
        return Response(content, media_type="image/jpeg", headers={"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"'})

    @app.middleware("http")
    async def headers(request: Request, call: Any) -> Response:
        if request.method not in ("GET", "HEAD"):
            if request.headers.get("x-reverie") != "1":
                return JSONResponse({"fault": "without the header", "remedy": "", "field": None}, 403)
            if request.headers.get("content-type", "").startswith("application/json"):
                studio.asked.append((request.url.path, await request.json()))
            else:
                studio.asked.append((request.url.path, None))
            if request.url.path in studio.refuse:
                status, told = studio.refuse[request.url.path]
                return JSONResponse(told, status)
        response: Response = await call(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    @app.get("/")
    def page() -> Response:
        return HTMLResponse(document())

    @app.get("/api/state")
    def state() -> Any:
        about = {"device": studio.device, "silent": studio.silent, "network": "efficientnet-lite0", "version": "0.1"}
        return {"event": len(studio.events), "held": studio.held, "jobs": list(studio.jobs.values()), **about}

    @app.get("/api/events")
    async def events(after: int = 0) -> Response:
        async def told() -> AsyncIterator[str]:
            last = after
            while not studio.over:
                for number, kind, data in studio.events[last:]:
                    yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
                    last = number
                await asyncio.sleep(0.02)

        return StreamingResponse(told(), media_type="text/event-stream")

    @app.post("/api/inputs")
    async def inputs(file: UploadFile = File()) -> Any:  # noqa: B008 - as FastAPI has it
        content = await file.read()
        sha = hashlib.sha256(content).hexdigest()
        studio.inputs[sha] = (file.filename or "", content)
        found = Image.open(BytesIO(content))
        recipe = studio.recipes.get(file.filename or "")
        return {
            "input": sha,
            "name": file.filename,
            "width": found.width,
            "height": found.height,
            "kind": "picture",
            "recipe": recipe,
            "words": "",
        }

    @app.get("/api/inputs/{sha}")
    def given(sha: str, side: int = 512) -> Response:
        found = studio.source([f"input:{sha}"])
        found.thumbnail((side, side))
        return image(jpeg(found))

    @app.post("/api/recognise")
    def recognise(what: dict[str, Any]) -> Any:
        return {"labels": LABELS, "known": {"is_known": True, "score": 1.0, "threshold": 0.5, "method": "x"}, "remark": ""}

    @app.post("/api/previews")
    async def preview(what: dict[str, Any]) -> Any:  # one after another, so that no number is given twice
        number = len(studio.previews) + 1
        studio.previews[number] = studio.dreamt(what["command"], what["subjects"], what["choices"], what["side"])
        studio.tell("preview", {"preview": number, "done": 1.0, "ended": True, "fault": None})
        return {"preview": number}

    @app.get("/api/previews/{number}")
    def frame(number: int) -> Response:
        return image(studio.previews[number])

    @app.delete("/api/previews/{number}")
    def stop(number: int) -> Response:
        return Response(status_code=204)

    @app.get("/api/forms")
    def all_forms() -> Any:
        return forms()

    @app.get("/api/networks")
    def networks() -> Any:
        return {"networks": [{"name": name, "installed": True} for name in ("efficientnet-lite0", "efficientnet-lite1")]}

    @app.get("/api/layers")
    def layers() -> Any:
        return {"layers": LAYERS}

    @app.get("/api/classes")
    def classes() -> Any:
        return {"classes": CLASSES}

    @app.post("/api/estimate")
    def estimate(what: dict[str, Any]) -> Any:
        return {"seconds": 95.0, "bytes": 10**6, "words": ""}

    @app.post("/api/jobs")
    async def job(what: dict[str, Any]) -> Any:
        return studio.add(what["command"], what["subjects"], what["choices"])

    @app.get("/api/jobs")
    def earlier(before: int = 0) -> Any:
        return {"jobs": []}

    @app.get("/api/jobs/{number}/preview")
    def job_frame(number: int) -> Response:
        of = studio.jobs[number]
        return image(studio.dreamt(of["command"], of["subjects"], of["choices"], 480)) if of["done"] else Response(status_code=204)

    @app.get("/api/jobs/{number}/page")
    def growing(number: int) -> Response:
        return HTMLResponse(f"<p>{studio.jobs[number]['doing']}", headers={"Content-Security-Policy": "default-src 'none'; sandbox"})

    @app.post("/api/jobs/clear")
    def clear() -> Response:
        studio.jobs = {number: each for number, each in studio.jobs.items() if each["state"] in ("waiting", "running", "paused")}
        return Response(status_code=204)

    @app.post("/api/jobs/{number}/{what}")
    def act(number: int, what: str, more: dict[str, Any] | None = None) -> Any:
        states = {"pause": "paused", "resume": "waiting", "cancel": "cancelled", "retry": "waiting"}
        if what in states:
            studio.set(number, state=states[what])
        else:
            order = sorted((each for each in studio.jobs.values() if each["state"] == "waiting"), key=lambda each: int(each["place"]))
            ids = [int(each["id"]) for each in order if each["id"] != number]
            ids.insert((more or {})["place"], number)
            for place, each in enumerate(ids):
                studio.set(each, place=place)
        return studio.jobs[number]

    @app.post("/api/queue/{what}")
    def queue(what: str) -> Response:
        studio.held = what == "hold"
        studio.tell("queue", {"held": studio.held})
        return Response(status_code=204)

    @app.get("/api/pictures")
    def pictures(offset: int = 0, limit: int = 60, sort: str = "new", command: str = "", words: str = "") -> Any:
        found = [
            each for each in studio.pictures.values() if words.lower() in str(each["words"]).lower() and command in ("", each["command"])
        ]
        found.sort(key=lambda each: each["stars"] if sort == "stars" else each["made"], reverse=sort != "old")
        return {"total": len(found), "grids": 0, "held": 0, "pictures": found[offset : offset + limit]}

    @app.get("/api/pictures/{key}")
    def one(key: str) -> Any:
        return studio.pictures.get(key) or JSONResponse({"fault": "there is no such picture", "remedy": "", "field": None}, 404)

    @app.get("/api/pictures/{key}/flashes")
    def flashes(key: str) -> Any:
        most = studio.pictures[key].get("flashes")
        told = {"fault": "it cannot be measured", "remedy": "", "field": None}
        return {"most": most, "safe": most <= 3} if most is not None else JSONResponse(told, 415)

    @app.get("/api/pictures/{key}/{form}")
    def shown(key: str, form: str) -> Response:
        return image(studio.content[key])

    @app.put("/api/pictures/{key}/{what}")
    def mark(key: str, what: str, value: dict[str, Any]) -> Any:
        studio.pictures[key].update(value)
        return value

    @app.post("/api/pictures/{key}/trash")
    def throw(key: str) -> Response:
        studio.trash[key] = studio.pictures.pop(key)
        return Response(status_code=204)

    @app.get("/api/trash")
    def thrown() -> Any:
        return {"pictures": list(studio.trash.values())}

    @app.get("/api/trash/{key}/thumb")
    def thrown_picture(key: str) -> Response:
        return image(studio.content[key])

    @app.post("/api/trash/empty")
    def empty() -> Response:
        studio.trash.clear()
        return Response(status_code=204)

    @app.post("/api/trash/{key}/restore")
    def restore(key: str) -> Response:
        studio.pictures[key] = studio.trash.pop(key)
        return Response(status_code=204)

    @app.post("/api/again")
    def again(what: dict[str, Any]) -> Any:
        start = f"input:{next(iter(studio.inputs))}" if studio.inputs else "noise:pink"
        told = {"command": "dream", "subjects": [start], "choices": {"level": "parts", "seed": 7, "steps": 24}}
        return {
            **told,
            "missing": [],
            "notes": ["It was made together with 7 others; alone it comes out a little different."],
            "words": "a dream on parts, 24 steps, seed 7",
        }

    @app.websocket("/api/camera")
    async def camera(socket: WebSocket) -> None:
        await socket.accept()
        seen = Image.new("RGB", (64, 48))
        try:
            while (message := await socket.receive())["type"] == "websocket.receive":
                if text := message.get("text"):
                    said = json.loads(text)
                    studio.asked.append(("/api/camera", said))
                    if "film" in said:
                        await socket.send_json({"film": {"on": said["film"]}})
                        if not said["film"]:
                            studio.tell("picture", {"picture": studio.make("camera.mp4", seen, kind="film", flashes=5), "job": None})
                    continue
                seen = Image.open(BytesIO(message["bytes"])).convert("RGB")
                await socket.send_bytes(jpeg(ImageOps.invert(seen)))
                channels = [{"layer": "blocks.4.1", "channel": 12 - at, "strength": 3.0 - at / 2} for at in range(4)]
                await socket.send_json({"seen": {"labels": LABELS, "channels": channels, "moved": 0.0, "stirred": studio.stirred}})
        except WebSocketDisconnect:
            return

    return app


@contextmanager
def running(studio: Studio, port: int = 0) -> Iterator[str]:
    """The server in a thread; its address."""
    server = uvicorn.Server(uvicorn.Config(app_of(studio), port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        studio.over = server.should_exit = True
        thread.join(5)


if __name__ == "__main__":
    shown = Studio()
    for file in sorted(Path(sys.argv[2]).glob("*.png") if len(sys.argv) > 2 else []):
        shown.make(file.name, Image.open(file))
    with running(shown, int(sys.argv[1]) if len(sys.argv) > 1 else 0) as address:
        print(address, flush=True)
        threading.Event().wait()

"""What a camera sees, dreamt on frame by frame: the newest goes in, and the newest that is dreamt comes out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from io import BytesIO
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from PIL.JpegImagePlugin import JpegImageFile
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from starlette.concurrency import run_in_threadpool

from reverie.errors import InputError, OutputError, ReverieError, printable
from reverie.files.input_files import PILLOW_FAULTS
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.recipe import Level
from reverie.studio.server.camera_films import Recording
from reverie.studio.server.guard import told_as_json
from reverie.studio.server.limits import Limits
from reverie.studio.server.refusals import Refused, told
from reverie.studio.server.studio import Here, Studio

router = APIRouter()
_EVERY = 0.02  # seconds between two looks for a dreamt frame
_REFUSED, _TOO_MANY = 4422, 4429  # codes with which it is closed


@router.websocket("/api/camera")
async def camera(socket: WebSocket, here: Here) -> None:
    """A text `{"choices": {…}}` first, and again where they change; then frames (JPEG) in. Out come dreamt frames (JPEG), and after each
    a text `{"seen": {…}}`: labels, the strongest channels, how much has moved.

    `{"film": true}` begins a film of what comes out, `{"film": false}` ends it, and so does the end of the line; `{"film": {"on"}}` tells
    of it, with `fault` and `remedy` where it cannot be kept. The film is among the pictures when the event `picture` says so.
    """
    await socket.accept()
    try:
        with here.cameras:
            await _Camera(socket, here).run()
    except Refused as error:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone
            await socket.send_text(told_as_json(error.fault, error.remedy, error.field).decode())
            await socket.close(_TOO_MANY if error.status == 429 else _REFUSED, error.fault[:100])


class Choices(BaseModel):
    """How a camera is dreamt on: a `target` or a `level`, the longer side in pixels, how much of the dream a still scene keeps, 0..1."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target: str | None = Field(None, max_length=400)
    level: Level | None = None
    network: str | None = None
    side: int = Field(256, ge=32, le=1024)
    still: float = Field(0.97, ge=0, le=1)

    @field_validator("network")
    @classmethod
    def _built_in(cls, name: str | None) -> str | None:
        if name is not None and name not in CATALOGUE:
            raise ValueError("no network that is built in")
        return name


class Said(BaseModel):
    """What a camera says: its choices before its frames; whether a film is kept."""

    model_config = ConfigDict(extra="forbid", strict=True)
    choices: Choices | None = None
    film: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Said:
        if self.choices is None and self.film is None:
            raise ValueError("neither choices nor film")
        return self


class _Camera:
    def __init__(self, socket: WebSocket, here: Studio) -> None:
        self._socket, self._here = socket, here
        self._session = secrets.token_hex(8)
        self._choices: dict[str, Any] | None = None
        self._recording: Recording | None = None

    async def run(self) -> None:
        sending = asyncio.create_task(self._send())
        try:
            while (message := await self._socket.receive())["type"] == "websocket.receive":
                if (text := message.get("text")) is not None:
                    await self._told(_read(text))
                elif (frame := message.get("bytes")) is not None:
                    self._take(frame)
        finally:
            sending.cancel()
            self._here.worker.close_camera(self._session)
            with contextlib.suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect):
                await sending
            await self._end_film(tells=False)

    async def _told(self, said: Said) -> None:
        if said.choices is not None:
            self._choices = said.choices.model_dump(exclude_none=True)
        if said.film and self._recording is None:
            try:
                self._recording = await run_in_threadpool(self._here.films.begin, self._choices or {})
                await self._tell_film(None)
            except ReverieError as error:
                await self._tell_film(error)
        elif said.film is False and self._recording is not None:
            await self._end_film()

    async def _end_film(self, *, tells: bool = True) -> None:
        """What was put down becomes a film; what cannot be written now is written at the next start."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        if tells:
            await self._tell_film(None)
        try:
            name = await run_in_threadpool(self._here.films.end, recording)
            if name is None and tells:
                await self._tell_film(InputError("nothing was filmed", "the camera was too short on"))
        except ReverieError as error:
            if tells:
                await self._tell_film(error)

    async def _tell_film(self, error: ReverieError | None) -> None:
        fault = {} if error is None else told(error)[1]
        await self._socket.send_text(json.dumps({"film": {"on": self._recording is not None, **fault}}))

    def _take(self, frame: bytes) -> None:
        if self._choices is None:
            raise Refused(422, "a frame before the choices", 'send {"choices": {…}} first')
        check_frame(frame, self._here.limits)
        self._here.worker.camera(self._session, frame, self._choices)

    async def _send(self) -> None:
        worker, before = self._here.worker, None
        while True:
            frame, seen = worker.camera_frame(self._session), worker.camera_seen(self._session)
            if frame is not None:
                await self._film(frame)
                await self._socket.send_bytes(frame)
            if seen is not None and seen is not before:
                await self._socket.send_text(json.dumps({"seen": seen}))
                before = seen
            await asyncio.sleep(_EVERY)

    async def _film(self, frame: bytes) -> None:
        if (recording := self._recording) is None:
            return
        try:
            await run_in_threadpool(recording.add, frame, time.monotonic())
        except OutputError as error:
            await self._end_film()
            await self._tell_film(error)
        else:
            if recording.full:
                await self._end_film()


def _read(text: str) -> Said:
    try:
        return Said.model_validate_json(text[: 1 << 16])
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else None
        raise Refused(422, f"{field or 'choices'}: {printable(first['msg'])[:100]}", 'send {"choices": {…}}', field) from None


def check_frame(frame: bytes, limits: Limits) -> None:
    """Raise Refused for what is no JPEG, or too large."""
    if len(frame) > limits.frame:
        raise Refused(413, "a frame of too many bytes", "send smaller ones")
    try:
        with JpegImageFile(BytesIO(frame)) as image:
            large = max(image.size) > limits.frame_side
    except PILLOW_FAULTS:
        raise Refused(422, "a frame that is no JPEG", "send JPEG") from None
    if large:
        raise Refused(413, f"a frame with a side above {limits.frame_side} pixels", "send smaller ones")

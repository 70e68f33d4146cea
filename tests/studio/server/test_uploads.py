"""What people bring: slow, too large, too many, damaged, and other than it claims."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.helpers import clips
from tests.helpers.recipes import PLAIN
from tests.helpers.studio_server import INSIDE, SMALL, Set, jpeg, made, multipart, scope_of

from reverie import files
from reverie.store import sha256_of
from reverie.studio.server import Limits


def inputs(found: Set) -> list[str]:
    """What is kept, and what of it is no whole file."""
    return sorted(each.name for each in found.home.inputs.folder.rglob("*") if each.is_file() and each.suffix != ".name")


def test_a_picture_is_kept_by_its_hash_and_shown_smaller(studio: Set) -> None:
    content = jpeg(100)
    answer = studio.bring(content, "C:\\photos\\sky.jpg")
    assert answer.status == 201
    told = answer.data
    assert (told["input"], told["name"], told["width"], told["kind"]) == (sha256_of(content), "sky.jpg", 100, "picture")
    assert (told["recipe"], told["words"]) == (None, "")
    assert studio.home.find(f"input:{told['input']}").read_bytes() == content
    shown = studio.ask("GET", f"/api/inputs/{told['input']}?side=40")
    assert (shown.status, shown.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(BytesIO(shown.body)).size == (40, 40)
    assert studio.ask("GET", f"/api/inputs/{'0' * 64}").status == 404
    assert studio.ask("GET", f"/api/inputs/{told['input']}?side=100000").status == 422


def test_what_is_transparent_stays_so(studio: Set) -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (200, 10, 10, 90)).save(out, "PNG")
    digest = studio.bring(out.getvalue(), "glass.png").data["input"]
    shown = studio.ask("GET", f"/api/inputs/{digest}")
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(shown.body)).getpixel((3, 3)) == (200, 10, 10, 90)


def test_an_array_and_a_film_are_told_apart(studio: Set, tmp_path: Path) -> None:
    out = BytesIO()
    np.save(out, np.linspace(0, 1, 12 * 16 * 4, dtype=np.float32).reshape(12, 16, 4))
    array = studio.bring(out.getvalue(), "field.npy").data
    assert (array["kind"], array["width"], array["height"]) == ("array", 16, 12)
    assert studio.ask("GET", f"/api/inputs/{array['input']}").headers["content-type"] == "image/jpeg"
    clips.save_clip(tmp_path / "street.mp4", clips.pan(4, 48, 64).frames)
    film = studio.bring((tmp_path / "street.mp4").read_bytes(), "street.mp4").data
    assert (film["kind"], film["width"], film["height"]) == ("film", 64, 48)
    shown = studio.ask("GET", f"/api/inputs/{film['input']}?side=32")
    assert Image.open(BytesIO(shown.body)).size == (32, 24)


def with_recipe(text: str) -> bytes:
    pixels = np.zeros((8, 8, 3), np.uint8)
    return files.encode(pixels, suffix=".png", recipe=text)


def test_the_recipe_that_it_carries_is_told(studio: Set) -> None:
    told = studio.bring(with_recipe(PLAIN.text()), "dream.png").data
    assert told["recipe"] == json.loads(PLAIN.text())
    assert told["words"].startswith("a dream on")
    again = studio.send("POST", "/api/again", {"input": told["input"]})
    assert (again.status, again.data["command"]) == (200, "dream")
    assert studio.send("POST", "/api/again", {"input": studio.bring(jpeg()).data["input"]}).data["fault"] == "it carries no recipe"
    damaged = studio.bring(with_recipe('{"command": "rm -rf"}'), "odd.png").data
    assert damaged["recipe"] is None and "recipe" in damaged["words"] and str(studio.home.folder) not in damaged["words"]


def _array(kind: str, shape: str) -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00v\x00" + head + bytes(64)


def _bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


LIES: dict[str, tuple[bytes, str, int]] = {
    "empty": (b"", "a.png", 415),
    "a text": (b"hello " * 100, "a.png", 415),
    "a page": (b"<html><script>alert(1)</script>", "a.html", 415),
    "a drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "a.svg", 415),
    "a program": (b"\x7fELF" + bytes(500), "a.jpg", 415),
    "an archive": (b"PK\x03\x04" + bytes(500), "a.png", 415),
    "a pickle": (b"\x80\x04\x95" + bytes(100), "a.npy", 415),
    "an array with a pickle": (_array("|O", "(1,)"), "a.npy", 415),
    "an array that is not there": (_array("<f4", "(99, 99)"), "a.npy", 415),
    "an array of too many pixels": (_array("<f4", "(9999, 9999)"), "a.npy", 413),
    "half a picture": (jpeg(64)[:200], "a.jpg", 415),
    "a start and nothing": (b"\x89PNG\r\n\x1a\n" + bytes(40), "a.png", 415),
    "noise after a start": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, "a.jpg", 415),
    "a film that is none": (b"\0\0\0\x20ftypisom" + bytes(400), "a.mp4", 415),
    "a bomb": (_bomb(100_000, 100_000), "a.png", 413),
    "too many pixels": (jpeg(300), "a.jpg", 413),
}  # fmt: skip


@pytest.mark.parametrize("case", LIES)
def test_what_is_no_picture_is_refused_and_leaves_nothing(studio: Set, case: str) -> None:
    content, name, status = LIES[case]
    answer = studio.bring(content, name)
    assert answer.status == status, answer.body
    assert set(answer.data) == {"fault", "remedy", "field"}
    for told in answer.data.values():
        assert str(studio.home.folder) not in str(told) and ".part" not in str(told)
    assert inputs(studio) == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 500]
)
def test_a_body_that_is_no_form_is_refused(studio: Set, kind: str) -> None:
    body, _ = multipart(jpeg(), "a.jpg")
    assert 400 <= studio.ask("POST", "/api/inputs", body, **{"content-type": kind}).status < 500
    assert inputs(studio) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--edge--", b"--edge\r\n", b"--edge\r\n\r\n\r\n--edge--\r\n",
        b"--edge\r\ncontent-disposition: form-data\r\n\r\nx\r\n--edge--\r\n",
        multipart(b"x", "a.jpg", field="other")[0], multipart(b"x", "a.jpg")[0][:-20], multipart(b"x", "a.jpg")[0] * 2,
        b'--edge\r\ncontent-disposition: form-data; name="file"\r\n\r\nno file\r\n--edge--\r\n', b"\0" * 3000,
        b'--edge\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n' + b"x: y\r\n" * 400 + b"\r\nx\r\n--edge--\r\n",
    ],
)  # fmt: skip
def test_a_form_that_is_damaged_is_refused(studio: Set, body: bytes) -> None:
    answer = studio.ask("POST", "/api/inputs", body, **{"content-type": "multipart/form-data; boundary=edge"})
    assert 400 <= answer.status < 500 and answer.data["fault"]
    assert inputs(studio) == []


async def dripped(found: Set, pieces: list[bytes], length: int | None = None) -> int:
    """The status where a body comes piece by piece, and nothing more comes after the last."""
    headers = {**INSIDE, "content-type": multipart(b"", "a.jpg")[1], **({} if length is None else {"content-length": str(length)})}
    left, said = list(pieces), list[Any]()

    async def receive() -> Any:
        if not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    async def send(message: Any) -> None:
        said.append(message)

    await found.app(scope_of("POST", "/api/inputs", headers.items()), receive, send)
    return int(said[0]["status"])


@pytest.mark.parametrize("limits", [replace(SMALL, seconds=1e6), replace(SMALL, idle=1e6, seconds=0.3)], ids=["idle", "in all"])
def test_one_that_stops_coming_is_cut_off(tmp_path: Path, limits: Limits) -> None:
    found = made(tmp_path / "home", limits)
    body, _ = multipart(jpeg(), "a.jpg")
    assert found.loop.run(dripped(found, [body[:50], body[50:80]])) == 408
    assert found.loop.run(dripped(found, [])) == 408
    assert inputs(found) == []
    assert found.bring(jpeg()).status == 201  # its place is free again
    found.close()


def test_one_that_is_too_large_is_cut_off_while_it_comes(studio: Set) -> None:
    piece = b"x" * 50_000
    head = multipart(b"", "a.jpg")[0][:80]
    assert studio.loop.run(dripped(studio, [head, *[piece] * 20])) == 413
    assert studio.loop.run(dripped(studio, [head], length=10**9)) == 413  # by what it says of itself
    assert studio.bring(bytes(190_000), "a.png").status == 415  # of that size it was looked at
    assert inputs(studio) == []


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "9" * 30, "+5", "\xb2"])
def test_a_length_that_is_none_is_refused(studio: Set, length: str) -> None:
    assert studio.ask("POST", "/api/inputs", b"x", **{"content-length": length}).status == 413


def test_what_is_no_file_may_be_small_alone(studio: Set) -> None:
    answer = studio.ask("POST", "/api/recognise", b" " * 5000, **{"content-type": "application/json"})
    assert (answer.status, answer.data["field"]) == (413, None)


def test_only_so_many_come_at_once(studio: Set) -> None:
    async def several() -> list[int]:
        waiting = [asyncio.create_task(dripped(studio, [b"--edge"])) for _ in range(4)]
        return [await each for each in waiting]

    assert sorted(studio.loop.run(several())) == [408, 408, 429, 429]
    assert studio.bring(jpeg()).status == 201


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    found = made(tmp_path / "home", replace(SMALL, inputs=2))
    assert [found.bring(jpeg(shade=each)).status for each in (20, 120, 220)] == [201, 201, 413]
    assert found.bring(jpeg(shade=20)).status == 413 and len(inputs(found)) == 2
    found.close()


def test_the_same_twice_is_one(studio: Set) -> None:
    assert studio.bring(jpeg(), "a.jpg").data["input"] == studio.bring(jpeg(), "b.jpg").data["input"]
    assert len(inputs(studio)) == 1


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "there is no room left on the disk"),
        (PermissionError(errno.EACCES, "Permission denied"), "the disk cannot be used (Permission denied)"),
        (sqlite3.OperationalError("database or disk is full"), "what was said of pictures cannot be kept (database or disk is full)"),
    ],
)
def test_a_disk_that_cannot_be_used_is_told(studio: Set, monkeypatch: pytest.MonkeyPatch, error: Exception, fault: str) -> None:
    def put(*_: object) -> None:
        raise error

    monkeypatch.setattr(studio.studio.inputs, "put", put)
    answer = studio.bring(jpeg())
    assert (answer.status, answer.data["fault"]) == (503, fault)

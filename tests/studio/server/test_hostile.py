"""Names of files where ids belong, and scripts where words belong: nothing is read that should not be, and nothing is run."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from tests.helpers.studio_server import Set, jpeg

SECRET = "a-secret-that-nobody-may-read"
UPWARDS = (
    "../secret.txt", "../../secret.txt", "..\\secret.txt", "....//secret.txt", "..;/secret.txt", "./../secret.txt",
    "pictures/../../secret.txt",
)  # fmt: skip
TRAVERSALS = (
    *UPWARDS, *(quote(each, safe="") for each in UPWARDS), *(quote(quote(each, safe=""), safe="") for each in UPWARDS),
    "/etc/passwd", "//etc/passwd", "/etc//passwd", "///etc/passwd", "\\\\server\\share\\secret.txt", "C:\\secret.txt",
    "c:/secret.txt", "~/secret.txt",
    "~root/secret.txt", "file:///etc/passwd", "file:secret.txt", "http://127.0.0.1/secret.txt", "https://evil.example/a.png",
    "ftp://evil.example/a",
    "%c0%ae%c0%ae/secret.txt", "%c0%af..%c0%afsecret.txt", "..%00/secret.txt", "secret.txt%00.png", "secret.txt\0.png", "\0",
    "..\u2215secret.txt",
    "..\uff0fsecret.txt", "\u2025/secret.txt", "/proc/self/environ", "/proc/self/fd/0", "/dev/stdin", "/dev/zero", "-", "--help",
    ".", "..", "...", "",
    " ", "CON", "NUL.png", "studio.sqlite", "../studio.sqlite", "marks.sqlite", "secret.txt::$DATA", "input:../secret.txt",
    "picture:../../secret.txt",
    "picture:secret.txt", "input:" + "0" * 63, "input:" + "0" * 64, "picture:" + "f" * 24, "data:image/png;base64,AAAA",
)  # fmt: skip
SCRIPTS = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "'-alert(1)-'", '";alert(1)//', "{{7*7}}", "${7*7}", "<%= 7*7 %>", "{% raw %}", "<iframe src=javascript:alert(1)>", "<!--",
    "-->", "<![CDATA[",
    "&lt;script&gt;", "%3Cscript%3E", "\u202egnp.exe", "\u2028alert(1)", "'; DROP TABLE jobs; --", "\" OR 1=1 --", "`id`", "$(id)",
    "| id", "; id",
    "\r\nSet-Cookie: a=b", "\r\n\r\n<script>", "\x1b[2J", "<base href=//evil.example>", "<meta http-equiv=refresh content=0>",
    "\ud83d", "𝒶" * 50,
)  # fmt: skip


@pytest.fixture
def secretive(studio: Set) -> Set:
    (studio.home.folder / "secret.txt").write_text(SECRET)
    (studio.home.folder.parent / "secret.txt").write_text(SECRET)
    Image.new("RGB", (8, 8)).save(studio.home.folder / "hidden.png")
    return studio


def sends(found: Set) -> list[tuple[str, Any]]:
    """Each place of the interface where a text goes in, as a maker of what is sent."""
    source = found.bring(jpeg()).data["input"]
    return [
        ("/api/jobs", lambda text: {"command": "dream", "subjects": [text], "choices": {}}),
        ("/api/jobs", lambda text: {"command": text, "subjects": [f"input:{source}"], "choices": {}}),
        ("/api/jobs", lambda text: {"command": "dream", "subjects": [f"input:{source}"], "choices": {text: 1}}),
        *(
            ("/api/jobs", lambda text, name=name: {"command": "dream", "subjects": [f"input:{source}"], "choices": {name: text}})
            for name in ("guide", "mask", "direction", "network", "where", "level", "preset")
        ),
        ("/api/jobs", lambda text: {"command": "dream", "subjects": [f"input:{source}"], "choices": {"towards": [text], "away": [text]}}),
        ("/api/jobs", lambda text: {"command": "see", "subjects": [f"input:{source}"], "choices": {"baseline": text}}),
        ("/api/jobs", lambda text: {"command": "redo", "subjects": [text], "choices": {}}),
        ("/api/jobs", lambda text: {"command": "redo", "subjects": [f"input:{source}"], "choices": {"start": text}}),
        ("/api/jobs", lambda text: {"command": "film", "subjects": [text], "choices": {}}),
        ("/api/jobs", lambda text: {"command": "imagine", "subjects": ["banana"], "choices": {"usual": text}}),
        ("/api/previews", lambda text: {"session": text, "command": "dream", "subjects": [f"input:{source}"], "choices": {}, "side": 64}),
        ("/api/previews", lambda text: {"session": "a", "command": "dream", "subjects": [text], "choices": {}, "side": 64}),
        ("/api/estimate", lambda text: {"command": "dream", "subjects": [text], "choices": {}}),
        ("/api/recognise", lambda text: {"picture": text}),
        ("/api/again", lambda text: {"picture": text}),
        ("/api/again", lambda text: {"input": text}),
    ]


@pytest.mark.parametrize("payloads", [TRAVERSALS[at::4] for at in range(4)], ids=range(4))
def test_no_name_of_a_file_gets_anywhere(secretive: Set, payloads: tuple[str, ...]) -> None:
    assert len(set(TRAVERSALS)) >= 60
    told: list[tuple[str, str, int]] = []
    for path, made in sends(secretive):
        for text in payloads:
            answer = secretive.ask("POST", path, json.dumps(made(text)).encode(), **{"content-type": "application/json"})
            if not 400 <= answer.status < 500 or SECRET.encode() in answer.body or not answer.data["fault"]:
                told.append((path, text, answer.status))
    session = [each for each in told if each[0] == "/api/previews" and each[1] in ("-", "--help", "CON")]  # a session may be called so
    assert [each for each in told if each not in session] == []
    assert not secretive.queue.jobs() and not secretive.worker.asked


ADDRESSES = (
    "/static/{}", "/api/inputs/{}", "/api/pictures/{}", "/api/pictures/{}/image", "/api/pictures/{}/download", "/api/pictures/{}/page",
    "/api/trash/{}/thumb", "/api/jobs/{}", "/api/jobs/{}/preview", "/api/jobs/{}/page", "/api/previews/{}", "/api/layers?network={}",
    "/api/classes?network={}", "/{}",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_leads_to_a_file_outside(secretive: Set, address: str) -> None:
    for text in TRAVERSALS:
        for written in {text, quote(text, safe="")}:
            if "\0" in written or "?" in written:
                continue
            answer = secretive.ask("GET", address.format(written))
            assert SECRET.encode() not in answer.body and b"root:" not in answer.body, written
            assert answer.status < 500, (written, answer.body)
            if "?" not in address:
                assert answer.status != 200 or address.format(written) in ("/", "/."), (written, answer.status)


def test_a_link_out_of_the_gallery_is_no_way_out(secretive: Set) -> None:
    (secretive.home.pictures / "link-seen.html").symlink_to(secretive.home.folder / "secret.txt")
    (secretive.home.pictures / "folder").symlink_to(secretive.home.folder)
    (secretive.home.pictures / ".hidden.png").write_bytes(jpeg())
    assert [each["kind"] for each in secretive.ask("GET", "/api/pictures").data["pictures"]] == []


@pytest.mark.parametrize("text", SCRIPTS, ids=range(len(SCRIPTS)))
def test_scripts_come_back_as_words_or_not_at_all(studio: Set, text: str) -> None:
    assert len(SCRIPTS) >= 30
    for path, made in sends(studio):
        answer = studio.ask("POST", path, json.dumps(made(text)).encode(), **{"content-type": "application/json"})
        assert 400 <= answer.status < 500 or path == "/api/previews"
        assert answer.headers["content-type"] == "application/json"
    for name in ("target", "motion"):  # free texts, which the process that works reads with its network at hand
        wish = {"command": "journey", "subjects": ["noise:pink"], "choices": {name: text}}
        answer = studio.ask("POST", "/api/jobs", json.dumps(wish).encode(), **{"content-type": "application/json"})
        assert answer.status < 500 and answer.headers["content-type"] == "application/json"
    for address in ("/api/pictures?words={}", "/api/pictures?command={}", "/api/classes?q={}", "/api/pictures?sort={}"):
        answer = studio.ask("GET", address.format(quote(text.encode(errors="replace"))))
        assert answer.status in (200, 422) and answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_picture_may_be_called_anything(studio: Set, text: str) -> None:
    name = text.replace('"', "").replace("\r", "").replace("\n", "").replace("\\", "") or "x"
    answer = studio.bring(jpeg(), name)
    assert answer.status in (201, 400) and answer.headers["content-type"] == "application/json"
    if answer.status == 201:
        assert answer.data["name"].isprintable() and "/" not in answer.data["name"]
    (studio.home.pictures / "made.jpg").write_bytes(jpeg())
    place = studio.home.pictures / (text.replace("/", "-").replace("\0", "").encode(errors="replace").decode()[:60].strip(".") + ".jpg")
    place.write_bytes(jpeg(20))
    rows = studio.ask("GET", "/api/pictures").data["pictures"]
    assert len(rows) == 2 or place.name.startswith(".")
    for row in rows:
        noted = studio.send("PUT", f"/api/pictures/{row['id']}/note", {"note": text.encode(errors="replace").decode()})
        assert noted.status == 200
        saved = studio.ask("GET", f"/api/pictures/{row['id']}/download")
        assert saved.status == 200 and saved.body[:2] == b"\xff\xd8"
        assert saved.headers["content-disposition"].startswith("attachment") and "set-cookie" not in saved.headers
        assert saved.headers["content-type"] == "application/octet-stream"


def test_a_page_among_the_pictures_stands_in_a_frame_of_its_own(studio: Set) -> None:
    (studio.home.pictures / "sky-seen.html").write_text("<script>fetch('/api/state')</script>")
    (row,) = studio.ask("GET", "/api/pictures").data["pictures"]
    assert (row["kind"], row["name"]) == ("page", "sky-seen")
    answer = studio.ask("GET", f"/api/pictures/{row['id']}/page")
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy and "allow-same-origin" not in policy  # no origin: no cookie, and our Origin check refuses it
    assert "default-src 'none'" in policy and "connect-src" not in policy and "frame-ancestors 'self'" in policy
    assert studio.ask("GET", f"/api/pictures/{row['id']}/image").status == 415
    assert "sandbox" in studio.ask("GET", f"/api/pictures/{row['id']}/download").headers["content-security-policy"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"3", b'"x"', b"{}", b"\xff\xfe", b"{" * 3000, b"[" * 3000, b'{"command": "dream"}',
        b'{"command": null, "subjects": []}',
        b'{"command": "dream", "subjects": "noise:pink"}', b'{"command": "dream", "subjects": [1]}',
        b'{"command": "dream", "subjects": [null]}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": []}',
        b'{"command": "dream", "subjects": ["noise:pink"], "more": 1}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"steps": NaN}}', b'{"command": "dream", "subjects": ["\\ud800"]}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"steps": 1e999}}', b'{"command": "dream", "subjects": []}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"steps": {"a": {}}}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"steps": 123456789012345678901234567890}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"seed": [[1]]}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"definition": "os:system"}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"output": "/tmp/x.png"}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"labels": "/etc/passwd"}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"network": "hf:somebody/something"}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"network": "torchvision:vgg16"}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"network": ["efficientnet-lite0", "./own.pth"]}}',
        b'{"command": "dream", "subjects": ["noise:pink"], "choices": {"max_pixels": 999999999999}}',
        b'{"command": "journey", "subjects": ["noise:pink"], "choices": {"ring": ["timm:resnet18/layer1"]}}',
        b'{"command": "cache", "subjects": []}', b'{"command": "gallery", "subjects": ["/"]}', b'{"command": "train", "subjects": ["/"]}',
    ],
)  # fmt: skip
def test_a_wish_that_is_none_is_refused(studio: Set, body: bytes) -> None:
    for path in ("/api/jobs", "/api/estimate"):
        answer = studio.ask("POST", path, body, **{"content-type": "application/json"})
        assert 400 <= answer.status < 500, answer.body
        assert set(answer.data) == {"fault", "remedy", "field"} and answer.data["fault"]
    assert not studio.queue.jobs()


def test_a_choice_that_is_wrong_is_named(studio: Set) -> None:
    for choices, field in (({"steps": 0}, "steps"), ({"level": "objectz"}, "level"), ({"stepz": 3}, "stepz"), ({"mask": "x"}, "mask")):
        answer = studio.send("POST", "/api/jobs", {"command": "dream", "subjects": ["noise:pink"], "choices": choices})
        assert (answer.status, answer.data["field"]) == (422, field), answer.body

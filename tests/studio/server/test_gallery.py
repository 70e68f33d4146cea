"""The gallery, the trash, and recipes as wishes, over HTTP."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.helpers import clips
from tests.helpers.recipes import PLAIN
from tests.helpers.studio_server import Set, jpeg

from reverie import files
from reverie.recipe import CHOSEN, Batch, FileInput, NoiseInput, Recipe, Stopped, Tiles, of_command, resolve
from reverie.store import Kept, sha256_of
from reverie.studio.server.trash import Trash
from reverie.target import parse


def put(found: Set, name: str, recipe: Recipe | None = None, shade: int = 0) -> bytes:
    """A picture among those that were made."""
    pixels = np.full((12, 16, 3), shade, np.uint8)
    content = files.encode(pixels, suffix=Path(name).suffix, recipe=None if recipe is None else recipe.text())
    place = found.home.pictures / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    found.studio.gallery.look()
    return content


def rows(found: Set, query: str = "") -> list[dict[str, Any]]:
    answer = found.ask("GET", f"/api/pictures{query}")
    assert answer.status == 200
    listed: list[dict[str, Any]] = answer.data["pictures"]
    return listed


def test_everything_is_there_none_left_out(studio: Set) -> None:
    put(studio, "dream.png", PLAIN)
    put(studio, "below/other.jpg", shade=90)
    (studio.home.pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (studio.home.pictures / "sky-seen.html").write_text("<p>seen")
    (studio.home.pictures / "notes.txt").write_text("not a picture")
    clips.save_clip(studio.home.pictures / "walk.mp4", clips.pan(3, 32, 48).frames)
    studio.studio.gallery.look()
    listed = {each["name"]: each for each in rows(studio)}
    assert set(listed) == {"dream", "other", "broken", "sky-seen", "walk"}
    assert [listed[name]["kind"] for name in ("dream", "sky-seen", "walk")] == ["picture", "page", "film"]
    assert [listed[name]["command"] for name in ("dream", "sky-seen", "other")] == ["dream", "see", ""]
    assert listed["broken"]["faulty"] and not listed["dream"]["faulty"]
    assert (listed["dream"]["width"], listed["dream"]["height"]) == (16, 12)
    assert "dream on" in listed["dream"]["words"]


def test_one_is_shown_told_and_saved(studio: Set) -> None:
    content = put(studio, "dream.png", PLAIN)
    (row,) = rows(studio)
    told = studio.ask("GET", f"/api/pictures/{row['id']}").data
    assert told["recipe"] == json.loads(PLAIN.text()) and told["networks"] == [each.name for each in PLAIN.networks]
    whole = studio.ask("GET", f"/api/pictures/{row['id']}/image")
    assert (whole.body, whole.headers["content-type"]) == (content, "image/png")
    assert "immutable" in whole.headers["cache-control"] and "sandbox" in whole.headers["content-security-policy"]
    assert studio.ask("GET", f"/api/pictures/{row['id']}/thumb").headers["content-type"] == "image/webp"
    saved = studio.ask("GET", f"/api/pictures/{row['id']}/download")
    assert saved.body == content and 'filename="dream.png"' in saved.headers["content-disposition"]
    part = studio.ask("GET", f"/api/pictures/{row['id']}/image", None, range="bytes=0-9")
    assert (part.status, part.body) == (206, content[:10])


def test_what_browsers_do_not_show_is_made_a_picture_that_they_do(studio: Set) -> None:
    put(studio, "print.tif", shade=200)
    (row,) = rows(studio)
    shown = studio.ask("GET", f"/api/pictures/{row['id']}/image")
    assert shown.headers["content-type"] == "image/jpeg" and Image.open(BytesIO(shown.body)).size == (16, 12)


def test_of_a_film_the_first_frame_is_small_and_parts_can_be_asked_for(studio: Set) -> None:
    clips.save_clip(studio.home.pictures / "walk.mp4", clips.pan(3, 32, 48).frames)
    (row,) = rows(studio)
    small = studio.ask("GET", f"/api/pictures/{row['id']}/thumb")
    assert Image.open(BytesIO(small.body)).size == (48, 32)
    part = studio.ask("GET", f"/api/pictures/{row['id']}/image", None, range="bytes=4-7")
    assert (part.status, part.body, part.headers["content-type"]) == (206, b"ftyp", "video/mp4")


def test_another_content_is_another_picture(studio: Set) -> None:
    put(studio, "dream.png", shade=1)
    (before,) = rows(studio)
    put(studio, "dream.png", shade=2)
    (after,) = rows(studio)
    assert before["id"] != after["id"]
    assert studio.ask("GET", f"/api/pictures/{before['id']}/image").status == 404


def test_stars_and_notes_stay_and_can_be_taken_away(studio: Set) -> None:
    put(studio, "a.png", shade=1)
    put(studio, "b.png", shade=2)
    ids = {each["name"]: each["id"] for each in rows(studio)}
    assert studio.send("PUT", f"/api/pictures/{ids['a']}/stars", {"stars": 4}).data == {"stars": 4}
    assert studio.send("PUT", f"/api/pictures/{ids['a']}/note", {"note": "for <b>Ada</b>\nto print"}).status == 200
    assert [(each["name"], each["stars"]) for each in rows(studio, "?sort=stars")] == [("a", 4), ("b", 0)]
    assert [each["name"] for each in rows(studio, "?words=ada")] == ["a"]
    for wrong in ({"stars": 6}, {"stars": -1}, {"stars": "5"}, {"stars": 2.5}, {}, {"stars": 1, "more": 1}):
        assert studio.send("PUT", f"/api/pictures/{ids['a']}/stars", wrong).status == 422
    assert studio.send("PUT", f"/api/pictures/{ids['a']}/note", {"note": "x" * 2001}).status == 422
    studio.send("PUT", f"/api/pictures/{ids['a']}/stars", {"stars": 0})
    studio.send("PUT", f"/api/pictures/{ids['a']}/note", {"note": ""})
    assert [(each["stars"], each["note"]) for each in rows(studio)] == [(0, ""), (0, "")]
    assert studio.send("PUT", f"/api/pictures/{'0' * 24}/stars", {"stars": 1}).status == 404


def test_sorted_filtered_and_in_parts(studio: Set) -> None:
    for number, name in enumerate(("c.png", "a.png", "b.png")):
        put(studio, name, PLAIN if name == "a.png" else None, shade=number)
        os.utime(studio.home.pictures / name, (1000 + number, 1000 + number))
    studio.studio.gallery.look()
    assert [each["name"] for each in rows(studio)] == ["b", "a", "c"]
    assert [each["name"] for each in rows(studio, "?sort=old")] == ["c", "a", "b"]
    assert [each["name"] for each in rows(studio, "?sort=name")] == ["a", "b", "c"]
    assert [each["name"] for each in rows(studio, "?command=dream")] == ["a"]
    assert [each["name"] for each in rows(studio, "?offset=1&limit=1")] == ["a"]
    assert studio.ask("GET", "/api/pictures?limit=1").data["total"] == 3
    for wrong in ("?limit=0", "?limit=9999", "?offset=-1", "?sort=size", "?offset=x"):
        assert studio.ask("GET", f"/api/pictures{wrong}").status == 422


def test_what_is_thrown_away_comes_back_with_its_stars_until_the_trash_is_emptied(studio: Set) -> None:
    content = put(studio, "below/dream.png", PLAIN)
    (row,) = rows(studio)
    studio.send("PUT", f"/api/pictures/{row['id']}/stars", {"stars": 5})
    assert studio.ask("POST", f"/api/pictures/{row['id']}/trash").status == 200
    assert rows(studio) == [] and not (studio.home.pictures / "below/dream.png").exists()
    (thrown,) = studio.ask("GET", "/api/trash").data["pictures"]
    assert (thrown["id"], thrown["name"]) == (row["id"], "dream")
    assert studio.ask("GET", f"/api/trash/{row['id']}/thumb").status == 200
    assert studio.ask("POST", f"/api/trash/{row['id']}/restore").status == 200
    assert (studio.home.pictures / "below/dream.png").read_bytes() == content
    assert [(each["id"], each["stars"]) for each in rows(studio)] == [(row["id"], 5)]
    studio.ask("POST", f"/api/pictures/{row['id']}/trash")
    assert studio.ask("POST", "/api/trash/empty").data == {"removed": 1}
    assert list(studio.home.trash.iterdir()) == [] and studio.ask("GET", "/api/trash").data["pictures"] == []
    assert studio.ask("POST", f"/api/trash/{row['id']}/restore").status == 404
    assert studio.studio.marks.stars() == {}


def test_what_comes_back_replaces_nothing(studio: Set) -> None:
    first = put(studio, "dream.png", shade=1)
    (row,) = rows(studio)
    studio.ask("POST", f"/api/pictures/{row['id']}/trash")
    second = put(studio, "dream.png", shade=2)
    assert studio.ask("POST", f"/api/trash/{row['id']}/restore").status == 200
    assert (studio.home.pictures / "dream.png").read_bytes() == second
    assert (studio.home.pictures / "dream-2.png").read_bytes() == first


def test_a_trash_that_was_interrupted_is_right_at_the_next_start(studio: Set) -> None:
    put(studio, "dream.png")
    (row,) = rows(studio)
    studio.studio.marks.throw(row["id"], b"dream.png", "", b"")  # noted, and then the machine went out
    Trash(studio.home.trash, studio.studio.gallery)
    assert studio.ask("GET", "/api/trash").data["pictures"] == [] and len(rows(studio)) == 1


# ── recipes as wishes ────────────────────────────────────────────────────────────────────────────────────────────────────


def again(found: Set, recipe: Recipe) -> dict[str, Any]:
    put(found, "made.png", recipe)
    answer = found.send("POST", "/api/again", {"picture": rows(found)[0]["id"]})
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.data
    return told


def dreamt(**choices: Any) -> Recipe:
    """A recipe of a dream with these choices, as the command makes it."""
    request = resolve("dream", choices)
    groups = {name: each for name, each in request.choices._asdict().items()}
    target = parse("blocks.4.2" if request.preset else "blocks.3.2:7")
    return PLAIN.model_copy(update={**groups, "target": target, "width": 24, "height": 16})


@pytest.mark.parametrize(
    "choices",
    [
        {}, {"preset": "neon"}, {"target": "blocks.3.2:7"}, {"target": "blocks.3.2:7", "steps": 3, "vivid": 0.7, "mirror": True},
        {"target": "blocks.3.2:7", "smoothing": 1.2}, {"preset": "neon", "octaves": 2}, {"keep_colour": True, "mix": 0.25},
    ],
)  # fmt: skip
def test_a_form_that_is_filled_from_a_recipe_asks_for_the_same(studio: Set, choices: dict[str, Any]) -> None:
    recipe = dreamt(**choices)
    told = again(studio, recipe)
    asked = {name: value for name, value in told["choices"].items() if name != "network"}
    request = resolve(told["command"], asked)
    assert request.choices == tuple(getattr(recipe, name) for name in CHOSEN[:5])
    assert told["choices"].get("seed") == recipe.seed
    extra = set(asked) - {"seed", "size", "width", "target", "level", "preset"}
    assert extra <= set(choices) | {"smoothing", *(["vivid"] if "octaves" in choices else [])}  # and of what is as usual nothing is said


def test_what_went_in_is_looked_for_among_what_was_brought_and_made_and_kept(studio: Set) -> None:
    content = jpeg(24, 10)

    def with_start(digest: str) -> Recipe:
        return dreamt().model_copy(update={"inputs": (FileInput(sha256=digest, width=24, height=24),), "width": 24, "height": 24})

    told = again(studio, with_start(sha256_of(content)))
    assert told["missing"] == [sha256_of(content)] and told["subjects"] == []
    Kept().put(content)
    told = again(studio, with_start(sha256_of(content)))
    assert told["missing"] == [] and told["subjects"] == [f"input:{sha256_of(content)}"] and "width" not in told["choices"]
    assert studio.ask("GET", f"/api/inputs/{sha256_of(content)}").status == 200
    before = sha256_of(put(studio, "before.png", shade=77))
    (subject,) = again(studio, with_start(before))["subjects"]
    assert subject.startswith("picture:") and studio.ask("GET", f"/api/pictures/{subject[8:]}/thumb").status == 200
    wish = {"command": "dream", "subjects": [subject], "choices": {}}
    job = studio.send("POST", "/api/jobs", wish)
    assert job.status == 201 and job.data["subjects"] == [subject]  # the name of the file is for the queue alone
    assert studio.queue.job(job.data["id"]).subjects == ("picture:before.png",)


def test_a_class_picture_as_a_wish(studio: Set) -> None:
    groups = dict(of_command("imagine")._asdict())
    recipe = PLAIN.model_copy(update={**groups, "command": "imagine", "target": parse("class:954"), "width": 64, "height": 64})
    told = again(studio, recipe)
    assert (told["command"], told["subjects"]) == ("imagine", ["954"])
    assert told["choices"]["size"] == "64x64" and told["choices"]["preset"] == "natural"


def of_noise(command: str, kind: str, targets: list[str], index: int = 0, **changes: Any) -> Recipe:
    """A recipe of one of several that were made together."""
    found = tuple(parse(each) for each in targets)
    groups = {name: each for name, each in of_command(command)._asdict().items() if each is not None}
    batch = Batch.model_validate({"kind": kind, "targets": found, "index": index}) if kind else None
    more = {"target": found[index], "batch": batch, "inputs": (NoiseInput(noise="pink"),), "width": 64, "height": 64, **changes}
    return PLAIN.model_copy(update={**groups, "command": command, **more})


@pytest.mark.parametrize(
    ("recipe", "subjects", "choices", "note"),
    [
        (of_noise("imagine", "diverse", ["class:954"] * 3, 1), ["954"], {"diverse": 3}, "number 2 of 3"),
        (of_noise("imagine", "between", ["class:954", "class:1"]), [], {"between": ["954", "1"], "count": 2}, "number 1 of 2"),
        (of_noise("feature", "each", [f"blocks.4.1:{unit}" for unit in range(8)], 2), ["blocks.4.1:2"], {}, "with 7 others; alone"),
        (of_noise("imagine", "each", ["class:954", "class:1", "class:2", "class:3"]), ["954"], {}, ""),
        (of_noise("imagine", "each", ["class:954", "class:1", "class:2", "class:3"], 3), ["3"], {}, "together with 3 others"),
        (of_noise("imagine", "", ["class:954"]), ["954"], {"company": 1}, ""),
        (of_noise("imagine", "", ["class:954"], stopped=Stopped(octave=1, step=3)), ["954"], {"company": 1}, "stopped before"),
        (dreamt(target="blocks.3.2:7").model_copy(update={"tiles": Tiles(tile=64, halo=32)}), None, {"tile": 64, "halo": 32}, ""),
    ],
)  # fmt: skip
def test_with_what_a_picture_was_made_is_in_its_form_or_told(
    studio: Set, recipe: Recipe, subjects: list[str] | None, choices: dict[str, Any], note: str
) -> None:
    told = again(studio, recipe)
    made_with = {
        name: told["choices"][name] for name in ("diverse", "between", "count", "company", "tile", "halo") if name in told["choices"]
    }
    assert made_with == choices and told["subjects"] == (told["subjects"] if subjects is None else subjects)
    assert note in " ".join(told["notes"]) and bool(note) == bool(told["notes"])
    if subjects is not None:
        wish = {name: told[name] for name in ("command", "subjects", "choices")}
        assert studio.send("POST", "/api/jobs", wish).status == 201


def test_a_picture_that_no_form_makes_says_so(studio: Set) -> None:
    groups = dict(of_command("see")._asdict())
    guide = FileInput(role="guide", sha256="a" * 64, width=8, height=8)
    put(studio, "seen.png", PLAIN.model_copy(update={**groups, "command": "see", "objective": "rebuild", "inputs": (*PLAIN.inputs, guide)}))
    answer = studio.send("POST", "/api/again", {"picture": rows(studio)[0]["id"]})
    assert (answer.status, answer.data["fault"]) == (422, "no form makes this picture")
    assert studio.send("POST", "/api/again", {"picture": "0" * 24}).status == 404
    assert studio.send("POST", "/api/again", {}).status == 404

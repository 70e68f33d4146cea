"""The process that does the jobs: what comes of each kind, what goes before what; what is paused, held and cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.helpers.studios import LONG, QUICK, Studio, answer, ended, size, sky, until

from reverie.album import read_recipe
from reverie.errors import InputError, UsageError
from reverie.store import cache_folder
from reverie.studio.jobs import Wish, checked


def test_questions_are_answered_in_the_process_alone(studio: Studio) -> None:
    told = answer(studio.worker.ask("recognise", picture=studio.picture, top=3))
    assert len(told["labels"]) == 3 and told["known"]["is_known"] is False and "nothing I know" in told["remark"]
    layers = [each["name"] for each in answer(studio.worker.ask("layers", network="efficientnet-lite0"))]
    assert "blocks.4.1" in layers
    cats = answer(studio.worker.ask("classes", words=["cat"]))
    assert {281, 285} <= {each["index"] for each in cats} and len(answer(studio.worker.ask("classes"))) == 1000
    assert "efficientnet-lite0" in [each["name"] for each in answer(studio.worker.ask("networks")) if each["installed"]]


def test_faults_of_questions_come_back_as_errors(studio: Studio) -> None:
    with pytest.raises(UsageError, match="no network"):
        answer(studio.worker.ask("layers", network="/tmp/weights.pt"))
    with pytest.raises(InputError, match="no longer"):
        answer(studio.worker.ask("recognise", picture="input:" + "0" * 64))
    with pytest.raises(UsageError, match="no picture of this studio"):
        answer(studio.worker.ask("recognise", picture="/etc/passwd"))
    with pytest.raises(UsageError, match="a question of kind"):
        answer(studio.worker.ask("everything"))  # type: ignore[arg-type]


def test_a_wish_is_checked_with_the_network_and_nothing_is_made(studio: Studio) -> None:
    def told(command: str, subjects: list[str], **choices: Any) -> Any:
        return answer(studio.worker.ask("checked", command=command, subjects=subjects, choices=choices))

    before = sorted(studio.home.pictures.iterdir())
    assert told("dream", [studio.picture], target="blocks.2.1") is None
    assert "no layer 'blocks.99'" in told("dream", [studio.picture], target="blocks.99")["fault"]
    assert told("dream", [studio.picture], steps=0) == {"fault": "steps 0", "remedy": "it should be at least 1", "field": "steps"}
    assert "banan" in told("imagine", ["bananx"])["fault"]
    assert told("redo", [studio.picture])["fault"].count("recipe")
    assert sorted(studio.home.pictures.iterdir()) == before


def test_time_and_size_are_estimated(studio: Studio) -> None:
    one = answer(studio.worker.ask("estimate", command="dream", subjects=[studio.picture], choices=QUICK))
    more = answer(studio.worker.ask("estimate", command="dream", subjects=[studio.picture], choices={**QUICK, "seed": "1-3"}))
    assert one["seconds"] > 0 and more["bytes"] == 3 * one["bytes"] and one["words"].startswith("about ")


@pytest.mark.parametrize(
    ("command", "choices", "names"),
    [
        ("dream", {**QUICK, "seed": "1-2"}, ["sky-edges-1.png", "sky-edges-2.png"]),
        ("see", {"layers": ["blocks.1.0"], "steps": 2, "channels": 0, "width": 32}, ["sky-seen.html"]),
        ("journey", {**QUICK, "frames": 3, "rounds": 1}, ["sky-edges-0.mp4"]),
        ("ask", {"network": "efficientnet-lite0"}, ["sky-asked.html"]),
    ],
)
def test_each_command_has_its_results(studio: Studio, command: str, choices: dict[str, Any], names: list[str]) -> None:
    job = ended(studio.queue, studio.queue.add(command, [studio.picture], choices).id)
    assert (job.state, list(job.results), job.done, job.fault) == ("done", names, 1.0, "")
    for name in names:
        content = (studio.home.pictures / name).read_bytes()
        assert content and (b"sky.png" in content or not name.endswith(".html"))
    until(studio.queue, lambda: not (studio.home.work / str(job.id)).exists())
    assert {each.data["name"] for each in studio.queue.events(0) if each.kind == "picture" and each.data["job"] == job.id} == set(names)


def test_a_grid_is_a_folder_that_goes_on_where_it_was(studio: Studio) -> None:
    grid = {"octaves": 1, "steps": 2, "vary": {"level": ["edges", "textures"], "seed": [*range(12)]}}
    number = studio.queue.add("grid", [studio.picture], grid).id
    place = studio.home.work / str(number) / "grid"
    until(studio.queue, lambda: len([*place.glob("*.png")]) > 2)
    assert re.match(r"\d+ of 24 made", studio.queue.job(number).doing), studio.queue.job(number)
    studio.queue.pause(number)
    before = {each.name: each.stat().st_mtime_ns for each in place.glob("*.png")}
    studio.queue.resume(number)
    job = ended(studio.queue, number)
    assert (job.state, job.results) == ("done", ("sky-grid",))
    made = {each.name: each.stat().st_mtime_ns for each in (studio.home.pictures / "sky-grid").glob("*.png")}
    assert {name: made[name] for name in before} == before and len(before) > 2
    assert len(made) == 24 + 1 and (studio.home.pictures / "sky-grid" / "index.html").is_file()
    again = ended(studio.queue, studio.queue.add("redo", ["picture:sky-grid/edges-3.png"], {}).id)
    assert again.state == "done", again
    varied = {"vary": {"start": [studio.picture, f"input:{studio.home.keep(sky(seed=5), 'sea.png')}"]}, **QUICK}
    other = ended(studio.queue, studio.queue.add("grid", [], varied).id)
    assert {"sky.png", "sea.png"} <= {each.name for each in (studio.home.pictures / other.results[0]).iterdir()}, other


def test_labels_and_targets_are_made_from_noise(studio: Studio) -> None:
    small = {"octaves": 1, "steps": 2, "size": 32, "company": 1}
    jobs = [studio.queue.add("imagine", ["banana", "tabby"], small).id, studio.queue.add("feature", ["blocks.2.1:3"], small).id]
    made = [ended(studio.queue, each).results for each in jobs]
    assert made == [("banana-0.png", "tabby-0.png"), ("blocks.2.1_3-0.png",)]
    assert str(read_recipe(studio.home.pictures / "tabby-0.png").target) == "class:tabby"


def test_a_result_is_made_again_and_with_another_seed(studio: Studio) -> None:
    first = ended(studio.queue, studio.queue.add("dream", [studio.picture], {**QUICK, "seed": 4}).id).results[0]
    again, other = (ended(studio.queue, studio.queue.add("redo", [f"picture:{first}"], each).id) for each in ({}, {"seed": 5}))
    contents = [(studio.home.pictures / each).read_bytes() for each in (first, again.results[0], other.results[0])]
    assert contents[0] == contents[1] != contents[2]
    assert read_recipe(studio.home.pictures / other.results[0]).seed == 5


def test_what_goes_wrong_is_told_with_the_names_people_know_and_the_next_goes_on(studio: Studio) -> None:
    text = f"input:{studio.home.keep(b'no picture at all', 'letter.txt')}"
    wrong, layer = studio.queue.add("dream", [text], QUICK).id, studio.queue.add("dream", [studio.picture], {"target": "blocks.99"}).id
    right = studio.queue.add("dream", [studio.picture], {**QUICK, "seed": 6}).id
    assert ended(studio.queue, right).state == "done"
    first, second = studio.queue.job(wrong), studio.queue.job(layer)
    assert first.state == second.state == "failed" and not first.results
    assert "letter.txt" in first.fault and str(studio.home.folder) not in first.fault
    assert "no layer 'blocks.99'" in second.fault and "did you mean" in second.fault


def test_a_cancelled_picture_keeps_the_best_so_far_and_one_asked_for_again_is_made_whole(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 7}).id
    studio.running(number)
    until(studio.queue, lambda: studio.worker.job_frame(number) is not None)
    assert size(studio.worker.job_frame(number)) == (40, 32)
    job = studio.cancelled(number)
    assert (job.state, job.results) == ("cancelled", ("sky-edges-7.png",))
    recipe = read_recipe(studio.home.pictures / job.results[0])
    assert recipe.stopped is not None and recipe.stopped.step < 100_000
    studio.queue.retry(number)
    studio.running(number)
    assert len(studio.cancelled(number).results) == 2


def test_a_cancelled_journey_is_a_film_of_its_frames_so_far(studio: Studio) -> None:
    number = studio.queue.add("journey", [studio.picture], {**QUICK, "frames": 5000, "rounds": 1, "seed": 8}).id
    studio.running(number)
    studio.cancelled(number)
    journey = read_recipe(studio.home.pictures / studio.queue.job(number).results[0]).journey
    assert journey is not None and 1 <= journey.frames < 5000


def test_a_paused_journey_goes_on_from_its_frames_and_the_next_job_goes_first(studio: Studio) -> None:
    number = studio.queue.add("journey", [studio.picture], {**QUICK, "frames": 60, "rounds": 1, "seed": 9}).id
    other = studio.queue.add("dream", [studio.picture], {**QUICK, "seed": 10}).id
    studio.running(number)
    studio.queue.pause(number)
    assert ended(studio.queue, other).state == "done" and studio.queue.job(number).state == "paused"
    frames = studio.home.work / str(number) / "film.work" / "frames"
    before = {each.name: each.stat().st_mtime_ns for each in frames.iterdir()}
    assert before
    studio.queue.resume(number)
    until(studio.queue, lambda: len([*frames.iterdir()]) > len(before) if frames.exists() else True)
    if frames.exists():  # else it was faster than we look
        now = {each.name: each.stat().st_mtime_ns for each in frames.iterdir() if each.name in before}
        assert now == before
    assert ended(studio.queue, number).state == "done"


def test_a_held_queue_keeps_the_running_picture_where_it_is(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 11}).id
    studio.running(number)
    studio.queue.hold()
    answer(studio.worker.ask("networks"))  # between two steps, of which it waits before the second
    done = studio.queue.job(number).done
    assert studio.queue.wait(studio.queue.last_event, 2.0) == []  # it would tell of its steps twice a second
    assert (studio.queue.job(number).state, studio.queue.job(number).done) == ("running", done)
    studio.queue.go_on()
    until(studio.queue, lambda: studio.queue.job(number).done > done)
    studio.cancelled(number)


def test_a_preview_goes_before_the_running_job_which_then_goes_on(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 12}).id
    studio.running(number)
    first = studio.worker.preview("page", "dream", [studio.picture], {"level": "parts", "octaves": 2, "steps": 3}, 64)
    until(studio.queue, lambda: any(each.data["ended"] for each in studio.queue.events(0) if each.data.get("preview") == first))
    assert size(studio.worker.frame(first)) == (40, 32)  # it is never made larger than it is
    done = studio.queue.job(number).done
    until(studio.queue, lambda: studio.queue.job(number).done > done)
    assert studio.queue.job(number).state == "running"
    studio.cancelled(number)


def test_the_newest_preview_of_a_session_counts(studio: Studio) -> None:
    old = studio.worker.preview("page", "dream", [studio.picture], LONG, 64)
    until(studio.queue, lambda: studio.worker.frame(old) is not None)
    new = studio.worker.preview("page", "imagine", ["banana"], {"octaves": 1, "steps": 2}, 48)
    until(studio.queue, lambda: bool(studio.preview(new)["ended"]))
    assert studio.preview(old)["ended"] and studio.preview(old)["done"] < 1 and studio.preview(old)["fault"] is None
    assert size(studio.worker.frame(new)) == (48, 48)
    last = studio.worker.preview("other", "journey", [studio.picture], QUICK, 32)
    until(studio.queue, lambda: studio.worker.frame(last) is not None)
    studio.worker.cancel_preview(last)
    until(studio.queue, lambda: bool(studio.preview(last)["ended"]))


def test_the_camera_and_other_sessions_go_before_a_preview(studio: Studio) -> None:
    slow = studio.worker.preview("slow", "dream", [studio.picture], LONG, 64)
    until(studio.queue, lambda: studio.worker.frame(slow) is not None)
    quick = studio.worker.preview("quick", "dream", [studio.picture], QUICK, 64)
    out = BytesIO()
    Image.open(BytesIO(sky(96, 128))).convert("RGB").save(out, "JPEG")
    studio.worker.camera("eye", out.getvalue(), {"side": 64})
    until(studio.queue, lambda: bool(studio.preview(quick)["ended"]) and studio.worker.camera_seen("eye") is not None)
    assert studio.preview(quick)["done"] == 1 and not studio.preview(slow)["ended"]
    studio.worker.cancel_preview(slow)
    until(studio.queue, lambda: bool(studio.preview(slow)["ended"]))


def test_a_preview_that_cannot_be_says_why(studio: Studio) -> None:
    with pytest.raises(UsageError, match="steps"):
        studio.worker.preview("page", "dream", [studio.picture], {"steps": 0}, 64)
    number = studio.worker.preview("page", "dream", [studio.picture], {"target": "blocks.99"}, 64)
    until(studio.queue, lambda: any(each.data["fault"] for each in studio.queue.events(0) if each.data.get("preview") == number))
    assert studio.worker.frame(number) is None
    job = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 18}).id
    studio.running(job)
    taken = studio.home.find(f"input:{studio.home.keep(sky(seed=9), 'gone.png')}")
    with pytest.MonkeyPatch.context() as patch:  # it goes after the server has seen it, and before the process does
        patch.setattr("reverie.studio.jobs.worker.checked", _gone_after(taken))
        number = studio.worker.preview("page", "dream", [f"input:{taken.name}"], QUICK, 64)
    until(studio.queue, lambda: bool(studio.preview(number)["ended"]))
    assert "'gone.png' is no longer here" in studio.preview(number)["fault"]["fault"]
    assert studio.queue.job(job).state == "running"
    studio.cancelled(job)


def _gone_after(place: Path) -> Callable[..., Wish]:
    """The check of a wish, after which a file is gone."""

    def found(*given: Any) -> Wish:
        wish = checked(*given)
        place.unlink()
        return wish

    return found


def test_what_excites_a_channel_is_made_once_and_kept(studio: Studio) -> None:
    def shown(session: str, choices: dict[str, Any]) -> list[float]:
        """How far it was each time that there was something new to see."""
        before = studio.queue.last_event
        number = studio.worker.preview(session, "feature", ["blocks.1.0:3"], choices, 48)
        until(studio.queue, lambda: bool(studio.preview(number)["ended"]))
        assert size(studio.worker.frame(number)) == (48, 48)
        frames.append(studio.worker.frame(number))
        return [each.data["done"] for each in studio.queue.events(before) if each.data.get("preview") == number]

    frames: list[bytes | None] = []
    kept = cache_folder() / "features"
    shown("page", {"steps": 6, "octaves": 1})
    files = {each for each in kept.glob("*/*")}
    assert frames[0] in [each.read_bytes() for each in files]
    marked = next(each for each in files if each.read_bytes() == frames[0])
    marked.write_bytes(jpeg := _jpeg(48))
    shown("another page", {"steps": 6, "octaves": 1})
    assert frames[1] == jpeg  # it was not made again
    shown("another page", {"steps": 7, "octaves": 1})
    assert frames[2] != jpeg and len({*kept.glob("*/*")}) == len(files) + 1


def _jpeg(side: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), "red").save(out, "JPEG")
    return out.getvalue()


def test_the_camera_is_dreamt_on_and_told_of(studio: Studio) -> None:
    out = BytesIO()
    Image.open(BytesIO(sky(96, 128))).convert("RGB").save(out, "JPEG")
    frames = []

    def dreamt() -> bool:
        frames.append(studio.worker.camera_frame("camera"))
        return frames[-1] is not None

    for _ in range(2):
        studio.worker.camera("camera", out.getvalue(), {"level": "parts", "side": 96})
        until(studio.queue, dreamt)
        assert size(frames[-1]) == (96, 72)
    seen = studio.worker.camera_seen("camera")
    assert seen is not None and seen["moved"] == 0 and len(seen["labels"]) == 3 and seen["channels"][0]["layer"]
    assert seen["stirred"] == 0
    with Image.open(BytesIO(out.getvalue())) as image:
        image.paste((255, 255, 255), (0, 0, 32, 24))  # somebody comes in at a corner, one of sixteen parts
        image.save(out := BytesIO(), "JPEG")
    studio.worker.camera("camera", out.getvalue(), {"level": "parts", "side": 96})
    until(studio.queue, dreamt)
    seen = studio.worker.camera_seen("camera")
    assert seen is not None and seen["stirred"] > 10 * seen["moved"] > 0
    studio.worker.camera("camera", b"no JPEG", {"level": "parts"})
    until(studio.queue, lambda: "fault" in (studio.worker.camera_seen("camera") or {}))
    studio.worker.close_camera("camera")
    assert studio.worker.camera_frame("camera") is None

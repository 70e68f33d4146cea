"""Films of cameras: among the pictures when they end, in whatever way; what they say of themselves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.studio_server import Set, jpeg
from tests.studio.server.test_jobs_and_previews import talk

from reverie.album import read_recipe
from reverie.errors import InputError, OutputError
from reverie.files import recipe_text
from reverie.files.films.reading import frames, survey
from reverie.recipe import camera_mark, of_camera
from reverie.studio.server.camera_films import CameraFilms

CHOICES = json.dumps({"choices": {"level": "parts"}})


def put_down(studio: Set, shades: list[int], side: int = 32) -> Path:
    """Frames of a film that nobody has ended; a second lies between two of them."""
    recording = studio.studio.films.begin({"level": "parts"})
    for second, shade in enumerate(shades):
        recording.add(jpeg(side, shade), 100.0 + second)
    return recording.folder


def test_a_film_is_kept_until_it_is_ended(studio: Set) -> None:
    came = talk(studio, CHOICES, '{"film": true}', jpeg(32, 10), jpeg(32, 200), jpeg(32, 90), '{"film": false}', frames=1)
    told = [json.loads(each["text"]) for each in came if each.get("text")]
    assert told[0] == {"film": {"on": True}} and told[1]["film"]["on"] is False


def test_it_is_among_the_pictures_and_says_what_it_is(studio: Set) -> None:
    films = studio.studio.films
    before = studio.queue.last_event
    recording = films.begin({"level": "parts"})
    for second, shade in enumerate((10, 200, 200)):
        recording.add(jpeg(32, shade), 100.0 + second)
    assert films.end(recording) == "camera-parts.mp4"
    recording.add(jpeg(32), 105.0)  # it was on its way
    assert not recording.folder.exists()
    told = [each for each in studio.queue.events(before) if each.kind == "picture"]
    assert [each.data for each in told] == [{"name": "camera-parts.mp4", "job": None}]
    place = studio.home.pictures / "camera-parts.mp4"
    found = survey(place)
    assert [round(float(each), 2) for each in found.times] == [0, 1, 2]
    with frames(place, found=found) as each:
        reds = [int(np.asarray(one)[..., 0].mean()) for one in each]
    assert reds == pytest.approx([10, 0.6 * 200 + 0.4 * 10, 0.6 * 200 + 0.4 * 124], abs=6)  # one goes over into the next
    (row,) = studio.ask("GET", "/api/pictures").data["pictures"]
    assert row["kind"] == "film" and row["command"] == "camera" and "cannot be made again" in row["words"] and "parts" in row["words"]
    assert studio.ask("GET", f"/api/pictures/{row['id']}").data["recipe"] is None
    assert studio.ask("GET", f"/api/pictures/{row['id']}/flashes").data["safe"] is True
    with pytest.raises(InputError, match="film of a camera"):
        read_recipe(place)
    brought = studio.bring(place.read_bytes(), "camera.mp4")
    assert brought.status == 201 and brought.data["recipe"] is None and brought.data["words"] == ""
    assert studio.send("POST", "/api/again", {"picture": row["id"]}).status == 422


def test_nothing_has_its_name_already(studio: Set) -> None:
    (studio.home.pictures / "camera-parts.mp4").write_bytes(b"mine")
    (studio.home.trash / "camera-parts-2.mp4").write_bytes(b"thrown away")
    put_down(studio, [1, 2])
    studio.studio.films.finish_others()
    assert (studio.home.pictures / "camera-parts.mp4").read_bytes() == b"mine"
    assert survey(studio.home.pictures / "camera-parts-3.mp4").times


def test_a_line_that_breaks_keeps_what_there_is(studio: Set) -> None:
    """Two frames came, of which each is dreamt on at once; then the page is gone."""
    studio.worker.each = True
    talk(studio, CHOICES, '{"film": true}', jpeg(32, 10), jpeg(32, 200), frames=2)
    assert len(survey(studio.home.pictures / "camera-parts.mp4").times) == 2


def test_what_a_killed_studio_had_put_down_becomes_a_film_once(studio: Set, tmp_path: Path) -> None:
    folder = put_down(studio, [10, 60, 200])
    shutil.copytree(folder, tmp_path / "copy")
    again = CameraFilms(studio.home, studio.queue, 100)
    again.finish_others()
    assert len(survey(studio.home.pictures / "camera-parts.mp4").times) == 3 and not folder.exists()
    # killed after the film was whole, and before its frames were taken away: its name was noted
    shutil.copytree(tmp_path / "copy", folder)
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps({**about, "name": "camera-parts.mp4"}))
    again.finish_others()
    assert [each.name for each in studio.home.pictures.iterdir()] == ["camera-parts.mp4"] and not folder.exists()
    # the name was noted, and somebody else's film has it
    folder.mkdir()
    for each in (tmp_path / "copy").iterdir():
        shutil.copy(each, folder)
    other = folder.rename(folder.with_name("7"))
    (other / "about.json").write_text(json.dumps({**about, "name": "camera-parts.mp4"}))
    again.finish_others()
    assert sorted(each.name for each in studio.home.pictures.iterdir()) == ["camera-parts-2.mp4", "camera-parts.mp4"]


def test_what_cannot_be_written_stays_until_the_next_start(studio: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("there is no room left", "free some space")

    folder = put_down(studio, [10, 200])
    with monkeypatch.context() as patch:
        patch.setattr("reverie.studio.server.camera_films.write_film", full)
        studio.studio.films.finish_others()
    assert len([*folder.glob("*.jpg")]) == 2
    studio.studio.films.finish_others()
    assert (studio.home.pictures / "camera-parts.mp4").is_file()


def test_a_turned_camera_and_a_film_of_nothing(studio: Set) -> None:
    folder = put_down(studio, [10, 200])
    (folder / "0000002000.jpg").write_bytes(jpeg(48, 30))
    put_down(studio, [10])
    put_down(studio, [])
    studio.studio.films.finish_others()
    assert [each.name for each in studio.home.pictures.iterdir()] == ["camera-parts.mp4"]
    assert (survey(studio.home.pictures / "camera-parts.mp4").width, [*folder.parent.iterdir()]) == (32, [])


def test_a_film_is_no_longer_than_it_may_be(studio: Set) -> None:
    recording = CameraFilms(studio.home, studio.queue, 2).begin({})
    recording.add(jpeg(), 0.0)
    assert not recording.full
    recording.add(jpeg(), 1.0)
    assert recording.full


@pytest.mark.parametrize("text", [None, "", "[", "[]", '{"made": "sheet"}', '{"made": "camera"}', "[" * 100_000])
def test_other_texts_are_no_films_of_a_camera(text: str | None) -> None:
    assert of_camera(text) is None


def test_a_strangers_mark_is_bounded(studio: Set) -> None:
    said = of_camera(json.dumps({"made": "camera film", "what": "x" * 5000, "network": ["a"]}))
    assert said is not None and len(said) < 120
    own = of_camera(camera_mark("eyes", "lite0", "1", "n"))
    assert own is not None and "eyes, by lite0" in own
    folder = put_down(studio, [1, 2])
    studio.studio.films.finish_others()
    assert folder.name in (recipe_text(studio.home.pictures / "camera-parts.mp4") or "")

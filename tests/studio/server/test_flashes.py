"""How films flash, measured on their frames."""

from __future__ import annotations

import numpy as np
from tests.helpers import clips
from tests.helpers.studio_server import Set, jpeg


def test_a_film_is_measured_and_nothing_else_is(studio: Set) -> None:
    flashing = [np.full((48, 64, 3), 255 * (number // 2 % 2), np.uint8) for number in range(20)]
    clips.save_clip(studio.home.pictures / "wild.mp4", flashing, fps=20)
    clips.save_clip(studio.home.pictures / "calm.mp4", [flashing[0]] * 20, fps=20)
    (studio.home.pictures / "still.jpg").write_bytes(jpeg())
    studio.studio.gallery.look()
    ids = {each["name"]: each["id"] for each in studio.ask("GET", "/api/pictures").data["pictures"]}
    assert studio.ask("GET", f"/api/pictures/{ids['wild']}/flashes").data == {"most": 4, "safe": False}  # nine changes in its one second
    assert studio.ask("GET", f"/api/pictures/{ids['calm']}/flashes").data == {"most": 0, "safe": True}
    assert studio.ask("GET", f"/api/pictures/{ids['still']}/flashes").status == 415
    assert studio.ask("GET", f"/api/pictures/{'0' * 24}/flashes").status == 404


def test_a_film_that_cannot_be_read_is_told(studio: Set) -> None:
    place = studio.home.pictures / "torn.mp4"
    clips.save_clip(place, clips.pan(8, 32, 48).frames)
    place.write_bytes(place.read_bytes()[:300])
    studio.studio.gallery.look()
    for each in studio.ask("GET", "/api/pictures").data["pictures"]:
        assert studio.ask("GET", f"/api/pictures/{each['id']}/flashes").status in (415, 422)

"""`reverie ask` as a user types it: a table, JSON, a page; nothing lost, and what is wrong said in two lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import SHORT, Run, saved

pytestmark = pytest.mark.usefixtures("place")
TWO = ("--network", "efficientnet-lite0", "--network", "efficientnet-lite1")


def test_a_table_for_each_picture_with_a_column_for_each_network(run: Run, sky: Path) -> None:
    told = run("ask", sky.name, *TWO)
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0].split() == ["sky.png", "efficientnet-lite0", "efficientnet-lite1", "on", "average"]
    (asked,) = run("ask", sky.name, *TWO, "--json").data
    assert set(asked) == {"picture", "networks", "average", "classes", "agreement", "first", "before", "notes"}
    assert asked["picture"] == "sky.png" and asked["before"] is None and 0 < asked["agreement"] < 1
    assert [each["network"] for each in asked["networks"]] == ["efficientnet-lite0", "efficientnet-lite1"]
    assert [len(each["labels"]) for each in asked["networks"]] == [3, 3] and len(asked["average"]) == 3
    for each, line in zip(asked["classes"], lines[1:], strict=False):
        assert line.startswith(each["label"]) and f"{100 * each['average']:.1f} %" in line
    for number, each in enumerate(asked["networks"]):
        alone = run("recognise", sky.name, "--json", "--top", "3", "--network", each["network"]).data[0]
        assert [one["label"] for one in alone["labels"]] == [one["label"] for one in each["labels"]] and alone["known"] == each["known"]
        assert asked["classes"][0]["by"][number] >= 0


def test_without_networks_those_that_are_installed_are_asked(run: Run, sky: Path) -> None:
    assert [each["network"] for each in run("ask", sky, "--json").data[0]["networks"]] == [
        f"efficientnet-lite{number}" for number in range(3)
    ]
    one = run("ask", sky, "--network", "efficientnet-lite1", "--top", "1", "--json")
    assert one.data[0]["agreement"] is None and "only efficientnet-lite1 is asked" in one.err and len(one.data[0]["average"]) == 1


def test_of_a_dream_it_tells_what_was_there_before(run: Run, sky: Path) -> None:
    assert run("dream", sky, *SHORT, "--quiet", "-o", "dream.png").code == 0
    sky.unlink()  # the cache has it
    told = run("ask", "dream.png", *TWO)
    assert told.out.splitlines()[0].split()[-1] == "before" and "efficientnet-lite0 (made it)" in told.out
    assert "efficientnet-lite0 made it, and does not count" in told.err
    before = run("ask", "dream.png", *TWO, "--json").data[0]["before"]
    assert len(before["average"]) == 3 and set(before) == {"networks", "average", "classes", "agreement", "first"}


def test_a_page_goes_into_a_folder_and_nothing_that_is_there_is_replaced(run: Run, sky: Path, place: Path) -> None:
    (place / "mine").mkdir()
    saved(place / "mine" / "b.png", 20, 24)
    saved(place / "mine" / "a.png", 20, 24)
    done = run("ask", "mine", sky.name, *TWO, "-o", "asked")
    assert done.code == 0 and done.out.splitlines()[-1] == "asked/index.html"
    page = Path("asked/index.html").read_text("utf-8")
    assert [page.index(f">{name}<") for name in ("a.png", "b.png", "sky.png")] == sorted(
        page.index(f">{name}<") for name in ("a.png", "b.png", "sky.png")
    )
    Path("asked/index.html").write_text("mine")
    run("ask", sky.name, *TWO, "-o", "asked").fault(5, "'asked' exists already", "--force")
    run("ask", sky.name, *TWO, "-o", "mine").fault(5, "'mine' exists already")
    run("ask", sky.name, *TWO, "-o", "sky.png").fault(5, "'sky.png' is not a folder")
    run("ask", sky.name, *TWO, "-o", "no/such").fault(5, "'no' does not exist")
    assert Path("asked/index.html").read_text() == "mine"
    forced = run("ask", sky.name, *TWO, "-o", "asked", "--force", "--json")
    assert forced.data[0]["path"] == "asked/index.html" and "sky.png" in Path("asked/index.html").read_text("utf-8")


def test_one_that_cannot_be_used_is_named_and_the_others_are_asked(run: Run, sky: Path, place: Path) -> None:
    (place / "bad.png").write_text("no picture")
    some = run("ask", "bad.png", sky.name, "gone.png", *TWO, "--json")
    assert some.code == 3 and [each["picture"] for each in some.data] == ["sky.png"]
    assert "bad.png" in some.err and "'gone.png' does not exist" in some.err
    none = run("ask", "bad.png", "gone.png", *TWO, "-o", "asked", "--json")
    assert (none.code, none.data) == (3, []) and not Path("asked").exists()
    (place / "empty").mkdir()
    run("ask", "empty").fault(3, "no picture in the folder 'empty'")
    run("ask", "bad.png", *TWO).fault(3, "bad.png")
    run("ask", sky.name, "--network", "efficientnet-lite9").fault(2, "no network 'efficientnet-lite9'")
    run("ask", sky.name, *TWO[:2], *TWO[:2]).fault(2, "the same network twice")
    run("ask", sky.name, "--top", "0").fault(2, "--top 0")
    run("ask", sky.name, "--max-pixels", "10", *TWO).fault(4, "--max-pixels")


def test_noise_is_looked_at_as_a_dream_begins_with_it(run: Run, place: Path) -> None:
    assert run("dream", "noise:white", "--seed", "3", "--steps", "1", "--strength", "1e-9", "--octaves", "1", "-o", "noise.png").code == 0
    of_file = run("recognise", "noise.png", "--json").data[0]["labels"]
    (of_name,) = run("recognise", "noise:white", "--seed", "3", "--json").data
    assert of_name["picture"] == "noise:white"
    assert [each["probability"] for each in of_name["labels"]] == pytest.approx([each["probability"] for each in of_file], abs=1e-3)
    other = run("recognise", "noise:white", "--seed", "4", "--json").data[0]["labels"]
    assert [each["probability"] for each in other] != pytest.approx([each["probability"] for each in of_file], abs=1e-3)
    (asked,) = run("ask", "noise:white", "--seed", "3", *TWO, "--json").data
    assert asked["networks"][0]["labels"] == of_name["labels"][:3] and asked["before"] is None
    for command in ("recognise", "ask"):
        run(command, "noise:blue").fault(2, "no noise 'blue'")


def test_noise_where_a_picture_is_asked_for_is_told_as_noise(run: Run, place: Path) -> None:
    run("see", "noise:pink").fault(2, "'noise:pink' is noise, and a picture is asked for here", "`recognise` and `ask` take noise")
    run("dream", "noise:pink", "--guide", "noise:white").fault(2, "'noise:white' is noise, and a picture is asked for here")

"""Grids: every combination is made, once, under a name of its own; a kill costs the unit that was being made, and nothing else."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.helpers.commands import listed, saved
from tests.helpers.tiny import Hand, wrapped

import reverie
from reverie.album import read_recipe, sheet_at
from reverie.api import choices, plan_grid
from reverie.api.grids import GridFolder
from reverie.api.grids.planning import GridPlan
from reverie.errors import InputError, OutputError, UsageError
from reverie.judging.galleries import read_manifest
from reverie.networks import Network
from reverie.recipe import COMMANDS, digest
from reverie.render import Plan

HERE = Path(__file__).parents[2]
SMALL: dict[str, Any] = {"octaves": 1, "steps": 1, "threads": 1, "keep": False, "size": (32, 48)}
AXES: dict[str, Any] = {"target": ["edge:0", "edge:1"], "seed": range(3)}
NAMES = [f"edge_{unit}-{seed}.png" for unit in (0, 1) for seed in range(3)]
BESIDE = ["grid.json", "index.html", "manifest.json", "parts", "sheet.png"]


def made(network: Network, into: Path, vary: Any = None, **other: Any) -> reverie.Grid:
    return reverie.grid("noise:pink", AXES if vary is None else vary, network=network, folder=into, **SMALL | other)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(folder.glob("*.png"))}


def test_without_a_folder_the_pictures_are_those_that_are_made_alone(hand: Network) -> None:
    pictures = reverie.grid("noise:pink", AXES, network=hand, **SMALL)
    assert [(str(each.recipe.target), each.recipe.seed) for each in pictures if each.recipe] == [
        (f"edge:{unit}", seed) for unit in (0, 1) for seed in range(3)
    ]
    alone = reverie.dream("noise:pink", "edge:1", network=hand, seed=2, **SMALL)
    assert torch.equal(pictures[-1].pixels, alone.pixels) and pictures[-1].recipe == alone.recipe


def test_a_folder_has_every_picture_a_sheet_and_a_gallery_of_all(tmp_path: Path, hand: Network) -> None:
    grid = made(hand, tmp_path / "grid")
    assert listed(tmp_path / "grid") == sorted([*NAMES, *BESIDE]) and grid.finished
    assert [each.name for each in grid.pictures] == NAMES
    recipes = [read_recipe(each) for each in grid.pictures]
    assert sheet_at(grid.sheets[0]) == [digest(each) for each in recipes]
    manifest = read_manifest(tmp_path / "grid")
    assert manifest is not None and sorted(manifest.pictures) == sorted([*NAMES, "sheet.png"]) and manifest.folder == "."
    data = json.loads((tmp_path / "grid" / "grid.json").read_text("utf-8"))
    assert data["axes"] == [{"name": "target", "values": ["edge:0", "edge:1"]}, {"name": "seed", "values": ["0", "1", "2"]}]
    assert data["pictures"] == [{"path": name, "recipe": digest(each)} for name, each in zip(NAMES, recipes, strict=True)]
    assert data["choices"]["size"] == "48x32" and str(tmp_path) not in json.dumps(data)


def test_what_is_there_is_not_made_again_and_what_is_missing_comes_to_the_same_bytes(tmp_path: Path, hand: Network) -> None:
    made(hand, tmp_path / "grid")
    before = bytes_of(tmp_path / "grid")
    (tmp_path / "grid" / NAMES[1]).unlink()
    for content in (b"", before[NAMES[0]]):  # somebody did that
        (tmp_path / "grid" / NAMES[4]).write_bytes(content)
        with pytest.raises(OutputError, match=f"{NAMES[4]}' is there, and is not the picture"):
            made(hand, tmp_path / "grid")
        assert (tmp_path / "grid" / NAMES[4]).read_bytes() == content
    (tmp_path / "grid" / NAMES[4]).unlink()
    seen: list[int] = []
    made(hand, tmp_path / "grid", progress=lambda doing: seen.append(doing.units))
    assert set(seen) == {2} and bytes_of(tmp_path / "grid") == before


def test_killed_at_any_unit_the_same_call_goes_on_to_the_same_bytes(tmp_path: Path, hand: Network) -> None:
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(HERE)!r})
import reverie
from tests.helpers import tiny
from tests.helpers.looking import LABELS
def killed(doing):
    if doing.number == int(sys.argv[2]) and (doing.part == "") == (sys.argv[3] == "after"):  # else while it is being made
        os.kill(os.getpid(), signal.SIGKILL)
reverie.grid("noise:pink", {{"target": ["edge:0", "edge:1"], "seed": range(3)}}, network=tiny.wrapped(tiny.Hand(), labels=LABELS),
    folder=sys.argv[1], octaves=1, steps=1, threads=1, keep=False, size=(32, 48), progress=killed)
"""
    whole = made(hand, tmp_path / "whole")
    there = []
    for number, when in ((2, "after"), (0, "within"), (1, "after")):
        ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / "grid"), str(number), when], timeout=120)
        assert ended.returncode == -signal.SIGKILL
        there.append(len(list((tmp_path / "grid").glob("*.png"))))
    assert there == [3, 3, 5] and not (tmp_path / "grid" / "index.html").exists()
    seen: list[int] = []
    grid = made(hand, tmp_path / "grid", progress=lambda doing: seen.append(doing.units))
    assert grid.finished and set(seen) == {1} and bytes_of(tmp_path / "grid") == bytes_of(whole.folder)


def test_stopped_on_the_way_it_keeps_what_is_finished(tmp_path: Path, hand: Network) -> None:
    grid = made(hand, tmp_path / "grid", progress=lambda doing: doing.number == 1 and doing.share == 1)
    assert not grid.finished and [each.name for each in grid.pictures] == NAMES[:2] and grid.page is None
    assert made(hand, tmp_path / "grid").finished and listed(tmp_path / "grid") == sorted([*NAMES, *BESIDE])


def test_more_values_add_to_it_and_anything_else_is_refused(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "grid"
    made(hand, into, {"target": ["edge:1"], "seed": [1]})
    first = into / "edge_1-1.png"
    before = first.stat().st_mtime_ns
    made(hand, into)
    assert listed(into) == sorted([*NAMES, *BESIDE]) and first.stat().st_mtime_ns == before
    there = bytes_of(into)
    for vary, other, told in (
        ({"target": ["edge:0"], "seed": range(3)}, {}, "3 of its 6 pictures are none of these"),
        (AXES, {"steps": 2}, r"6 of its 6 pictures .*\(steps\)"),
        ({**AXES, "strength": [0.1]}, {}, "none of these"),
    ):
        with pytest.raises(OutputError, match=told) as found:
            made(hand, into, vary, **other)
        assert found.value.exit_code == 5 and bytes_of(into) == there


def test_by_force_it_begins_anew_and_leaves_what_is_not_its_own(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "grid"
    made(hand, into)
    saved(into / "mine.png", 20, 20)
    (into / NAMES[0]).write_bytes((into / "mine.png").read_bytes())  # no more what the list says
    made(hand, into, {"seed": [0, 7]}, target="edge:0", steps=2, force=True)
    assert listed(into) == sorted([NAMES[0], "seed-0.png", "seed-7.png", "mine.png", *BESIDE])
    assert read_recipe(into / "seed-7.png").ascent.steps == 2 and (into / NAMES[0]).read_bytes() == (into / "mine.png").read_bytes()
    manifest = read_manifest(into)
    assert manifest is not None and "mine.png" in manifest.pictures


def test_a_start_that_an_earlier_grid_made_is_not_taken_away_by_force(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "grid"
    made(hand, into)
    before = bytes_of(into)
    small = {name: value for name, value in SMALL.items() if name != "size"}
    starts: list[Any] = [into / NAMES[0], [into / NAMES[0], "noise:pink"]]
    for start in starts:
        with pytest.raises(OutputError, match="is what goes in"):
            reverie.grid(start, {"seed": [8, 9]}, target="edge:0", network=hand, folder=into, force=True, **small)
        assert bytes_of(into) == before


def test_a_folder_of_other_things_is_refused_and_by_force_nothing_there_is_touched(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "mine"
    into.mkdir()
    saved(into / NAMES[0], 20, 20)
    (into / "notes.txt").write_text("mine")
    before = {each.name: each.read_bytes() for each in into.iterdir()}
    with pytest.raises(OutputError, match="holds other things"):
        made(hand, into)
    assert {each.name: each.read_bytes() for each in into.iterdir()} == before
    grid = made(hand, into, force=True)
    assert grid.pictures[0].name == NAMES[0].replace(".png", "-2.png")
    assert {name: (into / name).read_bytes() for name in before} == before
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("mine")
    with pytest.raises(OutputError, match="a page that is no gallery of it"):
        made(hand, tmp_path / "page", force=True)
    assert listed(tmp_path / "page") == ["index.html"]


def test_a_picture_that_was_cut_short_is_named_and_nothing_is_written(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "grid"
    made(hand, into)
    place = into / NAMES[0]
    place.write_bytes(place.read_bytes()[:-20])
    before = bytes_of(into)
    with pytest.raises(InputError, match="is cut short; take it away, and the same command makes it again"):
        made(hand, into)
    assert bytes_of(into) == before
    place.unlink()
    assert len(made(hand, into).pictures) == len(NAMES)


def test_a_picture_that_was_painted_over_is_told_and_stays(tmp_path: Path, hand: Network) -> None:
    into = tmp_path / "grid"
    made(hand, into)
    place = into / NAMES[1]
    with Image.open(place) as image:
        carried = PngInfo()
        carried.add_itxt("reverie", image.info["reverie"])
        painted = image.transpose(Image.Transpose.ROTATE_180)
    painted.save(place, pnginfo=carried)
    before = place.read_bytes()
    plan = plan_grid("noise:pink", AXES, network=hand, **SMALL)
    folder = GridFolder(into, plan)
    with folder.ready():
        assert folder.changed == [place]
    assert place.read_bytes() == before


def test_one_process_works_in_a_folder(tmp_path: Path, hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(*_: object) -> object:
        with pytest.raises(OutputError, match="another process is at work"):
            made(hand, tmp_path / "grid")
        return True

    made(hand, tmp_path / "grid", progress=other)
    assert listed(tmp_path / "grid") == [NAMES[0], "grid.json"]


@pytest.mark.parametrize(
    ("vary", "other", "told"),
    [
        ({}, {}, "nothing varies"),
        ({"seed": []}, {}, "varies over nothing"),
        ({"seed": [1, 2, 1]}, {}, "seed=1 twice"),
        ({"sede": [1]}, {}, "did you mean 'seed'"),
        ({"seed": [1, -1]}, {}, "at least 0"),
        ({"seed": [1, "2"]}, {}, "whole number"),
        ({"seed": 3}, {}, "a list of values"),
        ({"steps": [1, 0]}, {"steps": None}, "at least 1"),
        ({"seed": [1]}, {"seed": 2}, "beside"),
        ({"level": ["edges"]}, {}, "target.* and .*level"),
        ({"target": ["edge:0", "edge:9"]}, {"target": None}, "edge"),
        ({"seed": range(10**9)}, {}, "holds 10,000"),
        (
            {"seed": range(200), "strength": [0.001 * each for each in range(1, 100)]},
            {},
            "19,800 pictures .200 values of seed × 99 values of strength",
        ),
        ({"max_pixels": [10**6, 10**7]}, {}, "max_pixels '1000000' makes the very same picture as max_pixels '10000000'"),
        ({"variant": [0, 1]}, {}, "variants"),
        ({"start": ["noise:white"]}, {}, "give one of them"),
        ({"network": ["efficientnet-lite0"]}, {}, "network"),
    ],
)
def test_what_is_wrong_comes_to_light_before_anything_is_made(
    tmp_path: Path, hand: Network, vary: Any, other: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        made(hand, tmp_path / "grid", vary, **{"target": "edge:0", **other})
    assert not (tmp_path / "grid").exists()
    with pytest.raises(UsageError, match="did you mean 'dream'"):
        reverie.grid("noise:pink", {"seed": [1]}, command="dreem")  # type: ignore[call-overload]


def test_classes_that_differ_in_nothing_else_are_made_together_and_stay_so_when_more_are_added(
    tmp_path: Path, lite0: Network, alone: None
) -> None:
    few: dict[str, Any] = {"octaves": 1, "steps": 1, "size": 32, "threads": 1}
    grid = reverie.grid(["banana", "goldfish"], {"preset": ["emblem"]}, command="imagine", folder=tmp_path / "grid", network=lite0, **few)
    together = reverie.imagine(["banana", "goldfish"], preset="emblem", network=lite0, **few)
    assert [each.read_bytes() for each in grid.pictures] == [each.encode() for each in together]
    before = bytes_of(grid.folder)
    larger = reverie.grid(
        ["tiger", "goldfish", "banana"], {"preset": ["emblem"]}, command="imagine", folder=tmp_path / "grid", network=lite0, **few
    )
    assert [each.name for each in larger.pictures] == ["tiger-emblem.png", "goldfish-emblem.png", "banana-emblem.png"]
    assert {name: bytes_of(grid.folder)[name] for name in before if name != "sheet.png"} == {
        name: content for name, content in before.items() if name != "sheet.png"
    }
    with pytest.raises(UsageError, match="label 'banana' makes the very same picture as label '954'"):
        reverie.grid(["banana", 954], {"preset": ["emblem"]}, command="imagine", network=lite0, **few)


def test_a_range_of_units_is_an_axis_and_one_that_never_fired_leaves_its_place_empty_and_is_not_tried_again(
    tmp_path: Path, hand: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Plan.make_all

    def half_dead(plan: Plan, *given: Any) -> Any:
        from dataclasses import replace

        return [replace(each, alive=str(each.recipe.target) != "edge:1") for each in real(plan, *given)]

    monkeypatch.setattr(Plan, "make_all", half_dead)
    kind: dict[str, Any] = {"command": "feature", "network": hand, "octaves": 1, "steps": 1, "size": 32}
    grid = reverie.grid("edge:0-1", {"seed": [0, 1]}, folder=tmp_path / "grid", **kind)
    assert [each.name for each in grid.pictures] == ["edge_0-0.png", "edge_0-1.png"] and grid.axes["target"] == ("edge:0", "edge:1")
    seen: list[object] = []
    assert reverie.grid("edge:0-1", {"seed": [0, 1]}, folder=tmp_path / "grid", progress=seen.append, **kind).finished and not seen


def test_one_that_fails_is_set_aside_told_at_the_end_and_made_the_next_time(
    tmp_path: Path, hand: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Plan.make_all

    def failing(plan: Plan, *given: Any) -> Any:
        if plan.recipe.seed == 1:
            raise UsageError("the score is no finite number", "give smaller weights")
        return real(plan, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Plan, "make_all", failing)
        with pytest.raises(UsageError, match="no finite number"):
            made(hand, tmp_path / "grid")
        assert [each for each in listed(tmp_path / "grid") if each not in BESIDE] == [each for each in NAMES if "-1" not in each]
        assert (tmp_path / "grid" / "index.html").is_file() and len(sheet_at(tmp_path / "grid" / "sheet.png") or ()) == 4
        with pytest.raises(UsageError, match="no finite number"):
            reverie.grid("noise:pink", AXES, network=hand, **SMALL)
    assert made(hand, tmp_path / "grid").finished and len(sheet_at(tmp_path / "grid" / "sheet.png") or ()) == 6


def test_a_full_disk_ends_it_and_what_is_finished_stays(tmp_path: Path, hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    from reverie.pictures import Picture

    real = Picture.save

    def full(picture: Picture, path: Any, **given: Any) -> Any:
        if Path(path).name == NAMES[2]:
            raise OutputError("no room", "free some")
        return real(picture, path, **given)

    with monkeypatch.context() as patch:
        patch.setattr(Picture, "save", full)
        with pytest.raises(OutputError, match="2 of 6 are finished and kept, and the same command goes on"):
            made(hand, tmp_path / "grid")
    assert listed(tmp_path / "grid") == sorted([*NAMES[:2], "grid.json"])
    assert made(hand, tmp_path / "grid").finished


def test_three_axes_have_a_sheet_for_each_value_of_the_third_and_one_has_one(tmp_path: Path, hand: Network) -> None:
    grid = made(hand, tmp_path / "a", {"target": ["edge:0", "edge:1"], "seed": [0, 1], "strength": [0.1, 0.2]})
    assert [each.name for each in grid.sheets] == ["sheet-0.1.png", "sheet-0.2.png"] and grid.pictures[1].name == "edge_0-0-0.2.png"
    wanted = [read_recipe(grid.folder / f"edge_{unit}-{seed}-0.2.png") for unit in (0, 1) for seed in (0, 1)]
    assert sheet_at(grid.sheets[1]) == [digest(each) for each in wanted]
    assert [each.name for each in made(hand, tmp_path / "b", {"seed": range(3)}, target="edge:0").sheets] == ["sheet.png"]


def test_several_networks_are_each_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_network(name: str) -> Network:
        opened.append(name)
        torch.manual_seed(len(opened))
        module = Hand()
        module.head.weight.data.mul_(len(opened))
        return wrapped(module, name=name)

    monkeypatch.setattr(reverie.api.opening, "open_network", open_network)
    vary = {"network": ["efficientnet-lite0", "efficientnet-lite1"], "seed": [0, 1]}
    grid = reverie.grid("noise:pink", vary, target="edge:0", folder=tmp_path / "grid", **SMALL)
    assert opened == ["efficientnet-lite0", "efficientnet-lite1"]
    assert [each.name for each in grid.pictures] == [f"efficientnet-lite{net}-{seed}.png" for net in (0, 1) for seed in (0, 1)]


def test_starts_of_one_name_and_values_that_no_file_can_be_called_by_have_files_of_their_own(tmp_path: Path, hand: Network) -> None:
    starts = []
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        starts.append(saved(tmp_path / folder / "sky.png", 32 + 16 * number, 48))
    small = {name: value for name, value in SMALL.items() if name != "size"}
    grid = reverie.grid(starts, {"target": ["edge:0 - 0.5*edge:1"]}, network=hand, folder=tmp_path / "grid", **small)
    assert len({each.name.lower() for each in grid.pictures}) == 2 and all(each.parent == tmp_path / "grid" for each in grid.pictures)
    assert [read_recipe(each).height for each in grid.pictures] == [32, 48] and str(tmp_path) not in (grid.folder / "grid.json").read_text(
        "utf-8"
    )


def test_a_start_that_changes_while_it_goes_is_told_and_nothing_wrong_is_made(tmp_path: Path, hand: Network) -> None:
    start = saved(tmp_path / "sky.png", 32, 48)
    small = {name: value for name, value in SMALL.items() if name != "size"}

    def change(doing: object) -> None:
        saved(start, 33, 48)

    with pytest.raises(InputError, match="was changed since it was planned"):
        reverie.grid(start, {"seed": [0, 1]}, target="edge:0", network=hand, folder=tmp_path / "grid", progress=change, **small)
    assert [each.name for each in (tmp_path / "grid").glob("seed*.png")] == ["seed-0.png"]


@pytest.mark.parametrize("damage", ["{", '{"made": "other"}', '{"made": "grid"}'])
def test_a_damaged_list_is_told_and_force_begins_anew(tmp_path: Path, hand: Network, damage: str) -> None:
    made(hand, tmp_path / "grid")
    (tmp_path / "grid" / "grid.json").write_text(damage)
    with pytest.raises(InputError, match="is damaged, or no list of a grid"):
        made(hand, tmp_path / "grid")
    assert made(hand, tmp_path / "grid", force=True).finished


def test_a_list_that_names_files_elsewhere_is_not_believed(tmp_path: Path, hand: Network) -> None:
    outside = saved(tmp_path / "outside.png", 20, 20)
    grid = made(hand, tmp_path / "grid")
    data = json.loads((grid.folder / "grid.json").read_text("utf-8"))
    data["pictures"][0]["path"] = "../outside.png"
    (grid.folder / "grid.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="damaged"):
        made(hand, grid.folder)
    assert made(hand, grid.folder, force=True).finished and outside.is_file()


def test_an_estimate_makes_nothing_and_counts_more_for_more(hand: Network) -> None:
    def of(**other: Any) -> Any:
        plan = plan_grid("noise:pink", {"seed": range(4)}, target="edge:0", network=hand, **SMALL | other)
        assert isinstance(plan, GridPlan)
        return plan.estimate()

    found = of()
    assert found.pictures == 4 and found.seconds > 0 and found.memory > 0 and found.result == 4 * of(size=(16, 48)).result // 2


def test_an_editor_completes_what_the_commands_have() -> None:
    hints = set(typing.get_type_hints(choices.GridChoices, vars(choices)))
    own = {"vary", "command"}
    assert hints == set(COMMANDS["grid"].fields) - own
    for command in ("dream", "imagine", "feature"):
        one_by_one = set(COMMANDS[command].fields) - {"variants", "between", "count", "diverse"}
        assert one_by_one <= hints | {"start"}, command


def test_nothing_hidden_is_left_in_the_folder_nor_what_a_writer_left_that_was_killed(tmp_path: Path, hand: Network) -> None:
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid" / ".reverie-abc.part").write_bytes(b"half a picture")
    grid = made(hand, tmp_path / "grid")
    assert not [each for each in grid.folder.iterdir() if each.name.startswith(".")]

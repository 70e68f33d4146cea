"""`reverie imagine` and `reverie feature` as a user types them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import Answer, Run, listed, pixels
from tests.helpers.tiny import Hand, wrapped

import reverie.api.opening
import reverie.api.plans_from_noise
from reverie.album import read_recipe
from reverie.networks import Network
from reverie.render import Plan
from reverie.target import parse

TINY = ("--size", "32", "--octaves", "1", "--steps", "1")


@pytest.fixture(autouse=True)
def unseen(place: Path, alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network itself says of such a picture has tests of its own."""
    monkeypatch.setattr("reverie.render.plan.own_views", lambda pictures, *_: [() for _ in pictures])


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A small network in the place of the built-in ones. Its unit edge:0 has no weights, and never fires."""
    module = Hand()
    with torch.no_grad():
        module.edge.weight[0] = 0
    network = wrapped(module, labels=["edges", "warmth", "cold"])
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: network)
    return network


def assert_again(run: Run, name: str) -> None:
    assert run("redo", name, "-o", f"again-{name}").code == 0
    assert Path(f"again-{name}").read_bytes() == Path(name).read_bytes()


# ── results and their names ──────────────────────────────────────────────────────────────────────────────────────────────


def test_one_label_is_one_file_named_after_it(run: Run, place: Path) -> None:
    assert run("imagine", "Egyptian cat", *TINY, "--seed", "3") == Answer(0, "imagine-Egyptian_cat-3.png\n", "")
    assert listed(place) == ["imagine-Egyptian_cat-3.png"] and pixels(Path("imagine-Egyptian_cat-3.png")).shape == (32, 32, 3)
    assert run("imagine", "285", *TINY, "-o", "a.webp").out == "a.webp\n"
    assert str(read_recipe("a.webp").target) == "class:Egyptian cat"
    assert_again(run, "a.webp")


def test_several_are_printed_in_the_order_asked_and_a_batch_can_be_made_again(run: Run, place: Path) -> None:
    answer = run("imagine", "goldfish", "banana", "954", "daisy", *TINY, "--batch", "2")
    names = ("goldfish-0", "banana-0", "banana-0-2", "daisy-0")  # 954 is the banana again
    told = "reverie: 'imagine-banana-0.png' is another result of this run: this one goes to 'imagine-banana-0-2.png'\n"
    assert answer == Answer(0, "".join(f"imagine-{each}.png\n" for each in names), told)
    batch = read_recipe("imagine-banana-0.png").batch
    assert batch is not None and (batch.index, batch.targets) == (1, (parse("class:goldfish"), parse("class:banana")))
    second = read_recipe("imagine-daisy-0.png").batch
    assert second is not None and (second.index, second.targets) == (1, (parse("class:banana"), parse("class:daisy")))
    assert_again(run, "imagine-banana-0.png")
    many = run("feature", "blocks.4.1:0-2", "blocks.2.0:1@centre", "blocks.2.0:1@0,1", *TINY)
    features = [f"feature-blocks.{each}-0.png" for each in ("4.1_0", "4.1_1", "4.1_2", "2.0_1@centre", "2.0_1@0_1")]
    assert many == Answer(0, "".join(f"{each}\n" for each in features), "")
    assert_again(run, features[3])


def test_a_sheet_goes_into_the_folder_that_is_made_for_the_pictures(run: Run, place: Path) -> None:
    made = run("imagine", "banana", "daisy", *TINY, "-o", "new/", "--sheet", "new/all.png")
    assert made.code == 0 and made.out.split() == ["new/imagine-banana-0.png", "new/imagine-daisy-0.png", "new/all.png"], made
    assert run("imagine", "banana", *TINY, "-o", place / "one", "--sheet", "one/all.png").code == 0
    run("imagine", "banana", *TINY, "-o", "third/", "--sheet", "fourth/all.png").fault(5, "the folder 'fourth' does not exist")


def test_what_has_no_files_going_in_has_no_flags_for_them(run: Run) -> None:
    run("recognise", "banana.png", "--no-keep").fault(2, "`reverie recognise` has no flag --no-keep")
    assert run("imagine", "banana", *TINY, "--no-keep").code == 0
    assert run("feature", "blocks.2.0:1", *TINY, "--no-keep").code == 0


def test_diverse_and_between_are_numbered(run: Run, place: Path) -> None:
    diverse = run("imagine", "banana", *TINY, "--diverse", "2").out.split()
    assert diverse == ["imagine-banana-01-0.png", "imagine-banana-02-0.png"]
    between = run("feature", "--between", "blocks.2.0:1", "blocks.2.0:2", "--count", "3", *TINY).out.split()
    assert between == [f"feature-blocks.2.0_1-to-blocks.2.0_2-0{each}-0.png" for each in (1, 2, 3)]
    for name in (diverse[1], between[1]):
        assert_again(run, name)
    assert len(run("imagine", "--between", "banana", "1", *TINY).out.split()) == reverie.api.plans_from_noise.BETWEEN


def test_names_that_would_be_the_same_are_told_apart(run: Run, hand: Network) -> None:
    answer = run("feature", "2*edge:1", "2 * edge:1", "edge:1 + light", "edge:1 - light", "edge:1 - light", *TINY)
    assert answer.code == 0 and len(set(answer.out.split())) == 4  # the last two are one
    hand.labels = [("夢",), ("a b",), ("a_b",)]
    assert run("imagine", "a b", "a_b", *TINY).out.split() == ["imagine-a_b-0.png", "imagine-a_b-0-2.png"]


def test_folders_and_files_for_results(run: Run, place: Path) -> None:
    (place / "out").mkdir()
    assert run("imagine", "banana", "daisy", *TINY, "-o", "out").out == "out/imagine-banana-0.png\nout/imagine-daisy-0.png\n"
    for flags in (("banana", "daisy"), ("banana", "--diverse", "2"), ("--between", "banana", "daisy")):
        run("imagine", *flags, *TINY, "-o", "a.png").fault(5, "several results need a folder")
    run("feature", "blocks.2.0:0-1", *TINY, "-o", "a.png").fault(5, "several results need a folder")
    assert run("imagine", "banana", "banana", *TINY, "-o", "a.png").out == "a.png\n"
    run("imagine", "daisy", *TINY, "-o", "a.png").fault(5, "'a.png' exists already", "--force")
    assert run("imagine", "daisy", *TINY, "-o", "a.png", "--force").code == 0
    run("imagine", "banana", *TINY, "-o", "a.txt").fault(2, ".txt")
    run("imagine", "banana", *TINY, "--opacity", "-o", "b.jpg").fault(2)


def test_a_name_of_ours_never_goes_over_another_picture(run: Run, place: Path) -> None:
    Path("imagine-daisy-0.png").write_bytes(b"mine")
    answer = run("imagine", "banana", "daisy", *TINY, "--batch", "1")
    assert answer.out.splitlines() == ["imagine-banana-0.png", "imagine-daisy-0-2.png"]
    assert "'imagine-daisy-0.png' is there already" in answer.err and Path("imagine-daisy-0.png").read_bytes() == b"mine"
    Path("imagine-banana-1-making.png").write_bytes(b"mine")
    beside = run("imagine", "banana", *TINY, "--seed", "1", "--making", "2")
    assert beside.out.splitlines() == ["imagine-banana-1-2.png", "imagine-banana-1-2-making.png"]
    assert Path("imagine-banana-1-making.png").read_bytes() == b"mine"


def test_the_very_same_is_not_made_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = (("feature", "blocks.2.0:1", *TINY, "-o", "a.png"), ("imagine", "banana", "daisy", *TINY, "--sheet", "s.png", "--force"))
    first = [run(*command) for command in commands]
    assert first[0] == Answer(0, "a.png\n", "")
    sheet, banana = pixels(Path("s.png")), Path("imagine-banana-0.png").read_bytes()
    monkeypatch.setattr(Plan, "make_all", lambda *_: pytest.fail("nothing should be made"))
    Path("s.png").unlink()
    again = [run(*(each for each in command if each != "--force")) for command in commands]
    assert [each.out for each in again] == [each.out for each in first] and all("very same recipe" in each.err for each in again)
    assert np.abs(pixels(Path("s.png")) - sheet).max() <= 1  # made of the files, which have 8 bits
    assert Path("imagine-banana-0.png").read_bytes() == banana


def test_the_shape_of_the_json(run: Run) -> None:
    keys = {"path", "recipe", "seconds", "score", "notes"}
    made = run("imagine", "goldfish", "banana", *TINY, "--json", "--sheet", "s.png").data
    assert [each["path"] for each in made] == ["imagine-goldfish-0.png", "imagine-banana-0.png", "s.png"]
    assert [set(each) for each in made] == [{*keys, "opinions"}, {*keys, "opinions"}, keys - {"notes"}]
    for each in made[:2]:
        assert each["recipe"]["target"].startswith("class:") and type(each["score"]) is float and each["seconds"] > 0
    (made,) = run("feature", "blocks.2.0:1", *TINY, "--json").data
    assert set(made) == keys


def test_strips_from_along_the_way(run: Run, place: Path) -> None:
    answer = run("feature", "blocks.2.0:0-1", "--size", "32", "--octaves", "1", "--steps", "3", "--making", "3")
    names = [f"feature-blocks.2.0_{number}-0{ending}.png" for number in (0, 1) for ending in ("", "-making")]
    assert answer.out.split() == names
    first, second = (pixels(Path(each)) for each in (names[1], names[3]))
    assert first.shape == second.shape and first.shape[0] > 200 and not np.array_equal(first, second)
    run("feature", "blocks.2.0:1", *TINY, "--making", "101", "-o", "a.png").fault(2, "--making 101")


def test_no_recipe(run: Run) -> None:
    assert run("imagine", "banana", *TINY, "--no-recipe", "-o", "a.png").code == 0
    run("recipe", "a.png").fault(3, "carries no recipe")


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["s.png", "s.JPG", "s.webp"])
def test_a_contact_sheet_shows_them_all(run: Run, name: str) -> None:
    answer = run("feature", "blocks.2.0:0-2", *TINY, "--sheet", name)
    assert answer.code == 0 and answer.out.splitlines()[-1] == name
    with Image.open(name) as image:
        assert image.width > 3 * 224 > image.width - 224 or image.height > 2 * 224
        sheet = np.asarray(image.convert("RGB")).astype(int)
    assert (sheet.std(2).mean(0) > 2).sum() > 2 * 200  # colour over so many columns
    for number in (0, 2):
        mean = pixels(Path(f"feature-blocks.2.0_{number}-0.png")).mean((0, 1))
        assert np.isfinite(mean).all()


def test_a_sheet_that_exists_or_cannot_be(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "old.png").write_bytes(b"mine")
    with monkeypatch.context() as patch:
        patch.setattr(Plan, "make_all", lambda *_: pytest.fail("nothing should be made"))
        common = ("imagine", "banana", "daisy", *TINY, "--sheet")
        run(*common, "old.png").fault(5, "'old.png' exists already", "--force")
        run(*common, "sheet.txt").fault(2, "--sheet sheet.txt", "name a picture file")
        run(*common, "sheet").fault(2, "name a picture file")
        run(*common, "none/sheet.png").fault(5, "none")
        run(*common, "imagine-daisy-0.png").fault(2, "--sheet imagine-daisy-0.png is also the name of a picture")
        run("imagine", "banana", *TINY, "-o", "a.png", "--sheet", "./a.png").fault(2, "is also the name of a picture")
        patch.setattr(sys.modules["reverie.pictures.sheets"], "MOST", 3)
        run("feature", "blocks.2.0:0-3", *TINY, "--sheet", "s.png").fault(2, "--sheet of 4 pictures", "it holds 3")
        assert listed(place) == ["old.png"]
    assert run("imagine", "banana", *TINY, "--sheet", "old.png", "--force").code == 0
    assert pixels(Path("old.png")).shape[0] > 224


# ── units that never fire ────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_a_unit_that_never_fires_there_is_no_picture(run: Run, hand: Network, place: Path) -> None:
    answer = run("feature", "edge:0-1", *TINY, "--sheet", "s.png")
    assert answer.code == 0 and answer.out == "feature-edge_1-0.png\ns.png\n"
    assert answer.err == "reverie: 'edge:0' never fired, whatever was shown to it: no picture of it\n"
    assert listed(place) == ["feature-edge_1-0.png", "s.png"]
    sheet = pixels(Path("s.png"))
    middle = sheet.shape[1] // 2
    empty, shown = sheet[:, :middle], sheet[:, middle:]
    assert empty.std(2).max() == 0 and shown.std(2).max() > 5  # grey on the left, colour on the right


def test_where_nothing_ever_fires_it_is_a_mistake(run: Run, hand: Network, place: Path) -> None:
    for output in (("-o", "a.png"), ("--json",)):
        answer = run("feature", "edge:0", *TINY, *output)
        assert answer.code == 2 and answer.out == "" and listed(place) == []
        lines = answer.err.splitlines()
        assert lines[0] == "reverie: 'edge:0' never fired, whatever was shown to it: no picture of it"
        assert lines[1].startswith("reverie: no picture was made: nothing that was asked for ever fired") and len(lines) == 3
    assert run("imagine", "edges", *TINY, "--class-score", "logit").code == 2 and listed(place) == []


def test_what_is_said_of_a_dead_unit_is_not_said_of_the_batch(run: Run, hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api.plans_from_noise, "fitting", lambda *_: 2)
    lines = run("feature", "edge:0-1", "light:0", *TINY).err.splitlines()
    together = "reverie: 3 pictures together do not fit into memory: made 2 at a time"
    assert sorted(lines) == sorted(["reverie: 'edge:0' never fired, whatever was shown to it: no picture of it", together])


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("imagine",), "nothing to make a picture of"), (("feature",), "nothing to make a picture of"), (("imagine", ""), "no label ''"),
        (("feature", ""), "an empty target"), (("feature", " "), "an empty target"), (("imagine", "crane"), "crane bird (134)"),
        (("imagine", "bananna"), "did you mean 'banana'"), (("imagine", "nobody", "nobody at all"), "'nobody at all'"),
        (("imagine", "1000"), "no class 1000"), (("feature", "banana"), "no layer 'banana'"), (("imagine", "blocks.4.1:12"), "no label"),
        (("feature", "block4.1"), "did you mean 'blocks.4.1'"), (("feature", "blocks.4.1:0-112"), "no channel 112 in 'blocks.4.1'"),
        (("feature", "blocks.4.1:3-1"), "the range '3-1'"), (("feature", "blocks.4.1:0-200000"), "the range"),
        (("feature", "blocks.4.1:1@2,2"), "no place 2,2 in 'blocks.4.1' on a picture of 32×32"),
        (("imagine", "banana", "--diverse", "2", "--between", "daisy", "tiger"), "both --diverse and --between"),
        (("imagine", "banana", "--count", "3"), "--count without --between"), (("imagine", "banana", "--diverse", "1"), "--diverse 1"),
        (("imagine", "banana", "--between", "daisy", "tiger"), "targets beside the two of --between"),
        (("imagine", "--between", "daisy", "tiger", "--count", "300"), "--count 300"), (("imagine", "--between", "daisy"), "'--size'"),
        (("imagine", "banana", "--batch", "0"), "--batch 0"), (("imagine", "banana", "--size", "big"), "--size big"),
        (("imagine", "banana", "--canvas", "clay"), "--canvas clay"), (("imagine", "banana", "--steps", "0"), "--steps 0"),
        (("imagine", "banana", "--guide", "a.png"), "--guide"), (("imagine", "banana", "--no-such"), "--no-such"),
        (("imagine", "banana", "--network", "nobody"), "no network 'nobody'"), (("imagine", "banana", "--seed", "-1"), "--seed -1"),
        (("imagine", "banana", "--canvas", "maco", "--tone", "keep"), "on the canvas 'maco'"),
        (("feature", "blocks.2.1:3", "--direction", "way.npy"), "a direction with the target 'blocks.2.1:3'"),
        (("feature", "blocks.4.1", "--direction", "way.npy"), "a direction of 40 numbers"),
        (("feature", "blocks.2.1", "blocks.2.0", "--direction", "way.npy"), "a direction for several targets"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_made(run: Run, place: Path, arguments: tuple[str, ...], fault: str) -> None:
    np.save("way.npy", np.ones(40))
    given = () if "--size" in arguments else ("--size", "32")
    run(*arguments, *given, *(() if "--steps" in arguments else ("--steps", "1")), "--octaves", "1").fault(2, fault)
    assert listed(place) == ["way.npy"]


@pytest.mark.parametrize(
    ("command", "asked", "made", "fault"),
    [
        ("imagine", ("banana", "qwertz", "goldfish", "bananna"), ("banana", "goldfish"), "qwertz"),
        ("feature", ("blocks.2.0:1", "blocks.2.0:7000", "nowhere", "blocks.2.0:2"), ("blocks.2.0_1", "blocks.2.0_2"), "no channel 7000"),
    ],
)
def test_what_is_unknown_does_not_cancel_the_rest(
    run: Run, place: Path, command: str, asked: tuple[str, ...], made: tuple[str, ...], fault: str
) -> None:
    answer = run(command, *asked, *TINY)
    assert answer.code == 2 and answer.out.split() == [f"{command}-{each}-0.png" for each in made]
    told = answer.err.splitlines()
    assert len(told) == 2 and fault in told[0] and all(each.startswith("reverie: ") for each in told)


def test_a_word_for_several_classes_names_the_file_and_the_caption(run: Run, place: Path) -> None:
    answer = run("imagine", "cat", "goldfish", *TINY, "--sheet", "all.png")
    assert answer.code == 0 and answer.out.split() == ["imagine-cat-0.png", "imagine-goldfish-0.png", "all.png"]
    assert "cat is any of 5 classes: tabby (281)" in answer.err
    assert "a class picture of cat=281..285," in run("recipe", "imagine-cat-0.png").out
    assert_again(run, "imagine-cat-0.png")


@pytest.mark.parametrize(("size", "code"), [("8", 3), ("100000", 3), ("32x8", 3), ("0", 2), ("32x32x32", 2)])
def test_sizes_that_cannot_be(run: Run, place: Path, size: str, code: int) -> None:
    run("imagine", "banana", "--size", size).fault(code, "--size")
    assert listed(place) == []


def test_width_and_height_in_the_order_people_say_them(run: Run) -> None:
    assert run("imagine", "banana", "--size", "48x32", "--steps", "1", "--octaves", "1", "-o", "a.png").code == 0
    assert pixels(Path("a.png")).shape == (32, 48, 3)


# ── stopped ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_writes_what_there_is_and_ends(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Plan.make_all

    def stopping(plan: Plan, watcher: Any, making: int = 0) -> Any:
        def watched(progress: Any) -> bool:
            if progress.step == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return bool(watcher(progress))

        return real(plan, watched, making)

    monkeypatch.setattr(Plan, "make_all", stopping)
    answer = run("feature", "blocks.2.0:0-3", "--batch", "2", *TINY[:4], "--steps", "9", "--sheet", "s.png", "--json")
    assert answer.code == 130 and "stopped early" in answer.err
    assert [each["path"] for each in answer.data] == ["feature-blocks.2.0_0-0.png", "feature-blocks.2.0_1-0.png", "s.png"]
    assert [each["recipe"]["stopped"]["step"] in (2, 3) for each in answer.data[:2]] == [True, True]
    monkeypatch.setattr(Plan, "make_all", real)
    assert_again(run, "feature-blocks.2.0_1-0.png")

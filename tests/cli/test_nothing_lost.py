"""What goes in is never written over, by whatever name it is reached, and another recipe never goes over a picture by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.commands import SHORT, Run, listed, saved

import reverie
from reverie.album import read_recipe
from reverie.errors import OutputError
from reverie.store import originals, write_whole

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def desk(place: Path, sky: Path) -> Path:
    """Files of every kind that goes in."""
    for name in ("guide", "mask", "cat"):
        saved(place / f"{name}.png", 64, 64 + len(name))
    for folder in ("cats", "skies", "out"):
        (place / folder).mkdir()
    saved(place / "cats" / "one.png")
    saved(place / "skies" / "two.png", 80, 64)
    np.save(place / "way.npy", np.arange(1, 97, dtype=np.float32))
    saved(place / "labels.png")
    return place


def _plain(path: Path) -> Path:
    return path


def _dotted(path: Path) -> Path:
    return path.parent / "." / "out" / ".." / path.name


def _symlink(path: Path) -> Path:
    link = path.parent / f"soft{path.suffix}"
    link.symlink_to(path)
    return link


def _hard_link(path: Path) -> Path:
    link = path.parent / f"hard{path.suffix}"
    os.link(path, link)
    return link


def _through_a_linked_folder(path: Path) -> Path:
    (path.parent / "linked").symlink_to(path.parent, target_is_directory=True)
    return path.parent / "linked" / path.name


WAYS = (_plain, _dotted, _symlink, _hard_link, _through_a_linked_folder)


@pytest.mark.parametrize("way", WAYS)
def test_the_start_is_never_written_over(run: Run, desk: Path, way: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    before, output = (desk / "sky.png").read_bytes(), way(desk / "sky.png")
    monkeypatch.setattr(reverie.api, "plan_dream", lambda *_, **__: pytest.fail("it is known before anything is read"))
    run("dream", "sky.png", *SHORT, "-o", output, "--force").fault(5, "is what goes in, and is never written over")
    run("dream", output, *SHORT, "-o", "sky.png", "--force").fault(5, "is what goes in")
    assert (desk / "sky.png").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "original"),
    [
        (("--guide", "guide.png"), "guide.png"), (("--mask", "mask.png"), "mask.png"), (("--network", "cat.png"), "cat.png"),
        (("--towards", "cats", "--from", "skies"), "cats/one.png"), (("--towards", "cats", "--from", "skies"), "skies/two.png"),
        (("--network", "w.pt", "--definition", "net:make", "--labels", "labels.png"), "labels.png"),
    ],
)  # fmt: skip
def test_nor_is_anything_else_that_goes_in(run: Run, desk: Path, flags: tuple[str, ...], original: str) -> None:
    before = Path(original).read_bytes()
    for output in ("-o", original), ("-o", _symlink(desk / original)):
        run("dream", "sky.png", *SHORT, *flags, *output, "--force").fault(5, "is what goes in")
    run("imagine", "banana", "--sheet", original, "--force", "--network", original).fault(5, "is what goes in")
    assert Path(original).read_bytes() == before


def test_nor_by_what_lies_beside_a_picture(run: Run, desk: Path) -> None:
    saved(desk / "a-making.png")
    before = (desk / "a-making.png").read_bytes()
    run("dream", "a-making.png", *SHORT, "-o", "a.png", "--making", "2", "--force").fault(5, "'a-making.png' is what goes in")
    assert (desk / "a-making.png").read_bytes() == before


def test_nor_by_making_again(run: Run, desk: Path) -> None:
    """What went in is known by its content, wherever it is found; the picture that is made again is left too."""
    assert run("dream", "sky.png", *SHORT, "-o", "a.png").code == 0
    before, photograph = Path("a.png").read_bytes(), (desk / "sky.png").read_bytes()
    run("redo", "a.png", "-o", "sky.png", "--force").fault(5, "'sky.png' is what goes in")
    run("redo", "a.png", "-o", "./a.png", "--seed", "5", "--force").fault(5, "a.png' is what goes in")
    with pytest.raises(OutputError, match="is what goes in"):
        reverie.redo("a.png").save("sky.png", force=True)
    with pytest.raises(OutputError, match="is what goes in"):
        reverie.dream("sky.png", octaves=1, steps=1).save(_symlink(desk / "sky.png"), force=True)
    assert Path("a.png").read_bytes() == before and (desk / "sky.png").read_bytes() == photograph


def test_nor_by_a_film(run: Run, desk: Path) -> None:
    journey = ("journey", "noise:pink", "--size", "64x48", "--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "4")
    assert run(*journey, "-o", "a.gif", "--keep-frames", "--preview", "1").code == 0
    frame, preview = Path("a.work/frames/000001.png"), Path("a-preview/000002.png")
    for start, out in ((frame, "a.gif"), (preview, "a.gif"), ("a.gif", "a.gif")):
        run("journey", start, "--frames", "2", "-o", out, "--force").fault(5, "is what goes in")
    run("film", "a.gif", "-o", "a.gif", "--force").fault(5, "'a.gif' is what goes in")
    assert run(*journey, "-o", "frames").code == 0
    run("journey", "frames/000001.png", "-o", "frames", "--force").fault(5, "is what goes in")
    run("redo", "a.gif", "-o", "a.gif", "--seed", "4", "--force").fault(5, "'a.gif' is what goes in")
    makes: tuple[Callable[[], object], ...] = (
        lambda: reverie.journey(frame, "a.gif", frames=2, force=True),
        lambda: reverie.journey("sky.png", _symlink(desk / "sky.png").rename("sky.gif"), frames=2, force=True),
        lambda: reverie.film("a.gif", "a.gif", force=True),
        lambda: reverie.again("a.gif", "a.gif", seed=4),
        lambda: reverie.redo("a.gif", "a.gif", force=True),
    )  # fmt: skip
    for make in makes:
        with pytest.raises(OutputError, match="is what goes in"):
            make()
    assert frame.exists() and preview.exists() and Path("frames/000001.png").exists()


def test_frames_of_an_unfinished_film_are_not_dropped_by_another(run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reverie.cli.console import Line

    journey = ("journey", "noise:pink", "--size", "64x48", "--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "5")
    with monkeypatch.context() as patch:
        patch.setattr(Line, "__call__", lambda self, progress: progress.done >= 0.4)
        assert run(*journey, "-o", "a.gif").code == 130
        assert run(*journey).code == 130
    kept = listed(desk / "a.work" / "frames")
    run(*journey, "-o", "a.gif", "--smoothing", "2").fault(5, "'a.work' holds 2 frames", "--force")
    assert listed(desk / "a.work" / "frames") == kept
    other = run(*journey, "--smoothing", "2")
    assert other.code == 0 and other.out.endswith("-0-2.mp4\n") and "is there already" in other.err
    assert run(*journey).out == other.out.replace("-2.mp4", ".mp4")
    monkeypatch.setattr("reverie.motion.journey_frames.Traveller.make", lambda *_: pytest.fail("it is there already"))
    again = run(*journey)
    assert again.code == 0 and "very same recipe" in again.err


def test_a_name_of_ours_is_free_or_the_very_same(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("dream", "sky.png", *SHORT)
    name = first.out.strip()
    before = Path(name).read_bytes()
    other = run("dream", "sky.png", *SHORT, "--vivid", "0.2")
    assert other.out.strip() == name.replace(".png", "-2.png") and f"'{name}' is there already" in other.err
    third = run("dream", "sky.png", *SHORT, "--vivid", "0.3", "--json")
    assert third.data[0]["path"] == name.replace(".png", "-3.png")
    with monkeypatch.context() as patch:
        patch.setattr(reverie.render.Plan, "make", lambda *_: pytest.fail("it is there already"))
        again = run("dream", "sky.png", *SHORT, "--vivid", "0.2")
        assert (again.code, again.out) == (0, other.out) and "made by the very same recipe" in again.err
        told = run("dream", "sky.png", *SHORT, "--vivid", "0.2", "--json").data
        assert told[0]["path"] == other.out.strip() and told[0]["recipe"]["ascent"]["vivid"] == 0.2
    assert Path(name).read_bytes() == before
    assert run("dream", "sky.png", *SHORT, "--vivid", "0.4", "--force").out == first.out and Path(name).read_bytes() != before
    assert run("redo", name).out == run("redo", name).out
    assert run("redo", name, "--seed", "7").out.strip() == name.replace(".png", "-redo-2.png")


def test_what_cannot_be_written_is_told_before_torch_is_there(sky: Path, place: Path) -> None:
    saved(place / "there.png")
    saved(place / "there.mp4", format="PNG")
    refused = (
        ("dream", "sky.png", "-o", "there.png"), ("dream", "sky.png", "-o", "sky.png", "--force"), ("dream", "sky.png", "-o", "no/a.png"),
        ("imagine", "banana", "--sheet", "there.png"), ("imagine", "banana", "-o", "there.png"), ("journey", "sky.png", "-o", "there.mp4"),
        ("see", "sky.png", "-o", "there.png"), ("feature", "blocks.1.0:1", "-o", "there.png"),
    )  # fmt: skip
    program = "import sys; from reverie.cli.main import main; codes = [main(each.split()) for each in sys.argv[1:]]"
    program += "; print(codes, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, *map(" ".join, refused)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{[5] * len(refused)} False", done


@pytest.mark.parametrize("flags", [("--preset", "eyes", "-o", "eyes"), ("-l", "objects", "-o", "objects")])
def test_a_folder_that_is_called_as_a_choice_is_no_input(run: Run, sky: Path, flags: tuple[str, ...]) -> None:
    Path(flags[-1]).mkdir()
    first = run("dream", "sky.png", *SHORT, *flags)
    again = run("dream", "sky.png", *SHORT, *flags)
    assert (again.code, again.out) == (0, first.out) and "made by the very same recipe" in again.err
    assert run("dream", "sky.png", *SHORT, *flags, "--vivid", "0.2", "--force").out == first.out


def test_a_folder_does_not_dream_its_own_dreams(run: Run, place: Path) -> None:
    (place / "in").mkdir()
    saved(place / "in" / "a.png")
    saved(place / "in" / "b.jpg", 64, 80)
    first = run("dream", "in", *SHORT, "-o", "in", "--making", "2")
    assert first.code == 0 and len(first.out.splitlines()) == 4 and "2 pictures, about " in first.err
    assert run("imagine", "banana", "daisy", "--size", "64", "--steps", "1", "-o", "in", "--sheet", "in/sheet.jpg").code == 0
    again = run("dream", "in", *SHORT, "-o", "in", "--seed", "1")
    assert [Path(each).name[0] for each in again.out.splitlines()] == ["a", "b"]
    assert "7 of 9 pictures in 'in' were made by Reverie" in again.err
    mine = next(each for each in first.out.splitlines() if "making" not in each)
    assert run("dream", mine, *SHORT, "-o", "out.png").code == 0  # one that is named is dreamt on
    for name in ("a.png", "b.jpg"):
        (place / "in" / name).unlink()
    run("dream", "in").fault(3, "pictures in 'in' were made by Reverie")


def test_a_film_in_frames_is_a_dream_as_a_whole(run: Run, place: Path) -> None:
    journey = ("journey", "noise:pink", "--size", "64x48", "--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "4")
    assert run(*journey, "-o", "frames").code == 0
    run("dream", "frames").fault(3, "all 4 pictures")


def test_originals_hold_for_whatever_writes(place: Path) -> None:
    saved(place / "a.png")
    with originals([place / "a.png", place / "none.png"]):
        with pytest.raises(OutputError, match="never written over"):
            write_whole(_hard_link(place / "a.png"), b"", replace=True)
        write_whole(place / "b.png", b"new")
    write_whole(place / "a.png", b"new", replace=True)


def test_a_sheet_says_that_it_is_one(run: Run, place: Path) -> None:
    assert run("imagine", "banana", "--size", "64", "--steps", "1", "--sheet", "s.png", "--quiet").code == 0
    run("recipe", "s.png").fault(3, "'s.png' is a sheet of pictures", "each of them")
    assert run("imagine", "daisy", "--size", "64", "--steps", "1", "--sheet", "t.png", "--no-recipe", "--quiet").code == 0
    run("recipe", "t.png").fault(3, "carries no recipe")
    with pytest.raises(reverie.errors.InputError):
        read_recipe("s.png")


def test_a_kept_start_is_given_back(run: Run, place: Path, leaf: Path) -> None:
    photograph = saved(place / "photo.jpg")
    saved(place / "mask.png")
    content, mask = photograph.read_bytes(), (place / "mask.png").read_bytes()
    assert run("dream", "photo.jpg", *SHORT, "--mask", "mask.png", "--guide", leaf.name, "-o", "a.png").code == 0
    (place / "mask.png").unlink()
    photograph.unlink()
    assert run("recipe", "a.png", "--start", "-o", "back.jpg").out == "back.jpg\n" and Path("back.jpg").read_bytes() == content
    assert "is there already" in run("recipe", "a.png", "--start", "-o", "back.jpg").err
    Path("other.jpg").write_bytes(b"mine")
    run("recipe", "a.png", "--start", "-o", "other.jpg").fault(5, "'other.jpg' exists already")
    run("recipe", "a.png", "--start", "-o", "a.png").fault(5, "'a.png' is what goes in")
    assert run("recipe", "a.png", "--start").out == "a-start.jpg\n"
    Path("a-start.jpg").write_bytes(b"mine")
    assert run("recipe", "a.png", "--start").out == "a-start-2.jpg\n" and Path("a-start.jpg").read_bytes() == b"mine"
    told = run("recipe", "a.png", "--start", "-o", "start.png")
    assert (told.code, told.out) == (0, "start.jpg\n") and "what went in is a .jpg" in told.err
    assert Path("start.jpg").read_bytes() == content and not Path("start.png").exists()
    run("recipe", "a.png", "--start", "-o", "other.png").fault(5, "'other.jpg' exists already")
    rows = run("recipe", "a.png", "--inputs", "-o", "all", "--json").data
    assert [each["role"] for each in rows] == ["start", "guide", "mask"] and listed(place / "all") == [
        "a-guide.png",
        "a-mask.png",
        "a-start.jpg",
    ]
    assert Path("all/a-mask.png").read_bytes() == mask
    run("recipe", "a.png", "-o", "b.png").fault(2, "--start or --inputs")


def test_what_is_not_kept_is_told(run: Run, sky: Path) -> None:
    assert run("dream", sky.name, *SHORT, "--no-keep", "-o", "a.png").code == 0
    run("recipe", "a.png", "--start").fault(3, "the start of 'a.png' is not kept", read_recipe("a.png").inputs[0].sha256)  # type: ignore[union-attr]
    assert run("dream", "noise:pink", "--size", "64", *SHORT, "-o", "b.png").code == 0
    run("recipe", "b.png", "--start").fault(3, "'b.png' began with noise")


def test_a_film_is_given_back(run: Run, place: Path) -> None:
    from tests.helpers import clips

    clips.save_clip(place / "in.mp4", clips.pan(4, 48, 64).frames)
    content = (place / "in.mp4").read_bytes()
    assert run("film", "in.mp4", "--octaves", "1", "--steps", "1", "-o", "out.webm").code == 0
    (place / "in.mp4").unlink()
    assert run("recipe", "out.webm", "--start").out == "out-film.mp4\n" and Path("out-film.mp4").read_bytes() == content

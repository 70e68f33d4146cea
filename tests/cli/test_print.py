"""Pictures for paper: their pixels, what the file says to a printer, and what of the paper stays free."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.helpers.commands import SHORT, Run, listed, saved

import reverie
from reverie.album import read_recipe
from reverie.errors import UsageError

PRINT = ("--print", "10x8 cm", "--dpi", "50")  # 197 × 157 pixels


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_dream_has_the_pixels_of_the_print_and_its_file_the_dots(run: Run, sky: Path, suffix: str) -> None:
    made = run("dream", sky, *SHORT, "--level", "edges", *PRINT, "-o", f"a{suffix}")
    assert made.code == 0, made
    told = "printed at 50 dpi: 10.0×7.5 cm, 197×148 pixels; of paper of 10.0×8.0 cm 0.2 cm stay free above and below"
    assert told in made.err, made
    with Image.open(f"a{suffix}") as image:
        assert image.size == (197, 148)
        if suffix == ".webp":
            assert image.getexif()[0x011A] == 50
        else:
            assert image.info["dpi"] == pytest.approx((50, 50), abs=0.02)
    recipe = read_recipe(f"a{suffix}")
    assert (recipe.width, recipe.height, recipe.finish.dpi) == (197, 148, 50)
    assert run("redo", f"a{suffix}", "-o", f"b{suffix}").code == 0
    assert Path(f"b{suffix}").read_bytes() == Path(f"a{suffix}").read_bytes()


def test_an_upright_picture_turns_the_paper(run: Run, place: Path) -> None:
    saved(place / "tall.png", 128, 96)
    assert run("dream", "tall.png", *SHORT, "--level", "edges", *PRINT, "-o", "a.png").code == 0
    with Image.open("a.png") as image:
        assert image.size == (148, 197)


def test_noise_fills_the_paper_and_the_dots_are_300(run: Run, place: Path) -> None:
    size = ("--print", "1x0.8in")
    few = ("--octaves", "1", "--steps", "1")
    for command in (("dream", "noise:pink", "--level", "edges"), ("feature", "blocks.1.0:3"), ("imagine", "banana")):
        made = run(*command, *few, *size, "-o", "a.png", "--force")
        assert made.code == 0 and "printed at 300 dpi: 2.5×2.0 cm, 300×240 pixels" in made.err, made
        with Image.open("a.png") as image:
            assert image.size == (300, 240) and image.info["dpi"] == pytest.approx((300, 300), abs=0.02)


def test_redo_for_another_print_and_for_other_dots_alone(run: Run, sky: Path) -> None:
    assert run("dream", sky, *SHORT, "--level", "edges", "-o", "a.png").code == 0
    assert run("redo", "a.png", *PRINT, "-o", "b.png").code == 0
    made = read_recipe("b.png")
    assert (made.width, made.height, made.finish.dpi) == (197, 148, 50) and made.made_from is not None
    assert run("redo", "b.png", "--print", "1x0.8in", "-o", "same.png").code == 0 and read_recipe("same.png").finish.dpi == 50
    assert run("redo", "a.png", "--print", "1x0.8in", "-o", "usual.png").code == 0
    made = read_recipe("usual.png")
    assert (made.width, made.height, made.finish.dpi) == (300, 225, 300)
    assert run("redo", "b.png", "--dpi", "72", "-o", "c.png").code == 0
    with Image.open("c.png") as after, Image.open("b.png") as before:
        assert after.info["dpi"] == pytest.approx((72, 72), abs=0.02) and after.tobytes() == before.tobytes()
    assert run("imagine", "banana", "--size", "64", "--octaves", "1", "--steps", "1", "-o", "d.png").code == 0
    assert run("redo", "d.png", "--print", "1x0.8in", "--dpi", "100", "-o", "e.png").code == 0
    with Image.open("e.png") as image:
        assert image.size == (100, 80)


def test_what_says_the_size_twice_or_not_at_all_is_refused(run: Run, sky: Path, place: Path) -> None:
    run("dream", sky, "--print", "A4", "--width", "300").fault(2, "both a print and a width", "leave --width out")
    run("imagine", "banana", "--print", "A4", "--size", "300").fault(2, "both a print and a size")
    run("dream", sky, "--print", "60x40").fault(2, "--print 60x40 without a unit", "--print 60x40cm")
    run("dream", sky, "--dpi", "0").fault(2, "--dpi 0", "at least 1")
    run("dream", "noise:pink", "--print", "A0").fault(3, "more than fit in memory")
    run("journey", "noise:pink", "--print", "A4").fault(2, "--print")
    assert listed(place) == ["sky.png"]


def test_in_python_and_with_what_the_start_says(sky: Path) -> None:
    made = reverie.dream(sky, "blocks.1.0", octaves=1, steps=1, print="10x8cm", dpi=50)
    assert made.size == (148, 197) and made.dpi == (50, 50)
    saved(sky, dpi=(96, 96))
    kept = reverie.dream(sky, "blocks.1.0", octaves=1, steps=1)
    assert kept.dpi == pytest.approx((96, 96), abs=0.02) and '"dpi"' not in there_text(kept)
    with pytest.raises(UsageError, match="both a print and a width"):
        reverie.dream(sky, "blocks.1.0", print="A4", width=300)


def there_text(picture: reverie.Picture) -> str:
    """Its recipe as text: what was not asked for is not in it, so that earlier bytes come again."""
    assert picture.recipe is not None
    return picture.recipe.text()

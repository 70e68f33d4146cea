"""What the flags of `dream` do to the picture it makes."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.helpers.commands import SHORT, Run, photo, pixels, saved

from reverie.album import read_recipe
from reverie.recipe import PRESETS

pytestmark = pytest.mark.usefixtures("place")


def test_the_making_as_a_strip(run: Run, sky: Path) -> None:
    assert run("dream", "sky.png", "--octaves", "1", "--steps", "3", "-o", "a.png", "--making", "3").out == "a.png\na-making.png\n"
    assert read_recipe("a-making.png") == read_recipe("a.png")
    assert pixels(Path("a-making.png")).shape == (240, 3 * 320 + 2 * 8, 3)
    strip, whole = Image.open("a-making.png"), Image.open("a.png")
    frames = [strip.crop((left, 0, left + 320, 240)).resize(whole.size) for left in (0, 328, 656)]
    far = [np.abs(np.asarray(each).astype(int) - np.asarray(whole)).mean() for each in frames]
    assert far[0] > far[1] > far[2]  # the last of them is the result
    Path("b-making.png").write_bytes(b"mine")
    run("dream", "sky.png", *SHORT, "-o", "b.png", "--making", "3").fault(5, "'b-making.png' exists already")
    assert Path("b-making.png").read_bytes() == b"mine" and not Path("b.png").exists()


def test_deep_is_of_16_bits(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "a.png", "--deep")
    run("dream", "sky.png", *SHORT, "-o", "b.png")
    content = Path("a.png").read_bytes()
    assert struct.unpack(">IIBB", content[16:26]) == (128, 96, 16, 2)
    assert np.abs(pixels(Path("a.png")) - pixels(Path("b.png"))).max() <= 1


def test_mix(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "all.png", "--mix", "1")
    run("dream", "sky.png", *SHORT, "-o", "none.png")
    run("dream", "sky.png", *SHORT, "-o", "half.png", "--mix", "0.5")
    assert np.array_equal(pixels(Path("all.png")), photo())
    half = (pixels(Path("none.png")) + photo()) / 2
    assert np.abs(pixels(Path("half.png")) - half).max() <= 1 and np.abs(half - photo()).max() > 3


def test_keep_colour(run: Run, sky: Path) -> None:
    flags = ("--octaves", "2", "--steps", "3", "--vivid", "1")
    run("dream", "sky.png", *flags, "-o", "kept.png", "--keep-colour")
    run("dream", "sky.png", *flags, "-o", "free.png")

    def chroma(values: np.ndarray) -> np.ndarray:
        coloured: np.ndarray = values - values @ np.array([[0.299], [0.587], [0.114]])
        return coloured

    kept, free, start = pixels(Path("kept.png")), pixels(Path("free.png")), photo().astype(int)
    inside = ((kept > 0) & (kept < 255)).all(-1)
    assert inside.mean() > 0.9 and np.abs(chroma(kept) - chroma(start))[inside].max() <= 1.01
    assert np.abs(chroma(free) - chroma(start)).max() > 3
    assert np.abs(kept - start).mean() > 0.5


def test_no_recipe(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "a.png", "--no-recipe")
    run("dream", "sky.png", *SHORT, "-o", "b.png")
    assert b"reverie" not in Path("a.png").read_bytes()
    assert np.array_equal(pixels(Path("a.png")), pixels(Path("b.png")))
    run("recipe", "a.png").fault(3, "carries no recipe")


def test_a_recipe_names_no_place(run: Run, sky: Path, place: Path) -> None:
    text = run("dream", sky, *SHORT, "-o", place / "a.png", "--json").data[0]["recipe"]
    assert "sky" not in json.dumps(text) and str(place) not in json.dumps(text)


def test_alpha_and_resolution_are_kept(run: Run, place: Path) -> None:
    alpha = np.arange(96 * 128, dtype=np.uint16).reshape(96, 128).astype(np.uint8)
    Image.fromarray(np.dstack([photo(), alpha])).save("a.png", dpi=(300, 300))
    for name in ("b.png", "b.webp", "b.tif"):
        assert run("dream", "a.png", *SHORT, "-o", name).code == 0
        assert np.array_equal(pixels(Path(name))[..., 3], alpha)
    with Image.open("b.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    run("dream", "a.png", *SHORT, "-o", "b.jpg").fault(2, "JPEG cannot hold transparency")


def test_a_tiny_start_and_octaves_too_small(run: Run, place: Path) -> None:
    saved(place / "tiny.png", 16, 16)
    answer = run("dream", "tiny.png", "-o", "a.png", "--octaves", "5", "--steps", "1", "--level", "objects")
    assert answer.code == 0 and "4 of 5 octaves are too small for this target and were skipped" in answer.err
    assert pixels(Path("a.png")).shape == (16, 16, 3)


def test_a_neuron_is_climbed_where_it_is(run: Run, sky: Path) -> None:
    answer = run("dream", "sky.png", "--target", "blocks.4.1:12@5,5", "--octaves", "3", "--steps", "1", "-o", "a.png")
    assert answer.code == 0 and "skipped" in answer.err


@pytest.mark.parametrize(("kind", "spread"), [("white", 74), ("grey", 2.55), ("pink", 56)])
def test_noise(run: Run, kind: str, spread: float) -> None:
    answer = run("dream", f"noise:{kind}", "--size", "80x64", *SHORT, "--strength", "0.001", "--seed", "4")
    assert answer.code == 0 and answer.out.startswith(f"noise-{kind}-")
    seen = pixels(Path(answer.out.strip()))
    assert seen.shape == (64, 80, 3) and abs(seen.std() - spread) < 0.15 * spread
    run("dream", f"noise:{kind}", "--size", "80x64", *SHORT, "--strength", "0.001", "--seed", "5", "-o", "other.png")
    assert not np.array_equal(pixels(Path("other.png")), seen)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(run: Run, sky: Path, name: str) -> None:
    assert run("dream", "sky.png", "--preset", name, "--octaves", "1", "--steps", "1", "-o", "a.png").code == 0

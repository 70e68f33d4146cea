"""What goes into a dream beside its start: guides, masks, caricatures, and several networks. Directions have a file of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import Answer, Run, forget, pixels, saved
from tests.helpers.imagefiles import photo, plain_png, tiff, tiff_tags

import reverie
from reverie import store
from reverie.album import read_recipe
from reverie.errors import UsageError
from reverie.files.png import chunk
from reverie.networks import Network
from reverie.pictures import Picture, load, resize
from reverie.recipe import NoiseInput

pytestmark = pytest.mark.usefixtures("place")

TINY = ("--octaves", "1", "--steps", "2")
SHORT: dict[str, Any] = {"target": "blocks.2.1", "octaves": 1, "steps": 2}
CHANNELS = 40  # of blocks.2.1


@pytest.fixture
def half(place: Path) -> Path:
    """A mask: white on the left, black on the right."""
    return masked(place / "half.png")


def masked(path: Path, height: int = 48, width: int = 64) -> Path:
    values = np.zeros((height, width), np.uint8)
    values[:, : width // 2] = 255
    Image.fromarray(values).save(path)
    return path


# ── made again, with all that went in ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("objective", ["guide", "direction"])
def test_redo_finds_what_went_in_in_the_cache_beside_it_or_where_it_is_said_to_be(
    run: Run, small_sky: Path, leaf: Path, half: Path, place: Path, dream: Callable[..., Answer], objective: str
) -> None:
    np.save("way.npy", np.arange(CHANNELS) - 7.5)
    beside = {"guide": leaf, "direction": Path("way.npy")}[objective]
    assert dream(f"--{objective}", beside, "--mask", half).code == 0
    first = Path("a.png").read_bytes()
    recipe = read_recipe("a.png")
    assert recipe.objective == objective and sorted(each.role for each in recipe.inputs) == sorted(["start", objective, "mask"])
    names: dict[str, str] = {each.role: each.sha256 for each in recipe.inputs if not isinstance(each, NoiseInput)}
    assert names == {"start": store.sha256_of(small_sky), objective: store.sha256_of(beside), "mask": store.sha256_of(half)}
    assert str(place) not in recipe.text() and leaf.stem not in recipe.text()
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    for each in (small_sky, beside, half):
        shutil.move(each, elsewhere / f"other-{each.name}")
    assert run("redo", "a.png", "-o", "b.png").code == 0 and Path("b.png").read_bytes() == first  # the cache
    forget()
    run("redo", "a.png", "-o", "c.png").fault(3, names["start"], "--start PATH")
    assert run("redo", "a.png", "-o", "c.png", "--start", elsewhere).code == 0 and Path("c.png").read_bytes() == first
    for role, each in sorted({"start": small_sky, objective: beside, "mask": half}.items(), key=lambda item: list(names).index(item[0])):
        run("redo", "a.png", "-o", "d.png").fault(3, f"the {role} of 'a.png' is not to be found (sha256 {names[role]})")
        shutil.copy(elsewhere / f"other-{each.name}", place / f"copy-{each.name}")
    assert run("redo", "a.png", "-o", "d.png").code == 0 and Path("d.png").read_bytes() == first  # beside it


def test_no_keep_keeps_nothing_of_what_goes_in(run: Run, leaf: Path, half: Path, dream: Callable[..., Answer]) -> None:
    np.save("way.npy", np.ones(CHANNELS))
    assert dream("--guide", leaf, "--mask", half, "--no-keep").code == 0
    assert run("feature", "blocks.2.1", "--size", "32", *TINY, "--direction", "way.npy", "--no-keep", "-o", "f.png").code == 0
    assert not store.cache_folder().exists()
    assert run("feature", "blocks.2.1", "--size", "32", *TINY, "--direction", "way.npy", "-o", "f.png").code == 0
    assert len([each for each in store.cache_folder().rglob("*") if each.is_file() and each.stat().st_size]) == 1
    Path("way.npy").unlink()
    before = Path("f.png").read_bytes()
    assert run("redo", "f.png", "-o", "g.png").code == 0 and Path("g.png").read_bytes() == before


# ── masks ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flags", [(), ("--mix", "0.4"), ("--keep-colour",), ("--canvas", "fourier", "--tone", "free"), ("--octaves", "2")])
def test_where_a_mask_is_black_every_byte_stays(small_sky: Path, half: Path, dream: Callable[..., Answer], flags: tuple[str, ...]) -> None:
    assert dream("--mask", half, *flags) == Answer(0, "a.png\n", "")
    before, after = pixels(small_sky), pixels(Path("a.png"))
    assert np.array_equal(before[:, 32:], after[:, 32:])
    assert np.abs(before[:, :32] - after[:, :32]).mean() > 0.5


def test_where_a_mask_is_black_every_byte_stays_of_a_dream_that_was_stopped(small_sky: Path, half: Path) -> None:
    choices: dict[str, Any] = {**SHORT, "octaves": 2, "mask": half, "making": 2}
    made = reverie.dream(small_sky, progress=lambda seen: True, **choices)
    assert made.recipe is not None and made.recipe.stopped is not None and made.recipe.stopped.octave == 1
    after = pixels(made.save("a.png"))
    assert np.array_equal(pixels(small_sky)[:, 32:], after[:, 32:]) and not np.array_equal(pixels(small_sky), after)


@pytest.mark.parametrize("flags", [(), ("--mix", "0.4"), ("--keep-colour",)])
def test_a_mask_of_another_size_is_brought_to_the_pictures_with_a_word(
    small_sky: Path, place: Path, dream: Callable[..., Answer], flags: tuple[str, ...]
) -> None:
    answer = dream("--mask", masked(place / "small.png", 12, 16), *flags)
    assert answer.code == 0 and answer.err == "reverie: the mask is 16×12 and was brought to 64×48\n"
    before, after = pixels(small_sky), pixels(Path("a.png"))
    assert np.array_equal(before[:, 44:], after[:, 44:]) and not np.array_equal(before[:, 28:36], after[:, 28:36])
    assert np.abs(before[:, :20] - after[:, :20]).mean() > 0.5


def test_what_a_mask_means_with_and_without_alpha(small_sky: Path, half: Path, dream: Callable[..., Answer]) -> None:
    light = np.asarray(Image.open(half))
    white, full = np.full_like(light, 255), np.full_like(light, 255)
    dream("--mask", half)
    wanted = pixels(Path("a.png"))
    Image.fromarray(np.dstack([light, light, light, full])).save("opaque.png")  # as most programs save it
    Image.fromarray(np.dstack([white, white, white, light])).save("cut.png")
    for name in ("opaque.png", "cut.png"):
        assert dream("--mask", name).code == 0
        assert np.array_equal(pixels(Path("a.png")), wanted), name


def test_a_mask_that_leaves_nothing_or_is_no_picture(run: Run, small_sky: Path, place: Path) -> None:
    Image.new("L", (64, 48)).save("black.png")
    Image.new("RGBA", (64, 48), (255, 255, 255, 0)).save("clear.png")
    (place / "text.png").write_text("white")
    common = ("dream", small_sky.name, "-t", "blocks.2.1", *TINY, "-o", "a.png", "--mask")
    for name in ("black.png", "clear.png"):
        run(*common, name).fault(3, "the mask is black all over", "white is where to dream")
    run(*common, "text.png").fault(3, "text.png")
    run(*common, "none.png").fault(3, "'none.png' does not exist")
    assert not Path("a.png").exists() and not store.cache_folder().exists()


def test_a_mask_and_opacity_go_together(half: Path, dream: Callable[..., Answer]) -> None:
    assert dream("--mask", half, "--opacity", "--jitter", "0").code == 0
    alpha = pixels(Path("a.png"))[..., 3]
    assert alpha[:, 48:].max() == 0 and alpha[:, :24].max() > 200  # it is smooth, and reaches over the edge a little


# ── guides ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_guide_brings_the_dream_nearer_to_its_features(small_sky: Path, leaf: Path, lite0: Network) -> None:
    def score(picture: Picture) -> float:
        """How much of the most similar place of the guide each place sees."""
        with torch.no_grad():
            here = lite0.prepare(["blocks.2.1"])(picture.pixels[None])["blocks.2.1"].flatten(2)[0]  # (C, P)
            there = lite0.prepare(["blocks.2.1"])(resize(load(leaf).pixels, 224, 224)[None])["blocks.2.1"].flatten(2)[0]
        return float((here.T @ there).amax(1).mean())

    choices: dict[str, Any] = {**SHORT, "network": lite0, "steps": 6, "jitter": 0}
    scores: list[float] = []
    led = reverie.dream(small_sky, guide=leaf, progress=lambda seen: scores.append(float(seen.score)), **choices)
    start, free = load(small_sky), reverie.dream(small_sky, **choices)
    assert score(led) > 1.5 * score(start) and score(led) > 1.1 * score(free), [score(each) for each in (start, led, free)]
    assert scores[0] == pytest.approx(score(start), rel=0.15)  # it compares with some of the guide's places, not with all
    assert scores[-1] > 1.3 * scores[0]


def test_a_guide_of_any_shape_is_taken_and_one_too_small_is_not(place: Path, dream: Callable[..., Answer]) -> None:
    assert dream("--guide", saved(place / "wide.png", 16, 200)).code == 0
    dream("--guide", saved(place / "tiny.png", 15, 40)).fault(3, "the guide is 40×15 pixels", "the least is 16 a side")
    dream("--guide", "none.png").fault(3, "'none.png' does not exist")


# ── caricatures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_caricature_exaggerates_what_is_there(small_sky: Path, lite0: Network) -> None:
    choices: dict[str, Any] = {**SHORT, "network": lite0, "steps": 6, "strength": 0.003, "jitter": 0}
    scores: list[float] = []
    made = reverie.dream(small_sky, caricature=True, progress=lambda seen: scores.append(float(seen.score)), **choices)
    assert made.recipe is not None and made.recipe.objective == "caricature"
    name = "blocks.2.1"
    with torch.no_grad():
        both = (load(small_sky), made, reverie.dream(small_sky, **choices))
        before, after, plain = (lite0.prepare([name])(each.pixels[None])[name].flatten() for each in both)
    assert scores[-1] > 1.02 * scores[0] and (before @ after) > 1.05 * (before @ before)
    assert torch.cosine_similarity(before, after, 0) > torch.cosine_similarity(before, plain, 0) + 0.1  # which goes its own way
    first = made.save("a.png")
    assert reverie.redo(first).save("b.png").read_bytes() == first.read_bytes()


# ── flags that contradict each other ─────────────────────────────────────────────────────────────────────────────────────

PAIR = ("--network", "efficientnet-lite0", "--network", "efficientnet-lite1")


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (("--guide", "sky.png", "--caricature"), "both --guide and --caricature"),
        (("--guide", "sky.png", "--direction", "way.npy"), "both --guide and --direction"),
        (("--caricature", "--towards", "one", "--from", "two"), "both --caricature and --towards"),
        (("--direction", "way.npy", "--towards", "one", "--from", "two"), "both --direction and --towards and --from"),
        (("--towards", "one"), "--towards without --from"), (("--from", "one"), "--from without --towards"),
        ((*PAIR, "--guide", "sky.png"), "a guide or a direction for several networks"),
        ((*PAIR, "--direction", "way.npy"), "a guide or a direction for several networks"),
        ((*PAIR[:2], *PAIR[:2]), "the same network twice"), (("-t", "class:banana", "--caricature"), "target 'class:banana'"),
        (("-t", "blocks.2.1:3", "--guide", "sky.png"), "a guide with the target 'blocks.2.1:3'"),
        (("-t", "blocks.4.1", "--direction", "way.npy"), "a direction of 40 numbers"),
        (("-t", "blocks.2.1 + blocks.2.0", "--towards", "sky.png", "--from", "sky.png"), "it needs one layer"),
    ],
)  # fmt: skip
def test_flags_that_contradict_each_other(run: Run, small_sky: Path, flags: tuple[str, ...], fault: str) -> None:
    np.save("way.npy", np.ones(CHANNELS))
    for folder in ("one", "two"):
        Path(folder).mkdir()
        saved(Path(folder) / "a.png", 32, 32)
    target = () if "-t" in flags else ("-t", "blocks.2.1")
    run("dream", small_sky.name, *target, *TINY, *flags, "-o", "a.png").fault(2, fault)
    assert not Path("a.png").exists() and not store.cache_folder().exists()  # found out before anything is kept


# ── several networks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dream_of_two_networks_names_both_and_can_be_made_again(run: Run, small_sky: Path, opened: Callable[[str], Network]) -> None:
    common = ("dream", small_sky.name, *TINY, "--force", "-o")
    assert run(*common, "a.png", "--level", "parts", *PAIR).code == 0
    recipe = read_recipe("a.png")
    both = [opened(name) for name in PAIR[1::2]]
    assert [(each.name, each.sha256) for each in recipe.networks] == [(each.name, each.sha256) for each in both]
    wanted = [each.level("parts") for each in both]
    assert [str(each.target or recipe.target) for each in recipe.networks] == wanted
    assert run("redo", "a.png", "-o", "b.png").code == 0 and Path("b.png").read_bytes() == Path("a.png").read_bytes()
    for name in PAIR[1::2]:
        assert run(*common, f"{name}.png", "--level", "parts", "--network", name).code == 0
    seen = [pixels(Path(f"{name}.png")) for name in ("a", *PAIR[1::2])]
    assert not any(np.array_equal(seen[first], seen[second]) for first, second in ((0, 1), (0, 2), (1, 2)))


def test_of_two_networks_one_may_be_given_to_redo_and_the_other_opened(
    small_sky: Path, lite0: Network, opened: Callable[[str], Network]
) -> None:
    made = reverie.dream(small_sky, "class:banana", network=[lite0, opened("efficientnet-lite2")], octaves=1, steps=1).save("a.png")
    assert reverie.redo(made, network=lite0).save("b.png").read_bytes() == made.read_bytes()
    with pytest.raises(UsageError, match="no layer 'nowhere'"):
        reverie.dream(small_sky, "nowhere", network=[lite0, opened("efficientnet-lite2")])


# ── what may surprise in a file ──────────────────────────────────────────────────────────────────────────────────────────


def test_how_files_were_understood_is_told_of_each(place: Path, dream: Callable[..., Answer]) -> None:
    """A dream on a start of two pages, with a guide and a mask that are odd too; `redo` says so of the start again."""
    colours, greys = photo(48, 64), photo(48, 64)[..., 0].astype("u2") * 16
    page = tiff_tags(colours, 2), colours
    (place / "sky.png").write_bytes(tiff(page, page))
    (place / "guide.png").write_bytes(plain_png(colours, chunk(b"cICP", bytes([9, 18, 0, 1]))))
    (place / "mask.tif").write_bytes(tiff((tiff_tags(greys, 1), greys)))
    told = dream("--guide", "guide.png", "--mask", "mask.tif").err
    assert "the start: it has 2 pages; the first was taken" in told
    assert "the guide: its light is coded for HDR screens (HLG)" in told and "the mask: its levels end at" in told
    assert any("the start: it has 2 pages" in each for each in reverie.redo(place / "a.png").notes)

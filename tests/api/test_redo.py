"""A picture made again from the recipe it carries: the same bytes, or a word about why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import Run, carrying, forget, listed, photo, pixels, saved
from tests.helpers.recipes import PLAIN
from tests.helpers.tiny import wrapped
from torch import nn

import reverie
import reverie.api
from reverie import store
from reverie.album import read_recipe
from reverie.errors import InputError, UsageError
from reverie.networks import Network, Preprocessing, wrap_module
from reverie.networks.prepared import device
from reverie.store import sha256_of

SHORT: dict[str, Any] = {"target": "blocks.2.1:3 - 0.5*blocks.1.1", "octaves": 2, "steps": 2}


pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def sky(place: Path) -> Path:
    return saved(place / "sky.jpg", quality=95)


def assert_again(first: Path) -> None:
    """`redo` gives the same file, byte for byte, and says so."""
    again = reverie.redo(first)
    place = again.save(first.with_name("again" + first.suffix))
    assert place.read_bytes() == first.read_bytes()
    assert again.notes[0].endswith("the same bytes")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_same_bytes_in_every_format(sky: Path, suffix: str) -> None:
    assert_again(reverie.dream(sky, **SHORT).save("a" + suffix))


@pytest.mark.parametrize(
    "choices",
    [
        {"deep": True}, {"mix": 0.3}, {"keep_colour": True}, {"width": 80}, {"width": 200}, {"seed": 2**62}, {"tone": "free"},
        {"deep": True, "mix": 0.7, "keep_colour": True, "width": 90}, {"jitter": 0, "smoothing": 0.0}, {"target": "class:banana"},
        {"target": None, "preset": "menagerie"}, {"target": None, "level": "edges"}, {"threads": 1},
    ],
)  # fmt: skip
def test_the_same_bytes_with_every_choice(sky: Path, choices: dict[str, Any]) -> None:
    assert_again(reverie.dream(sky, **{**SHORT, **choices}).save("a.png"))


@pytest.mark.parametrize("kind", ["white", "grey", "pink"])
def test_the_same_bytes_from_noise(kind: str) -> None:
    first = reverie.dream(f"noise:{kind}", **SHORT, size=(64, 80), seed=3).save("a.png")
    assert not store.cache_folder().exists()  # noise follows from the seed
    assert_again(first)


def test_the_same_bytes_with_alpha_and_resolution(place: Path) -> None:
    alpha = np.arange(96 * 128, dtype=np.uint16).reshape(96, 128).astype(np.uint8)
    Image.fromarray(np.dstack([photo(), alpha])).save("start.png", dpi=(300, 300))
    first = reverie.dream("start.png", **SHORT, width=100).save("a.png")
    assert pixels(first).shape == (75, 100, 4)
    assert_again(first)


def test_the_same_bytes_from_an_image_and_a_tensor() -> None:
    for start in (Image.fromarray(photo()), torch.from_numpy(photo()).permute(2, 0, 1) / 255):
        assert_again(reverie.dream(start, **SHORT).save("a.png", force=True))
        Path("again.png").unlink()


def test_the_start_is_found_in_the_cache_beside_or_where_it_is_said_to_be(run: Run, sky: Path, place: Path) -> None:
    first = reverie.dream(sky, **SHORT).save("a.png")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    moved = sky.rename(elsewhere / "renamed.jpg")
    assert run("redo", "a.png", "-o", "b.png").code == 0  # the cache
    forget()
    run("redo", "a.png", "-o", "c.png").fault(3, sha256_of(moved), "--start PATH")
    assert not Path("c.png").exists()
    for start in (moved, elsewhere):
        assert run("redo", "a.png", "-o", "c.png", "--start", start).code == 0
        assert Path("c.png").read_bytes() == first.read_bytes()
        Path("c.png").unlink()
    shutil.copy(moved, place / "other-name.jpg")
    assert run("redo", "a.png", "-o", "c.png").code == 0  # beside
    assert Path("c.png").read_bytes() == Path("b.png").read_bytes() == first.read_bytes()


def test_a_start_that_is_another_or_edited(run: Run, sky: Path, place: Path) -> None:
    digest = sha256_of(sky)
    reverie.dream(sky, **SHORT, keep=False).save("a.png")
    assert not store.cache_folder().exists()
    other = saved(place / "other.png")
    with pytest.raises(InputError, match=f"is not the start of 'a.png'; its sha256 should be {digest}"):
        reverie.redo("a.png", start=other)
    run("redo", "a.png", "-o", "b.png", "--start", "none.png").fault(3, "'none.png' does not exist")
    saved(sky, quality=94)
    run("redo", "a.png", "-o", "b.png").fault(3, digest)
    assert not Path("b.png").exists()


def test_a_kept_start_that_was_damaged_is_looked_for_elsewhere(sky: Path) -> None:
    first = reverie.dream(sky, **SHORT).save("a.png")
    (kept,) = (each for each in store.cache_folder().rglob("*") if each.is_file())
    kept.write_bytes(b"damaged")
    assert_again(first)  # the start is beside it


def test_other_threads_are_the_same_to_the_eye(run: Run, sky: Path) -> None:
    reverie.dream(sky, **SHORT, threads=2).save("a.png")
    answer = run("redo", "a.png", "-o", "b.png", "--threads", "1")
    assert answer.code == 0 and "made with 2 threads on cpu" in answer.err and "here it is 1 thread on cpu" in answer.err
    assert "the same to the eye" in answer.err and "same bytes" not in answer.err
    assert np.abs(pixels(Path("a.png")) - pixels(Path("b.png"))).mean() < 1
    assert read_recipe("b.png").machine.threads == 1


def test_a_picture_of_a_gpu_is_made_on_what_there_is(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has what it should lack")
    made = reverie.dream("noise:pink", **SHORT, size=64).recipe
    assert made is not None
    machine = made.machine.model_copy(update={"device": "cuda", "precision": "bfloat16"})
    carrying(place / "a.png", made.model_copy(update={"machine": machine}).text())
    monkeypatch.setattr(device, "runs_here", lambda _: False)  # kernels for bfloat16, see test_precision.py
    answer = run("redo", "a.png", "-o", "b.png")
    assert answer.code == 0 and "on cuda, bfloat16" in answer.err and "on cpu, float32" in answer.err and "to the eye" in answer.err
    assert read_recipe("b.png").machine.device == "cpu"
    run("redo", "a.png", "-o", "c.png", "--device", "cuda").fault(2, "device 'cuda' is not on this machine")


def test_ones_own_network_is_checked_by_hash() -> None:
    def made(seed: int) -> Network:
        torch.manual_seed(seed)
        return wrapped(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1)), size=32)

    own = made(0)
    first = reverie.dream("noise:pink", "0:1", network=own, size=32, octaves=1, steps=2).save("a.png")
    assert reverie.redo(first, network=made(0)).save("b.png").read_bytes() == first.read_bytes()
    with pytest.raises(InputError, match=f"other weights of '{own.name}' .sha256 {own.sha256}"):
        reverie.redo(first, network=made(1))
    with pytest.raises(InputError, match=r"network of somebody's own, .*; name it: network=FILE definition="):
        reverie.redo(first)


def test_a_picture_has_no_output_but_its_save(place: Path) -> None:
    with pytest.raises(UsageError, match=r"output for a picture; save it"):
        reverie.redo(carrying(place / "a.png", PLAIN.text()), "b.png")


def test_ones_own_network_must_take_pictures_as_it_did() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1))

    def own(mean: float = 127.5, size: int = 32) -> Network:
        return wrap_module(module, Preprocessing.of([mean] * 3, [64.0, 51.0, 25.5], range=(0, 255), size=size))

    first = reverie.dream("noise:pink", "0:1", network=own(), size=32, octaves=1, steps=2)
    assert first.recipe is not None
    used = first.recipe.networks[0]
    assert (used.mean, used.std, used.size) == ((0.5, 0.5, 0.5), (0.25098, 0.2, 0.1), (32, 32))
    path = first.save("a.png")
    assert reverie.redo(path, network=own()).save("b.png").read_bytes() == path.read_bytes()
    for other in (own(mean=120), own(size=48)):
        with pytest.raises(InputError, match=r"another way; .*mean=0.5,0.5,0.5 std=0.25098,0.2,0.1 range=0,1 native=32x32"):
            reverie.redo(path, network=other)


def test_other_weights_of_a_built_in_network(place: Path) -> None:
    data = json.loads(PLAIN.text())
    path = carrying(place / "a.png", json.dumps(data))  # its sha256 is made up
    with pytest.raises(InputError, match="other weights of 'efficientnet-lite0'"):
        reverie.redo(path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"target": "blocks.99"}, "cannot be followed: no layer 'blocks.99'"),
        ({"target": "blocks.4.1:9999"}, "no channel 9999"),
        ({"target": "class:nobody"}, "no label 'nobody'"),
        ({"target": "blocks.4.1:1@9,9"}, "no place 9,9"),
        ({"width": 900_000, "height": 900_000}, "more than fit in memory"),
        ({"width": 8}, "the least is 16"),
    ],
)
def test_a_recipe_that_does_not_fit(place: Path, lite0: Network, change: dict[str, Any], fault: str) -> None:
    data = {**json.loads(PLAIN.text()), **change}
    data["networks"][0]["sha256"] = lite0.sha256
    with pytest.raises(InputError, match=fault):
        reverie.redo(carrying(place / "a.png", json.dumps(data)))


def test_a_recipe_that_contradicts_its_start(sky: Path, place: Path) -> None:
    made = reverie.dream(sky, **SHORT).recipe
    assert made is not None
    path = carrying(place / "a.png", made.model_copy(update={"height": made.height + 5}).text())
    with pytest.raises(InputError, match="differ in shape"):
        reverie.redo(path)


def test_many_threads_of_a_stranger_are_refused(place: Path) -> None:
    path = carrying(place / "a.png", PLAIN.text().replace('"threads":2', '"threads":4096'))
    with pytest.raises(InputError, match=r"machine\.threads"):
        reverie.redo(path)


def test_bad_flags_of_redo(run: Run, sky: Path, place: Path) -> None:
    reverie.dream(sky, **SHORT).save("a.png")
    run("redo", "a.png", "-o", "b.png", "--threads", "0").fault(2, "--threads 0")
    run("redo", "a.png", "-o", "b.png", "--device", "tpu").fault(2, "no device 'tpu'")
    run("redo", "a.png", "-o", "none/b.png").fault(5, "mkdir -p 'none'")
    run("redo", "a.png", "-o", "sky.jpg").fault(5, "exists already")
    with pytest.raises(UsageError, match="the network is open on cpu"):
        reverie.redo("a.png", network=reverie.load(), device="cuda")
    assert listed(place) == ["a.png", "sky.jpg"]


def test_without_a_name_it_goes_beside_where_one_works(run: Run, sky: Path, place: Path) -> None:
    (place / "out").mkdir()
    reverie.dream(sky, **SHORT).save("out/a.webp")
    assert run("redo", "out/a.webp").out == "a-redo.webp\n"
    assert run("redo", "out/a.webp", "-o", "out").out == "out/a-redo.webp\n"
    run("redo", "out/a.webp", "-o", "out/a.webp").fault(5, "is what goes in")
    bare = run("redo", "out/a.webp", "-o", "bare.png", "--no-recipe")
    assert bare.code == 0
    run("recipe", "bare.png").fault(3, "carries no recipe")


def test_a_recipe_of_before_networks_computed_in_another_order_is_redone_to_the_eye(place: Path) -> None:
    made = reverie.dream("noise:pink", **SHORT, size=64)
    assert made.recipe is not None
    path = carrying(place / "a.png", made.recipe.model_copy(update={"schema_version": 1}).text())
    again = reverie.redo(path)
    assert again.recipe is not None and again.recipe.schema_version == 2
    assert again.notes[0].endswith("by a Reverie that computed in another order: the same to the eye")

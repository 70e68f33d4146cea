"""Directions in a layer's channels: from a file, from numbers, from pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.commands import Answer, Run

import reverie
from reverie.album import read_recipe
from reverie.api import plan_dream, plan_feature
from reverie.api.start_guide_mask import direction_from
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture, load
from reverie.recipe import VectorInput

pytestmark = pytest.mark.usefixtures("place")

TINY = ("--octaves", "1", "--steps", "2")
SHORT: dict[str, Any] = {"target": "blocks.2.1", "octaves": 1, "steps": 2}
CHANNELS = 40  # of blocks.2.1


def npy(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("latin1") + data


def written(values: Any) -> bytes:
    np.save("written.npy", values, allow_pickle=True)
    return Path("written.npy").read_bytes()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("was-here"),)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (lambda: written(np.array([Evil()] * CHANNELS, dtype=object)), "no .npy file of numbers"), (lambda: b"1 2 3\n", "no .npy file"),
        (lambda: b"", "no .npy file"), (lambda: b"PK\x03\x04 an archive", "no .npy file"), (lambda: npy("{'descr': ((("), "no .npy file"),
        (lambda: npy("[" * 9000), "no .npy file"), (lambda: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (40,), }\n"), "no .npy"),
        (lambda: npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,), }\n"), "no .npy"),
        (lambda: written(np.ones((2, CHANNELS))), "one row"), (lambda: written(np.float32(3)), "one row"), (lambda: written([]), "one row"),
        (lambda: written(np.array(["a"] * CHANNELS)), "one row"), (lambda: written(np.ones(CHANNELS, complex)), "one row"),
        (lambda: written([1.0] * 39 + [np.nan]), "not finite"), (lambda: written([1.0] * 39 + [np.inf]), "not finite"),
        (lambda: written(np.zeros(CHANNELS)), "nothing but 0"), (lambda: bytes((64 << 20) + 1), "too large for a direction"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_direction(dream: Callable[..., Answer], content: Callable[[], bytes], fault: str) -> None:
    Path("way.npy").write_bytes(content())
    dream("--direction", "way.npy").fault(3, "'way.npy'", fault)
    assert not Path("a.png").exists() and not Path("was-here").exists()


def test_a_direction_that_is_no_file(dream: Callable[..., Answer], place: Path) -> None:
    dream("--direction", "none.npy").fault(3, "'none.npy' does not exist")
    dream("--direction", place).fault(3, "is a folder")
    dream("--direction", "/dev/zero").fault(3, "is not a file")


def test_damaged_directions_never_end_in_a_traceback() -> None:
    seed = 5
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    sound = bytearray(written(np.arange(5.0)))
    for _ in range(400):
        damaged = sound.copy()
        for at in random.integers(6, 120, random.integers(1, 6)):
            damaged[at] = random.choice(np.frombuffer(b"([{'}]),0987:<f8 \x00\n\xff", np.uint8))
        with suppress(InputError):
            assert torch.isfinite(direction_from(bytes(damaged))[1]).all()


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e38, 1e300])
def test_a_direction_has_no_length(small_sky: Path, size: float) -> None:
    way = np.arange(CHANNELS) - 7.5
    wanted = reverie.dream(small_sky, direction=way, keep=False, **SHORT)
    np.save("way.npy", way * size)
    found = reverie.dream(small_sky, direction="way.npy", keep=False, **SHORT)
    assert (found.pixels - wanted.pixels).abs().max() < 0.02 and found.alive


def test_a_direction_is_followed(small_sky: Path, lite0: Network) -> None:
    name = "blocks.2.1"
    way = torch.zeros(CHANNELS)
    way[3] = 2.0

    def along(picture: Picture) -> float:
        with torch.no_grad():
            return float(lite0.prepare([name])(picture.pixels[None])[name][0, 3].mean())

    there, back = (reverie.dream(small_sky, direction=each, network=lite0, **{**SHORT, "steps": 5}) for each in (way, -way))
    assert along(there) > along(load(small_sky)) > along(back)


def test_a_direction_from_pictures_leads_from_one_to_the_other(run: Run, small_sky: Path, leaf: Path, lite0: Network) -> None:
    Path("leaves").mkdir()
    shutil.copy(leaf, "leaves/a.png")
    shutil.copy(leaf, "leaves/b.png")
    Path("leaves/notes.txt").touch()
    there = plan_dream(small_sky, "blocks.2.1", network=lite0, towards="leaves", away=small_sky).direction
    back = plan_dream(small_sky, "blocks.2.1", network=lite0, towards=[small_sky], away=leaf).direction
    assert there is not None and back is not None and torch.allclose(there, -back, atol=1e-5)

    def mean(path: Path) -> torch.Tensor:
        with lite0.watch("blocks.2.1") as seen, torch.no_grad():
            lite0(torch.nn.functional.interpolate(load(path).pixels[None], lite0.size, mode="bicubic", antialias=True).clamp(0, 1))
        return seen["blocks.2.1"].mean((0, 2, 3))

    assert torch.cosine_similarity(there, mean(leaf) - mean(small_sky), 0) > 0.99
    flags = ("--size", "32", *TINY, "--towards", "leaves", "--from", small_sky.name)
    assert run("feature", "blocks.2.1", *flags, "-o", "a.png").code == 0
    (used,) = (each for each in read_recipe("a.png").inputs if isinstance(each, VectorInput))
    assert used.channels == CHANNELS
    shutil.rmtree("leaves")
    assert run("redo", "a.png", "-o", "b.png").code == 0 and Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_pictures_that_give_no_direction(run: Run, small_sky: Path) -> None:
    Path("empty").mkdir()
    common = ("feature", "blocks.2.1", "--size", "32", *TINY, "-o", "a.png", "--towards")
    run(*common, "empty", "--from", small_sky.name).fault(3, "no picture in 'empty', which --towards names")
    run(*common, small_sky.name, "--from", "none").fault(3, "'none' does not exist")
    run(*common, small_sky.name, "--from", small_sky.name).fault(3, "nothing but 0")
    with pytest.raises(UsageError, match="a direction for several targets"):
        plan_feature("blocks.2.1:0-2", direction=np.ones(CHANNELS))

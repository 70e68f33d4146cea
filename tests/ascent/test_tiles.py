"""Pictures too large for one pass: their gradient tile by tile, and all that is done to them in bounded memory."""

from __future__ import annotations

import errno
import os
import random
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.helpers.commands import Run
from tests.helpers.tiny import wrapped
from torch import Tensor, nn

import reverie.pictures.disk_backed as large
import reverie.pictures.resizing as scale
import reverie.render.tiling as tiling
from reverie import api
from reverie.api import plan_dream
from reverie.ascent import Differentiation, Tiling, Transform
from reverie.canvas import LightTone, Preconditioner, Tone, preconditioner
from reverie.canvas.preconditioner import friendly
from reverie.errors import InputError, OutputError, UsageError
from reverie.files import recipe_text
from reverie.networks import Network
from reverie.pictures import banded, bands, in_memory, load, quantise, resample, room
from reverie.recipe import Penalties, Tiles, Transforms, read
from reverie.render import Inputs, scorers
from reverie.render.tiling import largest_in_memory, tiling_of

CPU = torch.device("cpu")
TINY = ("--octaves", "1", "--steps", "1", "--target", "blocks.2.1")


class Downward(nn.Module):
    """Strided, of both kinds of padding, with nothing that looks at the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.last = nn.Conv2d(6, 5, 5, stride=2, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.last(self.pool(self.first(x).tanh())).mean(dim=(2, 3))
        return scores


@pytest.fixture(scope="module")
def downward() -> Network:
    return wrapped(Downward(), size=64)


def noise(height: int, width: int, seed: int = 1) -> Tensor:
    print(f"seed {seed}")
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def gradients(
    network: Network, target: str, pictures: Tensor, transform: Transform, tile: int, halo: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Score and gradient in one pass, and by tiles."""
    made = plan_dream(pictures[0], target, network=network, tile=tile, halo=halo)
    whole = scorers(made.recipe.model_copy(update={"tiles": None}), [network], Inputs(pictures))[0]
    parts = scorers(made.recipe, [network], Inputs(pictures))[0]
    cut = tiling_of(made.recipe, network)
    assert cut is not None
    score, gradient = Differentiation()(whole, pictures, transform)
    by_tiles = Differentiation(cut, CPU)
    by_tiles(parts, 1 - pictures, transform)  # what it leaves behind is lost
    return score, gradient, *by_tiles(parts, pictures, transform)


def error(got: Tensor, wanted: Tensor) -> float:
    return float((got - wanted).norm() / wanted.norm())


# ---- the gradient


@pytest.mark.parametrize("size", [(64, 64), (61, 83), (90, 47), (17, 130)])
@pytest.mark.parametrize("tile", [16, 24, 40])
def test_tiles_with_a_halo_as_wide_as_the_receptive_field_are_exact(downward: Network, size: tuple[int, int], tile: int) -> None:
    reach = downward.reach("last")
    assert reach is not None
    halo = -(-(reach // 2) // 8) * 8
    for shift in ((0, 0), (5, -7), (-8, 3)):
        transform = Transform(shifts=(shift,))
        for target in ("last", "last:2", "last:1 - 0.5*first:3"):
            score, gradient, parts, out = gradients(downward, target, noise(*size), transform, tile, halo)
            assert error(out, gradient) < 2e-6, (shift, target)
            assert float(parts) == pytest.approx(float(score), rel=1e-5)


def test_a_halo_that_is_too_small_is_not(downward: Network) -> None:
    _, gradient, _, out = gradients(downward, "last", noise(64, 64), Transform(), 16, 0)
    assert error(out, gradient) > 0.05


@pytest.mark.parametrize("size", [(125, 171), (128, 160)])
def test_tiles_of_the_default_network_are_exact(lite0: Network, size: tuple[int, int]) -> None:
    for target in ("blocks.2.1", "blocks.3.2:7"):
        made = plan_dream(noise(*size)[0], target, network=lite0, tile=48)
        assert made.recipe.tiles is not None and made.notes == ()
        transform = Transform(shifts=((9, -4),))
        _, gradient, _, out = gradients(lite0, target, noise(*size), transform, made.recipe.tiles.tile, made.recipe.tiles.halo)
        assert error(out, gradient) < 2e-6


def test_windows_cover_the_picture_once_and_keep_its_rest() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(50):
        stride = draw.choice([1, 4, 16, 32])
        cut = Tiling(draw.randint(1, 200), draw.randint(0, 100), stride)
        height, width = draw.randint(1, 500), draw.randint(1, 500)
        covered = torch.zeros(height, width)
        for window in cut.windows(height, width):
            covered[window.rows.first : window.rows.last, window.columns.first : window.columns.last] += 1
            for span in (window.rows, window.columns):
                assert 0 <= span.begin <= span.first < span.last <= span.end <= span.length
                assert span.begin % stride == 0 and (span.length - (span.end - span.begin)) % stride == 0
                assert span.begin == 0 or span.first - span.begin >= cut.halo
                assert span.end == span.length or span.end - span.last >= cut.halo
        assert torch.equal(covered, torch.ones(height, width))


# ---- what else is done to large pictures


@pytest.mark.parametrize("size", [(611, 800), (130, 99), (301, 500), (700, 200), (17, 1033)])
def test_resampling_by_windows_is_that_in_one_go(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    values = noise(301, 407) * 3 - 1
    whole = resample(values, *size)
    monkeypatch.setattr(scale, "_WHOLE", 1)
    monkeypatch.setattr(scale, "_WINDOW", 97)
    assert (resample(values, *size) - whole).abs().max() < 3e-4


@pytest.mark.parametrize("size", [(211, 300), (64, 401), (300, 50)])
@pytest.mark.parametrize("power", [0.0, 1.0, 1.3])
def test_preconditioning_by_blocks_is_that_in_one_go(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], power: float) -> None:
    gradient = noise(*size) - 0.5
    whole = Preconditioner(*size, power, 0.3, CPU)(gradient)
    monkeypatch.setattr(preconditioner, "_AT_ONCE", 1)
    assert error(Preconditioner(*size, power, 0.3, CPU)(gradient), whole) < 1e-5  # one block
    monkeypatch.setattr(preconditioner, "_BLOCK", 200)
    monkeypatch.setattr(preconditioner, "_MARGIN", 80)
    assert error(Preconditioner(*size, power, 0.3, CPU)(gradient), whole) < 2e-2  # so narrow a margin costs a little


@pytest.mark.parametrize("kind", [Tone, LightTone])
def test_tone_by_bands_is_that_in_one_go(monkeypatch: pytest.MonkeyPatch, kind: type[Tone] | type[LightTone]) -> None:
    pixels, other = noise(61, 40), noise(61, 40, seed=2) * 0.4
    whole = kind.of(pixels).hold(other)
    monkeypatch.setattr(large, "BAND", 400)
    assert len(list(bands(61, 40))) == 8
    assert torch.allclose(kind.of(pixels).hold(other), whole, atol=1e-5)


def test_large_tensors_lie_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setattr(large, "IN_MEMORY", 1000)
    mapped = room(3, 50, 40)
    assert mapped.shape == (3, 50, 40) and mapped.dtype == torch.float32 and not mapped.any()
    mapped[:] = 0.25
    scratch = Path(os.environ["REVERIE_CACHE"]) / "scratch"
    assert scratch.is_dir() and list(scratch.iterdir()) == []  # nothing is left behind, whatever happens to the process
    assert torch.equal(banded(lambda band: band * 2, mapped), torch.full((3, 50, 40), 0.5))
    assert (quantise(mapped) == 64).all()


def test_memory_to_spare_keeps_them_from_disk(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setattr(large, "IN_MEMORY", 1000)
    scratch = Path(os.environ["REVERIE_CACHE"]) / "scratch"
    with in_memory(24_000):
        assert not room(3, 50, 40).any() and not scratch.exists()
        assert not room(3, 50, 41).any() and scratch.exists()
    scratch.rmdir()
    assert not room(3, 50, 40).any() and scratch.exists()


def test_how_much_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch, lite0: Network) -> None:
    made = plan_dream(noise(40, 40)[0], "blocks.1.0", network=lite0, tile=48).recipe
    monkeypatch.setattr(tiling, "free_memory", lambda device: 20_000_000_000)
    assert largest_in_memory(made) == large.IN_MEMORY, "small tiles say that memory is short"
    assert largest_in_memory(made.model_copy(update={"tiles": Tiles(tile=2560, halo=16)})) == 1_000_000_000
    monkeypatch.setattr(tiling, "free_memory", lambda device: 2_000_000_000)
    assert largest_in_memory(made.model_copy(update={"tiles": None})) == large.IN_MEMORY


@pytest.mark.parametrize(("length", "side"), [(5100, 5120), (5184, 3645), (6537, 4320), (9798, 4320), (10_000, 4374), (12_289, 4320)])
def test_blocks_are_no_larger_than_so_few_of_them_need_be(length: int, side: int) -> None:
    assert preconditioner._block(length, friendly(length)) == side


def test_no_room_on_disk_is_said_at_once(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(large, "IN_MEMORY", 1000)
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OutputError, match=r"no room for 0\.0 GB of work") as caught:
        room(3, 50, 40)
    assert caught.value.exit_code == 5 and "REVERIE_CACHE" in caught.value.remedy


# ---- the dream


@pytest.mark.parametrize("choices", [{}, {"mask": True}, {"mix": 0.3, "keep_colour": True}, {"focus": 1.0, "centre": 0.5, "tone": "light"}])
def test_a_dream_in_tiles_and_bands_is_the_dream(
    monkeypatch: pytest.MonkeyPatch, lite0: Network, place: Path, choices: dict[str, Any]
) -> None:
    start = resample(noise(20, 26), 97, 130)[0].clamp(0, 1)
    if choices.get("mask"):
        choices = {"mask": torch.cat([torch.zeros(3, 40, 130), torch.full((3, 17, 130), 0.5), torch.ones(3, 40, 130)], 1)}
    given = {"target": "blocks.1.0", "network": lite0, "octaves": 2, "steps": 1, "jitter": 6, **choices}
    whole = api.dream(start, **given)
    monkeypatch.setattr(large, "BAND", 1000)
    monkeypatch.setattr(large, "IN_MEMORY", 5000)
    monkeypatch.setattr(scale, "_WHOLE", 1)
    monkeypatch.setattr(scale, "_WINDOW", 40)
    before = start.clone()
    made = api.dream(start, tile=32, **given)
    assert torch.equal(start, before)  # what is worked on in place is not the start
    assert made.recipe is not None and made.recipe.tiles == Tiles(tile=32, halo=8)
    assert (whole.pixels - start).abs().mean() > 0.002
    assert (made.pixels - whole.pixels).abs().mean() < 0.02 * (whole.pixels - start).abs().mean()
    assert made.score == pytest.approx(whole.score, rel=1e-3)
    assert (made.opacity is None) and whole.opacity is not None


def test_a_guided_dream_in_tiles_and_its_opacity(lite0: Network) -> None:
    start = resample(noise(20, 26), 97, 130)[0].clamp(0, 1)
    given: dict[str, Any] = {
        "target": "blocks.1.0",
        "network": lite0,
        "octaves": 1,
        "steps": 1,
        "guide": noise(40, 40, seed=5)[0],
        "opacity": True,
    }
    whole, made = api.dream(start, **given), api.dream(start, tile=32, **given)
    assert (made.pixels - whole.pixels).abs().mean() < 0.02 * (whole.pixels - start).abs().mean()
    assert made.alpha is not None and whole.alpha is not None and (made.alpha - whole.alpha).abs().mean() < 0.03


def test_a_large_picture_is_cut_by_itself(monkeypatch: pytest.MonkeyPatch, lite0: Network) -> None:
    monkeypatch.setattr(tiling, "_SMALL", 1000)
    monkeypatch.setattr(tiling, "ONE_PASS", 96 * 96)
    given: dict[str, Any] = {"target": "blocks.4.1", "network": lite0}
    assert plan_dream(noise(96, 96)[0], **given).recipe.tiles is None
    for free, side in ((10**12, 2816), (10**10, 2544), (10**9, 800), (10**6, 256)):
        monkeypatch.setattr(tiling, "free_memory", lambda _, free=free: free)
        tiles = plan_dream(noise(96, 98)[0], **given).recipe.tiles
        assert tiles is not None and tiles.halo == 144 and abs(tiles.tile - side) <= 64, tiles
    assert plan_dream(noise(96, 96)[0], **given).recipe.tiles is not None  # which does not fit in 1 MB either


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ({"target": "class:3"}, "'class:3' is a class"), ({"target": "blocks.4.1:3@2,2"}, "one neuron"),
        ({"target": "blocks.4.1", "caricature": True}, "a caricature"), ({"target": "blocks.4.1", "rotate": 5.0}, "transforms"),
        ({"target": "blocks.4.1", "total_variation": 0.1}, "penalties"), ({"target": "blocks.4.1", "canvas": "maco"}, "canvas 'maco'"),
        ({"target": "blocks.4.1", "network": ["efficientnet-lite0", "efficientnet-lite1"]}, "several networks"),
    ],
)  # fmt: skip
def test_what_cannot_be_tiled_says_so(monkeypatch: pytest.MonkeyPatch, run: Run, sky: Path, choices: dict[str, Any], fault: str) -> None:
    flags: list[object] = []
    for name, value in choices.items():
        for each in value if isinstance(value, list) else [value]:
            flags += [f"--{name.replace('_', '-')}", *([] if each is True else [each])]
    run("dream", sky, *flags, "--tile", 64).fault(2, "tile", "64: ", fault)
    monkeypatch.setattr(tiling, "_SMALL", 1000)
    monkeypatch.setattr(tiling, "ONE_PASS", 2000)
    monkeypatch.setattr(tiling, "LARGEST", 3000)
    run("dream", sky, *flags).fault(3, "too large for one pass", fault, "width")
    assert list(sky.parent.iterdir()) == [sky]


def test_a_network_that_sees_all_at_once_cannot_be_tiled() -> None:
    network = wrapped(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.Conv2d(4, 4, 3, padding=1)), size=32)
    with pytest.raises(UsageError, match="depends on the whole picture"):
        plan_dream(noise(64, 64)[0], "2", network=network, tile=16)


# ---- the commands


def test_the_recipe_has_the_tiles_and_redo_gives_the_same_bytes(run: Run, sky: Path) -> None:
    assert run("dream", sky, *TINY, "--tile", 50, "-o", "a.png").code == 0
    recipe = read(recipe_text(Path("a.png")) or "")
    assert recipe.tiles == Tiles(tile=48, halo=40)  # whole strides of 8
    assert run("redo", "a.png", "-o", "b.png").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    answer = run("dream", sky, *TINY, "--tile", 48, "--halo", 8, "-o", "c.png")
    assert answer.code == 0 and "the halo of 8 pixels is less than the 40" in answer.err
    assert (load("c.png").pixels - load("a.png").pixels).abs().max() > 0.01


@pytest.mark.parametrize(
    "edited",
    [{"target": "class:3"}, {"target": "blocks.2.1:3@1,1"}, {"transforms": Transforms(rotate=3.0)}, {"penalties": Penalties(l2=1.0)}],
    ids=str,
)
def test_a_recipe_of_tiles_that_cannot_be_is_refused(lite0: Network, edited: dict[str, Any]) -> None:
    recipe = plan_dream(noise(64, 64)[0], "blocks.2.1", network=lite0, tile=48).recipe
    assert read(recipe.text()) == recipe
    with pytest.raises(InputError, match="such a picture is not made in tiles"):
        read(recipe.model_copy(update=edited).text())


def test_an_estimate_comes_before_any_work(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("reverie.render.plan.time", SimpleNamespace(monotonic=lambda: next(clock) / 2))  # a step takes half a second
    answer = run("dream", sky, *TINY, "--tile", 48, "--estimate")
    assert answer.code == 0 and "in 6 tiles of 48 + 40" in answer.out and "GB of memory" in answer.out
    (found,) = run("dream", sky, *TINY, "--width", 2000, "--estimate", "--json").data
    assert (found["width"], found["height"], found["tiles"], found["disk"]) == (2000, 1500, 0, 0)
    assert 4e8 < found["memory"] < 4e9
    assert found["seconds"] == pytest.approx(0.5 * 2000 * 1500 / (720 * 1280), rel=0.01)  # it is measured on so large a part
    (more,) = run("dream", sky, *TINY, "--width", 2000, "--steps", 10, "--estimate", "--json").data
    assert more["seconds"] == pytest.approx(10 * found["seconds"], rel=0.01)
    assert list(sky.parent.iterdir()) == [sky]

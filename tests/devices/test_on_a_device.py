"""Everything that makes pictures, on a pretended GPU: nothing mixes devices, and what comes out is what the CPU makes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers import clips
from tests.helpers.commands import photo, pixels, saved
from tests.helpers.pretend_device import Log, pretending
from tests.helpers.tiny import Hand, settled
from torch import Tensor, nn

import reverie
from reverie.networks import Network, Preprocessing, open_network, wrap_module
from reverie.pictures import Picture

Make = Callable[[Network, Path], Any]
SMALL: dict[str, Any] = {"octaves": 2, "steps": 2, "threads": 1, "keep": False}
DEEP = {"tiny": "late", "lite0": "blocks.1.1"}
LABELS = {"tiny": ["2", "0", "4"], "lite0": ["banana", "tench", "daisy"]}


@cache
def network(name: str, device: str, bfloat16: bool = False) -> Network:
    with ExitStack() as stack:
        if device == "cuda":
            stack.enter_context(pretending(bfloat16))
        if name == "lite0":
            return open_network("efficientnet-lite0").to(device)
        torch.manual_seed(4 if name == "tiny" else 5)
        parts = (
            ("conv", nn.Conv2d(3, 6, 3, padding=1, bias=False)), ("norm", nn.BatchNorm2d(6)), ("act", nn.ReLU6(inplace=True)),
            ("late", nn.Conv2d(6, 8, 3, stride=2, padding=1)), ("after", nn.BatchNorm2d(8)), ("last", nn.ReLU()),
            ("pool", nn.AdaptiveAvgPool2d(1)), ("flat", nn.Flatten()), ("head", nn.Linear(8, 5)),
        )  # fmt: skip
        module = nn.Sequential()
        for part, made in parts:
            module.add_module(part, made)
        taken = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), size=(32, 32))
        net = wrap_module(settled(module), taken).to(device)
        net.levels = {"edges": "late"}
        return net


@pytest.fixture(autouse=True)
def same_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pretended runs PyTorch's own convolutions: so does the CPU here, as the last bits of others grow into other pictures."""
    monkeypatch.setattr("reverie.networks.prepared.convolution.runs_here", lambda _: False)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    saved(tmp_path / "sky.png", 48, 56)
    Image.fromarray(photo(48, 56)[::-1, ::-1].copy()).save(tmp_path / "leaf.png")
    white = np.zeros((48, 56), np.uint8)
    white[10:40, 12:44] = 255
    Image.fromarray(white).save(tmp_path / "mask.png")
    return tmp_path


def _dream(**choices: Any) -> Make:
    def make(net: Network, here: Path) -> Picture:
        given = {name: here / value if isinstance(value, str) and value.endswith(".png") else value for name, value in choices.items()}
        return reverie.dream(here / "sky.png", DEEP[_name(net)], network=net, **SMALL | given)

    return make


def _imagine(**choices: Any) -> Make:
    labels = {name: each[:1] if "diverse" in choices else each for name, each in LABELS.items()}

    def make(net: Network, _: Path) -> Any:
        given = {name: each for name, each in (SMALL | choices).items() if name != "keep"}  # no file goes in
        return reverie.imagine(labels[_name(net)], network=net, size=40, **given)

    return make


def _feature(**choices: Any) -> Make:
    return lambda net, _: reverie.feature(f"{DEEP[_name(net)]}:3", network=net, size=40, **SMALL | choices)


def _name(net: Network) -> str:
    return "tiny" if len(net.labels) < 1000 else "lite0"


MADE: dict[str, Make] = {
    "dream": _dream(),
    "tiled": _dream(tile=16),
    "masked": _dream(mask="mask.png"),
    "guided": _dream(guide="leaf.png"),
    "caricature": _dream(caricature=True),
    "direction": _dream(towards="leaf.png", away="sky.png"),
    "two networks": lambda net, here: reverie.dream(
        here / "sky.png", level="edges", network=[net, network("other", net.device.type, net.dtype == torch.bfloat16)], **SMALL
    ),
    "imagine": _imagine(),
    "diverse": _imagine(diverse=2),
    "pixels": _feature(canvas="pixels", fade=0.8, noise=0.1, spectrum=0.1, border=0.1, total_variation=0.1),
    "fourier": _feature(canvas="fourier", tone="light", spread=0.17, smoothing=1.3, vivid=0.35),
    "maco": _feature(canvas="maco"),
}


def on_both(name: str, make: Callable[[Network], Any], bfloat16: bool = False) -> tuple[Any, Any, Log]:
    """What is made on the CPU, on the pretended device, and what a device would have noticed there."""
    wanted = make(network(name, "cpu"))
    there = network(name, "cuda", bfloat16)
    with pretending(bfloat16) as log:
        made = make(there)
    assert not log.refused
    return wanted, made, log


@pytest.mark.parametrize("name", ["tiny", "lite0"])
@pytest.mark.parametrize("what", MADE)
def test_pictures_are_those_of_the_cpu(what: str, name: str, here: Path) -> None:
    wanted, made, _ = on_both(name, lambda net: MADE[what](net, here))
    pairs = zip(wanted, made, strict=True) if isinstance(wanted, list) else [(wanted, made)]
    for one, other in pairs:
        assert other.recipe.machine.device == "cuda" and other.recipe.machine.precision == "float32"
        assert other.pixels.device.type == "cpu" and torch.allclose(one.pixels, other.pixels, atol=1e-5)
        assert other.score == pytest.approx(one.score, rel=1e-4) and other.alive


@pytest.mark.parametrize(("what", "name"), [*((what, "tiny") for what in MADE), ("dream", "lite0")])
def test_in_bfloat16_they_are_close(what: str, name: str, here: Path) -> None:
    wanted, made, _ = on_both(name, lambda net: MADE[what](net, here), bfloat16=True)
    pairs = zip(wanted, made, strict=True) if isinstance(wanted, list) else [(wanted, made)]
    for one, other in pairs:
        assert other.recipe.machine.precision == "bfloat16"
        assert other.pixels.isfinite().all() and (one.pixels - other.pixels).abs().mean() < 0.03


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_labels_are_those_of_the_cpu(name: str, here: Path) -> None:
    wanted, found, _ = on_both(name, lambda net: net.recognise(here / "sky.png", top=3))
    assert [each.label for each in found] == [each.label for each in wanted]
    assert [each.probability for each in found] == pytest.approx([each.probability for each in wanted], rel=1e-4)


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_scores_of_the_module_itself_stay_on_the_device(name: str) -> None:
    x = torch.rand(2, 3, *network(name, "cpu").size, generator=torch.Generator().manual_seed(1))
    wanted, found, _ = on_both(name, lambda net: net(x.to(net.device)).detach().cpu())
    assert torch.allclose(wanted, found, atol=1e-4)


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_seeing_a_layer(name: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.networks.attribution.ROUNDS", 1)  # attribution has a test of its own
    choices: dict[str, Any] = {"steps": 2, "width": 40, "threads": 1, "keep": False, "channels": 1 if name == "tiny" else 0}
    wanted, seen, _ = on_both(name, lambda net: reverie.see(here / "sky.png", network=net, layers=[DEEP[name]], **choices))
    for one, other in zip(wanted.layers, seen.layers, strict=True):
        assert torch.allclose(one.rebuilt.pixels, other.rebuilt.pixels, atol=1e-5)
        assert torch.allclose(one.enhanced.pixels, other.enhanced.pixels, atol=1e-5)
        assert [each.channel for each in one.noticed] == [each.channel for each in other.noticed]


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_what_counted(name: str, here: Path) -> None:
    pytest.importorskip("captum")
    (wanted,), (found,), _ = on_both(name, lambda net: net.attribute(here / "sky.png", [DEEP[name]], 1, 2))
    scale = wanted.values.abs().max()
    assert found.values.device.type == "cpu" and (wanted.values - found.values).abs().max() < 1e-3 * scale
    assert found.total == pytest.approx(wanted.total, rel=1e-4)


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_three_frames_of_a_journey(name: str, here: Path) -> None:
    def make(net: Network) -> list[np.ndarray[Any, Any]]:
        out = here / net.device.type
        choices = SMALL | {"octaves": 1, "rounds": 2}
        reverie.journey(here / "sky.png", out, target=DEEP[name], network=net, frames=3, motion="zoom=1.2; rotate=3", **choices)
        return [pixels(each).astype(int) for each in sorted(out.iterdir())]

    wanted, made, _ = on_both(name, make)
    assert len(made) == 3 and all(np.abs(one - other).max() <= 1 for one, other in zip(wanted, made, strict=True))


@pytest.mark.parametrize("name", ["tiny", "lite0"])
def test_three_frames_of_a_film(name: str, here: Path) -> None:
    pytest.importorskip("cv2")
    video = clips.save_clip(here / "video.mp4", clips.pan(3, 48, 64).frames)

    def make(net: Network) -> list[np.ndarray[Any, Any]]:
        out = here / net.device.type
        reverie.film(video, out, DEEP[name], network=net, carried_octaves=1, carried_steps=1, **SMALL)
        return [pixels(each).astype(int) for each in sorted(out.iterdir())]

    wanted, made, _ = on_both(name, make)
    assert len(made) == 3 and all(np.abs(one - other).max() <= 1 for one, other in zip(wanted, made, strict=True))


class Tokens(nn.Module):
    """A network of one size with attention, of a single channel."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, 8, 4, stride=4)
        self.places = nn.Parameter(torch.randn(1, 16, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.block(self.patch(x).flatten(2).transpose(1, 2) + self.places).mean(1))
        return scores


@pytest.mark.parametrize("target", ["block:2", "block.self_attn/attention", "class:1"])
def test_windows_of_a_network_of_one_size(target: str, here: Path) -> None:
    torch.manual_seed(3)
    module = Tokens().eval()

    def make(device: str) -> Picture:
        net = reverie.wrap(module, mean=[0.5], std=[0.3], size=16, device=device)
        picture: Picture = reverie.dream(here / "sky.png", target, network=net, **SMALL)
        return picture

    wanted = make("cpu")
    with pretending() as log:
        made = make("cuda")
    assert not log.refused and torch.allclose(wanted.pixels, made.pixels, atol=1e-5)


def test_a_dead_start_is_brought_to_life(here: Path) -> None:
    Image.new("RGB", (32, 32)).save(here / "black.png")

    def make(device: str) -> Picture:
        net = reverie.wrap(Hand(), mean=[0.0] * 3, std=[1.0] * 3, size=16, device=device)
        picture: Picture = reverie.dream(here / "black.png", "act:0", network=net, tone="free", **SMALL)
        return picture

    wanted = make("cpu")
    with pretending() as log:
        made = make("cuda")
    assert not log.refused and torch.allclose(wanted.pixels, made.pixels, atol=1e-5)
    assert made.alive and made.notes == wanted.notes and "softly" in " ".join(made.notes)


WAITS = dict.fromkeys((each for each in MADE if each != "tiled"), 1) | {"tiled": 12 + 1}  # once a tile, of which there are 3×4


@pytest.mark.parametrize("what", WAITS)
def test_how_often_a_step_waits_for_the_device(what: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network("tiny", "cuda")
    monkeypatch.setitem(SMALL, "octaves", 1)
    monkeypatch.setitem(SMALL, "progress", lambda state: float(state.score.mean()) < -1e9)
    waits = []
    for steps in (1, 2, 5):  # the first looks into the network as well
        monkeypatch.setitem(SMALL, "steps", steps)
        with pretending() as log:
            MADE[what](net, here)
        waits.append(log.waits)
    assert waits[2] - waits[1] == 3 * WAITS[what], log

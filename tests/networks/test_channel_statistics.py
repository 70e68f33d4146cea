"""What is usual: measured as numpy does, known of the built-in networks alone, and the data are what measuring gives."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from bench import photographs
from bench import usual as bench
from tests.helpers.tiny import Flow, Hand, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks import channel_statistics, installed
from reverie.networks.builtin.catalogue import CATALOGUE

BUILT_IN = sorted(CATALOGUE)


@pytest.fixture
def pictures() -> list[Tensor]:
    """(3, H, W) each: sizes in a row, alone and again, more of one size than go in a batch; little red, so that warmth is seldom there."""
    print("seed 3")
    generator = torch.Generator().manual_seed(3)
    sizes = [(16, 16)] * (channel_statistics.BATCH + 3) + [(16, 24), (9, 13), (16, 24), (16, 16)]
    dim = torch.tensor([0.7, 1.0, 1.0])[:, None, None]
    return [torch.rand(3, *size, generator=generator) * dim * 0.1 * (1 + place % 10) for place, size in enumerate(sizes)]


def by_hand(pictures: list[Tensor], light: float = 0.0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and spread of Hand's first layers, worked out with numpy over all places of all pictures."""
    places = np.concatenate([each.numpy().reshape(3, -1) for each in pictures], 1).astype(np.float64)  # (3, places)
    lit = np.stack([places.sum(0) + light, places[0] - places[2]])  # (2, places)
    active = np.maximum((lit - np.array([[1.0], [0.0]])) / 2, 0)
    return {"light": (lit.mean(1), lit.std(1)), "act": (active.mean(1), active.std(1))}


def test_measure_is_mean_and_deviation_over_all_places_of_all_pictures(pictures: list[Tensor]) -> None:
    network = wrapped(Hand())
    found = channel_statistics.measure(network.prepare(["light", "act", "edge"]), iter(pictures), "noise")
    assert found.name == "noise" and list(found.layers) == ["light", "act", "edge"]
    for layer, (mean, spread) in by_hand(pictures).items():
        np.testing.assert_allclose(found.layers[layer][0], mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.layers[layer][1], spread, rtol=1e-5, atol=1e-6)
    # the edges of each picture's own frame are in it: nothing is padded to a common size
    edges = [network.prepare(["edge"])(each[None])["edge"][0].flatten(1) for each in pictures]  # (2, places) each
    every = torch.cat(edges, 1).double().numpy()
    np.testing.assert_allclose(found.layers["edge"][0], every.mean(1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.layers["edge"][1], every.std(1), rtol=1e-5, atol=1e-6)


def test_a_small_spread_about_a_large_mean_is_kept() -> None:
    print("seed 4")
    generator = torch.Generator().manual_seed(4)
    pictures = [torch.rand(1, 16, 16, generator=generator) for _ in range(20)]
    module = Flow(lambda m, x: m.lift(x).mean((2, 3)), lift=nn.Conv2d(1, 1, 1))
    network = wrapped(module, channels=1)
    with torch.no_grad():
        module.lift.weight.fill_(1.0)
        module.lift.bias.fill_(1000.0)
    mean, spread = channel_statistics.measure(network.prepare(["lift"]), pictures, "bright noise").layers["lift"]
    every = torch.stack(pictures).double()
    assert mean.item() == pytest.approx(1000 + every.mean().item(), rel=1e-6)
    assert spread.item() == pytest.approx(every.std(correction=0).item(), rel=1e-3)


def test_a_dead_channel_has_no_spread() -> None:
    cold = torch.zeros(3, 8, 8)
    cold[1:] = torch.linspace(0.4, 1, 64).view(8, 8)  # no red: no warmth, so channel 1 is dead after the ReLU
    mean, spread = channel_statistics.measure(wrapped(Hand()).prepare(["act"]), [cold, cold], "cold").layers["act"]
    assert (float(mean[1]), float(spread[1])) == (0, 0) and mean[0] > 0 and spread[0] > 0


def test_what_cannot_be_measured_is_said() -> None:
    network = wrapped(Hand())
    with pytest.raises(UsageError, match="no pictures"):
        channel_statistics.measure(network.prepare(["act"]), [], "nothing")
    with pytest.raises(UsageError, match=r"'head' gives .* no places"):
        channel_statistics.measure(network.prepare(["head"]), [torch.rand(3, 8, 8)], "one")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_block_of_a_built_in_network_is_known(name: str) -> None:
    if name not in installed():
        pytest.skip(f"{name} is not installed")
    network = reverie.load(name, device="cpu")
    found = network.usual()
    assert found is not None and "photographs" in found.name
    channels = {layer.name: layer.channels for layer in network.layers if layer.kind == "block"}
    assert {layer: (len(mean), len(spread)) for layer, (mean, spread) in found.layers.items()} == {
        layer: (count, count) for layer, count in channels.items()
    }
    for mean, spread in found.layers.values():
        assert mean.dtype == spread.dtype == torch.float32
        assert mean.isfinite().all() and spread.isfinite().all() and (spread >= 0).all()
    assert (bench.FOLDER / f"{name}.json").stat().st_size < 60_000


def test_other_weights_and_other_networks_are_not_known() -> None:
    facts = CATALOGUE["efficientnet-lite0"]
    assert channel_statistics.known(facts.name, facts.sha256) is not None
    assert channel_statistics.known(facts.name, "0" * 64) is None
    assert channel_statistics.known("../measured/efficientnet-lite0", facts.sha256) is None
    assert wrapped(Hand(), name=facts.name).usual() is None
    network = reverie.load(facts.name, device="cpu")
    with torch.no_grad():
        next(network.module.parameters()).mul_(1.01)
    assert network.usual() is None


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_data_are_what_measuring_gives(name: str) -> None:
    """With all photographs here to rounding; with a part of them as nearly as a part can be: means to 0.7 spreads, spreads to 30 %."""
    if name not in installed():
        pytest.skip(f"{name} is not installed")
    network, layers = reverie.load(name, device="cpu"), ["blocks.1.1", "blocks.3.1"]
    names = photographs.here()
    assert {"chelsea", "coffee", "rocket", "china", "flower"} <= set(names)
    written = network.usual()
    again = bench.measured(network, {each: photographs.photograph(each) for each in names}, layers)
    assert written is not None
    for layer in layers:
        (mean, spread), (fresh_mean, fresh_spread) = written.layers[layer], again.layers[layer]
        away, ratio = (fresh_mean - mean).abs() / spread, fresh_spread / spread  # (C,) each
        if len(names) == len(photographs.FILES):
            assert away.max() < 0.01 and (ratio - 1).abs().max() < 0.01
        else:
            assert away.max() < 0.7 and away.median() < 0.2 and ratio.max() < 1.3 and ratio.min() > 1 / 1.3


def test_views_are_the_whole_and_five_crops() -> None:
    ramp = torch.arange(40.0).view(1, 1, 40).expand(3, 20, 40) / 40  # lighter to the right
    whole, middle, *corners = bench.views(ramp, 12)
    assert whole.shape == (3, 12, 24) and all(each.shape == (3, 12, 12) for each in (middle, *corners))
    lights = [round(each.mean().item() * 40 + 0.5) for each in (whole, middle, *corners)]  # a crop's middle column, for its side is 12
    assert lights == [20, 20, 6, 34, 6, 34]


def test_photographs_of_a_missing_package_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "foolbox" else find(name))
    monkeypatch.setattr(photographs, "FOLDER", photographs.FOLDER / "nowhere")
    assert "chelsea" in photographs.here() and "drum" not in photographs.here()
    with pytest.raises(FileNotFoundError, match=r"'drum' of foolbox .* pip install"):
        photographs.photograph("drum")


def test_the_subjects_of_the_benchmark_are_recognised() -> None:
    network = reverie.load("efficientnet-lite0", device="cpu")
    names = photographs.here(photographs.BENCHMARK)
    assert {"chelsea", "coffee"} <= set(names)
    for name in names:
        assert network.recognise(photographs.photograph(name), top=1)[0].index == photographs.BENCHMARK[name], name

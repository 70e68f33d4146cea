"""Networks of the zoos that are known by name: their levels, presets on them, and how they are listed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

import pytest
import torch
from tests.helpers import zoo as zoo_of_tests
from tests.helpers.commands import Run, saved
from tests.helpers.pages import text
from torch import nn

from reverie.installing import install, install_extra
from reverie.networks import Preprocessing, wrap_module
from reverie.networks.builtin import listing
from reverie.networks.builtin.catalogue import CATALOGUE, KNOWN
from reverie.networks.sources import zoos
from reverie.networks.sources.source import source
from reverie.networks.sources.zoos import Found
from reverie.recipe import LEVELS, Level


def built(name: str, device: str = "cpu") -> nn.Module:
    zoo_of_tests.declared()
    import torchvision

    bare = name.partition(":")[2]
    choices = {"init_weights": False} if bare in ("googlenet", "vgg16") else {}
    with torch.random.fork_rng(), torch.device(device):
        torch.manual_seed(0)
        module: nn.Module = torchvision.models.get_model(bare, weights=None, **choices)
        return module


@pytest.mark.parametrize("name", KNOWN)
def test_every_level_of_a_known_network_is_a_layer_of_it_and_they_climb(name: str) -> None:
    order = [each for each, _ in built(name, "meta").named_modules()]
    places = [order.index(layer) for layer in KNOWN[name].levels.values()]
    assert places == sorted(places) and len(set(places)) == 6


def test_the_page_of_levels_names_them() -> None:
    page = text("docs/levels.md")
    assert f"| level | {' | '.join(f'`{name}`' for name in KNOWN)} |" in page
    for level in cast("tuple[Level, ...]", LEVELS):
        assert f"| {level} | {' | '.join(f'`{each.levels[level]}`' for each in KNOWN.values())} |" in page


def test_a_level_that_is_an_activation_is_listed_as_in_vgg() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
    net = wrap_module(module, Preprocessing.of([0.5] * 3, [0.5] * 3, size=16))
    net.levels = {"edges": "1"}
    assert [(each.name, each.kind, each.level) for each in net.layers] == [
        ("0", "convolution", None), ("1", "activation", "edges"), ("2", "convolution", None)
    ]  # fmt: skip


def test_a_preset_and_a_level_stand_for_a_layer(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Preprocessing.of([0.5] * 3, [0.5] * 3, size=64)
    found = Found(built("torchvision:resnet50").eval(), "torchvision:resnet50@A", "0" * 64, known)
    monkeypatch.setattr(zoos, "found", lambda *_given, **_more: found)
    saved(place / "sky.png", 32, 48)
    few = ("--network", "torchvision:resnet50", "--octaves", "1", "--steps", "1", "--json")
    for words, layer in (("--preset", "weave"), "layer2.1"), (("--level", "parts"), "layer3.2"):
        made = run("dream", "sky.png", *words, *few, "-o", f"{layer}.png")
        assert made.code == 0 and made.data[0]["recipe"]["target"] == layer, made
    assert {"edges": "layer1.1"}.items() <= zoos.levels_of(source("torchvision:resnet50@A")).items()


def test_the_list_says_what_is_here_and_how_to_get_what_is_not(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {each["name"]: each for each in run("networks", "--json").data}
    assert list(rows) == [*CATALOGUE, *KNOWN]
    zoo_of_tests.declared()
    weights = importlib.import_module("torchvision.models").get_model_weights
    assert all(weights(each.partition(":")[2]).DEFAULT.url.endswith(f"/{known.file}") for each, known in KNOWN.items())
    assert rows["torchvision:googlenet"]["state"] == "downloads on first use" and not rows["torchvision:googlenet"]["installed"]
    assert rows["torchvision:googlenet"]["sha256"] is None and rows["torchvision:googlenet"]["levels"]["parts"] == "inception4c"
    weights = place.parent / "cache" / "weights"
    weights.mkdir(parents=True)
    for file in ("vgg16-397923af.pth", "resnet50-0676ba61.pth"):  # of the second these are older weights, which its name does not mean
        (weights / file).touch()
    states = {each.name: each.state for each in listing.listed()}
    assert (states["torchvision:vgg16"], states["torchvision:resnet50"]) == ("in the cache", "downloads on first use")
    monkeypatch.setattr(listing, "find_spec", lambda _name: None)
    monkeypatch.setattr(listing, "find", lambda _facts: None)
    missing = [each.state for each in listing.listed()]
    assert missing == [install(each.package) for each in CATALOGUE.values()] + [install_extra("zoo")] * 3

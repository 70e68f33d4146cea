"""Names of layers, levels, classes, outputs and devices, and what is said to names that do not exist."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.tiny import SIDE, Flow, Hand, close, picture, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks import Network, open_network
from reverie.networks.builtin import catalogue
from reverie.networks.builtin.efficientnet_lite import EfficientNetLite
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.prepared import device as devices


def test_layers_in_forward_order_with_level_and_kind(lite0: Network) -> None:
    names = [layer.name for layer in lite0.layers]
    blocks = [name for name in names if name.count(".") == 2]
    assert len(names) == len(set(names))
    assert len(blocks) == 16 and blocks == sorted(blocks)
    order = ["conv_stem", "blocks.0.0.conv_dw", "blocks.0.0", "blocks.0", "blocks.1.0.conv_pw", "blocks.4.1", "blocks.6", "conv_head"]
    assert [names.index(name) for name in order] == sorted(names.index(name) for name in order)
    by_name = {layer.name: layer for layer in lite0.layers}
    stem, deep = by_name["conv_stem"], by_name["blocks.4.1"]
    assert (stem.kind, stem.channels, stem.height, stem.width, stem.stride, stem.receptive_field) == ("convolution", 32, 112, 112, 2, 3)
    assert (deep.kind, deep.channels, deep.height, deep.width, deep.stride, deep.level) == ("block", 112, 14, 14, 16, "parts")
    assert by_name["blocks.0.0.conv_dw"].kind == "depthwise" and by_name["blocks.4"].kind == "stage"
    convolutions = [name for name, part in lite0.module.named_modules() if isinstance(part, nn.Conv2d)]
    assert set(convolutions) <= set(names)


@pytest.mark.parametrize("facts", catalogue.CATALOGUE.values(), ids=str)
def test_every_level_is_a_layer(facts: catalogue.Facts) -> None:
    modules = dict(EfficientNetLite(facts.width, facts.depth).named_modules())
    assert list(facts.levels) == ["edges", "textures", "patterns", "parts", "objects", "scenes"]
    for level, layer in facts.levels.items():
        assert layer in modules, level
    assert list(modules).index(facts.levels["edges"]) < list(modules).index(facts.levels["scenes"])


def test_repeated_modules_are_listed_and_looked_into_call_by_call() -> None:
    conv = nn.Conv2d(3, 3, 3)
    module = Flow(lambda m, x: m.conv(m.conv(x)).mean((2, 3)), conv=conv)
    network = wrapped(module)
    assert [(layer.name, layer.height, layer.receptive_field) for layer in network.layers] == [("conv#0", 14, 3), ("conv#1", 12, 5)]
    assert (network.layer("conv#0"), network.layer("conv#1"), network.layer("conv")) == ((1, 3, 14, 14), (1, 3, 12, 12), (1, 3, 12, 12))
    x = picture()
    seen = network.prepare(["conv#0", "conv#1", "conv"])(x)
    assert close(seen["conv#0"], conv(x)) and close(seen["conv#1"], conv(conv(x))) and close(seen["conv"], conv(conv(x)))
    for name in seen:
        assert close(network.prepare([name])(x)[name], seen[name])
    with pytest.raises(UsageError, match=r"called 2 times.*conv#1"):
        network.layer("conv#2")


@pytest.mark.parametrize(
    ("name", "near"), [("block.4.1", "blocks.4.1"), ("conv_stemm", "conv_stem"), ("blocks.4.1#²", "blocks.4.1"), ("", "no layer ''")]
)
def test_unknown_layers_name_the_nearest(lite0: Network, name: str, near: str) -> None:
    with pytest.raises(UsageError, match=near):
        lite0.prepare([name])


def test_other_mistakes_are_told(lite0: Network) -> None:
    with pytest.raises(UsageError, match=r"no level 'wings'.*edges, textures"):
        lite0.level("wings")
    with pytest.raises(UsageError, match=r"no level 'edges'; name a layer instead"):
        wrapped(Hand()).level("edges")
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        open_network("efficientnet-lite")
    with pytest.raises(UsageError, match="top 0"):
        lite0.recognise(picture()[0], top=0)
    with pytest.raises(UsageError, match=r"cannot take a picture of 16×16.*native size"):
        _ = wrapped(nn.Sequential(nn.Flatten(), nn.Linear(10, 3))).layers


@pytest.mark.parametrize(
    "wrong",
    [
        {"std": [1.0]},
        {"mean": [], "std": []},
        {"std": [1.0, 0.0, 1.0]},
        {"std": [1.0, float("nan"), 1.0]},
        {"mean": [float("nan")] * 3},
        {"range": (1, 0)},
        {"size": 0},
        {"size": (16, -1)},
        {"module": len},
    ],
    ids=str,
)
def test_wrap_refuses_nonsense(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        reverie.wrap(**{"module": Hand(), "mean": [0.5] * 3, "std": [0.5] * 3, **wrong})


def test_one_channel_sees_the_light_of_colours() -> None:
    module = nn.Conv2d(1, 2, 3)
    network = wrapped(nn.Sequential(module), channels=1)
    grey = picture(channels=1)
    assert close(network.prepare(["0"])(grey.expand(1, 3, SIDE, SIDE))["0"], module(grey))
    red = torch.zeros(1, 3, SIDE, SIDE)
    red[:, 0] = 1
    assert close(network.prepare(["0"])(red)["0"], module(torch.full((1, 1, SIDE, SIDE), 0.299)))
    assert len(network.recognise(picture()[0])) == 2
    with pytest.raises(UsageError, match="3 channels for a network that takes 4"):
        wrapped(nn.Sequential(nn.Conv2d(4, 2, 3)), channels=4).recognise(picture()[0])


X = torch.arange(6.0).view(2, 3)


@pytest.mark.parametrize(
    ("output", "name", "wanted"),
    [
        (X, None, X),
        ({"out": X, "logits": X + 1}, None, X + 1),
        ({"out": X, "aux": X + 1}, None, X),
        ({"a": X, "b": torch.zeros(2, 3, 4, 4)}, None, X),
        ((torch.zeros(2, 3, 4, 4), X), None, X),
        ({"a": X, "b": X + 1}, "b", X + 1),
        (X.view(2, 3, 1, 1).expand(2, 3, 5, 5), None, X),
        (X[:, 0], None, X[:, :1]),
    ],
    ids=str,
)
def test_class_scores_of_any_output(output: Any, name: str | None, wanted: Tensor) -> None:
    assert torch.equal(class_scores(output, name), wanted)


@pytest.mark.parametrize(
    ("output", "name"), [({"a": X, "b": X}, None), ({"a": X}, "b"), ("text", None), (X.sum(), None), ((), None)], ids=str
)
def test_class_scores_that_are_not_clear(output: Any, name: str | None) -> None:
    with pytest.raises(UsageError):
        class_scores(output, name)


# ---- devices


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose(None) == devices.choose("auto") == devices.choose("cpu") == torch.device("cpu")
    assert devices.precision(torch.device("cpu")) == torch.float32
    with pytest.raises(UsageError, match="device 'cuda' is not on this machine; here there is: cpu") as caught:
        devices.choose("cuda")
    assert caught.value.exit_code == 2
    for name in ("gpu", "", "cuda:x", "CPU"):
        with pytest.raises(UsageError, match=f"no device '{name}'; here there is: cpu"):
            devices.choose(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose(None) == torch.device("mps") and devices.available() == ["mps", "cpu"]

"""Prepared networks give what the module itself gives, in values and gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from tests.helpers.tiny import ODD, SIDE, Flow, Hand, close, looked_into, picture, prepared, pull, settled, wrapped
from torch import Tensor, nn

from reverie.networks import Network, Preprocessing, installed, wrap_module
from reverie.networks.inspection.hooks import watch
from reverie.networks.inspection.outputs import class_scores
from reverie.recipe import DEFAULT_NETWORK
from reverie.target import CLASSES


def reference(module: nn.Module, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer of the module itself gives, and its gradient, the plain way."""
    x = x.clone().requires_grad_(True)
    with watch(module, name) as seen:
        module(x)
    return seen[name].detach(), pull(seen[name], x)


@pytest.mark.parametrize("kind", ODD)
def test_prepared_is_the_module_itself_at_every_layer(kind: str) -> None:
    make, folded, unfolded = ODD[kind]
    torch.manual_seed(3)
    module = settled(make())
    network = wrapped(module)
    x = picture()
    ready = network.prepare([CLASSES])
    assert (ready.folded, ready.unfolded) == (folded, unfolded)
    layers = looked_into(network)
    assert layers
    for name in layers:
        value, gradient = reference(module, name, x)
        got, slope = prepared(network, name, x)
        assert close(got, value), name
        assert close(slope, gradient), name


@pytest.mark.parametrize(
    "kind", ["read twice", "norm used twice", "convolution used twice", "in place before the norm", "no running statistics"]
)
def test_what_must_not_be_folded_is_not_even_tried(kind: str) -> None:
    assert [chain for chain in wrapped(settled(ODD[kind][0]())).anatomy.chains if chain.norm] == []


@pytest.mark.parametrize("kind", ODD)
def test_class_scores_of_the_prepared_network_are_those_of_the_module(kind: str) -> None:
    torch.manual_seed(3)
    module = settled(ODD[kind][0]())
    network = wrapped(module)
    x = picture().requires_grad_(True)
    wanted = class_scores(module(x))
    got = network.prepare([CLASSES])(x)[CLASSES]
    assert close(got, wanted)
    assert close(network(x), wanted)
    assert close(pull(got, x), pull(wanted, x))


@pytest.mark.parametrize("kind", ["in place", "in place before the norm", "in a wrapper", "convolution and ReLU", "one of two overridden"])
def test_activations_taken_together_are_those_taken_alone(kind: str) -> None:
    network = wrapped(settled(ODD[kind][0]()))
    x = picture()
    names = looked_into(network)
    together = network.prepare([*names, CLASSES])(x)
    for name in names:
        assert close(together[name], network.prepare([name])(x)[name]), name
    assert list(network.prepare(names)(x)) == names


@pytest.mark.parametrize("name", installed())
def test_folded_lite_is_the_plain_one(opened: Callable[[str], Network], name: str) -> None:
    network = opened(name)
    x = picture(70, 96)
    layers = ["blocks.2.1.bn2", "blocks.4.1"] if name == DEFAULT_NETWORK else ["blocks.4.1"]
    for layer in layers:
        ready = network.prepare([layer])
        norms = sum(isinstance(part, nn.BatchNorm2d) for part in network.module.modules())
        assert (ready.folded, ready.unfolded) == (norms, 0)
        y = x.clone().requires_grad_(True)
        with network.watch(layer) as seen:
            network(y)
        got, slope = prepared(network, layer, x)
        assert close(got, seen[layer].detach())
        assert close(slope, pull(seen[layer], y), 1e-3)
    assert close(network.prepare([CLASSES])(x)[CLASSES], network(x))


def test_answers_worked_out_by_hand() -> None:
    network = wrap_module(Hand(), Preprocessing.of(mean=[0.5] * 3, std=[0.25] * 3, size=4, labels=["edges", "warm", "cold"]))
    flat = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1).expand(1, 3, 4, 4)  # normalised: 2, 0, -1
    seen = network.prepare(["light", "norm", "edge", CLASSES])(flat)
    assert seen["light"][0, :, 0, 0].tolist() == [1.0, 3.0]  # 2 + 0 - 1 and 2 - -1
    assert seen["norm"][0, :, 0, 0].tolist() == [0.0, 1.5]
    assert seen["edge"][0, :, 1, 1].tolist() == [0.0, 1.5]
    assert seen[CLASSES].tolist() == [[0.0, 2.0, -1.5]]
    first = network.recognise(flat[0], top=2)
    assert [(label.index, label.label) for label in first] == [(1, "warm"), (0, "edges")]
    assert first[0].probability == pytest.approx(float(torch.tensor([0.0, 2.0, -1.5]).softmax(0)[1]))


def test_a_range_of_255_is_a_range_of_255() -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    network = wrap_module(module, Preprocessing.of(mean=[127, 120, 110], std=[60, 61, 62], range=(0, 255), size=SIDE))
    x = picture()
    wanted = (x * 255 - torch.tensor([127.0, 120, 110]).view(1, 3, 1, 1)) / torch.tensor([60.0, 61, 62]).view(1, 3, 1, 1)
    assert close(network(x), module(wanted).mean((2, 3)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_module_of_another_precision(dtype: torch.dtype) -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))
    other = copy.deepcopy(module).to(dtype)
    network = wrapped(other)
    ready = network.prepare(["2"])
    assert (ready.folded, ready.unfolded) == (1, 0)
    assert ready(picture())["2"].dtype == torch.float32
    assert close(ready(picture())["2"], module(picture()), 2e-2)
    assert all(each.dtype == dtype for each in other.parameters())
    assert network(picture()).dtype == dtype


def test_a_parameter_of_five_dimensions() -> None:
    class Five(Flow):
        def __init__(self) -> None:
            super().__init__(lambda m, x: m.conv(x) + m.table[0], conv=nn.Conv2d(3, 4, 3))
            self.table = nn.Parameter(torch.ones(1, 1, 4, 1, 1))

    module = Five()
    assert close(wrapped(module).prepare(["conv"])(picture())["conv"], module.conv(picture()))


def test_bfloat16_on_a_cpu_is_close(lite0: Network) -> None:
    known = Preprocessing.of([0.5] * 3, [0.5] * 3)
    coarse = Network(lite0.module, known, name="coarse").to("cpu", torch.bfloat16)
    fine = Network(lite0.module, known, name="fine")
    got, slope = prepared(coarse, "blocks.3.0", picture(64, 64))
    wanted, gradient = prepared(fine, "blocks.3.0", picture(64, 64))
    assert got.dtype == slope.dtype == torch.float32
    assert next(coarse.prepare(["blocks.3.0"]).module.parameters()).dtype == torch.bfloat16
    assert not torch.equal(got, wanted)
    assert nn.functional.cosine_similarity(got.flatten(), wanted.flatten(), 0) > 0.99
    assert nn.functional.cosine_similarity(slope.flatten(), gradient.flatten(), 0) > 0.9

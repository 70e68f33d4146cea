"""Light networks of both zoos, looked into as `make zoo` does with all of them."""

from __future__ import annotations

import pytest
from tests.helpers.tiny import picture
from tests.helpers.zoo import LIGHT, built, opened
from tests.sweep import looked_into, state
from torch import nn

from reverie.networks.inspection.examine import examine


@pytest.mark.parametrize("name", LIGHT)
def test_a_network_of_the_zoo_is_looked_into_and_left_as_it_was(name: str) -> None:
    looked_into(name, every=40)


def test_the_sweep_sees_what_is_left_behind() -> None:
    norm = nn.BatchNorm2d(4)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), norm)
    assert norm.running_mean is not None
    before = state(module)
    handle = module[0].register_forward_hook(lambda *_: None)
    assert state(module) != before
    handle.remove()
    assert state(module) == before
    norm.running_mean += 1e-3
    assert state(module) != before


@pytest.mark.parametrize(
    ("name", "block", "stage", "convolution"),
    [
        ("torchvision:squeezenet1_1", "features.3", "features", "features.3.squeeze"),
        ("torchvision:mobilenet_v3_large", "features.4", "features", "features.4.block.0.0"),
        ("timm:convnext_atto", "stages.1.blocks.0", "stages.1", "stages.1.downsample.1"),
    ],
)
def test_kinds_of_layers_are_told_apart(name: str, block: str, stage: str, convolution: str) -> None:
    network = opened(name, built(name))
    layers = examine(network.module, picture(*network.size), {}).layers
    kinds = {each.name: each.kind for each in layers}
    assert (kinds[block], kinds[stage], kinds[convolution]) == ("block", "stage", "convolution")

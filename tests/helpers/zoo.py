"""Architectures of torchvision and timm with random weights, on a machine whose torchvision has no compiled operators."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from tests.helpers.tiny import settled
from torch import nn

from reverie.networks import Network, Preprocessing, wrap_module

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COMMIT = "0123456789abcdef0123456789abcdef01234567"  # of what the hub is said to serve

# name → native size and what its builder needs to be told
ZOO: dict[str, tuple[int, dict[str, Any]]] = {
    "torchvision:alexnet": (224, {}),
    "torchvision:convnext_tiny": (224, {}),
    "torchvision:densenet121": (224, {}),
    "torchvision:efficientnet_b0": (224, {}),
    "torchvision:googlenet": (224, {"init_weights": False, "transform_input": True}),
    "torchvision:inception_v3": (299, {"init_weights": False, "transform_input": True}),
    "torchvision:mobilenet_v3_large": (224, {}),
    "torchvision:regnet_y_400mf": (224, {}),
    "torchvision:resnet50": (224, {}),
    "torchvision:shufflenet_v2_x1_0": (224, {}),
    "torchvision:squeezenet1_1": (224, {}),
    "torchvision:swin_t": (224, {}),
    "torchvision:vgg16": (224, {"init_weights": False}),
    "torchvision:vit_b_16": (224, {}),
    "timm:convnext_atto": (224, {}),
    "timm:deit_tiny_distilled_patch16_224": (224, {}),
    "timm:mixer_s32_224": (224, {}),
    "timm:mobilevit_xxs": (256, {}),
    "timm:res2net50_26w_4s": (224, {}),
    "timm:swin_tiny_patch4_window7_224": (224, {}),
    "timm:tf_efficientnet_lite0": (224, {}),
    "timm:vit_tiny_patch16_224": (224, {}),
}
LIGHT = ("torchvision:squeezenet1_1", "timm:vit_tiny_patch16_224", "timm:convnext_atto")  # of these the suite has time for all


@cache
def declared() -> Any:
    """The two operators that torchvision's wheel asks for when it is imported; what is given must be kept."""
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def built(name: str, seed: int = 0) -> nn.Module:
    """One of the zoo, its norms settled, in evaluation mode."""
    declared()
    import timm
    import torchvision

    _, choices = ZOO[name]
    family, _, bare = name.partition(":")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if family == "timm":
            module = timm.create_model(bare, pretrained=False, **choices)
        else:
            module = torchvision.models.get_model(bare, weights=None, **choices)
    return settled(module, seed)


def opened(name: str, module: nn.Module) -> Network:
    return wrap_module(module, Preprocessing.of(MEAN, STD, size=ZOO[name][0]), name)


def random(module: nn.Module) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        for each in module.parameters():
            nn.init.normal_(each, std=0.05)
    return settled(module)


def of_torchvision(name: str, **choices: Any) -> nn.Module:
    declared()
    import torchvision

    return random(torchvision.models.get_model(name, weights=None, **choices))


def of_timm(name: str, **choices: Any) -> nn.Module:
    declared()
    import timm

    return random(timm.create_model(name, pretrained=False, **choices))

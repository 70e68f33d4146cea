"""Networks of the hub, with random weights that the test serves: models of timm and torchvision, and what their configs may say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.commands import Run
from tests.helpers.tiny import close, picture
from tests.helpers.zoo import COMMIT, of_timm, of_torchvision
from torch import nn

import reverie
from reverie.album import read_recipe
from reverie.errors import InputError, ReverieError, UnsafeError, UsageError
from reverie.store import sha256_of


def test_a_network_of_the_hub_is_a_timm_model_and_its_commit_is_its_name(served: Callable[..., Path], asked: list[str]) -> None:
    served(
        of_timm("test_efficientnet", num_classes=2, in_chans=1),
        {
            "architecture": "test_efficientnet", "num_classes": 2, "label_names": ["n01", "n02"], "model_args": {"in_chans": 1},
            "label_descriptions": {"n01": "cat", "n02": "dog"},
            "pretrained_cfg": {"input_size": [3, 96, 128], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "url": "http://nowhere/x.pth"},
        },
    )  # fmt: skip
    net = reverie.load("hf:owner/name@v1", device="cpu")
    assert net.name == f"hf:owner/name@{COMMIT}" and net.size == (96, 128) and net.channels == 1
    assert [each[0] for each in net.labels] == ["cat", "dog"]
    assert asked == ["owner/name config.json v1", f"owner/name model.safetensors {COMMIT}"]


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"std": [0, 0, 0]}, True), ({"std": [-0.5, 0.5, 0.5]}, True), ({"mean": ["a", "b", "c"]}, True),
        ({"input_size": [3, -64, -64]}, False), ({"input_size": [3, 30000, 30000]}, False), ({"label_names": [["a"], ["b"]]}, False),
    ],
)  # fmt: skip
def test_what_its_config_says_and_cannot_be_is_not_said(served: Callable[..., Path], facts: dict[str, Any], missing: bool) -> None:
    known = {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.25] * 3}
    served(of_timm("test_efficientnet", num_classes=2), {"architecture": "test_efficientnet", "num_classes": 2, **known, **facts})
    if missing:
        with pytest.raises(UsageError, match="the normalisation that"):
            reverie.load("hf:owner/name", device="cpu")
        return
    net = reverie.load("hf:owner/name", device="cpu")
    assert net.size in ((64, 64), (224, 224)) and not net.labels


def test_labels_do_not_steer_a_terminal(served: Callable[..., Path]) -> None:
    names = {"label_names": ["cat\x1b[2J", "dog\x07"], "mean": [0.5] * 3, "std": [0.25] * 3}
    served(of_timm("test_efficientnet", num_classes=2), {"architecture": "test_efficientnet", "model_args": {"num_classes": 2}, **names})
    assert [each[0] for each in reverie.load("hf:owner/name", device="cpu").labels] == ["cat�[2J", "dog�"]


@pytest.mark.parametrize(
    ("architecture", "config"),
    [
        ("squeezenet1_1", {}),
        ("mobilenet_v3_small", {"library_name": "torchvision"}),
        ("regnet_x_400mf", {}),
        ("resnet18", {"library_name": "torchvision"}),
    ],
)
def test_a_network_of_the_hub_may_be_torchvisions(
    served: Callable[..., Path], asked: list[str], architecture: str, config: dict[str, Any]
) -> None:
    """Of what both zoos have under one name (resnet18), a library's name says whose it is."""
    module = of_torchvision(architecture, num_classes=2)
    facts = {"input_size": [3, 96, 96], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.25], "label_names": ["cat", "dog"], "num_classes": 2}
    served(module, {"architecture": architecture, **config, **facts})
    net = reverie.load("hf:owner/name", device="cpu")
    assert net.name == f"hf:owner/name@{COMMIT}" and type(net.module) is type(module)
    assert net.size == (96, 96) and net.mean == (0.5, 0.4, 0.3) and [each[0] for each in net.labels] == ["cat", "dog"]
    x = picture(96, 96)
    assert close(net(x), module((x - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor([0.2, 0.2, 0.25]).view(3, 1, 1)))


def test_weights_of_the_hub_on_ones_own_code(served: Callable[..., Path], asked: list[str], place: Path, run: Run) -> None:
    safe = served(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3)), "not asked for")
    (place / "mine.py").write_text(
        "from torch import nn\n\ndef net():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))\n"
    )
    named = ("--network", "hf:owner/name@v2", "--definition", "mine:net")
    run("layers", *named).fault(2, "the normalisation that 'hf:owner/name@v2' was trained with is not known", "--mean")
    assert run("layers", *named, "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2", "--native", "32").code == 0
    run("dream", "noise:pink", *named, "--target", "0:1", "--size", 32, "--octaves", 1, "--steps", 1, "-o", "a.png")
    (used,) = read_recipe(place / "a.png").networks
    assert used.name == f"hf:owner/name@{COMMIT}" and used.sha256 == sha256_of(safe)
    assert run("redo", "a.png", *named, "-o", "b.png").code == 0
    assert (place / "b.png").read_bytes() == (place / "a.png").read_bytes()
    assert set(asked) == {"owner/name model.safetensors v2"}
    run("redo", "a.png", "-o", "c.png").fault(3, "--network")
    assert run("layers", "--network", "timm:test_resnet", *named[2:]).code == 2


def test_what_its_config_does_not_say_is_asked_for(served: Callable[..., Path], place: Path, run: Run) -> None:
    served(of_timm("test_efficientnet", num_classes=2), {"architecture": "test_efficientnet", "num_classes": 2})
    run("layers", "--network", "hf:owner/name").fault(2, "the normalisation that 'hf:owner/name' was trained with is not known", "--mean")
    done = run("layers", "--network", "hf:owner/name", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--native", "64")
    assert done.code == 0 and "'hf:owner/name' takes pictures like this" in done.err
    assert run("layers", "--network", "hf:owner/name").code == 0


@pytest.mark.parametrize(
    ("config", "kind", "words"),
    [
        ("{", InputError, "is no JSON"),
        ("[" * 100_000, InputError, "is no JSON"),
        ("[]", InputError, "is no JSON object"),
        ("{}", InputError, "no model of timm or torchvision"),
        ({"architecture": "net", "library_name": "keras"}, InputError, "is a model of another library (keras)"),
        ({"architecture": "vgg11", "library_name": "torchvision", "model_args": {"act_layer": "x"}}, UnsafeError, "asks for 'act_layer'"),
        ({"architecture": "test_resnet", "library_name": "torchvision"}, InputError, "which torchvision here does not have"),
        ({"architecture": "googlenet", "library_name": "timm"}, InputError, "which timm here does not have"),
        ({"model_type": "vit", "architectures": ["ViTForImageClassification"]}, InputError, "is a model of another library (vit)"),
        ({"architecture": "vit_of_tomorrow"}, InputError, "which timm and torchvision here do not have"),
        ({"architecture": "hf-hub:evil/net"}, InputError, "which timm and torchvision here do not have"),
        ({"architecture": "test_resnet", "model_args": {"checkpoint_path": "x.pth"}}, UnsafeError, "asks for 'checkpoint_path'"),
        ({"architecture": "test_resnet", "model_args": {"pretrained_cfg": {"url": "x"}}}, UnsafeError, "asks for 'pretrained_cfg'"),
        ({"architecture": "test_resnet", "model_args": {"num_classes": 10**9}}, UnsafeError, "asks for 'num_classes'"),
        ({"architecture": "test_resnet", "model_args": {"act_layer": "__import__('os')"}}, UnsafeError, "asks for 'act_layer'"),
        ({"architecture": "test_resnet", "model_args": {"embed_dim": 64}}, InputError, "timm cannot build 'test_resnet'"),
        ({"x": "y" * (1 << 20)}, UnsafeError, "more than a megabyte"),
        ({"architecture": "vit_tiny_patch16_224", "model_args": {"embed_dim": 8190, "depth": 100}}, UnsafeError, "asks for 32"),
        ({"architecture": "vit_tiny_patch16_224", "model_args": {"num_heads": 0}}, InputError, "timm cannot build"),
        ({"architecture": "vit_tiny_patch16_224", "model_args": {"patch_size": 0}}, InputError, "timm cannot build"),
        ({"architecture": "swin_tiny_patch4_window7_224", "model_args": {"depths": []}}, InputError, "timm cannot build"),
    ],
)
def test_a_config_that_is_of_none_of_the_zoos_is_refused(
    served: Callable[..., Path], asked: list[str], config: Any, kind: type[ReverieError], words: str
) -> None:
    served({"x": torch.zeros(1)}, config)
    with pytest.raises(kind) as raised:
        reverie.load("hf:owner/name")
    assert words in raised.value.fault and "\n" not in str(raised.value)
    assert len(asked) == 1 or "cannot build" in words or "asks for 32" in words

"""Networks that are put together unusually, changed after they were opened, or asked for more than they can give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import close, picture, settled, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.target import CLASSES


def opened(module: nn.Module, size: int = 32) -> Network:
    return reverie.wrap(module, mean=[0.5] * 3, std=[0.25] * 3, size=size, device="cpu")


def seeded(module: nn.Module) -> nn.Module:
    """With random weights, and norms that do something."""
    torch.manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean = torch.randn(part.num_features)
            part.running_var = torch.rand(part.num_features) + 0.5
    return module.eval()


class OuterRelu(nn.Module):
    """A container that ends in a norm, and a ReLU behind it that is not the container's."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.relu = nn.ReLU()
        self.tail = nn.Conv2d(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.relu(self.stem(x))).mean((2, 3))  # type: ignore[no-any-return]


def test_a_container_before_a_relu_shows_what_it_gave() -> None:
    net = opened(seeded(OuterRelu()))
    pictures = torch.rand(2, 3, 32, 32)
    with torch.no_grad(), net.watch("stem") as seen:
        net(pictures)
    mine = net.prepare(["stem"])(pictures)["stem"]
    assert float(seen["stem"].min()) < 0
    assert torch.allclose(mine, seen["stem"], atol=1e-5)


class ReadsItsParts(nn.Module):
    """Asks its convolution for an attribute, as some networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.conv(x.to(self.conv.weight.dtype)))).mean((2, 3))  # type: ignore[no-any-return]


def test_a_network_that_reads_its_parts_is_left_as_it_is() -> None:
    net = opened(seeded(ReadsItsParts()))
    pictures = torch.rand(1, 3, 32, 32)
    with torch.no_grad(), net.watch("head") as seen:
        net(pictures)
    assert torch.allclose(net.prepare(["head"])(pictures)["head"], seen["head"], atol=1e-5)


def test_two_threads_look_into_one_network(lite0: Network) -> None:
    pictures = torch.rand(1, 3, 64, 64)
    first, second = lite0.prepare(["blocks.1.0"]), lite0.prepare(["blocks.2.1"])
    with torch.no_grad():
        expected = first(pictures)["blocks.1.0"], second(pictures)["blocks.2.1"]
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(each, pictures) for _ in range(15) for each in (first, second)]
            answers = [job.result() for job in jobs]
    for number, answer in enumerate(answers):
        (values,) = answer.values()
        assert torch.allclose(values, expected[number % 2], atol=1e-5)


def test_changed_weights_have_another_hash() -> None:
    net = reverie.load("efficientnet-lite0", device="cpu")
    before, pictures = net.sha256, torch.rand(1, 3, 32, 32)
    values = net.prepare(["conv_stem"])(pictures)["conv_stem"]
    assert before.startswith("57934424")
    net.module.get_parameter("conv_stem.weight").data.mul_(0.5)
    assert net.sha256 != before
    assert torch.allclose(net.prepare(["conv_stem"])(pictures)["conv_stem"], values * 0.5, atol=1e-5)


class Unpadded(nn.Module):
    """Shrinks a picture by 24 pixels a side: smaller ones it cannot take."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[nn.Conv2d(3, 3, 9) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.layers(x)).mean((2, 3))


def test_pictures_too_small_for_the_network_are_enlarged_for_it() -> None:
    net = opened(seeded(Unpadded()))
    octaves: list[tuple[int, ...]] = []
    picture = reverie.dream(
        "noise:pink", "layers.2", network=net, size=40, octaves=3, octave_scale=1.5, steps=1,
        progress=lambda now: octaves.append(tuple(now.pictures.shape[2:])),
    )  # fmt: skip
    assert octaves == [(18, 18), (27, 27), (40, 40)] and picture.size == (40, 40) and picture.notes == ()  # 25 is the least it takes itself
    small = reverie.dream("noise:pink", "layers.2", network=net, size=20, octaves=1, steps=1)
    assert small.size == (20, 20) and small.alive


def test_a_score_that_is_no_number_is_an_error(lite0: Network) -> None:
    with pytest.raises(UsageError, match="no finite number"):
        reverie.dream("noise:pink", "1e38*conv_stem + 1e38*conv_stem", network=lite0, size=32, octaves=1, steps=2)


@dataclass
class Result:
    logits: Tensor
    features: Tensor


class GivesResult(nn.Module):
    def __init__(self, empty: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.head, self.empty = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Linear(6, 3), empty

    def forward(self, x: Tensor) -> Result | None:
        features = self.norm(self.conv(x)).relu()
        return None if self.empty else Result(self.head(features.mean((2, 3))), features)


def test_a_data_class_as_output() -> None:
    network = wrapped(settled(GivesResult()))
    x = picture()
    assert close(network.prepare([CLASSES])(x)[CLASSES], network.module.eval()(x).logits)
    assert network.prepare([CLASSES]).folded == 1


def test_no_output_at_all_is_no_reason_not_to_look_into_it() -> None:
    module = settled(GivesResult(empty=True))
    network = wrapped(module)
    x = picture()
    prepared = network.prepare(["norm"])
    assert prepared.folded == 0, "nothing could show whether it is right"
    assert close(prepared(x)["norm"], module.norm(module.conv(x)))


def test_what_has_no_weights_to_look_at() -> None:
    with torch.device("meta"):
        empty = nn.Conv2d(3, 4, 3)
    for module in (nn.LazyConv2d(4, 3), empty):
        with pytest.raises(UsageError, match="has weights without values; run it once"):
            wrapped(module)
    with pytest.raises(UsageError, match="TorchScript"):
        wrapped(torch.jit.script(nn.Conv2d(3, 4, 3)))

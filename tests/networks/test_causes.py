"""Whatever a stranger's forward raises is told in one line, with the layer where it was raised and what to do about it."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.commands import Run
from tests.helpers.tiny import SIDE, Flow, close, picture, settled, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks.inspection.failures import CannotTake
from reverie.target import CLASSES


class Strange(Exception):
    """Of a kind that nobody could foresee."""


class Body(nn.Module):
    """Convolution and head, and a forward of one's own."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU())
        self.head = nn.Linear(4, 3)

    def scores(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))  # type: ignore[no-any-return]

    def forward(self, x: Any) -> Any:
        return self.scores(x)


class Two(Body):
    def forward(self, x: Tensor, age: Tensor) -> Tensor:  # type: ignore[override]
        return self.scores(x) + age


class Keyword(Body):
    def forward(self, x: Tensor, *, mode: str) -> Tensor:  # type: ignore[override]
        return self.scores(x)


class Dictionary(Body):
    def forward(self, batch: Any) -> Tensor:
        return self.scores(batch["image"])


class Attribute(Body):
    def forward(self, batch: Any) -> Tensor:
        return self.scores(batch.pixel_values) * batch["mask"].mean()  # type: ignore[no-any-return]


class Pictures(Body):
    def forward(self, x: list[Tensor]) -> Tensor:
        if not isinstance(x, list):
            raise Strange("a list of pictures, please")
        return self.scores(torch.stack(x))


class LastChannels(Body):
    def forward(self, x: Tensor) -> Tensor:
        return self.scores(x.permute(0, 3, 1, 2))


class Films(Body):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3, 4)))  # type: ignore[no-any-return]


class Row(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(3 * SIDE * SIDE, 4), nn.ReLU(), nn.Linear(4, 3))


class OnADevice(Body):
    def forward(self, x: Tensor) -> Tensor:
        if not torch.cuda.is_available():
            raise AssertionError("Torch not compiled with CUDA enabled")
        return self.scores(x.cuda())


class HalfInside(Body):
    def forward(self, x: Tensor) -> Tensor:
        return self.scores(x.half())


class OneSize(Body):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] != (28, 28):
            raise Strange("28, please")
        return self.scores(x)


class Measuring(Body):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.body(x).mean((2, 3))))  # type: ignore[no-any-return]


class Broken(Body):
    def forward(self, x: Tensor) -> Tensor:
        raise Strange("first\nsecond")


CAUSES: list[tuple[type[nn.Module] | Any, str, str]] = [
    (Two, r"missing 1 required positional argument: 'age'", r"two inputs \(x, age\): wrap it in a module that takes pictures alone"),
    (Keyword, "'mode'", r"two inputs \(x, mode\)"),
    (lambda: nn.DataParallel(Two()), "'age'", r"two inputs \(x, age\)"),
    (Dictionary, "too many indices|invalid index|new\\(\\)", r"a dictionary: .*hands on \{'image': x\}"),
    (Attribute, "'Tensor' object has no attribute 'pixel_values'", r"hands on \{'pixel_values': x, 'mask': …\}"),
    (Pictures, "a list of pictures, please", r"a list of pictures \(C, H, W\): wrap it in a module that begins with list\(x\)"),
    (LastChannels, r"expected input.* \(in layer 'body.0'\)", r"\(N, H, W, C\): .* x.permute\(0, 2, 3, 1\)"),
    (Films, r"\(in layer 'body.0'\)", r"films \(N, C, T, H, W\): .*x\[:, :, None\]"),
    (Row, r"cannot be multiplied.* \(in layer '0'\)", r"pixels in a row: .*x.flatten\(1\)"),
    (OnADevice, "CUDA|device", r"names a device in its forward: say x.device"),
    (HalfInside, r"Half.* \(in layer 'body.0'\)", "float16 is written into its forward: take that out"),
    (OneSize, "28, please", r"takes pictures of 28×28: say its native size, size=28 \(on the command line --native 28\)"),
    (Measuring, r"more than 1 value.* \(in layer 'norm'\)", r"norm 'norm' takes mean and spread from the batch.*track_running_stats=True"),
    (Broken, "Strange: first; ", r"see what it takes by itself: module.eval\(\)\(torch.rand\(1, 3, 16, 16\)\)"),
]


@pytest.mark.parametrize(("made", "raised", "remedy"), CAUSES, ids=lambda each: getattr(each, "__name__", None))
def test_what_a_forward_raises_is_told_when_it_is_wrapped(made: Any, raised: str, remedy: str) -> None:
    module = made()
    with pytest.raises(UsageError, match=f"cannot take a picture of 16×16: (.*{raised}|{raised})") as told:
        reverie.wrap(module, mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, device="cpu")
    assert str(told.value).count("\n") == 0 and told.value.exit_code == 2
    with pytest.raises(UsageError, match=remedy):
        _ = wrapped(module).layers


def test_it_is_two_lines_on_the_command_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pair.py").write_text(
        "import torch\nclass Pair(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.conv = torch.nn.Conv2d(3, 4, 3)\n    def forward(self, x, y):\n        return self.conv(x).mean((2, 3)) + y\n"
    )
    torch.save({"conv.weight": torch.rand(4, 3, 3, 3), "conv.bias": torch.rand(4)}, "pair.pth")
    said = ["--network", "pair.pth", "--definition", "pair:Pair", "--mean", "0,0,0", "--std", "1,1,1", "--native", "16"]
    run("layers", *said).fault(2, "cannot take a picture of 16×16", "'y'", "two inputs (x, y)")


def test_a_network_that_asks_for_gradients_in_its_forward() -> None:
    def way(m: Any, x: Tensor) -> Tensor:
        y = m.conv(x)
        slope = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
        return m.head(y.mean((2, 3))) + slope.mean()  # type: ignore[no-any-return]

    module = settled(Flow(way, conv=nn.Conv2d(3, 4, 3), head=nn.Linear(4, 3)))
    network, x = wrapped(module), picture()
    wanted = module(x.clone().requires_grad_(True)).detach()
    with torch.no_grad():
        seen = network.prepare([CLASSES, "conv"])(x)
    assert close(seen[CLASSES], wanted) and not any(each.requires_grad for each in seen.values())
    assert reverie.imagine(1, network=network, size=20, steps=1).alive and len(network.recognise(x[0])) == 3


def test_what_cannot_be_copied_is_shared() -> None:
    class Writes(Body):
        def __init__(self) -> None:
            super().__init__()
            self.lock, self.seen = threading.Lock(), [queue.Queue[int]()]
            self.file = open(__file__)  # noqa: SIM115, PTH123

        def forward(self, x: Tensor) -> Tensor:
            with self.lock:
                return self.scores(x)

    module = Writes()
    network = wrapped(module)
    ready = network.prepare([CLASSES])
    assert close(ready(picture())[CLASSES], module(picture()))
    assert vars(ready.module)["lock"] is module.lock and ready.module.get_submodule("body.0") is not module.body[0]
    module.file.close()


def test_an_error_on_the_way_is_told_where_no_window_helps() -> None:
    def way(m: Any, x: Tensor) -> Tensor:
        if m.failing:
            raise Strange("not today")
        return m.conv(x).mean((2, 3))  # type: ignore[no-any-return]

    module = Flow(way, conv=nn.Conv2d(3, 4, 3))
    object.__setattr__(module, "failing", False)
    ready = wrapped(module).prepare([CLASSES])
    object.__setattr__(ready.module, "failing", True)
    for size in ((SIDE, SIDE), (20, 30)):
        with pytest.raises(CannotTake, match="Flow cannot take a picture of 16×16: Strange: not today"):
            ready(picture(*size))


@pytest.mark.parametrize("broken", ["weight", "bias"])
def test_the_first_layer_that_gives_nan_is_named(broken: str) -> None:
    torch.manual_seed(0)
    body = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]
    module = nn.Sequential(*body)
    module[2].get_parameter(broken).data.view(-1)[0] = float("nan")
    with pytest.raises(UsageError, match=f"Sequential holds NaN, first in {broken} of '2'"):
        reverie.wrap(module, mean=[0.5] * 3, std=[0.25] * 3, size=SIDE, device="cpu")


def test_nan_that_no_weight_holds() -> None:
    def way(m: Any, x: Tensor) -> Tensor:
        return m.head(m.root(-m.conv(x).abs() - 1).mean((2, 3)))  # type: ignore[no-any-return]

    root = Flow(lambda m, x: x.sqrt())
    network = wrapped(settled(Flow(way, conv=nn.Conv2d(3, 4, 3), root=root, head=nn.Linear(4, 3))))
    assert network.anatomy.nans[0] == "root"
    with pytest.raises(UsageError, match="'root' is the first layer that gives it, though its weights are finite; mend its forward"):
        network.recognise(picture()[0])

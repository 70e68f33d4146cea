"""What compiling and training in parallel put around modules: layers are called as without it, and the longer names mean the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tests.helpers.tiny import picture, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks.inspection.wrappers import real_names, unwrapped

LAYERS = ["body.0", "body.2", "body"]


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1))
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.body(x).mean((2, 3)))
        return y


class Around(nn.Module):
    """As FSDP and activation checkpointing are: the module under a name of their own, which calls go through."""

    def __init__(self, inner: nn.Module, name: str) -> None:
        super().__init__()
        self.add_module(name, inner)
        self.held = name

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.get_submodule(self.held)(x)
        return y


class OwnModule(nn.Module):
    """Somebody's own part that is called `module`."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Plain()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x)
        return y


def inside(wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """With a part that is wrapped, in a wrapped part."""
    module = Plain()
    module.body[0] = wrap(module.body[0])
    module.body = wrap(module.body)  # type: ignore[assignment]
    return module


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module, backend="eager")  # type: ignore[return-value]


WRAPPED: dict[str, Callable[[], nn.Module]] = {
    "plain": Plain,
    "compiled": lambda: compiled(Plain()),
    "parts compiled": lambda: inside(compiled),
    "parallel": lambda: nn.DataParallel(Plain()),
    "parallel and compiled": lambda: compiled(nn.DataParallel(compiled(Plain()))),
    "fully sharded": lambda: Around(inside(lambda part: Around(part, "_fsdp_wrapped_module")), "_fsdp_wrapped_module"),
    "checkpointed": lambda: inside(lambda part: Around(part, "_checkpoint_wrapped_module")),
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(Plain()),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_layers_have_the_names_and_the_dreams_of_the_plain_module(kind: str) -> None:
    module = WRAPPED[kind]()
    names = [name for name, _ in module.named_modules()]
    net, plain = wrapped(module, labels=["a", "b", "c"]), wrapped(Plain(), labels=["a", "b", "c"])
    assert [each.name for each in net.layers] == LAYERS and net.layers == plain.layers
    made = [reverie.dream("noise:pink", "body.2:1", network=each, size=32, octaves=1, steps=2).pixels for each in (net, plain)]
    assert torch.equal(*made)
    assert net.recognise(picture()[0]) == plain.recognise(picture()[0])
    with net.watch("body.0", "body") as seen, plain.watch("body.0", "body") as expected, torch.no_grad():
        net(picture())
        plain(picture())
    assert seen.keys() == expected.keys() and all(torch.allclose(seen[name], expected[name], atol=1e-6) for name in seen)
    assert [name for name, _ in module.named_modules()] == names  # it is left as it was
    assert net.name == "Plain"
    assert net.sha256 == plain.sha256  # a recipe knows it again


@pytest.mark.parametrize(("kind", "name"), [
    ("compiled", "_orig_mod.body.2"), ("parts compiled", "body._orig_mod.2"), ("parallel", "module.body.2"),
    ("parallel and compiled", "_orig_mod.module._orig_mod.body.2"), ("plain", "module.body.2"), ("plain", "module._orig_mod.body.2"),
])  # fmt: skip
def test_the_name_with_the_wrappers_means_the_same(kind: str, name: str) -> None:
    net = wrapped(WRAPPED[kind](), labels=["a", "b", "c"])
    assert net.layer(name) == net.layer("body.2") and net.reach(name) == net.reach("body.2")
    assert list(net.prepare([name])(picture())) == [name]
    one, other = (reverie.feature(f"{each}:1", network=net, size=32, octaves=1, steps=2, seed=3) for each in (name, "body.2"))
    assert one.alive and one.size == other.size
    own = reverie.dream("noise:pink", objective=lambda seen: seen[name].mean((1, 2, 3)), network=net, size=32, octaves=1, steps=1)
    assert own.alive
    with net.watch(name, "body.2") as seen:
        net(picture())
    assert torch.equal(seen[name], seen["body.2"])
    assert torch.equal(net.attribute(picture(), [name], 1)[0].values, net.attribute(picture(), ["body.2"], 1)[0].values)
    with pytest.raises(UsageError, match=r"no layer 'body.9'"):
        net.layer(name.replace("body.2", "body.9").replace("_orig_mod.2", "_orig_mod.9"))


def test_a_part_of_somebodys_own_that_is_called_module_keeps_its_name() -> None:
    net = wrapped(OwnModule(), labels=["a", "b", "c"])
    assert [each.name for each in net.layers] == [f"module.{name}" for name in LAYERS]
    assert unwrapped(net.module) is net.module and "module.body.0" in real_names(net.module)


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_what_is_trained_in_parallel_over_processes() -> None:
    net = wrapped(nn.parallel.DistributedDataParallel(Plain()), labels=["a", "b", "c"])
    assert [each.name for each in net.layers] == LAYERS
    assert reverie.dream("noise:pink", "body.2", network=net, size=32, octaves=1, steps=1).alive

"""Networks leave the module as it was, and see when its weights change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.tiny import ODD, SIDE, Hand, close, looked_into, picture, prepared, settled, wrapped
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks import Network, Preprocessing


def state(module: nn.Module) -> Any:
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        {name: (id(tensor), tensor.detach().clone()) for name, tensor in (*module.named_parameters(), *module.named_buffers())},
        {name: (each.requires_grad, None if each.grad is None else each.grad.clone()) for name, each in module.named_parameters()},
        {name: (part.training, id(part), type(part), set(vars(part))) for name, part in module.named_modules()},
        {name: [list(getattr(part, hook).items()) for hook in hooks] for name, part in module.named_modules()},
    )


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (tuple, list)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@pytest.mark.parametrize("kind", ["plain", "weight norm", "old spectral norm", "own hook", "in place", "no running statistics"])
def test_the_module_is_left_as_it_was(kind: str) -> None:
    module = settled(nn.Sequential(ODD[kind][0](), nn.Dropout(0.5)))
    module.train()
    odd: Any = module[0]
    odd[1].eval()
    odd[0].register_forward_pre_hook(lambda part, inputs: None)
    module(torch.rand(2, 3, SIDE, SIDE)).sum().backward()
    next(module.parameters()).requires_grad_(False)
    before = state(module)
    network = wrapped(module)
    names = looked_into(network)
    for name in names:
        prepared(network, name, picture())
    y = picture().requires_grad_(True)
    with network.watch(*names):
        torch.autograd.backward(network(y).sum())
    assert y.grad is not None and y.grad.abs().max() > 0
    _ = network.layers, network.sha256, network.recognise(picture()[0])
    assert same(state(module), before)


def test_a_call_is_in_evaluation_mode_whatever_the_module_is_in() -> None:
    module = nn.Sequential(settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))), nn.Dropout(0.5))
    quiet = wrapped(module)(picture())
    module.train()
    assert torch.equal(wrapped(module)(picture()), quiet)
    assert module.training


def test_a_call_that_raises_leaves_the_module_as_it_was() -> None:
    module = Hand().train()
    before = state(module)
    with pytest.raises(UsageError, match="2 channels for a network that takes 3"):
        wrapped(module)(picture(channels=2))
    network = wrapped(module)
    network(picture())
    module.edge.register_forward_hook(lambda *_: 1 / 0)
    middle = state(module)
    with pytest.raises(UsageError, match="division by zero"):
        network(picture())
    assert same(state(module), middle)
    assert same(state(module)[:3], before[:3])


def test_a_prepared_network_is_frozen() -> None:
    ready = wrapped(Hand().train()).prepare(["edge"])
    assert not any(each.requires_grad or each.grad is not None for each in ready.module.parameters())
    assert not ready.module.training


def test_tensors_left_over_from_a_pass_do_not_hinder_copying() -> None:
    class Saves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.kept: list[Tensor] = []

        def forward(self, x: Tensor) -> Tensor:
            self.kept = [self.conv(x)]
            return self.kept[0].mean((2, 3))

    module = Saves()
    module(picture())
    assert close(wrapped(module).prepare(["conv"])(picture())["conv"], module.conv(picture()))


def test_what_cannot_be_copied_says_so() -> None:
    class Locked(Hand):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("cannot pickle a lock")

    class Silent(Hand):
        def __deepcopy__(self, memo: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(UsageError, match="Locked cannot be copied: cannot pickle a lock"):
        _ = wrapped(Locked()).layers
    with pytest.raises(UsageError, match="Silent cannot be copied: NotImplementedError"):
        _ = wrapped(Silent()).layers


def test_inference_mode_leaves_nothing_that_cannot_be_climbed() -> None:
    with torch.inference_mode():
        network = wrapped(settled(ODD["plain"][0]()))
        network.prepare(["2"])(picture())
    _, slope = prepared(network, "2", picture())
    assert slope.abs().max() > 0


# ---- weights that change are seen


def _step(module: Any) -> None:
    with torch.no_grad():
        module[0].weight.mul_(3)


def _load(module: nn.Module) -> None:
    module.load_state_dict({name: each * 2 for name, each in module.state_dict().items()})


def _replace(module: Any) -> None:
    module[0].weight = nn.Parameter(module[0].weight.detach() * 3)


def _data(module: Any) -> None:
    module[0].weight.data.mul_(3)


def _places(module: Any) -> None:
    """The same numbers elsewhere."""
    for each in module[0].parameters():
        each.data.copy_(each.data.flip(0))


def _buffer(module: Any) -> None:
    module[1].running_mean.add_(1)


def _part(module: Any) -> None:
    module[2] = nn.Tanh()


@pytest.mark.parametrize("change", [_step, _load, _replace, _data, _places, _buffer, _part])
@pytest.mark.parametrize("training", [False, True])
def test_changed_weights_are_seen(change: Callable[[nn.Module], None], training: bool) -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())).train(training)
    network = wrapped(module)
    x = picture()
    before, name = network.prepare(["2"])(x)["2"], network.sha256
    assert torch.equal(network.prepare(["2"])(x)["2"], before)
    change(module)
    after = network.prepare(["2"])(x)["2"]
    assert not close(after, before, 1e-2)
    assert close(after, module.eval()(x))
    assert change is _part or network.sha256 != name


def test_changed_weights_of_a_network_with_a_known_hash_are_seen() -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))
    network = Network(module, Preprocessing.of([0.0] * 3, [1.0] * 3, size=SIDE), name="known", sha256="0" * 64)
    network.prepare(["2"])
    _step(module)
    assert close(network.prepare(["2"])(picture())["2"], module(picture()))


def test_prepared_copies_of_a_large_network_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    module = settled(nn.Sequential(*(nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU()) for _ in range(5))))
    network, x = wrapped(module), picture()
    monkeypatch.setattr("reverie.networks.prepared.folded_copies.MOST_HELD", 3 * 4 * sum(each.numel() for each in module.parameters()))
    names = [f"{number}.0" for number in range(5)]
    wanted = {name: network.prepare([name])(x)[name] for name in names}
    assert len(network._folded) == 3
    kept = network._folded.modules()
    network.prepare([names[2]])
    assert network._folded.modules() == [*kept[1:], kept[0]], "the last used goes last"
    for name in names:
        assert close(network.prepare([name])(x)[name], wanted[name])


@pytest.mark.parametrize(("size", "sides"), [(np.int64(16), (16, 16)), ((16, 24), (16, 24)), ([16, 24], (16, 24))])
def test_a_native_size_as_people_have_it(size: Any, sides: tuple[int, int]) -> None:
    assert Preprocessing.of([0.0] * 3, [1.0] * 3, size=size).size == sides


@pytest.mark.parametrize("size", [224.0, (16, 16, 16), 0, (8, -8), "16", 9000])
def test_a_native_size_that_cannot_be(size: Any) -> None:
    with pytest.raises(UsageError, match="native size"):
        Preprocessing.of([0.0] * 3, [1.0] * 3, size=size)

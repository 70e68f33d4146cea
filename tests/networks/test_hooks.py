"""Watching leaves nothing behind; a pass that stops early gives what the whole pass gives and runs nothing after."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.tiny import Flow, Hand, Log, Noted, wrapped
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.inspection.hooks import first_tensor, run_until, watch
from reverie.networks.inspection.layer_names import LayerName
from reverie.target import CLASSES

X = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def hooks(module: nn.Module) -> int:
    return sum(
        len(part._forward_hooks) + len(part._forward_pre_hooks) + len(part._backward_hooks) + len(part._backward_pre_hooks)
        for part in module.modules()
    )


def noted(*names: str) -> tuple[nn.Module, Log]:
    log = Log()
    parts: list[nn.Module] = []
    for name in names:
        parts += [nn.Conv2d(3, 3, 1), Noted(log, name)]
    return nn.Sequential(*parts), log


def counted(module: nn.Module) -> Flow:
    """A module called three times, each time on what it gave before."""
    return Flow(lambda m, x: m.part(m.part(m.part(x))), part=module)


def test_nothing_after_the_layer_runs() -> None:
    module, log = noted("a", "b", "c", "d")
    network = wrapped(module)
    ready = network.prepare(["3"])
    whole = module(X)
    with watch(module, "3", "5") as seen:
        module(X)
    log.clear()
    assert torch.allclose(ready(X)["3"], seen["3"], atol=1e-6)
    assert log == ["a", "b"]
    log.clear()
    both = network.prepare(["5", "1"])
    log.clear()
    assert torch.allclose(both(X)["5"], seen["5"], atol=1e-6)
    assert log == ["a", "b", "c"]
    ready = network.prepare(["1", CLASSES])
    log.clear()
    assert torch.allclose(ready(X)[CLASSES], whole.mean((2, 3)), atol=1e-6)
    assert log == ["a", "b", "c", "d"]


@pytest.mark.parametrize("layer", ["blocks.0.0", "blocks.3.1.bn2", "blocks.4.1"])
def test_early_stop_is_the_whole_pass(lite0: Network, layer: str) -> None:
    x = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(1))
    with lite0.watch(layer) as seen:
        lite0(x)
    got = lite0.prepare([layer])(x)[layer]
    assert got.shape == seen[layer].shape
    assert (got - seen[layer]).abs().max() <= 1e-4 * seen[layer].abs().max()


def test_a_repeated_module_stops_at_its_last_call_or_at_the_one_named() -> None:
    log = Log()
    module = counted(nn.Sequential(nn.Conv2d(3, 3, 1), Noted(log, "call")))
    network = wrapped(module)
    conv = module.part[0]
    one, two, three = conv(X), conv(conv(X)), conv(conv(conv(X)))
    for names, calls, wanted in [
        (["part#0"], 1, [one]),
        (["part#1"], 2, [two]),
        (["part"], 3, [three]),
        (["part", "part#0"], 3, [three, one]),
        (["part#1", "part#0"], 2, [two, one]),
        (["part#2", "part"], 3, [three, three]),
    ]:
        ready = network.prepare(names)
        log.clear()
        seen = ready(X)
        assert len(log) == calls
        for name, value in zip(names, wanted, strict=True):
            assert torch.allclose(seen[name], value, atol=1e-6), (names, name)
    with watch(module, "part", "part#0", "part#1") as seen:
        module(X)
    assert torch.equal(seen["part"], three) and torch.equal(seen["part#0"], one) and torch.equal(seen["part#1"], two)


def test_a_module_called_more_often_than_counted_does_not_end_the_pass_too_soon() -> None:
    module = Flow(lambda m, x: m.b(m.a(m.a(x))), a=nn.Conv2d(3, 3, 1), b=nn.Conv2d(3, 3, 1))
    seen, _ = run_until(module, X, ["a", "b"], {"a": 1, "b": 1})
    assert torch.equal(seen["b"], module(X)) and "a" in seen


def test_captured_activations_are_safe_from_what_comes_later() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1), nn.Hardtanh(inplace=True))
    wanted = module[0](X)
    assert wanted.min() < 0
    with watch(module, "0") as seen:
        module(X)
    assert torch.equal(seen["0"], wanted)
    seen, _ = run_until(module, X, ["0", "2"], {})
    assert torch.equal(seen["0"], wanted)
    seen, output = run_until(module, X, ["0"], {}, to_the_end=True)
    assert torch.equal(seen["0"], wanted) and output is not None
    together = wrapped(module).prepare(["0", "3"])(X)
    assert torch.allclose(together["0"], wanted, atol=1e-6)


def test_watched_activations_are_part_of_the_graph() -> None:
    module = Hand()
    x = X.clone().requires_grad_(True)
    with wrapped(module).watch("edge") as seen:
        wrapped(module)(x)
    (slope,) = torch.autograd.grad(seen["edge"].square().sum(), x)
    assert slope.abs().max() > 0


def test_watch_leaves_nothing_behind() -> None:
    module = Hand()
    own = module.edge.register_forward_hook(lambda *_: None)
    with watch(module, "light", "edge") as seen:
        assert hooks(module) == 4
        module(X)
        first = seen["edge"]
        module(X * 2)
        assert not torch.equal(seen["edge"], first)  # the latest pass
    assert hooks(module) == 1
    module(X)
    assert set(seen) == {"light", "edge"}
    own.remove()


def test_watch_leaves_nothing_behind_when_something_raises() -> None:
    module = Hand()
    with pytest.raises(RuntimeError), watch(module, "light"):
        module(torch.rand(1, 5, 4, 4))
    with pytest.raises(UsageError, match="did you mean 'light'"), watch(module, "edge", "ligth"):
        pass
    with pytest.raises(KeyboardInterrupt), watch(module, "edge"):
        raise KeyboardInterrupt
    with pytest.raises(RuntimeError):
        run_until(module, torch.rand(1, 5, 4, 4), ["edge"], {})
    assert hooks(module) == 0
    run_until(module, X, ["light"], {})
    assert hooks(module) == 0


def test_watches_can_be_nested() -> None:
    module = Hand()
    with watch(module, "light") as outer:
        with watch(module, "light", "edge") as inner:
            module(X)
        assert torch.equal(outer["light"], inner["light"])
        assert outer["light"] is not inner["light"]
        module(X * 0)
        assert outer["light"].abs().max() == 0 and inner["light"].abs().max() > 0
    assert hooks(module) == 0


def test_a_network_that_catches_exceptions_still_stops() -> None:
    def way(m: Any, x: Tensor) -> Tensor:
        try:
            y: Tensor = m.late(m.early(x))
        except Exception:  # noqa: BLE001
            return x * 0
        return y

    log = Log()
    module = Flow(way, early=nn.Conv2d(3, 3, 1), late=Noted(log, "late"))
    seen, output = run_until(module, X, ["early"], {})
    assert output is None and not log and torch.equal(seen["early"], module.early(X))


def test_a_layer_that_gives_nothing_is_told() -> None:
    module = Flow(lambda m, x: m.used(x), used=nn.Conv2d(3, 3, 1), idle=nn.Conv2d(3, 3, 1))
    with pytest.raises(UsageError, match="'idle' gives no tensor"):
        wrapped(module).prepare(["idle"])
    with pytest.raises(UsageError, match="'idle' gave nothing in this pass"):
        run_until(module, X, ["idle"], {})


def test_names_of_calls_and_parts() -> None:
    assert LayerName.parse("a.b#12") == ("a.b", 12, "")
    assert LayerName.parse("a.b") == ("a.b", None, "")
    assert LayerName.parse("a.b/class") == ("a.b", None, "class") and LayerName.parse("a.b#3/attention") == ("a.b", 3, "attention")
    for odd in ("a#", "a#x", "a#²", "#", "a#" + "9" * 5000, "a/b", "/class", "a/", "a/class#1x"):
        assert LayerName.parse(odd) == (odd, None, "")


def test_first_tensor() -> None:
    assert first_tensor({"a": None, "b": (1, [X])}) is X
    assert first_tensor("text") is None and first_tensor([]) is None

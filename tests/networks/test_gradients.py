"""Networks from which no gradient comes to the picture: told at every door, with what still works, and never taken for dead units."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torch.utils.checkpoint
from PIL import Image
from tests.helpers.tiny import SIDE, Flow, picture, wrapped
from torch import Tensor, nn

import reverie
from reverie.api import plan_dream, plan_feature, plan_film, plan_imagine, plan_journey, plan_see
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.target import CLASSES

LABELS = ["first", "second", "third"]


def parts() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"a": nn.Conv2d(3, 4, 3, padding=1), "b": nn.Conv2d(4, 4, 3, padding=1), "head": nn.Linear(4, 3)}


def under_no_grad(m: Any, x: Tensor) -> Any:
    with torch.no_grad():
        y = m.b(F.relu(m.a(x)))
    return m.head(y.mean((2, 3)))


def in_inference(m: Any, x: Tensor) -> Any:
    with torch.inference_mode():
        return m.head(m.b(F.relu(m.a(x))).mean((2, 3)))


def detached(m: Any, x: Tensor) -> Any:
    return m.head(m.b(F.relu(m.a(x)).detach()).mean((2, 3)))


def through_numpy(m: Any, x: Tensor) -> Any:
    return m.head(m.b(torch.from_numpy(np.maximum(m.a(x).numpy(), 0))).mean((2, 3)))


class Unwilling(torch.autograd.Function):
    """Gives no gradient back, and no zeros in its place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> None:
        return None


def unwillingly(m: Any, x: Tensor) -> Any:
    return m.head(m.b(Unwilling.apply(F.relu(m.a(x)))).mean((2, 3)))  # type: ignore[no-untyped-call]


def quantised() -> Network:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated
        dynamic = torch.ao.quantization.quantize_dynamic(module, {nn.Linear}, dtype=torch.qint8)  # type: ignore[no-untyped-call]
    return wrapped(dynamic, labels=LABELS)


def network(way: Callable[[Any, Tensor], Any]) -> Network:
    return wrapped(Flow(way, **parts()), labels=LABELS)


# way → layers without a gradient, layers with one
BREAKS: dict[Callable[[Any, Tensor], Any], tuple[list[str], list[str]]] = {
    under_no_grad: (["a", "b"], []), in_inference: (["a", "b"], []), detached: (["b"], ["a"]), through_numpy: (["a", "b"], []),
    unwillingly: (["b"], ["a"]),
}  # fmt: skip


@pytest.mark.parametrize("way", BREAKS, ids=lambda way: way.__name__)
def test_it_is_told_of_what_lies_behind_the_break_and_of_nothing_else(way: Callable[[Any, Tensor], Any]) -> None:
    net, (without, with_one) = network(way), BREAKS[way]
    assert set(net.without_gradient(["a", "b", CLASSES])) == {*without, CLASSES}
    for name in without:
        with pytest.raises(UsageError, match=f"no gradient comes from '{name}' to the picture: ") as told:
            reverie.dream("noise:pink", name, network=net, size=32, octaves=1, steps=1)
        assert told.value.exit_code == 2
    for name in with_one:
        made = reverie.dream("noise:pink", name, network=net, size=32, octaves=1, steps=1)
        assert made.alive and made.notes == ()
    assert net.recognise(picture()[0], top=1)[0].label in LABELS and [each.name for each in net.layers] == ["a", "b"]
    with net.watch("b") as seen, torch.no_grad():
        net(picture())
    assert seen["b"].shape == (1, 4, SIDE, SIDE)


def test_every_door_asks_before_anything_is_made(tmp_path: Path) -> None:
    net = network(detached)
    Image.new("RGB", (32, 32)).save(tmp_path / "film.gif", save_all=True, append_images=[Image.new("RGB", (32, 32), "red")])
    doors: list[Callable[[], object]] = [
        lambda: plan_dream("noise:pink", "b:1", network=net, size=32),
        lambda: plan_dream("noise:pink", "a + 0.5*b", network=net, size=32),
        lambda: plan_dream("noise:pink", objective=lambda seen: seen["b"].mean((1, 2, 3)), network=net, size=32),
        lambda: plan_feature(["a:0", "b:0"], network=net),
        lambda: plan_imagine("second", network=net),
        lambda: plan_see(picture()[0], network=net, layers=["b"]),
        lambda: plan_see(picture()[0], network=net, why=1),
        lambda: plan_journey("noise:pink", "b", network=net, size=32),
        lambda: plan_journey("noise:pink", network=net, ring=["a", "b"], size=32),
        lambda: plan_film(tmp_path / "film.gif", "b", network=net),
        lambda: net.attribute(picture()[0], ["a"], 1),
    ]
    for door in doors:
        with pytest.raises(UsageError, match=r"no gradient comes from .*no_grad, detach or quantised weights on the way"):
            door()
    assert reverie.dream("noise:pink", objective=lambda seen: seen["a"].mean((1, 2, 3)), network=net, size=32, octaves=1, steps=1).alive
    both = reverie.dream(
        "noise:pink", objective=lambda seen: seen["a"].mean((1, 2, 3)) * seen["b"].std(), network=net, size=32, octaves=1, steps=1
    )
    assert both.alive  # of one that weighs by what has no gradient there is one all the same


def test_see_leaves_out_what_it_cannot_rebuild_and_says_so() -> None:
    plan = plan_see(picture()[0], network=network(detached))
    assert plan.request.layers == ("a",) and plan.request.why is None
    assert "no gradient comes to the picture from b, which is left out" in plan.sight.notes
    assert "what counted is left out: no gradient comes from the class scores to the picture" in plan.sight.notes
    with pytest.raises(UsageError, match="no gradient comes from 'a'"):
        plan_see(picture()[0], network=network(under_no_grad))


def test_quantised_weights_are_a_break_and_no_unit_that_never_fires() -> None:
    net = quantised()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UsageError, match=r"class scores .* the last layer with one is '0'"):
            reverie.imagine(1, network=net, size=32, octaves=1, steps=1)
    assert reverie.feature("0:1", network=net, size=32, octaves=1, steps=1).alive
    with pytest.raises(UsageError, match="no gradient comes from the class scores to '0'"):
        net.attribute(picture()[0], ["0"], 1)


def test_a_dead_unit_has_a_gradient_of_zeros_and_is_called_dead() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    with torch.no_grad():
        module[0].bias.fill_(-100)  # type: ignore[operator]
        module[0].weight.fill_(0)  # type: ignore[operator]
    net = wrapped(module, labels=LABELS)
    assert net.without_gradient(["1", CLASSES]) == {}
    made = reverie.feature("1:2", network=net, size=32, octaves=1, steps=1)
    assert not made.alive and "never fired" in made.notes[-1]


def test_what_counted_at_a_layer_that_the_scores_do_not_depend_on_is_nothing() -> None:
    torch.manual_seed(0)
    aside = Flow(lambda m, x: (m.b(x), m.head(m.a(x).mean((2, 3)))), **{**parts(), "b": nn.Conv2d(3, 5, 3)})
    (found,) = wrapped(aside, labels=LABELS).attribute(picture()[0], ["b"], 0)
    assert found.values.shape == (5, SIDE - 2, SIDE - 2) and not found.values.any()


# ---- the reentrant kind of checkpointing


def checkpointed(m: Any, x: Tensor) -> Any:
    return m.head(torch.utils.checkpoint.checkpoint(lambda y: m.b(F.relu(m.a(y))), x, use_reentrant=True).mean((2, 3)))


def plainly(m: Any, x: Tensor) -> Any:
    return m.head(m.b(F.relu(m.a(x))).mean((2, 3)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("target", ["a", "b:1", "class:second"])
def test_what_is_checkpointed_dreams_as_what_is_not(target: str) -> None:
    made = [
        reverie.dream("noise:pink", target, network=network(way), size=32, octaves=2, steps=2).pixels for way in (checkpointed, plainly)
    ]
    assert torch.equal(*made)


def test_a_training_in_another_thread_keeps_its_checkpoints() -> None:
    own, calls = torch.utils.checkpoint.CheckpointFunction, []

    def inner(x: Tensor) -> Tensor:
        calls.append(torch.is_grad_enabled())
        return x * 2

    def other() -> None:
        x = torch.ones(1, requires_grad=True)
        torch.utils.checkpoint.checkpoint(inner, x, use_reentrant=True).backward()

    def during(m: Any, x: Tensor) -> Any:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return plainly(m, x)

    network(during).recognise(picture()[0])
    assert calls and calls[:2] == [False, True]  # without a graph, and anew for the gradient
    assert torch.utils.checkpoint.CheckpointFunction is own

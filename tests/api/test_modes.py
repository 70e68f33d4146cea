"""Whatever is switched on around a call, as where Lightning validates, the result is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
from tests.helpers.tiny import Hand, picture
from torch import Tensor, nn

import reverie
from reverie.pictures.torch_modes import ordinary_modes


@contextmanager
def in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


MODES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "inference": torch.inference_mode,
    "no gradients": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64": in_float64,
    "another device": lambda: torch.device("meta"),
}


def everything(module: nn.Module, start: Tensor) -> dict[str, Any]:
    net = reverie.wrap(module, mean=[0.5] * 3, std=[0.25] * 3, size=16, labels=["a", "b", "c"], device="cpu")
    short: dict[str, Any] = {"network": net, "octaves": 1, "steps": 2}
    seen = reverie.see(start, network=net, layers=["edge"], channels=1, steps=1)["edge"]
    assert seen.enhanced is not None
    return {
        "dream": reverie.dream(start, "edge", **short).encode(),
        "class": reverie.dream(start, "class:b", **short).encode(),
        "caricature": reverie.dream(start, "edge", caricature=True, **short).encode(),
        "guide": reverie.dream(start, "edge", guide=start.flip(2), mask=start[:1], **short).encode(),
        "own": reverie.dream(start, objective=lambda seen: seen["edge"][:, 1].mean((1, 2)), **short).encode(),
        "noise": reverie.dream("noise:pink", "edge", size=20, **short).encode(),
        "imagine": reverie.imagine("b", network=net, size=20, steps=2).encode(),
        "feature": reverie.feature("edge:1", network=net, size=20, steps=2).encode(),
        "fourier": reverie.feature("edge:1", network=net, size=20, steps=2, canvas="fourier").encode(),
        "features": [each.encode() for each in reverie.features("edge:0-1", network=net, size=20, steps=2)],
        "climb": reverie.climb("noise:pink", lambda pictures: pictures[:, 0].mean((1, 2)), size=20, octaves=1, steps=2).encode(),
        "see": (seen.rebuilt.encode(), seen.enhanced.encode(), repr(seen)),
        "recognise": net.recognise(start),
        "layers": net.layers,
    }


@pytest.fixture(scope="module")
def outside() -> dict[str, Any]:
    return everything(Hand(), picture(21, 37)[0])


@pytest.mark.parametrize("mode", MODES)
def test_the_results_are_those_without_it(mode: str, outside: dict[str, Any]) -> None:
    module, start = Hand().train().requires_grad_(True), picture(21, 37)[0]
    with MODES[mode]():
        inside = everything(module, start.clone() if mode == "inference" else start)
        assert torch.is_inference_mode_enabled() == (mode == "inference")
        assert torch.is_autocast_enabled("cpu") == (mode == "autocast")
        assert (torch.get_default_dtype() == torch.float64) == (mode == "float64")
    assert [name for name in outside if inside[name] != outside[name]] == []
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled() and torch.get_default_dtype() == torch.float32
    assert module.training and all(each.requires_grad for each in module.parameters())


def test_weights_that_were_made_in_inference_mode(outside: dict[str, Any]) -> None:
    with torch.inference_mode():
        module = Hand().requires_grad_(True)
        assert all(each.is_inference() for each in module.parameters())
    inside = everything(module, picture(21, 37)[0])
    assert [name for name in outside if inside[name] != outside[name]] == []


def test_modes_are_put_back_after_an_error() -> None:
    with in_float64(), torch.inference_mode():
        with pytest.raises(ZeroDivisionError), ordinary_modes():
            assert torch.ones(1).dtype == torch.float32 and not torch.ones(1).is_inference() and not torch.is_grad_enabled()
            raise ZeroDivisionError
        assert torch.ones(1).dtype == torch.float64 and torch.ones(1).is_inference()

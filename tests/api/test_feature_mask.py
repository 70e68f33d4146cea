"""A mask of `feature`: what a layer sees counts only there, however the picture is moved while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import Run
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor

import reverie
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.objectives import excite
from reverie.pictures import Picture
from reverie.target import parse

SIDE = 48
BARE: dict[str, Any] = {
    "size": SIDE, "octaves": 1, "steps": 3, "jitter": 0, "rotate": 0.0, "scale": 1.0, "noise": 0.0, "fade": 1.0, "smoothing": 0.0,
    "tone": "free", "vivid": 1.0, "total_variation": 0.0, "strength": 0.05,
}  # fmt: skip


@pytest.fixture(scope="module")
def net() -> Network:
    return wrapped(Hand(), labels=["first", "second", "third"])


def left(share: float = 0.5) -> np.ndarray[Any, Any]:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, : round(SIDE * share)] = True
    return mask


def changed(made: Picture, plan: Any) -> Tensor:
    """(H, W), how much a picture differs from the noise that it began with."""
    found: Tensor = (made.pixels - plan.start.pixels).abs().sum(0)
    return found


@pytest.mark.parametrize("target", ["light:0", "edge", "edge:1 - 0.5*light:1"])
def test_only_there_the_picture_is_asked_to_change(net: Network, target: str) -> None:
    for jitter in (0, 9):
        (plan,) = reverie.api.plan_feature(target, network=net, mask=left(), **{**BARE, "jitter": jitter})
        there = changed(plan.make(), plan)
        assert there[:, : SIDE // 2 - 2].mean() > 0.01
        assert not there[:, SIDE // 2 + 4 :].any(), jitter  # a layer's place sees three pixels, and halves of them are mixed
    (free,) = reverie.api.plan_feature(target, network=net, **BARE)
    assert changed(free.make(), free)[:, SIDE // 2 + 4 :].any()


def test_turned_and_scaled_pictures_keep_their_mask(net: Network) -> None:
    turned = {**BARE, "steps": 20, "jitter": 4, "rotate": 40.0, "scale": 1.3}
    (plan,) = reverie.api.plan_feature("light:0", network=net, mask=left(), **turned)
    there = changed(plan.make(), plan)
    assert there[:, : SIDE // 2 - 2].mean() > 20 * there[:, SIDE // 2 + 4 :].mean()


def test_places_are_weighed_by_hand() -> None:
    seen = {"a": torch.tensor([[[[1.0, 3.0]], [[2.0, 5.0]]]])}  # (1, 2, 1, 2)
    places = {"a": torch.tensor([[[[2.0, 0.0]]]])}
    for target, wanted in (("a:1", 2.0), ("a", (1 + 4) / 2), ("a:0@0,1", 3.0)):
        assert float(excite([parse(target)], lambda _: (0,), places)(seen)) == pytest.approx(wanted), target
    half = {"a": torch.tensor([[[[1.5, 0.5]]]])}
    assert float(excite([parse("a:1")], lambda _: (0,), half)(seen)) == pytest.approx((1.5 * 2 + 0.5 * 5) / 2)


def test_it_comes_again_and_may_be_another_mask(net: Network, tmp_path: Path) -> None:
    first = reverie.feature(["light:0", "edge:1"], network=net, mask=left(), **BARE)[1]
    first.save(tmp_path / "first.png")
    assert first.recipe is not None and first.recipe.input("mask") is not None
    assert reverie.redo(tmp_path / "first.png", network=net).encode() == first.encode()
    other = reverie.again(tmp_path / "first.png", network=net, mask=left(0.25))
    free = reverie.again(tmp_path / "first.png", network=net, mask=None)
    assert isinstance(other, Picture) and isinstance(free, Picture) and free.recipe is not None
    assert not torch.equal(other.pixels, first.pixels) and free.recipe.input("mask") is None
    direction = reverie.feature("edge", direction=[1.0, 0.5], network=net, mask=left(), **BARE)
    assert direction.alive


def test_what_has_no_places_takes_no_mask(net: Network) -> None:
    for target, said in (("class:1", "a class has no places"), ("edge:1@2,3", "in one place already"), ("head:1", "it has no places")):
        with pytest.raises(UsageError, match=said):
            reverie.feature(target, network=net, mask=left(), **BARE)
    with pytest.raises(UsageError, match="no choice of `imagine`"):
        reverie.imagine("first", network=net, mask=left(), **BARE)  # type: ignore[call-overload]


def test_the_command_has_it_too(place: Path, run: Run) -> None:
    Image.fromarray(left()).save(place / "mask.png")
    run("feature", "blocks.1.1:3", "--mask", "mask.png", "--size", "48", "--octaves", "1", "--steps", "2", "-o", "made.png")
    assert "mask" in run("recipe", "made.png", "--all").out

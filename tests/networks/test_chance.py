"""Chance inside networks: the same seed gives the same bytes, and nobody's generators are disturbed."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import Flow, Hand, picture, wrapped
from torch import Tensor, nn

import reverie
from reverie.networks import Network
from reverie.networks.inspection.chance import Chance, generators

LABELS = ["first", "second", "third"]
FEW: dict[str, Any] = {"size": 32, "octaves": 2, "steps": 2}


class Held(nn.Module):
    """Draws from a generator of its own."""

    def __init__(self, generator: Any, draw: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.generator, self.draw = generator, draw

    def forward(self, x: Tensor) -> Tensor:
        return x + self.draw(self.generator, x)


def by_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(np.random.rand(*x.shape)).to(x.dtype)


def skips_a_block(m: Any, x: Tensor) -> Tensor:
    return x + m.b(x) if random.random() < 0.5 else x


CHANCES: dict[str, Callable[[], tuple[Callable[[Any, Tensor], Tensor], nn.Module]]] = {
    "noise": lambda: (lambda m, x: x + torch.randn_like(x), nn.Identity()),
    "dropout": lambda: (lambda m, x: F.dropout(x, 0.5), nn.Identity()),
    "numpy": lambda: (lambda m, x: x + by_numpy(x), nn.Identity()),
    "random": lambda: (skips_a_block, nn.Identity()),
    "held by torch": lambda: (
        lambda m, x: m.extra(x), Held(torch.Generator(), lambda held, x: torch.rand(x.shape, generator=held)),
    ),
    "held by numpy": lambda: (
        lambda m, x: m.extra(x), Held(np.random.default_rng(3), lambda held, x: torch.from_numpy(held.random(x.shape)).to(x.dtype)),
    ),
    "held by random": lambda: (lambda m, x: m.extra(x), Held(random.Random(3), lambda held, x: x * held.random())),
}  # fmt: skip


def network(kind: str) -> Network:
    torch.manual_seed(0)
    chance, extra = CHANCES[kind]()
    return wrapped(
        Flow(
            lambda m, x: m.head(m.c(chance(m, F.relu(m.a(x)))).mean((2, 3))),
            a=nn.Conv2d(3, 4, 3, padding=1), b=nn.Conv2d(4, 4, 3, padding=1), c=nn.Conv2d(4, 4, 3, padding=1), extra=extra,
            head=nn.Linear(4, 3),
        ),
        labels=LABELS,
    )  # fmt: skip


def states() -> list[Any]:
    return [torch.get_rng_state().tolist(), random.getstate(), pickle.dumps(np.random.get_state())]


@pytest.mark.parametrize("kind", CHANCES)
def test_redo_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = reverie.dream("noise:pink", "c", network=network(kind), seed=4, **FEW)
    first.save(tmp_path / "first.png")
    torch.manual_seed(17)
    random.seed(17)
    net = network(kind)
    net.recognise(picture()[0])  # nor does it matter what was asked before
    assert reverie.redo(tmp_path / "first.png", network=net).encode() == first.encode()
    made = reverie.feature(["c:0-2", "class:second"], network=net, batch=2, **FEW)
    made[1].save(tmp_path / "second.png")
    assert reverie.redo(tmp_path / "second.png", network=network(kind)).encode() == made[1].encode()


def test_tiles_draw_one_after_the_other_and_come_again(tmp_path: Path) -> None:
    sky = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(2))
    once, twice = (reverie.dream(sky, "c", network=network("noise"), octaves=1, steps=2, tile=32, halo=8) for _ in range(2))
    assert once.recipe is not None and once.recipe.tiles is not None
    assert once.encode() == twice.encode()


def test_each_pass_draws_other_numbers_and_each_seed_too() -> None:
    drawn: list[float] = []

    def noted(m: Any, x: Tensor) -> Tensor:
        noise = torch.randn(1)
        drawn.append(float(noise))
        return m.head(m.a(x + 0.01 * noise).mean((2, 3)))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    net = wrapped(Flow(noted, a=nn.Conv2d(3, 4, 3), head=nn.Linear(4, 3)), labels=LABELS)
    net.layers  # noqa: B018
    found = []
    for seed in (0, 0, 1):
        plan = reverie.api.plan_dream("noise:pink", "class:1", network=net, size=32, octaves=1, steps=3, seed=seed)
        drawn.clear()
        plan.make()
        found.append(drawn[-3:])  # of the steps: what comes before only looks whether it can
    assert len(set(found[0])) == 3 and found[0] == found[1] and not set(found[0]) & set(found[2])


def test_what_is_asked_again_is_answered_again() -> None:
    net = network("dropout")
    assert net.recognise(picture()[0]) == net.recognise(picture()[0])
    first, second = (net.attribute(picture()[0], ["a"], 1)[0] for _ in range(2))
    assert torch.equal(first.values, second.values) and first.total == second.total


def test_nobodys_generators_are_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    before = states()
    assert reverie.load("efficientnet-lite0", device="cpu").recognise(picture()[0])
    assert states() == before
    for kind in CHANCES:
        net = network(kind)  # which draws
        before = states()
        assert [each.name for each in net.layers][:2] == ["a", "c"] or kind == "random"
        reverie.dream("noise:white", "c", network=net, objective=None, **FEW).save(f"{kind}.png")
        reverie.redo(f"{kind}.png", network=net)
        reverie.imagine("first", network=net, **FEW)
        reverie.feature("c:0", network=net, diverse=2, **FEW)
        net.attribute(picture()[0], ["a"], 1)
        assert states() == before, kind
    reverie.see(picture()[0], network=net, layers=["a"], steps=2)
    reverie.climb("noise:pink", lambda pictures: pictures.mean((1, 2, 3)), **FEW)
    assert states() == before


def test_a_network_without_chance_is_left_alone_by_all_of_it() -> None:
    net = wrapped(Hand(), labels=LABELS)
    assert net.prepare(["edge"]).generators == () and network("noise").prepare(["c"]).generators != ()


def test_a_sequence_goes_on_where_it_was_and_inside_stays_inside() -> None:
    chance, sources = Chance(3), generators(nn.Identity(), torch.device("cpu"))
    torch.manual_seed(1)
    outside = torch.rand(4)
    torch.manual_seed(1)
    parts = []
    for _ in range(2):
        with chance.drawing(sources):
            parts.append(torch.rand(2))
        parts.append(torch.rand(2))
    with Chance(3).drawing(sources):
        whole = torch.rand(4)
    assert torch.equal(torch.cat(parts[::2]), whole) and torch.equal(torch.cat(parts[1::2]), outside)

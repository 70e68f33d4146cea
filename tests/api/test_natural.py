"""Pictures drawn to what a network remembers of photographs: nearer to them, made again to the byte; refused where it remembers nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from tests.helpers.imagined import TINY, assert_again
from tests.helpers.known import recipe_of, several
from tests.helpers.tiny import Flow, Hand, wrapped
from torch import Tensor, nn

import reverie
from reverie.cli.main import main
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.networks.norm_statistics import measured, remembered
from reverie.objectives.natural import distance
from reverie.pictures import Picture, resize
from reverie.recipe import COMPANY, LOOKS
from reverie.recipe.description import differences, summary
from reverie.store import cache_folder
from reverie.target import CLASSES

pytestmark = pytest.mark.usefixtures("place", "alone")


def away(picture: Picture, network: Network, wanted: str = CLASSES) -> float:
    """How far a picture is from photographs, by the network itself."""
    usual = remembered(network, [wanted])
    with torch.no_grad():
        return float(distance(network.prepare([*usual])(picture.pixels[None]), usual))


def test_class_pictures_come_nearer_to_photographs_and_are_made_again(lite0: Network) -> None:
    choices: dict[str, Any] = {**TINY, "size": 96, "steps": 20, "network": lite0}
    plain, *natural = (reverie.imagine("daisy", natural=weight, **choices) for weight in (0.0, 1.0, 6.0))
    distances = [away(each, lite0) for each in (plain, *natural)]
    assert distances[0] > distances[1] > distances[2] and distances[2] < 0.7 * distances[0]
    assert natural[0].score > 0 and recipe_of(natural[0]).penalties.natural == 1
    assert "natural" not in recipe_of(plain).text() and '"natural":1.0' in recipe_of(natural[0]).text().replace(" ", "")
    assert_again(natural[0])


@pytest.mark.parametrize("canvas", ["pixels", "fourier", "maco"])
def test_on_every_canvas(canvas: Any, lite0: Network) -> None:
    choices: dict[str, Any] = {**TINY, "size": 64, "steps": 30, "network": lite0, "canvas": canvas}
    plain, natural = (reverie.feature("blocks.4.1:12", natural=weight, **choices) for weight in (0.0, 8.0))
    assert away(natural, lite0, "blocks.4.1") < away(plain, lite0, "blocks.4.1")
    assert_again(natural)


def test_a_dream_and_a_batch_that_keeps_apart(lite0: Network) -> None:
    noise = reverie.dream("noise:pink", level="parts", size=64, octaves=1, steps=4, natural=1, network=lite0)
    assert_again(noise)
    both = several(reverie.imagine("daisy", diverse=2, natural=2, network=lite0, **TINY))
    alone = reverie.imagine("daisy", natural=2, network=lite0, **TINY)
    assert not torch.equal(both[0].pixels, both[1].pixels) and not torch.equal(both[0].pixels, alone.pixels)


def test_a_dead_unit_stays_dead() -> None:
    module = Hand()
    with torch.no_grad():
        module.edge.weight[0] = 0
    dead, alive = several(reverie.feature("edge:0-1", network=wrapped(module), natural=1, octaves=1, steps=2))
    assert alive.alive and not dead.alive
    with torch.no_grad():
        module.edge.bias = nn.Parameter(torch.tensor([0.5] * len(module.edge.weight)))
    constant, alive = several(reverie.feature("edge:0-1", network=wrapped(module), natural=1, octaves=1, steps=2))
    assert alive.alive and not constant.alive and "never fired" in constant.notes[-1]


def test_presets_of_looks(lite0: Network) -> None:
    natural = recipe_of(reverie.imagine("daisy", preset="natural", network=lite0, **TINY))
    assert natural.penalties.natural > 0 and natural.transforms.fade == 1
    assert recipe_of(reverie.feature("blocks.4.1:12", preset="natural", natural=0.5, network=lite0, **TINY)).penalties.natural == 0.5
    emblem = reverie.imagine("daisy", preset="emblem", network=lite0, **TINY)
    assert recipe_of(emblem).penalties.natural == 0
    again = reverie.again(emblem.save("one.png"), preset="natural")
    assert isinstance(again, Picture) and recipe_of(again).penalties == natural.penalties
    for wrong in ("eyes", "naturel"):
        with pytest.raises(UsageError, match=f"no preset '{wrong}'.*; .*natural"):
            reverie.imagine("daisy", preset=wrong, network=lite0, **TINY)  # type: ignore[call-overload]
    with pytest.raises(
        UsageError, match=r"no preset 'natural' here; `imagine`, `feature` have it; natural=1 draws to photographs; the presets"
    ):
        reverie.dream("noise:pink", preset="natural", network=lite0, size=32)  # type: ignore[call-overload]


def test_beside_a_network_of_ones_own_it_is_not_usual(lite0: Network) -> None:
    labels = [", ".join(each) for each in lite0.labels]
    own = wrapped(Flow(lambda m, x: m.head(m.conv(x).relu().mean((2, 3))), conv=nn.Conv2d(3, 2, 3), head=nn.Linear(2, 1000)), labels=labels)
    for networks in (own, [lite0, own], [own, lite0]):
        recipe = recipe_of(reverie.imagine("daisy", network=networks, **TINY))
        assert recipe.penalties.natural == 0 and recipe.canvas.spread != LOOKS["natural"].choices["spread"]
    with pytest.raises(UsageError, match="no batch norm"):
        reverie.imagine("daisy", network=[lite0, own], natural=1, **TINY)


def test_where_nothing_is_remembered(lite0: Network) -> None:
    bare = wrapped(Flow(lambda m, x: m.head(m.conv(x).relu().mean((2, 3))), conv=nn.Conv2d(3, 2, 3), head=nn.Linear(2, 2)))
    with pytest.raises(UsageError, match=r"no batch norm .*; say what usual pictures are: .*usual=.*; or leave it out"):
        reverie.imagine(0, network=bare, natural=1, steps=1)
    with pytest.raises(UsageError, match="no batch norm"):
        reverie.feature("conv_stem:1", network=lite0, natural=1, **TINY)
    with pytest.raises(UsageError, match="an objective of one's own"):
        reverie.dream("noise:pink", objective=lambda seen: seen["conv_stem"].mean((1, 2, 3)), network=lite0, natural=1, size=32)
    with pytest.raises(UsageError, match="penalties are taken of the whole picture"):
        reverie.dream("noise:pink", "blocks.1.1", network=lite0, natural=1, tile=32, size=64)


class _Bare(nn.Module):
    """Without norms: four layers, of which three are looked at."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.one, self.two, self.three, self.four = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
            self.head = nn.Linear(4, 2)

    def forward(self, pictures: Tensor) -> Tensor:
        seen = self.three(self.two(self.one(pictures).relu()).relu()).relu()
        return self.head(self.four(seen).relu().mean((2, 3)))  # type: ignore[no-any-return]


USUAL = [torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(seed)) * 0.5 for seed in range(3)]


def test_drawn_to_pictures_of_the_users_where_nothing_is_remembered(place: Path) -> None:
    bare = wrapped(_Bare())
    choices: dict[str, Any] = {"network": bare, "steps": 12, "octaves": 1}
    plain, natural = (reverie.imagine(0, natural=weight, usual=USUAL, **choices) for weight in (0, 8))
    usual = measured(bare, [CLASSES], [resize(each, *bare.size) for each in USUAL])
    assert list(usual) == ["one", "two", "three"]  # a quarter is left out
    assert recipe_of(plain).input("usual") is None and recipe_of(natural).input("usual") is not None
    apart = []
    for each in (plain, natural):
        with torch.no_grad():
            apart.append(float(distance(bare.prepare([*usual])(each.pixels[None]), usual)))
    assert apart[1] < apart[0]
    assert_again(natural, network=bare)
    early = recipe_of(reverie.feature("two:1", natural=1, usual=USUAL, **choices)).input("usual")
    assert early != recipe_of(natural).input("usual")  # of layers up to its own


def test_their_statistics_go_on_without_them(place: Path, lite0: Network) -> None:
    bare, others = (
        wrapped(_Bare()),
        wrapped(Flow(lambda m, x: m.head(m.conv(x).relu().mean((2, 3))), conv=nn.Conv2d(3, 2, 3), head=nn.Linear(2, 2))),
    )
    choices: dict[str, Any] = {"steps": 2, "octaves": 1}
    first = reverie.imagine(0, natural=1, usual=USUAL, network=bare, **choices)
    assert "penalties.natural" not in [name for name, _, _ in differences(recipe_of(first))]
    more = recipe_of(first).penalties.model_copy(update={"natural": 2.0})
    assert ("penalties.natural", 2.0, 0.0) in differences(recipe_of(first).model_copy(update={"penalties": more}))
    used = recipe_of(first).input("usual")
    assert "drawn to usual pictures of the user's" in summary(recipe_of(first))
    file = first.save("first.png")
    for seed in (0, 1):
        second = reverie.again(file, network=bare, seed=seed)
        assert isinstance(second, Picture) and recipe_of(second).input("usual") == used
        assert torch.equal(second.pixels, first.pixels) == (seed == 0)
    plain = reverie.again(file, network=bare, natural=0)
    assert isinstance(plain, Picture) and recipe_of(plain).input("usual") is None
    with pytest.raises(UsageError, match="no batch norm"):
        reverie.again(file, network=others)
    assert main(["recipe", str(file), "--inputs", "-o", "went-in/"]) == 0
    (kept,) = place.glob("went-in/*.safetensors")
    third = reverie.imagine(0, natural=1, usual=kept, network=bare, **choices)
    assert recipe_of(third).input("usual") == used
    for network, choice, told in ((bare, 0, "without natural="), (lite0, 1, "remember their own")):
        with pytest.raises(UsageError, match=told):
            reverie.imagine(0, natural=choice, usual=kept, network=network, **choices)
    for content in (b"", save({"one": torch.ones(2, 3)}), save({"five": torch.ones(2, 4)}), save({"one": torch.ones(2, 4) * torch.nan})):
        kept.write_bytes(content)
        with pytest.raises(InputError):
            reverie.imagine(0, natural=1, usual=kept, network=bare, **choices)
    for each in (cache_folder() / "inputs").rglob("*"):
        each.unlink() if each.is_file() else None
    with pytest.raises(InputError, match=r"the usual of .first\.png. is not to be found"):
        reverie.redo(file, network=bare)


def pixels(made: object) -> Tensor:
    assert isinstance(made, Picture)
    return made.pixels


def test_made_in_company_that_nobody_sees(lite0: Network) -> None:
    made = reverie.imagine("daisy", network=lite0, **TINY)
    batch = recipe_of(made).batch
    assert batch is not None and batch.index == 0 and str(batch.targets[0]) == "class:daisy"
    assert len(set(batch.targets)) == COMPANY and all(term.label for target in batch.targets for term in target.terms)
    assert recipe_of(reverie.imagine("daisy", network=lite0, seed=1, **TINY)).batch == batch
    assert_again(made)
    file = made.save("one.png")
    assert torch.equal(pixels(reverie.again(file, seed=0)), made.pixels)
    alone = reverie.imagine("daisy", company=1, network=lite0, **TINY)
    told = differences(recipe_of(made))
    assert "batch" not in [name for name, _, _ in told]
    assert differences(recipe_of(alone)) == [*told, ("batch", "made alone", "4 together")]
    assert recipe_of(alone).batch is None and not torch.equal(alone.pixels, made.pixels)
    assert torch.equal(pixels(reverie.again(alone.save("alone.png"), seed=0)), alone.pixels)
    together = several(reverie.imagine(["daisy", "banana"], company=3, network=lite0, **TINY))
    assert differences(recipe_of(together[1]))[-1] == ("batch", "2 of 3 made together (each)", "4 together")
    assert len(together) == 2 and [len(each.batch.targets) for each in map(recipe_of, together) if each.batch] == [3, 3]
    unit = recipe_of(reverie.feature("blocks.4.1:12@1,1", natural=1, network=lite0, **TINY)).batch
    assert unit is not None and len({term.channel for target in unit.targets for term in target.terms}) == COMPANY
    assert all(str(target).startswith("blocks.4.1:") and str(target).endswith("@1,1") for target in unit.targets)
    for target in ("blocks.4.1", "blocks.4.1:1 + blocks.4.1:2"):
        assert recipe_of(reverie.feature(target, natural=1, network=lite0, **TINY)).batch is None
    assert recipe_of(reverie.imagine("daisy", preset="emblem", network=lite0, **TINY)).batch is None
    for wrong in ({"preset": "emblem"}, {"diverse": 2}):
        with pytest.raises(UsageError, match="company=3; leave it out"):
            reverie.imagine("daisy", company=3, network=lite0, **wrong, **TINY)
    fewer = reverie.again(file, company=2)
    assert recipe_of(fewer).batch == batch.model_copy(update={"targets": batch.targets[:2]})
    left = recipe_of(reverie.again(file, company=1))
    assert left.batch is None and left.target == recipe_of(made).target

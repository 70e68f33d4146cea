"""The same, but for what is named: for everything that can be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.commands import saved
from tests.helpers.known import recipe_of
from tests.helpers.tiny import Hand, wrapped

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture

FEW: dict[str, Any] = {"octaves": 1, "steps": 2}


def ways(start: Path, other: Path) -> dict[str, dict[str, Any]]:
    return {
        "plain": {"start": start, "target": "edge:0", "smoothing": 1.2},
        "noise": {"start": "noise:pink", "target": "edge:1", "size": (40, 32), "spread": 0.2},
        "guided": {"start": start, "target": "edge", "guide": other},
        "masked": {"start": start, "target": "edge:0", "mask": other, "mix": 0.25},
        "caricature": {"start": start, "target": "edge", "caricature": True},
        "direction": {"start": start, "target": "edge", "direction": [1.0, -0.5]},
        "tiled": {"start": start, "target": "edge:0", "tile": 32},
        "narrow": {"start": start, "target": "edge:0 - 0.5*light:1", "width": 48, "rotate": 5.0},
        "fourier": {"start": "noise:grey", "target": "edge:0", "size": 32, "canvas": "fourier"},
    }


@pytest.mark.parametrize("name", ways(Path(), Path()))
def test_a_dream_again_is_the_same_but_for_what_is_named(name: str, place: Path, hand: Network) -> None:
    start, other = saved(place / "start.png"), saved(place / "other.png", 60, 80)
    first = reverie.dream(network=hand, threads=1, **FEW, **ways(start, other)[name])
    first.save("a.png")
    same = reverie.again("a.png", network=hand)
    assert isinstance(same, Picture) and same.encode() == first.encode()
    changed = recipe_of(reverie.again("a.png", network=hand, seed=5, steps=3))
    old = recipe_of(first)
    assert (changed.seed, changed.ascent.steps) == (5, 3) and changed.made_from is not None
    back = {"seed": old.seed, "ascent": old.ascent, "made_from": None}
    assert changed.model_copy(update=back) == old


def test_another_start_target_and_network(place: Path, hand: Network) -> None:
    start, other = saved(place / "start.png"), saved(place / "other.png", 60, 80)
    first = reverie.dream(start, "edge:0", network=hand, width=64, **FEW)
    first.save("a.png")
    moved = recipe_of(reverie.again("a.png", network=hand, start=other, target="edge:1"))
    assert str(moved.target) == "edge:1" and (moved.width, moved.height) == (64, 48) and moved.inputs != recipe_of(first).inputs
    later = Hand()
    with torch.no_grad():
        later.edge.weight *= 0.5
    trained = recipe_of(reverie.again(first, network=wrapped(later)))
    assert trained.networks[0].sha256 != recipe_of(first).networks[0].sha256 and trained.made_from is not None
    noise = recipe_of(reverie.again("a.png", network=hand, start="noise:pink"))
    assert (noise.width, noise.height) == (recipe_of(first).width, recipe_of(first).height)


@pytest.mark.parametrize("many", [{"label": [0, 2]}, {"label": 1, "diverse": 2}, {"label": None, "between": (0, 1), "count": 3}])
def test_a_class_picture_again_in_its_batch(many: dict[str, Any], place: Path, hand: Network) -> None:
    made = reverie.imagine(network=hand, size=24, threads=1, **FEW, **many)
    made[1].save("a.png")
    same = reverie.again("a.png", network=hand)
    assert isinstance(same, Picture) and same.encode() == made[1].encode()
    changed = recipe_of(reverie.again("a.png", network=hand, strength=0.1))
    assert changed.ascent.strength == 0.1 and changed.batch == recipe_of(made[1]).batch
    with pytest.raises(UsageError, match="another start"):
        reverie.again("a.png", network=hand, start="noise:pink")


def test_a_journey_again(place: Path, hand: Network) -> None:
    start = saved(place / "start.png")
    moving: dict[str, Any] = {"frames": 3, "rounds": 1, **FEW}
    reverie.journey(start, "a", "edge:0", network=hand, width=33, **moving)
    reverie.again("a/000000.png", "b", network=hand)
    reverie.redo("a/000000.png", "c", network=hand)
    for frame in sorted(Path("a").iterdir()):
        assert frame.read_bytes() == (Path("b") / frame.name).read_bytes() == (Path("c") / frame.name).read_bytes()
    made = reverie.again("a/000000.png", "d", network=hand, frames=2, motion="still")
    assert isinstance(made, reverie.Footage) and made.frames == 2 and made.recipe is not None and made.recipe.journey is not None
    assert made.recipe.journey.motion == "still"
    reverie.journey("noise:pink", "ring", network=hand, ring=["edge:0", "light:1"], size=(32, 48), **moving)
    ring = reverie.again("ring/000000.png", "ring2", network=hand, seed=3)
    assert isinstance(ring, reverie.Footage) and ring.recipe is not None and ring.recipe.journey is not None
    assert [str(each.target) for each in ring.recipe.journey.ring] == ["edge:0", "light:1"]
    with pytest.raises(UsageError, match="written as it is made"):
        reverie.again("a/000000.png", seed=3)


def test_a_preset_brings_its_choices(place: Path) -> None:
    start = saved(place / "start.png")
    reverie.dream(start, "blocks.2.1", smoothing=0.5, **FEW).save("a.png")
    changed = recipe_of(reverie.again("a.png", preset="eyes"))
    assert str(changed.target) == "blocks.4.1" and changed.ascent.smoothing == 1.2 and changed.ascent.steps == 2


def test_what_cannot_be(place: Path, hand: Network) -> None:
    start = saved(place / "start.png")
    reverie.dream(start, "edge:0", network=hand, keep=False, **FEW).save("a.png")
    with pytest.raises(UsageError, match="frames= is no choice of `dream`"):
        reverie.again("a.png", network=hand, frames=3)
    with pytest.raises(InputError, match="without a recipe"):
        reverie.again(Picture(torch.zeros(3, 8, 8)))
    with pytest.raises(InputError, match="carries no recipe"):
        reverie.again(start)


def test_each_network_keeps_its_own_target(place: Path) -> None:
    start = saved(place / "start.png")
    both = ["efficientnet-lite0", "efficientnet-lite1"]
    first = recipe_of(reverie.dream(start, level="patterns", network=both, **FEW))
    assert first.networks[1].target is not None
    same = recipe_of(reverie.again(Picture(torch.zeros(3, 8, 8), recipe=first)))
    assert same == first
    assert recipe_of(reverie.again(Picture(torch.zeros(3, 8, 8), recipe=first), seed=2)).networks == first.networks


def test_none_is_no_change_and_what_excludes_another_takes_its_place(place: Path, hand: Network) -> None:
    start, other = saved(place / "start.png"), saved(place / "other.png")
    first = reverie.dream(start, "edge", guide=other, network=hand, seed=7, strength=0.05, **FEW)
    same = reverie.again(first, network=hand, seed=None, strength=None, level=None)
    assert isinstance(same, Picture) and same.encode() == first.encode()
    assert recipe_of(reverie.again(first, network=hand, direction=[1.0, -1.0])).objective == "direction"
    exaggerated = recipe_of(reverie.again(first, network=hand, caricature=True))
    assert exaggerated.objective == "caricature" and exaggerated.ascent.strength == 0.004 and exaggerated.input("guide") is None
    assert recipe_of(reverie.again(first, network=hand, guide=None)).objective == "excite"
    tiled = reverie.dream(start, "edge:0", tile=32, network=hand, **FEW)
    assert recipe_of(reverie.again(tiled, network=hand, rotate=5.0)).tiles is None
    assert recipe_of(reverie.again(tiled, network=hand, seed=3)).tiles == recipe_of(tiled).tiles
    noise = reverie.dream("noise:pink", "edge:0", size=32, spread=0.2, network=hand, **FEW)
    assert recipe_of(reverie.again(noise, network=hand, start=start)).canvas.spread == 0.0


def test_a_batch_is_as_it_was(place: Path, hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    made = reverie.imagine(1, diverse=2, network=hand, size=24, **FEW)
    other = recipe_of(reverie.again(made[0], network=hand, target="class:2"))
    assert other.batch is not None and other.batch.kind == "diverse" and str(other.target) == "class:cold=2"
    wrong: list[dict[str, Any]] = [{"diverse": 3}, {"count": 3}, {"batch": 2}]
    for changes in wrong:
        with pytest.raises(UsageError, match="of one picture"):
            reverie.again(made[0], network=hand, **changes)
    several = reverie.imagine([0, 1], network=hand, size=24, **FEW)
    monkeypatch.setattr("reverie.api.plans_from_noise.fitting", lambda *_: 1)
    with pytest.raises(UsageError, match="fit into memory"):
        reverie.again(several[1], network=hand, seed=2)


def test_another_ring_and_another_length(place: Path, hand: Network) -> None:
    moving: dict[str, Any] = {"frames": 2, "rounds": 1, "size": (32, 48), **FEW}
    reverie.journey("noise:pink", "a", network=hand, ring=["edge:0", "light:1"], **moving)
    made = reverie.again("a/000000.png", "b", network=hand, ring=["edge:1", "light:0"])
    assert isinstance(made, reverie.Footage) and made.recipe is not None and made.recipe.journey is not None
    assert [str(each.target) for each in made.recipe.journey.ring] == ["edge:1", "light:0"]
    longer = reverie.again("a/000000.png", "c", network=hand, seconds=0.12)
    assert isinstance(longer, reverie.Footage) and longer.frames == 3


# ── functions of one's own ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_objective_of_ones_own_is_asked_for_its_layers_and_given_again(place: Path, hand: Network) -> None:
    start = saved(place / "start.png")

    def mine(seen: Any) -> torch.Tensor:
        scores: torch.Tensor = seen["edge"][:, 0].mean((1, 2)) - 0.5 * seen["light"][:, 1].mean((1, 2))
        return scores

    made = reverie.dream(start, objective=mine, network=hand, **FEW)
    same = reverie.dream(start, "edge:0 - 0.5*light:1", network=hand, **FEW)
    assert recipe_of(made).objective == "own" and str(recipe_of(made).target) == "edge + light"
    assert np.abs(made.pixels - same.pixels).max() < 0.5  # other random numbers: they are drawn for the target
    made.save("a.png")
    with pytest.raises(InputError, match="objective of somebody's own"):
        reverie.redo("a.png", network=hand)
    again = reverie.again("a.png", objective=mine, network=hand)
    assert isinstance(again, Picture) and again.encode() == made.encode()
    with pytest.raises(InputError, match=r"objective of somebody's own.*objective="):
        reverie.again("a.png", network=hand, seed=2)
    with pytest.raises(UsageError, match="an objective of one's own beside"):
        reverie.again("a.png", network=hand, objective=mine, target="edge")
    with pytest.raises(UsageError, match="an objective of one's own for what `imagine` made"):
        reverie.again(reverie.imagine(0, network=hand, size=24, **FEW), network=hand, objective=mine)
    plain = reverie.again("a.png", network=hand, target="edge")
    assert recipe_of(plain).objective == "excite" and recipe_of(plain).made_from is not None
    with pytest.raises(UsageError, match="no layer 'edgy'"):
        reverie.dream(start, objective=lambda seen: seen["edgy"].mean(), network=hand, **FEW)
    with pytest.raises(UsageError, match="an objective of one's own beside"):
        reverie.dream(start, "edge", objective=mine, network=hand, **FEW)


def test_climbing_a_score_of_pictures_alone(place: Path) -> None:
    start = saved(place / "start.png")

    def red(pictures: torch.Tensor) -> torch.Tensor:
        return pictures[:, 0].mean((1, 2)) - pictures[:, 1:].mean((1, 2, 3))

    made = reverie.climb(start, red, octaves=1, steps=6, tone="free", vivid=1.0, jitter=0)
    before = reverie.climb(start, red, octaves=1, steps=1, strength=1e-6, tone="free", jitter=0)
    assert float(red(made.pixels[None])[0]) > float(red(before.pixels[None])[0]) + 0.02
    assert recipe_of(made).networks == () and recipe_of(made).objective == "own"
    same = reverie.again(made, objective=red)
    assert isinstance(same, Picture) and same.encode() == made.encode()
    made.save("a.png")
    assert recipe_of(reverie.again("a.png", objective=red, seed=4)).seed == 4
    with pytest.raises(InputError, match="a score of pictures of somebody's own"):
        reverie.again("a.png")
    with pytest.raises(UsageError, match="a score that is a NoneType"):
        reverie.climb(start, None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="guide= is no choice of `climb`"):
        reverie.climb(start, red, guide=start)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="steps=0"):
        reverie.climb(start, red, steps=0)


def test_features_come_as_soon_as_they_are_done(place: Path, hand: Network) -> None:
    seen: list[str] = []
    coming = reverie.features("edge:0-1", network=hand, batch=1, size=24, progress=lambda state: seen.append(state.doing), **FEW)
    assert not seen
    first = next(coming)
    assert str(recipe_of(first).target) == "edge:0" and len(seen) == 2 and "step 2/2" in seen[-1]
    assert [str(recipe_of(each).target) for each in coming] == ["edge:1"] and len(seen) == 4
    with pytest.raises(UsageError, match="no channel 7"):
        reverie.features("edge:7", network=hand)


def test_numbers_of_numpy_are_numbers(place: Path, hand: Network) -> None:
    start = saved(place / "start.png")
    made = reverie.dream(start, "edge:0", network=hand, seed=np.int64(3), strength=np.float32(0.5), octaves=1, steps=1)  # type: ignore[call-overload]
    assert (recipe_of(made).seed, recipe_of(made).ascent.strength) == (3, 0.5)

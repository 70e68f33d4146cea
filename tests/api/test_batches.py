"""Pictures from noise that are made together: batches, diverse ones, rows between two, and those that were stopped."""

from __future__ import annotations

import gc
import math
from typing import Any

import pytest
import torch
from tests.helpers.imagined import TINY, assert_again, targets
from tests.helpers.known import recipe_of, several

import reverie
import reverie.api.plans_from_noise as plans_from_noise
import reverie.render.batch_memory as batch_memory
from reverie.errors import OutputError, UsageError
from reverie.networks import Network
from reverie.networks.norm_statistics import remembered
from reverie.pictures import Picture
from reverie.recipe import Batch
from reverie.render import Plan, fitting
from reverie.render.batch_memory import bytes_per_pixel
from reverie.target import CLASSES, parse

pytestmark = pytest.mark.usefixtures("place", "alone")


def batch_of(picture: Picture) -> Batch:
    batch = recipe_of(picture).batch
    assert batch is not None
    return batch


def test_five_labels_in_batches_of_three_are_three_and_two_in_company() -> None:
    pictures = reverie.imagine(["banana", "goldfish", "tiger", "lighthouse", "daisy"], batch=3, **{**TINY, "steps": 1})
    assert [len(batch_of(each).targets) for each in pictures] == [3, 3, 3, 3, 3]
    assert [batch_of(each).index for each in pictures] == [0, 1, 2, 0, 1]
    for each in pictures:
        batch = batch_of(each)
        assert batch.kind == "each" and batch.targets[batch.index] == recipe_of(each).target
    assert_again(pictures[1])
    assert_again(pictures[4])


def test_a_picture_alone_and_in_a_batch_begin_with_the_same_noise() -> None:
    (plan,), (together,) = (plans_from_noise.plan_feature(each, **TINY) for each in ("blocks.2.0:1", ["blocks.1.0:0", "blocks.2.0:1"]))
    assert torch.equal(plan._starts()[0], together._starts()[1])
    assert not torch.equal(*together._starts())


def test_what_is_compared_with_usual_pictures_is_kept_and_its_gradients_are_there_at_once(lite0: Network) -> None:
    usual = [*remembered(lite0, [CLASSES])]
    plain, natural = bytes_per_pixel(lite0, [CLASSES]), bytes_per_pixel(lite0, [CLASSES], usual)
    seen = 4 * sum(math.prod(lite0.anatomy.shapes[name]) for name in usual) / (224 * 224)
    assert natural - plain == pytest.approx(2 * seen, rel=0.01)


def test_what_is_counted_is_not_kept_for_ever(lite0: Network) -> None:
    def alive() -> int:
        """Bytes of all plain tensors that Python knows of."""
        gc.collect()
        plain = [each for each in gc.get_objects() if type(each) is torch.Tensor and each.layout == torch.strided]
        return sum(each.untyped_storage().nbytes() for each in plain)

    bytes_per_pixel(lite0, ["blocks.1.0"])
    before = alive()
    for _ in range(3):
        bytes_per_pixel(lite0, ["blocks.1.0"])
    assert alive() - before < 1_000_000  # one graph has some twenty times as much


def test_a_company_that_does_not_fit_is_smaller_and_what_does_not_fit_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(free: int) -> Plan:
        monkeypatch.setattr(batch_memory, "free_memory", lambda _: free)
        return plans_from_noise.plan_imagine("banana", size=1024, octaves=1, steps=1)[0]

    whole, half = planned(40_000_000_000), planned(9_000_000_000)
    assert whole.recipe.together == 4 and not whole.notes
    assert half.recipe.together == 2
    assert half.notes == ("a company of 4 pictures of 1024×1024 does not fit into memory: made in one of 2",)
    assert planned(4_000_000_000).recipe.batch is None
    with pytest.raises(OutputError, match=r"a picture of 1024×1024 needs 3 GB of memory, and 2.0 are free; make it smaller: size=688 fits"):
        planned(2_000_000_000)
    assert plans_from_noise.plan_imagine("banana", size=688, octaves=1, steps=1)[0].recipe.together == 1


@pytest.mark.parametrize("batch", [0, -1, 257, 1.5, True, "8"])
def test_a_batch_that_is_no_number(batch: Any) -> None:
    with pytest.raises(UsageError, match=r"batch=.*; it should be (at least 1|at most 256|a whole number)"):
        reverie.imagine("banana", batch=batch)


def test_what_does_not_fit_into_memory_is_made_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fitting
    monkeypatch.setattr(plans_from_noise, "fitting", lambda *_: 2)
    pictures = several(reverie.feature("blocks.2.0:0-2", **TINY))
    assert [each.notes[0] for each in pictures] == ["3 pictures together do not fit into memory: made 2 at a time"] * 3
    assert batch_of(pictures[1]).targets == (parse("blocks.2.0:0"), parse("blocks.2.0:1")) and recipe_of(pictures[2]).batch is None
    ways: list[dict[str, Any]] = [{"diverse": 3}, {"between": ("blocks.2.0:0", "blocks.2.0:1"), "count": 3}]
    for choices in ways:
        with pytest.raises(UsageError, match="3 pictures of 32×32 that depend on each other; 2 fit into memory"):
            target: Any = None if "between" in choices else "blocks.2.0:0"
            reverie.feature(target, **choices, **TINY)
    monkeypatch.setattr(plans_from_noise, "fitting", real)
    assert_again(pictures[1])  # as it was made, whatever fits now


# ── diverse, between ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_diverse_pictures_differ_and_each_can_be_made_again() -> None:
    pictures = reverie.feature("blocks.2.1:3", diverse=3, **TINY)
    assert targets(pictures) == ["blocks.2.1:3"] * 3 and [batch_of(each).index for each in pictures] == [0, 1, 2]
    assert {batch_of(each).kind for each in pictures} == {"diverse"}
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert (pictures[first].pixels - pictures[second].pixels).abs().mean() > 0.05
    assert_again(pictures[2])
    assert len(reverie.imagine(["banana", "954"], diverse=2, **{**TINY, "steps": 1})) == 4  # one class, asked for twice


@pytest.mark.parametrize("name", ["blocks.2.1:3", "class:banana"])
def test_diverse_pictures_are_less_alike_than_a_batch_that_is_not_told_to_differ(name: str, lite0: Network) -> None:
    (plan,) = plans_from_noise.plan_feature(name, network=lite0, diverse=3, size=48, octaves=1, steps=6)
    apart = torch.stack([each.pixels for each in plan.make_all()])
    batch = plan.recipe.batch
    assert batch is not None
    purposes = [f"{name} #{number}" for number in range(3)]
    loose = plan.recipe.model_copy(update={"batch": batch.model_copy(update={"kind": "each"})})

    def alike(pictures: torch.Tensor) -> float:
        with lite0.watch("blocks.2.1") as seen, torch.no_grad():
            lite0(pictures)
        flat = seen["blocks.2.1"].flatten(2)
        flat = flat - flat.mean((0, 2), keepdim=True)
        gram = torch.nn.functional.normalize(torch.einsum("ncp,ndp->ncd", flat, flat).flatten(1), dim=1)
        return float((gram @ gram.T).sum() - 3)

    with pytest.MonkeyPatch.context() as patch:  # the same noise and views, without the wish to differ
        for module in ("reverie.render.plan", "reverie.render.noise"):
            patch.setattr(f"{module}.purposes", lambda _: purposes)
        together = torch.stack([each.pixels for each in type(plan)(loose, plan.networks, plan.start, plan.wanted).make_all()])
    assert alike(apart) < alike(together)


def test_a_row_between_two_leads_from_one_to_the_other_over_the_same_noise() -> None:
    (plan,) = plans_from_noise.plan_feature(between=("blocks.2.1:3", "blocks.2.1:9"), count=3, **TINY)
    starts = plan._starts()
    assert torch.equal(starts[0], starts[1]) and torch.equal(starts[0], starts[2])
    pictures = reverie.feature(between=("blocks.2.1:3", "blocks.2.1:9"), count=3, **TINY)
    assert targets(pictures) == ["blocks.2.1:3", "0.5*blocks.2.1:3 + 0.5*blocks.2.1:9", "blocks.2.1:9"]
    ends = (pictures[0].pixels - pictures[2].pixels).abs().mean()
    for end in (0, 2):
        assert 0 < (pictures[1].pixels - pictures[end].pixels).abs().mean() < ends
    assert_again(pictures[1])
    assert len(reverie.imagine(between=("banana", 1), **{**TINY, "steps": 1})) == plans_from_noise.BETWEEN


# ── stopped, along the way ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_watcher_that_stops_gets_what_there_is_and_no_more_batches() -> None:
    few: dict[str, Any] = {"batch": 2, "size": 32, "octaves": 1, "steps": 5}
    pictures = several(reverie.feature("blocks.2.0:0-4", progress=lambda seen: seen.step == 2, **few))
    assert targets(pictures) == ["blocks.2.0:0", "blocks.2.0:1"]
    for each in pictures:
        stopped = recipe_of(each).stopped
        assert stopped is not None and (stopped.octave, stopped.step) == (1, 2)
    assert_again(pictures[1])


def test_pictures_from_along_the_way_belong_to_their_own() -> None:
    first, second = several(reverie.feature("blocks.2.0:0-1", size=32, octaves=2, octave_scale=1.4, steps=2, making=3))
    for each in (first, second):
        assert len(each.making) == 3 and {frame.shape for frame in each.making} == {(3, 32, 32)}
        assert torch.equal(each.making[-1], each.pixels)
    assert not torch.equal(first.making[0], second.making[0])

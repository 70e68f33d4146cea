"""Objectives of one's own: layers are found by asking, what is given is checked, faults come through, recipes say what they can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.climbing import MACHINE, pictures
from torch import Tensor

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture
from reverie.recipe import OWN, Ascent, Batch, FileInput, Machinery, NetworkUsed, NoiseInput, Recipe, of_command, read
from reverie.render import Plan, climb_plan, own_layers, own_target
from reverie.target import CLASSES, Target, parse

Seen = Mapping[str, Tensor]
FEW = Ascent(octaves=2, octave_scale=2.0, steps=4, jitter=2, strength=0.02, smoothing=0, tone="free", vivid=1.0)

HERE = Machinery(device="cpu")


def planned(net: Network, function: Callable[[Seen], Tensor], count: int = 1, side: int = 32, **changes: Any) -> Plan:
    start = Picture(pictures(side=side, low=0.3, high=0.6)[0])
    target = own_target(own_layers(function, [net], start.pixels[None]))
    recipe = Recipe(
        networks=(NetworkUsed(name=net.name, sha256=net.sha256),), inputs=(NoiseInput(noise="white"),), target=target, objective=OWN,
        command="feature" if count > 1 else "dream", batch=Batch(kind="diverse", targets=(target,) * count) if count > 1 else None,
        width=side, height=side, machine=MACHINE, ascent=FEW, **changes,
    )  # fmt: skip
    return Plan(recipe, (net,), start, tuple(range(count)), objective=function)


def light(seen: Seen) -> Tensor:
    return seen["light"][:, 0].mean((1, 2))


# ---- activations


def test_a_function_is_climbed_like_the_target_that_says_the_same(hand: Network) -> None:
    own = planned(hand, light)
    made = own.make()
    same = replace(own, recipe=own.recipe.model_copy(update={"objective": "excite", "target": parse("light:0")}), objective=None)
    jitter = replace(same, recipe=same.recipe.model_copy(update={"ascent": FEW.model_copy(update={"jitter": 0})}))
    still = replace(own, recipe=own.recipe.model_copy(update={"ascent": FEW.model_copy(update={"jitter": 0})}))
    assert torch.equal(still.make().pixels, jitter.make().pixels)  # jitter is drawn by seed and target
    assert made.pixels.mean() > own.start.pixels.mean() + 0.05
    assert made.score is not None and made.alive and made.notes == ()


def test_layers_are_found_by_asking(hand: Network) -> None:
    calls = []

    def function(seen: Seen) -> Tensor:
        calls.append(sorted(seen))
        return seen["edge"].square().mean((1, 2, 3)) + seen["light"].mean((1, 2, 3)) + seen[CLASSES][:, 1]

    picture = pictures()
    layers = own_layers(function, [hand], picture)
    assert layers == ("edge", "light", CLASSES)
    assert calls == [[], ["edge"], ["edge", "light"], sorted(["edge", "light", CLASSES])]
    target = own_target(layers)
    assert str(target) == "edge + light + class_scores" and parse(str(target)) == target
    made = planned(hand, function).make()
    assert made.recipe is not None and read(made.recipe.text()) == made.recipe
    assert (made.recipe.objective, str(made.recipe.target)) == (OWN, "edge + light + class_scores")


def test_layers_asked_for_only_when_there_or_only_later_are_found_too(hand: Network) -> None:
    def careful(seen: Seen) -> Tensor:
        found = seen.get("light")
        return found.mean((1, 2, 3)) if found is not None else torch.zeros(1)

    assert own_layers(careful, [hand], pictures()) == ("light",)

    def by_size(seen: Seen) -> Tensor:
        first = seen["light"]
        return seen["edge" if first.shape[2] < 20 else "light"].square().mean((1, 2, 3))

    plan = planned(hand, by_size)
    assert str(plan.recipe.target) == "light"  # at the size of the result
    assert (plan.make().pixels - plan.start.pixels).abs().max() > 0.01


@pytest.mark.parametrize("name", ["lihgt", "light.3", ""])
def test_a_layer_that_does_not_exist_is_told_with_the_nearest(hand: Network, name: str) -> None:
    with pytest.raises(UsageError, match=f"no layer '{name}'") as caught:
        own_layers(lambda seen: seen[name].mean((1, 2, 3)), [hand], pictures())
    assert "'light'" in str(caught.value) or not name
    with pytest.raises(UsageError, match="a int is no layer's name"):
        own_layers(lambda seen: seen[3].mean((1, 2, 3)), [hand], pictures())  # type: ignore[index]


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda seen: 3.0, "gave a float"),
        (lambda seen: None, "gave a NoneType"),
        (lambda seen: [seen["light"].mean()], "gave a list"),
        (lambda seen: seen["light"], r"gave a tensor of shape \(1, 2, 16, 16\)"),
        (lambda seen: seen["light"].mean((1, 2)), r"gave a tensor of shape \(1, 16\)"),
        (lambda seen: seen["light"].argmax(), r"gave numbers of torch.int64"),
        (lambda seen: seen["light"].mean().detach(), "gave numbers without a gradient"),
        (lambda seen: torch.ones(1, requires_grad=True) + seen["light"].detach().mean(), "gave numbers that do not depend on the picture"),
        (lambda seen: seen["light"].mean() / 0, r"gave \[inf\]"),
        (lambda seen: (seen["light"] - 9).sqrt().mean(), r"gave \[nan\]"),
    ],
)  # fmt: skip
def test_what_is_no_score_is_told(hand: Network, function: Callable[[Seen], Any], fault: str) -> None:
    with pytest.raises(UsageError, match=f"an objective of one's own {fault}; it gives a tensor of 1 finite number, one for each picture"):
        own_layers(function, [hand], pictures())
    plan = planned(hand, light, side=16)
    with pytest.raises(UsageError, match=f"an objective of one's own {fault}"):
        replace(plan, objective=function).make()


def test_scores_of_several_pictures_are_one_each(hand: Network) -> None:
    plan = planned(hand, light, count=3)
    made = plan.make_all()
    assert len(made) == 3 and len({float(each.pixels.sum()) for each in made}) == 3
    with pytest.raises(UsageError, match=r"gave a tensor of shape \(\); it gives a tensor of 3 finite numbers"):
        replace(plan, objective=lambda seen: seen["light"].mean()).make_all()


def test_what_the_function_raises_comes_through_unchanged(hand: Network) -> None:
    for error in (ValueError("mine"), KeyError("mine"), RuntimeError("the sizes do not fit")):

        def raising(seen: Seen, error: Exception = error) -> Tensor:
            _ = seen["light"].mean((1, 2, 3))
            raise error

        with pytest.raises(type(error)) as caught:
            own_layers(raising, [hand], pictures())
        assert caught.value is error

    def later(seen: Seen) -> Tensor:
        if seen["light"].shape[2] < 20:
            raise RuntimeError("mine: too small for me")
        return light(seen)

    with pytest.raises(RuntimeError, match="mine: too small for me"):  # and is not taken for a size that the network cannot take
        planned(hand, later).make()


def test_scores_that_are_no_longer_finite_on_the_way_are_told(hand: Network) -> None:
    calls = []

    def worse(seen: Seen) -> Tensor:
        calls.append(0)
        return light(seen) * (float("nan") if len(calls) > 6 else 1.0)

    with pytest.raises(UsageError, match="an objective of one's own gave a score that is no finite number"):
        planned(hand, worse).make()


def test_a_dead_start_is_led_softly_through_units(hand: Network) -> None:
    plan = planned(hand, lambda seen: seen["act"][:, 0].mean((1, 2)))
    dark = replace(plan, start=Picture(torch.full((3, 32, 32), 0.1) + 0.05 * pictures(side=32)[0]))
    made = dark.make()
    assert made.alive and "were led softly" in made.notes[0] and made.pixels.mean() > dark.start.pixels.mean()


def test_names_that_a_target_cannot_say_are_written_so_that_it_can() -> None:
    target = own_target(("a b", "c:d@e", "-f", CLASSES))
    assert str(target) == "a_b + c_d_e + f + class_scores" and parse(str(target)) == target
    assert str(own_target(())) == "pictures"


def test_how_long_it_will_take(hand: Network) -> None:
    assert planned(hand, lambda seen: seen[CLASSES][:, 0]).estimate().seconds > 0


def test_plans_that_contradict_themselves(hand: Network) -> None:
    plan = planned(hand, light)
    for changes, fault in (
        ({"objective": None}, "do not fit"),
        ({"recipe": plan.recipe.model_copy(update={"objective": "excite"})}, "do not fit"),
        ({"networks": (hand, hand)}, "with 2 networks; give one"),
    ):
        with pytest.raises(UsageError, match=fault):
            replace(plan, **changes).make()
    assert repr(plan) == "Plan(dream, light, 1 of 32×32)"


def test_a_dream_looks_at_class_scores(hand: Network) -> None:
    start = pictures(side=32)[0]
    made = reverie.dream(start, network=hand, objective=lambda seen: seen[CLASSES][:, 1], octaves=1, steps=2, keep=False)
    assert made.recipe is not None and str(made.recipe.target) == "class_scores" and read(made.recipe.text()) == made.recipe
    assert (made.pixels - start).abs().max() > 0


# ---- again


def test_it_cannot_be_made_again_from_its_recipe(hand: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planned(hand, light).make().save("own.png")
    with pytest.raises(InputError, match=r"'own.png' was made with an objective of somebody's own, which a recipe cannot hold") as caught:
        reverie.redo("own.png", network=hand)
    assert caught.value.remedy == "reverie.again(picture, objective=…)"


# ---- pictures alone


def reds(x: Tensor) -> Tensor:
    return x[:, 0].mean((1, 2)) - x[:, 2].mean((1, 2))


def test_a_score_of_pictures_alone_is_climbed_without_a_network() -> None:
    start = Picture(pictures(side=40, low=0.4, high=0.6)[0])
    sizes: list[tuple[int, ...]] = []

    def score(x: Tensor) -> Tensor:
        sizes.append(tuple(x.shape))
        return reds(x)

    used = FileInput(sha256="0" * 64, width=40, height=40)
    free = {"tone": "free", "octaves": 4, "octave_scale": 2.0, "steps": 3, "vivid": 1.0}
    mask = torch.zeros(40, 40)
    mask[:, 20:] = 1
    plan = climb_plan(
        start,
        score,
        [used, used.model_copy(update={"role": "mask"})],
        of_command("dream", **free),
        machinery=HERE,
        mask=mask,
    )
    made = plan.make(making=2)
    assert float(reds(made.pixels[None])) > float(reds(start.pixels[None])) + 0.02
    assert torch.equal(made.pixels[:, :, :20], start.pixels[:, :, :20])
    assert {each[2] for each in sizes} == {20, 40}  # those of 10 and 5 are too small for a picture
    assert made.notes == ("2 of 4 octaves are too small for this target and were skipped",) and len(made.making) == 2
    recipe = made.recipe
    assert recipe is not None and read(recipe.text()) == recipe
    assert (recipe.networks, recipe.objective, str(recipe.target), recipe.machine.device) == ((), OWN, "pictures", "cpu")
    assert plan.estimate().memory > 0
    again = climb_plan(start, reds, [used], of_command("dream", **free), machinery=HERE, seed=3)
    assert torch.equal(again.make().pixels, again.make().pixels)


def test_a_score_of_pictures_is_checked_too() -> None:
    start = Picture(pictures(side=20)[0])
    used = FileInput(sha256="0" * 64, width=20, height=20)
    for score, fault in ((lambda x: x.mean((2, 3)), r"a tensor of shape \(1, 3\)"), (lambda x: x.detach().mean(), "without a gradient")):
        with pytest.raises(UsageError, match=fault):
            climb_plan(start, score, [used], of_command("dream", octaves=1, steps=1), machinery=HERE).make()


def test_only_an_objective_of_ones_own_goes_without_networks(hand: Network) -> None:
    recipe = planned(hand, light).recipe
    with pytest.raises(ValueError, match="it names no network"):
        Recipe.model_validate({**recipe.model_dump(), "objective": "excite", "networks": ()})
    assert isinstance(Recipe.model_validate({**recipe.model_dump(), "networks": ()}).target, Target)

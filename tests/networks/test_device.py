"""Where a network runs: on the CPU until it is told otherwise; a loaded module moves along, a wrapped one is never touched."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from tests.helpers.commands import Run
from tests.helpers.tiny import SIDE, picture, settled, wrapped
from torch import nn

import reverie
import reverie.api.opening
import reverie.networks.network
from reverie.api.opening import networks_from
from reverie.errors import UsageError
from reverie.networks import Network, Preprocessing

ELSEWHERE = torch.device("meta")  # what stands for a GPU here: nothing is computed on it


def small() -> nn.Module:
    return settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))


@pytest.mark.parametrize("loaded", [False, True])
def test_a_loaded_module_moves_along_and_a_wrapped_one_does_not(loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module = small()
    known = Preprocessing.of([0.0] * 3, [1.0] * 3, size=SIDE)
    network = Network(module, known, name="small", sha256="0" * 64 if loaded else None)
    assert (network.device, network.dtype) == (torch.device("cpu"), torch.float32)
    monkeypatch.setattr(reverie.networks.network, "choose", lambda _: ELSEWHERE)
    assert network.to("cuda") is network and network.device == ELSEWHERE
    assert {each.device for each in module.parameters()} == {ELSEWHERE if loaded else torch.device("cpu")}


def test_prepared_copies_belong_to_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    network = wrapped(small())
    before = network.prepare(["2"])
    monkeypatch.setattr(reverie.networks.network, "choose", lambda _: ELSEWHERE)
    after = network.to(None).prepare(["2"])
    assert (before.device, after.device) == (torch.device("cpu"), ELSEWHERE)
    assert {each.device for each in after.module.parameters()} == {ELSEWHERE}
    assert before(picture())["2"].device == torch.device("cpu")  # what was handed out stays as it was


def test_the_same_device_keeps_what_is_prepared() -> None:
    network = wrapped(small())
    assert network.to("cpu").prepare(["2"]).module is network.to("cpu").prepare(["2"]).module
    assert network.prepare(["2"]).module is not network.to("cpu", torch.bfloat16).prepare(["2"]).module


def test_a_wrong_device_is_told_before_anything_is_downloaded(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api.opening, "open_source", lambda *_, **__: pytest.fail("it went for the network"))
    for opening in (reverie.load, lambda name, device: networks_from(name, device)):
        with pytest.raises(UsageError, match="no device 'gpu'; here there is: cpu"):
            opening("torchvision:resnet50", device="gpu")
    run("recognise", "none.png", "none.png", "--network", "torchvision:resnet50", "--device", "gpu").fault(2, "no device 'gpu'")


def test_networks_are_one_to_eight_different_ones_on_one_device(lite0: Network) -> None:
    assert networks_from(lite0, None) == networks_from([lite0], "cpu") == (lite0,)
    mine = wrapped(small())
    assert networks_from((lite0, mine), "auto") == (lite0, mine)
    for given, device, fault in (
        ([], None, "0 networks"),
        ([lite0] * 9, None, "9 networks"),
        ([mine, mine], None, "the same network twice"),
        ([mine, wrapped(nn.Conv2d(1, 2, 3), channels=1)], None, "take 3 and 1 channels"),
        (mine, "cuda", "device=cuda, but the network is open on cpu"),
    ):
        with pytest.raises(UsageError, match=fault):
            networks_from(given, device)


def test_a_device_is_said_in_few_places() -> None:
    """Who looks into a network is handed one that is where it shall be."""
    package = Path(reverie.__file__).parent
    found = []
    for file in (*(package / "networks").rglob("*.py"), package / "api" / "opening.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                found += [node.name for each in arguments if each.arg == "device"]
    assert sorted(found) == ["all_open", "choose", "load", "networks_from", "to", "wrap"]

"""What a network is called with in Python, and what it is told of beforehand: each mistake is told in the field's own words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.tiny import Flow, of_channels, picture
from torch import nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network

FEW: dict[str, Any] = {"size": 32, "octaves": 1, "steps": 1}


API: Any = reverie  # of which much is asked here that has the wrong type


def rigid() -> Network:
    """It takes pictures of 16×16 alone."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 14 * 14, 3))
    return reverie.wrap(module, mean=0.5, std=0.25, size=16, labels=["a", "b", "c"])


def free(size: int | None = None, *, chance: bool = False, heads: bool = False) -> Network:
    def way(m: Any, x: torch.Tensor) -> Any:
        seen = torch.dropout(m.conv(x).mean((2, 3)), 0.5, chance)
        return {"digit": m.digit(seen), "parity": m.parity(seen)} if heads else m.digit(seen)

    torch.manual_seed(0)
    module = Flow(way, conv=nn.Conv2d(3, 4, 3), digit=nn.Linear(4, 10), parity=nn.Linear(4, 2))
    return reverie.wrap(module, mean=[0.5] * 3, std=[0.25] * 3, size=size)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((1, 1, 16, 16), np.float32), r"a ndarray where a batch of pictures belongs; give a tensor \(N, C, H, W\)"),
        ([torch.zeros(1, 16, 16)], "a list where a batch of pictures belongs"),
        (torch.zeros(1, 16, 16), r"the shape \(1, 16, 16\) of a batch of pictures"),
        (torch.zeros(0, 1, 16, 16), "the shape .* of a batch of pictures"),
        (torch.full((1, 1, 16, 16), 255.0), "values up to 255 in a float tensor; divide by 255"),
        (torch.full((1, 1, 16, 16), 16.0), "values up to 16 in a float tensor; bring it to 0..1 yourself: divide by what is white"),
        (torch.full((1, 1, 16, 16), -1.0), "before it is normalised"),
        (torch.full((1, 1, 16, 16), torch.nan), "no finite numbers"),
        (torch.rand(2, 1, 20, 20), "cannot take a picture of 20×20: .*give pictures of 16×16"),
    ],
)
def test_a_call_with_what_is_no_batch_of_pictures_is_told(given: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rigid()(given)


def test_a_call_reads_bytes_as_recognise_does_and_hands_gradients_back() -> None:
    net = rigid()
    whole = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    pixels = (whole.float() / 255).requires_grad_(True)
    assert torch.equal(net(whole), net(pixels)) and net(pixels).requires_grad
    (gradient,) = torch.autograd.grad(net(pixels)[0, 1], pixels)
    assert bool((gradient != 0).any())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda net: API.feature(("0", [1, 2]), network=net, **FEW), "a target of type list"),
        (lambda net: API.feature([("0", [1, 2])], network=net, **FEW), "a target of type tuple"),
        (lambda net: API.imagine([[1, 2], {}], network=net, **FEW), "a list is no class; a dict is no class"),
        (lambda net: net.recognise(torch.rand(1, 16, 16), top="3"), "top=3; give a whole number from 1"),
        (lambda net: net.recognise(torch.rand(1, 16, 16), top=2.5), "top=2.5; give a whole number"),
        (lambda net: net.classes(2.5), "a float is no class"),
        (lambda net: net.layer(3), "a int where a layer's name belongs"),
        (lambda net: net.watch(3), "a int where a layer's name belongs"),
        (lambda net: net.attribute(torch.rand(1, 16, 16), 3, 1), "a int where a layer's name belongs"),
        (lambda net: net.recognise(np.zeros((50, 16, 16))), r"the shape \(50, 16, 16\) .*several are \(50, 1, 16, 16\)"),
        (lambda net: API.imagine("a", network=net, usual=np.zeros((50, 16, 16)), **FEW), r"several are \(50, 1, 16, 16\)"),
    ],
)
def test_what_is_of_the_wrong_type_is_told(call: Callable[[Network], object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call(rigid())


def test_a_bare_number_is_the_mean_and_deviation_of_one_channel() -> None:
    net = rigid()
    assert (net.mean, net.std, net.channels) == ((0.5,), (0.25,), 1)
    with pytest.raises(UsageError, match="mean and std of 1 channel, and the first convolution, '0', takes 3"):
        API.wrap(of_channels(3).module, mean=np.float32(0.5), std=torch.tensor(0.25), size=16)


def test_remarks_are_in_words_of_python() -> None:
    with pytest.warns(UserWarning, match="scores=NAME says which"):
        net = free(16, heads=True)
    (remark,) = net.remarks()
    assert "digit: (N, 10), parity: (N, 2); scores=NAME says which" in remark
    with pytest.raises(UsageError, match=r"say which: scores='digit' \(10 classes\) or scores='parity' \(2 classes\)"):
        net.recognise(picture()[0])


def test_a_native_size_that_nobody_said_is_told_at_wrap() -> None:
    with pytest.warns(UserWarning, match="native size of Flow was not said, and 224×224 is assumed: .*say it, size=SIDE"):
        free()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free(16)
        free(224)


def test_chance_inside_is_told() -> None:
    with pytest.warns(UserWarning, match="what Flow gives is drawn by chance in its forward, .*follows from a seed"):
        net = free(16, chance=True)
    assert len(net.remarks()) == 1 and not free(16).remarks()


@pytest.mark.parametrize("name", ["arrays.pt", "arrays.npz"])
def test_a_file_of_arrays_says_how_they_become_tensors(tmp_path: Path, name: str) -> None:
    net = of_channels(3)
    arrays = {name: each.numpy() for name, each in net.module.state_dict().items()}
    if name.endswith(".pt"):
        torch.save(arrays, tmp_path / name)
    else:
        np.savez(tmp_path / name, **arrays)
    with pytest.raises(InputError, match=r"holds arrays of NumPy, which are not read; make them tensors: torch.save.*from_numpy"):
        reverie.load(tmp_path / name, definition=net.module, mean=0.5, std=0.25, size=16)


def test_code_where_weights_belong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mod.py").write_text("")
    for name in ("mod.py:make", "mod:make"):
        with pytest.raises(UsageError, match="is code, and no weights; network=FILE names its weights, and definition=mod:make the code"):
            reverie.load(name)
    with pytest.raises(UsageError, match="definition=mod:function the code"):
        reverie.load("mod.py")

"""The same weights as trainings leave them: under any entry, with any wrapper in their names, in files that lack or have more."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.helpers.commands import runner
from tests.helpers.trainings import State, before, deep, filled, other, shards
from tests.helpers.weightfiles import Parts, listed, whole, zipped
from torch import nn

import reverie
from reverie.errors import InputError, ReverieError, UnsafeError, UsageError
from reverie.networks.checkpoints import loading
from reverie.store import sha256_of

ENTRIES = ["net", "ema", "model_ema", "network", "weights", "params", "generator", "state_dict_ema", "anything at all", "a.b", "0"]


STARTS = ["module.", "net.", "model.", "backbone.", "_fsdp_wrapped_module.", "_orig_mod.module.", "module.model.", "a.b.c.", "0."]


@pytest.mark.parametrize("entry", ENTRIES)
def test_any_entry(entry: str, state: State, tmp_path: Path) -> None:
    torch.save({"epoch": 3, entry: state, "optimizer": {"state": {0: {"exp_avg": torch.rand(4)}}}}, tmp_path / "a.pth")
    assert filled(tmp_path / "a.pth", state) == (sha256_of(tmp_path / "a.pth"), ())
    torch.save({entry: {"inner": [before("module.", state)]}}, tmp_path / "b.pth")
    assert filled(tmp_path / "b.pth", state).notes == ()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_any_beginning(start: str, kind: str, state: State, tmp_path: Path) -> None:
    place, given = tmp_path / "a", before(start, state)
    if kind == "safetensors":
        safetensors.torch.save_file(given, place)
    else:
        torch.save({"state_dict": given}, place, _use_new_zipfile_serialization=kind == "zip")
    assert filled(place, state).notes == ()


@pytest.mark.parametrize(
    "between",
    [
        lambda name: name.replace("body.", "body._orig_mod."),
        lambda name: name.replace("body.", "body.module."),
        lambda name: "net._fsdp_wrapped_module." + name.replace("body.", "body._fsdp_wrapped_module._checkpoint_wrapped_module."),
        lambda name: "_forward_module." + name.replace("body.3.", "body.3._orig_mod."),
        lambda name: name.replace("body.", "body.inner."),
        lambda name: "wrapped." + name.replace("body.3.", "body.3.conv.").replace("head.", "head.linear."),
    ],
)
def test_words_between(between: Callable[[str], str], state: State, tmp_path: Path) -> None:
    torch.save({"model": {between(name): each for name, each in state.items()}, "epoch": 1}, tmp_path / "a.pth")
    assert filled(tmp_path / "a.pth", state).notes == ()


def test_wrappers_of_the_definition_are_none_of_the_files(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    compiled: Any = torch.compile(deep(2), backend="eager")
    made: list[nn.Module] = [nn.DataParallel(deep(2)), compiled, nn.ModuleDict({"net": nn.ModuleDict({"inner": deep(2)})})]
    for net in made:
        loading.load_weights(tmp_path / "a.pth", net)
        (found,) = (each for name, each in net.state_dict().items() if name.endswith("head.weight"))
        assert torch.equal(found, state["head.weight"])


def test_what_lies_beside_is_told(state: State, tmp_path: Path) -> None:
    torch.save(
        {"state_dict": {**before("net.", state), "criterion.weight": torch.ones(5), "n_averaged": torch.tensor(3)}}, tmp_path / "a.ckpt"
    )
    (note,) = filled(tmp_path / "a.ckpt", state).notes
    assert note == "beside the weights of Deep 'a.ckpt' has 2 more, which are left out: state_dict.criterion.weight, state_dict.n_averaged"


def test_of_several_that_fit_one_is_taken_and_told(state: State, tmp_path: Path) -> None:
    place = tmp_path / "a.pth"
    torch.save({"state_dict_ema": other(state), "state_dict": state, "epoch": 3}, place)
    taken = filled(place, state)
    assert taken.sha256 == sha256_of(place)
    assert "those under 'state_dict' are taken, and not those under 'state_dict_ema'" in taken.notes[0]
    assert "a.pth#state_dict_ema" in taken.notes[0]
    asked = filled(place, other(state), entry="state_dict_ema")
    assert asked.notes == () and asked.sha256 != taken.sha256
    assert filled(place, state, entry="state_dict") == (taken.sha256, ())
    torch.save({"state_dict_ema": state, "state_dict": before("module.", state)}, place)
    assert filled(place, state).notes == ()  # equal: there is nothing to ask
    with pytest.raises(UsageError, match=r"no entry with weights in 'a.pth' of the name 'state_dct'; did you mean 'state_dict'"):
        filled(place, state, entry="state_dct")
    torch.save({"state_dict": {**before("teacher.", other(state)), **before("student.", state)}}, place)
    assert "those under 'state_dict.student' are taken" in filled(place, state).notes[0]
    assert filled(place, other(state), entry="state_dict.teacher").notes == ()


def test_what_does_not_fit_is_told_for_what_it_is(state: State, tmp_path: Path) -> None:
    place = tmp_path / "a.pth"
    lora = {f"base_model.model.{name.replace('.weight', '.lora_A.weight')}": torch.rand(2, 4) for name in state if name.endswith("weight")}
    optimiser = torch.optim.SGD(deep().parameters(), 0.1).state_dict()
    cases: list[tuple[Any, type[ReverieError], str]] = [
        (lora, InputError, "holds an adapter"), (optimiser, InputError, "no dictionary of weights"), ([1, 2], InputError, "but a list"),
        ({"net": {name: each for name, each in before("x.", state).items() if "head" not in name}}, UnsafeError,
         r"without head\.weight, head\.bias;"),
        ({"net": {**before("x.", state), "x.head.weight": torch.rand(5, 3)}}, UnsafeError, r"head\.weight is 5×3, not 5×4"),
        ({"layer1.conv.weight": torch.rand(3)}, UnsafeError, r"and with layer1\.conv\.weight; they belong to another network"),
        ({**state, "head.bias": torch.zeros(5, dtype=torch.int32)}, UnsafeError, "head.bias is int32, not float32"),
    ]  # fmt: skip
    for saved, kind, told in cases:
        torch.save(saved, place)
        with pytest.raises(ReverieError, match=told) as caught:
            filled(place, state)
        assert type(caught.value) is kind and "broken off" not in str(caught.value)


def test_big_and_little_ends(state: State, tmp_path: Path) -> None:
    floats = {name: each for name, each in state.items() if each.is_floating_point()}
    parts = Parts(floats)
    turned = {key: np.frombuffer(each, "u4").byteswap().tobytes() for key, each in parts.storages.items()}
    (tmp_path / "a.pth").write_bytes(zipped(whole(listed(parts.entries)), turned, {"byteorder": b"big"}))
    net = deep(2)
    loading.load_weights(tmp_path / "a.pth", net)
    assert all(torch.equal(net.state_dict()[name], each) for name, each in floats.items())


def test_torch_and_we_read_the_same(tmp_path: Path) -> None:
    """Every dtype and layout: views, shared storages, empty ones, one number."""
    base = torch.arange(24.0)
    made = {
        "view": base[3:15].view(3, 4).t(), "shared": base, "strided": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "empty": torch.empty(0, 3), "number": torch.tensor(3), "bool": torch.tensor([True, False]),
        "u8": torch.arange(9, dtype=torch.uint8),
        "half": torch.rand(3).half(), "bf16": torch.rand(3).bfloat16(), "double": torch.rand(3).double(),
        "i16": torch.arange(3, dtype=torch.int16),
    }  # fmt: skip
    for new in (True, False):
        torch.save(made, tmp_path / "a.pth", _use_new_zipfile_serialization=new)
        found, theirs = loading.read_state(tmp_path / "a.pth"), torch.load(tmp_path / "a.pth", weights_only=True)
        assert list(found) == list(made)
        for name, each in theirs.items():
            assert torch.equal(found[name], each) and found[name].dtype == each.dtype, name
        assert found["view"].untyped_storage().nbytes() == 12 * 4  # no more than it needs


def test_on_the_command_line_and_in_python(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    run = runner(capsys)
    torch.save({"state_dict": state, "state_dict_ema": other(state), "args": argparse.Namespace(a=1)}, "a.pth.tar")
    own = ("--definition", "tests.helpers.trainings:deep", "--mean", "0,0,0", "--std", "1,1,1", "--native", "16")
    first = run("layers", "--network", "a.pth.tar", *own)
    assert first.code == 0 and "those under 'state_dict' are taken" in first.err and "name it a.pth.tar#state_dict_ema" in first.err
    second = run("layers", "--network", "a.pth.tar#state_dict_ema", *own)
    assert second.code == 0 and "state_dict_ema" in second.err and "are taken" not in second.err
    with pytest.warns(UserWarning, match="name it a.pth.tar#state_dict_ema"):
        plain = reverie.load("a.pth.tar", definition=deep, mean=[0] * 3, std=[1] * 3, size=16)
    averaged = reverie.load("a.pth.tar#state_dict_ema", definition=deep, mean=[0] * 3, std=[1] * 3, size=16)
    assert torch.equal(averaged.module.state_dict()["head.bias"], plain.module.state_dict()["head.bias"] + 1)
    assert plain.sha256 != averaged.sha256
    made = reverie.feature("body.3:1", network=averaged, steps=1, octaves=1)
    made.save("f.png")
    again = run("redo", "f.png", "-o", "g.png", "--network", "a.pth.tar#state_dict_ema", *own)
    assert again.code == 0 and (tmp_path / "f.png").read_bytes() == (tmp_path / "g.png").read_bytes()
    wrong = run("redo", "f.png", "-o", "h.png", "--network", "a.pth.tar", *own)
    assert wrong.code == 0 and "is not what 'f.png' was made with: the same, but by this network" in wrong.err
    assert (tmp_path / "h.png").read_bytes() != (tmp_path / "f.png").read_bytes()
    shards(tmp_path / "cache", state)
    assert run("layers", "--network", str(tmp_path / "cache"), *own).code == 0
    run("layers", "--network", "no.ckpt", *own).fault(3, "'no.ckpt' does not exist")


def test_copies_of_one_file_have_one_hash(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    shutil.copy(tmp_path / "a.pth", tmp_path / "b.pth")
    assert filled(tmp_path / "a.pth", state).sha256 == filled(tmp_path / "b.pth", state).sha256 == sha256_of(tmp_path / "a.pth")

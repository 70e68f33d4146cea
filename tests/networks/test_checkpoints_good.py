"""Weights of every kind that people have: they come into the module as they are."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tests.helpers.weightfiles import MAGIC, Parts, called, large, many, number, small, stored, whole
from torch import Tensor, nn

from reverie.errors import InputError, UnsafeError
from reverie.networks.checkpoints import loading, opened
from reverie.store import sha256_of

State = dict[str, Tensor]


def equal(net: nn.Module, state: State) -> bool:
    own = net.state_dict()
    return set(own) == set(state) and all(torch.equal(each, state[name]) and each.dtype == state[name].dtype for name, each in own.items())


@pytest.fixture
def state() -> State:
    return dict(small(1).state_dict())


SAVED: dict[str, Callable[[State, Path], object]] = {
    "safetensors": lambda state, place: safetensors.torch.save_file(state, place),
    "zip": lambda state, place: torch.save(state, place),
    "ordered": lambda state, place: torch.save(OrderedDict(state), place),
    "legacy": lambda state, place: torch.save(state, place, _use_new_zipfile_serialization=False),
    "parameters": lambda state, place: torch.save({n: nn.Parameter(e) if e.is_floating_point() else e for n, e in state.items()}, place),
    "strided": lambda state, place: torch.save({**state, "0.weight": state["0.weight"].to(memory_format=torch.channels_last)}, place),
    "views": lambda state, place: torch.save({**state, "3.bias": torch.cat([torch.ones(9), state["3.bias"]])[9:]}, place),
    "by hand": lambda state, place: place.write_bytes(Parts(state).zip()),
    "large zip": lambda state, place: place.write_bytes(large(Parts(state).zip(), len(state) + 3)),
    "old by hand": lambda state, place: place.write_bytes(Parts(state).legacy()),
    "checkpoint": lambda state, place: torch.save({"epoch": 3, "best": 0.5, "state_dict": state, "optimizer": trained()}, place),
    "model": lambda state, place: torch.save({"model": {"state_dict": state}, "args": {"lr": [0.1, None]}}, place),
    "model_state_dict": lambda state, place: torch.save({"model_state_dict": state, "loss": torch.tensor(0.1)}, place),
    "parallel": lambda state, place: torch.save({"state_dict": {f"module.{name}": each for name, each in state.items()}}, place),
    "compiled": lambda state, place: safetensors.torch.save_file({f"module._orig_mod.{name}": each for name, each in state.items()}, place),
    "lightning": lambda state, place: torch.save({"state_dict": {f"model.{name}": each for name, each in state.items()}}, place),
}


def trained() -> dict[str, object]:
    """As the state of an optimiser and of its schedule."""
    moments = {"step": torch.tensor(1.0), "exp_avg": torch.rand(4, 3), "exp_avg_sq": torch.rand(4, 3)}
    groups = [{"lr": 1e-3, "betas": (0.9, 0.999), "amsgrad": False, "foreach": None, "params": [0]}]
    return {"optimiser": {"state": {0: moments}, "param_groups": groups}, "schedule": {"milestones": Counter({3: 1, 6: 1}), "gamma": 0.1}}


@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_it_is_read_whatever_it_is_called(kind: str, suffix: str, state: State, tmp_path: Path) -> None:
    place = tmp_path / f"weights{suffix}"
    SAVED[kind](state, place)
    net = small(2)
    loading.check(place)
    assert loading.load_weights(place, net) == (sha256_of(place), ())
    assert equal(net, state)
    assert not net.training and all(each.requires_grad and each.grad is None for each in net.parameters())


@pytest.mark.parametrize("before", ["model.", "module.model.", "", "net."])
def test_a_beginning_that_is_the_modules_own_stays(before: str, state: State, tmp_path: Path) -> None:
    torch.save({f"{before}{name}": each for name, each in state.items()}, tmp_path / "a.pth")
    net = nn.ModuleDict({"model": small(2)})
    loading.load_weights(tmp_path / "a.pth", net)
    assert equal(net["model"], state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_other_widths_are_converted(kind: str, dtype: torch.dtype, state: State, tmp_path: Path) -> None:
    SAVED[kind]({name: each.to(dtype) if each.is_floating_point() else each for name, each in state.items()}, tmp_path / "a")
    net = small(2)
    loading.load_weights(tmp_path / "a", net)
    assert equal(net, {name: each.to(dtype).float() if each.is_floating_point() else each for name, each in state.items()})
    half = small(2).half()
    loading.load_weights(tmp_path / "a", half)
    assert equal(half, {name: each.to(dtype).half() if each.is_floating_point() else each for name, each in state.items()})


def test_files_of_the_first_torches(state: State, tmp_path: Path) -> None:
    """Written by Python 2 before torch 0.2: lists of pairs, tensors made empty and then filled, long numbers, Parameters."""
    floats = {name: each for name, each in state.items() if each.is_floating_point()}
    parts = Parts(floats)

    def old(key: str, each: Tensor) -> bytes:
        sides = [many(*(b"\x8a\1" + bytes([side]) for side in sides)) for sides in (each.shape, each.stride())]
        storage = stored(key, each.numel())[:-2] + b"NtQ"
        empty = b"ctorch\nFloatTensor\n)R" + many(storage, number(0), *sides) + b"b"
        if each.dim() < 2:
            return called("torch._utils", "_rebuild_tensor", storage, number(0), *sides)
        return (
            b"ctorch.nn.parameter\nParameter\n"
            + many(empty)
            + b"\x81"
            + many(b"\x88", b"\x89", b"ccollections\nOrderedDict\n]\x85R")
            + b"b"
        )

    pairs = [
        b"](" + b"U" + bytes([len(name)]) + name.encode() + old(str(at), each) + b"e" for at, (name, each) in enumerate(floats.items())
    ]
    made = whole(b"ccollections\nOrderedDict\n](" + b"".join(pairs) + b"e\x85R")
    content = Parts(floats).legacy()
    begin, end = content.index(parts.old()), content.index(parts.old()) + len(parts.old())
    (tmp_path / "vgg.pth").write_bytes(content[:begin] + made + content[end:])
    assert content.startswith(MAGIC)
    net, counted = small(2), small(2).state_dict()["1.num_batches_tracked"]
    loading.load_weights(tmp_path / "vgg.pth", net)
    assert equal(net, {**state, "1.num_batches_tracked": counted})


def test_what_is_ignored_is_neither_asked_nor_taken(state: State, tmp_path: Path) -> None:
    torch.save({**{name: each for name, each in state.items() if not name.startswith("3.")}, "aux.weight": torch.zeros(3)}, tmp_path / "a")
    net = small(2)
    with pytest.raises(UnsafeError, match=r"without 3\.weight, 3\.bias and with aux\.weight"):
        loading.load_weights(tmp_path / "a", net)
    assert equal(net, dict(small(2).state_dict()))
    loading.load_weights(tmp_path / "a", net, ignore=("3.", "aux."))
    assert equal(net, {**state, **{name: each for name, each in small(2).state_dict().items() if name.startswith("3.")}})
    torch.save({**state, "3.bias": torch.full((5,), torch.nan)}, tmp_path / "a")
    loading.load_weights(tmp_path / "a", net, ignore=("3.",))
    assert torch.equal(net.state_dict()["3.bias"], small(2).state_dict()["3.bias"])


def test_older_names_are_brought_to_the_modules(state: State, tmp_path: Path) -> None:
    torch.save({name.replace("3.", "head."): each for name, each in state.items()}, tmp_path / "a")
    net = small(2)
    loading.load_weights(tmp_path / "a", net, renamed=lambda old: {name.replace("head.", "3."): each for name, each in old.items()})
    assert equal(net, state)

    def broken(old: object) -> State:
        raise KeyError("pos_embed")

    with pytest.raises(UnsafeError, match="its network's code cannot take"):
        loading.load_weights(tmp_path / "a", net, renamed=broken)


def test_a_file_that_changes_meanwhile_is_refused(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its hash would be of other weights than those that are read."""
    place, net = tmp_path / "a.safetensors", small(2)
    safetensors.torch.save_file(state, place)
    safetensors.torch.save_file(
        {name: each + 1 if each.is_floating_point() else each for name, each in state.items()}, tmp_path / "b.safetensors"
    )
    hashed = sha256_of

    def and_replace(path: Path) -> str:
        digest = hashed(path)
        (tmp_path / "b.safetensors").replace(place)
        return digest

    monkeypatch.setattr(opened, "sha256_of", and_replace)
    with pytest.raises(InputError, match="was changed while it was read"):
        loading.load_weights(place, net)
    assert equal(net, dict(small(2).state_dict()))


def test_shared_and_frozen_weights_are_filled(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(4, 4)
            self.b = self.a

    torch.save(Tied().state_dict(), tmp_path / "a.pth")
    net = Tied().requires_grad_(False)
    loading.load_weights(tmp_path / "a.pth", net)
    assert net.a.weight is net.b.weight and equal(net, torch.load(tmp_path / "a.pth", weights_only=True))


def test_a_module_without_memory_is_told(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    for net in (small().to("meta"), nn.Sequential(nn.LazyConv2d(3, 1))):
        with pytest.raises(InputError, match="no memory for them yet"):
            loading.load_weights(tmp_path / "a.pth", net)


def test_many_tensors_take_no_time(tmp_path: Path) -> None:
    net = nn.ModuleDict({f"p{each}": nn.Linear(1, 1) for each in range(400)})
    torch.save({"model": net.state_dict(), "epoch": 3}, tmp_path / "a.pth")
    with torch.no_grad():
        for each in net.parameters():
            each.zero_()
    loading.load_weights(tmp_path / "a.pth", net)
    assert all(bool(each.any()) for each in net.parameters())

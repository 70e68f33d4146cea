"""What lies beside the weights in a file: it stays unread, nothing of it is called, and what acts is refused."""

from __future__ import annotations

import argparse
import collections
import datetime
import enum
import functools
import pathlib
import pickle
import random
import shutil
import sys
import types
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.trainings import State, before, deep, filled
from tests.helpers.weightfiles import NO_HOOKS, Parts, called, listed, many, small, text, whole, zipped
from torch import nn

from reverie.errors import InputError, ReverieError, UnsafeError
from reverie.networks.checkpoints import loading
from reverie.networks.checkpoints.stand_ins import may_stand


class Colour(enum.Enum):
    RED = 1


class AttributeDict(dict[str, Any]):
    """As Lightning keeps hyperparameters."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Loud:
    """Would tell if anything of it were called."""

    called: list[str] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.inside = {"a": [1, 2]}

    def __setstate__(self, state: object) -> None:
        Loud.called.append("setstate")

    def __new__(cls, *_: object) -> Loud:
        Loud.called.append("new")
        return super().__new__(cls)


def beside(net: nn.Module) -> dict[str, Any]:
    """What trainings put beside the weights."""
    optimiser = torch.optim.AdamW(net.parameters(), 0.1)
    net(torch.rand(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=10)
    return {
        "args": argparse.Namespace(lr=1, out=pathlib.Path("out"), seed=[1, 2]),
        "numpy": [np.float64(0.9), np.int64(3), np.arange(5.0), np.array(["a"]), np.random.RandomState(0).get_state(), np.dtype("float32")],
        "random": np.random.default_rng(0),
        "when": [datetime.datetime(2026, 1, 2, 3, 4, 5), datetime.timedelta(1), datetime.date(2026, 1, 2)],
        "hyper_parameters": AttributeDict(lr=0.1, data=pathlib.PurePosixPath("a/b"), colour=Colour.RED, nested=AttributeDict(a=(1, None))),
        "callbacks": {"ModelCheckpoint{'monitor': 'acc'}": {"best": torch.tensor(0.9), "path": pathlib.Path("x")}, Loud: {"a": 1}},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
        "partial": functools.partial(torch.optim.SGD, lr=0.1),
        "optimizer": optimiser.state_dict(), "optimizer itself": optimiser, "schedule": schedule,
        "loss": nn.CrossEntropyLoss(torch.ones(5)), "activation": nn.functional.relu,
        "more": [uuid.uuid4(), {1, 2}, frozenset({"a"}), b"bytes", 1 + 2j, bytearray(b"x"), slice(1, 2), range(3)],
        "simple": types.SimpleNamespace(a=1),
        "counted": [collections.defaultdict(list, a=[1]), collections.deque([1, 2], 3), collections.Counter("abc")],
        "keys": {("a", 1): 2, 0.5: 1, None: 2, True: 3, Colour.RED: 4},
        "loud": Loud(), "pytorch-lightning_version": "2.6.6", "epoch": 3, "global_step": 10**12, "best": None,
    }  # fmt: skip


@pytest.mark.parametrize("new", [True, False])
def test_what_lies_beside_the_weights_stays_unread(new: bool, state: State, tmp_path: Path) -> None:
    torch.save({**beside(deep()), "state_dict": before("model.", state)}, tmp_path / "a.ckpt", _use_new_zipfile_serialization=new)
    Loud.called.clear()
    assert filled(tmp_path / "a.ckpt", state).notes == ()
    assert Loud.called == []


@pytest.mark.parametrize("name", beside(deep()))
def test_each_of_it(name: str, state: State, tmp_path: Path) -> None:
    torch.save({"model": state, "x": {"y": [beside(deep())[name]]}}, tmp_path / "a.ckpt")
    filled(tmp_path / "a.ckpt", state)


def test_nobodys_code_is_imported(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_config.py").write_text("class Config:\n    pass\nraise SystemExit('it was imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = listed({"model": listed(Parts(state).entries), "config": b"ctheir_config\nConfig\n)\x81}(" + text("a") + b"K\1ub"})
    (tmp_path / "a.pth").write_bytes(zipped(whole(made), Parts(state).storages))
    filled(tmp_path / "a.pth", state)
    assert "their_config" not in sys.modules


def test_a_dictionary_of_another_kind_is_looked_into(state: State, tmp_path: Path) -> None:
    torch.save(AttributeDict(model=AttributeDict(before("module.", state))), tmp_path / "a.pth")
    filled(tmp_path / "a.pth", state)


ACTING = [
    "os system", "posix system", "nt system", "subprocess Popen", "builtins eval", "builtins exec", "__builtin__ eval", "builtins getattr",
    "builtins __import__", "builtins open", "builtins map", "importlib import_module", "runpy run_path", "pty spawn", "shutil rmtree",
    "pickle loads", "_pickle loads", "marshal loads", "operator attrgetter", "functools reduce", "types FunctionType", "types CodeType",
    "torch load", "torch.serialization load", "torch.storage _load_from_bytes", "torch.hub load", "torch.jit load",
    "torch._utils _rebuild_xla_tensor",
    "numpy load", "numpy.testing._private.utils runstring", "webbrowser open", "code InteractiveInterpreter", "timeit timeit",
    "ctypes CDLL",
    "pathlib Path.touch", "pathlib Path.write_text", "pip._internal.cli.main main", "cloudpickle.cloudpickle _make_function", "joblib load",
    "theirs.os system", "theirs exec", "theirs Config.eval", "torch.nn.modules.module torch.load", "torch.nn os",
    "torch.optim.optimizer exec",
    "collections namedtuple", "sys exit", "a b c", "a; b", "", " x", "a..b c", "socket socket", "threading Thread", "logging basicConfig",
]  # fmt: skip


@pytest.mark.parametrize("word", ACTING)
def test_a_name_that_acts_is_refused_wherever_it_lies(word: str, state: State, tmp_path: Path) -> None:
    assert not may_stand(word)
    module, _, name = word.partition(" ")
    if not module.replace(".", "").replace("_", "").isalnum() or " " in name:
        return
    parts = Parts(state)
    evil = called(module, name, text("echo"))
    for made in (
        listed({"state_dict": listed(parts.entries), "args": evil}),
        listed({"state_dict": listed(parts.entries), "args": f"c{module}\n{name}\n".encode()}),
        listed({"state_dict": listed(parts.entries), "args": called("functools", "partial", f"c{module}\n{name}\n".encode())}),
        listed({"state_dict": listed({**parts.entries, "x": called("copy_reg", "__newobj__", f"c{module}\n{name}\n".encode())})}),
    ):
        (tmp_path / "a.pth").write_bytes(zipped(whole(made), parts.storages))
        with pytest.raises(UnsafeError, match="would call"):
            loading.load_weights(tmp_path / "a.pth", deep())


def test_a_stand_in_is_never_a_tensor_or_called(state: State, tmp_path: Path) -> None:
    parts = Parts(state)
    config = b"ctheirs\nConfig\n)\x81"
    rebuilt = called("torch._utils", "_rebuild_tensor_v2", config, b"K\0", b")", b")", b"\x89", b"}")
    for told, kind, made in [
        ("calls what is no function", UnsafeError, listed({"a": config + many() + b"R"})),
        ("a tensor without a storage", UnsafeError, listed({"a": rebuilt})),
        ("hooks or metadata", UnsafeError, listed({"a": parts.entries["head.bias"].replace(NO_HOOKS, config)})),
        ("without head.weight", UnsafeError, listed({**parts.entries, "head.weight": config})),
        ("no dictionary of weights but a Config", InputError, config),
        ("no dictionary of weights", InputError, listed({"a": config})),
    ]:  # fmt: skip
        (tmp_path / "a.pth").write_bytes(zipped(whole(made), parts.storages))
        with pytest.raises(ReverieError, match=told) as caught:
            loading.load_weights(tmp_path / "a.pth", deep())
        assert type(caught.value) is kind, caught.value


def test_whole_networks_are_told(state: State, tmp_path: Path) -> None:
    for saved, where in ((deep(), ""), ({"model": deep(), "epoch": 3}, " under 'model'"), ({"ema": [deep()]}, r" under 'ema\.0'")):
        torch.save(saved, tmp_path / "a.pth")
        with pytest.raises(UnsafeError, match=f"it holds a whole network{where}, and reading one runs the code.*state_dict"):
            filled(tmp_path / "a.pth", state)
    torch.save({"model": deep(), "state_dict": state}, tmp_path / "a.pth")
    filled(tmp_path / "a.pth", state)  # beside weights it stays unread


def test_hostile_pickles_of_python_are_refused_beside_weights(tmp_path: Path) -> None:
    """What runs where it is trusted, made by pickle itself, is refused at protocol 2 in a file of torch."""

    class Evil:
        def __init__(self, how: Any, *arguments: Any) -> None:
            self.how, self.arguments = how, arguments

        def __reduce__(self) -> Any:
            return self.how, self.arguments

    canary = tmp_path / "canary"
    for evil in (
        Evil(exec, f"open({str(canary)!r}, 'w')"), Evil(open, str(canary), "w"), Evil(functools.partial(open, str(canary), "w")),
        Evil(shutil.copy, __file__, str(canary)), Evil(random.Random.seed, 3), Evil(pickle.loads, b"."),
    ):  # fmt: skip
        torch.save({"state_dict": dict(small().state_dict()), "args": evil}, tmp_path / "a.pth")
        with pytest.raises(UnsafeError):
            loading.load_weights(tmp_path / "a.pth", small())
    assert not canary.exists()

"""The same weights as trainings leave them: under any entry, with any wrapper in their names, in shards, beside things that stay unread."""

from __future__ import annotations

import argparse
import collections
import datetime
import enum
import functools
import json
import pathlib
import pickle
import random
import shutil
import sys
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.helpers.commands import runner
from tests.helpers.weightfiles import NO_HOOKS, Parts, called, listed, many, small, text, whole, zipped
from torch import Tensor, nn

import reverie
from reverie.errors import InputError, ReverieError, UnsafeError, UsageError
from reverie.networks.checkpoints import loading
from reverie.networks.checkpoints.stand_ins import may_stand
from reverie.networks.sources.source import source
from reverie.store import sha256_of

State = dict[str, Tensor]


class Deep(nn.Module):
    """Parts within parts, so that something can stand between."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(x).mean((2, 3)))
        return scores


def deep(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Deep().eval()


@pytest.fixture
def state() -> State:
    return dict(deep(1).state_dict())


def before(start: str, state: State) -> State:
    return {f"{start}{name}": each for name, each in state.items()}


def filled(place: Path, state: State, **options: Any) -> loading.Loaded:
    """Fill a network from the file; its tensors are then those of the state."""
    net = deep(2)
    loading.check(place)
    loaded = loading.load_weights(place, net, **options)
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())
    return loaded


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


def other(state: State) -> State:
    return {name: each + 1 if each.is_floating_point() else each for name, each in state.items()}


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


def shards(folder: Path, state: State, suffix: str = ".safetensors") -> list[Path]:
    stem = "model" if suffix == ".safetensors" else "pytorch_model"
    names, made, index = list(state), [], {}
    for number in (1, 2, 3):
        some = {name: state[name].clone() for name in names[number - 1 :: 3]}
        place = folder / f"{stem}-{number:05}-of-00003{suffix}"
        safetensors.torch.save_file(some, place) if suffix == ".safetensors" else torch.save(some, place)
        index.update(dict.fromkeys(some, place.name))
        made.append(place)
    (folder / f"{stem}{suffix}.index.json").write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": index}))
    return [folder / f"{stem}{suffix}.index.json", *made]


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_shards(suffix: str, state: State, tmp_path: Path) -> None:
    index, *parts = shards(tmp_path, before("model.", state), suffix)
    (tmp_path / "config.json").write_text("{}")
    digests = {filled(place, state).sha256 for place in (index, parts[1], tmp_path)}
    assert len(digests) == 1
    index.unlink()
    assert {filled(place, state).sha256 for place in (parts[0], tmp_path)} == digests
    parts[2].unlink()
    with pytest.raises(InputError, match=r"of the 3 shards of '.*' .*-00003-of-00003.* is not there"):
        filled(parts[0], state)


def test_indices_and_folders_that_are_none(state: State, tmp_path: Path) -> None:
    index, *_ = shards(tmp_path, state)
    for content, kind, told in [
        ("{", InputError, "no index of shards"), ('{"weight_map": []}', InputError, "no index of shards"),
        ("[" * 10**5, InputError, "no index"),
        ('{"weight_map": {}}', InputError, "0 shards"), ('{"weight_map": {"a": "../b"}}', UnsafeError, "lie elsewhere"),
        ('{"weight_map": {"a": "/etc/passwd"}}', UnsafeError, "lie elsewhere"), ('{"weight_map": {"a": 3}}', UnsafeError, "lie elsewhere"),
        ('{"weight_map": {"a": "b"}}', InputError, "'model.safetensors.index.json' b is not there"),
    ]:  # fmt: skip
        index.write_text(content)
        with pytest.raises(ReverieError, match=told) as caught:
            filled(index, state)
        assert type(caught.value) is kind
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="a folder without weights"):
        filled(tmp_path / "empty", state)
    for name in ("a.pth", "b.pth"):
        torch.save(state, tmp_path / "empty" / name)
    with pytest.raises(InputError, match=r"a folder with 2 files of weights; give one of them, such as a\.pth"):
        filled(tmp_path / "empty", state)
    (tmp_path / "empty" / "b.pth").unlink()
    filled(tmp_path / "empty", state)


# ── what is only stood for ───────────────────────────────────────────────────────────────────────────────────────────────


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


# ── as a user has it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_of_entries_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a#b.pth").touch()
    (tmp_path / "folder").mkdir()
    assert source("a#b.pth").version == "" and source("a#b.pth#ema").name == "a#b.pth"
    assert (source("no.ckpt#model.ema").name, source("no.ckpt#model.ema").version) == ("no.ckpt", "model.ema")
    assert source("no.ckpt#ema").text == "no.ckpt#ema" == source("no.ckpt#ema").called
    assert source("folder").kind == "file"
    with pytest.raises(UsageError, match="ends in '#' without an entry"):
        source("no.pth#")


def test_on_the_command_line_and_in_python(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    run = runner(capsys)
    torch.save({"state_dict": state, "state_dict_ema": other(state), "args": argparse.Namespace(a=1)}, "a.pth.tar")
    own = ("--definition", "tests.networks.test_checkpoints_wrapped:deep", "--mean", "0,0,0", "--std", "1,1,1", "--native", "16")
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

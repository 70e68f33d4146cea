"""Weights of one's own on one's own code: opened, asked what only the user knows, remembered, made again; and what is doubtful is said."""

from __future__ import annotations

import json
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.helpers.commands import Run, pixels, saved
from tests.helpers.tiny import Flow, of_channels
from torch import nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network, Preprocessing, wrap_module
from reverie.networks.normalisation_check import doubts
from reverie.store import sha256_of

CODE = """
from torch import nn
def small():
    body = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2, padding=1)
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
"""
FLAGS = ("--definition", "own:small", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25", "--range", "0,1", "--native", "32")
SAID = "'net.safetensors' takes pictures"


@pytest.fixture
def own(place: Path) -> Iterator[Path]:
    """A working folder with a definition, its weights, and a picture."""
    (place / "own.py").write_text(CODE)
    save_file(of_channels(3).module.state_dict(), place / "net.safetensors")
    saved(place / "sky.png")
    yield place
    sys.modules.pop("own", None)


def test_every_command_that_has_a_network_takes_ones_own(own: Path, run: Run) -> None:
    (own / "names.txt").write_text("cat\ndog\nbird\n")
    net = ("--network", "net.safetensors", *FLAGS, "--labels", "names.txt")
    few = ("--octaves", "1", "--steps", "1")
    layers = run("layers", *net, "--json")
    assert [each["name"] for each in layers.data] == ["0", "2"]
    digest = sha256_of(own / "net.safetensors")
    assert f"sha256 of 'net.safetensors': {digest}" in layers.err and f"{SAID} like this, which is now remembered" in layers.err
    assert {each["label"] for each in run("recognise", "sky.png", *net, "--json").data[0]["labels"]} == {"cat", "dog", "bird"}
    for words in (
        ("dream", "sky.png", "-t", "2:1", *few, "-o", "dream.png"),
        ("imagine", "dog", "--size", "32", *few, "-o", "dog.png"),
        ("feature", "2:0", "--size", "32", *few, "-o", "feature.png"),
        ("see", "sky.png", "--layers", "2", "--steps", "1", "--width", "32", "-o", "seen"),
        ("journey", "sky.png", "-t", "2:1", "--frames", "2", "--steps", "1", "--octaves", "1", "--width", "32", "-o", "frames"),
    ):
        done = run(*words, *net, "--quiet")
        assert done.code == 0, done
        assert "sha256 of" not in done.err
    recipe = run("recipe", "dream.png", "--json").data[0]["recipe"]
    assert recipe["networks"][0]["sha256"] == digest and recipe["networks"][0]["name"] == "Sequential"
    assert "own" not in json.dumps(recipe["networks"]) and "net.safetensors" not in json.dumps(recipe)


def test_its_picture_is_made_again_when_it_is_named_again(own: Path, run: Run) -> None:
    net = ("--network", "net.safetensors", *FLAGS)
    assert run("dream", "sky.png", "-t", "2:1", "--octaves", "1", "--steps", "2", "--threads", "1", "-o", "a.png", *net).code == 0
    run("redo", "a.png").fault(3, "a network of somebody's own, 'Sequential'", "--network FILE --definition")
    again = run("redo", "a.png", "--network", "net.safetensors", "--definition", "own:small", "-o", "b.png")  # the rest is remembered
    assert again.code == 0 and "as you said before" in again.err, again
    assert (own / "b.png").read_bytes() == (own / "a.png").read_bytes()
    save_file({name: each + 1 for name, each in of_channels(3).module.state_dict().items()}, own / "other.safetensors")
    other = run("redo", "a.png", "--network", "other.safetensors", *FLAGS, "-o", "c.png")  # the next checkpoint, say
    assert other.code == 0 and "'Sequential' with these weights" in other.err and "the same, but by this network" in other.err
    assert (own / "c.png").read_bytes() != (own / "a.png").read_bytes()


def test_what_was_wrapped_is_the_same_network_once_its_weights_are_in_a_file(own: Path, run: Run) -> None:
    plain = of_channels(3)
    wrapped = reverie.wrap(plain.module, mean=[0.5] * 3, std=[0.25] * 3, size=32, device="cpu")
    first = reverie.dream("sky.png", "2:1", network=wrapped, octaves=1, steps=2).save("a.png")
    again = run("redo", "a.png", "--network", "net.safetensors", *FLAGS, "-o", "b.png")
    assert again.code == 0 and "not what 'a.png' was made with" not in again.err, again
    loaded = reverie.load("net.safetensors", definition="own:small", device="cpu")
    assert np.array_equal(pixels(reverie.redo(first, network=loaded).save("c.png")), pixels(first))
    assert np.array_equal(pixels(own / "b.png"), pixels(first))
    with pytest.raises(InputError, match=r"give that network, or make the same by this one: reverie.again"):
        reverie.redo(first, network=of_channels(4))


def test_a_recipe_can_name_no_code_and_no_file(own: Path, run: Run) -> None:
    net = ("--network", "net.safetensors", *FLAGS)
    assert run("dream", "sky.png", "-t", "2:1", "--octaves", "1", "--steps", "1", "-o", "a.png", *net).code == 0
    recipe = (own / "a.png").read_bytes()
    (own / "own.py").write_text("from pathlib import Path\nPath('ran').touch()")
    for name in ("net.safetensors", "own:small", str(own / "net.safetensors")):
        from tests.helpers.recipes import PLAIN

        used = PLAIN.networks[0].model_copy(update={"name": name, "sha256": sha256_of(own / "net.safetensors")})
        forged = PLAIN.model_copy(update={"networks": (used,)})
        from tests.helpers.commands import carrying

        carrying(own / "forged.png", forged.text())
        assert run("redo", "forged.png").code == 3
    assert not (own / "ran").exists() and recipe


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_open_it(own: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "file").touch()
    monkeypatch.setenv("REVERIE_CACHE", str(own / "file" / "cache"))
    done = run("layers", "--network", "net.safetensors", *FLAGS)
    assert done.code == 0 and "is not remembered" in done.err, done


def test_what_is_not_known_is_asked_for_once_and_remembered(own: Path, run: Run) -> None:
    net = ("layers", "--network", "net.safetensors", "--definition", "own:small")
    run(*net).fault(2, "the normalisation that 'net.safetensors' was trained with is not known", "--mean 0.485,0.456,0.406 --std")
    run(*net, "--mean", "0.5,0.5,0.5").fault(2, "the std that 'net.safetensors' was trained with is not known")
    run(*net, "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2").fault(2, "mean has 3 channels and std 2")
    run(*net, "--mean", "0.5", "--std", "0.5", "--native", "32").fault(2, "the first convolution, '0', takes 3")
    run(*net).fault(2, "the normalisation that 'net.safetensors' was trained with is not known")  # what cannot be is not remembered
    first = run(*net, "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
    assert first.code == 0 and "(range 0,1 and native size 224×224 not said, so assumed)" in first.err, first
    again = run(*net)
    assert again.code == 0 and f"{SAID} as you said before: mean 0.5,0.5,0.5, std 0.25,0.25,0.25, range 0,1, 224×224" in again.err
    changed = run(*net, "--mean", "127,127,127", "--std", "64,64,64", "--range", "0,255", "--native", "48x32")
    assert "mean 127,127,127, std 64,64,64, range 0,255, 48×32 pixels" in changed.err
    assert "range 0,255, 48×32 pixels" in run(*net).err
    assert "range 0,1, 48×32" in run(*net, "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2").err  # another mean has another range


def test_a_damaged_memory_is_no_memory(own: Path, run: Run) -> None:
    net = ("layers", "--network", "net.safetensors")
    assert run(*net, *FLAGS).code == 0
    kept = [each for each in (own.parent / "cache" / "normalisations").rglob("*") if each.is_file()]
    assert len(kept) == 1
    for content in (b"", b"{", b"[]", b'{"mean": "x"}', b'{"mean": [1e999], "std": [1]}', b'{"size": [0, 0]}', b"\xff"):
        kept[0].write_bytes(content)
        run(*net, "--definition", "own:small").fault(2, "normalisation that 'net.safetensors' was trained with is not known")


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("--network", "none.safetensors"), 3, ("'none.safetensors' does not exist",)),
        (("--network", "net.pt2"), 4, ("'net.pt2'", "torch.export", "reverie.wrap")),
        (("--network", "net.safetensors"), 2, ("holds weights, and no network", "--definition package.module:function")),
        (("--network", "net.safetensors", "--definition", "own:smal"), 2, ("'smal'", "did you mean 'small'")),
        (("--definition", "own:small"), 2, ("--definition is for a network of your own", "--network FILE")),
        (("--mean", "1,2,3"), 2, ("--mean is for a network of your own",)),
        (("--network", "net.safetensors", "--mean", "a,b"), 2, ("--mean a,b", "numbers with commas")),
        (("--network", "net.safetensors", *FLAGS, "--std", "0,1,1"), 2, ("std 0,1,1", "above 0")),
        (("--network", "net.safetensors", *FLAGS, "--range", "1,0"), 2, ("range 1,0", "e.g. 0,255")),
        (("--network", "net.safetensors", *FLAGS, "--range", "1"), 2, ("range 1", "e.g. 0,255")),
        (("--network", "net.safetensors", *FLAGS, "--native", "big"), 2, ("--native big",)),
        (
            ("--network", "net.safetensors", *FLAGS, "--mean", "0.5", "--std", "0.5"),
            2,
            ("a mean and std of 1 channel, and the first convolution", "takes 3", "give 3, one for each channel"),
        ),
        (("--network", "net.safetensors", *FLAGS, "--labels", "none.txt"), 3, ("'none.txt' cannot be read",)),
        (("--network", "net.safetensors", *FLAGS, "--labels", "two.txt"), 2, ("2 labels for a network of 3 classes",)),
        (("--network", "efficientnet-lite0", "--mean", "1"), 2, ("--mean is for a network of your own",)),
        (("--network", "sky.png", *FLAGS), 3, ("'sky.png' is no file of weights",)),
    ],
)
def test_what_is_wrong_is_said(own: Path, run: Run, words: tuple[str, ...], code: int, parts: tuple[str, ...]) -> None:
    (own / "two.txt").write_text("one\ntwo\n")
    with zipfile.ZipFile(own / "net.pt2", "w") as archive:
        archive.writestr("net/archive_format", "pt2")
        archive.writestr("net/models/model.json", "{}")
    run("layers", *words).fault(code, *parts)


def test_in_python_it_is_the_same(own: Path) -> None:
    torch.save({"state_dict": of_channels(3).module.state_dict()}, own / "net.pth")
    with pytest.raises(UsageError, match=r"normalisation that 'net\.pth' was trained with is not known"):
        reverie.load("net.pth", definition="own:small")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = reverie.load(
            own / "net.pth", definition=lambda: of_channels(3).module, mean=[0.5] * 3, std=[0.25] * 3, size=(32, 48), labels=["a", "b", "c"]
        )
    assert net.size == (32, 48) and net.channels == 3 and net.sha256 == sha256_of(own / "net.pth")
    assert net.class_index("b") == 1
    with pytest.warns(UserWarning, match="as you said before"):
        assert reverie.load("net.pth", definition="own:small").size == (32, 48)
    with pytest.raises(UsageError, match="knows its own normalisation"):
        reverie.load("efficientnet-lite0", mean=[0.5] * 3, std=[0.5] * 3)


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", ["cat\ndog\n", "\ufeffcat\r\ndog", '["cat", " dog "]', '{"1": "dog", "0": "cat"}'])
def test_labels_are_read_from_lines_and_from_json(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels").write_text(content, "utf-8")
    assert Preprocessing.of(labels=tmp_path / "labels").labels == (("cat",), ("dog",))


@pytest.mark.parametrize("content", [b"", b"cat\n\ndog", b"[1, null]", b'["cat"', b'{"a": "cat"}', b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_list_of_labels_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(InputError, match="the labels in 'labels'"):
        Preprocessing.of(labels=tmp_path / "labels")


def test_what_is_said_goes_before_what_was_said() -> None:
    before = Preprocessing(mean=(1.0,), std=(2.0,), range=(0.0, 255.0), size=(8, 8), scores="a")
    assert Preprocessing(size=(9, 9)).over(before) == Preprocessing((1.0,), (2.0,), (0.0, 255.0), (9, 9), None, "a")
    assert Preprocessing(mean=(0.0,), std=(1.0,)).over(before) == Preprocessing((0.0,), (1.0,), None, (8, 8), None, "a")


# ── what is plausible ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mean", "std", "ends", "wrong"),
    [
        (127 / 255, 128 / 255, (0, 1), ""),
        (127.0, 128.0, (0, 255), ""),
        (0.485, 0.229, (0, 1), ""),  # another network's
        (0.0, 1.0, (0, 1), ""),
        (0.0, 1.0, (0, 255), "times as far out"),
        (0.485, 0.229, (0, 255), "times as far out"),
        (127.0, 128.0, (0, 1), "of the spread"),
        (127.0, 0.229, (0, 1), "times as far out"),
    ],
)
def test_a_wrong_range_is_found_by_what_the_first_norm_has_learnt(
    lite0: Network, mean: float, std: float, ends: tuple[int, int], wrong: str
) -> None:
    state = {name: each.clone() for name, each in lite0.module.state_dict().items()}
    said = doubts(wrap_module(lite0.module, Preprocessing.of([mean] * 3, [std] * 3, ends, lite0.size)))
    assert bool(said) == bool(wrong) and wrong in said
    assert not said or re.search(r"check mean, std and range", said)
    assert all(torch.equal(each, state[name]) for name, each in lite0.module.state_dict().items())
    assert not lite0.module.training and not any(part._forward_pre_hooks for part in lite0.module.modules())


@pytest.mark.parametrize(
    ("mean", "std", "ends", "wrong"),
    [(0.5, 0.25, (0, 1), False), (0, 1, (0, 1), False), (103.9, 1, (0, 255), False), (127, 128, (0, 1), True), (0.5, 0.25, (0, 255), True)],
)
def test_without_a_norm_that_has_learnt_the_values_are_judged(mean: float, std: float, ends: tuple[int, int], wrong: bool) -> None:
    for parts in ([nn.Conv2d(1, 2, 3)], [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)], [nn.BatchNorm2d(1)]):
        module = nn.Sequential(*parts)
        state = torch.random.get_rng_state()
        assert bool(doubts(wrap_module(nn.Sequential(nn.Dropout(), module), Preprocessing.of([mean], [std], ends, 16)))) == wrong
        assert torch.equal(torch.random.get_rng_state(), state)  # it ran in evaluation mode
        assert module.training


def test_a_module_that_has_no_shapes_yet_is_left_without() -> None:
    module = nn.Sequential(nn.LazyConv2d(2, 3), nn.BatchNorm2d(2))
    net = wrap_module(nn.Conv2d(3, 2, 3), Preprocessing.of([0.5] * 3, [0.25] * 3, size=16))
    net.module = module
    assert not doubts(net)
    assert nn.parameter.is_lazy(cast(nn.LazyConv2d, module[0]).weight)


def test_a_network_that_cannot_take_its_pictures_is_no_matter_of_this_check() -> None:
    def fails(_module: nn.Module, _x: torch.Tensor) -> torch.Tensor:
        raise AttributeError("nothing")

    assert not doubts(wrap_module(Flow(fails, conv=nn.Conv2d(3, 4, 3)), Preprocessing.of([0.5] * 3, [0.25] * 3, size=16)))


def test_python_warns_of_what_is_doubtful() -> None:
    with pytest.warns(UserWarning, match="the normalisation of Conv2d looks wrong: .* mean -0.99 and spread 0.0018"):
        reverie.wrap(nn.Conv2d(3, 4, 3), mean=[127] * 3, std=[128] * 3, size=16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reverie.wrap(nn.Conv2d(3, 4, 3), mean=[127] * 3, std=[128] * 3, range=(0, 255), size=16)


def test_the_commands_say_what_is_doubtful(own: Path, run: Run) -> None:
    done = run("layers", "--network", "net.safetensors", *FLAGS, "--range", "0,255")
    assert done.code == 0 and "reverie: the normalisation of Sequential looks wrong" in done.err

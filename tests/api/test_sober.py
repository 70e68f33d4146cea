"""Sober dreams: where nothing is known the start stays as it is, and the recipe holds by what that was told."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from bench import photographs
from tests.helpers.commands import Run
from tests.helpers.tiny import Hand, wrapped
from torch import Tensor

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import MadePicture, as_tensor, resize, rounded
from reverie.recipe import read
from reverie.store import cache_folder

BRIEF: dict[str, Any] = {"level": "parts", "octaves": 2, "steps": 4}


def clear(height: int, width: int) -> Tensor:
    """(3, H, W): a clear sky, lighter below."""
    down = torch.linspace(0, 1, height)[:, None].expand(height, width)
    return rounded(torch.stack([0.3 + 0.3 * down, 0.5 + 0.2 * down, 0.8 + 0.1 * down]))


@pytest.fixture(scope="module")
def beside() -> Tensor:
    """(3, 192, 704): a cat, and to the right of it a clear sky."""
    return torch.cat([rounded(resize(as_tensor(photographs.photograph("chelsea"), 3), 192, 288)), clear(192, 416)], 2)


def test_a_sky_beside_a_cat_stays_a_sky_and_the_cat_is_dreamt_on(lite0: Network, beside: Tensor) -> None:
    sober = reverie.dream(beside, network=lite0, sober=True, **BRIEF)
    drunk = reverie.dream(beside, network=lite0, **BRIEF)
    changed = [(each.pixels - beside).abs().mean(0) for each in (sober, drunk)]
    assert torch.equal(sober.pixels[:, :, 480:], beside[:, :, 480:])
    assert changed[0][:, :200].mean() > 0.01
    assert changed[1][:, 480:].mean() > 0.01
    assert any("knows what it sees in" in each for each in sober.notes)
    assert any("dream is left" in each for each in sober.notes)


@pytest.mark.parametrize("start", ["sky", "noise:pink"])
def test_where_nothing_is_known_nothing_is_dreamt(lite0: Network, start: str) -> None:
    given: Any = clear(192, 256) if start == "sky" else start
    choices: dict[str, Any] = {} if start == "sky" else {"size": (192, 256)}
    choices.update(BRIEF)
    found = reverie.dream(given, network=lite0, sober=True, **choices)
    still: dict[str, Any] = {**choices, "octaves": 1, "steps": 1, "strength": 1e-6}
    steps = reverie.dream(given, network=lite0, **still)
    assert (found.pixels - steps.pixels).abs().max() < 0.01  # the start
    assert f"{lite0.name} knows nothing in this picture: it stays as it is" in found.notes


def test_a_mask_keeps_its_say(lite0: Network, beside: Tensor) -> None:
    mask = torch.zeros(192, 704)
    mask[:, :100] = 1
    found = reverie.dream(beside, network=lite0, sober=True, mask=mask, **BRIEF)
    changed = (found.pixels - beside).abs().amax(0)
    assert changed[:, 100:].max() == 0
    assert changed[:, :100].max() > 0.05


def test_redo_gives_the_same_bytes_whatever_is_learnt_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    network = wrapped(Hand(), labels=["edges", "warm", "cold"])
    start = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    with pytest.raises(UsageError, match=r"sober.*cannot tell what it knows"):
        reverie.dream(start, "edge", network=network, sober=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.calibrate([torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(each)) for each in range(1, 20)])
    made = reverie.dream(start, "edge", network=network, sober=True, octaves=1, steps=3)
    made.save(tmp_path / "made.png")
    recipe = made.recipe
    assert recipe is not None and recipe.learnt is not None
    assert recipe.learnt.pictures == 19
    shutil.rmtree(cache_folder() / "calibrations")
    found = reverie.redo(tmp_path / "made.png", network=network)
    assert torch.equal(found.pixels, made.pixels)
    assert found.recipe == recipe


def test_redo_without_it_and_with_it_again(lite0: Network, beside: Tensor, tmp_path: Path) -> None:
    sober = reverie.dream(beside, network=lite0, sober=True, **BRIEF)
    sober.save(tmp_path / "sober.png")
    drunk = reverie.again(tmp_path / "sober.png", sober=False)
    assert drunk.recipe is not None and sober.recipe is not None
    assert drunk.recipe.learnt is None
    assert isinstance(drunk, MadePicture)
    drunk.save(tmp_path / "drunk.png")
    back = reverie.again(tmp_path / "drunk.png", sober=True)
    assert isinstance(back, MadePicture)
    assert torch.equal(back.pixels, sober.pixels)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda data: data.pop("learnt"), "sober are dreams alone"),
        (lambda data: data["finish"].pop("sober"), "sober are dreams alone"),
        (lambda data: data["learnt"].update(method="GEN"), "sober are dreams alone"),
        (lambda data: data["learnt"].update(spreads=[1.0, 0.0]), "learnt.spreads"),
        (lambda data: data.update(command="feature"), "sober are dreams alone"),
    ],
)
def test_recipes_that_contradict_themselves_are_refused(lite0: Network, edit: Any, fault: str) -> None:
    made = reverie.dream(clear(96, 96), network=lite0, sober=True, **{**BRIEF, "octaves": 1, "steps": 1})
    assert made.recipe is not None
    data = json.loads(made.recipe.text())
    edit(data)
    with pytest.raises(InputError, match=fault):
        read(json.dumps(data))


def test_the_command_says_what_it_knows(run: Run, place: Path) -> None:
    reverie.dream(clear(96, 128), octaves=1, steps=1).save(place / "clear.png")
    answer = run("dream", "clear.png", "--sober", "-o", "sober.png", "--octaves", "1", "--steps", "2")
    assert answer.code == 0
    assert "knows nothing in this picture" in answer.err
    assert run("feature", "blocks.2.1:3", "--sober").code == 2

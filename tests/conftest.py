"""Shared by all tests: a cache of their own, and the default network, opened once. For those of the commands: a place to run them in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is there: threads that wait in a busy loop slow each other down
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # several processes share the cores

import numpy as np
from PIL import Image
from tests.helpers.commands import Answer, Run, runner, saved
from tests.helpers.looking import LABELS, lightly
from tests.helpers.tiny import Hand, wrapped

import reverie.api.opening
import reverie.networks.prepared.device
from reverie.networks import Network, open_network


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is written into the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERIE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def opened() -> Callable[[str], Network]:
    """Opens a built-in network, each only once."""
    return cache(lambda name: open_network(name))


@pytest.fixture(scope="session")
def lite0(opened: Callable[[str], Network]) -> Network:
    return opened("efficientnet-lite0")


@pytest.fixture(scope="module")
def hand() -> Network:
    """The smallest network; nobody changes it."""
    return wrapped(Hand(), labels=LABELS)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second opinions, which have tests of their own."""
    monkeypatch.setattr("reverie.render.second_opinions.installed", list)


@pytest.fixture
def briefly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeing takes few steps, and has a cache of its own."""
    lightly(monkeypatch)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lite0: Network) -> Path:
    """A working folder and a cache of its own; the default network is open already."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))

    monkeypatch.setattr(reverie.api.opening, "open_network", lambda name: lite0 if name == lite0.name else open_network(name))
    monkeypatch.setattr(reverie.networks.prepared.device, "available", lambda: ["cpu"])  # it is shared, and stays where it is
    return work


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def sky(place: Path) -> Path:
    return saved(place / "sky.png")


@pytest.fixture
def small_sky(place: Path) -> Path:
    return saved(place / "sky.png", 48, 64)


@pytest.fixture
def dream(run: Run, small_sky: Path) -> Callable[..., Answer]:
    """A short dream of the small sky, as a.png, with these flags."""
    flags = ("-t", "blocks.2.1", "--octaves", "1", "--steps", "2", "-o", "a.png", "--force")
    return lambda *given: run("dream", small_sky.name, *flags, *given)


@pytest.fixture
def leaf(place: Path) -> Path:
    """A picture unlike the sky: stripes."""
    stripes = np.indices((48, 48)).sum(0) // 4 % 2 * 200 + 20
    Image.fromarray(np.stack([stripes // 3, stripes, stripes // 2], -1).astype(np.uint8)).save(place / "leaf.png")
    return place / "leaf.png"

"""Shared by all tests: a cache of their own, and the default network, opened once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is there: threads that wait in a busy loop slow each other down

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
    return cache(lambda name: open_network(name, device="cpu"))


@pytest.fixture(scope="session")
def lite0(opened: Callable[[str], Network]) -> Network:
    return opened("efficientnet-lite0")

"""Shared by the tests of the commands: a small picture, and a small network in the place of the built-in ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import saved

import reverie.api.opening
from reverie.networks import Network


@pytest.fixture
def hand(hand: Network, monkeypatch: pytest.MonkeyPatch) -> Network:
    """In the place of the built-in ones."""
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: hand)
    return hand


@pytest.fixture
def small(place: Path) -> Path:
    return saved(place / "small.png", 20, 24)

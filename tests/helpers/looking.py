"""What the tests of seeing share: a picture, few steps, and nothing in the way that has tests of its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.commands import photo
from tests.helpers.tiny import SIDE
from torch import Tensor

LABELS = ["edges", "warm", "cold"]
FEW: dict[str, Any] = {"channels": 1, "steps": 3}
BARE: dict[str, Any] = {"channels": 0, "steps": 2}


def shown(height: int = SIDE, width: int = SIDE) -> Tensor:
    """A picture, (3, H, W)."""
    return torch.from_numpy(photo(height, width)).permute(2, 0, 1).float() / 255


def lightly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second opinions, small feature pictures, short dreams."""
    monkeypatch.setattr("reverie.render.second_opinions.installed", list)
    monkeypatch.setattr("reverie.insight.channel_features.FEATURE_SIDES", (24, 32))
    monkeypatch.setattr("reverie.insight.measures.DREAM", {"octaves": 2, "steps": 2, "strength": 0.016})

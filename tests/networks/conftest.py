"""Shared by the tests of networks: weights as trainings leave them, and a zoo whose weights the test serves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.helpers.trainings import State, deep
from tests.helpers.zoo import COMMIT, declared
from torch import nn

from reverie.errors import InputError
from reverie.networks.sources import download, hub_files


@pytest.fixture
def state() -> State:
    return dict(deep(1).state_dict())


@pytest.fixture
def asked() -> list[str]:
    """What was fetched."""
    return []


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> Callable[..., Path]:
    """`served(module)` makes every file of weights that is fetched one with this module's; beside it may be a config.json."""
    declared()

    def serve(module: nn.Module | dict[str, torch.Tensor], config: Any = None) -> Path:
        state = module if isinstance(module, dict) else module.state_dict()
        safe, pickled, facts = tmp_path / "served.safetensors", tmp_path / "served.pth", tmp_path / "config.json"
        save_file({name: each.contiguous().clone() for name, each in state.items()}, safe)
        torch.save(state, pickled)
        facts.write_text(config if isinstance(config, str) else json.dumps(config))

        def by_address(url: str, folder: Path, *, digest: str, offline: bool = False, progress: Any = None) -> Path:
            asked.append(f"{url} {digest} {folder.name}")
            if offline:
                raise InputError("it is not in the cache, and --offline is on", "leave --offline away")
            if progress is not None:
                progress(1, 2)
            return pickled

        def of_hub(repository: str, file: str, revision: str | None, *, offline: bool = False, progress: Any = None) -> Any:
            asked.append(f"{repository} {file} {revision}")
            if offline:
                raise InputError("it is not in the cache, and --offline is on", "leave --offline away")
            if progress is not None:
                progress(1, 2)
            return SimpleNamespace(path=facts if file == "config.json" else safe, commit=COMMIT)

        monkeypatch.setattr(download, "fetched", by_address)
        monkeypatch.setattr(hub_files, "fetched", of_hub)
        return safe

    return serve

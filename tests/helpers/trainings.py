"""What the tests of weights as trainings leave them share: a network of parts within parts, and its state under other names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from reverie.networks.checkpoints import loading

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


def before(start: str, state: State) -> State:
    return {f"{start}{name}": each for name, each in state.items()}


def other(state: State) -> State:
    return {name: each + 1 if each.is_floating_point() else each for name, each in state.items()}


def filled(place: Path, state: State, **options: Any) -> loading.Loaded:
    """Fill a network from the file; its tensors are then those of the state."""
    net = deep(2)
    loading.check(place)
    loaded = loading.load_weights(place, net, **options)
    assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())
    return loaded


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

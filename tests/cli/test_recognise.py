"""What `reverie recognise` says of whether what is seen is there, as people and programs read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from tests.helpers.commands import Run

from reverie import api

pytestmark = pytest.mark.usefixtures("place")

TOY = """
from torch import nn

class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, x):
        return self.head(x.mean((2, 3)))

def network():
    return Toy()
"""


def test_recognise_says_where_nothing_known_is_there(run: Run, place: Path) -> None:
    print("seed 1")
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)).save(place / "noise.png")
    Image.fromarray(data.chelsea()).save(place / "cat.png")
    noise, cat = run("recognise", "noise.png", "cat.png", "--json").data
    assert set(noise) == set(cat) == {"picture", "labels", "known"}
    assert set(noise["known"]) == set(cat["known"]) == {"is_known", "score", "threshold", "method"}
    assert noise["known"]["is_known"] is False and noise["known"]["score"] < noise["known"]["threshold"] == cat["known"]["threshold"]
    assert cat["known"]["is_known"] is True and cat["known"]["score"] > cat["known"]["threshold"]
    first = noise["labels"][0]
    lines = run("recognise", "noise.png", "cat.png").out.splitlines()
    assert lines[1] == f"  nothing I know: it is most like {first['label']} ({100 * first['probability']:.0f} %)"
    assert lines[7] == "cat.png" and "Egyptian cat" in lines[8]


def test_recognise_by_a_network_that_is_not_calibrated_leaves_known_open(run: Run, sky: Path, place: Path) -> None:
    (place / "toy.py").write_text(TOY)
    torch.save({"head.weight": torch.eye(3), "head.bias": torch.zeros(3)}, "toy.pt")
    own = ("--network", "toy.pt", "--definition", "toy:network", "--mean", "0,0,0", "--std", "1,1,1", "--native", "32")
    assert run("recognise", sky, "--json", *own).data[0]["known"] is None
    net = api.load("toy.pt", definition="toy:network")
    with pytest.warns(UserWarning, match="5 of 6"):
        net.calibrate(torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert run("recognise", sky, "--json", "--network", "toy.pt", "--definition", "toy:network").data[0]["known"]["method"] == "GEN"

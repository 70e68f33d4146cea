"""Features from noise, in Python: which pictures come for which targets, dead units, and opacity."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.helpers.commands import pixels
from tests.helpers.imagined import TINY, assert_again, targets
from tests.helpers.known import recipe_of, several
from tests.helpers.tiny import Hand, wrapped

import reverie
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.pictures import Picture

pytestmark = pytest.mark.usefixtures("place", "alone")


def test_ranges_and_several_targets_are_expanded_in_order() -> None:
    pictures = reverie.feature(["blocks.2.0:1@centre", "blocks.4.1:0-2", "blocks.4.1:1"], **{**TINY, "steps": 1})
    assert targets(pictures) == ["blocks.2.0:1@centre", "blocks.4.1:0", "blocks.4.1:1", "blocks.4.1:2", "blocks.4.1:1"]
    assert isinstance(reverie.feature("blocks.2.0:3-3", **{**TINY, "steps": 1}), list)
    assert isinstance(reverie.feature("blocks.2.0:3", **{**TINY, "steps": 1}), Picture)
    assert recipe_of(reverie.feature("class:banana", **{**TINY, "steps": 1})).opinions == ()


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("conv_stem:30-40", "no channel 32 in 'conv_stem'; it has 32"), ("blocks.4.1:5-2", "the range '5-2'"), ("", "an empty target"),
        ("blocks.4.1:0-3 - blocks.4.0:0-3", "several ranges"), ("block4.1", "no layer 'block4.1'"), ("blocks.4.1:1@99,0", "no place 99,0"),
        ("blocks.4.1:1@13,13", "no place 13,13 in 'blocks.4.1' on a picture of 32×32"), (["blocks.4.1", "class:crane"], "several classes"),
    ],
)  # fmt: skip
def test_targets_that_are_not_there(target: Any, fault: str, lite0: Network) -> None:
    with pytest.raises(UsageError, match=fault):
        reverie.feature(target, network=lite0, **TINY)


def test_a_unit_that_never_fires_says_so() -> None:
    module = Hand()
    with torch.no_grad():
        module.edge.weight[0] = 0
    dead, alive = several(reverie.feature("edge:0-1", network=wrapped(module), octaves=1, steps=2))
    assert alive.alive and not dead.alive
    assert dead.notes[-1] == "'edge:0' never fired, whatever was shown to it"
    assert not any("never fired" in note for note in alive.notes)


def test_opacity_is_written_as_alpha() -> None:
    made = reverie.feature("blocks.2.1:3@centre", opacity=True, size=64, octaves=1, steps=4)
    alpha = pixels(made.save("a.png"))[..., 3]
    assert alpha.shape == (64, 64) and alpha.min() < 30 and alpha.max() > 220
    assert alpha[24:40, 24:40].mean() > alpha[:8].mean() + 50  # where the neuron looks
    assert_again(made)
    assert reverie.feature("blocks.2.1:3@centre", **TINY).alpha is None

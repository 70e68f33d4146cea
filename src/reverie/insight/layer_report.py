"""What one layer made of a picture, as data for people's own programs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from reverie.networks import Layer
from reverie.pictures import Picture


@dataclass(frozen=True)
class Opinion:
    """What a network that had no part in rebuilding a picture says of it.

    Attributes:
        network: its name.
        label: the label it gives the rebuilt picture. probability: of that label, 0..1.
        same: whether it is the label it gives the picture itself.
    """

    network: str
    label: str
    probability: float
    same: bool


@dataclass(frozen=True)
class Fidelity:
    """How much of the picture a rebuilt one keeps.

    Attributes:
        relative_error: ‖Φ(rebuilt) − Φ(picture)‖² / ‖Φ(picture)‖² of the layer's activations Φ; 0 is all.
        similarity: SSIM of the rebuilt picture and the picture, −1..1.
        opinions: what networks that had no part in it say of the rebuilt one.
        at_a_glance: the same similarity of the two brought down to 24 pixels on their shorter side, as an eye compares them.
    """

    relative_error: float
    similarity: float
    opinions: tuple[Opinion, ...] = ()
    at_a_glance: float = math.nan

    def as_data(self) -> dict[str, Any]:
        opinions = [vars(each) for each in self.opinions]
        return {"relative_error": self.relative_error, "similarity": self.similarity, "opinions": opinions}


@dataclass(frozen=True, repr=False)
class Noticed:
    """A channel that stood above its usual.

    Attributes:
        channel: its number in the layer.
        score: mean of `heat` over its most excited tenth of places.
        heat: (h, w), by how many of its usual spreads each place stands above the channel's usual mean.
        feature: what excites the channel most, from noise; None where none was asked for, or it never fired.
    """

    channel: int
    score: float
    heat: Tensor
    feature: Picture | None = None

    def __repr__(self) -> str:
        return f"Noticed(channel {self.channel}, score {self.score:.1f})"


@dataclass(frozen=True, repr=False)
class Counted:
    """What of a layer spoke for the label and what for the runner-up.

    Attributes:
        places: (h, w), positive where a place spoke for the label, negative where it spoke for the runner-up.
        channels_for, channels_against: channel and how much it spoke, the strongest first.
        total: how the difference of the two scores changed from the baseline to the picture, which the places share out among them.
    """

    places: Tensor
    channels_for: tuple[tuple[int, float], ...]
    channels_against: tuple[tuple[int, float], ...]
    total: float

    def __repr__(self) -> str:
        return f"Counted(total {self.total:+.2f})"


@dataclass(frozen=True, repr=False, eq=False)
class Rung:
    """What one layer made of the picture; a part that could not be made is None or empty.

    Attributes:
        layer: its facts, at the network's native size.
        activations: (C, h, w), of the picture at the size at which it was looked at.
        rebuilt: the picture as rebuilt from these activations alone, with its recipe. fidelity: what it keeps.
        noticed: the channels furthest above their usual, the furthest first.
        enhanced: the picture with what the layer detects in it enhanced, with its recipe.
        counted: how much each place and channel spoke for the label, and against the runner-up.
    """

    layer: Layer
    activations: Tensor
    rebuilt: Picture
    fidelity: Fidelity
    noticed: tuple[Noticed, ...] = ()
    enhanced: Picture | None = None
    counted: Counted | None = None

    @property
    def name(self) -> str:
        return self.layer.name

    def __repr__(self) -> str:
        channels, height, width = self.activations.shape
        return f"Rung({self.name!r}, {channels} channels of {height}×{width}, similarity {self.fidelity.similarity:.2f})"

"""What was seen, as data for people's own programs; it shows itself as a page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from reverie.errors import unknown
from reverie.networks import Label, Layer
from reverie.pages import Counted, Opinion
from reverie.pictures import Picture


@dataclass(frozen=True)
class Fidelity:
    """How much of the picture a rebuilt one keeps.

    Attributes:
        relative_error: ‖Φ(rebuilt) − Φ(picture)‖² / ‖Φ(picture)‖² of the layer's activations Φ; 0 is all.
        similarity: SSIM of the rebuilt picture and the picture, −1..1.
        opinions: what networks that had no part in it say of the rebuilt one.
    """

    relative_error: float
    similarity: float
    opinions: tuple[Opinion, ...] = ()

    def as_data(self) -> dict[str, Any]:
        opinions = [vars(each) for each in self.opinions]
        return {"relative_error": self.relative_error, "similarity": self.similarity, "opinions": opinions}


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
    noticed: tuple[Noticed, ...]
    enhanced: Picture | None
    counted: Counted | None

    @property
    def name(self) -> str:
        return self.layer.name


@dataclass(frozen=True)
class Sight:
    """What every layer of a network made of one picture. In a notebook it shows itself as its page.

    Attributes:
        name: of the picture.
        picture: as it was handed in. seen: (height, width) in pixels at which it was looked at.
        network: its name.
        labels: what the network says of the picture, the likeliest first; empty where it has no labels.
        why, against: the label that is explained, and the one it is held against; None where there is none.
        usual: the set of pictures on which "usual" was measured, in words.
        layers: what each of them made of it, lowest first. expected: how many they are when all is done.
        notes: what the user should know.
        seconds: it took so far.
        shown: channels that are looked at as red, green and blue; none of them for what is usual.
    """

    name: str
    picture: Picture
    seen: tuple[int, int]
    network: str
    labels: tuple[Label, ...]
    why: str | None
    against: str | None
    usual: str
    layers: tuple[Rung, ...] = ()
    expected: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    shown: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> Rung:
        """What the layer of this name made of it; UsageError where it was not looked at."""
        for each in self.layers:
            if each.name == name:
                return each
        raise unknown("layer", name, (each.name for each in self.layers), "it was not among those looked at")

    def page(self) -> str:
        """One self-contained HTML page."""
        from reverie.insight.page import written

        return written(self)

    def as_data(self, paths: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The figures, for JSON; with `paths`, by the names that `page.pictures` gives, where the pictures lie."""
        from reverie.insight.page import figures

        return figures(self, paths or {})

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page())}" title="What the network saw" style="width:100%;height:80vh;border:0"></iframe>'

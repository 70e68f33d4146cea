"""What the pages show, as data: whoever has looked fills it in, and the page shows nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Opinion:
    """What a network that had no part in rebuilding a picture says of it.

    Attributes:
        network: its name.
        label: the label it gives the rebuilt picture.
        probability: of that label, 0..1.
        same: whether it is the label it gives the photograph itself.
    """

    network: str
    label: str
    probability: float
    same: bool


@dataclass(frozen=True)
class Noticed:
    """A channel that stood above its usual on the seen picture.

    Attributes:
        channel: its number in the layer.
        score: the mean of `heat` over its most excited tenth of places.
        heat: (h, w), how many of the channel's usual spreads each place stands above its usual mean; may be negative.
        feature: (3, s, s) in 0..1, what excites the channel most; None where it never fired.
    """

    channel: int
    score: float
    heat: Tensor
    feature: Tensor | None


@dataclass(frozen=True)
class Counted:
    """What of a layer spoke for the label and what for the runner-up.

    Attributes:
        places: (h, w), positive where a place spoke for the label, negative where it spoke for the runner-up.
        channels_for, channels_against: channel and how much it spoke, the strongest first.
        total: how the difference of the two scores changed from an even grey to the picture, which the places share out among them.
    """

    places: Tensor
    channels_for: tuple[tuple[int, float], ...]
    channels_against: tuple[tuple[int, float], ...]
    total: float


@dataclass(frozen=True)
class Rung:
    """What one layer made of the picture. A part that was not made is None or empty.

    Attributes:
        name: dotted name of the layer.
        level: its plain-language level, if it stands for one.
        kind: of the layer, e.g. "block".
        channels: how many.
        height, width: its grid on the seen picture.
        stride, receptive_field: in pixels of the seen picture; a field of None is all of it.
        rebuilt: (3, H, W) in 0..1, the picture as rebuilt from this layer alone.
        relative_error: between the layer's values for the rebuilt picture and for the photograph, 0 the same.
        similarity: SSIM of the rebuilt picture and the photograph, −1..1.
        opinions: of other networks on the rebuilt picture.
        noticed: the channels furthest above their usual, at most four are shown.
        enhanced: (3, H, W) in 0..1, the photograph after the layer added to it.
        counted: what spoke for the label.
    """

    name: str
    level: str | None
    kind: str
    channels: int
    height: int
    width: int
    stride: int
    receptive_field: int | None
    rebuilt: Tensor | None = None
    relative_error: float | None = None
    similarity: float | None = None
    opinions: tuple[Opinion, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    enhanced: Tensor | None = None
    counted: Counted | None = None


@dataclass(frozen=True)
class Sight:
    """What every layer of a network made of one picture.

    Attributes:
        name: file name of the picture, a stranger's text.
        picture: (3, H, W) in 0..1.
        seen: (height, width) in pixels at which the network looked at all of it.
        network: its name.
        labels: and their probabilities, the likeliest first; empty where the network has none.
        why: the label explained. against: the runner-up.
        usual: name of the set of pictures on which "usual" was measured.
        notes: what the reader should know.
        rungs: the layers, lowest first.
        expected: how many there are when the page is finished.
        made: what made it, e.g. "Reverie 0.1.0".
    """

    name: str
    picture: Tensor
    seen: tuple[int, int]
    network: str
    labels: tuple[tuple[str, float], ...]
    why: str | None
    against: str | None
    usual: str
    notes: tuple[str, ...]
    rungs: tuple[Rung, ...]
    expected: int
    made: str

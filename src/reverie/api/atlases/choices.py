"""The choices of `atlas`, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reverie.api.choices import (
    CanvasChoices,
    ClassLike,
    Climbed,
    KeepChoices,
    NaturalChoices,
    RedoChoices,
    SeedChoices,
    SizeChoices,
    StyleChoices,
    _Growing,
)


class AtlasChoices(_Growing, NaturalChoices, StyleChoices, SeedChoices, SizeChoices, CanvasChoices, KeepChoices, RedoChoices, total=False):
    """Of `atlas`."""

    layers: str | Sequence[str] | None
    units: Climbed | Sequence[Climbed] | None
    sample: int | None
    classes: ClassLike | Sequence[ClassLike] | None
    dataset: str | Path | None
    facets: int | None
    maps: bool | None

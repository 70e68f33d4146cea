"""Reverie shows people what a neural network sees.

    import reverie
    reverie.dream("sky.jpg", level="objects").save("dream.png")

No torch is imported before the first name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie import errors
from reverie.first_use import at_first_use
from reverie.version import __version__

if TYPE_CHECKING:
    from reverie.api import (
        Atlas,
        Grid,
        again,
        ask,
        atlas,
        climb,
        dream,
        feature,
        features,
        film,
        grid,
        imagine,
        journey,
        load,
        redo,
        see,
        sheet,
        wrap,
    )
    from reverie.ascent import Progress
    from reverie.insight import Rung, Sight
    from reverie.judging.answers import Asked
    from reverie.motion.made_film import Footage
    from reverie.networks import Calibration, Known, Label, Layer, Network, Recognised
    from reverie.pictures import Picture, Pictures
    from reverie.recipe import Recipe

__all__ = [
    "Asked", "Atlas", "Calibration", "Footage", "Grid", "Known", "Label", "Layer", "Network", "Picture", "Pictures", "Progress",
    "Recipe", "Recognised", "Rung", "Sight", "__version__", "again", "ask", "atlas", "climb", "dream", "errors", "feature",
    "features", "film", "grid", "imagine", "journey", "load", "redo", "see", "sheet", "wrap",
]  # fmt: skip

_HOMES = {
    "api": (
        "Atlas", "Grid", "again", "ask", "atlas", "climb", "dream", "feature", "features", "film", "grid", "imagine", "journey",
        "load", "redo", "see", "sheet", "wrap",
    ),
    "ascent": ("Progress",),
    "insight": ("Rung", "Sight"),
    "judging.answers": ("Asked",),
    "motion.made_film": ("Footage",),
    "networks": ("Calibration", "Known", "Label", "Layer", "Network", "Recognised"),
    "pictures": ("Picture", "Pictures"),
    "recipe": ("Recipe",),
}  # fmt: skip


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

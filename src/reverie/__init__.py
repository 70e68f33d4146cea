"""Reverie shows people what a neural network sees.

    import reverie
    reverie.dream("sky.jpg", level="objects").save("dream.png")

No torch is imported before the first name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverie.version import __version__

if TYPE_CHECKING:
    from reverie import errors
    from reverie.api import again, climb, dream, feature, features, film, imagine, journey, load, redo, see, sheet, wrap
    from reverie.ascent import Progress
    from reverie.insight import Rung, Sight
    from reverie.motion.made_film import Footage
    from reverie.networks import Label, Layer, Network
    from reverie.pictures import Picture, Pictures
    from reverie.recipe import Recipe

__all__ = [
    "Footage", "Label", "Layer", "Network", "Picture", "Pictures", "Progress", "Recipe", "Rung", "Sight", "__version__", "again", "climb",
    "dream", "errors", "feature", "features", "film", "imagine", "journey", "load", "redo", "see", "sheet", "wrap",
]  # fmt: skip

_HOMES = {
    "Picture": "reverie.pictures", "Pictures": "reverie.pictures", "Network": "reverie.networks", "Label": "reverie.networks",
    "Layer": "reverie.networks", "Rung": "reverie.insight", "Sight": "reverie.insight", "Footage": "reverie.motion.made_film",
    "Progress": "reverie.ascent", "Recipe": "reverie.recipe",
}  # fmt: skip


if not TYPE_CHECKING:  # else any name would do

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'reverie' has no attribute {name!r}")
        from importlib import import_module

        if name == "errors":
            return import_module("reverie.errors")
        return getattr(import_module(_HOMES.get(name, "reverie.api")), name)


def __dir__() -> list[str]:
    return __all__

"""Networks: what is known of them, their weights, and how they are prepared, watched and asked.

Its names are imported at their first use, so that what is known of networks can be read without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.networks.attribution import Attribution
    from reverie.networks.builtin.class_lookup import Label
    from reverie.networks.inspection.anatomy import Layer
    from reverie.networks.network import Network
    from reverie.networks.opening import installed, open_network, wrap_module
    from reverie.networks.prepared.prepared import Prepared
    from reverie.networks.preprocessing import Preprocessing
    from reverie.networks.rejector import Calibration, Known, Recognised

__all__ = [
    "Attribution", "Calibration", "Known", "Label", "Layer", "Network", "Prepared", "Preprocessing", "Recognised", "installed",
    "open_network", "wrap_module",
]  # fmt: skip

_HOMES = {
    "networks.attribution": ("Attribution",),
    "networks.builtin.class_lookup": ("Label",),
    "networks.inspection.anatomy": ("Layer",),
    "networks.network": ("Network",),
    "networks.opening": ("installed", "open_network", "wrap_module"),
    "networks.prepared.prepared": ("Prepared",),
    "networks.preprocessing": ("Preprocessing",),
    "networks.rejector": ("Calibration", "Known", "Recognised"),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

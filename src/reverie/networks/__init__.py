"""Networks: what is known of them, their weights, and how they are prepared, watched and asked.

Its names are imported at their first use, so that what is known of networks can be read without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reverie.networks.attribution import Attribution
    from reverie.networks.builtin.class_lookup import Label
    from reverie.networks.inspection.anatomy import Layer
    from reverie.networks.network import Network
    from reverie.networks.opening import installed, open_network, wrap_module
    from reverie.networks.prepared.prepared import Prepared
    from reverie.networks.preprocessing import Preprocessing

__all__ = ["Attribution", "Label", "Layer", "Network", "Prepared", "Preprocessing", "installed", "open_network", "wrap_module"]

_HOMES = {
    "Attribution": "attribution", "Layer": "inspection.anatomy", "Label": "builtin.class_lookup", "Network": "network",
    "installed": "opening", "open_network": "opening", "wrap_module": "opening", "Prepared": "prepared.prepared",
    "Preprocessing": "preprocessing",
}  # fmt: skip


if not TYPE_CHECKING:  # else any name would do

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'reverie.networks' has no attribute {name!r}")
        return getattr(import_module(f"reverie.networks.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

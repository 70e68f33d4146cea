"""Networks that stay open from job to job."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from reverie.api import load
from reverie.networks import Network, installed
from reverie.recipe import DEFAULT_NETWORK

MOST = 4


class OpenNetworks:
    """The networks that were used last, each by its name, device and precision; at most four are kept."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, Any, Any], Network] = OrderedDict()

    def get(self, name: str | None = None, device: str | None = None, precision: str | None = None) -> Network:
        """The network of this name, or the usual one. Raises as `load`."""
        key = (name or DEFAULT_NETWORK, device, precision)
        found = self._open.get(key)
        if found is None:
            found = load(key[0], offline=True, device=device, precision=precision)  # type: ignore[arg-type]
            self._open[key] = found
        self._open.move_to_end(key)
        while len(self._open) > MOST:
            self._open.popitem(last=False)
        return found

    def of(self, names: Sequence[str], choices: Mapping[str, Any]) -> list[Network]:
        """The networks of a wish; without names the usual one."""
        return [self.get(name, choices.get("device"), choices.get("precision")) for name in names or [None]]  # type: ignore[list-item]

    def all_installed(self, choices: Mapping[str, Any]) -> list[Network]:
        """Every built-in network that is here."""
        return self.of(installed(), choices)

"""What is made in other processes, and on other machines: networks opened there by name, pictures by their recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reverie.api.opening import load
from reverie.errors import InputError, UsageError, choice
from reverie.networks import Network


@dataclass(frozen=True)
class NamedNetwork:
    """A network as it can be opened wherever it is installed, or its file can be read.

    Attributes:
        name: as `load` takes it. said: what else `load` is told, of one's own.
    """

    name: str
    said: Mapping[str, Any] = field(default_factory=dict)

    def opened(self, device: str, precision: str, sha256: str) -> Network:
        """It, open here.

        Raises:
            InputError: its weights are others here. As `load`.
        """
        found = load(self.name, device=device, precision=precision, **self.said)  # type: ignore[arg-type]
        if found.sha256 != sha256:
            raise InputError(f"'{self.name}' has other weights where the work is done", "bring the same file there")
        return found


def not_by_name(network: Network) -> UsageError:
    """That a network cannot be opened in other processes."""
    fault = f"'{network.name}' is open here, and workers on Ray open networks by name"
    return UsageError(fault, f"give the name of one, or leave out {choice('on')}")

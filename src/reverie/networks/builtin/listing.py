"""What `reverie networks` lists: the networks that are known by name, and whether each is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from reverie.installing import install, install_extra
from reverie.networks.builtin.catalogue import CATALOGUE, KNOWN
from reverie.networks.builtin.measured import rejector_of
from reverie.networks.builtin.weights import find
from reverie.store import cache_folder


@dataclass(frozen=True)
class Row:
    """One network. `installed`: its weights are here. `state`: that in words, or how to get it. `package` carries its weights or its code.

    `rejector` is what was measured of how it tells what it knows, see `rejector_figures` in `measured`; None of one that was not measured.
    `sha256` of its weights is None where the zoo decides which; `mean` and `std` are of pictures in 0..1.
    """

    name: str
    size: int
    trained_on: str
    licence: str
    installed: bool
    state: str
    package: str
    sha256: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    levels: dict[str, str]
    source: str
    rejector: Mapping[str, Any] | None = None


def listed() -> list[Row]:
    """The built-in networks, then those of a zoo whose levels are known."""
    rows = []
    for each in CATALOGUE.values():
        here = find(each) is not None
        state = "installed" if here else install(each.package)
        levels: dict[str, str] = {level: layer for level, layer in each.levels.items()}
        rows.append(
            Row(
                each.name, each.size, each.trained_on, each.licence, here, state, each.package, each.sha256, each.mean, each.std, levels,
                each.source, rejector_of(each.name, each.sha256),
            )
        )  # fmt: skip
    for known in KNOWN.values():
        zoo = known.name.partition(":")[0]
        code = find_spec(zoo) is not None  # not imported: that takes seconds
        here = code and (cache_folder() / "weights" / known.file).is_file()
        state = "in the cache" if here else "downloads on first use" if code else install_extra("zoo")
        levels = {level: layer for level, layer in known.levels.items()}
        rows.append(
            Row(
                known.name, known.size, known.trained_on, known.licence, here, state, zoo, None, known.mean, known.std, levels, known.source
            )
        )
    return rows

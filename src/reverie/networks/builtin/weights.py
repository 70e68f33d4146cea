"""Weights from files: found, checked by hash, compared with the module, then copied."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from reverie.errors import InputError, MissingExtra, UnsafeError
from reverie.installing import install
from reverie.networks.builtin.catalogue import Facts
from reverie.networks.checkpoints import loading
from reverie.store import sha256_of


def find(facts: Facts) -> Path | None:
    """The file with the network's weights inside its installed package, which is not imported; None if it is not installed."""
    spec = importlib.util.find_spec(facts.package.replace("-", "_"))
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent / facts.file
    return place if place.is_file() else None


def load(facts: Facts, module: nn.Module) -> None:
    """Fill `module` with the network's weights.

    Raises:
        MissingExtra: the package that carries them is not installed.
        UnsafeError: the file's hash is wrong, or what it holds does not fit the module.
    """
    place = find(facts)
    if place is None:
        raise MissingExtra(f"the weights of {facts.name} are not installed", install(facts.package))
    if sha256_of(place) != facts.sha256:
        raise UnsafeError(f"the weights of {facts.name} have a wrong hash", install(facts.package, how="--force-reinstall"))
    try:
        state = loading.read_state(place, name=facts.name)
    except (InputError, UnsafeError) as error:
        raise UnsafeError(f"the weights of {facts.name} cannot be read", install(facts.package, how="--force-reinstall")) from error
    module.load_state_dict(by_order(state, module, facts.name))


def by_order(state: Mapping[str, Tensor], module: nn.Module, name: str) -> dict[str, Tensor]:
    """Give the entries of `state` the module's names: same order, shapes and dtypes, other names.

    Raises:
        UnsafeError: an entry differs in shape or dtype.
    """
    own = module.state_dict()
    refuse = UnsafeError(f"the weights of {name} do not fit its definition", "they may belong to another network")
    if len(own) != len(state):
        raise refuse
    for mine, theirs in zip(own.values(), state.values(), strict=True):
        if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
            raise refuse
    return dict(zip(own, state.values(), strict=True))

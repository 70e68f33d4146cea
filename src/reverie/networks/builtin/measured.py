"""What was measured of built-in networks, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from reverie.networks.builtin.catalogue import CATALOGUE


def rejector_of(name: str, sha256: str) -> dict[str, Any] | None:
    """Those of a built-in network with these very weights, without the hash; None of any other."""
    found = rejector_figures().get(name, {})
    return {each: value for each, value in found.items() if each != "sha256"} if found.get("sha256") == sha256 else None


@cache
def rejector_figures() -> Mapping[str, Mapping[str, Any]]:
    """By network `sha256` of its weights, the calibration of its rejector, and `sets`, as `python -m bench.reject --write` measured it.

    Of each set of pictures in which no class is: how many; `auroc`, 0..1, how often a known photograph scores above one of them; `fpr95`,
    0..1, the part of them that passes where 95 % of known photographs do; intervals in which both lie for 95 % of draws of the pictures
    with replacement; in how many `recognise` says that it knows nothing, or perhaps nothing.
    """
    text = (resources.files("reverie.networks") / "measured" / "rejector.json").read_text("utf-8")
    return {name: each for name, each in json.loads(text).items() if name in CATALOGUE}

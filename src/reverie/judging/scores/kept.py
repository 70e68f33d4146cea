"""Scores that are kept in the cache by the picture's sha256, so that a picture is scored once. Knows no torch."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from reverie.store import Shelf, sha256_of

if TYPE_CHECKING:
    from reverie.judging.scores.likeness import Look

LOOK = 3 * 32 * 32  # numbers of a look
_FORMAT = 1  # another way of scoring is another number


@dataclass(frozen=True)
class Scored:
    """What was found of a picture.

    Attributes:
        scores: by their names.
        without: why it has not the others, by their names.
        observers: hashes of the weights of the networks that were asked, in order.
        missing: what was not there and may be later: `start`, its sha256; `network`, its name.
        look: what it looks like at a glance, see `appearance.look`; None of one that has no recipe.
    """

    scores: Mapping[str, float]
    without: Mapping[str, str] = field(default_factory=dict)
    observers: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    look: Look | None = field(default=None, repr=False)


def keep(sha256: str, scored: Scored) -> None:
    """Keep what was found of the picture with this hash: a gallery reads it there.

    Raises:
        OutputError: the cache cannot be written.
    """
    data = {
        "scores": dict(scored.scores), "without": dict(scored.without), "observers": list(scored.observers),
        "missing": dict(scored.missing), "look": None if scored.look is None else b64encode(scored.look.tobytes()).decode("ascii"),
    }  # fmt: skip
    Shelf("scores").put(_key(sha256), json.dumps(data, separators=(",", ":")).encode())


def kept(sha256: str) -> Scored | None:
    """What is kept of the picture with this hash; None where nothing is, or nothing that can be read."""
    content = Shelf("scores").get(_key(sha256)) if sha256 else None
    if content is None:
        return None
    try:
        return _read(json.loads(content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _read(data: dict[str, Any]) -> Scored:
    found: Look | None = None
    if data["look"] is not None:
        import numpy as np

        found = np.frombuffer(b64decode(data["look"]), dtype=np.float16)
    scores = {str(name): float(value) for name, value in data["scores"].items()}
    if not all(math.isfinite(each) for each in scores.values()) or (found is not None and len(found) != LOOK):
        raise ValueError("scores that are no numbers, or a look of another length")
    words = [{str(name): str(value) for name, value in data[part].items()} for part in ("without", "missing")]
    return Scored(scores, words[0], tuple(data["observers"]), words[1], found)


@cache
def _figures() -> str:
    """The hash of all that was measured of photographs: with other figures scores are others."""
    there = resources.files("reverie.judging.scores") / "measured"
    parts = sorted((each.name, sha256_of(each.read_bytes())) for each in there.iterdir() if each.is_file())
    return sha256_of(json.dumps(parts).encode())


def _key(sha256: str) -> str:
    return f"scores {_FORMAT} {_figures()} {sha256}"

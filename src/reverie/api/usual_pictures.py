"""Pictures as a network was trained on, and what its layers give for them, where its own norms remember nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from reverie import pictures as _pictures
from reverie.api.start_guide_mask import Inputs, picture_of, with_input
from reverie.errors import InputError, UsageError, choice
from reverie.files.input_files import reading, suffix_of
from reverie.networks import Network
from reverie.networks.norm_statistics import Statistics, measured, remembered
from reverie.pictures import resize
from reverie.pictures.loading import evenly
from reverie.recipe import StatisticsInput
from reverie.render.target_checks import layers_of
from reverie.store import expanded, is_folder, sha256_of
from reverie.target import Target

MOST_USUAL = 500  # pictures that are looked at
_MOST_BYTES = 64 << 20  # of a file of statistics


class Usual(NamedTuple):
    """What was given as usual.

    Attributes:
        pictures: (C, H, W) each, at the network's native size; of very many an even part.
        content: of a file of statistics that another picture was made with; empty where pictures were given.
        notes: what is to be said of them.
    """

    pictures: list[Tensor]
    content: bytes = b""
    notes: tuple[str, ...] = ()


def usual_pictures(given: Any, network: Network) -> Usual:
    """The pictures that are usual, or what an earlier picture kept of them.

    Args:
        given: a folder, a file, a picture, pictures, or a tensor (N, C, H, W); or a file of statistics, as `recipe --inputs` gives it back.
    """
    if given is None:
        return Usual([])
    content = _statistics_at(given)
    if content:
        return Usual([], content)
    found = _pictures.several(given, "usual")
    taken = evenly(found, MOST_USUAL)
    notes = (f"of {len(found)} usual pictures {MOST_USUAL} were looked at, evenly taken",) if len(taken) < len(found) else ()
    return Usual([resize(picture_of(each, network.channels).pixels, *network.size) for each in taken], notes=notes)


def with_usual(beside: Inputs, usual: Usual, weight: float, networks: Sequence[Network], wanted: Sequence[Target]) -> Inputs:
    """The same with what layers give for these pictures, for a picture that is drawn to them: where a network remembers nothing itself.

    Args:
        weight: the penalty `natural`.

    Raises:
        UsageError: statistics that nothing is drawn to. InputError: statistics of another network.
    """
    if not (usual.pictures or usual.content):
        return beside
    lacks = weight > 0 and len(networks) == 1 and not all(remembered(networks[0], layers_of(target)) for target in wanted)
    if usual.content and not lacks:
        why = f"without {choice('natural')}" if not weight else "with networks that remember their own"
        raise UsageError(f"a file of statistics, {choice('usual')}, {why}", "leave it out, or give pictures")
    if not lacks:
        return beside
    content = usual.content or _content(measured(networks[0], layers_of(*wanted), usual.pictures))
    return with_input(beside, StatisticsInput(sha256=sha256_of(content)), content, usual=statistics_from(content, networks[0]))


def statistics_from(content: bytes | Path, network: Network) -> Statistics:
    """What a file of statistics says, on the network's device.

    Raises:
        InputError: it is none, or of another network.
    """
    if isinstance(content, Path):
        with reading(content, "file of statistics") as file:
            content = file.read(_MOST_BYTES + 1)
    try:
        found = load(content) if len(content) <= _MOST_BYTES else {}
        fits = bool(found) and all(_fits(each, network.layer(name)) for name, each in found.items())  # (2, C) each
    except (SafetensorError, UsageError, ValueError):
        fits = False
    if not fits:
        raise InputError(f"no statistics of {network.name} in this file", f"give usual pictures: {choice('usual', 'FOLDER')}")
    return {name: (found[name][0].to(network.device), found[name][1].to(network.device)) for name in sorted(found)}  # found in any order


def _fits(given: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether these are mean and spread of each channel of a layer with places."""
    is_right = len(shape) == 4 and tuple(given.shape) == (2, shape[1]) and given.dtype == torch.float32
    return is_right and bool(given.isfinite().all()) and float(given[1].min()) >= 0 and float(given[1].max()) > 0


def _content(usual: Statistics) -> bytes:
    """The file of statistics: by layer mean and spread of each channel, (2, C)."""
    return save({name: torch.stack(each).float().cpu().contiguous() for name, each in usual.items()})


def _statistics_at(given: Any) -> bytes:
    """The content of a file of statistics; empty of anything else."""
    if not isinstance(given, (str, Path)) or is_folder(place := expanded(given)):
        return b""
    with reading(place) as file:
        content = file.read(64)
        return content + file.read(_MOST_BYTES) if suffix_of(content) == ".safetensors" else b""

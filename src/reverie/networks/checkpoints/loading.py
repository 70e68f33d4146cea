"""Weights from strangers: a file is looked through, compared with the module, hashed and read, and only then copied.

What a file is, its first bytes say; its suffix says nothing. docs/weights.md tells what is read, and what is refused and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reverie.errors import unknown
from reverie.networks.checkpoints.claims import brief, compare, own_tensors, refused
from reverie.networks.checkpoints.fitting import Fit, Found, check_holds, explain, fits, main_entry
from reverie.networks.checkpoints.opened import opened


class Loaded(NamedTuple):
    """What was filled in.

    Attributes:
        sha256: of the file; of shards, of all their hashes; of another entry than the one that is taken first, of the hash and its name.
        notes: what a user should know of it: which of several entries was taken, what lies beside it.
    """

    sha256: str
    notes: tuple[str, ...] = ()


def load_weights(
    place: Path,
    module: nn.Module,
    *,
    name: str = "",
    entry: str = "",
    ignore: Collection[str] = (),
    renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
) -> Loaded:
    """Fill `module` from a file of weights that nobody vouches for, or from shards of one.

    Names, shapes, dtypes and the room of each tensor are compared with `module.state_dict()` before a tensor is made, and again before
    one is copied. A floating tensor of another width is converted to the module's; integers and booleans must be the same.
    `num_batches_tracked` may be missing. The weights may lie in a checkpoint, under any entry, with any words of wrappers in their names,
    and others beside them: see `fitting`.

    Args:
        place: a .safetensors, or a .pth or .pt of torch.save, whatever it is called; or an index of shards, one of them, or their folder.
        module: left as it is where this raises.
        name: for messages; without it the file's name.
        entry: of a checkpoint, where several would fit.
        ignore: beginnings of names that are neither asked of the file nor taken from it.
        renamed: brings an older file's names (and shapes) to the module's, as its maker's code does; the first comparison then falls out.

    Raises:
        UsageError: there is no such entry.
        InputError: it is missing, cannot be read, is damaged, or is no file of weights.
        UnsafeError: it holds more than weights, claims what it does not hold, does not fit, or is not finite.
    """
    name = name or place.name
    own = own_tensors(module, name)
    network = type(module).__name__
    with opened(place, name, own) as files:
        found = _within(files.found, entry, name)
        notes: tuple[str, ...] = ()
        if renamed is not None:
            check_holds(found, name)
            digest = files.digest()
            state = _renamed(files.read(main_entry(found)), renamed, name)
        else:
            first, *others = fits(found, own, ignore) or [explain(found, own, ignore, name, network)]
            compare({mine: found.tensors[theirs] for mine, theirs in first.names.items()}, own, ignore, name, network)
            digest = files.digest()
            state = files.read(first.theirs)
            differing = [each.entry for each in others if not _are_equal(state, files.read(each.theirs))]
            notes = _notes(first, differing, name, network)
            if entry and fits(files.found, own, ignore)[0].names != first.names:
                digest = hashlib.sha256(f"{digest}#{entry}".encode()).hexdigest()
        files.check_unchanged()
    compare(state, own, ignore, name, network)
    chosen = {key: state[key] for key in own if key in state and not key.startswith(tuple(ignore))}
    _check(chosen, own, name)
    with torch.no_grad():
        for key, theirs in chosen.items():
            own[key].copy_(theirs)
    return Loaded(digest, notes)


def check(place: Path, *, name: str = "") -> None:
    """Look through a file of weights without reading it: for whoever wants to know early.

    Raises:
        InputError, UnsafeError: as `load_weights`, where it is the file alone that is wrong.
    """
    name = name or place.name
    with opened(place, name) as files:
        check_holds(files.found, name)


def read_state(place: Path, *, name: str = "") -> dict[str, Tensor]:
    """The tensors of a file of weights, after the same look, before they are compared with anything.

    Raises:
        InputError, UnsafeError: as `load_weights`.
    """
    name = name or place.name
    with opened(place, name) as files:
        check_holds(files.found, name)
        state = files.read(main_entry(files.found))
    _check(state, state, name)
    return state


def _within(found: Found, entry: str, name: str) -> Found:
    if not entry:
        return found
    inside = found.within(entry)
    if not inside.tensors:
        there = found.entries()
        raise unknown(
            f"entry with weights in '{brief(name)}' of the name", entry, there, f"it has {', '.join(there) or 'one, without a name'}"
        )
    return inside


def _notes(fit: Fit, others: list[str], name: str, network: str) -> tuple[str, ...]:
    notes = []
    if others:
        what = f"'{name}' holds other weights of {network} too: those {_under(fit.entry)} are taken"
        notes.append(
            f"{what}, and not those {' or '.join(_under(each) for each in others)}; for these name it {brief(name)}#{brief(others[0])}"
        )
    if fit.beside:
        some = ", ".join(brief(each) for each in fit.beside[:3]) + (" …" if len(fit.beside) > 3 else "")
        notes.append(f"beside the weights of {network} '{name}' has {len(fit.beside)} more, which are left out: {some}")
    return tuple(notes)


def _are_equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(each.dtype == other[key].dtype and torch.equal(each, other[key]) for key, each in one.items())


def _under(entry: str) -> str:
    return f"under '{brief(entry)}'" if entry else "that lie by themselves"


def _renamed(state: dict[str, Tensor], renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], name: str) -> dict[str, Tensor]:
    """Through code that was not written for hostile files."""
    try:
        found = dict(renamed(state))
        if any(not isinstance(key, str) or not isinstance(each, Tensor) for key, each in found.items()):
            raise TypeError
        return found
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, ArithmeticError) as error:
        raise refused(name, "has tensors that its network's code cannot take", "they belong to another network") from error


def _check(chosen: Mapping[str, Tensor], own: Mapping[str, Tensor], name: str) -> None:
    """Every number is finite, also after it became the module's dtype.

    Raises:
        UnsafeError: one is not.
    """
    for key, theirs in chosen.items():
        if not theirs.numel() or not own[key].is_floating_point():
            continue
        low, high = theirs.to(own[key].dtype).aminmax()  # NaN comes through
        if not (low.isfinite() and high.isfinite()):
            finite = all(each.isfinite() for each in theirs.aminmax())
            fault = f"has numbers too large for {own[key].dtype}".replace("torch.", "") if finite else "has numbers that are not finite"
            raise refused(name, f"{fault}, in {brief(key)}", "take the weights of an earlier epoch, or of its owner's release")

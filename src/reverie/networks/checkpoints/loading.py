"""Weights from strangers: a file is looked through, compared with the module, hashed and read, and only then copied.

What a file is, its first bytes say; its suffix says nothing. docs/weights.md tells what is read, and what is refused and why.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn

from reverie.errors import InputError, UnsafeError
from reverie.networks.checkpoints import safetensors_header, torch_save
from reverie.networks.checkpoints.claims import Claim, brief, compare, damaged, named, own_tensors, refused, unwrapped
from reverie.store import sha256_of

ROOM, TIMES = 1 << 30, 20  # a file may be so many times as large as its module, and 1 GB: checkpoints of a training hold more than weights
_FETCH = "fetch it again, and compare its size with what its page says"
_KNOWN = "what is read: .safetensors, and .pth or .pt files of torch.save that hold a state dict"
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "is a pointer of git-lfs, and not the file itself", "fetch the file itself: git lfs pull"),
    (b"<", "is a web page, and no file of weights", "follow the page's link to the file"),
    (b"\x1f\x8b", "is packed with gzip", "unpack it first"),
    (b"\x89HDF\r\n", "is a file of HDF5 or Keras, and no weights of torch", _KNOWN),
    (b"\x93NUMPY", "is an array of NumPy, and no weights of torch", _KNOWN),
    (b"GGUF", "is a file of GGUF, and no weights of torch", _KNOWN),
)


def load_weights(
    place: Path,
    module: nn.Module,
    *,
    name: str = "",
    ignore: Collection[str] = (),
    renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
) -> str:
    """Fill `module` from a file of weights that nobody vouches for.

    Names, shapes, dtypes and the room of each tensor are compared with `module.state_dict()` before a tensor is made, and again before
    one is copied. A floating tensor of another width is converted to the module's; integers and booleans must be the same.
    `num_batches_tracked` may be missing. The weights may lie in a checkpoint, under `state_dict`, `model_state_dict` or `model`, and
    all their names may begin with `module.`, `_orig_mod.` or `model.`.

    Args:
        place: a .safetensors, or a .pth or .pt of torch.save, whatever it is called.
        module: left as it is where this raises.
        name: for messages; without it the file's name.
        ignore: beginnings of names that are neither asked of the file nor taken from it.
        renamed: brings an older file's names (and shapes) to the module's, as its maker's code does; the first comparison then falls out.

    Returns:
        The file's sha256.

    Raises:
        InputError: it is missing, cannot be read, is damaged, or is no file of weights.
        UnsafeError: it holds more than weights, claims what it does not hold, does not fit, or is not finite.
    """
    name = name or place.name
    own = own_tensors(module, name)
    network = type(module).__name__
    with _open_file(place, name) as file:
        before = os.fstat(file.fileno())
        size = _size(file, name, own)
        claims = named(_look(file, size, name), own)
        if renamed is None:
            compare(claims, own, ignore, name, network)
        digest = sha256_of(place)
        state = named(_read(file, place, name), own)
        after = place.stat()
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
        raise InputError(f"'{name}' was changed while it was read", "try again once nothing writes it")
    if renamed is not None:
        state = _renamed(state, renamed, name)
    compare(state, own, ignore, name, network)
    chosen = {key: state[key] for key in own if key in state and not key.startswith(tuple(ignore))}
    _check(chosen, own, name)
    with torch.no_grad():
        for key, theirs in chosen.items():
            own[key].copy_(theirs)
    return digest


def check(place: Path, *, name: str = "") -> None:
    """Look through a file of weights without reading it: for whoever wants to know early.

    Raises:
        InputError, UnsafeError: as `load_weights`, where it is the file alone that is wrong.
    """
    name = name or place.name
    with _open_file(place, name) as file:
        _look(file, _size(file, name, None), name)


def read_state(place: Path, *, name: str = "") -> dict[str, Tensor]:
    """The tensors of a file of weights, after the same look, before they are compared with anything.

    Raises:
        InputError, UnsafeError: as `load_weights`.
    """
    name = name or place.name
    with _open_file(place, name) as file:
        _look(file, _size(file, name, None), name)
        state = _read(file, place, name)
    _check(state, state, name)
    return state


def _open_file(place: Path, name: str) -> IO[bytes]:
    remedy = "check the path"
    try:
        mode = place.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"'{name}' is a folder", "give a file in it")
        if not stat.S_ISREG(mode):
            raise InputError(f"'{name}' is not a file", "give a file of weights")
        return place.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"'{name}' does not exist", remedy) from error
    except PermissionError as error:
        raise InputError(f"'{name}' may not be read", "change its permissions") from error
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", remedy) from error


def _size(file: IO[bytes], name: str, own: Mapping[str, Tensor] | None) -> int:
    """Bytes of the file, which no more than a checkpoint of this module can have."""
    size = file.seek(0, 2)
    if not size:
        raise InputError(f"'{name}' is empty", _FETCH)
    if own is not None and size > TIMES * sum(each.nbytes for each in own.values()) + ROOM:
        raise refused(name, f"has {size / 1e9:.1f} GB, more than any checkpoint of this network", "check that it belongs to this network")
    return size


def _look(file: IO[bytes], size: int, name: str) -> dict[str, Claim]:
    """What the file says it holds, name by name."""
    try:
        file.seek(0)
        head = file.read(32)
        if safetensors_header.starts_like(head):
            return safetensors_header.look(file, size, name)
        if head.startswith((torch_save.ZIP, torch_save.LEGACY)):
            return _only(torch_save.look(file, size, name), Claim, name)
        raise _unknown(file, head, name)
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", _FETCH) from error
    except MemoryError as error:
        raise damaged(name, "needs more memory than is free") from error


def _read(file: IO[bytes], place: Path, name: str) -> dict[str, Tensor]:
    file.seek(0)
    if safetensors_header.starts_like(file.read(32)):
        return safetensors_header.load(place, name)
    state: dict[str, Tensor] = _only(torch_save.load(file, name), Tensor, name)
    for key, each in state.items():
        if each.layout != torch.strided or each.device.type != "cpu" or each.is_quantized:
            raise refused(name, f"has a tensor of an unusual kind: {brief(key)}")
        room = each.untyped_storage().nbytes() // each.itemsize
        claim = Claim(each.dtype, tuple(each.shape), each.stride(), int(each.storage_offset()), room)
        if problem := claim.problem():
            raise refused(name, f"has a tensor that {problem}: {brief(key)}")
    return state


def _only(found: Any, kind: type[Any], name: str) -> dict[str, Any]:
    """The state dict that is in what was found: names, and tensors or Claims."""
    if not isinstance(found, Mapping):
        raise damaged(name, "holds no dictionary of weights")
    state = unwrapped(found)
    others = [key for key, each in state.items() if not isinstance(key, str) or not isinstance(each, kind)]
    if len(others) == len(state):
        raise damaged(name, "holds no dictionary of weights" if others else "holds no weights at all")
    if others:
        remedy = "give a file that holds the weights alone: torch.save(model.state_dict(), …)"
        raise refused(name, f"has entries beside its weights that are no tensors: {brief(others[0])}", remedy)
    return dict(state)


def _unknown(file: IO[bytes], head: bytes, name: str) -> InputError | UnsafeError:
    for start, what, remedy in _OTHERS:
        if head.lstrip().startswith(start):
            return InputError(f"'{name}' {what}", remedy)
    file.seek(257)
    if file.read(5) == b"ustar":
        return InputError(f"'{name}' is a tar archive, and no file of weights", "unpack it first; torch has written none since 0.1")
    if head[:1] == b"\x80" and head[1:2] in b"\0\1\2\3\4\5":
        return refused(name, "is a pickle, but none of torch.save, and reading it can run what its maker wrote")
    return InputError(f"'{name}' is no file of weights", _KNOWN)


def _renamed(state: dict[str, Tensor], renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], name: str) -> dict[str, Tensor]:
    """Through code that was not written for hostile files."""
    try:
        return _only(renamed(state), Tensor, name)
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

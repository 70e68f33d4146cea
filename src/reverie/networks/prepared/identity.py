"""What tells whether a module is still the one that it was: quickly, from pass to pass; and for good, as a recipe holds it."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import torch
from torch import Tensor, nn

from reverie.networks.inspection.wrappers import real_names, unwrapped

_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def signature(module: nn.Module, *, values: bool = False) -> tuple[Any, ...]:
    """What differs once a part or a tensor of the module was replaced or changed in place; with `values` also if through `.data`."""
    parts = tuple((name, type(part), id(part)) for name, part in module.named_modules())
    own = [*module.parameters(), *module.buffers()]
    if values:
        plain = (each.detach().to_dense().cpu().contiguous() for each in own if each.element_size() in _WORDS)
        return tuple(zlib.crc32(each.view(_WORDS[each.element_size()]).numpy().data) for each in plain)  # a sum misses what changes places
    return (*parts, *((_place(each), -1 if each.is_inference() else each._version) for each in own))


def _place(tensor: Tensor) -> int:
    return tensor.data_ptr() if tensor.layout is torch.strided else id(tensor)


def fingerprint(module: nn.Module) -> str:
    """sha256 over names, shapes and bytes of a module's parameters and buffers: the identity of one's own network.

    What compiling or training in parallel put around it or its parts has no say.
    """
    digest, inner = hashlib.sha256(), unwrapped(module)
    plain_names = {real: name for name, real in real_names(inner).items()}
    for name, tensor in inner.state_dict().items():
        part, dot, own = name.rpartition(".")
        if isinstance(tensor, Tensor):
            plain = tensor.detach().to_dense().cpu().contiguous()
            digest.update(f"{plain_names.get(part, part)}{dot}{own}{tuple(plain.shape)}{plain.dtype}".encode())
            digest.update(plain.view(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    return digest.hexdigest()

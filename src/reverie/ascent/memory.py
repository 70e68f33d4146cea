"""Memory that one step frees serves the next; what a step sends to the device."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as <malloc.h> numbers them


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Values of the CPU on the device, which is not waited for.

    CUDA takes a copy of ordinary memory before it gives control back, so they may change or go at once; others promise no such thing.
    """
    return values.to(device, non_blocking=device.type == "cuda")


@contextmanager
def kept_memory() -> Iterator[None]:
    """Inside, memory that one step frees serves the next.

    By default the C library hands large blocks back to the system, which zeroes them anew page by page: a third of a step on a CPU.
    Only glibc is told; elsewhere this does nothing.
    """
    mallopt = getattr(_c_library(), "mallopt", None)
    if mallopt is None:
        yield
        return
    if mallopt(_MMAP_THRESHOLD, 1 << 30) or mallopt(_MMAP_THRESHOLD, 32 << 20):  # older ones refuse more
        mallopt(_TRIM_THRESHOLD, -1)  # never
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, 32 << 20)  # where the library's own rule ends up once it has seen blocks as large as ours
        mallopt(_TRIM_THRESHOLD, 64 << 20)
        _c_library().malloc_trim(0)


@cache
def _c_library() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None

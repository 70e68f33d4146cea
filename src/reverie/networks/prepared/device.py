"""Which device, and how many threads."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import torch

from reverie.errors import UsageError, choice
from reverie.networks.prepared.convolution_kernels import runs_here

DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_MULTIPLY = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # what Linux calls a processor's instructions; the last of Arm


def available() -> list[str]:
    """Devices that can be used here, the fastest first."""
    found = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose(device: str | torch.device | None) -> torch.device:
    """The device of this name, `cuda:1` for one of several; the fastest there is for None or `auto`.

    Raises:
        UsageError: no such device, or not on this machine.
    """
    here = available()
    if device is None or device == "auto":
        return torch.device(here[0])
    kind, mark, number = str(device).partition(":")
    if kind not in DEVICES or (mark and not (number.isdecimal() and len(number) < 5)):
        raise UsageError(f"no device '{device}'", f"here there is: {', '.join(here)}")
    if kind not in here or (number and int(number) >= (torch.cuda.device_count() if kind == "cuda" else 1)):
        raise UsageError(f"device '{device}' is not on this machine", f"here there is: {', '.join(here)}; `reverie doctor` says more")
    return torch.device(kind, int(number)) if number and kind == "cuda" else torch.device(kind)


def is_meant(where: torch.device, said: str | torch.device | None) -> bool:
    """Whether somebody who says so can mean this one."""
    if said is None or said == "auto":
        return True
    kind, _, number = str(said).partition(":")
    index = where.index if where.index is not None else torch.cuda.current_device() if where.type == "cuda" else 0
    return kind == where.type and (not number or int(number) == index)


def precision(where: torch.device, said: str | torch.dtype | None = None) -> torch.dtype:
    """What networks compute in there: what is said; for None and `auto` bfloat16 on a GPU whose tensor cores take it, float32 elsewhere.

    Raises:
        UsageError: no such precision, or torch cannot compute in it there.
    """
    if said is None or said == "auto":
        return torch.bfloat16 if where.type == "cuda" and torch.cuda.get_device_capability(where) >= (8, 0) else torch.float32
    found = PRECISIONS.get(word(said))
    if found is None:
        raise UsageError(choice("precision", word(said)), f"it should be {', '.join(PRECISIONS)} or auto")
    if found != torch.float32 and not _computes(where, found):
        raise UsageError(
            f"{choice('precision', word(said))}: this torch cannot compute in it on {where.type}", "leave it out: float32 it can"
        )
    return found


def word(precision: str | torch.dtype) -> str:
    """`bfloat16`, as recipes say it."""
    return str(precision).removeprefix("torch.")


def kept(before: str, where: torch.device) -> str:
    """The precision in which something is made again there that was made in this one: the same, if there are kernels for it."""
    return before if before == "float32" or _has_kernels(where) else "float32"


def slower(where: torch.device, how: torch.dtype) -> str:
    """What is to be said of a precision that makes a processor slower; else nothing."""
    if where.type != "cpu" or how != torch.bfloat16 or (_has_kernels(where) and multiplies_bfloat16() is not False):
        return ""
    return "bfloat16 is slower than float32 on this processor, which does not multiply it in hardware"


@cache
def multiplies_bfloat16(told: Path = Path("/proc/cpuinfo")) -> bool | None:
    """Whether the processor does so in hardware, by what Linux tells of it; None where that is not known."""
    try:
        lines = told.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return None
    flags = next((line.partition(":")[2].split() for line in lines if line.lower().startswith(("flags", "features"))), None)
    return None if flags is None else not _MULTIPLY.isdisjoint(flags)


def _has_kernels(where: torch.device) -> bool:
    """Whether there are kernels for bfloat16: of oneDNN on a processor, tensor cores on a GPU."""
    return precision(where) == torch.bfloat16 or (where.type == "cpu" and runs_here(torch.zeros(1, dtype=torch.bfloat16)))


def _computes(where: torch.device, how: torch.dtype) -> bool:
    try:
        one = torch.ones(1, 1, 1, 1, dtype=how, device=where)
        torch.nn.functional.conv2d(one, one)
    except (RuntimeError, TypeError):
        return False
    return True


def free_memory(where: torch.device) -> int:
    """Bytes that are free for us there, by what the device, the machine and its container say."""
    if where.type == "cuda":
        return int(torch.cuda.mem_get_info(where)[0])
    within, available = _within_container(), int(psutil.virtual_memory().available)
    return available if within is None else min(available, within)


def _within_container() -> int | None:
    folder = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        return int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())  # "max" is no number, and no limit
    return None

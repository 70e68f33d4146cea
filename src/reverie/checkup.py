"""What `reverie doctor` looks at."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata

from reverie.installing import install, torch_build
from reverie.store import cache_folder
from reverie.version import __version__
from reverie.waiting import WAITING, gives_way_here_alone

EXTRAS = {
    "HEIC pictures": "pillow-heif", "what counted": "captum", "films": "av", "motion in films": "opencv-python-headless",
    "the studio": "fastapi", "work on Ray": "ray",
}  # fmt: skip

ZOO = {"networks of torchvision": "torchvision", "networks of timm": "timm", "networks of the hub": "huggingface_hub"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is empty where nothing is missing."""

    what: str
    state: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything, in the order in which it is told."""
    findings = [Finding("reverie", __version__), Finding("python", platform.python_version())]
    findings += _torch()
    findings += [_package(what, package) for what, package in EXTRAS.items()]
    findings += [_zoo(what, package) for what, package in ZOO.items()]
    return [*findings, _cache()]


def _torch() -> list[Finding]:
    """What needs torch; where it cannot be imported, that is the finding."""
    try:
        import torch

        from reverie.networks.builtin.catalogue import CATALOGUE
        from reverie.networks.prepared.device import available, multiplies_bfloat16, precision
    except (ImportError, OSError, RuntimeError) as error:
        return [Finding("torch", f"cannot be imported ({error})", torch_build("auto"))]
    findings = [
        Finding("torch", torch.__version__),
        Finding("devices", ", ".join(available())),
        Finding("threads", f"{torch.get_num_threads()} of {os.cpu_count()} cores"),
        _waiting(),
        Finding(
            "bfloat16 on the processor", {True: "in hardware", False: "not in hardware: slow", None: "not known"}[multiplies_bfloat16()]
        ),
    ]
    if torch.cuda.is_available():
        device = torch.device("cuda")
        findings.append(Finding("gpu", f"{torch.cuda.get_device_name(device)}, {str(precision(device)).removeprefix('torch.')}"))
    elif "+cpu" in torch.__version__:
        here = shutil.which("nvidia-smi") is not None
        findings.append(Finding("gpu", "this torch is built without one", torch_build("auto") if here else ""))
    return findings + [_weights(name) for name in CATALOGUE]


def _waiting() -> Finding:
    """How threads wait for each other: spinning, they keep cores from whatever else runs, and each step waits for that."""
    policy, how = os.environ.get("OMP_WAIT_POLICY", ""), " and ".join(f"{name}={value}" for name, value in WAITING.items())
    if gives_way_here_alone():
        return Finding(
            "waiting threads", "give their core away in commands, spin in Python", f"for Python too, before torch is loaded set {how}"
        )
    if policy.lower() == "passive":
        return Finding("waiting threads", "give their core away")
    return Finding("waiting threads", "spin: slow beside other work", f"before torch is loaded set {how}")


def _weights(name: str) -> Finding:
    from reverie.networks.builtin.catalogue import CATALOGUE
    from reverie.networks.builtin.weights import find

    facts = CATALOGUE[name]
    here = find(facts) is not None
    return Finding(f"weights of {name}", "installed" if here else "missing", "" if here else install(facts.package))


def _package(what: str, package: str) -> Finding:
    try:
        return Finding(what, f"{package} {metadata.version(package)}")
    except metadata.PackageNotFoundError:
        return Finding(what, "missing", install(package))


def _zoo(what: str, package: str) -> Finding:
    """Whether it can be imported, too: torchvision goes with one version of torch alone, and timm needs it."""
    try:
        version = metadata.version(package)
        importlib.import_module(package)
    except (metadata.PackageNotFoundError, ModuleNotFoundError):
        return Finding(what, "missing", install(package))
    except (ImportError, OSError, RuntimeError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0][:80]
        return Finding(what, f"{package} {version} cannot be imported ({told})", install("torchvision", how="--force-reinstall"))
    return Finding(what, f"{package} {version}")


def _cache() -> Finding:
    folder = cache_folder()
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        return Finding("cache", f"{folder} is not writable", "set REVERIE_CACHE to a folder that is")
    size = 0
    for each in folder.rglob("*") if folder.exists() else ():
        with contextlib.suppress(OSError):  # another process may be pruning
            size += each.stat().st_size if each.is_file() else 0
    return Finding("cache", f"{folder}, {size / 1e6:.1f} MB")

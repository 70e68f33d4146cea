"""Pictures of classes as the peers make them, on lite0: run with the python of `.venv-peers`, from the root of the repository.

    .venv-peers/bin/python -m bench.class_peers torch-lucent --classes 340 849 --steps 256 --folder FOLDER [--threads 2] [--seed 0]

Writes FOLDER/<number of the class>.png, 8 bits a colour, as large as the peer makes it, and prints one JSON object:
{"version", "steps", "default_steps", "seconds": {number: seconds}, "notes"}, or {"error"} of a peer that cannot be run here. Every
setting but the number of steps is the peer's own default. The seconds are those of making the picture: not of importing, nor of opening
the network, nor of one short picture before the first that warms up.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import os
import random
import shutil
import socket
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from bench.peers import import_torchvision, lite0

SIZE = 224
STAND_IN = "stand-in.npy"  # what the parent leaves in the folder, for where horama cannot fetch its spectrum
PATIENCE = 15  # seconds for that

Render = Callable[[Any, int, int], Tensor]  # (network, class, steps) → (3, H, W) in 0..1


class Peer(NamedTuple):
    """How to make a picture with it, its own number of steps, and what the reader should know."""

    render: Render
    default_steps: int
    notes: tuple[str, ...] = ()


def torch_lucent() -> Peer:
    import_torchvision()
    package: Any = importlib.import_module("lucent.optvis.render")

    def render(network: nn.Module, number: int, steps: int) -> Tensor:
        pictures = package.render_vis(
            network,
            f"labels:{number}",
            lambda: package.param.image(SIZE),
            thresholds=(steps,),
            preprocess=False,  # no ImageNet normalisation: the network has its own
            progress=False,
            show_image=False,
        )
        return torch.from_numpy(pictures[-1][0]).permute(2, 0, 1)

    return Peer(render, inspect.signature(package.render_vis).parameters["thresholds"].default[-1])


def torch_dreams() -> Peer:
    import_torchvision()
    package: Any = importlib.import_module("torch_dreams")

    def render(network: Any, number: int, steps: int) -> Tensor:
        dreamer = package.Dreamer(network, quiet=True, device="cpu")
        dreamer.set_custom_normalization(nn.Identity())  # undoes its ImageNet normalisation: the network has its own
        made = dreamer.render(
            layers=[network.classifier],
            width=SIZE,
            height=SIZE,
            iters=steps,
            custom_func=lambda outputs: -outputs[0][:, number].mean(),
        )
        chw: Tensor = made.to_chw_tensor()
        return chw

    return Peer(render, inspect.signature(package.Dreamer.render).parameters["iters"].default)


def horama() -> Peer:
    """Its MaCo. The network is shown the picture moved from horama's range, −2.5..2.5, to 0..1; the result is stretched as its own
    `plot_maco` does, and opaque.
    """
    import_torchvision()
    package: Any = importlib.import_module("horama")
    inside: Any = importlib.import_module("horama.maco_fv")
    plots: Any = importlib.import_module("horama.plots")
    defaults = {name: each.default for name, each in inspect.signature(package.maco).parameters.items()}
    least, most = defaults["values_range"]
    notes = []
    if not importlib.import_module("torchvision.extension")._has_ops():
        importlib.import_module("horama.common").roi_align = roi_align  # type: ignore[attr-defined]
        notes.append("its crops are cut by PyTorch's grid_sample, as torchvision's compiled operators do not load beside a CPU torch")
    notes += spectrum(inside)

    def render(network: nn.Module, number: int, steps: int) -> Tensor:
        made, _ = package.maco(
            lambda pictures: network((pictures - least) / (most - least))[:, number].mean(), total_steps=steps, device="cpu"
        )
        shown = plots.normalize(plots.clip_percentile(plots.check_format(made), 1.0))  # (H, W, 3) in 0..1
        return torch.from_numpy(shown).permute(2, 0, 1)

    return Peer(render, defaults["total_steps"], tuple(notes))


def roi_align(picture: Tensor, boxes: Tensor, output_size: tuple[int, int]) -> Tensor:
    """(1, C, H, W), (K, 5) of (0, x0, y0, x1, y1) → (K, C, *output_size): torchvision's, for boxes smaller than the output.

    There it takes one bilinear sample in the middle of each cell, and 0 where that lies more than a pixel outside the picture.
    """
    height, width = picture.shape[2:]
    down = (torch.arange(output_size[0]) + 0.5) / output_size[0]
    along = (torch.arange(output_size[1]) + 0.5) / output_size[1]
    y = boxes[:, 2:3] + (boxes[:, 4:5] - boxes[:, 2:3]) * down  # (K, h)
    x = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * along  # (K, w)
    inside = ((y >= -1) & (y <= height))[:, None, :, None] & ((x >= -1) & (x <= width))[:, None, None, :]  # (K, 1, h, w)
    rows = (2 * y / (height - 1) - 1)[:, :, None].expand(-1, -1, x.shape[1])
    columns = (2 * x / (width - 1) - 1)[:, None, :].expand(-1, y.shape[1], -1)
    grid = torch.stack([columns, rows], dim=-1)  # (K, h, w, 2)
    many = picture.expand(len(boxes), -1, -1, -1)
    return F.grid_sample(many, grid, mode="bilinear", padding_mode="border", align_corners=True) * inside


def spectrum(inside: Any) -> list[str]:
    """See that horama finds a spectrum in the working folder: its own, which it fetches, or the one left there for want of it."""
    if Path(inside.MACO_SPECTRUM_FILENAME).is_file():
        return []
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        inside.download_url(inside.MACO_SPECTRUM_URL, root=".", filename=inside.MACO_SPECTRUM_FILENAME)
        return []
    except (OSError, RuntimeError):
        shutil.copy(STAND_IN, inside.MACO_SPECTRUM_FILENAME)
        return ["the spectrum it holds fixed is a power law fitted to the photographs below, as its own could not be fetched here"]
    finally:
        socket.setdefaulttimeout(before)


PEERS: dict[str, Callable[[], Peer]] = {"torch-lucent": torch_lucent, "torch-dreams": torch_dreams, "horama": horama}


def make(peer: Peer, number: int, steps: int, seed: int) -> tuple[Tensor, float]:
    """(3, H, W) in 0..1 and the seconds it took."""
    network = lite0()  # a fresh one: torch-lucent never removes its hooks
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    began = time.perf_counter()
    picture = peer.render(network, number, steps)
    return picture, time.perf_counter() - began


def make_all(name: str, classes: list[int], steps: int | None, seed: int) -> dict[str, object]:
    """Write a picture of each class into the working folder."""
    try:
        peer = PEERS[name]()
        steps = steps or peer.default_steps
        make(peer, classes[0], 2, seed)  # warm-up
        seconds = {}
        for number in classes:
            picture, seconds[str(number)] = make(peer, number, steps, seed)
            rgb = picture.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()  # (H, W, 3)
            Image.fromarray(rgb).save(f"{number}.png")
    except (ImportError, AttributeError, RuntimeError, AssertionError, OSError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"version": version(name), "steps": steps, "default_steps": peer.default_steps, "seconds": seconds, "notes": peer.notes}


def main() -> None:
    parser = argparse.ArgumentParser(description="Make pictures of classes with a peer.")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--classes", type=int, nargs="+", required=True, help="their numbers")
    parser.add_argument("--steps", type=int, help="instead of the peer's own default")
    parser.add_argument("--folder", type=Path, required=True, help="for the pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.chdir(options.folder)
    with contextlib.redirect_stdout(sys.stderr):
        result = make_all(options.peer, options.classes, options.steps, options.seed)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

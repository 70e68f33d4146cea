"""Other people's networks: what stopping early and folding gain over a plain hook: python -m bench.zoo [--rounds 5] [--threads N]

Ten architectures of torchvision and timm with random weights, a picture at the native size, a block two thirds of the way up and the class
scores. The plain hook is what the usual tools do: the whole network runs, its parameters frozen or not. All ways take turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from reverie.ascent import kept_memory
from reverie.networks import Network
from reverie.networks.inspection.hooks import first_tensor
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.outputs import class_scores
from reverie.target import CLASSES

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.helpers.zoo import ZOO, built, opened

TEN = (
    "torchvision:googlenet", "torchvision:vgg16", "torchvision:resnet50", "torchvision:densenet121", "torchvision:mobilenet_v3_large",
    "torchvision:efficientnet_b0", "torchvision:convnext_tiny", "torchvision:regnet_y_400mf", "torchvision:swin_t",
    "timm:vit_tiny_patch16_224",
)  # fmt: skip


def block_of(network: Network) -> str:
    """A block two thirds of the way up."""
    blocks = [
        each.name
        for each in network.layers
        if each.kind in ("block", "convolution") and each.height > 1 and not LayerName.parse(each.name).part
    ]
    return blocks[2 * len(blocks) // 3]


def hooked(network: Network, name: str, picture: Tensor, *, frozen: bool) -> Callable[[], Tensor]:
    """The gradient of the layer's mean square by a hook on it, the whole network run."""
    module = network.module

    def step() -> Tensor:
        module.requires_grad_(not frozen)
        seen: list[Tensor] = []

        def note(_module: nn.Module, _inputs: object, output: object) -> None:
            tensor = first_tensor(output)
            assert tensor is not None
            seen.append(tensor)

        handle = module.get_submodule(name).register_forward_hook(note) if name != CLASSES else None
        x = picture.detach().requires_grad_(True)
        output = module(network.normalise(x))
        if handle is None:
            seen.append(class_scores(output))
        else:
            handle.remove()
        seen[0].square().mean().backward()  # type: ignore[no-untyped-call]
        module.zero_grad(set_to_none=True)
        module.requires_grad_(False)
        assert x.grad is not None
        return x.grad

    return step


def ours(network: Network, name: str, picture: Tensor) -> Callable[[], Tensor]:
    prepared = network.prepare([name]).taped()  # as a dream has it

    def step() -> Tensor:
        x = picture.detach().requires_grad_(True)
        return torch.autograd.grad(prepared(x)[name].square().mean(), x)[0]

    return step


def row(name: str, rounds: int) -> str:
    network = opened(name, built(name))
    picture = torch.rand(1, 3, *network.size, generator=torch.Generator().manual_seed(0))
    layer = block_of(network)
    ways = {
        (target, way): step
        for target in (layer, CLASSES)
        for way, step in (
            ("unfrozen", hooked(network, target, picture, frozen=False)),
            ("frozen", hooked(network, target, picture, frozen=True)),
            ("ours", ours(network, target, picture)),
        )
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in ways}
    for number in range(rounds + 1):
        for key, step in ways.items():
            with kept_memory():  # for all alike
                for _ in range(3):
                    began = time.perf_counter()
                    step()
                    if number:
                        times[key].append(time.perf_counter() - began)
    found = {key: statistics.median(each) * 1e3 for key, each in times.items()}
    cells = [f"`{name}`", f"`{layer}`"]
    for target in (layer, CLASSES):
        plain, frozen, mine = (found[target, way] for way in ("unfrozen", "frozen", "ours"))
        cells += [f"{plain:.0f}", f"{frozen:.0f}", f"{mine:.0f}", f"**{frozen / mine:.2f} ×**"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.zoo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", choices=sorted(ZOO), nargs="*", default=TEN)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.threads} threads, torch {torch.__version__}; ms a step, medians of {options.rounds} rounds of three\n")
    head = ("hook", "hook, frozen", "ours", "gain over the frozen hook")
    print(f"| network | block | {' | '.join(head)} | {' | '.join('classes: ' + each for each in head)} |")
    print("| --- | --- | " + "---: | " * 8)
    for name in options.only:
        print(row(name, options.rounds), flush=True)


if __name__ == "__main__":
    main()

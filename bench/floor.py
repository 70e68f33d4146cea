"""The fastest a step could be: its multiplications at the rate at which this machine multiplies matrices."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

SHAPES = (  # rows, inner, columns: squares, and lite0's 1×1 convolutions on 640×360 (pixels, channels in, channels out)
    (1024, 1024, 1024),
    (1536, 1536, 1536),
    (2048, 2048, 2048),
    (57600, 16, 96),
    (14400, 24, 144),
    (3600, 40, 240),
    (920, 80, 480),
    (920, 112, 672),
)


class Rate(NamedTuple):
    """FLOP a second of one shape."""

    best: float
    median: float


def sgemm_rates(threads: int, repeats: int = 7) -> dict[tuple[int, int, int], Rate]:
    """fp32 matrix products of each shape; a product counts 2 × rows × inner × columns."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return {shape: _rate(*shape, repeats) for shape in SHAPES}
    finally:
        torch.set_num_threads(before)


def _rate(rows: int, inner: int, columns: int, repeats: int) -> Rate:
    a, b, out = torch.rand(rows, inner), torch.rand(inner, columns), torch.empty(rows, columns)
    torch.mm(a, b, out=out)  # warm-up
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        rates.append(2 * rows * inner * columns / (time.perf_counter() - start))
    return Rate(max(rates), statistics.median(rates))


def sgemm_rate(threads: int) -> float:
    """The measured sgemm rate: the best run of the best shape, in FLOP a second. It favours no one: the floor it gives is the lowest."""
    return max(rate.best for rate in sgemm_rates(threads).values())


def count_flops(module: nn.Module, x: Tensor, stop_at: str) -> tuple[int, int]:
    """FLOP of (forward up to the layer `stop_at`, gradient of that layer's output with respect to `x`).

    Convolutions by their own kernels, at 2 a multiplication and addition; the gradient of its input costs as much again.
    Norms, activations and gradients of the weights count nothing.
    """
    counted = [0]
    total: list[int] = []

    def count(part: nn.Module, _inputs: object, output: Tensor) -> None:
        if isinstance(part, nn.Conv2d):
            height, width = part.kernel_size
            counted[0] += 2 * output.numel() * (part.in_channels // part.groups) * height * width

    hooks = [part.register_forward_hook(count) for part in module.modules()]
    hooks.append(module.get_submodule(stop_at).register_forward_hook(lambda *_: total.append(counted[0])))
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    return total[-1], total[-1]


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if names:
            return f"{names[0]}, {len(names)} cores"
    return f"{platform.processor() or 'unknown processor'}, {os.cpu_count()} cores"

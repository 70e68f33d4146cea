"""The pretended GPU itself: it works out what the CPU does, refuses what CUDA refuses, counts what is waited for, and leaves no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.pretend_device import OnDevice, pretending
from torch import Tensor, nn


def _column(x: Tensor) -> Tensor:
    waves = torch.fft.rfft2(x)
    waves[..., 0] = (waves[..., 0] + waves[..., 0].flip(-1).roll(1, -1).conj()) / 2
    back: Tensor = torch.fft.irfft2(waves, s=x.shape[-2:])
    return back


def _in_place(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :, 2:4] *= 2
    y[..., 0, 0] = 1.0
    y.view(2, 3, -1).transpose(1, 2)[:, 5].add_(1)
    return y.clamp_(0, 1)


WORKED_OUT: dict[str, Callable[[Tensor], Tensor]] = {
    "convolution": lambda x: F.conv2d(x, torch.ones(4, 3, 3, 3, device=x.device), padding=1).relu(),
    "channels last": lambda x: F.hardtanh(F.conv2d(x.contiguous(memory_format=torch.channels_last), x[:1, :, :3, :3])),
    "pooling": lambda x: F.adaptive_avg_pool2d(F.max_pool2d(x.contiguous(memory_format=torch.channels_last), 2), 1),
    "resampling": lambda x: F.interpolate(x, (5, 13), mode="bicubic", antialias=True),
    "sampling": lambda x: F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False),
    "spectrum": _column,
    "in place": _in_place,
    "largest": lambda x: x.max(3)[0] + x.amax(3),
    "index": lambda x: x[:, :, [1, 0]].index_select(3, torch.tensor([2, 1], device=x.device)),
    "einsum": lambda x: torch.einsum("ij,njhw->nihw", x[0, :, 0, :3], x),
    "dtype": lambda x: x.bfloat16().matmul(x.bfloat16().transpose(2, 3)).float(),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x),
}


@pytest.mark.parametrize("name", WORKED_OUT)
def test_values_and_gradients_are_those_of_the_cpu(name: str) -> None:
    x = torch.rand(2, 3, 8, 10, generator=torch.Generator().manual_seed(1))

    def found(x: Tensor) -> tuple[Tensor, Tensor]:
        x.requires_grad_(True)
        y = WORKED_OUT[name](x)
        return y, torch.autograd.grad(y.square().sum(), x)[0]

    wanted = found(x.clone())
    with pretending() as log:
        here = found(x.to("cuda"))
        assert all(isinstance(each, OnDevice) and each.device == torch.device("cuda:0") and each.is_cuda for each in here)
        got = [each.detach().cpu() for each in here]
    assert all(torch.allclose(one, other, rtol=1e-5, atol=1e-7) for one, other in zip(got, wanted, strict=True)) and not log.refused


def test_a_network_moves_there_and_back() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(inplace=True), nn.Flatten(), nn.Linear(64, 2)).eval()
    x = torch.rand(1, 3, 6, 6)
    wanted = module(x)
    with pretending():
        moved = copy.deepcopy(module).to("cuda")
        again = copy.deepcopy(moved)
        assert all(isinstance(each, nn.Parameter) and each.is_cuda for each in again.parameters())
        for each in again.parameters():
            if each.dim() == 4:
                each.data = each.data.contiguous(memory_format=torch.channels_last)
                assert each.is_contiguous(memory_format=torch.channels_last)
        assert torch.allclose(again(x.cuda()).cpu(), wanted, rtol=1e-5)
        assert torch.allclose(again.cpu()(x), wanted, rtol=1e-5)


MIXED: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "sum": lambda here, there: here + there,
    "in place": lambda here, there: here.add_(there),
    "on the CPU in place": lambda here, there: there.add_(here),
    "written to the CPU": lambda here, there: torch.add(here, here, out=there),
    "a number of the CPU in place": lambda here, there: there.sum().add_(here.sum()),
    "joined": lambda here, there: torch.cat([here, there]),
    "numbers stacked": lambda here, there: torch.stack([here.sum(), there.sum()]),
    "matrices": lambda here, there: here @ there,
    "index": lambda here, there: here.index_select(0, torch.tensor([0])),
    "by an index of the device": lambda here, there: there[torch.tensor([0], device="cuda")],
    "set": lambda here, there: here.index_put_((torch.tensor([0, 1]),), there[:2]),
    "where": lambda here, there: torch.where(here > 0, here, there),
    "polar": lambda here, there: torch.polar(there, here),
    "drawn": lambda here, there: torch.rand(2, device="cuda", generator=torch.Generator()),
    "drawn in place": lambda here, there: here.normal_(generator=torch.Generator()),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_cuda_refuses_is_refused(name: str) -> None:
    with pretending() as log:
        with pytest.raises(RuntimeError, match=r"same device|device type for generator"):
            MIXED[name](torch.ones(3, 3, device="cuda"), torch.ones(3, 3))
        assert len(log.refused) == 1


def test_numpy_is_refused() -> None:
    with pretending(), pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        torch.ones(2, device="cuda").numpy()


def test_what_cuda_takes_is_taken() -> None:
    """A number in the CPU's memory beside tensors of the device, and indices there."""
    number = torch.tensor(2.0)
    with pretending() as log:
        x = torch.arange(6.0, device="cuda").view(2, 3)
        assert (x + number).cpu().tolist() == [[2, 3, 4], [5, 6, 7]]
        assert torch.where(x > 2, x, number).cpu().tolist() == [[2, 2, 2], [3, 4, 5]]
        assert x[:, torch.tensor([2, 0])].cpu().tolist() == [[2, 0], [5, 3]]
        assert torch.zeros(2).copy_(x[0, :2]).tolist() == [0, 1] and not log.refused


WAITING: dict[str, tuple[Callable[[Tensor], Any], int, int]] = {
    "nothing": (lambda x: (x * 2 + torch.linspace(0, 1, 4, device="cuda")).clamp(0, 1).mean(), 0, 0),
    "number": (lambda x: float(x.sum()), 1, 0),
    "truth": (lambda x: bool((x > 1).any()), 1, 0),
    "list": (lambda x: x.tolist(), 1, 0),
    "to the CPU": (lambda x: x.cpu(), 1, 0),
    "copied to the CPU": (lambda x: torch.zeros(4, 4).copy_(x), 1, 0),
    "places": (lambda x: x.nonzero(), 1, 0),
    "by a mask": (lambda x: x[x > 0], 1, 0),
    "to the device": (lambda x: torch.ones(2).to("cuda"), 0, 1),
    "made of numbers": (lambda x: torch.tensor([1.0, 2.0], device="cuda"), 0, 1),
    "to the device, not waited for": (lambda x: torch.ones(2).to("cuda", non_blocking=True), 0, 0),
    "set to a number": (lambda x: x[0].fill_(1.0), 0, 0),
    "set by index": (lambda x: x.__setitem__((slice(None), 0), 1.0), 0, 0),
    "by an index of the CPU": (lambda x: x[torch.tensor([0])], 0, 1),
    "by numbers": (lambda x: x[0, 1:3], 0, 0),
    "by a list of numbers": (lambda x: x[[0, 2]], 0, 1),
}


@pytest.mark.parametrize("name", WAITING)
def test_what_is_waited_for_is_counted(name: str) -> None:
    function, reads, writes = WAITING[name]
    with pretending() as log:
        x = torch.ones(4, 4, device="cuda")
        function(x)
        assert (log.reads.total(), log.writes.total()) == (reads, writes)


def test_nothing_is_left_of_it() -> None:
    with pretending(bfloat16=True):
        assert torch.cuda.is_available() and torch.cuda.get_device_capability() == (8, 0)
    with pretending():
        assert torch.cuda.get_device_capability() < (8, 0)
    if torch.cuda.is_available():
        return
    with pytest.raises((AssertionError, RuntimeError)):
        torch.ones(2, device="cuda")
    with pytest.raises((AssertionError, RuntimeError)):
        torch.ones(2).to("cuda")
    assert type(torch.ones(2, device="meta")) is Tensor

"""A tape gives the bytes of the network itself, from the third pass at a size on; where it cannot, the network itself runs."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import ODD, Flow, looked_into, picture, pull, settled, wrapped
from torch import Tensor, nn

from reverie.networks import Network
from reverie.networks.prepared.prepared import Prepared
from reverie.networks.tape.tapes import MOST

PASSES = 6


def three() -> nn.Module:
    torch.manual_seed(1)
    return nn.Conv2d(3, 3, 3, padding=1).requires_grad_(False)


def taken(way: Callable[[Any, Tensor], Any]) -> Prepared:
    """A network whose class scores are the means of what `way` gives."""
    net = wrapped(Flow(lambda m, x: m.last(way(m, x)).mean((2, 3)), first=three(), last=three()))
    return net.prepare(["last"]).taped()


def seen(ready: Prepared, x: Tensor) -> tuple[list[Tensor], Tensor]:
    x = x.clone().requires_grad_(True)
    given = ready(x)
    total: Any = sum(pull_of(each) for each in given.values())
    (slope,) = torch.autograd.grad(total, x)
    return [each.detach().clone() for each in given.values()], slope


def pull_of(activation: Tensor) -> Tensor:
    return (activation * torch.randn(activation.shape, generator=torch.Generator().manual_seed(2))).sum()


def same(ready: Prepared, size: tuple[int, int] = (32, 32), count: int = 1) -> bool:
    """Whether pass after pass gives the same bytes with a tape as without."""
    plain = type(ready)(**{**vars(ready), "on_tape": False})
    for number in range(PASSES):
        x = torch.cat([picture(*size, seed=10 * number + each) for each in range(count)])
        (values, slope), (wanted, pulled) = seen(ready, x), seen(plain, x)
        if not (all(map(torch.equal, values, wanted)) and torch.equal(slope, pulled)):
            return False
    return True


def passes(ready: Prepared, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Filled with a number for each pass of the module itself."""
    ran: list[int] = []
    ready.module.register_forward_pre_hook(lambda *_: ran.append(1))
    return ran


@pytest.mark.parametrize("kind", ODD)
def test_a_tape_gives_the_bytes_of_the_network(kind: str) -> None:
    torch.manual_seed(3)
    net = wrapped(settled(ODD[kind][0]()))
    for name in looked_into(net):
        assert same(net.prepare([name]).taped()), name


def test_the_module_runs_no_more_once_the_tape_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = taken(lambda m, x: torch.relu(m.first(x)))
    ran = passes(ready, monkeypatch)
    for number in range(PASSES):
        seen(ready, picture(seed=number))
    assert len(ran) == 2 and not ready.tapes.refused  # recorded, and compared
    for size, more in (((20, 36), 2), ((18, 22), 1)):  # at the second size too; from the third on it is believed
        before = len(ran)
        for number in range(PASSES):
            seen(ready, picture(*size, seed=number))
        assert len(ran) == before + more
    assert same(ready, (20, 36)) and same(ready, (17, 23)) and same(ready, count=3)


def in_place(m: Any, x: Tensor) -> Any:
    y = m.first(x)
    y += 0.5
    y.mul_(2)
    return F.relu_(y)


def of_views(m: Any, x: Tensor) -> Any:
    one, two, three = m.first(x).split(1, 1)
    return torch.cat([two.relu(), torch.stack([three, one], 1).flatten(1, 2)], 1)


def with_constants(m: Any, x: Tensor) -> Any:
    grid = torch.arange(x.shape[3], dtype=x.dtype).expand(x.shape[2:]) / 10
    weight = torch.zeros(3)
    weight[1:] = 2
    return m.first(x) * weight.view(3, 1, 1) + grid


def of_a_written_buffer(m: Any, x: Tensor) -> Any:
    y = m.first(x)
    room = torch.empty_like(y)
    return room.copy_(y.sigmoid())


def written_part_by_part(m: Any, x: Tensor) -> Any:
    y = m.first(x)
    room, first = torch.empty_like(y), y[:, :1]
    for number in range(3):
        room[:, number] = y[:, 2 - number].exp()
    y[:, 1:].mul_(3)
    return room * 2 + y + first


def into_its_input(m: Any, x: Tensor) -> Any:
    x.sub_(0.5)
    return m.first(x)


def into_its_input_twice(m: Any, x: Tensor) -> Any:
    x.sub_(0.5)
    return m.first(F.relu_(x))


def of_conjugates(m: Any, x: Tensor) -> Any:
    waves = torch.fft.rfft2(m.first(x))
    return torch.fft.irfft2(waves * waves.conj() + waves, s=x.shape[2:]) + torch.view_as_real(waves)[..., 1].mean()


def old_view(m: Any, x: Tensor) -> Any:
    y = m.first(x).square()
    half = y[:, 1:2]
    with torch.no_grad():
        y.add_(1)
    return y.detach() + half.detach() + m.first(x)


@pytest.mark.parametrize(
    "way", [in_place, of_views, with_constants, of_a_written_buffer, written_part_by_part, into_its_input, of_conjugates, old_view]
)
def test_what_overwrites_makes_views_and_has_constants_is_on_tape(way: Any) -> None:
    ready = taken(way)
    assert same(ready) and not ready.tapes.refused and ready.tapes.believed == {("last",)}


def by_its_mean(m: Any, x: Tensor) -> Any:
    y = m.first(x)
    return y if float(y.detach().mean()) > 0 else -y


def through_numpy(m: Any, x: Tensor) -> Any:
    return m.first(x) * torch.from_numpy(x.detach().numpy().mean((1, 2, 3)).copy()).view(-1, 1, 1, 1)


def by_a_list(m: Any, x: Tensor) -> Any:
    y = m.first(x)
    return y if y.detach().mean(1).tolist()[0][3][4] > 0 else 3 * y


def through_a_sequence(m: Any, x: Tensor) -> Any:
    if not hasattr(m, "sequence"):
        torch.manual_seed(4)
        m.sequence = nn.LSTM(3, 3, batch_first=True).requires_grad_(False)
    y = m.sequence(F.avg_pool2d(m.first(x), 4).flatten(2).transpose(1, 2))[0]
    return m.first(x) * y.mean((1, 2)).view(-1, 1, 1, 1)


def counting(m: Any, x: Tensor) -> Any:
    m.steps = getattr(m, "steps", torch.zeros(()))
    m.steps.add_(x.detach().mean())
    return m.first(x) * (1 + 0 * m.steps)


@pytest.mark.parametrize("way", [by_its_mean, through_numpy, by_a_list, through_a_sequence, into_its_input_twice, counting])
def test_what_cannot_be_played_back_runs_itself(way: Any) -> None:
    ready = taken(way)
    assert same(ready) and ready.tapes.refused


def test_chance_is_not_put_on_tape() -> None:
    net = wrapped(Flow(lambda m, x: m.last(m.first(x) + 0.1 * torch.randn(x.shape)).mean((2, 3)), first=three(), last=three()))
    assert not net.prepare(["last"]).taped().on_tape


def test_several_layers_and_those_without_a_gradient() -> None:
    net = wrapped(Flow(lambda m, x: m.last(m.middle(m.first(x))).mean((2, 3)), first=three(), middle=nn.Tanh(), last=three()))
    assert same(net.prepare(["first", "middle", "last"]).taped())
    ready = net.prepare(["first", "last"]).taped()
    for number in range(PASSES):  # nobody asks for a gradient of the second
        x = picture(seed=number).requires_grad_(True)
        wanted = pull(net.prepare(["first"])(x)["first"], x)
        assert torch.equal(pull(ready(x)["first"], x), wanted)


def test_two_passes_do_not_mix_and_a_gradient_is_had_once() -> None:
    ready = taken(in_place)
    for number in range(4):
        x, other = picture(seed=7).requires_grad_(True), picture(seed=8).requires_grad_(True)
        first, second = ready(x)["last"], ready(other)["last"]
        wanted = seen(ready, picture(seed=7))[1]
        assert torch.equal(torch.autograd.grad(pull_of(first), x, retain_graph=True)[0], wanted), number
        with pytest.raises(RuntimeError, match="asked for once"):
            torch.autograd.grad(pull_of(first), x)
        assert torch.equal(torch.autograd.grad(pull_of(second), other)[0], seen(ready, picture(seed=8))[1]), number


def test_gradients_of_one_memory_are_apart_at_the_next_pass() -> None:
    net = wrapped(Flow(lambda m, x: m.last(torch.tanh(m.first(x))).mean((2, 3)), first=three(), last=three()))
    ready = net.prepare(["first", "last"]).taped()
    plain = net.prepare(["first", "last"])
    sums: list[Callable[[Any], Tensor]] = [
        *3 * [lambda y: y["first"].sum() + y["last"].sum()],
        lambda y: 2 * y["first"].sum() + y["last"].square().sum(),
    ]
    for number, total in enumerate(sums):
        x = picture(seed=number).requires_grad_(True)
        one, other = (torch.autograd.grad(total(each(x)), x)[0] for each in (ready, plain))
        assert torch.equal(one, other), number


def test_a_gradient_laid_out_otherwise_is_taken() -> None:
    ready = taken(of_views)
    for number in range(PASSES):
        x = picture(seed=number).requires_grad_(True)
        means: list[Callable[[Tensor], Tensor]] = [torch.mean, lambda y: (y / y.numel()).sum()]
        one, other = (torch.autograd.grad(mean(ready(x)["last"]), x)[0] for mean in means)
        assert torch.allclose(one, other, atol=1e-7)


def test_nothing_of_a_pass_is_kept() -> None:
    ready = taken(in_place)
    for number in range(4):
        seen(ready, picture(seed=number))
        x = picture(seed=number).requires_grad_(True)
        y = ready(x)["last"]
        kept = weakref.ref(y.untyped_storage()), weakref.ref(y)
        pull_of(y).backward()  # type: ignore[no-untyped-call]
        del y
        gc.collect()
        assert all(each() is None for each in kept), number


def test_only_some_tapes_are_kept() -> None:
    ready = taken(in_place)
    for side in range(8, 8 + MOST + 4):
        seen(ready, picture(side, side))
    assert len(ready.tapes) == MOST


def test_new_weights_have_new_tapes() -> None:
    module = Flow(lambda m, x: m.last(m.first(x)).mean((2, 3)), first=three(), last=three())
    net: Network = wrapped(module)
    for number in range(4):
        seen(net.prepare(["last"]).taped(), picture(seed=number))
    with torch.no_grad():
        module.first.weight.mul_(2)
    assert same(net.prepare(["last"]).taped())


def test_tapes_of_all_layers_together_are_few() -> None:
    parts = {f"part{number}": three() for number in range(4)}

    def way(m: Any, x: Tensor) -> Any:
        for name in parts:
            x = torch.tanh(getattr(m, name)(x))
        return m.last(x).mean((2, 3))

    net = wrapped(Flow(way, **parts, last=three()))
    for name in parts:
        for side in range(8, 16):
            seen(net.prepare([name]).taped(), picture(side, side))
    assert len(net.prepare(["last"]).tapes) == MOST


def test_threads_share_tapes() -> None:
    ready, faults = taken(in_place), []

    def looking(first: int) -> None:
        try:
            for number in range(40):
                seen(ready, picture(8 + (first + number) % 24, 16))
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=looking, args=(7 * each,)) for each in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults and len(ready.tapes) == MOST

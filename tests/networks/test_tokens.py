"""Transformers and networks whose channels come last: tokens on their grid, the class token apart, attention, windows of one size."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.helpers.tiny import SIDE, Flow, close, picture, prepared, wrapped
from tests.sweep import state
from torch import Tensor, nn

import reverie
from reverie.api.journey_ring import ring_of
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.attribution import available
from reverie.networks.inspection.layouts import Layout, layout_of
from reverie.target import CLASSES

GRID, WIDE = 4, 8


class Attending(nn.Module):
    """Self-attention of two heads, by PyTorch's fused function or by hand."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.qkv, self.out, self.fused = nn.Linear(WIDE, 3 * WIDE), nn.Linear(WIDE, WIDE), fused

    def weights(self, x: Tensor) -> Tensor:
        query, key, _ = self.qkv(x).view(*x.shape[:2], 3, 2, WIDE // 2).permute(2, 0, 3, 1, 4)
        found: Tensor = (query @ key.transpose(-2, -1) / math.sqrt(WIDE // 2)).softmax(-1)  # (N, 2, T, T)
        return found

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).view(*x.shape[:2], 3, 2, WIDE // 2).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value) if self.fused else self.weights(x) @ value
        y: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return y


class Block(nn.Module):
    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.norm, self.attn = nn.LayerNorm(WIDE), Attending(fused)
        self.mlp = nn.Sequential(nn.Linear(WIDE, 12), nn.GELU(), nn.Linear(12, WIDE))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm(x))
        y: Tensor = x + self.mlp(x)
        return y


class Vit(nn.Module):
    """Patches of 4 pixels, a class token (or none), two blocks, three classes; takes pictures of 16×16 alone."""

    def __init__(self, kind: str = "fused", token: bool = True, seed: int = 0) -> None:
        super().__init__()
        print(f"seed {seed}")
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.patch = nn.Conv2d(3, WIDE, 4, stride=4)
            self.token = nn.Parameter(torch.randn(1, 1, WIDE)) if token else None
            self.place = nn.Parameter(torch.randn(1, GRID * GRID + token, WIDE))
            if kind == "pytorch":
                self.blocks = nn.Sequential(*(nn.TransformerEncoderLayer(WIDE, 2, 12, batch_first=True) for _ in range(2)))
            else:
                self.blocks = nn.Sequential(*(Block(kind == "fused") for _ in range(2)))
            self.head = nn.Linear(WIDE, 3)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        row = self.patch(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            row = torch.cat([self.token.expand(len(x), -1, -1), row], 1)
        row = self.blocks(row + self.place)
        scores: Tensor = self.head(row[:, 0] if self.token is not None else row.mean(1))
        return scores


def vit(**choices: Any) -> Network:
    return wrapped(Vit(**choices))


@pytest.mark.parametrize("kind", ["fused", "by hand", "pytorch"])
def test_tokens_lie_on_their_grid_and_the_class_token_apart(kind: str) -> None:
    network, x = vit(kind=kind), picture()
    by_name = {each.name: each for each in network.layers}
    assert (by_name["blocks.1"].kind, by_name["blocks"].kind) == ("block", "stage")
    for each in ("blocks.0", "blocks.1"):
        assert tuple(by_name[each][2:7]) == (WIDE, GRID, GRID, 4, None)
    with network.watch("blocks.0", "blocks.0/class") as raw:
        network(x)
    assert raw["blocks.0"].shape == (1, 1 + GRID * GRID, WIDE)
    assert torch.equal(raw["blocks.0/class"], raw["blocks.0"][:, 0])
    seen = network.prepare(["blocks.0", "blocks.0/class"])(x)
    for row in range(GRID):
        for column in range(GRID):
            assert close(seen["blocks.0"][0, :, row, column], raw["blocks.0"][0, 1 + row * GRID + column])
    assert close(seen["blocks.0/class"], raw["blocks.0"][:, 0, :, None, None])
    assert network.layer("blocks.0/class") == (1, WIDE, 1, 1)
    assert prepared(network, "blocks.0/class", x)[1].any()


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("kind", ["fused", "by hand"])
def test_attention_is_what_the_softmax_gives(kind: str, token: bool) -> None:
    network, x = vit(kind=kind, token=token), picture()
    name = "blocks.1.attn/attention"
    layer = next(each for each in network.layers if each.name == name)
    assert (layer.kind, layer.channels, layer.height, layer.width, layer.stride) == ("attention", 2, GRID, GRID, 4)
    block: Any = network.module.get_submodule("blocks.1")
    with network.watch("blocks.0", name) as raw:
        network(x)
    wanted = block.attn.weights(block.norm(raw["blocks.0"]))
    assert close(raw[name], wanted) and close(raw[name].sum(-1), torch.ones(1, 2, GRID * GRID + token))
    seen, gradient = prepared(network, name, x)
    towards = wanted[:, :, 0, 1:] if token else wanted.mean(2)
    assert close(seen, towards.view(1, 2, GRID, GRID)) and gradient.any()


def test_pytorchs_own_attention_gives_the_same_with_and_without_somebody_watching() -> None:
    network, x = vit(kind="pytorch"), picture()
    names = [each.name for each in network.layers if each.kind == "attention"]
    assert names == ["blocks.0.self_attn/attention", "blocks.1.self_attn/attention"]
    plain = network.module(x).detach()
    with network.watch(*names) as raw:
        assert close(network(x), plain)
    assert close(raw[names[0]].sum(-1), torch.ones(1, 2, GRID * GRID + 1))
    assert close(network.prepare([*names, CLASSES])(x)[CLASSES], plain)


def test_names_of_parts_that_are_not_there() -> None:
    for name, fault in (
        ("blocks.0/attention", r"no layer.*did you mean 'blocks.0.attn/attention'"),
        ("patch/class", "has no class token"),
        ("block.0/class", r"did you mean 'blocks\.0'"),
        ("blocks.0.attn#1/attention", "called 1 times"),
    ):
        with pytest.raises(UsageError, match=fault):
            vit().prepare([name])
    with pytest.raises(UsageError, match="no class token"):
        vit(token=False).layer("blocks.0/class")


@pytest.mark.parametrize(
    "layout", [Layout("first", (4, 4)), Layout("last", (4, 4)), Layout("tokens", (4, 4), 0), Layout("tokens", (4, 4), 3)], ids=str
)
def test_maps_go_back_to_what_the_module_gave(layout: Layout) -> None:
    shape = {"first": (1, 5, 4, 4), "last": (1, 4, 4, 5), "tokens": (1, layout.before + 16, 5)}[layout.order]
    given = torch.rand(shape)
    maps = layout.to_maps(given)
    assert maps.shape == (1, 5, 4, 4) and torch.equal(layout.from_maps(maps, given), given)
    assert torch.equal(layout.from_maps(maps.expand(3, -1, -1, -1), given), given.expand(3, *shape[1:]))


@pytest.mark.parametrize(
    ("shape", "wide", "layout"),
    [
        ((1, 5, 8, 8), None, Layout("first", (8, 8))),
        ((1, 8, 8, 5), None, Layout("last", (8, 8))),
        ((1, 4, 4, 5), None, Layout("last", (4, 4))),
        ((1, 8, 8, 8), (1, 8, 16, 8), Layout("last", (8, 8))),
        ((1, 8, 8, 8), (1, 8, 8, 16), Layout("first", (8, 8))),
        ((1, 64, 5), None, Layout("tokens", (8, 8), 0)),
        ((1, 66, 5), None, Layout("tokens", (8, 8), 2)),
        ((1, 64, 5), (1, 64, 5), None),
        ((1, 60, 5), None, None),
        ((4, 64, 5), None, None),
        ((1, 5), None, None),
        ((), None, None),
    ],
    ids=str,
)
def test_layouts_follow_from_shapes(shape: tuple[int, ...], wide: tuple[int, ...] | None, layout: Layout | None) -> None:
    assert layout_of(shape, {(8, 8)}, (16, 16), wide) == layout


def test_channels_that_come_last_are_brought_first() -> None:
    """As many channels as rows and columns, so that only a wider picture tells them apart."""
    module = Flow(
        lambda m, x: m.block(m.conv(x).permute(0, 2, 3, 1)).mean((1, 2)), conv=nn.Conv2d(3, 8, 2, 2), block=nn.Sequential(nn.Linear(8, 8))
    )
    network, x = wrapped(module), picture()
    layer = network.layers[-1]
    assert (layer.name, layer.channels, layer.stride, layer.receptive_field) == ("block", 8, 2, 2)
    assert close(network.prepare(["block"])(x)["block"], module.block(module.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


@pytest.mark.parametrize(("height", "width"), [(16, 24), (40, 20), (8, 16), (16, 32)])
def test_other_sizes_are_seen_through_windows(height: int, width: int) -> None:
    network, x = vit(), picture(height, width)
    large = F.interpolate(x, (16, 32), mode="bilinear", align_corners=False) if height < SIDE else x
    rows, columns = math.ceil(large.shape[2] / SIDE), math.ceil(large.shape[3] / SIDE)
    seen = network.prepare(["blocks.1", CLASSES])(x)
    assert seen["blocks.1"].shape == (1, WIDE, GRID * rows, GRID * columns)
    native = network.prepare(["blocks.1", CLASSES])
    corner = native(large[:, :, :SIDE, :SIDE])["blocks.1"]
    assert close(seen["blocks.1"][..., :GRID, :GRID], corner)
    other = native(large[:, :, -SIDE:, -SIDE:])["blocks.1"]
    assert close(seen["blocks.1"][..., -GRID:, -GRID:], other)
    tops = [round(at * (large.shape[2] - SIDE) / max(1, rows - 1)) for at in range(rows)]
    lefts = [round(at * (large.shape[3] - SIDE) / max(1, columns - 1)) for at in range(columns)]
    scores = [native(large[:, :, top : top + SIDE, left : left + SIDE])[CLASSES] for top in tops for left in lefts]
    assert close(seen[CLASSES], torch.stack(scores).mean(0))


def test_a_transformer_that_runs_at_any_size_is_still_shown_its_own() -> None:
    module = Vit(token=False)
    module.place = nn.Parameter(torch.zeros(1, 1, WIDE))
    network = wrapped(module)
    assert module(picture(SIDE, 32)).shape == (1, 3)
    assert network.is_free("patch") and not network.is_free("blocks.0") and not network.is_free(CLASSES)


def test_where_windows_overlap_the_gradient_is_that_of_one() -> None:
    module = Flow(lambda m, x: m.head(m.conv(x).flatten(1)), conv=nn.Conv2d(3, 2, 1, bias=False), head=nn.Linear(2 * SIDE * SIDE, 3))
    nn.init.ones_(module.conv.weight)
    network = wrapped(module)
    assert network.is_free("conv") and not network.is_free(CLASSES)
    x = picture(SIDE, 24).requires_grad_(True)
    seen = network.prepare(["conv", CLASSES])(x)  # since the classes see windows, so does the layer
    assert seen["conv"].shape == (1, 2, SIDE, 2 * SIDE)
    assert close(torch.autograd.grad(seen["conv"].sum(), x)[0], torch.full_like(x, 2.0))
    assert network.prepare(["conv"])(x)["conv"].shape == (1, 2, SIDE, 24)


@pytest.mark.skipif(not available(), reason="captum is not installed")
@pytest.mark.parametrize("layer", ["patch", "blocks.0"])
def test_what_counted_in_tokens_sums_to_the_change_in_score(layer: str) -> None:
    network, x = vit(kind="by hand", token=False), picture()[0]
    found = network.attribute(x, [layer], 1)[0]
    assert found.values.shape == (WIDE, GRID, GRID)
    assert float(found.values.sum()) == pytest.approx(found.total, abs=0.05 * abs(found.total) + 1e-3)
    with pytest.raises(UsageError, match="where a layer looks, not what it says"):
        network.attribute(x, ["blocks.0.attn/attention"], 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_a_transformer_of_any_precision_dreams_and_is_left_as_it_was(dtype: torch.dtype) -> None:
    module = Vit().to(dtype).train()
    before = state(module)
    network = wrapped(module)
    start = picture(20, 28)[0]
    for target in ("blocks.1", "blocks.1:3", "blocks.0/class", "blocks.1.attn/attention:1", "class:2", "blocks.0 - 0.5*patch:1"):
        dreamt = reverie.dream(start, target=target, network=network, octaves=1, steps=1, keep=False)
        assert dreamt.pixels.isfinite().all() and not torch.equal(dreamt.pixels, start), target
    assert state(module) == before


def test_a_journeys_ring_can_name_parts_and_networks() -> None:
    network = vit()
    _, stops = ring_of(["blocks.0/class:1", "Vit/blocks.1.attn/attention:0", "blocks.1"], network, None)
    assert [str(each.target) for each in stops] == ["blocks.0/class:1", "blocks.1.attn/attention:0", "blocks.1"]
    with pytest.raises(UsageError, match="no network 'blocks'"):
        ring_of(["blocks/0.class", "blocks.1"], network, None)


def test_a_program_of_torch_export_that_takes_one_picture_is_looked_into() -> None:
    early = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    module = nn.Sequential(early, nn.Flatten(), nn.Linear(4 * 14 * 14, 3)).eval()
    program = torch.export.unflatten(torch.export.export(module, (picture(),)))
    network, x = wrapped(program), picture()
    assert "0.0" in [each.name for each in network.layers]
    pair = torch.cat([x, x.flip(3)])
    wanted = module(pair)
    assert close(network.prepare([CLASSES])(pair)[CLASSES], wanted)
    assert close(network.prepare(["0.0"])(pair)["0.0"], early[0](pair))

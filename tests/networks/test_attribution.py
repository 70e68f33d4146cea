"""What counted: the answers worked out by hand, by captum's own way for layers on the module itself, and by the scores alone."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from typing import Any

import captum.attr
import pytest
import skimage.data
import torch
from tests.helpers.tiny import SIDE, Flow, Hand, close, picture, settled, wrapped
from torch import Tensor, nn

from reverie.errors import MissingExtra, UsageError
from reverie.networks import Network, Preprocessing, attribution, wrap_module
from reverie.networks.inspection.readings import Reading
from reverie.pictures import resize
from reverie.target import CLASSES

AREA = SIDE * SIDE


def deep() -> Flow:
    """Two convolutions with norms and ReLUs, of which the first works in place, and a linear head."""
    torch.manual_seed(4)
    parts = dict(
        conv=nn.Conv2d(3, 6, 3),
        norm=nn.BatchNorm2d(6),
        act=nn.ReLU6(inplace=True),
        late=nn.Conv2d(6, 8, 3),
        after=nn.BatchNorm2d(8),
        last=nn.ReLU(),
        head=nn.Linear(8, 5),
    )
    return settled(Flow(lambda m, x: m.head(m.last(m.after(m.late(m.act(m.norm(m.conv(x)))))).mean((2, 3))), **parts))


def by_captum(module: nn.Module, layer: str, x: Tensor, index: int, steps: int, together: int | None = None) -> Tensor:
    """`LayerIntegratedGradients` on a copy of the module as it is, with no norm folded, from a black picture."""
    plain = copy.deepcopy(module)
    for part in plain.modules():
        if isinstance(part, (nn.ReLU, nn.ReLU6)):
            part.inplace = False  # captum hands it a leaf
    way = captum.attr.LayerIntegratedGradients(plain, plain.get_submodule(layer))
    found = way.attribute(x, torch.zeros_like(x), index, n_steps=steps, method="riemann_middle", internal_batch_size=together)
    attributed: Tensor = found[0].detach()
    return attributed


def test_a_linear_rest_gives_weight_times_difference() -> None:
    network = wrapped(Hand())
    x = picture()
    with network.watch("edge") as seen:
        network(x)
    edge = seen["edge"][0].detach()  # of a black picture it is 0 everywhere
    (warm,) = network.attribute(x[0], ["edge"], 1)
    assert warm.layer == "edge" and warm.values.shape == (2, SIDE, SIDE)
    assert not warm.values[0].any() and close(warm.values[1], edge[1] / AREA)
    assert close(warm.places, edge[1] / AREA) and close(warm.channels, torch.stack([torch.tensor(0.0), edge[1].mean()]))
    (edges,) = network.attribute(x[0], ["edge"], 0)
    assert close(edges.values[0], edge[0] / AREA) and not edges.values[1].any()


def test_places_and_channels_are_sums() -> None:
    found = attribution.Attribution("any", torch.tensor([[[1.0, -2.0]], [[0.5, 4.0]]]), 3.5)  # (2, 1, 2)
    assert found.places.tolist() == [[1.5, 2.0]] and found.channels.tolist() == [-1.0, 4.5]


def test_only_the_place_of_a_patch_counts() -> None:
    red = torch.zeros(3, SIDE, SIDE)
    red[0, 2:5, 9:12] = 1
    (found,) = wrapped(Hand()).attribute(red, ["act"], 1)
    wanted = torch.zeros(SIDE, SIDE)
    wanted[2:5, 9:12] = 0.5 / AREA  # warmth 1, halved
    assert close(found.places, wanted) and found.total == pytest.approx(9 * 0.5 / AREA)


def test_against_is_the_difference_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "ROUNDS", 1)  # else each takes as many as it needs
    network, x = wrapped(deep()), picture()[0]
    for layer in ("conv", "act", "late"):
        one, other, both = (network.attribute(x, [layer], *classes)[0] for classes in ((2,), (4,), (2, 4)))
        assert close(both.values, one.values - other.values)
        assert both.total == pytest.approx(one.total - other.total, rel=1e-4) and both.total != one.total


@pytest.mark.parametrize("layer", ["conv", "norm", "act", "late", "after", "last"])
def test_folded_and_fused_gives_what_captum_gives_of_the_module_itself(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "ROUNDS", 1)
    module, x = deep(), picture()
    names = ["conv", "norm", "act", "late", "after", "last"]
    wanted = by_captum(module, layer, x, 3, 40)
    # alone, others folded
    assert close(attribution.attribute(wrapped(module).prepare([layer, CLASSES]), x[0], [layer], 3, steps=40)[0].values, wanted)
    together = attribution.attribute(wrapped(module).prepare([*names, CLASSES]), x[0], names, 3, steps=40)
    assert [each.layer for each in together] == names
    assert close(together[names.index(layer)].values, wanted)


def test_values_sum_to_the_difference_of_the_scores_of_picture_and_mean_colour() -> None:
    network = wrap_module(Hand(), Preprocessing.of(mean=[0.4, 0.5, 0.6], std=[0.25] * 3, size=SIDE))
    x = picture(30, 40)
    mean = torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1).expand(1, 3, SIDE, SIDE)
    change = (network(resize(x, SIDE, SIDE)) - network(mean))[0].detach()
    for index in range(3):
        for found in network.attribute(x[0], ["act", "edge"], index):
            assert found.total == pytest.approx(float(change[index]), rel=1e-4, abs=1e-7)
            assert float(found.values.sum()) == pytest.approx(found.total, rel=1e-4, abs=1e-7)
    for found in network.attribute(x[0], ["light", "norm"], 1):  # a ReLU lies behind: only as many steps as it takes
        assert float(found.values.sum()) == pytest.approx(found.total, rel=0.02)


def test_of_the_pixels_themselves_as_captum_has_it() -> None:
    module, x = deep(), picture(seed=5)
    network = wrap_module(module, Preprocessing.of(mean=[0.4] * 3, std=[0.5] * 3, size=SIDE))
    (found,) = network.attribute(x[0], "pixels", 3, baseline="black")
    plain = Flow(lambda m, y: m.rest((y - 0.4) / 0.5), rest=copy.deepcopy(module))
    for part in plain.modules():
        if isinstance(part, (nn.ReLU, nn.ReLU6)):
            part.inplace = False
    wanted = captum.attr.IntegratedGradients(plain).attribute(x, torch.zeros_like(x), 3, n_steps=800)[0].detach().float()
    assert found.layer == "pixels" and found.values.shape == (3, SIDE, SIDE)
    assert close(found.values, wanted, 0.1) and float(found.values.sum()) == pytest.approx(found.total, rel=0.02, abs=1e-5)
    assert close(found.channels, found.values.sum((1, 2))) and found.places.shape == (SIDE, SIDE)


def test_a_part_of_the_name_pixels_is_meant_before_them() -> None:
    network = wrapped(Flow(lambda m, x: m.head(m.pixels(x).mean((2, 3))), pixels=nn.Conv2d(3, 5, 3), head=nn.Linear(5, 2)))
    assert network.attribute(picture()[0], ["pixels"], 1)[0].values.shape == (5, SIDE - 2, SIDE - 2)


def test_it_is_compared_with_what_is_asked_for() -> None:
    network, x = wrap_module(Hand(), Preprocessing.of(mean=[0.4, 0.5, 0.6], std=[0.25] * 3, size=SIDE)), picture()
    flat = torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1).expand(1, 3, SIDE, SIDE)
    other = picture(30, 20, seed=9)
    begins: dict[Any, Tensor] = {"mean": flat, "black": torch.zeros(1, 3, SIDE, SIDE), other: resize(other, SIDE, SIDE)}
    for baseline, begin in begins.items():
        change = (network(x) - network(begin))[0].detach()
        for found in network.attribute(x[0], ["edge", "pixels"], 1, baseline=baseline):
            assert found.total == pytest.approx(float(change[1]), rel=1e-4, abs=1e-6)
            assert float(found.values.sum()) == pytest.approx(found.total, rel=0.02, abs=1e-5)
    grey = torch.full((1, SIDE, SIDE), 0.3)
    assert network.attribute(grey, ["pixels"], 1, baseline="blurred")[0].values.abs().max() < 1e-6  # there is nothing to blur
    assert network.attribute(x[0], ["pixels"], 1, baseline="blurred")[0].values.any()
    assert network.attribute(x[0], ["pixels"], 1, baseline=grey)[0].values.any()
    with pytest.raises(UsageError, match="baseline=blurry; it is mean, black, blurred or a picture"):
        network.attribute(x[0], ["edge"], 1, baseline="blurry")


def test_several_pictures_come_back_as_several() -> None:
    network = wrapped(deep(), labels=list("abcde"))
    batch = torch.cat([picture(seed=seed) for seed in range(3)])
    apart = [network.attribute(each, ["late", "pixels"], "c", "e") for each in batch]
    for given in (batch, batch.permute(0, 2, 3, 1).numpy(), list(batch)):
        late, pixels = network.attribute(given, ["late", "pixels"], 2, 4)
        assert late.values.shape[:2] == (3, 8) and pixels.values.shape == (3, 3, SIDE, SIDE)
        for number, (one, other) in enumerate(apart):
            assert torch.equal(late.values[number], one.values) and close(pixels.places[number], other.places)
            assert close(late.channels[number], one.channels)
            assert float(late.total[number]) == pytest.approx(one.total)
    assert network.attribute(batch[:1], ["late"], 2)[0].values.shape[0] == 1
    with pytest.raises(UsageError, match="no picture"):
        network.attribute([], ["late"], 2)


def test_a_mean_that_is_no_colour_is_cut_to_one() -> None:
    network = wrap_module(Hand(), Preprocessing.of(mean=[-1.0, 2.0, 0.5], std=[1.0] * 3, size=SIDE))
    nearest = torch.tensor([0.0, 1, 0.5]).view(1, 3, 1, 1).expand(1, 3, SIDE, SIDE)
    change = (network(picture()) - network(nearest))[0].detach()
    assert network.attribute(picture()[0], ["edge"], 1)[0].total == pytest.approx(float(change[1]), rel=1e-4)


def test_lite0_on_a_photograph_is_complete(lite0: Network) -> None:
    cat = torch.from_numpy(skimage.data.chelsea().copy()).permute(2, 0, 1) / 255  # (3, 300, 451)
    (label,) = lite0.recognise(cat, 1)
    small = resize(cat, 224, 224)[None]
    change = (lite0(small) - lite0(torch.full_like(small, 127 / 255)))[0, label.index].detach()
    for found in lite0.attribute(cat, ["blocks.2.1", "blocks.4.1", "blocks.5.1", "blocks.6.0"], label.index):
        assert found.total == pytest.approx(float(change), rel=1e-2)
        assert abs(float(found.values.sum()) - found.total) <= 0.02 * found.total, found.layer
        assert found.places.max() > 0 and found.places.shape == found.values.shape[1:]


def test_steps_are_added_until_the_sum_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = wrapped(deep()), picture()[0]

    def miss(rounds: int) -> float:
        monkeypatch.setattr(attribution, "ROUNDS", rounds)
        (found,) = attribution.attribute(network.prepare(["conv", CLASSES]), x, ["conv"], 0, steps=1)
        return float(abs(float(found.values.sum()) - found.total) / abs(found.total))

    assert miss(1) > 0.03 and miss(200) <= 0.02


def test_calls_of_a_module_used_twice() -> None:
    torch.manual_seed(5)
    module = settled(
        Flow(
            lambda m, x: m.act(m.late(m.act(m.conv(x)))).mean((2, 3)),
            conv=nn.Conv2d(3, 4, 3),
            act=nn.ReLU(inplace=True),
            late=nn.Conv2d(4, 6, 3),
        )
    )
    bare, first, second = wrapped(module).attribute(picture()[0], ["act", "act#0", "act#1"], 2)
    assert first.values.shape[0] == 4 and second.values.shape[0] == 6
    assert torch.equal(bare.values, second.values)
    assert float(second.values.sum()) == pytest.approx(second.total, rel=1e-4)  # a mean is all that follows
    assert float(first.values.sum()) == pytest.approx(first.total, rel=0.02)


def test_a_branch_that_is_joined_to_what_went_round_it() -> None:
    """Many steps cannot be joined to one picture, so they are taken one at a time."""
    torch.manual_seed(6)
    module = Flow(lambda m, x: m.head(torch.cat([x, m.conv(x)], 1).mean((2, 3))), conv=nn.Conv2d(3, 2, 1), head=nn.Linear(5, 3)).eval()
    x = picture()
    (found,) = wrapped(module).attribute(x[0], ["conv"], 1)
    added = (module.conv(x) - module.conv(torch.zeros_like(x)))[0].detach()
    assert close(found.values, added * module.head.weight[1, 3:].detach().view(2, 1, 1) / AREA)
    assert found.total == pytest.approx(float((module(x) - module(torch.zeros_like(x)))[0, 1].detach()), rel=1e-4)


def test_steps_are_not_mixed_by_a_norm_over_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "ROUNDS", 1)
    torch.manual_seed(7)
    parts = dict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4, track_running_stats=False), head=nn.Linear(4, 3))
    module = Flow(lambda m, x: m.head(m.norm(m.conv(x)).amax((2, 3))), **parts).eval()
    x = picture()
    found = wrapped(module).attribute(x[0], ["conv"], 1)[0].values
    assert close(found, by_captum(module, "conv", x, 1, attribution.STEPS, together=1), 1e-3)
    assert not close(found, by_captum(module, "conv", x, 1, attribution.STEPS), 1e-1)


def left(module: nn.Module) -> list[object]:
    hooks = [(len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks)) for part in module.modules()]
    return [hooks, [part.training for part in module.modules()], [each.requires_grad for each in module.parameters()]]


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_is_as_it_was(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module = deep().train()
    module.head.bias.requires_grad_(False)
    before, state = left(module), copy.deepcopy(module.state_dict())
    network = wrapped(module)
    if fails:
        scores = attribution._score
        passes = iter(range(100))

        def failing(*given: Any) -> Tensor:
            if next(passes) == 2:
                raise RuntimeError("half-way")
            return scores(*given)

        monkeypatch.setattr(attribution, "_score", failing)
        monkeypatch.setattr(attribution, "_AT_ONCE", 4)
        with pytest.raises(RuntimeError, match="half-way"):
            network.attribute(picture()[0], ["conv", "late"], 0)
    else:
        network.attribute(picture()[0], ["conv", "late"], 0)
    assert left(module) == before and all(torch.equal(each, state[name]) for name, each in module.state_dict().items())
    assert all(each.grad is None for each in module.parameters())
    copies = network._folded.modules()
    assert copies and not any(part._forward_hooks or part._forward_pre_hooks for each in copies for part in each.modules())


def test_a_fault_inside_a_pass_leaves_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    network = wrapped(deep())
    rest = network.prepare(["conv"]).module
    monkeypatch.setattr(attribution, "takes_several", lambda *given: True)
    monkeypatch.setattr(Reading, "scores", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        network.attribute(picture()[0], ["conv"], 0)
    assert not any(part._forward_hooks for part in rest.modules())


def test_nothing_is_said_and_inference_mode_does_not_matter(capfd: pytest.CaptureFixture[str]) -> None:
    network, x = wrapped(deep()), picture()[0]
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (plain,) = network.attribute(x, ["act"], 0)
        with torch.inference_mode():
            (inside,) = network.attribute(x.clone(), ["act"], 0)
    assert torch.equal(plain.values, inside.values) and not inside.values.requires_grad
    assert capfd.readouterr() == ("", "")


def test_bfloat16_comes_back_as_float32() -> None:
    module, x = deep(), picture()[0]
    coarse = wrapped(module).to("cpu", torch.bfloat16)
    (got,), (wanted,) = (each.attribute(x, ["late"], 0) for each in (coarse, wrapped(module)))
    assert got.values.dtype == torch.float32 and not torch.equal(got.values, wanted.values)
    assert nn.functional.cosine_similarity(got.values.flatten(), wanted.values.flatten(), 0) > 0.95


def test_without_captum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtra, match="pip install captum"):
        wrapped(Hand()).attribute(picture()[0], ["act"], 0)


def test_captum_is_not_imported_before_it_is_needed() -> None:
    script = "import sys, reverie, reverie.networks, reverie.api, reverie.cli\nassert not {'captum', 'matplotlib'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stderr == ""


def test_what_cannot_be_asked() -> None:
    network, x = wrapped(Hand()), picture()[0]
    for layers, classes, fault in (
        (["atc"], (0,), "no layer 'atc'; did you mean 'act'"),
        (["act#1"], (0,), "called 1 times"),
        (["head"], (0,), "layer 'head' has no places: it gives 1×3"),
        (["act"], (3,), "no class 3; the network has 3 classes, numbered from 0"),
        (["act"], (-1,), "no class -1"),
        (["act"], (0, 7), "no class 7"),
        (["act"], (1, 1), "class 1 against itself"),
    ):
        with pytest.raises(UsageError, match=fault):
            network.attribute(x, layers, *classes)
    with pytest.raises(UsageError, match="0 steps"):
        attribution.attribute(network.prepare(["act", CLASSES]), x, ["act"], 0, steps=0)
    pair = Flow(lambda m, x: m.both(x)["a"].mean((2, 3)), both=Flow(lambda m, x: {"a": m.conv(x), "b": x}, conv=nn.Conv2d(3, 4, 3)))
    with pytest.raises(UsageError, match="more than one tensor; name a layer in it"):
        wrapped(pair.eval()).attribute(x, ["both"], 0)


def test_every_layer_that_is_listed_but_where_attention_looks_can_be_asked_for() -> None:
    torch.manual_seed(0)

    def way(m: Any, x: Tensor) -> Tensor:
        return m.head(m.blocks(m.patch(x).flatten(2).transpose(1, 2)).mean(1))  # type: ignore[no-any-return]

    blocks = nn.Sequential(*[nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True) for _ in range(2)])
    network, x = wrapped(settled(Flow(way, patch=nn.Conv2d(3, 8, 4, 4), blocks=blocks, head=nn.Linear(8, 3)))), picture()[0]
    kinds = {each.name: each.kind for each in network.layers}
    counted = network.attribute(x, [name for name, kind in kinds.items() if kind != "attention"], 0)
    assert "blocks.1.self_attn" in kinds and all(bool(each.values.any()) for each in counted)
    with pytest.raises(UsageError, match=r"where a layer looks, not what it says; name 'blocks.1.self_attn' itself"):
        network.attribute(x, ["blocks.1.self_attn/attention"], 0)

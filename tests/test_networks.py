"""Prepared networks give what the module itself gives, in values and gradients, and leave the module as it was."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reverie.errors import UsageError
from reverie.networks import Network, catalogue, open_network, wrap_module
from reverie.networks import device as devices
from reverie.networks.lite import EfficientNetLite
from reverie.networks.outputs import class_scores
from reverie.networks.watch import watch
from reverie.target import CLASSES
from tiny import ODD, SIDE, Flow, Hand, settled, wrapped

INSTALLED = [name for name, facts in catalogue.CATALOGUE.items() if importlib.util.find_spec(facts.package.replace("-", "_"))]


def close(got: Tensor, wanted: Tensor, tolerance: float = 1e-4) -> bool:
    return got.shape == wanted.shape and bool((got - wanted).abs().max() <= tolerance * wanted.abs().max().clamp_min(1e-6))


def picture(height: int = SIDE, width: int = SIDE, channels: int = 3, seed: int = 1) -> Tensor:
    print(f"seed {seed}")
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def pull(activation: Tensor, x: Tensor) -> Tensor:
    """The gradient of a fixed random weighting of an activation with respect to the picture."""
    weights = torch.randn(activation.shape, generator=torch.Generator().manual_seed(2))
    return torch.autograd.grad((activation * weights).sum(), x)[0]


def reference(module: nn.Module, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer of the module itself gives, and its gradient, the plain way."""
    x = x.clone().requires_grad_(True)
    with watch(module, name) as seen:
        module(x)
    return seen[name].detach(), pull(seen[name], x)


def prepared(network: Network, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_(True)
    seen = network.prepare([name])(x)
    assert list(seen) == [name]
    return seen[name].detach(), pull(seen[name], x)


def looked_into(network: Network) -> list[str]:
    names = dict(network.module.named_modules())
    return [name for name in network.anatomy.shapes if "#" not in name and name in names and "parametriz" not in name]


@pytest.mark.parametrize("kind", ODD)
def test_prepared_is_the_module_itself_at_every_layer(kind: str) -> None:
    make, folded, unfolded = ODD[kind]
    torch.manual_seed(3)
    module = settled(make())
    network = wrapped(module)
    x = picture()
    ready = network.prepare([CLASSES])
    assert (ready.folded, ready.unfolded) == (folded, unfolded)
    layers = looked_into(network)
    assert layers
    for name in layers:
        value, gradient = reference(module, name, x)
        got, slope = prepared(network, name, x)
        assert close(got, value), name
        assert close(slope, gradient), name


@pytest.mark.parametrize(
    "kind", ["read twice", "norm used twice", "convolution used twice", "in place before the norm", "no running statistics"]
)
def test_what_must_not_be_folded_is_not_even_tried(kind: str) -> None:
    assert [chain for chain in wrapped(settled(ODD[kind][0]())).anatomy.chains if chain.norm] == []


@pytest.mark.parametrize("kind", ODD)
def test_class_scores_of_the_prepared_network_are_those_of_the_module(kind: str) -> None:
    torch.manual_seed(3)
    module = settled(ODD[kind][0]())
    network = wrapped(module)
    x = picture().requires_grad_(True)
    wanted = class_scores(module(x))
    got = network.prepare([CLASSES])(x)[CLASSES]
    assert close(got, wanted)
    assert close(network(x), wanted)
    assert close(pull(got, x), pull(wanted, x))


@pytest.mark.parametrize("kind", ["in place", "in place before the norm", "in a wrapper", "convolution and ReLU", "one of two overridden"])
def test_activations_taken_together_are_those_taken_alone(kind: str) -> None:
    network = wrapped(settled(ODD[kind][0]()))
    x = picture()
    names = looked_into(network)
    together = network.prepare([*names, CLASSES])(x)
    for name in names:
        assert close(together[name], network.prepare([name])(x)[name]), name
    assert list(network.prepare(names)(x)) == names


@pytest.mark.parametrize("name", INSTALLED)
def test_folded_lite_is_the_plain_one(opened: Callable[[str], Network], name: str) -> None:
    network = opened(name)
    x = picture(70, 96)
    layers = ["blocks.2.1.bn2", "blocks.4.1"] if name == catalogue.DEFAULT else ["blocks.4.1"]
    for layer in layers:
        ready = network.prepare([layer])
        norms = sum(isinstance(part, nn.BatchNorm2d) for part in network.module.modules())
        assert (ready.folded, ready.unfolded) == (norms, 0)
        y = x.clone().requires_grad_(True)
        with network.watch(layer) as seen:
            network(y)
        got, slope = prepared(network, layer, x)
        assert close(got, seen[layer].detach())
        assert close(slope, pull(seen[layer], y), 1e-3)
    assert close(network.prepare([CLASSES])(x)[CLASSES], network(x))


def test_answers_worked_out_by_hand() -> None:
    network = wrap_module(Hand(), mean=[0.5] * 3, std=[0.25] * 3, size=4, labels=["edges", "warm", "cold"], device="cpu")
    flat = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1).expand(1, 3, 4, 4)  # normalised: 2, 0, -1
    seen = network.prepare(["light", "norm", "edge", CLASSES])(flat)
    assert seen["light"][0, :, 0, 0].tolist() == [1.0, 3.0]  # 2 + 0 - 1 and 2 - -1
    assert seen["norm"][0, :, 0, 0].tolist() == [0.0, 1.5]
    assert seen["edge"][0, :, 1, 1].tolist() == [0.0, 1.5]
    assert seen[CLASSES].tolist() == [[0.0, 2.0, -1.5]]
    first = network.recognise(flat[0], top=2)
    assert [(label.index, label.label) for label in first] == [(1, "warm"), (0, "edges")]
    assert first[0].probability == pytest.approx(float(torch.tensor([0.0, 2.0, -1.5]).softmax(0)[1]))


def test_a_range_of_255_is_a_range_of_255() -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    network = wrap_module(module, mean=[127, 120, 110], std=[60, 61, 62], range=(0, 255), size=SIDE, device="cpu")
    x = picture()
    wanted = (x * 255 - torch.tensor([127.0, 120, 110]).view(1, 3, 1, 1)) / torch.tensor([60.0, 61, 62]).view(1, 3, 1, 1)
    assert close(network(x), module(wanted).mean((2, 3)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_module_of_another_precision(dtype: torch.dtype) -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))
    other = copy.deepcopy(module).to(dtype)
    network = wrapped(other)
    ready = network.prepare(["2"])
    assert (ready.folded, ready.unfolded) == (1, 0)
    assert ready(picture())["2"].dtype == torch.float32
    assert close(ready(picture())["2"], module(picture()), 2e-2)
    assert all(each.dtype == dtype for each in other.parameters())
    assert network(picture()).dtype == dtype


def test_a_parameter_of_five_dimensions() -> None:
    class Five(Flow):
        def __init__(self) -> None:
            super().__init__(lambda m, x: m.conv(x) + m.table[0], conv=nn.Conv2d(3, 4, 3))
            self.table = nn.Parameter(torch.ones(1, 1, 4, 1, 1))

    module = Five()
    assert close(wrapped(module).prepare(["conv"])(picture())["conv"], module.conv(picture()))


def test_bfloat16_on_a_cpu_is_close(lite0: Network) -> None:
    coarse = Network(lite0.module, name="coarse", mean=[0.5] * 3, std=[0.5] * 3, device="cpu", dtype=torch.bfloat16)
    fine = Network(lite0.module, name="fine", mean=[0.5] * 3, std=[0.5] * 3, device="cpu")
    got, slope = prepared(coarse, "blocks.3.0", picture(64, 64))
    wanted, gradient = prepared(fine, "blocks.3.0", picture(64, 64))
    assert got.dtype == slope.dtype == torch.float32
    assert next(coarse.prepare(["blocks.3.0"]).module.parameters()).dtype == torch.bfloat16
    assert not torch.equal(got, wanted)
    assert nn.functional.cosine_similarity(got.flatten(), wanted.flatten(), 0) > 0.99
    assert nn.functional.cosine_similarity(slope.flatten(), gradient.flatten(), 0) > 0.9


# ---- the module is left as it was


def state(module: nn.Module) -> Any:
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        {name: (id(tensor), tensor.detach().clone()) for name, tensor in (*module.named_parameters(), *module.named_buffers())},
        {name: (each.requires_grad, None if each.grad is None else each.grad.clone()) for name, each in module.named_parameters()},
        {name: (part.training, id(part), type(part), set(vars(part))) for name, part in module.named_modules()},
        {name: [list(getattr(part, hook).items()) for hook in hooks] for name, part in module.named_modules()},
    )


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (tuple, list)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@pytest.mark.parametrize("kind", ["plain", "weight norm", "old spectral norm", "own hook", "in place", "no running statistics"])
def test_the_module_is_left_as_it_was(kind: str) -> None:
    module = settled(nn.Sequential(ODD[kind][0](), nn.Dropout(0.5)))
    module.train()
    module[0][1].eval()
    module[0][0].register_forward_pre_hook(lambda part, inputs: None)
    module(torch.rand(2, 3, SIDE, SIDE)).sum().backward()
    next(module.parameters()).requires_grad_(False)
    before = state(module)
    network = wrapped(module)
    names = looked_into(network)
    for name in names:
        prepared(network, name, picture())
    y = picture().requires_grad_(True)
    with network.watch(*names):
        network(y).sum().backward()
    assert y.grad is not None and y.grad.abs().max() > 0
    _ = network.layers, network.sha256, network.recognise(picture()[0])
    assert same(state(module), before)


def test_a_call_is_in_evaluation_mode_whatever_the_module_is_in() -> None:
    module = nn.Sequential(settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))), nn.Dropout(0.5))
    quiet = wrapped(module)(picture())
    module.train()
    assert torch.equal(wrapped(module)(picture()), quiet)
    assert module.training


def test_a_call_that_raises_leaves_the_module_as_it_was() -> None:
    module = Hand().train()
    before = state(module)
    with pytest.raises(UsageError, match="2 channels for a network that takes 3"):
        wrapped(module)(picture(channels=2))
    module.edge.register_forward_hook(lambda *_: 1 / 0)
    middle = state(module)
    with pytest.raises(ZeroDivisionError):
        wrapped(module)(picture())
    assert same(state(module), middle)
    assert same(state(module)[:3], before[:3])


def test_a_prepared_network_is_frozen() -> None:
    ready = wrapped(Hand().train()).prepare(["edge"])
    assert not any(each.requires_grad or each.grad is not None for each in ready.module.parameters())
    assert not ready.module.training


def test_tensors_left_over_from_a_pass_do_not_hinder_copying() -> None:
    class Saves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.kept: list[Tensor] = []

        def forward(self, x: Tensor) -> Tensor:
            self.kept = [self.conv(x)]
            return self.kept[0].mean((2, 3))

    module = Saves()
    module(picture())
    assert close(wrapped(module).prepare(["conv"])(picture())["conv"], module.conv(picture()))


def test_what_cannot_be_copied_says_so() -> None:
    class Locked(Hand):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("cannot pickle a lock")

    with pytest.raises(UsageError, match="Locked cannot be copied: cannot pickle a lock"):
        _ = wrapped(Locked()).layers


def test_inference_mode_leaves_nothing_that_cannot_be_climbed() -> None:
    with torch.inference_mode():
        network = wrapped(settled(ODD["plain"][0]()))
        network.prepare(["2"])(picture())
    _, slope = prepared(network, "2", picture())
    assert slope.abs().max() > 0


# ---- weights that change are seen


def _step(module: nn.Module) -> None:
    with torch.no_grad():
        module[0].weight.mul_(3)


def _load(module: nn.Module) -> None:
    module.load_state_dict({name: each * 2 for name, each in module.state_dict().items()})


def _replace(module: nn.Module) -> None:
    module[0].weight = nn.Parameter(module[0].weight.detach() * 3)


def _data(module: nn.Module) -> None:
    module[0].weight.data.mul_(3)


def _buffer(module: nn.Module) -> None:
    module[1].running_mean.add_(1)


def _part(module: nn.Module) -> None:
    module[2] = nn.Tanh()


@pytest.mark.parametrize("change", [_step, _load, _replace, _data, _buffer, _part])
@pytest.mark.parametrize("training", [False, True])
def test_changed_weights_are_seen(change: Callable[[nn.Module], None], training: bool) -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())).train(training)
    network = wrapped(module)
    x = picture()
    before, name = network.prepare(["2"])(x)["2"], network.sha256
    assert torch.equal(network.prepare(["2"])(x)["2"], before)
    change(module)
    after = network.prepare(["2"])(x)["2"]
    assert not close(after, before, 1e-2)
    assert close(after, module.eval()(x))
    assert change is _part or network.sha256 != name


def test_changed_weights_of_a_network_with_a_known_hash_are_seen() -> None:
    module = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))
    network = Network(module, name="known", mean=[0.0] * 3, std=[1.0] * 3, size=SIDE, sha256="0" * 64, device="cpu")
    network.prepare(["2"])
    _step(module)
    assert close(network.prepare(["2"])(picture())["2"], module(picture()))


# ---- names, classes, outputs


def test_layers_in_forward_order_with_level_and_kind(lite0: Network) -> None:
    names = [layer.name for layer in lite0.layers]
    blocks = [name for name in names if name.count(".") == 2]
    assert len(names) == len(set(names))
    assert len(blocks) == 16 and blocks == sorted(blocks)
    order = ["conv_stem", "blocks.0.0.conv_dw", "blocks.0.0", "blocks.0", "blocks.1.0.conv_pw", "blocks.4.1", "blocks.6", "conv_head"]
    assert [names.index(name) for name in order] == sorted(names.index(name) for name in order)
    by_name = {layer.name: layer for layer in lite0.layers}
    stem, deep = by_name["conv_stem"], by_name["blocks.4.1"]
    assert (stem.kind, stem.channels, stem.height, stem.width, stem.stride, stem.receptive_field) == ("convolution", 32, 112, 112, 2, 3)
    assert (deep.kind, deep.channels, deep.height, deep.width, deep.stride, deep.level) == ("block", 112, 14, 14, 16, "parts")
    assert by_name["blocks.0.0.conv_dw"].kind == "depthwise" and by_name["blocks.4"].kind == "stage"
    convolutions = [name for name, part in lite0.module.named_modules() if isinstance(part, nn.Conv2d)]
    assert set(convolutions) <= set(names)


@pytest.mark.parametrize("facts", catalogue.CATALOGUE.values(), ids=str)
def test_every_level_is_a_layer(facts: catalogue.Facts) -> None:
    modules = dict(EfficientNetLite(facts.width, facts.depth).named_modules())
    assert list(facts.levels) == ["edges", "textures", "patterns", "parts", "objects", "scenes"]
    for level, layer in facts.levels.items():
        assert layer in modules, level
    assert list(modules).index(facts.levels["edges"]) < list(modules).index(facts.levels["scenes"])


def test_repeated_modules_are_listed_and_looked_into_call_by_call() -> None:
    conv = nn.Conv2d(3, 3, 3)
    module = Flow(lambda m, x: m.conv(m.conv(x)).mean((2, 3)), conv=conv)
    network = wrapped(module)
    assert [(layer.name, layer.height, layer.receptive_field) for layer in network.layers] == [("conv#0", 14, 3), ("conv#1", 12, 5)]
    assert (network.layer("conv#0"), network.layer("conv#1"), network.layer("conv")) == ((1, 3, 14, 14), (1, 3, 12, 12), (1, 3, 12, 12))
    x = picture()
    seen = network.prepare(["conv#0", "conv#1", "conv"])(x)
    assert close(seen["conv#0"], conv(x)) and close(seen["conv#1"], conv(conv(x))) and close(seen["conv"], conv(conv(x)))
    for name in seen:
        assert close(network.prepare([name])(x)[name], seen[name])
    with pytest.raises(UsageError, match=r"called 2 times.*conv#1"):
        network.layer("conv#2")


@pytest.mark.parametrize(
    ("name", "near"), [("block.4.1", "blocks.4.1"), ("conv_stemm", "conv_stem"), ("blocks.4.1#²", "blocks.4.1"), ("", "no layer ''")]
)
def test_unknown_layers_name_the_nearest(lite0: Network, name: str, near: str) -> None:
    with pytest.raises(UsageError, match=near):
        lite0.prepare([name])


def test_other_mistakes_are_told(lite0: Network) -> None:
    with pytest.raises(UsageError, match=r"no level 'wings'.*edges, textures"):
        lite0.level("wings")
    with pytest.raises(UsageError, match=r"no level 'edges'.*--target"):
        wrapped(Hand()).level("edges")
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        open_network("efficientnet-lite")
    with pytest.raises(UsageError, match="top 0"):
        lite0.recognise(picture()[0], top=0)
    with pytest.raises(UsageError, match=r"cannot take a picture of 16×16.*native size"):
        _ = wrapped(nn.Sequential(nn.Flatten(), nn.Linear(10, 3))).layers


@pytest.mark.parametrize(
    "wrong",
    [
        {"std": [1.0]},
        {"mean": [], "std": []},
        {"std": [1.0, 0.0, 1.0]},
        {"std": [1.0, float("nan"), 1.0]},
        {"mean": [float("nan")] * 3},
        {"range": (1, 0)},
        {"size": 0},
        {"size": (16, -1)},
        {"module": lambda x: x},
    ],
    ids=str,
)
def test_wrap_refuses_nonsense(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        wrap_module(**{"module": Hand(), "mean": [0.5] * 3, "std": [0.5] * 3, **wrong})


def test_one_channel_sees_the_light_of_colours() -> None:
    module = nn.Conv2d(1, 2, 3)
    network = wrapped(nn.Sequential(module), channels=1)
    grey = picture(channels=1)
    assert close(network.prepare(["0"])(grey.expand(1, 3, SIDE, SIDE))["0"], module(grey))
    red = torch.zeros(1, 3, SIDE, SIDE)
    red[:, 0] = 1
    assert close(network.prepare(["0"])(red)["0"], module(torch.full((1, 1, SIDE, SIDE), 0.299)))
    assert len(network.recognise(picture()[0])) == 2
    with pytest.raises(UsageError, match="3 channels for a network that takes 4"):
        wrapped(nn.Sequential(nn.Conv2d(4, 2, 3)), channels=4).recognise(picture()[0])


X = torch.arange(6.0).view(2, 3)


@pytest.mark.parametrize(
    ("output", "name", "wanted"),
    [
        (X, None, X),
        ({"out": X, "logits": X + 1}, None, X + 1),
        ({"out": X, "aux": X + 1}, None, X),
        ({"a": X, "b": torch.zeros(2, 3, 4, 4)}, None, X),
        ((torch.zeros(2, 3, 4, 4), X), None, X),
        ({"a": X, "b": X + 1}, "b", X + 1),
        (X.view(2, 3, 1, 1).expand(2, 3, 5, 5), None, X),
        (X[:, 0], None, X[:, :1]),
    ],
    ids=str,
)
def test_class_scores_of_any_output(output: Any, name: str | None, wanted: Tensor) -> None:
    assert torch.equal(class_scores(output, name), wanted)


@pytest.mark.parametrize(
    ("output", "name"), [({"a": X, "b": X}, None), ({"a": X}, "b"), ("text", None), (X.sum(), None), ((), None)], ids=str
)
def test_class_scores_that_are_not_clear(output: Any, name: str | None) -> None:
    with pytest.raises(UsageError):
        class_scores(output, name)


# ---- devices


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose(None) == devices.choose("auto") == devices.choose("cpu") == torch.device("cpu")
    assert devices.precision(torch.device("cpu")) == torch.float32
    with pytest.raises(UsageError, match="device 'cuda' is not on this machine; here there is: cpu") as caught:
        devices.choose("cuda")
    assert caught.value.exit_code == 2
    for name in ("gpu", "", "cuda:x", "CPU"):
        with pytest.raises(UsageError, match=f"no device '{name}'; here there is: cpu"):
            devices.choose(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose(None) == torch.device("mps") and devices.available() == ["mps", "cpu"]

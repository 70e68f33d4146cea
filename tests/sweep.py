"""Every network of the zoo looked into: python tests/sweep.py [NAME…] [--every N]; `make zoo` does all, the suite the light ones."""

from __future__ import annotations

import argparse
import copy
import hashlib
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from tests.helpers.tiny import close, picture
from tests.helpers.zoo import ZOO, built, opened
from torch import Tensor, nn

import reverie
from reverie.networks import Network
from reverie.networks.inspection.anatomy import Anatomy
from reverie.networks.inspection.hooks import watch
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.prepared.folding import fold
from reverie.networks.prepared.frozen_copy import frozen_copy
from reverie.render import check
from reverie.target import CLASSES, parse


def state(module: nn.Module) -> str:
    """All that must be as it was afterwards: values, modes, what asks for gradients, what gradients there are, hooks."""
    digest = hashlib.sha256()
    for name, each in module.state_dict().items():
        digest.update(name.encode() + each.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    for name, each in module.named_parameters():
        digest.update(f"{name} {each.requires_grad} {each.grad is None}".encode())
    for name, part in module.named_modules():
        hooks = [len(each) for each in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)]
        digest.update(f"{name} {type(part)} {part.training} {hooks} {sorted(vars(part))}".encode())
    return digest.hexdigest()


def same_outputs(network: Network, module: nn.Module, x: Tensor) -> None:
    """Folded or not, what comes out is what the module itself gives."""
    given = network.normalise(x)
    with torch.no_grad():
        wanted = class_scores(module(given))
        assert close(network.prepare([CLASSES])(x)[CLASSES], wanted), "folded"
        assert close(class_scores(fold(frozen_copy(module), Anatomy(), given).module(given)), wanted), "not folded"
        assert close(network(x), wanted), "called"


def layers_are_targets(network: Network, module: nn.Module, x: Tensor, every: int) -> None:
    """Each listed layer can be asked for, has the shape that is listed and the activations of the module, and pulls at the picture."""
    layers = network.layers
    assert len(layers) > 5 and len({each.name for each in layers}) == len(layers)
    with torch.no_grad():
        together = network.prepare([each.name for each in layers])(x)
    for each in layers:
        check(parse(f"{each.name}:{each.channels - 1}"), network)
        assert network.layer(each.name) == tuple(together[each.name].shape) == (1, each.channels, each.height, each.width), each
    raw_names = [each.name for each in layers if not LayerName.parse(each.name).part]
    with network.watch(*raw_names) as seen:
        network(x)
    exact: dict[str, Tensor] = {}
    for name in raw_names:
        places = _places(together[name], seen[name])
        got, wanted = together[name].flatten().sort().values, seen[name][:, -places:].flatten().sort().values
        if not close(got, wanted):  # random weights make much of rounding: no further from the truth than the module itself
            exact = exact or in_double(network, module, x, raw_names)
            truth = exact[name][:, -places:].flatten().sort().values
            assert (got - truth).abs().max() < 3 * (wanted - truth).abs().max(), name
    for each in layers[::every]:
        wide = x.clone().requires_grad_(True)
        alone = network.prepare([each.name])(wide)[each.name]
        assert close(alone.detach(), together[each.name], 5e-3), each.name  # random weights make much of rounding
        pulled = torch.autograd.grad(alone.square().mean(), wide)[0]
        assert pulled.isfinite().all() and pulled.any(), each.name


def in_double(network: Network, module: nn.Module, x: Tensor, names: list[str]) -> dict[str, Tensor]:
    double = copy.deepcopy(module).double().eval()
    with torch.no_grad(), watch(double, *names) as seen:
        double(network.normalise(x).double())
    return dict(seen)


def _places(folded: Tensor, raw: Tensor) -> int:
    """How many tokens of `raw` stand for places; all of axis 1 where there are none."""
    return folded.shape[2] * folded.shape[3] if raw.dim() == 3 else raw.shape[1]


def commands_run(network: Network) -> None:
    """Dream, feature and see take a step."""
    last = next(each for each in reversed(network.layers) if each.height > 1)
    start = picture(network.size[0] * 3 // 4, network.size[1] * 5 // 4)[0]
    dreamt = reverie.dream(start, target=last.name, network=network, octaves=1, steps=1, keep=False)
    assert dreamt.pixels.shape == start.shape and not torch.equal(dreamt.pixels, start)
    feature = reverie.feature(f"{last.name}:0", network=network, octaves=1, steps=1)
    pixels = (feature[0] if isinstance(feature, list) else feature).pixels
    assert pixels.isfinite().all() and pixels.std() > 0
    names = [network.layers[0].name, last.name]
    sight = reverie.see(start, layers=names, network=network, steps=1, channels=0, keep=False)
    assert [each.layer.name for each in sight.layers] == names


def looked_into(name: str, every: int = 1) -> float:
    """The whole of it; raises AssertionError. Seconds it took."""
    begun = time.perf_counter()
    module = built(name)
    before = state(module)
    network = opened(name, module)
    x = picture(*network.size)
    same_outputs(network, module, x)
    layers_are_targets(network, module, x, every)
    commands_run(network)
    assert state(module) == before, "the module has changed"
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(ZOO), metavar="NAME")
    parser.add_argument("--every", type=int, default=1, help="pull at each N-th layer alone")
    options = parser.parse_args()
    failed = 0
    for name in options.names:
        try:
            print(f"{name}: whole, {looked_into(name, options.every):.1f} s", flush=True)
        except Exception:  # noqa: BLE001
            failed += 1
            print(f"{name}: {traceback.format_exc()}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

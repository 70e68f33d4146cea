"""How long a look will take: a few steps are taken at the lowest layer, in the middle and at the highest, and all steps counted."""

from __future__ import annotations

import time
from bisect import bisect_left

import torch

from reverie.ascent import octave_sizes
from reverie.insight.channel_features import missing
from reverie.insight.measures import enhancement_recipe, excited, inversion, inversion_recipe
from reverie.insight.request import SeeRequest
from reverie.networks import Layer
from reverie.pictures import resize
from reverie.recipe import Recipe
from reverie.render import threads

_TRIED = 3  # steps at each depth; the first, which prepares, is not timed
_COUNTING = 32  # passes through the network, forward and back, of what counted at one layer


def seconds_for(request: SeeRequest) -> float:
    """About how long it will take on this machine, after a second or so of trying."""
    network = request.network
    layers = {each.name: each for each in network.layers}
    order = list(layers)
    depths = [order.index(name) for name in request.layers]
    tried = sorted({0, len(depths) // 2, len(depths) - 1})
    with threads(request.machinery.threads):
        known = [(depths[each], _of_a_pixel(request, layers[request.layers[each]])) for each in tried]
        pixels = resize(request.picture.pixels, *request.size)[None].to(network.device)  # (1, C, H, W)
        with torch.no_grad():
            activations = network.prepare(request.layers)(pixels)  # (1, C, h, w) each
    seconds = 0.0
    for name, depth in zip(request.layers, depths, strict=True):
        noticed = excited(activations[name][0].cpu(), request.usual.layers[name], request.choices.channels)
        layer = layers[name]
        recipes = [inversion_recipe(request, layer), enhancement_recipe(request, layer), *missing(noticed, layer, request)]
        seconds += _between(known, depth) * sum(_pixels_of(each) for each in recipes)
    if request.why is not None:
        seconds += len(depths) * _COUNTING * network.size[0] * network.size[1] * known[-1][1]
    return seconds


def _of_a_pixel(request: SeeRequest, layer: Layer) -> float:
    """Seconds that a step of rebuilding takes, for each pixel of the picture."""
    began: list[float] = []

    def watching(_progress: object) -> bool:
        began.append(time.perf_counter())
        return len(began) >= _TRIED

    inversion(request, layer).make(watching)
    steps = len(began) - 1
    if steps < 1:  # one step is all there is
        return 0.0
    return (began[-1] - began[0]) / steps / (request.size[0] * request.size[1])


def _pixels_of(recipe: Recipe) -> float:
    """That all steps of a picture together look at."""
    sizes = octave_sizes(recipe.height, recipe.width, recipe.ascent)
    return float(recipe.ascent.steps * sum(each.height * each.width for each in sizes))


def _between(known: list[tuple[int, float]], depth: int) -> float:
    """The value at a depth, on the straight lines between those known."""
    at = bisect_left([each for each, _ in known], depth)
    (low, before), (high, after) = known[max(0, at - 1)], known[min(at, len(known) - 1)]
    return after if high == low else before + (after - before) * (depth - low) / (high - low)

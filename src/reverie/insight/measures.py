"""The parts of what is seen at one layer, each by itself: rebuilt, noticed, enhanced, counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from reverie.insight.layer_report import Counted, Fidelity, Noticed, Opinion
from reverie.insight.request import SeeRequest
from reverie.networks import Layer, Network
from reverie.networks.attribution import Attribution
from reverie.objectives import relative_error
from reverie.pictures import Picture, rounded, similarity, similarity_at_a_glance, size_at_width, to_width
from reverie.recipe import FileInput, NoiseInput, Recipe, of_command
from reverie.render import Plan, drawn, judges, machine, used_by
from reverie.target import of_layer

STEPS = {2: 60, 4: 100, 8: 160}  # of an inversion, by the pixels between a layer's neighbours: what is easy to get out of the lowest
DEEP_STEPS = 90  # gets harder, and in deep ones there is less of it to get
ENLARGED = 1.25  # sides of an enhanced picture, in those at which it was looked at
DREAM = {"octaves": 4, "steps": 8, "strength": 0.016}
TENTH = 0.1  # of a layer's places: the most excited ones, by which a channel is judged
SPOKE = 4  # channels for and against that are named


def inversion_recipe(request: SeeRequest, layer: Layer) -> Recipe:
    """Of the picture, from noise, by nothing but this layer's activations of it (Mahendran & Vedaldi 2015)."""
    steps = request.choices.steps or next((steps for stride, steps in STEPS.items() if layer.stride <= stride), DEEP_STEPS)
    inputs = NoiseInput(noise="pink"), _file_input(request.picture, "guide")
    return recipe_for(request, layer, "see", request.size, inputs, steps=steps)


def inversion(request: SeeRequest, layer: Layer) -> Plan:
    """The same about to be made."""
    recipe = inversion_recipe(request, layer)
    start = drawn(recipe, str(recipe.target))
    return Plan(recipe, (request.network,), start, guide=request.picture.pixels, kept=_kept_files(request))


def enhancement_recipe(request: SeeRequest, layer: Layer) -> Recipe:
    """Of the picture with what this layer detects in it enhanced: a short dream."""
    size = size_at_width(request.picture.size, max(16, round(ENLARGED * request.size[1])))
    return recipe_for(request, layer, "dream", size, (_file_input(request.picture, "start"),), **DREAM)


def enhancement(request: SeeRequest, layer: Layer) -> Plan:
    """The same about to be made."""
    recipe = enhancement_recipe(request, layer)
    return Plan(recipe, (request.network,), to_width(request.picture, recipe.width), kept=_kept_files(request))


def fidelity(rebuilt: Picture, seen: Tensor, picture: Tensor, layer: Layer, network: Network, others: Mapping[Network, int]) -> Fidelity:
    """How much a rebuilt picture keeps, at 8 bits a colour as in a file.

    Args:
        seen: (C, h, w), the layer's activations of the picture.
        picture: (C, H, W), at the size at which it was looked at.
        others: networks that judge it, with the class that each gives the picture.
    """
    pixels = rounded(rebuilt.pixels)  # (C, H, W)
    with torch.no_grad():
        again = network.prepare([layer.name])(pixels[None].to(network.device))[layer.name][0].cpu()  # (C, h, w)
    opinions = []
    for judge, before in others.items():
        first = judge.recognise(pixels, top=1)[0]
        opinions.append(Opinion(judge.name, first.label, first.probability, first.index == before))
    error, alike = float(relative_error(again, seen)), similarity(pixels, picture)
    return Fidelity(error, alike, tuple(opinions), similarity_at_a_glance(pixels, picture))


def judged(picture: Tensor, network: Network) -> dict[Network, int]:
    """The networks that can judge this one's pictures, with the class that each gives a picture (C, H, W)."""
    return {judge: judge.recognise(picture, top=1)[0].index for judge in judges(network)} if network.labels else {}


def excited(activations: Tensor, usual: tuple[Tensor, Tensor], count: int) -> list[Noticed]:
    """The channels furthest above their usual, the furthest first.

    Args:
        activations: (C, h, w).
        usual: mean and spread (C,) of each channel; one that never changes is never unusual.
        count: at most so many.
    """
    mean, spread = (each.view(-1, 1, 1) for each in usual)  # (C, 1, 1)
    changes = spread > 1e-6 * spread.max().clamp_min(1e-12)
    heat = torch.where(changes, (activations - mean) / spread.clamp_min(1e-12), torch.zeros_like(activations))  # (C, h, w)
    flat = heat.flatten(1)  # (C, places)
    scores = flat.topk(max(1, round(TENTH * flat.shape[1])), dim=1).values.mean(1)  # (C,)
    best = scores.topk(min(count, len(scores)))
    return [Noticed(channel, score, heat[channel]) for channel, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def counted(found: Attribution) -> Counted:
    """What an attribution comes to for each place and each channel."""
    order = found.channels.argsort(descending=True).tolist()
    by_channel = [(channel, float(found.channels[channel])) for channel in order]
    spoke_for = tuple(each for each in by_channel[:SPOKE] if each[1] > 0)
    spoke_against = tuple(each for each in by_channel[: -SPOKE - 1 : -1] if each[1] < 0)
    return Counted(found.places, spoke_for, spoke_against, float(found.total))


def recipe_for(
    request: SeeRequest,
    layer: Layer,
    command: Literal["see", "dream", "feature"],
    size: tuple[int, int],
    inputs: tuple[FileInput | NoiseInput, ...],
    **choices: Any,
) -> Recipe:
    """The recipe of a picture that is made for a layer.

    Args:
        size: (height, width) of the picture.
        **choices: of the recipe, where they differ from the command's own.
    """
    target, network = of_layer(layer.name), request.network
    return Recipe(
        command=command,
        networks=(used_by(network, target, target),),
        inputs=inputs,
        target=target,
        objective="rebuild" if command == "see" else "excite",
        **of_command(command, **choices, shown=request.shown)._asdict(),
        height=size[0],
        width=size[1],
        channels=network.channels,
        seed=request.seed,
        machine=machine(network, request.machinery.threads),
    )


def is_partial(picture: Picture) -> bool:
    """Whether it was stopped on the way."""
    return picture.recipe is not None and picture.recipe.stopped is not None


def _file_input(picture: Picture, role: Literal["start", "guide"]) -> FileInput:
    return FileInput(role=role, sha256=picture.sha256, width=picture.size[1], height=picture.size[0])


def _kept_files(request: SeeRequest) -> tuple[bytes, ...]:
    return (request.picture.content,) if request.machinery.keep else ()

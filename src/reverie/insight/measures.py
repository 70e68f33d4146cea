"""The parts of what is seen at one layer, each by itself: rebuilt, noticed, enhanced, counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from reverie.errors import OutputError, ReverieError
from reverie.files import recipe_text
from reverie.insight.report import Fidelity, Noticed
from reverie.insight.request import Wish, gets_through, takes
from reverie.networks import Layer, Network
from reverie.networks.attribution import Attribution
from reverie.networks.channel_statistics import Usual, measure
from reverie.objectives import relative_error
from reverie.pages import Counted, Opinion
from reverie.pictures import Picture, as_npy, load_bytes, rounded, similarity, to_width
from reverie.recipe import Batch, Command, FileInput, NoiseInput, Objective, Recipe, chosen, read
from reverie.render import Plan, drawn, judges, machine, noise_start, purposes, used_by
from reverie.store import Shelf
from reverie.target import parse

STEPS = {2: 60, 4: 100, 8: 160}  # of a rebuilding, by the pixels between a layer's neighbours: what is easy to get out of the lowest
DEEP_STEPS = 90  # gets harder, and in deep ones there is less of it to get
ENLARGED = 1.25  # sides of an enhanced picture, in those at which it was looked at
DREAM = {"octaves": 4, "steps": 8, "strength": 0.016}
FEATURE_SIDES = (96, 144)  # pixels, of layers that see less than the first, and of all others
TENTH = 0.1  # of a layer's places: the most excited ones, by which a channel is judged
_CHANNELS = " all channels"  # of what is kept beside a picture that cannot hold them
SPOKE = 4  # channels for and against that are named


def rebuilding(layer: Layer, picture: Picture, network: Network, wish: Wish) -> Plan:
    """The picture, from noise, by nothing but this layer's activations of it."""
    steps = wish.steps or next((steps for stride, steps in STEPS.items() if layer.stride <= stride), DEEP_STEPS)
    seen_in = FileInput(role="guide", sha256=picture.sha256, width=picture.size[1], height=picture.size[0])
    recipe = _recipe(
        "see", "rebuild", layer.name, network, wish, wish.size, {"steps": steps}, (NoiseInput(noise="pink"), seen_in)
    )  # fmt: skip
    kept = (picture.content,) if wish.keep else ()
    return Plan(recipe, (network,), drawn(recipe, str(recipe.target)), guide=picture.pixels, kept=kept)


def enhancing(layer: Layer, picture: Picture, network: Network, wish: Wish) -> Plan | None:
    """The picture with what this layer detects in it enhanced: a short dream. None where it takes no picture of this shape."""
    start = to_width(picture, max(16, round(ENLARGED * wish.size[1])))
    if wish.size == network.size and not gets_through(network, start.size, layer.name):
        start = to_width(picture, network.size[1])
        if start.size != network.size:
            return None
    used = FileInput(sha256=picture.sha256, width=picture.size[1], height=picture.size[0])
    recipe = _recipe("dream", "excite", layer.name, network, wish, start.size, DREAM, (used,))
    return Plan(recipe, (network,), start, kept=(picture.content,) if wish.keep else ())


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
        said = judge.recognise(pixels, top=1)[0]
        opinions.append(Opinion(judge.name, said.label, said.probability, said.index == before))
    return Fidelity(float(relative_error(again, seen)), similarity(pixels, picture), tuple(opinions))


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


def with_features(
    noticed: list[Noticed], layer: Layer, network: Network, wish: Wish, watch: Callable[[Any], object]
) -> tuple[list[Noticed], bool]:
    """The same with what excites each channel most, from the cache where it was made before; and whether it was stopped."""
    shelf = Shelf("features")
    if not noticed:
        return noticed, False
    common = _feature(layer, network, wish)
    targets = {each.channel: parse(f"{layer.name}:{each.channel}") for each in noticed}
    single = {channel: common.model_copy(update={"target": target}) for channel, target in targets.items()}
    found = {channel: _kept(shelf, recipe) for channel, recipe in single.items()}
    missing = [channel for channel, picture in found.items() if picture is None]
    if missing:
        recipe = single[missing[0]]
        if len(missing) > 1:
            recipe = recipe.model_copy(update={"batch": Batch(targets=tuple(targets[channel] for channel in missing))})
        start = drawn(recipe, purposes(recipe)[0])
        made = Plan(recipe, (network,), start, tuple(range(len(missing)))).make_all(watch)
        if any(each.recipe is not None and each.recipe.stopped is not None for each in made):
            return noticed, True
        for channel, picture in zip(missing, made, strict=True):
            found[channel] = picture
            if wish.keep and picture.alive:
                with suppress(OutputError):  # no room in the cache is no reason not to see
                    _keep(shelf, single[channel], picture)
    return [replace(each, feature=_alive(found[each.channel])) for each in noticed], False


def counted(found: Attribution) -> Counted:
    """What an attribution comes to for each place and each channel."""
    order = found.channels.argsort(descending=True).tolist()
    by_channel = [(channel, float(found.channels[channel])) for channel in order]
    speaking = [each for each in by_channel[:SPOKE] if each[1] > 0], [each for each in by_channel[: -SPOKE - 1 : -1] if each[1] < 0]
    return Counted(found.places, tuple(speaking[0]), tuple(speaking[1]), found.total)


def noise_usual(network: Network, layers: Sequence[str]) -> Usual:
    """What is usual where no photographs are at hand: pink noise, which is as strong at every scale as they are."""
    pictures = [noise_start("pink", *network.size, number, "usual", channels=network.channels).pixels for number in range(24)]
    return measure(network.prepare(layers), pictures, "24 pictures of pink noise, for want of photographs")


def _feature_size(layer: Layer, network: Network) -> tuple[int, int]:
    side = FEATURE_SIDES[layer.receptive_field is None or layer.receptive_field >= FEATURE_SIDES[0]]
    return (side, side) if takes(network, (side, side), layer.name) else network.size


def _feature(layer: Layer, network: Network, wish: Wish) -> Recipe:
    """Of a feature picture of this layer, but for its channel."""
    size = _feature_size(layer, network)
    octaves = {"octaves": 1 + (min(size) > FEATURE_SIDES[0])}
    # they are the network's, not the picture's: of one seed, so that they serve every picture
    return _recipe("feature", "excite", layer.name, network, replace(wish, seed=0), size, octaves, (NoiseInput(noise="pink"),))


def _key(recipe: Recipe) -> str:
    """What a feature picture follows from, to the eye: the company it was made in and the threads do not matter."""
    machine = recipe.machine.model_copy(update={"threads": 1})
    return recipe.model_copy(update={"machine": machine}).text()


def _keep(shelf: Shelf, recipe: Recipe, picture: Picture) -> None:
    """A file with its recipe, and one with its channels where the first cannot hold them."""
    if len(picture.places("kept.png")) > 1:
        shelf.put(_key(recipe) + _CHANNELS, as_npy(picture.pixels))
    shelf.put(_key(recipe), picture.encode(".png"))


def _kept(shelf: Shelf, recipe: Recipe) -> Picture | None:
    content = shelf.get(_key(recipe))
    if content is None:
        return None
    try:
        held = shelf.get(_key(recipe) + _CHANNELS) or content
        picture, text = load_bytes(held, "a kept picture", channels=recipe.channels), recipe_text(content)
        return replace(picture, recipe=None if text is None else read(text), content=b"", sha256="")
    except ReverieError:  # damaged: it is made again
        return None


def _alive(picture: Picture | None) -> Picture | None:
    return picture if picture is not None and picture.alive else None


def _recipe(
    command: Command, objective: Objective, layer: str, network: Network, wish: Wish, size: tuple[int, int], choices: dict[str, Any],
    inputs: tuple[Any, ...],
) -> Recipe:  # fmt: skip
    target = parse(layer)
    return Recipe(
        command=command,
        networks=(used_by(network, target, target),),
        inputs=inputs,
        target=target,
        objective=objective,
        **chosen(command, {**choices, "shown": wish.shown}, {})._asdict(),
        height=size[0],
        width=size[1],
        channels=network.channels,
        seed=wish.seed,
        machine=machine(network, wish.threads),
    )

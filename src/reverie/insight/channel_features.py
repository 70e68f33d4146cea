"""What excites a channel most, from noise: the network's own pictures, kept in the cache, so that they serve every picture."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from reverie.ascent import Progress
from reverie.errors import OutputError, ReverieError
from reverie.files import recipe_text
from reverie.insight.layer_report import Noticed
from reverie.insight.measures import is_partial, recipe_for
from reverie.insight.request import SeeRequest, is_seen_whole
from reverie.networks import Layer, Network
from reverie.pictures import Picture, as_npy, load_bytes
from reverie.recipe import COMMANDS, Batch, NoiseInput, Recipe, read
from reverie.render import Plan, drawn, purposes
from reverie.render.network_defaults import network_defaults, octaves_for
from reverie.store import Shelf
from reverie.target import of_layer

FEATURE_SIDES = (96, 144)  # pixels, of layers that see less than the first, and of all others
FEATURE_STEPS = 48  # in each octave: at this size more change little that is seen, and one waits for them
_CHANNELS = " all channels"  # of what is kept beside a picture that cannot hold them


def with_features(noticed: list[Noticed], layer: Layer, request: SeeRequest, watcher: Callable[[Progress], object]) -> list[Noticed] | None:
    """The same with what excites each channel most, from the cache where it was made before. None where it was stopped on the way."""
    if not noticed:
        return noticed
    shelf = Shelf("features")
    common = _recipe(request, layer)
    recipes = {each.channel: common.model_copy(update={"target": of_layer(layer.name, each.channel)}) for each in noticed}
    found = {channel: _kept(shelf, recipe) for channel, recipe in recipes.items()}
    missing = [channel for channel, picture in found.items() if picture is None]
    if missing:
        made = _together([recipes[channel] for channel in missing], request.network).make_all(watcher)
        if any(is_partial(each) for each in made):
            return None
        for channel, picture in zip(missing, made, strict=True):
            found[channel] = picture
            if request.machinery.keep and picture.alive:
                with suppress(OutputError):  # no room in the cache is no reason not to see
                    _keep(shelf, recipes[channel], picture)
    return [replace(each, feature=_alive(found[each.channel])) for each in noticed]


def missing(noticed: list[Noticed], layer: Layer, request: SeeRequest) -> list[Recipe]:
    """Of the pictures of what excites these channels most, those that are not in the cache yet."""
    shelf, common = Shelf("features"), _recipe(request, layer)
    recipes = [common.model_copy(update={"target": of_layer(layer.name, each.channel)}) for each in noticed]
    return [each for each in recipes if shelf.get(_key(each)) is None]


def _recipe(request: SeeRequest, layer: Layer) -> Recipe:
    """Of a feature picture of this layer, but for its channel; of one seed, whatever that of the picture that is looked at."""
    network = request.network
    side = FEATURE_SIDES[layer.receptive_field is None or layer.receptive_field >= FEATURE_SIDES[0]]
    size = (side, side) if side < min(network.size) and is_seen_whole(network, (side, side), layer.name) else network.size
    choices = network_defaults(network, "feature")
    if choices and size == network.size:  # of a network of one's own: what `feature` makes
        choices["octaves"] = octaves_for(COMMANDS["feature"].default("octave_scale"), network, size)
    else:
        choices["octaves"] = 1 + (min(size) > FEATURE_SIDES[0])
        choices.setdefault("steps", FEATURE_STEPS)
    return recipe_for(replace(request, seed=0), layer, "feature", size, (NoiseInput(noise="pink"),), **choices)


def _together(recipes: list[Recipe], network: Network) -> Plan:
    """Pictures that differ in their target alone, made in one batch."""
    recipe = recipes[0]
    if len(recipes) > 1:
        recipe = recipe.model_copy(update={"batch": Batch(targets=tuple(each.target for each in recipes))})
    return Plan(recipe, (network,), drawn(recipe, purposes(recipe)[0]), tuple(range(len(recipes))))


def _key(recipe: Recipe) -> str:
    """What a feature picture follows from, to the eye: the company it was made in and the threads do not matter."""
    return recipe.alone().text()


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

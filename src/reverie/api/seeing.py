"""What every layer of a network made of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reverie import files
from reverie import pictures as _pictures
from reverie.api.inputs import Start, picture_of
from reverie.api.opening import networks_from
from reverie.api.validation import check_colours, seeded, threaded, whole
from reverie.errors import InputError, MissingExtra, UsageError, printable
from reverie.files.limits import at_most_pixels
from reverie.insight import Halt, Sight, Wish, blocks, look, noise_usual, seen_size
from reverie.insight.request import MOST_CHANNELS
from reverie.networks import Network, attribution
from reverie.networks.channel_statistics import Usual, measure
from reverie.pictures import resize
from reverie.recipe import MAX_PIXELS, Finish, choose
from reverie.render import check_size
from reverie.render import threads as using
from reverie.render.noise import SMALLEST
from reverie.store import expanded, is_folder


def see(picture: Start, *, progress: Halt | None = None, **choices: Any) -> Sight:
    """What each layer, lowest to highest, made of a picture: four things of each.

    - What it still knows: the picture rebuilt from the layer's activations alone (Mahendran & Vedaldi 2015), and how much of it that keeps.
    - What it noticed: the channels furthest above their usual, where, and what excites them most.
    - What it would add: the picture with what the layer detects enhanced.
    - What counted: how much each place and channel spoke for the label, and against the runner-up (Sundararajan et al. 2017).

    Args:
        picture: a path, a PIL image or a tensor (C, H, W) in 0..1.
        progress: is told the share that is done, 0..1, and what is being done; a true answer stops, and what is done so far is given back.
        **choices: `layers`, `why`, `channels`, `width`, `steps`, `usual`, `shown`, `network`, `seed`, `device`, `threads`, `keep`,
            `max_pixels` of `plan_see`.

    Raises:
        UsageError: an unknown name, a layer that is named twice, or a value out of bounds. InputError: a picture that cannot be used.
        MissingExtra: `why` was given, and captum is not installed.
    """
    *_, last = plan_see(picture, **choices).rungs(progress)
    return last


class Looking:
    """A look about to be taken: what is known before the first layer, and the way up."""

    def __init__(self, sight: Sight, network: Network, wish: Wish) -> None:
        self.sight, self.network, self.wish = sight, network, wish

    def rungs(self, halt: Halt | None = None) -> Iterator[Sight]:
        """What is seen so far: before the first layer, and after each."""
        yield self.sight
        yield from look(self.sight, self.network, self.wish, halt)


def plan_see(
    picture: Start,
    *,
    layers: Sequence[str] | None = None,
    why: str | int | None = None,
    channels: int = MOST_CHANNELS,
    width: int | None = None,
    steps: int | None = None,
    usual: str | Path | None = None,
    shown: str | int | Sequence[int] = (),
    network: Network | str | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    max_pixels: int = MAX_PIXELS,
) -> Looking:
    """All of `see` but the looking: what is wrong comes to light here.

    Args:
        layers: names of layers, in any order; without them every block of the network.
        why: explain this label instead of the one the network gives.
        channels: how many of each layer are shown, 0 to 4.
        width: look at the picture at this width, its shape kept; without it about as large as the network's own size.
        steps: of each rebuilding; without it as many as the layer's depth asks for.
        usual: a folder of pictures on which "usual" is measured; without it the photographs that built-in networks were measured on.
        shown: of a network with other than one or three channels: which are looked at as red, green and blue, or one, in grey.
        keep: keep the picture for `redo`, and feature pictures for the next time, in the cache.
    """
    channels = whole("--channels", channels, 0, MOST_CHANNELS)
    seed, threads = seeded(seed), threaded(threads)
    width = None if width is None else whole("--width", width, 16)
    steps = None if steps is None else whole("--steps", steps, 1, 100_000)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    nets = networks_from(network, device)
    if len(nets) > 1:
        raise UsageError("several networks to see with", "give one: a page shows what one network saw")
    (net,) = nets
    finish = choose(Finish, shown=tuple(shown) if isinstance(shown, list) else shown)
    check_colours(net, {}, finish)
    with at_most_pixels(max_pixels):
        given = picture_of(picture, net.channels)
    name = Path(picture).name if isinstance(picture, (str, Path)) else "the picture"
    height, wide = given.size
    if width is not None or min(height, wide) < SMALLEST:  # without a width any larger one is looked at at the network's own size
        check_size(*((height, wide) if width is None else (max(1, round(height * width / wide)), width)), name)
    with using(threads):
        names = _names(layers, net)
        notes: list[str] = []
        labels = tuple(net.recognise(given)) if net.labels else ()
        explained, against = _explained(why, net, given, notes)
        with at_most_pixels(max_pixels):
            common = _usual(usual, names, net)
        size = seen_size(given, net, width)
    if width is not None and size[1] != width:
        notes.append(f"{net.name} takes pictures of {net.size[1]}×{net.size[0]} alone, and looked at this one so")
    wish = Wish(names, size, common, explained, against, channels, steps, seed, threads, keep, finish.shown)
    said = [None if each is None else _named(net, each) for each in (explained, against)]
    sight = Sight(
        printable(name), given, size, net.name, labels, said[0], said[1], common.name, expected=len(names), notes=tuple(notes),
        shown=finish.shown,
    )  # fmt: skip
    return Looking(sight, net, wish)


def _names(layers: Sequence[str] | None, network: Network) -> tuple[str, ...]:
    """The layers that are meant, lowest first."""
    if layers is None:
        return tuple(each.name for each in blocks(network))
    given = [layers] if isinstance(layers, str) else list(layers)
    if not given:
        raise UsageError("no layers to look at", "name one, or leave it out for every block")
    for each in given:
        if given.count(each) > 1:
            raise UsageError(f"layer '{each}' stands twice among the layers", "name each of them once")
        network.layer(each)
    order = [each.name for each in network.layers]
    for each in given:
        if each not in order:
            raise UsageError(f"layer '{each}' is not one of those that can be seen", "`reverie layers` lists them")
    return tuple(sorted(given, key=order.index))


def _explained(why: str | int | None, network: Network, picture: _pictures.Picture, notes: list[str]) -> tuple[int | None, int | None]:
    """The class to explain, and the one to hold against it."""
    if why is None and not network.labels:
        notes.append(f"{network.name} has no labels, so what needs them is left out: what it says of the picture, and what counted")
        return None, None
    if not attribution.available():
        if why is not None:
            raise MissingExtra("what counted for a label needs captum", "pip install captum")
        notes.append("what counted is left out: it needs captum (pip install captum)")
        return None, None
    best = [each.index for each in network.recognise(picture, top=2)]
    index = best[0] if why is None else network.class_index(str(why))
    return index, next((each for each in best if each != index), None)


def _named(network: Network, index: int) -> str:
    return network.labels[index][0] if index < len(network.labels) else f"class {index}"


def _usual(folder: str | Path | None, names: tuple[str, ...], network: Network) -> Usual:
    """What is usual for these layers: by the user's pictures, or by those it was measured on before, or by noise."""
    if folder is not None:
        place = expanded(folder)
        if not is_folder(place):
            raise InputError(f"'{place}' is no folder", "give a folder of pictures with --usual")
        found = files.pictures_in(place)
        if not found:
            raise InputError(f"no picture in '{place}', which --usual names", "pictures end in " + " ".join(sorted(files.READABLE)))
        loaded = (_pictures.load(each, network.channels) for each in found)
        looked_at = (resize(each.pixels, *seen_size(each, network)) for each in loaded)
        return measure(network.prepare(names), looked_at, f"{len(found)} picture{'s' * (len(found) > 1)} in {printable(place.name)}")
    known = network.usual()
    here = {} if known is None else {name: known.layers[name] for name in names if name in known.layers}
    missing = [name for name in names if name not in here]
    if known is not None and not missing:
        return Usual(known.name, MappingProxyType(here))
    noise = noise_usual(network, missing)
    if not here or known is None:
        return noise
    return replace(noise, name=f"{known.name}; of {', '.join(missing)} {noise.name}", layers=MappingProxyType({**here, **noise.layers}))

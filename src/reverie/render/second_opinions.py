"""Second opinions: what networks that did not dream a class picture say of it, when it is final."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from reverie.networks import Network, Prepared, installed, open_network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.labels import imagenet
from reverie.pictures import resize, rounded
from reverie.recipe import Named, Opinion, Recipe
from reverie.target import CLASSES

_TOP = 5


def judges(dreamer: Network, *others: str) -> list[Network]:
    """The built-in networks that are installed, did not dream, know the same classes by the same numbers, and can look at its pictures.

    Args:
        others: hashes of the weights of those that dreamt as well.
    """
    if dreamer.channels not in (1, 3) or list(dreamer.labels) != list(imagenet()):  # they have three channels, and see grey in all three
        return []
    dreamt = {dreamer.sha256, *others}
    return [_open(name, dreamer.device.type) for name in installed() if CATALOGUE[name].sha256 not in dreamt]


def opinions(pictures: Sequence[Tensor], recipes: Sequence[Recipe], dreamer: Network) -> list[tuple[Opinion, ...]]:
    """What each judge says of each picture (C, H, W), rounded to 8 bits as a file of it would be.

    Of pictures whose target names no class there is nothing to say.
    """
    asked = judges(dreamer, *(used.sha256 for used in recipes[0].networks)) if recipes else []
    ready = [(each, each.prepare([CLASSES])) for each in asked]
    return [
        tuple(
            _opinion(each, prepared, picture, wanted(recipe, dreamer))
            for each, prepared in ready
            if any(term.label is not None for term in recipe.target.terms)
        )
        for picture, recipe in zip(pictures, recipes, strict=True)
    ]


def wanted(recipe: Recipe, dreamer: Network) -> tuple[int, ...]:
    """The numbers of the class, or of those of any of which it is content with one, that a recipe asks for most."""
    named = [term for term in recipe.target.terms if term.label is not None]
    return dreamer.class_indices(max(named, key=lambda term: term.weight).label or "")


def _opinion(judge: Network, prepared: Prepared, picture: Tensor, classes: tuple[int, ...]) -> Opinion:
    with torch.no_grad():
        logits = prepared(resize(rounded(picture), *judge.size)[None].to(judge.device))[CLASSES][0]  # (K,)
    probabilities = logits.double().softmax(0).cpu()
    best, meant = probabilities.topk(_TOP), probabilities[list(classes)]
    return Opinion(
        network=judge.name,
        sha256=judge.sha256,
        rank=1 + int((probabilities > meant.max()).sum()),
        probability=round(float(meant.sum()), 6),
        labels=tuple(
            Named(index=number, label=judge.labels[number][0], probability=round(probability, 6))
            for number, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ),
    )


@lru_cache(maxsize=4)
def _open(name: str, device: str) -> Network:
    return open_network(name).to(device)

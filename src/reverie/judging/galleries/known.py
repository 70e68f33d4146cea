"""What is known of each picture of a gallery: its recipe in words and fields, what it cost, its scores and its place by each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reverie.album import Entry
from reverie.judging.scores.company import together
from reverie.judging.scores.table import OPINION, in_order
from reverie.networks.builtin.catalogue import level_at
from reverie.recipe import Recipe
from reverie.recipe.description import differences, preset_of, summary
from reverie.target import without_members


@dataclass(frozen=True)
class Known:
    """A picture, or a file that should be one.

    Attributes:
        recipe: None of pictures that Reverie did not make, and of sheets.
        words: the recipe, or what else it is.
        kind: the command that made it, `sheet`, or empty.
        networks, layers, classes: that its recipe names.
        preset: whose choices are its own, or empty.
        apart: of its choices those that are not as usual: the field, its value, and what it usually is, or None.
        steps: gradient steps that it took, over all octaves; 0 where that is not known.
        scores: by their names, see `judging.scores.table`.
        without: why it has not the others, by their names; empty where it was not scored.
    """

    entry: Entry
    recipe: Recipe | None = None
    words: str = ""
    kind: str = ""
    networks: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    preset: str = ""
    apart: tuple[tuple[str, Any, Any], ...] = ()
    steps: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """Pictures by one score.

    Attributes:
        name: of the score, in words.
        places: of each picture that has it, by its number in the gallery: 1 is the highest; those that are alike share a place.
    """

    name: str
    places: dict[int, int]


def known_of(entry: Entry) -> Known:
    """What its file says of a picture."""
    recipe = entry.read_recipe()
    if recipe is None:
        return Known(entry, words=entry.words, kind="sheet" if entry.words else "")
    level = level_at(recipe.networks[0].name, str(recipe.target)) if recipe.networks else None
    labels = (term.label for term in recipe.target.terms if term.label is not None)
    return Known(
        entry,
        recipe,
        summary(recipe, level),
        recipe.command,
        tuple(each.name for each in recipe.networks),
        recipe.target.layers(),
        tuple(dict.fromkeys(without_members(f"class:{label}").removeprefix("class:") for label in labels)),
        preset_of(recipe, level),
        tuple(differences(recipe)),
        _steps(recipe),
        {f"{OPINION}{each.network}": each.probability for each in recipe.opinions},
    )


def with_kept_scores(pictures: Sequence[Known]) -> list[Known]:
    """The same with the scores that are kept of them."""
    found = together([(each.entry.sha256, each.recipe) for each in pictures])
    return [
        each if scored is None else replace(each, scores={**scored.scores, **each.scores}, without=dict(scored.without))
        for each, scored in zip(pictures, found, strict=True)
    ]


def rankings(pictures: Sequence[Known]) -> list[Ranking]:
    """One of each score that any of them has, in the order of their table."""
    names = in_order({name for each in pictures for name in each.scores})
    return [Ranking(name, _places({at: each.scores[name] for at, each in enumerate(pictures) if name in each.scores})) for name in names]


def _places(scores: dict[int, float]) -> dict[int, int]:
    first: dict[float, int] = {}
    for place, score in enumerate(sorted(scores.values(), reverse=True), 1):
        first.setdefault(score, place)
    return {at: first[score] for at, score in scores.items()}


def counted(pictures: Iterable[Known]) -> tuple[int, int]:
    """How many of them Reverie made, and how many cannot be read."""
    given = list(pictures)
    return sum(1 for each in given if each.kind), sum(1 for each in given if each.entry.state == "unreadable")


def _steps(recipe: Recipe) -> int:
    if recipe.moves:
        return 0
    if recipe.stopped is not None:
        return (recipe.stopped.octave - 1) * recipe.ascent.steps + recipe.stopped.step
    return recipe.ascent.octaves * recipe.ascent.steps

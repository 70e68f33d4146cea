"""What is kept of the pictures of a folder, together: the scores of each, and how different it is from its siblings. Knows no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reverie.judging.scores.kept import Scored, kept
from reverie.recipe import NoiseInput, Recipe

SIBLINGS = "difference from its siblings"


def together(pictures: Sequence[tuple[str, Recipe | None]]) -> list[Scored | None]:
    """What is kept of each, by its sha256; with its difference from the nearest of its siblings among those of which something is kept."""
    found = [kept(sha256) for sha256, _ in pictures]
    families: dict[tuple[str, str], dict[str, list[int]]] = {}
    for at, ((sha256, recipe), scored) in enumerate(zip(pictures, found, strict=True)):
        if recipe is not None and scored is not None and scored.look is not None:
            families.setdefault(family(recipe), {}).setdefault(sha256, []).append(at)
    for members in families.values():
        _compare(members, found)
    return found


def family(recipe: Recipe) -> tuple[str, str]:
    """What siblings share: the command, and what they began with."""
    used = next(each for each in recipe.inputs if each.role in ("start", "film"))
    return recipe.command, used.start if isinstance(used, NoiseInput) else used.sha256


def _compare(members: dict[str, list[int]], found: list[Scored | None]) -> None:
    """Say of each how different it is; a file that is there twice is one picture."""
    if len(members) < 2:
        for at in (at for places in members.values() for at in places):
            found[at] = _with(found[at], None)
        return
    from reverie.judging.scores.likeness import nearest

    firsts = [found[places[0]] for places in members.values()]
    away = nearest([each.look for each in firsts if each is not None and each.look is not None])
    for places, value in zip(members.values(), away, strict=True):
        for at in places:
            found[at] = _with(found[at], value)


def _with(scored: Scored | None, value: float | None) -> Scored:
    assert scored is not None
    if value is None:
        why = "no other picture of the folder has its command and its start"
        return replace(scored, without={**scored.without, SIBLINGS: why})
    return replace(scored, scores={**scored.scores, SIBLINGS: value})

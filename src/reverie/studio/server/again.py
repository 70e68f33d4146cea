"""A recipe as a wish: the form filled in as the picture was made, so that it can be made again, or otherwise."""

from __future__ import annotations

from typing import Any

from reverie.recipe import COMMANDS, FileInput, NoiseInput, Recipe, Used
from reverie.recipe.description import differences, preset_of
from reverie.store import Kept
from reverie.studio.server.gallery import Gallery
from reverie.studio.server.inputs import Inputs, words_of
from reverie.studio.server.refusals import Refused

_CHOICE_OF = {"guide": "guide", "mask": "mask", "direction": "direction"}  # by the role of an input


def form_of(recipe: Recipe, inputs: Inputs, gallery: Gallery) -> dict[str, Any]:
    """`command`, `subjects` and `choices`, of these only what is not as usual; `missing`, the sha256 of each file that is not to be found;
    and the recipe in `words`.

    Raises:
        Refused: it is of a picture that no form makes: one that was rebuilt from a layer, or climbed somebody's own function.
    """
    if recipe.command not in COMMANDS or recipe.command == "see" or not recipe.networks:
        raise Refused(422, "no form makes this picture", "its recipe tells how it was made")
    missing: list[str] = []

    def found(used: Used) -> str | None:
        if isinstance(used, NoiseInput):
            return used.start
        place = _found(used.sha256, inputs, gallery)
        missing.extend([] if place else [used.sha256])
        return place

    spec = COMMANDS[recipe.command]
    choices = {name: value for name, value in _choices(recipe).items() if name in spec.fields or name == "network"}
    for each in recipe.inputs:
        if each.role in _CHOICE_OF and (place := found(each)) is not None:
            choices[_CHOICE_OF[each.role]] = place
    target = str(recipe.target)
    if recipe.command in ("imagine", "feature"):
        subjects = [target.removeprefix("class:") if recipe.command == "imagine" and target.count("class:") == 1 else target]
    else:
        start = recipe.input("film" if recipe.film is not None else "start")
        place = None if start is None else found(start)
        subjects = [] if place is None else [place]
    return {"command": recipe.command, "subjects": subjects, "choices": choices, "missing": missing, "words": words_of(recipe)}


def _choices(recipe: Recipe) -> dict[str, Any]:
    """What of it is not as it is by itself, by the names of the form."""
    groups = recipe.model_dump(mode="json")
    names = [each[0].partition(".") for each in differences(recipe)]
    choices: dict[str, Any] = {field: groups[group][field] for group, dot, field in names if dot and group != "inputs"}
    if recipe.command in ("imagine", "feature"):
        choices |= {"preset": preset_of(recipe) or None}
    elif recipe.journey is not None and recipe.journey.ring:
        choices |= {"ring": [str(each.target) for each in recipe.journey.ring]}
    else:
        choices |= {"target": str(recipe.target)}
    start = recipe.input("start")
    if isinstance(start, FileInput) or recipe.film is not None:
        choices |= {"width": recipe.width}
    else:
        choices |= {"size": f"{recipe.width}x{recipe.height}"}
    if recipe.journey is not None:
        choices |= {"frames": recipe.journey.frames, "motion": recipe.journey.motion}
    if recipe.film is not None and recipe.film.frames:
        choices |= {"frames": recipe.film.frames}
    choices |= {"seed": recipe.seed, "where": recipe.where, "network": _networks(recipe)}
    if recipe.objective == "caricature":
        choices |= {"caricature": True}
    return {name: value for name, value in choices.items() if value is not None}


def _networks(recipe: Recipe) -> str | list[str]:
    names = [each.name for each in recipe.networks]
    return names[0] if len(names) == 1 else names


def _found(sha256: str, inputs: Inputs, gallery: Gallery) -> str | None:
    """Where a file that went in is: among what was brought, among what was made, or in the cache, from where it is taken."""
    if inputs.find(sha256) is not None:
        return f"input:{sha256}"
    if (made := gallery.with_content(sha256)) is not None:
        return f"picture:{made.id}"
    kept = Kept().find(sha256)
    return None if kept is None else f"input:{inputs.bring(kept, kept.name)}"

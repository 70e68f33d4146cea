"""A recipe as a wish: the form filled in as the picture was made, so that it can be made again, or otherwise."""

from __future__ import annotations

from typing import Any

from reverie.networks.builtin.catalogue import level_at
from reverie.recipe import CHOSEN, COMMANDS, COMPANY, DEFAULT_NETWORK, FileInput, NoiseInput, Recipe, Used, resolve
from reverie.recipe.description import preset_of
from reverie.store import Kept
from reverie.studio.server.inputs import Inputs, words_of
from reverie.studio.server.made_pictures import Gallery
from reverie.studio.server.refusals import Refused
from reverie.target import Target

_CHOICES_OF_FILES = ("guide", "mask", "direction")  # called as the role of the input is
_FOLLOWS = {"imagine": ("octaves",), "feature": ("octaves",)}  # from the size


def form_of(recipe: Recipe, inputs: Inputs, gallery: Gallery) -> dict[str, Any]:
    """`command`, `subjects` and `choices`, of these only what is not as usual; `missing`, the sha256 of each file that is not to be found;
    the recipe in `words`; and `notes`, what a form cannot ask for.

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
        if each.role in _CHOICES_OF_FILES and (place := found(each)) is not None:
            choices[each.role] = place
    if recipe.batch is not None and recipe.batch.kind == "between":
        subjects = []
    elif recipe.command in ("imagine", "feature"):
        subjects = [_subject(recipe, recipe.target)]
    else:
        start = recipe.input("film" if recipe.film is not None else "start")
        place = None if start is None else found(start)
        subjects = [] if place is None else [place]
    return {
        "command": recipe.command,
        "subjects": subjects,
        "choices": choices,
        "missing": missing,
        "words": words_of(recipe),
        "notes": _notes(recipe),
    }


def _choices(recipe: Recipe) -> dict[str, Any]:
    """What of it is not as it is by itself, by the names of the form."""
    choices = _goal(recipe)
    usual, start = resolve(recipe.command, choices), recipe.input("start")
    for group in (getattr(recipe, name) for name in CHOSEN):
        for name in type(group).model_fields if group is not None else ():
            if name not in ("ring", *_FOLLOWS.get(recipe.command, ())) and not (name == "spread" and isinstance(start, FileInput)):
                value = getattr(group, name)
                choices |= {name: group.model_dump(mode="json")[name]} if value != getattr(usual[type(group)], name) else {}
    if not isinstance(start, FileInput) and recipe.film is None:
        choices["size"] = f"{recipe.width}x{recipe.height}"
    elif not isinstance(start, FileInput) or start.width != recipe.width:
        choices["width"] = recipe.width
    if recipe.where is not None:
        choices["where"] = recipe.where
    choices |= _together(recipe)
    if recipe.tiles is not None:
        choices |= {"tile": recipe.tiles.tile, "halo": recipe.tiles.halo}
    if recipe.objective == "log-odds":
        choices["class_score"] = "log-odds"
    names = [each.name for each in recipe.networks]
    if names != [DEFAULT_NETWORK]:
        choices["network"] = names[0] if len(names) == 1 else names
    return {**choices, "seed": recipe.seed}


def _goal(recipe: Recipe) -> dict[str, Any]:
    """What is climbed, in the plainest words there are for it: a preset, a level, or the target."""
    level = level_at(recipe.networks[0].name, str(recipe.target))
    preset = preset_of(recipe, level)
    if recipe.command in ("imagine", "feature"):
        return {"preset": preset} if preset else {}
    if recipe.objective == "caricature":
        return {"caricature": True, "target": str(recipe.target)}
    if recipe.journey is not None and recipe.journey.ring:
        return {"ring": [str(each.target) for each in recipe.journey.ring]}
    if preset and COMMANDS[recipe.command].presets[preset].level == level:
        return {"preset": preset}
    return {"level": level} if level else {"target": str(recipe.target)}


def _together(recipe: Recipe) -> dict[str, Any]:
    """With what it was made, as far as a form can say it."""
    batch = recipe.batch
    if batch is None:
        return {"company": 1} if recipe.command in _FOLLOWS and recipe.penalties.natural else {}
    if batch.kind == "diverse":
        return {"diverse": len(batch.targets)}
    if batch.kind == "between":
        ends = [_subject(recipe, each) for each in (batch.targets[0], batch.targets[-1])]
        return {"between": ends, "count": len(batch.targets)}
    return {}


def _notes(recipe: Recipe) -> list[str]:
    """What a form cannot ask for, and what follows from that."""
    batch, notes = recipe.batch, []
    if batch is not None and batch.kind == "each" and not _is_in_usual_company(recipe):
        others = len(batch.targets) - 1
        notes.append(f"It was made together with {others} other{'s' * (others > 1)}; alone it comes out a little different.")
    elif batch is not None and batch.kind != "each":
        notes.append(f"It is number {batch.index + 1} of {len(batch.targets)} that were made together; all of them are made.")
    if recipe.input("usual") is not None:
        notes.append("It was drawn to usual pictures, of which it carries only what they have in common: give them again.")
    if recipe.stopped is not None:
        notes.append("It was stopped before it was done; made again, it is made to the end.")
    return notes


def _is_in_usual_company(recipe: Recipe) -> bool:
    """Whether its others were, most likely, those that join every natural picture."""
    return recipe.penalties.natural > 0 and recipe.batch is not None and recipe.batch.index == 0 and recipe.together == COMPANY


def _subject(recipe: Recipe, target: Target) -> str:
    """A target as what stands behind the command's name."""
    text = str(target)
    return text.removeprefix("class:") if recipe.command == "imagine" and text.count("class:") == 1 else text


def _found(sha256: str, inputs: Inputs, gallery: Gallery) -> str | None:
    """Where a file that went in is: among what was brought, among what was made, or in the cache, from where it is taken."""
    if inputs.find(sha256) is not None:
        return f"input:{sha256}"
    if (made := gallery.with_content(sha256)) is not None:
        return f"picture:{made.id}"
    kept = Kept().find(sha256)
    return None if kept is None else f"input:{inputs.bring(kept, kept.name)}"

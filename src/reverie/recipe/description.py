"""A recipe as people say it: what was made, and what of it is unusual."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from reverie.recipe.choices import Data
from reverie.recipe.command_table import CLIMB, COMMANDS
from reverie.recipe.recipe import CHOSEN, FileInput, NoiseInput, Recipe, StatisticsInput, Used, VectorInput
from reverie.recipe.requests import COMPANY
from reverie.recipe.resolve import Request, resolve

_KINDS = {
    "dream": "a dream", "imagine": "a class picture", "feature": "a feature picture", "see": "a picture rebuilt from a layer",
    "journey": "a journey", "film": "a dreamt film",
}  # fmt: skip
_HOW = {
    "guide": ", guided by a picture",
    "caricature": ", a caricature",
    "direction": ", along a direction",
    "own": ", by an objective of its own",
}
_NOT_CHOSEN = {"machine", "schema_version", "stopped", "opinions"}


def in_words(recipe: Recipe, level: str | None = None) -> str:
    """`a dream on blocks.4.2 (objects), 5 octaves of 16 steps, 640×360, seed 0; everything else as usual`.

    Args:
        level: that the target stands for, if it is known.
    """
    return summary(recipe, level) + ("; what is not as usual:" if differences(recipe) else "; everything else as usual")


def summary(recipe: Recipe, level: str | None = None) -> str:
    """The same without a word on the rest."""
    what = f"{_KINDS.get(recipe.command, recipe.command)} {'of' if recipe.command == 'imagine' else 'on'} {_subject(recipe)}"
    if not recipe.networks:
        what = "a climb of a score of pictures"
    parts = [what + (f" ({level})" if level else "") + _HOW.get(recipe.objective, "")]
    if recipe.penalties.natural:
        own = "usual pictures of the user's" if recipe.input("usual") else "what the network remembers of its training pictures"
        parts.append(f"drawn to {own}")
    preset = preset_of(recipe, level)
    if preset and preset != COMMANDS[recipe.command].usual_preset:
        parts.append(f"as the preset {preset}")
    parts.append(f"{recipe.ascent.octaves} octave{'s' * (recipe.ascent.octaves > 1)} of {recipe.ascent.steps} steps")
    moving = recipe.journey or recipe.film
    if moving is not None and moving.frames:
        parts.append(f"{moving.frames} frames")
    parts += [f"{recipe.width}×{recipe.height}", f"seed {recipe.seed}"]
    if recipe.networks:
        parts.append("by " + " and ".join(each.name for each in recipe.networks))
    if recipe.stopped:
        parts.append(f"stopped at step {recipe.stopped.step} of octave {recipe.stopped.octave}")
    return ", ".join(parts)


def differences(recipe: Recipe) -> list[tuple[str, Any, Any]]:
    """What is not as it is without being named: the field, its value, and what it usually is; None where there is no usual."""
    usual = _usual(recipe)
    found: list[tuple[str, Any, Any]] = list(_chosen_apart(recipe, usual))
    found += [(f"inputs.{each.role}", _input(each), None) for each in recipe.inputs if each.role not in ("start", "film")]
    if recipe.where is not None:
        found.append(("where", recipe.where, None))
    if recipe.tiles is not None:
        found.append(("tiles", f"{recipe.tiles.tile} with a halo of {recipe.tiles.halo}", None))
    found += _together(recipe)
    if recipe.made_from is not None:
        found.append(("made_from", f"the recipe with sha256 {recipe.made_from[:12]}…", None))
    return found


def _together(recipe: Recipe) -> Iterator[tuple[str, Any, Any]]:
    """How many were made together, where that is not as it is without being named."""
    of_noise, batch = recipe.command in ("imagine", "feature"), recipe.batch
    has_company = of_noise and recipe.penalties.natural > 0 and (batch is None or batch.kind == "each")
    usual = f"{COMPANY} together" if has_company else None
    if batch is not None and not (has_company and recipe.together == COMPANY):
        yield "batch", f"{batch.index + 1} of {recipe.together} made together ({batch.kind})", usual
    terms = recipe.target.terms
    if batch is None and has_company and len(terms) == 1 and (terms[0].label is not None or terms[0].channel is not None):
        yield "batch", "made alone", usual


def told_apart(one: Recipe, other: Recipe) -> list[str]:
    """What is not the same in two recipes, by name, but for what nobody chose: `seed`, `target`, `steps`."""
    first, second = (each.model_dump(mode="json", exclude=_NOT_CHOSEN) for each in (one, other))
    return [each for name in {**first, **second} for each in _apart(name, first.get(name), second.get(name))]


def preset_of(recipe: Recipe, level: str | None = None) -> str:
    """The preset whose choices are exactly its own, the usual one last; of what begins with noise the nearest. Empty where there is none.

    Args:
        level: that the target stands for, if it is known.
    """
    command = COMMANDS.get(recipe.command)
    if command is None or command.of_preset or recipe.film or not recipe.networks:
        return ""
    if recipe.command in ("imagine", "feature"):
        is_own = any(used.mean for used in recipe.networks)  # for which another is usual
        return "" if is_own else str(_usual(recipe).given.get("preset", ""))
    if recipe.objective != "excite":
        return ""
    named = [name for name, each in command.presets.items() if each.level in (None, level)]
    others_first = sorted(named, key=lambda name: name == command.usual_preset)
    return next((name for name in others_first if not any(_chosen_apart(recipe, _as_it_is(command.name, name)))), "")


def _usual(recipe: Recipe) -> Request:
    """What a recipe is compared with: its command as it is by itself; of one with looks the one that is nearest."""
    if not recipe.networks:
        return Request(CLIMB, {})
    command = COMMANDS[recipe.command]
    looks = [name for name, each in command.presets.items() if each.level is None]
    usual = [_as_it_is(command.name, name) for name in (looks or [""])]
    return min(usual, key=lambda each: sum(1 for _ in _chosen_apart(recipe, each)))


@cache
def _as_it_is(command: str, preset: str) -> Request:
    """What a command does where nothing else is said; galleries compare thousands of recipes with it."""
    return resolve(command, {"preset": preset} if preset else {})


def _chosen_apart(recipe: Recipe, usual: Request) -> Iterator[tuple[str, Any, Any]]:
    """The choices in groups that are others than here, but for what nobody chose: the field, its value, and what it is here."""
    for name in CHOSEN:
        group: Data | None = getattr(recipe, name)
        if group is None:
            continue
        for field in type(group).model_fields:
            value, other = getattr(group, field), getattr(usual[type(group)], field)
            if value != other and not _follows(recipe, field, value):
                yield f"{name}.{field}", value, other


def _apart(name: str, one: Any, other: Any) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [each for inner in {**one, **other} for each in _apart(inner, one.get(inner), other.get(inner))]
    return [] if one == other else [name]


def _follows(recipe: Recipe, field: str, value: Any) -> bool:
    """Whether nobody chose it: it is told elsewhere, or follows from the size or the start."""
    by_size = field == "octaves" and recipe.command in ("imagine", "feature")
    if field == "natural" and recipe.input("usual") is not None:
        return bool(value == 1)  # as those who give usual pictures are told to
    by_start = field == "spread" and isinstance(recipe.input("start"), FileInput)
    return by_size or by_start or field in ("frames", "ring") or (field, value) == ("motion", "zoom=1.3")


def _subject(recipe: Recipe) -> str:
    if recipe.journey is not None and recipe.journey.ring:
        return " and ".join(str(each.target) for each in recipe.journey.ring) + " in turn"
    text = str(recipe.target)
    return text.removeprefix("class:") if recipe.command == "imagine" and text.count("class:") == 1 else text


def _input(used: Used) -> str:
    if isinstance(used, NoiseInput):
        return f"{used.noise} noise"
    if isinstance(used, VectorInput):
        return f"{used.channels} numbers, sha256 {used.sha256[:12]}…"
    if isinstance(used, StatisticsInput):
        return f"statistics of pictures, sha256 {used.sha256[:12]}…"
    return f"{used.width}×{used.height}, sha256 {used.sha256[:12]}…"

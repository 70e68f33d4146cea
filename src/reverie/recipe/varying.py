"""What of a grid varies, from text: `level=edges,parts`, `seed=0-3`, `strength=0.1-0.3:0.05`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, get_origin

from reverie.errors import UsageError, choice, unknown
from reverie.recipe.command_table import COMMANDS, CommandSpec, flag_in, flag_names, held_in

SUBJECTS = {"dream": "start", "imagine": "label", "feature": "target"}
"""Commands whose pictures make a grid, and what each begins with."""
NAMING_FILES = frozenset({"start", "guide", "mask", "direction", "towards", "away", "usual"})
"""Choices whose texts name files, or folders of them."""
MOST_VALUES = 10_000  # of one choice
_NOT = {
    "variants": f"it gives several of each: {choice('vary', 'variant=1-4')} gives them one by one",
    "between": "it gives a row of each: `imagine` makes one",
    "count": "it is of a row between two",
    "diverse": "it gives several of each, and seeds give one: vary them",
}
_WHOLE, _NUMBER = re.compile(r"(-?\d{1,19})(?:-(-?\d{1,19}))?"), r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_STEPS = re.compile(rf"({_NUMBER})(?:-({_NUMBER}):({_NUMBER}))?")
_TARGETS = re.compile(r"""(?:"[^"]*"|@\s*\d+\s*,\s*\d+|[^,])+""")  # a neuron has a comma of its own
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def varying(command: str) -> dict[str, type | None]:
    """The choices of a command that may vary, by name, and which numbers they are: whole, others, or switches; None of all others."""
    spec = COMMANDS[command]
    found = {name: _kind(spec, name) for name in spec.fields if name not in _NOT}
    return {SUBJECTS[command]: None, "network": None, **found, **({"variant": int} if command == "dream" else {})}


def varied(texts: Iterable[str], command: str) -> dict[str, list[Any]]:
    """What each `NAME=VALUES` says, in their order; values of one name are joined.

    Raises:
        UsageError: a text that is none, a name that the command has not, or a value that is no number where one belongs.
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(choice("vary", text), f"write a name, =, and values: {choice('vary', 'seed=0-3')}")
        known = vary_named(name, command)
        found.setdefault(known, []).extend(values_of(known, values, command))
    return found


def vary_named(name: str, command: str) -> str:
    """The choice that is meant by its own name, or by its flag: `octave-scale`, `from`.

    Raises:
        UsageError: the command has none of that name, or it cannot vary.
    """
    word = name.strip().removeprefix("--").replace("-", "_")
    spec, known = COMMANDS[command], varying(command)
    flags = {each: field for field, model in spec.fields.items() for each in flag_names(field, flag_in(model, field))}
    word = flags.get("--" + word.replace("_", "-"), word)
    if word in _NOT and word in spec.fields:
        raise UsageError(f"{choice(word)} in {choice('vary')}", _NOT[word])
    if word not in known:
        others = [each for each in SUBJECTS if word in varying(each)]
        if others:
            raise UsageError(
                f"{choice('vary', name.strip())} is no choice of `{command}`",
                f"`{'` and `'.join(others)}` ha{'s' if len(others) == 1 else 've'} it",
            )
        raise unknown("choice", name.strip(), known, f"`reverie {command} --help-all` lists them")
    return word


def values_of(name: str, text: str, command: str) -> list[Any]:
    """The values that a text lists for a choice: by commas; whole numbers also as `0-3`, others as `0.5-1.5:0.25`.

    Raises:
        UsageError: it lists none, or something that is no such number.
    """
    kind = varying(command)[name]
    readers: dict[Any, Callable[[str, str], list[Any]]] = {int: _whole, float: _steps, bool: _switch}
    read = readers.get(kind)
    if name == "target":
        found: list[Any] = _TARGETS.findall(text)
    elif read is None and _has_commas(name, command):
        found = [text]
    else:
        found = text.split(",")
    parts = [each.strip() for each in found]
    if not all(parts):
        raise UsageError(choice("vary", f"{name}={text}"), "it lists no value, or an empty one")
    if read is None:
        return parts
    return [value for part in parts for value in read(part, name)]


def _whole(part: str, name: str) -> list[int]:
    matched = _WHOLE.fullmatch(part)
    if matched is None:
        raise _no_number(name, part, "whole numbers, as 1,4 or 0-3")
    first, last = int(matched[1]), int(matched[2] or matched[1])
    _check_range(name, part, last - first)
    return list(range(first, last + 1))


def _steps(part: str, name: str) -> list[float]:
    matched = _STEPS.fullmatch(part)
    if matched is None:
        raise _no_number(name, part, "numbers, as 0.5,1 or 0.5-1.5:0.25, where the last says how far apart they are")
    try:
        first, last, step = (Decimal(each) for each in (matched[1], matched[2] or matched[1], matched[3] or "1"))  # so that 0.3 is 0.3
    except InvalidOperation:
        raise _no_number(name, part, "numbers") from None
    if step <= 0:
        raise UsageError(choice("vary", f"{name}={part}"), "values lie apart by more than 0")
    _check_range(name, part, (last - first) / step)
    return [float(first + number * step) for number in range(int((last - first) / step) + 1)]


def _switch(part: str, name: str) -> list[bool]:
    if part.lower() not in _SWITCH:
        raise _no_number(name, part, "true or false")
    return [_SWITCH[part.lower()]]


def _check_range(name: str, part: str, length: Any) -> None:
    if not 0 <= length < MOST_VALUES:
        fault = choice("vary", f"{name}={part}")
        raise UsageError(fault, f"a range leads from its first to its last, and has {MOST_VALUES:,} values at most")


def _no_number(name: str, part: str, wanted: str) -> UsageError:
    return UsageError(choice("vary", f"{name}={part}"), f"it takes {wanted}")


def _kind(spec: CommandSpec, name: str) -> type | None:
    kind = held_in(spec.fields[name].model_fields[name])
    return kind if kind in (int, float, bool) else None


def _has_commas(name: str, command: str) -> bool:
    """Whether one value of a choice has commas in it, so that each is said by itself."""
    model = COMMANDS[command].fields.get(name)
    return model is not None and ("," in flag_in(model, name).metavar or get_origin(model.model_fields[name].annotation) is tuple)

"""The forms of the page, made from the table of commands: each choice with its kind, default, bounds and help."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from reverie.recipe import COMMANDS, DEFAULT_NETWORK, LOOKS, PRESETS, CommandSpec, Machinery, flag_in, held_in

OFFERED = ("dream", "imagine", "feature", "see", "journey", "film", "ask", "grid")
"""The commands that the page has forms for; one that the table does not have is left out."""
_NOT_OFFERED = frozenset({"keep", "max_pixels"})  # what a stranger may not turn off
_KINDS = {  # of fields whose type says little
    "target": "target", "why": "class", "layers": "layers", "guide": "picture", "mask": "mask", "direction": "array", "towards": "pictures",
    "away": "pictures", "usual": "pictures", "baseline": "baseline", "between": "pair", "ring": "targets", "size": "size", "print": "text",
    "motion": "text", "light": "numbers", "shown": "numbers", "start": "picture",
}  # fmt: skip
_SUBJECTS = {
    "dream": "start", "imagine": "class", "feature": "target", "see": "picture", "ask": "picture", "journey": "start", "film": "film",
    "redo": "made", "grid": "start",
}  # fmt: skip


def commands() -> list[CommandSpec]:
    """Those that can be wished for from a form."""
    return [COMMANDS[name] for name in OFFERED if name in COMMANDS]


def fields_of(spec: CommandSpec) -> dict[str, Any]:
    """The choices of a command that a page may make, and the model of each."""
    return {name: model for name, model in spec.fields.items() if name not in _NOT_OFFERED}


def kind_of(spec: CommandSpec, name: str) -> str:
    """What a choice holds, as forms call it."""
    if name in _KINDS:
        return _KINDS[name]
    field = spec.fields[name].model_fields[name]
    flag, kind = flag_in(spec.fields[name], name), held_in(field)
    if flag.seeds:
        return "seeds"
    if name in ("preset", "level", "where", "device", "precision") or get_origin(kind) is Literal:
        return "choice"
    return {bool: "switch", int: "whole", float: "number"}.get(kind, "text")


def subject_kind(spec: CommandSpec, number: int = 0) -> str:
    """What stands behind a command's name: `start` is a picture or noise, `made` something that Reverie made."""
    return "target" if number else _SUBJECTS.get(spec.name, "text")


@cache
def forms() -> dict[str, Any]:
    """All of them, as JSON has them."""
    return {"commands": [_form(spec) for spec in commands()]}


def _form(spec: CommandSpec) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    if spec.networks != "none":
        kind = "network" if spec.networks == "one" else "networks"
        usual = None if spec.networks == "each" else DEFAULT_NETWORK
        row: dict[str, Any] = {
            "name": "network",
            "kind": kind,
            "default": usual,
            "low": None,
            "high": None,
            "choices": [],
            "help": "which network looks",
        }
        groups["the network"] = [{**row, "first": False}]
    for name, model in fields_of(spec).items():
        groups.setdefault(model.group, []).append(_field(spec, name))
    subjects = [
        {
            "metavar": each.metavar,
            "help": each.description,
            "several": each.several,
            "required": each.required,
            "kind": subject_kind(spec, at),
        }
        for at, each in enumerate(spec.subjects)
    ]
    return {
        "name": spec.name,
        "summary": spec.summary,
        "subjects": subjects,
        "presets": [
            {"name": name, "level": each.level, "shows": each.shows, "choices": each.choices} for name, each in spec.presets.items()
        ],
        "usual_preset": spec.usual_preset or None,
        "groups": [{"name": name, "fields": rows} for name, rows in groups.items()],
    }


def _field(spec: CommandSpec, name: str) -> dict[str, Any]:
    model = spec.fields[name]
    field, kind = model.model_fields[name], kind_of(spec, name)
    low, high, open_below = _bounds(field)
    return {
        "name": name,
        "kind": kind,
        "default": _plain(spec.default(name)),
        "low": low,
        "high": high,
        "open_below": open_below,
        "choices": _choices(spec, name, field),
        "help": field.description or "",
        "first": flag_in(model, name).first,
        "machine": model is Machinery,
    }


def _bounds(field: FieldInfo) -> tuple[float | None, float | None, bool]:
    """Least and greatest value, and whether the least itself is too little."""
    found = field.metadata
    low = next((each.ge for each in found if hasattr(each, "ge")), None)
    above = next((each.gt for each in found if hasattr(each, "gt")), None)
    high = next((each.le for each in found if hasattr(each, "le") and each.le < 2**53), None)  # which JavaScript can count to
    return (above if low is None else low), high, low is None and above is not None


def _choices(spec: CommandSpec, name: str, field: FieldInfo) -> list[str]:
    if name == "preset":
        return [str(each) for each in spec.presets or (*PRESETS, *LOOKS)]
    if name == "device":
        return ["cpu", "cuda", "mps"]
    kind = held_in(field)
    return [str(each) for each in get_args(kind)] if get_origin(kind) is Literal else []


def _plain(value: Any) -> Any:
    """A default as JSON has it."""
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value

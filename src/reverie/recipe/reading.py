"""Recipes from text, and choices from keywords: what is wrong is said in one line."""

from __future__ import annotations

import json
from numbers import Integral, Real
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reverie.errors import InputError, UsageError, choice, unknown
from reverie.recipe.recipe import SCHEMA, Recipe
from reverie.target import brief

LONGEST_TEXT = 1 << 20  # characters of a recipe read from a file
Model = TypeVar("Model", bound=BaseModel)

_EDITED = "the picture may have been edited by another program"


class _NotOurs(ValueError):
    """JSON that some programs read one way and some another."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise _NotOurs("a field stands in it twice")
    return data


def _no_number(name: str) -> None:
    raise _NotOurs(f"{name} is no number of JSON")


def read(text: str) -> Recipe:
    """A recipe from the text that a picture carries. The text is a stranger's: it is checked, field by field.

    Raises:
        InputError: too long, not JSON, from a newer version, or with a field that is unknown or out of bounds.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(f"a recipe of {len(text)} characters", f"the longest allowed is {LONGEST_TEXT}")
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        fault = str(error) if isinstance(error, _NotOurs) else "it is not JSON"
        raise InputError(f"the recipe is not valid: {fault}", _EDITED) from error
    if not isinstance(data, dict):
        raise InputError("the recipe is not valid: it is not a JSON object", _EDITED)
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA:
        raise InputError(f"the recipe has version {brief(str(version))}, this Reverie knows {SCHEMA}", "install a newer Reverie")
    try:
        return Recipe.model_validate_json(text.encode())  # strict as JSON is: an array is a tuple, but "5" is no 5
    except ValidationError as error:
        raise InputError(f"the recipe is not valid: {first_fault(error)}", _EDITED) from error
    except UnicodeEncodeError as error:
        raise InputError("the recipe is not valid: it holds half a character", _EDITED) from error


def first_fault(error: ValidationError) -> str:
    """The first fault of a validation, in one short line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(brief(str(part), 60) for part in fault["loc"][:6])
    return brief(f"{place}: {_plain(fault['msg'])}" if place else _plain(fault["msg"]), 240)


def _plain(message: str) -> str:
    """A message of pydantic's as the rest of a sentence."""
    message = (
        message.removeprefix("Value error, ").removeprefix("Input ").replace("a valid integer", "a whole number").replace("a valid ", "a ")
    )
    message = message.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")
    message = message.replace("Extra inputs are not permitted", "no such field")
    return message[:1].lower() + message[1:]


def choose(model: type[Model], **values: Any) -> Model:
    """`model(**values)`, with a UsageError that names the choice instead of pydantic's report."""
    try:
        return model(**{name: _plain_number(value) for name, value in values.items()})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            raise unknown("choice", name, model.model_fields, "there are " + ", ".join(model.model_fields)) from error
        raise UsageError(choice(name, values.get(name)), f"it {_plain(fault['msg'])}") from error


def _plain_number(value: Any) -> Any:
    """A number of NumPy's as Python's own."""
    if type(value).__name__ == "bool" and not isinstance(value, bool):
        return bool(value)
    if isinstance(value, (bool, int, float)) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)

"""What a sheet of several pictures carries in the place of a recipe: that it is one, and of which pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from reverie.recipe.recipe import Recipe

_DIGITS = 16  # of each picture's hash: a thousand fit into what a file may carry


def digest(recipe: Recipe | None) -> str:
    """Of what a picture is made by: the same for all that `Recipe.is_as` takes for one, and for one that stopped early. Empty without a
    recipe."""
    if recipe is None:
        return ""
    return sha256(recipe.model_copy(update={"opinions": (), "stopped": None}).text().encode()).hexdigest()[:_DIGITS]


def sheet_mark(recipes: Iterable[Recipe | None]) -> str:
    """The text that a sheet of pictures with these recipes carries, in reading order."""
    return json.dumps({"made": "sheet", "of": [digest(each) for each in recipes]}, separators=(",", ":"))


def on_sheet(text: str | None) -> list[str] | None:
    """The hash of each picture on the sheet that carries this text; none of an older sheet, which did not say; None of what is no sheet."""
    try:
        found = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("made") != "sheet":
        return None
    of = found.get("of")
    return of if isinstance(of, list) and all(isinstance(each, str) for each in of) else []

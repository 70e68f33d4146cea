"""Commands that read what pictures carry. They need no torch."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from reverie.cli import flags
from reverie.cli.console import print_json, say


def recipe_command(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture made by Reverie.", show_default=False)],
    json: flags.Json = False,
) -> None:
    """Read the recipe a picture carries."""
    from reverie.album import read_recipe

    data = json_module.loads(read_recipe(picture).text())
    if json:
        print_json([{"picture": picture, "recipe": data}])
        return
    for name, value in _flat(data):
        say(f"{name:<24}{value}")


def _flat(data: object, name: str = "") -> list[tuple[str, object]]:
    if isinstance(data, dict):
        return [row for key, value in data.items() for row in _flat(value, f"{name}.{key}" if name else str(key))]
    if isinstance(data, list):
        return [row for index, value in enumerate(data) for row in _flat(value, f"{name}.{index}")]
    return [(name, "-" if data is None else ("no", "yes")[data] if isinstance(data, bool) else data)]

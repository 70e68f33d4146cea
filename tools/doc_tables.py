"""The tables of the docs, written from what the program says: every command, flag, preset, level and field of the recipe.

`python -m tools.doc_tables` writes them anew; what only a person can say (a range in words, the meaning of a field) is kept.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel

from reverie import recipe
from reverie.cli.flags import built, meaning_of
from reverie.judging.scores.table import SCORES
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.recipe import COMMANDS, Level, Recipe, flag_in, flag_names

ROOT = Path(__file__).parents[1]
Rows = dict[str, list[str]]
_USUAL_NETWORK = {"own": "–", "each": "those built in that are installed"}  # of other commands the default one


def section(page: str, title: str) -> str:
    """What stands under a heading of the second order, up to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading '{title}'"
    return found[1]


def find_table(page: str, first: str) -> re.Match[str]:
    """The table whose first column has this head; its rows are the first group."""
    found = re.search(rf"^\| {re.escape(first)} \|.*\n\|[ -|]*\n((?:\|.*\n?)*)", page, re.MULTILINE)
    assert found, f"there is no table of {first}s"
    return found


def table(page: str, first: str) -> Rows:
    """Its rows by their first cell, without the backticks of that."""
    rows: Rows = {}
    for line in find_table(page, first)[1].splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        assert cells[0] not in rows, f"twice: {cells[0]}"
        rows[cells[0].replace("`", "")] = cells[1:]
    return rows


def written(rows: Rows) -> str:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"

    return "".join(row([f"`{key}`", *cells]) for key, cells in rows.items())


def flag_rows(name: str) -> Rows:
    """Flags of a command: default, range, meaning; `?` stands for words of our own."""
    spec, rows = COMMANDS[name], Rows()
    for param in built(spec).params:
        if param.param_type_name != "option":
            continue
        assert param.name is not None
        metavar = "" if getattr(param, "is_flag", False) else f" {param.metavar}"
        if param.name == "network":
            rows[f"--network{metavar}"] = [_USUAL_NETWORK.get(spec.networks, recipe.DEFAULT_NETWORK), "?", _network_help(param)]
            continue
        model = spec.flags[param.name]
        field = model.model_fields[param.name]
        flag = ", ".join(sorted(flag_names(param.name, flag_in(model, param.name)), key=len)) + metavar
        meaning = meaning_of(field, flag_in(model, param.name))
        as_usual = "as it was" if name == "redo" else "as in its command"
        if not metavar:
            rows[flag] = [as_usual if spec.is_open(param.name) and not flag_in(model, param.name).negative else "off", "on or off", meaning]
        elif spec.is_open(param.name):
            rows[flag] = [as_usual if param.name in CHOICES or name != "redo" else "–", _span_or_own(field), meaning]
        else:
            default = spec.default(param.name)
            told = (
                "by the size" if name in ("imagine", "feature") and param.name == "octaves" else "–" if default is None else shown(default)
            )
            rows[flag] = [told, _span_or_own(field), meaning]
    return rows


CHOICES = frozenset(name for each in ("dream", "journey", "film") for name in COMMANDS[each].fields) - {"device", "threads", "max_pixels"}


def _network_help(param: Any) -> str:
    return re.sub(r" \[default:.*", "", param.help).rstrip(".")


def _span_or_own(field: Any) -> str:
    """Bounds where the model has them; else words of our own."""
    try:
        found = span(field)
    except KeyError:
        return "?"
    return "?" if "?" in found else found


def preset_rows() -> Rows:
    def differing(choices: dict[str, Any]) -> str:
        return ", ".join(f"{name.replace('_', '-')} {shown(value)}" for name, value in choices.items()) or "–"

    return {name: [str(each.level), each.shows, differing(each.choices)] for name, each in recipe.PRESETS.items()}


def level_rows() -> Rows:
    return {level: [f"`{facts.levels[level]}`" for facts in CATALOGUE.values()] for level in cast("tuple[Level, ...]", recipe.LEVELS)}


def score_rows() -> Rows:
    return {each.name: [each.range, each.means, each.needs, each.source] for each in SCORES}


def recipe_rows(model: type[BaseModel] = Recipe, above: str = "") -> Rows:
    """Every field of the recipe: default, range, meaning. `networks[].name` is a field of each entry of a list."""
    rows: Rows = {}
    for name, field in model.model_fields.items():
        parts = list(dict.fromkeys(_models(field.annotation)))
        place = f"{above}{name}" + ("[]" if get_origin(field.annotation) is tuple else "")
        for part in parts:
            for key, (default, bounds, meaning) in recipe_rows(part, place + ".").items():
                before = rows.setdefault(key, [default, bounds, meaning])
                if before[1] != bounds:  # kinds of an input: what they may hold is told together, the default of the first
                    before[1] = " or ".join(dict.fromkeys([*before[1].split(" or "), *bounds.split(" or ")]))
        if not parts:
            default = "always there" if field.is_required() else "empty" if name == "target" else shown(field.default)
            rows[place] = [default, _or_null(field), field.description or "?"]
        elif not field.is_required() and field.default is None:
            rows[place] = ["null", "an object, or null", "?"]
    return rows


def _or_null(field: Any) -> str:
    """The same of a field of the recipe, which may be one of some words, or null."""
    words = next((each for each in get_args(field.annotation) if get_origin(each) is Literal), None)
    return span(field) if words is None else " or ".join(f"`{each}`" for each in get_args(words)) + ", or null"


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        yield kind
    else:
        for each in get_args(kind) if get_origin(kind) is not Literal else ():
            yield from _models(each)


def shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if value == ():
        return "none"
    return (f"{value:g}" if isinstance(value, float) else str(value)) or "empty"


def span(field: Any) -> str:
    """The bounds or the choices of a field, in words."""
    if "Target" in str(field.annotation) and get_origin(field.annotation) is not tuple:
        return "0 to 2000 characters"
    inner = next((each for each in get_args(field.annotation) if get_origin(each) is Annotated), None)
    if inner is not None and "pattern" in str(get_args(inner)[1]):
        return "64 hexadecimal digits, or null"
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(field.annotation))
    if field.annotation is bool:
        return "true or false"
    kinds = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
    bound = {kind: getattr(each, kind) for each in field.metadata for kind in kinds if getattr(each, kind, None) is not None}
    if "pattern" in bound:
        return {"^[0-9a-f]{64}$": "64 hexadecimal digits"}.get(bound["pattern"], f"`{bound['pattern']}`")
    if get_origin(field.annotation) is tuple:
        low, high = bound.get("min_length", 0), bound["max_length"]
        return f"{high} entries" if low == high else f"{low} to {high} entries"
    if "max_length" in bound:
        return f"{bound.get('min_length', 0)} to {bound['max_length']} characters"
    if not bound and field.annotation is float:
        return "any number"
    low = f"above {bound['gt']}" if "gt" in bound else str(bound.get("ge", "?"))
    if "lt" in bound:
        bound["le"] = bound["lt"] - 1
    if "le" not in bound:
        return f"from {low}"
    return low if low == str(bound["le"]) else f"{low} to {'2⁶³ − 1' if bound['le'] == 2**63 - 1 else bound['le']}"


def update() -> None:
    """Write the tables of the docs anew."""
    page = (ROOT / "docs/commands.md").read_text("utf-8")
    for name in COMMANDS:
        part = section(page, f"reverie {name}")
        page = page.replace(part, _updated(part, "flag", flag_rows(name)))
    page = _updated(_updated(page, "preset", preset_rows()), "level", level_rows())
    (ROOT / "docs/commands.md").write_text(page, "utf-8")
    page = (ROOT / "docs/recipe.md").read_text("utf-8")
    (ROOT / "docs/recipe.md").write_text(_updated(page, "field", recipe_rows()), "utf-8")
    page = (ROOT / "docs/gallery.md").read_text("utf-8")
    (ROOT / "docs/gallery.md").write_text(_updated(page, "score", score_rows()), "utf-8")


def _updated(page: str, first: str, wanted: Rows) -> str:
    old = table(page, first)
    rows = {
        key: [old[key][place] if cell == "?" and key in old else cell for place, cell in enumerate(cells)] for key, cells in wanted.items()
    }
    found = find_table(page, first)
    return page[: found.start(1)] + written(rows) + page[found.end(1) :]


if __name__ == "__main__":
    update()

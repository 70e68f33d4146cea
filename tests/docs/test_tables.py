"""The tables of the docs say what the program does: every command, flag, preset, level and recipe field, and none that does not exist.

`python -m tests.docs.test_tables` writes the tables anew; what only a person can say (a range in words, the meaning of a field) is kept.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from tests.helpers.pages import COMMANDS, FIELDS, MOVING, ROOT, Rows, each_command, find_table, section, table, text

from reverie import recipe
from reverie.cli.main import main
from reverie.errors import ReverieError
from reverie.files import SUFFIXES
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.recipe import Recipe


def written(rows: Rows) -> str:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"

    return "".join(row([f"`{key}`", *cells]) for key, cells in rows.items())


def check_table(page: str, first: str, wanted: Rows) -> None:
    """The table is what the program says; `?` in `wanted` stands for words of our own."""
    rows = table(page, first)
    assert list(rows) == list(wanted), "`python -m tests.docs.test_tables` writes the table"
    for key, cells in wanted.items():
        assert not any(cell in ("", "?") for cell in rows[key]), f"say something of {key}"
        kept = [have if cell == "?" else cell for have, cell in zip(rows[key], cells, strict=True)]
        assert rows[key] == kept, f"{key}: `python -m tests.docs.test_tables` writes the table"


# ── what the program says ────────────────────────────────────────────────────────────────────────────────────────────────


def flag_rows(name: str) -> Rows:
    """Flags of a command: default, range, meaning. A choice of the recipe has the command's own default where there is one."""
    rows: Rows = {}
    base = recipe.BASES.get(name, {})  # type: ignore[call-overload]
    for each in COMMANDS[name].params:
        if each.param_type_name != "option" or each.name == "help":
            continue
        flag = ", ".join(sorted(each.opts, key=len)) + ("" if each.is_flag else f" {each.metavar}")
        field = {**MOVING, **FIELDS}.get(each.name)
        if field is not None and not each.help.startswith(str(field.description)):
            field = None  # a flag of the command's own, that shares the name
        if each.is_flag:
            rows[flag] = ["off", "on or off", each.help.rstrip(".")]
        elif field is not None:
            told = "by the size" if name in ("imagine", "feature") and each.name == "octaves" else shown(base.get(each.name, field.default))
            rows[flag] = [told, span(field), str(field.description)]
        else:
            rows[flag] = [default(each), "?", re.sub(r" \[default:.*", "", each.help).rstrip(".")]
    return rows


def default(param: Any) -> str:
    """What a flag of our own is without it: as declared, or as its help says."""
    if param.name == "network":
        return recipe.DEFAULT_NETWORK
    told = re.search(r"\[default: ([^\]]+)\]", param.help)
    return told[1] if told else "–" if param.default is None else str(param.default)


def preset_rows() -> Rows:
    def differing(choices: dict[str, Any]) -> str:
        return ", ".join(f"{name.replace('_', '-')} {shown(value)}" for name, value in choices.items()) or "–"

    return {name: [each.level, each.shows, differing(each.choices)] for name, each in recipe.PRESETS.items()}


def level_rows() -> Rows:
    return {level: [f"`{facts.levels[level]}`" for facts in CATALOGUE.values()] for level in recipe.LEVELS}


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
            default = "always there" if field.is_required() else shown(field.default)
            rows[place] = [default, span(field), field.description or "?"]
        elif not field.is_required() and field.default is None:
            rows[place] = ["null", "an object, or null", "?"]
    return rows


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
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(field.annotation))
    if field.annotation is bool:
        return "true or false"
    kinds = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
    bound = {kind: getattr(each, kind) for each in field.metadata for kind in kinds if getattr(each, kind, None) is not None}
    if "pattern" in bound:
        return {"^[0-9a-f]{64}$": "64 hexadecimal digits"}.get(bound["pattern"], f"`{bound['pattern']}`")
    if get_origin(field.annotation) is tuple:
        return f"{bound.get('min_length', 0)} to {bound['max_length']} entries"
    if "max_length" in bound:
        return f"{bound.get('min_length', 0)} to {bound['max_length']} characters"
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


def _updated(page: str, first: str, wanted: Rows) -> str:
    old = table(page, first)
    rows = {
        key: [old[key][place] if cell == "?" and key in old else cell for place, cell in enumerate(cells)] for key, cells in wanted.items()
    }
    found = find_table(page, first)
    return page[: found.start(1)] + written(rows) + page[found.end(1) :]


# ── commands, flags, presets, levels, recipe ─────────────────────────────────────────────────────────────────────────────


def test_every_command_has_a_section_and_no_other_thing_has_one() -> None:
    page = text("docs/commands.md")
    assert re.findall(r"^## reverie (\S+)", page, re.MULTILINE) == list(COMMANDS)
    told = {key.split()[1].split("]")[0]: cells[0] for key, cells in table(page, "command").items()}
    assert told == {name: " ".join(command.help.split()) for name, command in COMMANDS.items()}


@each_command
def test_every_flag_is_documented_with_default_range_and_meaning(name: str) -> None:
    check_table(section(text("docs/commands.md"), f"reverie {name}"), "flag", flag_rows(name))


@each_command
def test_the_help_text_tells_every_flag_that_the_docs_tell(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for flag, cells in table(section(text("docs/commands.md"), f"reverie {name}"), "flag").items():
        assert all(each in printed for each in flag.split(", ")), flag
        assert cells[2] in printed, f"{flag}: {cells[2]}"


def test_every_preset_and_level_is_documented() -> None:
    page = text("docs/commands.md")
    check_table(page, "preset", preset_rows())
    check_table(page, "level", level_rows())
    assert f"| level | {' | '.join(CATALOGUE)} |" in page
    assert f"the preset is `{recipe.DEFAULT_PRESET}`" in " ".join(page.split())


def test_the_exit_codes_are_those_of_the_errors() -> None:
    documented = {int(code) for code in table(text("docs/commands.md"), "code")}
    assert documented == {0} | {each.exit_code for each in ReverieError.__subclasses__()}


def test_the_formats_that_can_be_written_are_named() -> None:
    page = text("docs/commands.md")
    assert all(f"`{suffix}`" in page for suffix in SUFFIXES)


def test_every_field_of_the_recipe_is_documented() -> None:
    check_table(text("docs/recipe.md"), "field", recipe_rows())


if __name__ == "__main__":
    update()

"""The tables of the docs say what the program does: every command, flag, preset, level and recipe field, and none that does not exist."""

from __future__ import annotations

import re

import pytest
from tests.helpers.pages import each_command, text
from tools.doc_tables import Rows, flag_rows, level_rows, preset_rows, recipe_rows, score_rows, section, table

from reverie import recipe
from reverie.cli.main import main
from reverie.errors import ReverieError
from reverie.files import SUFFIXES
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.recipe import COMMANDS

WRITE = "`python -m tools.doc_tables` writes the table"


def check_table(page: str, first: str, wanted: Rows) -> None:
    """The table is what the program says; `?` in `wanted` stands for words of our own."""
    rows = table(page, first)
    assert list(rows) == list(wanted), WRITE
    for key, cells in wanted.items():
        assert not any(cell in ("", "?") for cell in rows[key]), f"say something of {key}"
        kept = [have if cell == "?" else cell for have, cell in zip(rows[key], cells, strict=True)]
        assert rows[key] == kept, f"{key}: {WRITE}"


def test_every_command_has_a_section_and_no_other_thing_has_one() -> None:
    page = text("docs/commands.md")
    assert re.findall(r"^## reverie (\S+)", page, re.MULTILINE) == list(COMMANDS)
    told = {key.split()[1].split("]")[0]: cells[0] for key, cells in table(page, "command").items()}
    assert told == {name: " ".join(command.summary.split()) for name, command in COMMANDS.items()}


@each_command
def test_every_flag_is_documented_with_default_range_and_meaning(name: str) -> None:
    check_table(section(text("docs/commands.md"), f"reverie {name}"), "flag", flag_rows(name))


@each_command
def test_the_help_text_tells_every_flag_that_the_docs_tell(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help-all"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for flag, cells in table(section(text("docs/commands.md"), f"reverie {name}"), "flag").items():
        assert all(each in printed for each in flag.split(", ")), flag
        assert cells[2][1:] in printed, f"{flag}: {cells[2]}"


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


def test_every_score_is_documented_with_range_and_meaning() -> None:
    check_table(text("docs/gallery.md"), "score", score_rows())


def test_every_field_of_the_recipe_is_documented() -> None:
    check_table(text("docs/recipe.md"), "field", recipe_rows())

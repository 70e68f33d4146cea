"""The docs say what the program does: every command, flag, preset, level, recipe field and public name, and none that does not exist.

`python tests/test_docs.py` writes the tables anew; what only a person can say (a range in words, the meaning of a field) is kept.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer
from PIL import Image
from pydantic import BaseModel
from skimage import data

import reverie
from reverie import api, networks, recipe
from reverie.cli.main import app, main
from reverie.errors import ReverieError
from reverie.files import SUFFIXES
from reverie.networks.catalogue import CATALOGUE
from reverie.recipe import Ascent, Finish, Recipe
from test_how_it_works import FENCE, one_thread, run

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FIELDS = {name: model.model_fields[name] for model in (Ascent, Finish) for name in model.model_fields}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_command = pytest.mark.parametrize("name", COMMANDS)

Rows = dict[str, list[str]]


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


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


def check_table(page: str, first: str, wanted: Rows) -> None:
    """The table is what the program says; `?` in `wanted` stands for words of our own."""
    rows = table(page, first)
    assert list(rows) == list(wanted), "`python tests/test_docs.py` writes the table"
    for key, cells in wanted.items():
        assert not any(cell in ("", "?") for cell in rows[key]), f"say something of {key}"
        kept = [have if cell == "?" else cell for have, cell in zip(rows[key], cells, strict=True)]
        assert rows[key] == kept, f"{key}: `python tests/test_docs.py` writes the table"


# ── what the program says ────────────────────────────────────────────────────────────────────────────────────────────────


def flag_rows(name: str) -> Rows:
    """Flags of a command: default, range, meaning."""
    rows: Rows = {}
    for each in COMMANDS[name].params:
        if each.param_type_name != "option" or each.name == "help":
            continue
        flag = ", ".join(sorted(each.opts, key=len)) + ("" if each.is_flag else f" {each.metavar}")
        field = FIELDS.get(each.name)
        if each.is_flag:
            rows[flag] = ["off", "on or off", each.help.rstrip(".")]
        elif field is not None:
            rows[flag] = [shown(field.default), span(field), str(field.description)]
        else:
            rows[flag] = ["–" if each.default is None else str(each.default), "?", re.sub(r" \[default:.*", "", each.help).rstrip(".")]
    return rows


def preset_rows() -> Rows:
    def differing(choices: dict[str, Any]) -> str:
        return ", ".join(f"{name.replace('_', '-')} {shown(value)}" for name, value in choices.items()) or "–"

    return {name: [each.level, each.shows, differing(each.choices)] for name, each in recipe.PRESETS.items()}


def level_rows() -> Rows:
    return {level: [f"`{facts.levels[level]}`" for facts in CATALOGUE.values()] for level in recipe.LEVELS}


def recipe_rows(model: type[BaseModel] = Recipe, before: str = "") -> Rows:
    """Every field of the recipe: default, range, meaning. `networks[].name` is a field of each entry of a list."""
    rows: Rows = {}
    for name, field in model.model_fields.items():
        parts = list(dict.fromkeys(_models(field.annotation)))
        place = f"{before}{name}" + ("[]" if get_origin(field.annotation) is tuple else "")
        for part in parts:
            for key, cells in recipe_rows(part, place + ".").items():
                assert rows.setdefault(key, cells) == cells, f"{key} differs between the kinds of {place}"
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
    return f"{value:g}" if isinstance(value, float) else str(value)


def span(field: Any) -> str:
    """The bounds or the choices of a field, in words."""
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(field.annotation))
    if field.annotation is bool:
        return "true or false"
    bound = {kind: getattr(each, kind) for each in field.metadata for kind in ("ge", "gt", "le", "min_length", "max_length", "pattern")
             if getattr(each, kind, None) is not None}  # fmt: skip
    if "pattern" in bound:
        return {"^[0-9a-f]{64}$": "64 hexadecimal digits"}.get(bound["pattern"], f"`{bound['pattern']}`")
    if "max_length" in bound:
        return f"{bound.get('min_length', 0)} to {bound['max_length']} characters"
    low = f"above {bound['gt']}" if "gt" in bound else str(bound.get("ge", "?"))
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


# ── commands, flags, presets, levels ─────────────────────────────────────────────────────────────────────────────────────


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


@each_page
def test_no_page_names_a_command_or_flag_that_does_not_exist(page: Path) -> None:
    content = page.read_text("utf-8")
    for name in re.findall(r"`reverie ([a-z]+)", content):
        assert name in COMMANDS, f"reverie {name}"
    known = {"--help", "--version"} | {flag for each in COMMANDS.values() for param in each.params for flag in param.opts}
    known |= {"--depth", "--force-reinstall", "--index-url", "--extra-index-url", "--find-links", "--no-ff", "--strict"}  # of git and pip
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", content):
        assert flag in known, flag


@each_page
def test_presets_and_levels_that_a_page_names_exist(page: Path) -> None:
    content = page.read_text("utf-8")
    for flag, name in re.findall(r"(?<!\w)(--preset|--level|-p|-l|preset=|level=)[ \"]([a-z]+)\b", content):
        assert name in (recipe.PRESETS if "p" in flag.strip("-=")[:1] else recipe.LEVELS), f"{flag} {name}"


def shell_lines(page: str) -> list[list[str]]:
    """The command lines of ours in the ```sh fences of a page, without the name."""
    fences = [fence[2] for fence in FENCE.finditer(page) if fence[1] in ("sh", "bash", "console")]
    lines = [shlex.split(line.removeprefix("$ "), comments=True) for fence in fences for line in fence.splitlines()]
    return [words[1:] for words in lines if len(words) > 1 and words[0].endswith("reverie")]


@each_page
def test_every_command_line_of_a_page_is_one_the_program_takes(page: Path) -> None:
    for words in shell_lines(page.read_text("utf-8")):
        if words[0].startswith("-"):
            assert words[0] in ("--help", "--version", "-h")
        elif not {"--help", "-h"} & set(words):
            assert words[0] in COMMANDS, words[0]
            COMMANDS[words[0]].make_context(words[0], words[1:])  # raises on a flag or a value it does not know


# ── what the pages show runs ─────────────────────────────────────────────────────────────────────────────────────────────

_opened: dict[str, networks.Network] = {}


def _open(name: str, device: str | None = None) -> networks.Network:
    """A network on the CPU, opened once for all that is run here."""
    if name not in _opened:
        _opened[name] = networks.open_network(name, "cpu")
    return _opened[name]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the pictures that the pages name, small; a network is opened once."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "dreams").mkdir()
    for name, picture in {"sky.png": data.rocket(), "cat.png": data.chelsea(), "coffee.png": data.coffee()}.items():
        Image.fromarray(picture).resize((96, 64)).save(tmp_path / name)
    shutil.copy(tmp_path / "cat.png", tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "open_network", _open)
    with one_thread():
        yield tmp_path


def shape(value: Any) -> Any:
    """What a piece of JSON is made of: names and kinds; of a list the first entry."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__


def test_every_example_of_the_commands_page_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands there, but on small pictures and with few steps."""
    page = text("docs/commands.md")
    ran = []
    for words in shell_lines(page):
        few = ["--steps", "1", "--octaves", "1"] if words[0] == "dream" else []
        few += ["--width", "64"] if "--width" in words else []
        few += ["--size", "64x48"] if "--size" in words else []
        if words[0] in ("recipe", "redo") and not Path("dream.jpg").exists():
            assert main(["dream", "sky.png", "-o", "dream.jpg", "--steps", "1", "--octaves", "1"]) == 0
        capsys.readouterr()
        assert main([*words, *few]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        shown_json = [fence[2] for fence in FENCE.finditer(section(page, f"reverie {words[0]}")) if fence[1] == "json"]
        if "--json" in words and shown_json:
            given, documented = shape(json.loads(out)), shape(json.loads(shown_json[0]))
            if "recipe" in documented[0]:
                given[0]["recipe"] = documented[0]["recipe"]  # docs/recipe.md has it
            if words[0] == "layers":
                given[0]["level"] = documented[0]["level"]  # of the first layer there is none
                assert json.loads(shown_json[0])[0] in json.loads(out)
            if words[0] == "networks":
                assert json.loads(shown_json[0])[0]["levels"] == json.loads(out)[0]["levels"]
            assert given == documented, shlex.join(words)
        ran.append(words[0])
    assert set(ran) == set(COMMANDS)


@each_command
def test_a_number_outside_its_documented_range_is_refused(name: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = {"recognise": "cat.png", "dream": "cat.png", "redo": "dream.png"}.get(name)
    if name == "redo":
        assert main(["dream", "sky.png", "-o", "dream.png", "--steps", "1", "--octaves", "1"]) == 0
    for flag, (_, told, _) in table(section(text("docs/commands.md"), f"reverie {name}"), "flag").items():
        bounds = re.match(r"(above |from )?([\d.]+)(?: to ([\d.]+))?$", told)
        if bounds is None:
            continue
        low = float(bounds[2]) - (0 if bounds[1] == "above " else 1)
        outside = [f"{low:g}", *([f"{float(bounds[3]) + 1:g}"] if bounds[3] else [])]
        for value in outside:
            value = str(int(float(value))) if "e+" in value else value
            capsys.readouterr()
            code = main([name, *([start] if start else []), f"{flag.split(', ')[-1].split()[0]}={value}"])
            assert code == 2, f"{flag} {value}: {capsys.readouterr().err}"


def test_the_message_shown_is_the_message_given(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown_text = next(fence[2] for fence in FENCE.finditer(section(text("docs/commands.md"), "Exit codes")))
    assert main(["dream", "sky.png", "--target", "block4.1"]) == 2
    assert capsys.readouterr().err == shown_text


def test_the_code_of_the_python_page_runs_and_prints_what_stands_there(desk: Path) -> None:
    ran = run(ROOT / "docs/python.md", {"__name__": "python_page"})
    assert len(ran) > 6
    for block, printed in ran:
        assert printed == (block.printed or ""), f"python.md:{block.line}"


# ── Python names ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def public(thing: Any) -> set[str]:
    fields = {each.name for each in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set(getattr(thing, "_fields", ()))
    return fields | {name for name in vars(thing) if not name.startswith("_")}


def test_every_public_name_has_its_place_and_no_other_thing_has_one() -> None:
    page = text("docs/python.md")
    headings = {each.split("(")[0] for each in re.findall(r"^## `reverie\.(.+)`$", page, re.MULTILINE)}
    assert headings == set(reverie.__all__) - {"__version__"}
    assert "`reverie.__version__`" in page
    for name in re.findall(r"\breverie\.(\w+)", page):
        assert name in reverie.__all__ or (ROOT / "src/reverie" / f"{name}.py").exists() or (ROOT / "src/reverie" / name).is_dir(), name


def _names(cell: str) -> list[str]:
    """`'save(path, force=False), size'` → the names `save` and `size`."""
    return re.sub(r"\([^)]*\)", "", cell).split(", ")


def titled(name: str) -> str:
    page = text("docs/python.md")
    return section(page, next(each for each in re.findall(r"^## (`reverie\..+`)$", page, re.MULTILINE) if each[9:-1].split("(")[0] == name))


@pytest.mark.parametrize("name", ["dream", "load", "redo", "wrap"])
def test_every_parameter_of_a_function_is_documented(name: str) -> None:
    functions = [getattr(reverie, name), *([api.plan] if name == "dream" else [])]
    names = {
        each.name for function in functions for each in inspect.signature(function).parameters.values() if each.kind != each.VAR_KEYWORD
    }
    names |= set(FIELDS) if name == "dream" else set()
    told = {part for key in table(titled(name), "parameter") for part in key.split(", ")}
    assert told == names


@pytest.mark.parametrize("name", ["Label", "Layer", "Picture"])
def test_every_name_of_a_class_is_documented(name: str) -> None:
    told = {part for key in table(titled(name), "name") for part in _names(key)}
    assert told == public(getattr(reverie, name))


def test_every_name_of_a_network_is_documented() -> None:
    net = _open("efficientnet-lite0", "cpu")
    told = {part for key in table(titled("Network"), "name") for part in _names(key)} - {"net"}
    assert told == {name for name in (*vars(net), *vars(type(net))) if not name.startswith("_")}


# ── recipe, rooms, links ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_field_of_the_recipe_is_documented() -> None:
    check_table(text("docs/recipe.md"), "field", recipe_rows())


def test_the_recipe_shown_is_a_recipe() -> None:
    example = next(fence[2] for fence in FENCE.finditer(text("docs/recipe.md")) if fence[1] == "json")
    read = recipe.read(example)
    assert json.loads(read.text()) == json.loads(example)


def test_the_rooms_in_contributing_are_those_the_lint_step_holds() -> None:
    contract = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    floors = list(table(text("CONTRIBUTING.md"), "room"))
    assert [each.replace(", ", " | ") for each in floors] == list(reversed(contract["layers"]))


@each_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    content = page.read_text("utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", content, re.MULTILINE)) <= targets


@each_page
def test_links_between_the_pages_resolve(page: Path) -> None:
    content = FENCE.sub("", page.read_text("utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", content) + re.findall(r'(?:src|href)="([^"]+)"', content):
        if re.match(r"https?:|mailto:", link):
            continue
        place, _, anchor = link.partition("#")
        there = (page.parent / place).resolve() if place else page
        assert there.exists(), f"{page.name}: {link}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", FENCE.sub("", there.read_text("utf-8")), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, f"{page.name}: {link}"


@each_page
def test_no_page_names_a_place_on_a_machine_of_ours(page: Path) -> None:
    content = page.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp|Users)/|pypi\.org|files\.pythonhosted|download\.pytorch", content)


def test_the_changelog_tells_of_this_version() -> None:
    log = text("CHANGELOG.md")
    assert re.search(r"^## \[Unreleased\]", log, re.MULTILINE)
    assert reverie.__version__ in log
    assert all(f"`reverie {name}`" in log for name in COMMANDS)


if __name__ == "__main__":
    update()

"""What the pages name exists, and every public name, room and version has its place on them."""

from __future__ import annotations

import dataclasses
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.docs.test_how_it_works import FENCE
from tests.helpers.pages import ROOT, each_page, open_once, text
from tools.doc_tables import section, table

import reverie
from reverie import insight, recipe
from reverie.cli.flags import built
from reverie.insight.layer_report import Counted
from reverie.recipe import CLIMB, COMMANDS


@each_page
def test_no_page_names_a_command_or_flag_that_does_not_exist(page: Path) -> None:
    content = page.read_text("utf-8")
    for name in re.findall(r"`reverie ([a-z]+)", content):
        assert name in COMMANDS, f"reverie {name}"
    known = {"--help", "--help-all", "--version"}
    known |= {flag for each in COMMANDS.values() for param in built(each).params for flag in (*param.opts, *param.secondary_opts)}
    known |= {"--depth", "--force-reinstall", "--index-url", "--extra-index-url", "--find-links", "--no-ff", "--strict"}  # of git and pip
    known |= {"--torch-backend", "--reinstall-package"}  # of uv
    known |= {"--head", "--port", "--address", "--include-dashboard", "--disable-usage-stats"}  # of ray
    for program in (*(ROOT / "bench").glob("*.py"), ROOT / "tests/sweep.py"):
        known |= set(re.findall(r"add_argument\(\"(--[a-z-]+)", program.read_text("utf-8")))
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", content):
        assert flag in known, flag


@each_page
def test_presets_and_levels_that_a_page_names_exist(page: Path) -> None:
    content = page.read_text("utf-8")
    for flag, name in re.findall(r"(?<!\w)(--preset|--level|-p|-l|preset=|level=)[ \"]([a-z]+)\b", content):
        assert name in ((*recipe.PRESETS, *recipe.LOOKS) if "p" in flag.strip("-=")[:1] else recipe.LEVELS), f"{flag} {name}"


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


OF_A_RUNG = {"fidelity": insight.Fidelity, "noticed": insight.Noticed, "counted": Counted}  # their tables stand in its section


@pytest.mark.parametrize(
    "name",
    [
        "again",
        "ask",
        "atlas",
        "climb",
        "dream",
        "feature",
        "features",
        "film",
        "grid",
        "imagine",
        "journey",
        "load",
        "redo",
        "see",
        "sheet",
        "wrap",
    ],
)
def test_every_parameter_of_a_function_is_documented(name: str) -> None:
    parameters = inspect.signature(getattr(reverie, name)).parameters.values()
    names = {each.name for each in parameters if each.kind != each.VAR_KEYWORD}
    spec = CLIMB if name == "climb" else COMMANDS.get(name)
    if name == "redo":
        names |= {"device", "precision", "threads", "max_pixels"}
    elif spec is not None and name not in ("again", "atlas", "grid"):
        names |= set(spec.fields) | (
            {"force", "with_recipe", "preview", "keep_frames", "partial"} if name in ("journey", "film") else set()
        )
    else:
        names |= {f"**{each.name}" for each in parameters if each.kind == each.VAR_KEYWORD}
    told = {part for key in table(titled(name), "parameter") for part in key.split(", ")}
    assert told == names


@pytest.mark.parametrize(
    "name", ["Asked", "Atlas", "Calibration", "Footage", "Grid", "Known", "Label", "Layer", "Picture", "Rung", "Sight"]
)
def test_every_name_of_a_class_is_documented(name: str) -> None:
    told = {part for key in table(titled(name), "name") for part in _names(key)}
    assert told == public(getattr(reverie, name))


@pytest.mark.parametrize("part", OF_A_RUNG)
def test_every_name_of_a_part_of_a_rung_is_documented(part: str) -> None:
    told = {each for key in table(titled("Rung"), part) for each in _names(key)}
    assert told == public(OF_A_RUNG[part])


def test_every_name_of_a_network_is_documented() -> None:
    net = open_once("efficientnet-lite0", "cpu")
    told = {part for key in table(titled("Network"), "name") for part in _names(key)} - {"net"}
    assert told == {name for name in (*vars(net), *vars(type(net))) if not name.startswith("_")}


# ── rooms, links ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rooms_in_contributing_are_those_the_lint_step_holds() -> None:
    contract = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    floors = list(table(text("CONTRIBUTING.md"), "room"))
    assert [each.replace(", ", " | ") for each in floors] == list(reversed(contract["layers"]))


@each_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    content = page.read_text("utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", content, re.MULTILINE)) <= targets


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

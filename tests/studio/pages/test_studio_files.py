"""The page's files: texts that are there and used, no markup from strings, nothing from outside, nothing that a strict policy forbids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.insight.test_page_valid import faults

from reverie.recipe import COMMANDS, LEVELS
from reverie.studio.pages import BASE_STYLE, LANGUAGES, STATIC, document, texts
from reverie.studio.server.forms import OFFERED

MODULES = sorted(STATIC.rglob("*.js"))
SOURCE = {each.relative_to(STATIC).as_posix(): each.read_text("utf-8") for each in MODULES}
WRITTEN = re.compile(r"""\b(?:t|count|has)\(["`]([^"`]+)["`]""")


def keys(part: Any, name: str = "") -> set[str]:
    if isinstance(part, str):
        return {name}
    return {key for each, inner in part.items() for key in keys(inner, f"{name}.{each}".lstrip("."))}


def asked_for() -> tuple[set[str], list[str]]:
    """The keys that modules and the template name, and the patterns of those that they put together."""
    found = {key for text in SOURCE.values() for key in WRITTEN.findall(text)}
    found |= {
        key for text in SOURCE.values() for key in re.findall(r'"([a-z]+\.[a-zA-Z.]+)"', text)
    }  # one of two, as in t(on ? "a.b" : "a.c")
    found |= {key for text in SOURCE.values() for key in re.findall(r"`([a-z]+\.\$\{[^`]+)`", text)}
    found |= set(re.findall(r"texts\.([\w.]+)", (STATIC.parent / "templates" / "studio.html.jinja").read_text("utf-8")))
    return {key for key in found if "$" not in key}, [
        re.sub(r"\$\{[^}]+\}", "[^.]+", key.replace(".", r"\.")) for key in found if "$" in key
    ]


def test_every_text_that_is_named_is_there_and_every_one_is_named() -> None:
    there, (named, patterns) = keys(texts()), asked_for()
    groups = {key.rpartition(".")[0] for key in there if key.rpartition(".")[2] in ("one", "many")}  # of count()
    assert sorted(key for key in WRITTEN.findall("\n".join(SOURCE.values())) if "$" not in key and key not in there | groups) == []
    unused = {key for key in there if key not in named and key.rpartition(".")[0] not in named and not key.startswith(("nav.", "fields."))}
    assert sorted(key for key in unused if not any(re.fullmatch(each, key) for each in patterns)) == []


def test_every_command_and_level_has_its_words() -> None:
    words: Any = texts()
    assert set(words["commands"]) == set(OFFERED) >= set(OFFERED) & set(COMMANDS)
    assert set(LEVELS) <= set(words["levels"]) and set(words["levels"]["means"]) == set(LEVELS)


def test_a_language_that_is_not_there_is_told() -> None:
    assert LANGUAGES == ("en",)
    with pytest.raises(KeyError):
        texts("../en")


@pytest.mark.parametrize("name", SOURCE)
def test_no_module_writes_markup_runs_text_or_fetches_from_elsewhere(name: str) -> None:
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://|javascript:", SOURCE[name])
        == []
    )
    assert len(SOURCE[name].splitlines()) <= 350


@pytest.mark.parametrize("name", SOURCE)
def test_every_module_that_is_imported_is_there(name: str) -> None:
    for path in re.findall(r'from "([^"]+)"', SOURCE[name]):
        assert path.startswith("."), path
        assert ((STATIC / name).parent / path).resolve().is_file(), path


def test_styles_fetch_nothing() -> None:
    for each in (BASE_STYLE, *STATIC.rglob("*.css")):
        assert re.findall(r"@import|url\(", each.read_text("utf-8")) == []


def test_the_document_is_valid_and_holds_no_script_and_no_style(tmp_path: Path) -> None:
    page = document()
    assert faults(page, tmp_path) == []
    scripts = re.findall(r"<script([^>]*)>", page)
    assert [each for each in scripts if "src=" not in each] == [' type="application/json" id="texts"']
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
    for path in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert (BASE_STYLE if path == "style/base.css" else STATIC / path).is_file(), path
    data = re.search(r'id="texts">(.*?)</script>', page, re.S)
    assert data and json.loads(data[1]) == texts()

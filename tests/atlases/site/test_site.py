"""The site of an atlas: nothing leads nowhere, only what has changed is written, strangers' text is inert, pages stay small."""

from __future__ import annotations

import re
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import html5lib
import pytest
from PIL import Image
from tests.helpers.atlases import HOSTILE, KEY, about, examples, put_about, put_class, put_data, put_map, put_unit, tiny, whole
from tests.insight.test_page_valid import faults

from reverie.atlases.site import write_site
from reverie.atlases.site.known import known
from reverie.atlases.site.layer_page import PER_PAGE, layer_pages, shards
from reverie.atlases.site.map_page import map_values
from reverie.atlases.site.overview import audit_values
from reverie.atlases.site.tiles import SIDE
from reverie.atlases.site.writing import PACKAGE
from reverie.atlases.store import OWN_FOLDERS, AtlasStore
from reverie.errors import OutputError
from reverie.pages import render_linked

MOST = 300_000  # bytes that a page may have of its own


def documents(folder: Path) -> dict[Path, Any]:
    """All pages, as a strict reader of HTML has them."""
    reader = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return {each: reader.parse(each.read_text("utf-8")) for each in sorted(folder.rglob("*.html"))}


def leads(document: Any) -> list[str]:
    """Every address in a page: of links, pictures, scripts, styles, and backgrounds."""
    found = []
    for each in document.iter():
        found += [each.attrib[name] for name in ("href", "src") if name in each.attrib]
        found += re.findall(r"url\(([^)]*)\)", each.attrib.get("style", ""))
        found += [f"../{shot}" for shot in each.attrib.get("data-shots", "").split()]
    return found


def check_links(folder: Path) -> int:
    """Everything a page names is there, with the place in it; how many addresses there were."""
    pages = documents(folder)
    count = 0
    for page, document in pages.items():
        for address in leads(document):
            if address.startswith("data:"):
                continue
            parts = urlsplit(urljoin(page.as_uri(), address))
            assert parts.scheme == "file", (page, address)
            there = Path(unquote(parts.path))
            assert there.is_relative_to(folder) and there.is_file(), (page, address)
            if parts.fragment:
                assert parts.fragment in {each.attrib.get("id") for each in pages[there].iter()}, (page, address)
            count += 1
    return count


def pages_of(folder: Path) -> dict[str, int]:
    return {
        str(each.relative_to(folder)): each.stat().st_mtime_ns for each in folder.rglob("*") if each.suffix in (".html", ".js", ".webp")
    }


def test_nothing_in_a_whole_site_leads_nowhere(tmp_path: Path) -> None:
    with whole(tmp_path / "atlas") as store:
        assert write_site(store) == tmp_path / "atlas" / "index.html"
        layers = known(store)
    assert layers is not None
    assert check_links(tmp_path / "atlas") > 3000
    there = pages_of(tmp_path / "atlas")
    for each in layers.layers.values():
        assert {f"{each.stem}/{channel}.html" for channel in each.units} | {f"{each.stem}/index.html", f"maps/{each.stem}.html"} <= set(
            there
        )
    assert {"index.html", "about.html", "audit.html", "classes/index.html", "classes/7.html"} <= set(there)
    assert not list((tmp_path / "atlas").rglob("*.part"))


@pytest.mark.parametrize("without", ["data", "classes", "units", "everything"])
def test_an_atlas_of_which_a_part_is_missing_says_so_and_leads_nowhere_else(tmp_path: Path, without: str) -> None:
    facts = about({"stem": 8, "net.1": 16}, 4, classes=() if without == "classes" else (0, 7), name="mine")
    with AtlasStore(tmp_path) as store:
        put_about(store, facts)
        if without != "everything":
            if without != "data":
                put_data(store, ["a.jpg", "b.jpg"])
            for layer in facts["layers"]:
                for channel in layer["units"][: 2 if without == "units" else None]:
                    put_unit(store, layer, channel)
            for each in facts["classes"][:1]:
                put_class(store, facts, each["index"], 0)
        write_site(store)
    check_links(tmp_path)
    first, about_page = ((tmp_path / name).read_text("utf-8") for name in ("index.html", "about.html"))
    wanted = {
        "data": "No real pictures",
        "classes": "No classes are shown",
        "units": "4 units have no picture",
        "everything": "8 units have no picture",
    }
    assert wanted[without] in first and wanted[without] in about_page
    assert (tmp_path / "classes").is_dir() == (without != "classes")
    if without == "data":
        assert "No real pictures are shown" in (tmp_path / "net.1" / "4.html").read_text("utf-8")


def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    with whole(tmp_path) as store:
        write_site(store)
        before, digest = pages_of(tmp_path), store.digest()
        write_site(store)
        assert pages_of(tmp_path) == before and store.digest() == digest

        changed = {**(store.facts("trust", "stem:4") or {}), "words": "Another word of it.", "misleads": True}
        store.put("trust", "stem:4", "another", changed)
        write_site(store)
        after = pages_of(tmp_path)
        new = {name for name in after if after[name] != before.get(name)}
        assert new == {"stem/4.html", "stem/index.html", "stem/units-0.js"}
        assert "Another word of it." in (tmp_path / "stem" / "4.html").read_text("utf-8")


def test_a_picture_that_is_new_comes_into_its_sheet_and_its_neighbours_lead_to_its_page(tmp_path: Path) -> None:
    facts = about({"net": 100}, name="mine")
    (layer,) = facts["layers"]
    with AtlasStore(tmp_path) as store:
        put_about(store, facts)
        for channel in (0, 70):
            put_unit(store, layer, channel)
        write_site(store)
        with Image.open(tmp_path / "net" / "tiles-1.webp") as sheet:
            assert sheet.size == (8 * SIDE, 5 * SIDE)  # 36 of the second 64
            assert sheet.convert("RGBA").getchannel("A").getpixel((5, 5)) == 0  # unit 64 has none
            place = (6 * SIDE + SIDE * 3 // 4, SIDE // 2)  # unit 70, its right half
            with Image.open(BytesIO(tiny(70))) as own:
                wanted = own.convert("RGB").getpixel((12, 8))
            got = sheet.convert("RGB").getpixel(place)
            assert isinstance(wanted, tuple) and isinstance(got, tuple)
            assert max(abs(one - other) for one, other in zip(got, wanted, strict=True)) < 12
        before = pages_of(tmp_path)
        put_unit(store, layer, 64)
        write_site(store)
        after = pages_of(tmp_path)
    check_links(tmp_path)
    assert '"64.html"' in (tmp_path / "net" / "70.html").read_text("utf-8").replace("../net/", "")
    assert after["net/tiles-0.webp"] == before["net/tiles-0.webp"] and after["net/tiles-1.webp"] != before["net/tiles-1.webp"]


def test_a_page_that_someone_took_away_or_a_power_cut_emptied_comes_back(tmp_path: Path) -> None:
    with whole(tmp_path) as store:
        write_site(store)
        (tmp_path / "stem" / "1.html").unlink()
        (tmp_path / "stem" / "2.html").write_bytes(b"")
        (tmp_path / "site" / "atlas.css").unlink()
        write_site(store)
    check_links(tmp_path)
    assert (tmp_path / "stem" / "2.html").stat().st_size > 1000


def test_what_belongs_to_the_site_no_more_goes_and_nothing_else(tmp_path: Path) -> None:
    with whole(tmp_path) as store:
        write_site(store)
        (tmp_path / "mine.html").write_text("kept")
        store.forget("map", ("blocks.2.1",))
        store.forget("audit", ())
        write_site(store)
    mine = tmp_path / "mine.html"
    assert mine.read_text() == "kept"
    mine.unlink()
    check_links(tmp_path)
    assert [each.name for each in sorted((tmp_path / "maps").glob("*.html"))] == ["blocks.2.1.html"]
    assert not (tmp_path / "audit.html").exists()


def test_a_site_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    with whole(tmp_path) as store:
        write_site(store)
        before = pages_of(tmp_path)
        put_about(store, {**(store.facts("about", "network") or {}), "name": "another"})
        (tmp_path / "about.html").unlink()
        (tmp_path / "about.html").mkdir()
        with pytest.raises(OutputError, match="is a folder"):
            write_site(store)
        del before["about.html"]
        assert {name: when for name, when in pages_of(tmp_path).items() if name != "about.html"} == before
        assert not list(tmp_path.rglob("*.part"))


def test_text_of_strangers_is_told_and_not_obeyed(tmp_path: Path) -> None:
    facts = about({"stem": 8, "x#0": 8}, 4, classes=(0,), labels=[HOSTILE, *(f"label {each}" for each in range(9))], name=HOSTILE)
    with whole(tmp_path, facts, [f"{HOSTILE} {number}.jpg" for number in range(30)]) as store:
        store.put("unit", "stem:0", KEY, {**(store.facts("unit", "stem:0") or {}), "notes": [HOSTILE]})
        store.put("examples", "stem:2", KEY, examples(30))
        write_site(store)
    for page, document in documents(tmp_path).items():
        assert not [each for each in document.iter("script") if "src" not in each.attrib], page  # nothing but links to ours
        assert not list(document.iter("b")) or all("{{" not in (each.text or "") for each in document.iter("b"))
    assert HOSTILE in "".join(documents(tmp_path)[tmp_path / "classes" / "0.html"].itertext())
    for script in (tmp_path / "site").glob("search-*.js"):
        assert script.read_text("utf-8").isascii()  # so that no odd line end breaks it


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine: the pages are not shown to the HTML validator")
def test_its_pages_are_valid_html(tmp_path: Path) -> None:
    with whole(tmp_path / "atlas") as store:
        write_site(store)
    for name in (
        "index.html",
        "stem/index.html",
        "stem/4.html",
        "classes/0.html",
        "classes/index.html",
        "maps/stem.html",
        "audit.html",
        "about.html",
    ):
        assert not faults((tmp_path / "atlas" / name).read_text("utf-8"), tmp_path), name


def test_a_layer_of_twenty_thousand_units_has_small_pages(tmp_path: Path) -> None:
    count = 20_000
    with AtlasStore(tmp_path) as store:
        put_about(store, about({"a.rather.long.name.of.a.layer": count, "other": 8}))
        layers = known(store)
    assert layers is not None
    layer = layers.layers["a.rather.long.name.of.a.layer"]
    object.__setattr__(layer, "pictures", frozenset(layer.units))
    rows = [[channel, channel, 84, 55, 12.34, 6 if channel % 3 else 4, [channel % 1000, 999, 998]] for channel in range(count)]
    found = layer_pages(layers, layer, rows)
    assert len(found) == -(-count // PER_PAGE) and sum(len(values["tiles"]) for _, values in found) == count
    sizes = [len(render_linked(PACKAGE, "layer", up="../", here=name, **values)) for name, values in found[:3]]
    assert max(sizes) < MOST, sizes
    assert max(len(each) for each in shards(layer.stem, rows)) < MOST


def test_pages_of_large_maps_and_audits_are_small(tmp_path: Path) -> None:
    facts = about({"stem": 8}, labels=["a rather long label of a class, with a comma"] * 10)
    with AtlasStore(tmp_path) as store:
        put_about(store, facts)
        put_data(store, [f"a rather long name of a picture {number}.jpg" for number in range(12)])
        put_map(store, facts["layers"][0], side=48)
        found = known(store)
        told = store.facts("map", "stem")
    assert found is not None and told is not None
    assert len(render_linked(PACKAGE, "map", up="../", here="", **map_values(found, found.layers["stem"], told))) < MOST
    many = {"dead": [["stem", 1]] * 5000, "duplicates": [["stem", 1, "stem", 2, 0.99]] * 5000, "several": [["stem", 1, 0.5]] * 5000}
    assert len(render_linked(PACKAGE, "audit", up="", here="", **audit_values(found, many, "audit.csv"))) < MOST


def test_no_layer_has_a_folder_of_the_atlas_itself() -> None:
    from reverie.store import file_stems

    stems = file_stems([*OWN_FOLDERS, "classes", "maps.1"])
    assert stems["classes"] == "classes_2" and stems["maps.1"] == "maps.1"

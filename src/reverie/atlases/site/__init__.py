"""The site of an atlas, written from its store alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.atlases.site.class_page import class_list, class_values
from reverie.atlases.site.known import Known, KnownLayer, known
from reverie.atlases.site.layer_page import Row, layer_files, layer_pages, shards, unit_row
from reverie.atlases.site.map_page import map_values
from reverie.atlases.site.overview import CONTACT, about_values, audit_values, index_values, search_files
from reverie.atlases.site.tiles import write_sheets
from reverie.atlases.site.unit_page import unit_values
from reverie.atlases.site.writing import PACKAGE, SiteWriter, site_writer
from reverie.atlases.store import AtlasStore
from reverie.pages import shared

OF_UNITS = ("unit", "examples", "trust", "speaks", "nearest", "wiring")  # kinds of the store that the page of a unit tells of
OF_CLASSES = ("class", "class_units", "class_examples")
ASSETS = {"atlas.css": ("base.css", "atlas.css"), **{name: (name,) for name in ("atlas.js", "layer.js", "search.js", "map.js")}}


def write_site(store: AtlasStore) -> Path:
    """Write every page whose facts have changed since it was written; the first page comes back.

    All come into place at once, those that lead to others last: nothing leads to a page that is not there.

    Raises:
        OutputError: no room, or not writable. The site is then as it was.
    """
    found = known(store)
    if found is not None:
        with site_writer(store) as writer:
            _write(writer, store, found)
    return store.folder / "index.html"


def _write(writer: SiteWriter, store: AtlasStore, found: Known) -> None:
    for name, parts in ASSETS.items():
        text = shared(PACKAGE, *parts)
        writer.file(f"site/{name}", text, text.encode)
    digests = {
        path: digest for kind in ("unit", "class") for _, files in store.written(kind).values() for path, (_, digest) in files.items()
    }
    contacts = {}
    for layer in found.layers.values():
        pictures = [f"{layer.stem}/{each}.webp" if each in layer.pictures else None for each in layer.units]
        write_sheets(writer, store.folder, layer.stem, pictures, digests)
        _layer(writer, store, found, layer)
        contacts[layer.name] = _contact(store, layer)
        if layer.has_map:
            writer.page(f"maps/{layer.stem}.html", "map", map_values(found, layer, store.facts("map", layer.name) or {}))
    _classes(writer, store, found, digests)
    for number, text in enumerate(texts := search_files(found)):
        writer.file(f"site/search-{number}.js", text, text.encode)
    audit = store.facts("audit", "all")
    if audit is not None:
        file = next(iter(store.files_of("audit", "all")), None)
        writer.page("audit.html", "audit", audit_values(found, audit, file))
    writer.page("about.html", "about", about_values(found))
    writer.page("index.html", "index", index_values(found, contacts, len(texts)))


def _layer(writer: SiteWriter, store: AtlasStore, found: Known, layer: KnownLayer) -> None:
    """The pages of a layer and of its units. What is known of units is read a layer at a time, and where something of it has changed."""
    if writer.is_unchanged(f"layer {layer.stem}", layer_files(layer), _state(store, found, layer)):
        return
    facts: dict[str, dict[str, Mapping[str, Any]]] = {kind: dict(store.all(kind, f"{layer.name}:")) for kind in OF_UNITS}
    rows = []
    for channel in layer.pages:
        mine = {kind: facts[kind].get(f"{layer.name}:{channel}") for kind in OF_UNITS}
        rows.append(unit_row(layer, channel, mine))
        writer.page(f"{layer.stem}/{channel}.html", "unit", unit_values(found, layer, channel, mine))
    for number, text in enumerate(shards(layer.stem, rows)):
        writer.file(f"{layer.stem}/units-{number}.js", text, text.encode)
    for name, values in layer_pages(found, layer, rows):
        writer.page(f"{layer.stem}/{name}", "layer", values)


def _state(store: AtlasStore, found: Known, layer: KnownLayer) -> str:
    """Of all that the pages of a layer follow from: of other layers, which units have a page and a picture."""
    order = list(found.layers.values())
    near = {layer.name, *(each.name for each in order[max(0, layer.place - 2) : layer.place + 1])}
    for _, wired in store.all("wiring", f"{layer.name}:"):
        near |= {side["layer"] for side in (wired["from"], wired["to"]) if side is not None}
    return " ".join([found.common, *(store.state(kind, f"{layer.name}:") for kind in OF_UNITS),
                     *(repr(found.layers[each].told) for each in sorted(near) if each in found.layers)])  # fmt: skip


def _contact(store: AtlasStore, layer: KnownLayer) -> list[Row]:
    """Of the first units of a layer, for the first page."""
    return [
        unit_row(layer, channel, {kind: store.facts(kind, f"{layer.name}:{channel}") for kind in OF_UNITS})
        for channel in layer.pages[:CONTACT]
    ]


def _classes(writer: SiteWriter, store: AtlasStore, found: Known, digests: Mapping[str, str]) -> None:
    if not found.classes:
        return
    pictures = [f"classes/{each}.webp" if each in found.class_pictures else None for each in found.classes]
    write_sheets(writer, store.folder, "classes", pictures, digests)
    facts: dict[str, dict[str, Mapping[str, Any]]] = {kind: dict(store.all(kind)) for kind in OF_CLASSES}
    alike = dict(store.all("nearest", "class "))
    for index in found.classes:
        mine = {**{kind: facts[kind].get(str(index)) for kind in OF_CLASSES}, "nearest": alike.get(f"class {index}")}
        writer.page(f"classes/{index}.html", "class", class_values(found, index, mine))
    for name, values in class_list(found):
        writer.page(f"classes/{name}", "classes", values)

"""The first page of an atlas, those about it and its audit, and the data by which all of it is searched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reverie.atlases.site.known import Known, Values
from reverie.atlases.site.layer_page import Row, tiles
from reverie.atlases.site.unit_page import looks
from reverie.atlases.site.words import LEVELS, figure
from reverie.atlases.verdicts.trust import OFF_THE_PATH
from reverie.errors import printable

CONTACT = 24  # units of a layer on the first page: the first, in their order
LABELS = 5000  # of classes in one file of what is searched
_LISTED = 300  # rows of a list of the audit; the file has all
_FAULTS = 50  # pictures of the data set that are told of


def index_values(known: Known, contacts: Mapping[str, Sequence[Row]], search: int) -> Values:
    """What the template of the first page is handed.

    Args:
        contacts: the first rows of each layer. search: how many files there are to be searched.
    """
    layers = [
        {**layer.as_data(), "stem": quote(layer.stem), "level_words": LEVELS.get(layer.level or "", ""), "looks": looks(known, layer),
         "tiles": tiles(layer, contacts[layer.name][:CONTACT])}
        for layer in known.layers.values()
    ]  # fmt: skip
    classes = [known.class_link(index) for index in list(known.classes)[:CONTACT]]
    return {
        "title": printable(known.about["name"]), "nav": known.nav(), "network": printable(known.about["name"]), "layers": layers,
        "units": sum(len(each.pages) for each in known.layers.values()), "pictures": known.data["count"] if known.data else 0,
        "classes": classes, "class_count": len(known.classes), "missing": missing(known), "search": search,
        "size": list(known.about["size"]),
    }  # fmt: skip


def missing(known: Known) -> list[Values]:
    """What this atlas does not show, and how to add it: the fault in bold, the remedy after it."""
    found = []
    layers = known.layers.values()
    waiting = sum(len(each.units) - len(each.made) for each in layers)
    if waiting:
        told = f"{waiting:,} unit{'s' * (waiting != 1)} {'have' if waiting != 1 else 'has'} no picture yet."
        found.append({"what": told, "how": "The same command goes on where it was stopped."})
    if known.data is None:
        how = "Give the same command --dataset FOLDER: only what depends on it is made."
        found.append({"what": "No real pictures: nothing here shows what each unit answers to in photographs.", "how": how})
    asked, there = sum(len(each.units) for each in layers), sum(each.channels for each in layers)
    if asked < there:
        told = f"{asked:,} of the {there:,} units of these layers are shown."
        found.append({"what": told, "how": "The same command without --sample and --units adds the others."})
    every = known.about["all_classes"]
    if every and len(known.classes) < every:
        told = f"{len(known.classes):,} of {every:,} classes are shown." if known.classes else "No classes are shown."
        others = [name for index, name in enumerate(known.about["labels"]) if index not in known.classes and name.isalpha()][:2]
        some = f"--classes {','.join(others)} adds some; without" if others else "Without"
        found.append({"what": told, "how": f"{some} --classes and --sample all come."})
    if known.data is not None and not waiting and not any(each.has_map or each.no_map for each in layers):
        how = "They come with the same command where umap-learn is installed, and without --no-maps."
        found.append({"what": "No maps of layers.", "how": how})
    for each in layers:
        if each.no_map:
            found.append({"what": f"No map of {printable(each.name)}:", "how": f"{each.no_map}."})
    return found


def search_files(known: Known) -> list[str]:
    """Scripts that hand over what is searched: the layers; the labels of all classes, which of them have a page, and which a picture."""
    labels = known.about.get("labels", ())
    count = max(len(labels), max(known.classes, default=-1) + 1)
    layers = [
        [printable(each.name), each.stem, each.level or "", len(each.pages), len(each.units),
         min((each.place_of[channel] for channel in each.pictures), default=-1)]
        for each in known.layers.values()
    ]  # fmt: skip
    found = [f"atlas.layers({_compact(layers)});\n"]
    for first in range(0, count, LABELS):
        numbers = range(first, min(count, first + LABELS))
        pages = [index for index in numbers if index in known.classes]
        drawn = [index for index in pages if index in known.class_pictures]
        parts = (first, [known.label(index) for index in numbers], pages, drawn)
        found.append(f"atlas.labels({', '.join(_compact(each) for each in parts)});\n")
    return found


def _compact(rows: Any) -> str:
    return json.dumps(rows, separators=(",", ":"))


def about_values(known: Known) -> Values:
    """What the template of the page about the atlas is handed."""
    about, data = known.about, known.data
    told = None
    if data is not None:
        told = {
            "folder": printable(data["folder"]), "count": data["count"], "duplicates": len(data["duplicates"]),
            "faults": [[printable(path), printable(why)] for path, why in data["faults"][:_FAULTS]], "all_faults": len(data["faults"]),
        }  # fmt: skip
    return {
        "title": "How to read this atlas", "nav": known.nav(), "network": printable(about["name"]), "sha256": about["sha256"],
        "size": list(about["size"]), "channels": about["channels"], "all_classes": about["all_classes"], "reverie": about["reverie"],
        "facets": about["facets"], "layers": len(known.layers), "units": sum(len(each.pages) for each in known.layers.values()),
        "classes": len(known.classes), "data": told, "missing": missing(known), "off_the_path": OFF_THE_PATH,
    }  # fmt: skip


def audit_values(known: Known, found: Mapping[str, Any], file: str | None) -> Values:
    """What the template of the audit is handed.

    Args:
        found: the facts of its kind. file: the list that can be downloaded.
    """
    dead = [known.unit_link(layer, channel) for layer, channel in found["dead"][:_LISTED]]
    alike = [
        [known.unit_link(one_layer, one), known.unit_link(other_layer, other), figure(how)]
        for one_layer, one, other_layer, other, how in found["duplicates"][:_LISTED]
    ]
    several = [[known.unit_link(layer, channel), how] for layer, channel, how in found["several"][:_LISTED]]
    counts = {name: len(found[name]) for name in ("dead", "duplicates", "several")}
    return {
        "title": "Audit", "nav": known.nav(), "network": printable(known.about["name"]), "dead": dead, "duplicates": alike,
        "several": several, "counts": counts, "file": None if file is None else quote(file), "most": _LISTED,
        "units": sum(len(each.pages) for each in known.layers.values()),
    }  # fmt: skip

"""What the store of an atlas has that many of its pages need: layers, which units and classes have a page or a picture, the data set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from reverie.atlases.store import AtlasStore
from reverie.errors import printable

Values = dict[str, Any]
"""What a template is handed, fit for JSON: a page is written anew where this has changed. Paths in it begin at the folder of the atlas."""

_LONGEST = 200  # characters of a text that strangers wrote


@dataclass(frozen=True)
class KnownLayer:
    """A layer of which some units are shown.

    Attributes:
        place: 1 is the lowest that is shown.
        units: that were asked for. pages: those that have a page, since something is known of them. made: those whose pictures were made.
        pictures: those of them that have one.
        field: the share of a picture's side that a unit really looks at. changed: of how large a share of pictures the first label changes
            where the layer is held or passed by, which `how` says. None where it was not measured.
        has_map: whether there is an activation atlas of it. no_map: why there is none, where one was to be made.
    """

    place: int
    name: str
    stem: str
    channels: int
    height: int
    width: int
    stride: int | None
    receptive_field: int | None
    level: str | None
    units: tuple[int, ...]
    pages: tuple[int, ...]
    made: frozenset[int]
    pictures: frozenset[int]
    field: float | None
    changed: float | None
    how: str
    has_map: bool
    no_map: str

    @cached_property
    def page_at(self) -> dict[int, int]:
        """Where each unit that has a page is among these."""
        return {channel: at for at, channel in enumerate(self.pages)}

    @cached_property
    def place_of(self) -> dict[int, int]:
        """Where each unit is among those that were asked for."""
        return {channel: at for at, channel in enumerate(self.units)}

    @property
    def told(self) -> tuple[object, ...]:
        """All that pages of others tell of it: where it is the same, they are."""
        return (self.as_data(), self.units, self.pages, sorted(self.made), sorted(self.pictures))

    @property
    def href(self) -> str:
        return quote(f"{self.stem}/index.html")

    def page(self, channel: int) -> str:
        return quote(f"{self.stem}/{channel}.html")

    def picture(self, channel: int, kind: str = "") -> str:
        return quote(f"{self.stem}/{channel}{kind}.webp")

    def as_data(self) -> Values:
        """For templates."""
        return {
            "place": self.place, "name": printable(self.name), "href": self.href, "channels": self.channels, "height": self.height,
            "width": self.width, "receptive_field": self.receptive_field, "level": self.level, "units": len(self.units),
            "pages": len(self.pages), "pictures": len(self.pictures), "field": self.field, "changed": self.changed, "how": self.how,
            "map": quote(f"maps/{self.stem}.html") if self.has_map else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What many pages need.

    Attributes:
        about: of the network. data: of the pictures, None where there are none.
        layers: by name, lowest first.
        classes: labels of those that were asked for, by number, rising; all have a page. class_pictures: those of them that have a picture.
        has_audit: whether its units were gone through.
    """

    folder: Path
    about: Mapping[str, Any]
    data: Mapping[str, Any] | None
    layers: Mapping[str, KnownLayer]
    classes: Mapping[int, str]
    class_pictures: frozenset[int]
    has_audit: bool

    @cached_property
    def thumbs(self) -> frozenset[str]:
        """Names of the pictures of the data set that are there."""
        folder = self.folder / "examples"
        return frozenset(each.name for each in folder.iterdir()) if folder.is_dir() else frozenset()

    def label(self, index: int) -> str:
        """Of any class of the network."""
        labels = self.about.get("labels", ())
        return printable(labels[index])[:_LONGEST] if 0 <= index < len(labels) else self.classes.get(index, f"class {index}")

    def class_link(self, index: int) -> Values:
        """A class, with its page where it has one."""
        has_page = index in self.classes
        picture = f"classes/{index}.webp" if index in self.class_pictures else None
        return {
            "label": self.label(index), "index": index, "href": f"classes/{index}.html" if has_page else None, "picture": picture,
        }  # fmt: skip

    def unit_link(self, layer: str, channel: int) -> Values:
        """A unit, with its page and picture where it has them."""
        found = self.layers.get(layer)
        return {
            "name": f"{printable(layer)}:{channel}", "channel": channel,
            "href": found.page(channel) if found is not None and channel in found.page_at else None,
            "picture": found.picture(channel) if found is not None and channel in found.pictures else None,
        }  # fmt: skip

    def shot(self, number: int) -> Values:
        """A picture of the data set, by its number: where it is, its shape and what it is called."""
        if number not in self._shots:
            pictures = self.data["pictures"] if self.data else ()
            digest, path = pictures[number] if 0 <= number < len(pictures) else ("", f"picture {number}")
            name = f"{digest[:16]}.webp"
            width, height = _size(f"{self.folder}/examples/{name}") if name in self.thumbs else (0, 0)
            self._shots[number] = {
                "picture": f"examples/{name}" if width else None, "width": width, "height": height, "name": printable(path)[-_LONGEST:],
                "box": None,
            }  # fmt: skip
        return self._shots[number]

    @cached_property
    def _shots(self) -> dict[int, Values]:
        return {}

    @cached_property
    def common(self) -> str:
        """A hash of what every page depends on."""
        told = [dict(self.about), self.data, sorted(self.thumbs), self.nav(), sorted(self.classes.items())]
        return sha256(json.dumps(told).encode()).hexdigest()

    def nav(self) -> list[tuple[str, str]]:
        """The pages that every page leads to: address and name."""
        parts = [("index.html", "Network")]
        if self.classes:
            parts.append(("classes/index.html", "Classes"))
        if self.has_audit:
            parts.append(("audit.html", "Audit"))
        return [*parts, ("about.html", "How to read this")]


def known(store: AtlasStore) -> Known | None:
    """What is known now; None before anything is known of the network."""
    about = store.facts("about", "network")
    if about is None:
        return None
    units = list(store.all("unit"))
    made = _by_layer(name for name, _ in units)
    pictures = _by_layer(name for name, facts in units if facts["alive"])
    seen = _by_layer(store.written("examples"))
    fields, effects = dict(store.all("field")), dict(store.all("effect"))
    maps, no_maps = store.written("map"), dict(store.all("no_map"))
    layers = {}
    for place, each in enumerate(about["layers"], 1):
        name = each["name"]
        has_page = made.get(name, frozenset()) | seen.get(name, frozenset())
        layers[name] = KnownLayer(
            place, name, each["stem"], each["channels"], each["height"], each["width"], each["stride"], each["receptive_field"],
            each["level"], tuple(each["units"]), tuple(number for number in each["units"] if number in has_page),
            made.get(name, frozenset()), pictures.get(name, frozenset()), fields.get(name, {}).get("side"),
            effects.get(name, {}).get("changed"), printable(effects.get(name, {}).get("how", "")), name in maps,
            printable(no_maps.get(name, {}).get("why", "")),
        )  # fmt: skip
    drawn = frozenset(int(index) for index, facts in store.all("class") if facts["alive"])
    labels = {each["index"]: printable(each["label"])[:_LONGEST] for each in about["classes"]}
    has_audit = store.facts("audit", "all") is not None
    return Known(store.folder, about, store.facts("data", "set"), layers, labels, drawn, has_audit)


def _by_layer(names: Iterable[str]) -> dict[str, frozenset[int]]:
    """The channels of each layer, of names such as `blocks.4.1:12`."""
    found: dict[str, set[int]] = {}
    for name in names:
        layer, _, channel = name.rpartition(":")
        found.setdefault(layer, set()).add(int(channel))
    return {layer: frozenset(channels) for layer, channels in found.items()}


@lru_cache(maxsize=1 << 17)
def _size(place: str) -> tuple[int, int]:
    """Width and height of a picture, which does not change, since it is called after its content; (0, 0) where it cannot be read."""
    try:
        with Image.open(place) as image:
            return image.size
    except (OSError, UnidentifiedImageError):
        return 0, 0

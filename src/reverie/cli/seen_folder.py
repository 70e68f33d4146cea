"""The folder of a look: its page, its figures, and what was asked for beside them; and the page that links several."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.errors import OutputError, choice
from reverie.recipe import PageWriting, Writing
from reverie.store import check_place, exists, is_folder, made_folder, write_whole

if TYPE_CHECKING:
    from reverie.insight import SeePlan, Sight

_DATA = re.compile('<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
PAGE, FIGURES, HANDOUT, PICTURES = "index.html", "see.json", "handout.html", "pictures"
_OF_PICTURES, _OF_CHANNELS = ("rebuilt", "enhanced"), ("heat", "feature")


@dataclass
class SeenFolder:
    """Where what is seen in one picture goes.

    Attributes:
        place: the folder. writing, beside: how, and what beside the page.
        kept: the figures of a look that is there already and is the same; nothing is written then.
    """

    place: Path
    writing: Writing
    beside: PageWriting
    kept: dict[str, Any] | None = None
    _asked: dict[str, Any] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict)

    def ready(self, plan: SeePlan) -> None:
        """Find out now whether it can be written. A look that is there already is kept where it is the same, and begun anew where it is
        unfinished or lacks what is asked for now.

        Raises:
            OutputError: something else is there, or it cannot be made.
        """
        self._asked = plan.asked
        there = figures_in(self.place)
        check_free(self.place, self.writing.force or (there is not None and self._may_replace(there)))
        if there is not None and not self.writing.force and self._is_whole(there):
            self.kept = there

    def check_input(self, given: Path) -> None:
        """Raise OutputError where a file that goes in is one that would be written."""
        own = [self.place / name for name in (PAGE, FIGURES, HANDOUT)]
        own += list((self.place / PICTURES).glob("*")) if self.beside.pictures and is_folder(self.place / PICTURES) else []
        for each in own:
            if each.exists() and given.exists() and each.samefile(given):
                raise OutputError(f"'{given}' is itself in the folder of the page", f"name another folder with {choice('output')}")

    def write(self, sight: Sight) -> None:
        """The page as far as it is, its figures, and the pictures that are not there yet."""
        made_folder(self.place)
        self.write_pictures(sight)
        data = {"asked": self._asked, "seconds": round(sight.seconds, 3), **sight.as_data(self._written)}
        _write(self.place / FIGURES, json.dumps(data, ensure_ascii=False, indent=1))
        _write(self.place / PAGE, sight.page())
        if self.beside.handout and len(sight.layers) == sight.expected:
            _write(self.place / HANDOUT, sight.handout())

    def write_pictures(self, sight: Sight) -> None:
        if not self.beside.pictures:
            return
        made_folder(self.place)
        made_folder(self.place / PICTURES)
        for name, each in sight.pictures().items():
            if name not in self._written:
                each.save(self.place / PICTURES / name, force=True, with_recipe=self.writing.with_recipe)
                self._written[name] = f"{PICTURES}/{name}"

    def told(self) -> dict[str, Any]:
        """What `--json` says of it, paths as they are seen from the working folder."""
        found = figures_in(self.place) or {}
        layers = [self._with_paths(each) for each in found.get("layers", [])]
        own = {"path": str(self.place / PAGE), "recipe": None, "seconds": found.get("seconds"), "score": None}
        handout = str(self.place / HANDOUT) if (self.place / HANDOUT).is_file() else None
        rest = {name: value for name, value in found.items() if name not in ("asked", "seconds", "layers")}
        return {**own, "handout": handout, **rest, "layers": layers}

    def _with_paths(self, layer: dict[str, Any]) -> dict[str, Any]:
        def path(name: str | None) -> str | None:
            return None if name is None else str(self.place / name)

        noticed = [{**each, **{part: path(each[part]) for part in _OF_CHANNELS}} for each in layer["noticed"]]
        return {**layer, **{part: path(layer[part]) for part in _OF_PICTURES}, "noticed": noticed}

    def _may_replace(self, there: dict[str, Any]) -> bool:
        """Whether what is there comes again: the same look, or an unfinished one of the same picture."""
        asked = there.get("asked")
        if not isinstance(asked, dict):
            return False
        return asked == self._asked or (asked.get("picture") == self._asked["picture"] != "" and not _is_finished(there))

    def _is_whole(self, there: dict[str, Any]) -> bool:
        """Whether all that is asked for is there already."""
        wanted = [PAGE, *([HANDOUT] if self.beside.handout else [])]
        pictures = [each["rebuilt"] for each in there["layers"]] if self.beside.pictures else []
        if not _is_finished(there) or None in pictures:
            return False
        return all((self.place / name).is_file() for name in (*wanted, *pictures))


def check_free(place: Path, may_replace: bool) -> None:
    """Raise OutputError where something is at a place that may not be replaced, or nothing can be made there."""
    there = os.path.lexists(place)  # unlike `place.exists`, no name is too long for it, and a link that leads nowhere is there
    if there and not is_folder(place):
        raise OutputError(f"'{place}' is not a folder", f"give the name of one with {choice('output')}")
    if there and not may_replace:
        raise OutputError(f"the folder '{place}' exists already", f"give {choice('force')} to write into it, or another name")
    check_place(place / PAGE if there else place)


def figures_in(place: Path) -> dict[str, Any] | None:
    """What an earlier look left in a folder; None where there is none, or it cannot be read."""
    try:
        found = json.loads((place / FIGURES).read_bytes())
        parts = [each[part] for each in found["layers"] for part in _OF_PICTURES] + [
            one[part] for each in found["layers"] for one in each["noticed"] for part in _OF_CHANNELS
        ]
        whole = isinstance(found["expected"], int) and all(each is None or isinstance(each, str) for each in parts)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if whole else None


def what_is_in(place: Path, asked: dict[str, Any]) -> str:
    """What a folder holds that is not the look that was asked for."""
    there = (figures_in(place) or {}).get("asked")
    if not isinstance(there, dict):
        return "no page of this command"
    if there.get("picture") != asked["picture"]:
        return "of another picture"
    return f"of this picture with other choices ({', '.join(name for name in asked if there.get(name) != asked[name])})"


def _is_finished(figures: dict[str, Any]) -> bool:
    expected: int = figures["expected"]
    return len(figures["layers"]) == expected


def _write(path: Path, text: str) -> None:
    write_whole(path, text.encode(), replace=True)


@dataclass
class SeenIndex:
    """The page that links the pages of a folder.

    Raises:
        OutputError: another's page is there.
    """

    folder: Path
    force: bool

    def __post_init__(self) -> None:
        if self.page.exists() and not self.force and not self._entries():
            raise exists(self.page)

    @property
    def page(self) -> Path:
        return self.folder / PAGE

    def add(self, plan: SeePlan, place: Path, done: int) -> None:
        """Write it with one page more; those from before stay on it while they are there."""
        from reverie.insight.index_page import index_entry, index_page

        handout = f"{place.name}/{HANDOUT}" if (place / HANDOUT).is_file() else ""
        entry = index_entry(plan.sight, f"{place.name}/{PAGE}", done, handout)
        entries = {each["page"]: each for each in self._entries() if (self.folder / each["page"]).is_file()}
        _write(self.page, index_page([*{**entries, entry["page"]: entry}.values()]))

    def _entries(self) -> list[dict[str, Any]]:
        """What the page has so far: it carries its entries as data. Empty where it is another's, or is not there."""
        try:
            found = _DATA.search(self.page.read_text("utf-8"))
            entries = [] if found is None else json.loads(found[1])["pages"]
            return [each for each in entries if all(isinstance(each[name], str) for name in ("page", "name", "thumb", "label"))]
        except (OSError, ValueError, LookupError, TypeError):
            return []

"""The page of a gallery, and the shards beside it: what is sorted and filtered by stands in the page, the rest comes as it is needed.

A page that is opened from disk may not read files, but may run scripts beside it: a shard is a script that hands over its data.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from reverie.errors import printable
from reverie.judging.galleries.known import Known, Ranking, counted
from reverie.judging.galleries.of_grid import SeenGrid, all_told
from reverie.judging.galleries.starred import Starred
from reverie.judging.scores.table import ENOUGH, FITTED, score_of
from reverie.pages import render
from reverie.recipe import CHOSEN

SHARD = 100  # pictures in each
PARTS = "parts"  # the folder of the shards
_LONGEST = 2000  # characters of a text that a stranger's file holds
_MISSING = 100  # names that are told of pictures of a grid that are missing
_SHEETS = 4  # that are shown; of more there are links


def details(pictures: Sequence[Known], folder: str) -> list[str]:
    """The shards with all that is known of the pictures, in order; `folder` is theirs, as seen from the page."""
    return [_shard("details", first, [row_of_details(each, folder) for each in some]) for first, some in _cut(pictures)]


def thumbs(pictures: Iterable[bytes], count: int) -> Iterable[str]:
    """The shards with the thumbnails, WebP each, in order; empty of those that have none. They are made one after another."""
    given = iter(pictures)
    for first in range(0, count, SHARD):
        yield _shard("thumbs", first, [b64encode(next(given)).decode("ascii") for _ in range(min(SHARD, count - first))])


def page(title: str, pictures: Sequence[Known], ranked: Sequence[Ranking], about: Mapping[str, Any]) -> str:
    """The page.

    Args:
        title: the name of the folder.
        pictures: all of them but the sheets, by path. ranked: by each score.
        about: `details` and `thumbs`, the names of the shards; `list_sha256`; `stars`, of those that have some, by their sha256, and
            `starred`, what these say of the scores, if there is something; `unseen`, folders that were not looked into; `films` and
            `others`, how many other files there are; `sheets`, what is known of each, and the `folder` of all, as seen from the page;
            `grid`, what is there of the grid of the folder, and `damage`, what is wrong with its list; in a frame `shards`, by their
            names, and `sheet`, which makes a data URI of the path of a sheet.
    """
    grid: SeenGrid | None = about.get("grid")
    axes = () if grid is None else grid.axes
    words = {kind: _Words() for kind in ("kind", "preset", "network", "layer", "class")}
    rows = [_row(at, each, words, ranked) for at, each in enumerate(pictures)]
    if grid is not None and axes:
        rows = [[*row, grid.there.get(each.entry.path, -1)] for row, each in zip(rows, pictures, strict=True)]
    made, unreadable = counted(pictures)
    data = {
        "shard": SHARD, "details": about["details"], "thumbs": about["thumbs"], "stars": about["stars"],
        "words": {kind: list(each) for kind, each in words.items()},
        "scores": [_score(each) for each in ranked],
        "groups": list(CHOSEN),
        "axes": [{"name": name.replace("_", " "), "values": [printable(each) for each in values]} for name, values in axes],
        "rows": rows,
        **({"shards": about["shards"]} if "shards" in about else {}),
    }  # fmt: skip
    facts = {"title": printable(title), "count": len(rows), "reverie_made": made, "unreadable": unreadable, "scores": data["scores"]}
    unseen = [(printable(path), why) for path, why in about["unseen"].items()]
    varied = {"class" if name == "label" else name for name, _ in axes}  # an axis has a filter of its own
    kinds = {kind: [] if kind in varied else sorted(each, key=str.casefold) for kind, each in words.items()}
    told: Starred | None = about.get("starred")
    uri = about.get("sheet")
    sheets = [_sheet(each, about["folder"], uri if at < _SHEETS else None) for at, each in enumerate(about.get("sheets", ()))]
    facts |= {
        "told": all_told(grid, len(rows), len(sheets), _MISSING), "sizes": "" if grid is None else grid.sizes,
        "damage": about.get("damage", ""), "sheets": sheets[:_SHEETS], "more_sheets": sheets[_SHEETS:], "axes": data["axes"],
        "framed": "shards" in about,
    }  # fmt: skip
    rest = {"films": about["films"], "others": about["others"], "list_sha256": about["list_sha256"], "unseen": unseen}
    rows_of = [(each, score_of(each.name)) for each in ranked]
    return render(
        "reverie.judging.galleries", "gallery", data, facts=facts, kinds=kinds, table=rows_of, starred=told, enough=ENOUGH, **rest
    )


def _score(ranking: Ranking) -> dict[str, Any]:
    """What the script knows of a score."""
    row = score_of(ranking.name)
    return {"name": row.name, "of": len(ranking.places), "about": f"{row.range}: {row.means}", "fitted": row.name.startswith(FITTED)}


class _Words(dict[str, int]):
    """Texts by number, each kept once."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def _row(at: int, known: Known, words: Mapping[str, _Words], ranked: Sequence[Ranking]) -> list[Any]:
    """What the script reads of a picture, in the order in which it takes it apart."""
    entry = known.entry
    scores = [[round(known.scores[each.name], 5), each.places[at]] if at in each.places else 0 for each in ranked]
    return [
        1 if entry.state == "unreadable" else 0, entry.changed // 10**9, entry.width, entry.height, entry.sha256,
        words["kind"][known.kind] if known.kind else -1, words["preset"][known.preset] if known.preset else -1,
        [words["network"][each] for each in known.networks], [words["layer"][each] for each in known.layers],
        [words["class"][each] for each in known.classes], scores,
    ]  # fmt: skip


def _sheet(known: Known, folder: str, uri: Callable[[str], str] | None) -> dict[str, Any]:
    entry = known.entry
    return {
        "path": printable(entry.path),
        "href": _href(entry.path, folder) if uri is None else uri(entry.path),
        "words": known.words,
        "width": entry.width,
        "height": entry.height,
    }


def _href(path: str, folder: str) -> str:
    return quote(os.fsencode(str(PurePosixPath(folder) / path)))


def row_of_details(known: Known, folder: str) -> dict[str, Any]:
    """What a shard says of a picture; `folder` is that of the picture, as seen from the page."""
    entry = known.entry
    data: dict[str, Any] = {
        "path": printable(entry.path), "href": _href(entry.path, folder), "bytes": entry.size, "words": known.words[:_LONGEST],
        "fault": entry.fault[:_LONGEST], "notes": entry.notes[:_LONGEST], "steps": known.steps,
        "apart": [[_plain(name), _text(value), _text(usual)] for name, value, usual in known.apart],
        "without": known.without,
        "recipe": None if known.recipe is None else known.recipe.model_dump(mode="json"),
    }  # fmt: skip
    return {name: value for name, value in data.items() if value or name in ("path", "href")}


def _plain(field: str) -> str:
    """The name of a field as flags have it, without its group: `octave scale`."""
    return field.rsplit(".", 1)[-1].replace("_", " ")


def _text(value: object) -> str:
    return "" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)[:_LONGEST]


def _cut(pictures: Sequence[Known]) -> Iterable[tuple[int, Sequence[Known]]]:
    return ((first, pictures[first : first + SHARD]) for first in range(0, len(pictures), SHARD))


def _shard(kind: str, first: int, rows: Sequence[object]) -> str:
    return f"gallery.{kind}({first}, {json.dumps(rows, separators=(',', ':'))});\n"

"""The page of a gallery whole in itself, for a frame that may ask for nothing: what it needs, it asks of the page around it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reverie.errors import InputError
from reverie.judging.galleries.known import Known, rankings, with_kept_scores
from reverie.judging.galleries.of_grid import damage_of, seen_grid
from reverie.judging.galleries.page import SHARD, page, row_of_details


def framed_page(
    folder: Path, found: Sequence[Known], thumbnails: Mapping[str, bytes], stars: Mapping[str, int], sheet: Callable[[Path], str]
) -> str:
    """The page of a folder, as it is now; nothing is written.

    What the page shows large, the stars that are given in it, and a picture that shall be opened, it tells to the page around it by
    messages: `{"whole": SHA256}`, which is answered with `{"sha256", "blob"}`; `{"sha256", "stars"}`; `{"open": SHA256}`.

    Args:
        folder: of the pictures; only the list of its grid is read.
        found: what is known of each picture, sheets too, by path below the folder.
        thumbnails: WebP, by path. stars: of those that have some, by the sha256 of the picture.
        sheet: makes a data URI of the file of a sheet.
    """
    grid, damage = None, ""
    try:
        grid = seen_grid(folder, found)
    except InputError as error:
        damage = damage_of(error, folder)
    sheets = [each for each in found if each.kind == "sheet"]
    pictures = with_kept_scores([each for each in found if each.kind != "sheet" and each.entry.state in ("picture", "unreadable")])
    shards: dict[str, list[object]] = {}
    for first in range(0, len(pictures), SHARD):
        some = pictures[first : first + SHARD]
        shards[f"details {first}"] = ["details", first, [row_of_details(each, "") for each in some]]
        shards[f"thumbs {first}"] = [
            "thumbs", first, [b64encode(thumbnails.get(each.entry.path, b"")).decode("ascii") for each in some],
        ]  # fmt: skip
    named = {kind: [each for each in shards if each.startswith(kind)] for kind in ("details", "thumbs")}
    about = {
        **named,
        "shards": shards, "list_sha256": "", "stars": stars, "unseen": {}, "films": sum(each.entry.state == "film" for each in found),
        "others": 0, "sheets": sheets, "folder": "", "sheet": lambda path: sheet(folder / path), "grid": grid, "damage": damage,
    }  # fmt: skip
    return page(folder.name, pictures, rankings(pictures), about)

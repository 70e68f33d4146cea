"""The page that links the pages of several pictures."""

from __future__ import annotations

from collections.abc import Sequence

from reverie.errors import printable
from reverie.insight.report import Sight
from reverie.pages import embedded_images, percent, render
from reverie.pictures import in_colours

_THUMB, _QUALITY = 320, 70  # longest side in pixels; quality, 0..100


def index_entry(sight: Sight, page: str, done: int, handout: str = "") -> dict[str, str]:
    """What the page shows of one picture, as data.

    Args:
        page: of the picture, as seen from the folder of this one.
        done: how many layers it has.
        handout: the same of its handout; empty where there is none.
    """
    first = sight.labels[0] if sight.labels else None
    return {
        "page": page,
        "handout": handout,
        "name": printable(sight.name),
        "thumb": embedded_images.photo(in_colours(sight.picture.pixels, sight.shown), _THUMB, _QUALITY).uri,
        "label": "" if first is None else f"{first.label}, {percent(first.probability)}",
        "network": sight.network,
        "layers": f"{done} layer{'s' * (done != 1)}" if done == sight.expected else f"{done} of {sight.expected} layers so far",
    }


def index_page(entries: Sequence[dict[str, str]]) -> str:
    """One self-contained HTML page with a thumbnail and a link for each; its data are the entries, so that it can be added to."""
    return render("reverie.insight", "index", {"pages": list(entries)}, entries=entries)

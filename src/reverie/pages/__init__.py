"""What the pages we make have in common: a page opens from disk and fetches nothing from outside; it is one file of HTML, or one of a site.

Its names are imported at their first use, so that a page without tensors is made without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.pages.embedded_images import Shot
    from reverie.pages.rendering import hex_colour, percent, render, render_linked, shared, signed

__all__ = ["Shot", "hex_colour", "percent", "render", "render_linked", "shared", "signed"]

_HOMES = {
    "pages.embedded_images": ("Shot",),
    "pages.rendering": ("hex_colour", "percent", "render", "render_linked", "shared", "signed"),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

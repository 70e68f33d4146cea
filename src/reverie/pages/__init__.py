"""What the pages we make have in common: a page is one file of HTML that opens from disk and fetches nothing."""

from reverie.pages.embedded_images import Shot
from reverie.pages.rendering import hex_colour, percent, render, signed

__all__ = ["Shot", "hex_colour", "percent", "render", "signed"]

"""What the pages we make have in common: a page is one file of HTML that opens from disk and fetches nothing."""

from reverie.pages.rendering import hex_colour, percent, render, signed
from reverie.pages.shots import Shot

__all__ = ["Shot", "hex_colour", "percent", "render", "signed"]

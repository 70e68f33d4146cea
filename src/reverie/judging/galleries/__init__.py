"""A page of every picture of a folder, none left out, and whether they are still what they were. Knows no torch."""

from reverie.judging.galleries.folder import GalleryFolder, found_gallery, holds_its_gallery
from reverie.judging.galleries.framed import framed_page
from reverie.judging.galleries.manifest import Difference, Manifest, check_page, read_manifest, verified

__all__ = [
    "Difference", "GalleryFolder", "Manifest", "check_page", "found_gallery", "framed_page", "holds_its_gallery", "read_manifest",
    "verified",
]  # fmt: skip

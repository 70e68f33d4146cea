"""Picture files ↔ arrays, and the recipes inside them. Knows no torch and trusts no byte.

Its names are imported at their first use, so that reading a recipe takes neither numpy nor a codec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverie.first_use import at_first_use

if TYPE_CHECKING:
    from reverie.files.arrays import Array, decode_array, is_array, read_array
    from reverie.files.colour import as_chunks
    from reverie.files.decoding import Decoded, decode, read, size_of
    from reverie.files.encoding import SUFFIXES, encode, packed_size
    from reverie.files.input_files import READABLE, pictures_in
    from reverie.files.limits import at_most_pixels, most_pixels
    from reverie.files.recipes.bounds import MAX_RECIPE
    from reverie.files.recipes.embedded import recipe_text

__all__ = [
    "MAX_RECIPE", "READABLE", "SUFFIXES", "Array", "Decoded", "as_chunks", "at_most_pixels", "decode", "decode_array", "encode", "is_array",
    "most_pixels", "packed_size", "pictures_in", "read", "read_array", "recipe_text", "size_of",
]  # fmt: skip

_HOMES = {
    "files.arrays": ("Array", "decode_array", "is_array", "read_array"),
    "files.colour": ("as_chunks",),
    "files.decoding": ("Decoded", "decode", "read", "size_of"),
    "files.encoding": ("SUFFIXES", "encode", "packed_size"),
    "files.input_files": ("READABLE", "pictures_in"),
    "files.limits": ("at_most_pixels", "most_pixels"),
    "files.recipes.bounds": ("MAX_RECIPE",),
    "files.recipes.embedded": ("recipe_text",),
}


if not TYPE_CHECKING:  # else any name would do
    __getattr__ = at_first_use(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

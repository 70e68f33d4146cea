"""Picture files ↔ arrays, and the recipes inside them. Knows no torch and trusts no byte.

Its names are imported at their first use, so that reading a recipe takes neither numpy nor a codec.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "as_chunks": "colour", "Decoded": "decoding", "decode": "decoding", "read": "decoding", "size_of": "decoding", "SUFFIXES": "encoding",
    "encode": "encoding", "packed_size": "encoding",
    "MAX_RECIPE": "recipes.bounds", "recipe_text": "recipes.embedded", "READABLE": "input_files",
    "pictures_in": "input_files", "Array": "arrays", "decode_array": "arrays", "is_array": "arrays", "read_array": "arrays",
    "at_most_pixels": "limits", "most_pixels": "limits",
}  # fmt: skip


if not TYPE_CHECKING:  # else any name would do

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'reverie.files' has no attribute {name!r}")
        return getattr(import_module(f"reverie.files.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

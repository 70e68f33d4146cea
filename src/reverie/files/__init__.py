"""Picture files ↔ arrays, and the recipes inside them. Knows no torch and trusts no byte."""

from reverie.files.decoding import MAX_PIXELS, Decoded, decode, read
from reverie.files.encoding import SUFFIXES, encode
from reverie.files.recipes import MAX_RECIPE, recipe_text
from reverie.files.source import READABLE

__all__ = ["MAX_PIXELS", "MAX_RECIPE", "READABLE", "SUFFIXES", "Decoded", "decode", "encode", "read", "recipe_text"]

"""Folders for the cache, whole-or-nothing writing, contents kept by their hash."""

from reverie.store.atomic import FULL, UNWRITABLE, beside, check_place, exists, made_folder, scratch, sync_folder, together, write_whole
from reverie.store.cache import KINDS, Holding, holdings, prune
from reverie.store.content_by_hash import Kept, Shelf, sha256_of, used
from reverie.store.destination import Destination
from reverie.store.file_names import file_stems, speakable
from reverie.store.originals import check_no_original_in, check_not_original, is_original, originals
from reverie.store.paths import cache_folder, expanded, files_in, is_folder

__all__ = [
    "FULL", "KINDS", "UNWRITABLE", "Destination", "Holding", "Kept", "Shelf", "beside", "cache_folder", "check_no_original_in",
    "check_not_original", "check_place", "exists", "expanded", "file_stems", "files_in", "holdings", "is_folder", "is_original",
    "made_folder", "originals", "prune", "scratch", "sha256_of", "speakable", "sync_folder", "together", "used", "write_whole",
]  # fmt: skip

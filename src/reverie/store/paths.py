"""Where things are kept, and what lies in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Where kept inputs live; the environment variable REVERIE_CACHE moves it. Not created here."""
    moved = os.environ.get("REVERIE_CACHE")
    return Path(moved) if moved else platformdirs.user_cache_path("reverie")


def expanded(path: str | Path) -> Path:
    """The path with a leading `~` replaced; as it is where there is no such home."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def is_folder(path: Path) -> bool:
    """Whether a folder is there; a name that cannot be one is none."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_dir()
    return False


def files_in(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    """Files directly in `folder` with one of these lower-case suffixes, by name."""
    for each in sorted(folder.iterdir()):
        if each.is_file() and not each.name.startswith(".") and each.suffix.lower() in suffixes:
            yield each

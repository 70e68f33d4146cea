"""Names of files made from texts that anybody wrote, fit for every file system."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?=\.|\Z)")  # of Windows, whatever follows the first dot


def speakable(text: object, longest: int = 80) -> str:
    """A text as part of a file's name: letters of English, digits and `._#@+-`, the rest as `_`."""
    return re.sub(r"[^A-Za-z0-9._#@+-]+", "_", str(text)).strip("_")[:longest] or "_"


def file_stems(names: Iterable[str]) -> dict[str, str]:
    """What files of each name begin with: all different, also where no case is told, and neither hidden nor like a flag."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = speakable(name).lstrip(".-+@") or "_"
        plain = stem = f"_{plain}" if _RESERVED.match(plain) else plain
        turn = 1
        while stem.lower() in taken:
            turn += 1
            stem = f"{plain}_{turn}"
        taken.add(stem.lower())
        found[name] = stem
    return found

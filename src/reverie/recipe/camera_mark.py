"""What a film of a camera carries in the place of a recipe: that it is one, and how it was dreamt. It cannot be made again."""

from __future__ import annotations

import json

_LONGEST = 200  # characters of a text in it


def camera_mark(what: str, network: str, version: str, name: str) -> str:
    """The text that a film of a camera carries.

    Args:
        what: the level or target that was dreamt. network: its name. version: of Reverie. name: of the film, which no other has.
    """
    return json.dumps({"made": "camera film", "what": what, "network": network, "reverie": version, "name": name}, separators=(",", ":"))


def of_camera(text: str | None) -> str | None:
    """In words, what film of a camera it is that carries this text; None of what is none."""
    try:
        found = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("made") != "camera film":
        return None
    what, network = (each if isinstance(each, str) and len(each) <= _LONGEST else "" for each in map(found.get, ("what", "network")))
    said = ", ".join(filter(None, (what, f"by {network}" if network else "")))
    return f"a camera's pictures, dreamt as they came{': ' if said else ''}{said}; they were not kept, so it cannot be made again"

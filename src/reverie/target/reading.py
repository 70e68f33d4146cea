"""From text to a target: the target language."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from operator import index
from typing import Any, Literal, NamedTuple

from reverie.errors import UsageError, unknown
from reverie.target.terms import BARE, NO_NAMES, Names, Target, Term, brief

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_WEIGHT = re.compile(rf"({_NUMBER})\s*\*\s*")
_END = r"(?=\s*\Z|\s+[+-]\s)"
_INSIDE = r"(?:#\d{1,9})?(?:/(?:class|attention))?"  # a call of a module, a part of what it gives
_TAIL = re.compile(rf"(?::(?P<first>\d+)(?:-(?P<last>\d+))?(?P<at>@(?:(?P<y>\d+),(?P<x>\d+)|centre|center)?)?)?{_END}")
_NAMED_TAIL = re.compile(rf"(?P<inside>{_INSIDE}){_TAIL.pattern}")
_ENDS = re.compile(rf"(?P<inside>){_END}")
_LISTED_TAIL = re.compile(rf"(?P<inside>{_INSIDE})\s*(?P<comma>,|\Z)")
_LISTED = re.compile(r"(?P<name>[^,]*?)\s*(?P<comma>,|\Z)")
_SIGN = re.compile(r"\s+([+-])\s+")
_SPAN = re.compile(r"(\d+)-(\d+)")
_HELP = "write it like blocks.4.1, blocks.4.1:12, blocks.4.1:12@7,9 or class:banana, joined by ' + ' and ' - '"
_LONGEST = 2000
_MOST = 100_000  # targets that a range stands for
_JSON = json.JSONDecoder(strict=False)


def parse(text: str | Target, names: Names = NO_NAMES) -> Target:
    """Read a target from text; one that was read before is given back.

    Raises:
        UsageError: the text is empty or not a target; the message repeats what was written.
    """
    if isinstance(text, Target):
        return text
    parts = _read(text, names)
    if ranged := next((each for each in parts if each.span is not None and each.term.label is None), None):
        raise UsageError(f"a range of channels, '{ranged.text}', where one target belongs", "name one channel")
    return _target([each.term for each in parts])


def asked(given: Any) -> str | Target:
    """What is asked for, as a text or a target: these, or a layer and a channel of it, `("blocks.4.1", 12)`.

    Raises:
        UsageError: it is something else.
    """
    if isinstance(given, (str, Target)):
        return given
    if is_unit(given):
        layer, channel = given[0], index(given[1])
        if channel < 0:
            raise UsageError(f"no channel {channel} in '{layer}'", "channels are numbered from 0")
        return Target((Term(layer=layer, channel=channel),))
    raise UsageError(f"a target of type {type(given).__name__}", "give a text, such as blocks.4.1:12, or a layer and a channel of it")


def is_unit(given: Any) -> bool:
    """Whether it is a layer and a channel of it."""
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[0], str):
        return False
    return hasattr(given[1], "__index__") and not isinstance(given[1], bool)


def expand(text: str | Target, names: Names = NO_NAMES) -> list[Target]:
    """The targets that a text with a range of channels stands for: `blocks.4.1:0-15` is sixteen; without one, it is one.

    Raises:
        UsageError: as `parse`; or more than one range, one that ends before it begins, or one of more than 100,000.
    """
    if isinstance(text, Target):
        return [text]
    parts = _read(text, names)
    terms = [each.term for each in parts]
    ranged = [number for number, each in enumerate(parts) if each.span is not None]
    if not ranged:
        return [_target(terms)]
    if len(ranged) > 1:
        raise UsageError(f"several ranges in '{brief(text)}'", "give one range in each target")
    at, span = ranged[0], parts[ranged[0]].span or ("", "")
    first, last = (int(each) if len(each) < 10 else _MOST + 1 for each in span)
    if last < first or last - first >= _MOST or len(span[1]) > 9:
        fault = f"the range '{brief('-'.join(span))}' in '{brief(text)}'"
        raise UsageError(fault, "write it like blocks.4.1:0-15, first and last channel")
    return [_target([*terms[:at], _numbered(terms[at], number), *terms[at + 1 :]]) for number in range(first, last + 1)]


def has_range(text: str | Target, names: Names = NO_NAMES) -> bool:
    """Whether a range of channels or classes is in it, so that `expand` may give several targets."""
    return isinstance(text, str) and any(each.span is not None for each in _read(text, names))


def layer_names(text: str, names: Names = NO_NAMES) -> list[str]:
    """The layers that a text lists with commas between: their own names, in quotes where they must be, or levels.

    Raises:
        UsageError: there is nothing between two commas.
    """
    found, at = [], 0
    while True:
        begin = _past_blanks(text, at)
        named = (
            _own_name(text, at, names, _LISTED_TAIL) or _own_name(text, begin, names, _LISTED_TAIL) or _in_quotes(text, begin, _LISTED_TAIL)
        )
        if named is not None:
            name, end = named
        else:
            listed = _LISTED.match(text, begin)
            assert listed is not None
            name, end = names.layer(listed["name"]), listed
        if not name:
            raise UsageError(f"a layer without a name in '{brief(text)}'", "give their names with commas between")
        found.append(name)
        at = end.end()
        if not end["comma"]:
            return found


def _remedy(written: str) -> str:
    """How all of a layer is written, where that was meant in another way."""
    layer, mark, _ = _WEIGHT.sub("", brief(written), count=1).partition(":*")
    return f"{layer} is all of the layer, {layer}:0-15 each of its first 16 channels" if layer and mark else ""


class _Part(NamedTuple):
    """A term as it was written, and the range of channels or classes that it has, if any."""

    term: Term
    text: str
    span: tuple[str, str] | None


def _read(text: str, names: Names) -> list[_Part]:
    if len(text) > _LONGEST:
        raise UsageError(f"a target of {len(text)} characters", f"the longest is {_LONGEST}")
    if text in names.modules:
        return [_Part(Term(layer=text), text, None)]
    stripped = text.strip()
    if not stripped:
        raise UsageError("an empty target", _HELP)
    sign, at = 1.0, 0
    if stripped[0] in "+-" and _own_name(stripped, 0, names, _NAMED_TAIL) is None:
        sign = -1.0 if stripped[0] == "-" else 1.0
        at = _past_blanks(stripped, 1)
    parts = []
    while True:
        part, at = _part(stripped, at, sign, names)
        parts.append(part)
        operator = _SIGN.match(stripped, at)
        if operator is None:
            return parts
        sign, at = -1.0 if operator[1] == "-" else 1.0, operator.end()


def _part(text: str, begin: int, sign: float, names: Names) -> tuple[_Part, int]:
    """The term that begins there, and where it ends."""
    after = _SIGN.search(text, begin)
    written = text[begin : after.start() if after else len(text)]
    weight, at = sign, begin
    own = _own_name(text, at, names, _NAMED_TAIL)  # first: `2*conv` may be one
    if own is None and (weighted := _WEIGHT.match(text, at)):
        weight, at = sign * float(weighted[1]), weighted.end()
        if not math.isfinite(weight) or weight == 0:
            fault = "counts for nothing" if weight == 0 else "is not a finite number"
            raise UsageError(f"the weight '{brief(weighted[1])}' in '{brief(text)}' {fault}", "give a number, or leave the term out")
        own = _own_name(text, at, names, _NAMED_TAIL)
    if own is None and text.startswith("class:", at):
        return _of_class(text, at, weight)
    found = own or _in_quotes(text, at, _NAMED_TAIL) or _bare_name(text, at, names)
    if found is None:
        within = "" if written.strip() == text else f" in '{brief(text)}'"
        near = unknown("", written.strip(), names.modules).remedy if names.modules else ""
        raise UsageError(f"'{brief(written)}'{within} is not a target", _remedy(written.strip()) or near or _HELP)
    name, tail = found
    channel = None if tail["first"] is None else int(tail["first"])
    place: tuple[int, int] | Literal["centre"] | None = None if tail["at"] is None else "centre"
    if tail["y"] is not None:
        place = int(tail["y"]), int(tail["x"])
    span = None if tail["last"] is None else (tail["first"], tail["last"])
    return _Part(Term(weight, layer=name, channel=channel, at=place), written, span), tail.end()


def _of_class(text: str, at: int, weight: float) -> tuple[_Part, int]:
    begin = at + len("class:")
    if quoted := _in_quotes(text, begin, _ENDS):
        return _Part(Term(weight, label=quoted[0]), text[at : quoted[1].end()], None), quoted[1].end()
    after = _SIGN.search(text, begin)
    end = after.start() if after else len(text)
    label = " ".join(text[begin:end].split())
    if not label:
        raise UsageError(f"'class:' without a name in '{brief(text)}'", _HELP)
    span = _SPAN.fullmatch(label)
    return _Part(Term(weight, label=label), text[at:end], None if span is None else (span[1], span[2])), end


_Found = tuple[str, re.Match[str]]  # a name, and what follows it


def _own_name(text: str, at: int, names: Names, tail: re.Pattern[str]) -> _Found | None:
    """The longest name of a module that stands there and is followed by what may follow a name."""
    for name in sorted((each for each in names.modules if each and text.startswith(each, at)), key=len, reverse=True):
        end = tail.match(text, at + len(name))
        if end is not None and not (name == "class" and text.startswith("class:", at)):
            return name + end["inside"], end
    return None


def _in_quotes(text: str, at: int, tail: re.Pattern[str]) -> _Found | None:
    """The name in quotes that stands there, as JSON has them."""
    if not text.startswith('"', at):
        return None
    try:
        name, end = _JSON.raw_decode(text, at)
        name.encode()  # half a character can be in no file
    except ValueError:
        return None
    found = tail.match(text, end)
    return (name + found["inside"], found) if name and found is not None else None


def _bare_name(text: str, at: int, names: Names) -> _Found | None:
    bare = BARE.match(text, at)
    tail = None if bare is None else _TAIL.match(text, bare.end())
    return None if bare is None or tail is None else (names.layer(bare[0]), tail)


def _numbered(term: Term, number: int) -> Term:
    return replace(term, channel=number) if term.label is None else replace(term, label=str(number))


def _target(terms: list[Term]) -> Target:
    target = Target(tuple(terms))
    if len(str(target)) > _LONGEST:
        raise UsageError(f"a target of {len(str(target))} characters, written out", f"the longest is {_LONGEST}")
    return target


def _past_blanks(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip())

"""The target language: what a dream climbs, as text and as terms.

blocks.4.1                          every channel of a layer
blocks.4.1:12                       one channel
blocks.4.1:12@7,9                   one neuron of it, at row 7, column 9
blocks.4.1:12@centre                the neuron in the middle, whatever the picture's size; blocks.4.1:12@ is the same
blocks.7/class                      of a transformer, the class token
blocks.7.attn/attention:2           of a transformer, how much attention a head gives to each place
class:banana   class:954            a class, by name or number
class:cat   class:pets=151..285     any of several classes: a word for them, or their numbers, which may have a name
blocks.4.1:12 - 0.5*blocks.2.0:3    a weighted sum; the signs stand between blanks
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from reverie.errors import UsageError

CLASSES = "class scores"  # the name of the logits among activations
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_WEIGHT = re.compile(rf"({_NUMBER})\s*\*\s*(.*)", re.DOTALL)
_UNIT = re.compile(r"(?P<layer>[^\s:@*+-][^\s:@*]*)(?::(?P<channel>\d+)(?P<at>@(?:(?P<y>\d+),(?P<x>\d+)|centre|center)?)?)?")
_SPLIT = re.compile(r"\s+([+-])\s+")
_HELP = "write it like blocks.4.1, blocks.4.1:12, blocks.4.1:12@7,9 or class:banana, joined by ' + ' and ' - '"
_MEMBERS = re.compile(r"(class:[^=]*)=\d[\d.|]*")
_RANGE = re.compile(r":(\d+)-(\d+)(?=@|\s|$)")
_LONGEST = 2000
_MOST = 100_000  # targets that a range stands for


@dataclass(frozen=True)
class Term:
    """One weighted part of a target: a layer, a channel or neuron of it, or a class (then `label` is set and `layer` empty)."""

    weight: float = 1.0
    layer: str = ""
    channel: int | None = None
    at: tuple[int, int] | Literal["centre"] | None = None
    label: str | None = None

    def unit(self) -> str:
        """The term without its weight, as text."""
        if self.label is not None:
            return f"class:{self.label}"
        text = self.layer
        if self.channel is not None:
            text += f":{self.channel}"
        if self.at is not None:
            text += "@centre" if self.at == "centre" else f"@{self.at[0]},{self.at[1]}"
        return text


@dataclass(frozen=True, repr=False)
class Target:
    """A weighted sum of terms. `str(target)` is its canonical text, and `parse` reads it back."""

    terms: tuple[Term, ...]

    def __repr__(self) -> str:
        return f"Target({str(self)!r})"

    def __str__(self) -> str:
        text = ""
        for number, term in enumerate(self.terms):
            sign = "-" if term.weight < 0 else "+"
            if number:
                text += f" {sign} "
            elif sign == "-":
                text += "-"
            size = abs(term.weight)
            text += ("" if size == 1 else f"{size:.0f}*" if size.is_integer() and size < 1e15 else f"{size!r}*") + term.unit()
        return text

    def layers(self) -> tuple[str, ...]:
        """Names of the layers it needs, each once."""
        return tuple(dict.fromkeys(term.layer for term in self.terms if term.label is None))


def parse(text: str | Target) -> Target:
    """Read a target from text; one that was read before is given back.

    Raises:
        UsageError: the text is empty or not a target; the message repeats what was written.
    """
    if isinstance(text, Target):
        return text
    if len(text) > _LONGEST:
        raise UsageError(f"a target of {len(text)} characters", f"the longest is {_LONGEST}")
    stripped = text.strip()
    if not stripped:
        raise UsageError("an empty target", _HELP)
    sign = 1.0
    if stripped[0] in "+-":
        sign = -1.0 if stripped[0] == "-" else 1.0
        stripped = stripped[1:].lstrip()
    pieces = _SPLIT.split(stripped)
    terms = [_term(pieces[0], sign, text)]
    for operator, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        terms.append(_term(piece, -1.0 if operator == "-" else 1.0, text))
    target = Target(tuple(terms))
    if len(str(target)) > _LONGEST:
        raise UsageError(f"a target of {len(str(target))} characters, written out", f"the longest is {_LONGEST}")
    return target


def expand(text: str) -> list[str]:
    """The targets that a text with a range of channels stands for: `blocks.4.1:0-15` is sixteen; without one, the text itself.

    Raises:
        UsageError: more than one range, one that ends before it begins, or one of more than 100,000.
    """
    found = list(_RANGE.finditer(text))
    if not found:
        return [text]
    if len(found) > 1:
        raise UsageError(f"several ranges in '{brief(text)}'", "give one range in each target")
    first, last = (int(each) if len(each) < 10 else _MOST + 1 for each in found[0].groups())
    if last < first or last - first >= _MOST or len(found[0][2]) > 9:
        raise UsageError(
            f"the range '{brief(found[0][0][1:])}' in '{brief(text)}'", "write it like blocks.4.1:0-15, first and last channel"
        )
    before, after = text[: found[0].start()], text[found[0].end() :]
    return [f"{before}:{number}{after}" for number in range(first, last + 1)]


def as_said(target: Target | str) -> str:
    """A target as people say it: `class:banana` is a banana, `class:cat=281..285` a cat."""
    text = without_members(target)
    return text.removeprefix("class:") if text.count("class:") == 1 else text


def without_members(target: Target | str) -> str:
    """The text of a target without the numbers behind words for several classes: `class:cat=281..285` → `class:cat`."""
    return _MEMBERS.sub(r"\1", str(target))


def brief(text: str, longest: int = 80) -> str:
    """`text` as a message quotes it: its ends where it is long."""
    text = text.strip()
    return text if len(text) <= longest else f"{text[: longest - 12]}…{text[-11:]}"


def _term(piece: str, sign: float, whole: str) -> Term:
    weight, unit = sign, piece.strip()
    if weighted := _WEIGHT.fullmatch(unit):
        weight, unit = sign * float(weighted[1]), weighted[2].strip()
        if not math.isfinite(weight) or weight == 0:
            fault = "counts for nothing" if weight == 0 else "is not a finite number"
            raise UsageError(f"the weight '{weighted[1]}' in '{brief(whole)}' {fault}", "give a number, or leave the term out")
    if unit.startswith("class:"):
        label = " ".join(unit.removeprefix("class:").split())
        if not label:
            raise UsageError(f"'class:' without a name in '{brief(whole)}'", _HELP)
        return Term(weight, label=label)
    match = _UNIT.fullmatch(unit)
    if match is None:
        within = "" if piece.strip() == whole.strip() else f" in '{brief(whole)}'"
        raise UsageError(f"'{brief(piece)}'{within} is not a target", _HELP)
    channel = None if match["channel"] is None else int(match["channel"])
    if match["y"] is not None:
        return Term(weight, layer=match["layer"], channel=channel, at=(int(match["y"]), int(match["x"])))
    return Term(weight, layer=match["layer"], channel=channel, at=None if match["at"] is None else "centre")

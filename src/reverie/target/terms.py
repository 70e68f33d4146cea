"""Targets as data: terms, their sum, and their text."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

CLASSES = "class scores"  # the name of the logits among activations
BARE = re.compile(r'[^\s:@*+"-][^\s:@*]*')  # a layer's name that needs no quotes
_ODD_LABEL = re.compile(r'\A\Z|\A"|\s[+-](?:\s|\Z)')  # one that needs quotes
_MEMBERS = re.compile(r"(class:[^=]*)=\d[\d.|]*")


class Names(NamedTuple):
    """What a network calls its layers.

    Attributes:
        modules: PyTorch's dotted names.
        levels: words that stand for a layer, where no module has that name.
    """

    modules: Collection[str] = ()
    levels: Mapping[str, str] = {}

    def layer(self, name: str) -> str:
        """The layer that a name stands for: itself, or that of a level."""
        return name if name in self.modules else self.levels.get(name, name)


NO_NAMES = Names()


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
            plain = self.label == " ".join(self.label.split()) and not _ODD_LABEL.search(self.label) and self.label.isprintable()
            return f"class:{self.label if plain else _quoted(self.label)}"
        text = self.layer
        if not BARE.fullmatch(text) or not text.isprintable() or text == "class":
            text = _quoted(text)
        if self.channel is not None:
            text += f":{self.channel}"
        return text + (f"@{self.place}" if self.at is not None else "")

    @property
    def place(self) -> str:
        """The place of a neuron, as text; empty where the term names none."""
        return "" if self.at is None else self.at if isinstance(self.at, str) else f"{self.at[0]},{self.at[1]}"


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


def of_layer(name: str, channel: int | None = None) -> Target:
    """The target that is a layer, or a channel of it, whatever its name looks like."""
    return Target((Term(layer=name, channel=channel),))


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


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=not name.isprintable())

"""Names of what can be looked at: a module, one of its calls, a part of what it gives."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

CLASS, ATTENTION = "class", "attention"  # parts: the class token, and where attention goes


class LayerName(NamedTuple):
    """A name taken apart: `blocks.3#0/class` is module `blocks.3`, call 0, part `class`.

    Attributes:
        module: PyTorch's dotted name.
        call: which call in a pass, counted from 0; None is the last.
        part: `class`, `attention`, or empty for all that the module gives.
    """

    module: str
    call: int | None
    part: str

    @classmethod
    def parse(cls, name: str, modules: Container[str] = ()) -> LayerName:
        """Take a name apart; what is the name of one of the `modules`, or looks like no call and no part, belongs to the module's name."""
        if name in modules:
            return cls(name, None, "")
        bare, _, part = name.rpartition("/")
        if part not in (CLASS, ATTENTION) or not bare:
            bare, part = name, ""
        if bare in modules:
            return cls(bare, None, part)
        module, mark, call = bare.rpartition("#")
        if mark and call.isdecimal() and len(call) < 10:
            return cls(module, int(call), part)
        return cls(bare, None, part)

    def __str__(self) -> str:
        return self.without_part + (f"/{self.part}" if self.part else "")

    @property
    def without_part(self) -> str:
        """The module, with its call if one is named."""
        return self.module if self.call is None else f"{self.module}#{self.call}"

"""Frozen copies of a network, folded but for the layers that are looked at; kept while its weights stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from reverie.networks.inspection.anatomy import Anatomy
from reverie.networks.inspection.answers import check_weights
from reverie.networks.prepared.folding import Folded, fold
from reverie.networks.tape.tapes import Tapes

MOST_HELD = 1_000_000_000  # bytes of prepared copies that a network keeps, beside the two used last


class FoldedCopies:
    """Those of one network on one device."""

    def __init__(self) -> None:
        self.tapes = Tapes()  # of all copies, which layers are looked at says of which
        self._values: tuple[Any, ...] | None = None
        self._held: dict[frozenset[str], Folded] = {}

    def __len__(self) -> int:
        return len(self._held)

    def modules(self) -> list[nn.Module]:
        """The copies, the last used last."""
        return [each.module for each in self._held.values()]

    def renew(self, module: nn.Module, values: tuple[Any, ...], name: str) -> None:
        """Copies of other weights than the module has now, of these `values`, are gone; UsageError where one is no finite number."""
        if values != self._values:
            self._values, self._held, self.tapes = None, {}, Tapes()
            check_weights(module, name)
            self._values = values

    def but(
        self,
        spared: frozenset[str],
        module: nn.Module,
        anatomy: Anatomy,
        example: Callable[[], Tensor],
        moved: Callable[[nn.Module], object],
    ) -> Folded:
        """A frozen copy, folded but for the parts that are spared and `moved` to where it runs; until `renew` finds others the same one."""
        if spared not in self._held:
            folded = fold(module, anatomy, example(), spared)
            moved(folded.module)
            self._held[spared] = folded
            self._drop_oldest(module)
        found = self._held[spared] = self._held.pop(spared)  # the last used is the last
        return found

    def _drop_oldest(self, module: nn.Module) -> None:
        """Copies that were folded for other layers go, the longest unused first, where they take much memory."""
        each = sum(tensor.numel() * tensor.element_size() for tensor in module.parameters())
        while len(self._held) > max(2, MOST_HELD // max(1, each)):
            del self._held[next(iter(self._held))]

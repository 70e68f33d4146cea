"""What a network answers with, as far as it can be trusted: class scores that are clear, numbers that are numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from reverie.errors import UsageError, choice
from reverie.networks.inspection.anatomy import NORMS, Anatomy, measuring_norms
from reverie.networks.inspection.failures import CannotTake
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.readings import Reading
from reverie.networks.inspection.wrappers import real_names, unwrapped
from reverie.target import CLASSES

_MEND = "mend its forward: a root or logarithm of what is not above 0, 0 divided by 0"


def check_weights(module: nn.Module, name: str) -> None:
    """Raise UsageError where a weight, or what a norm has measured, is no finite number; a mask may be of minus infinity."""
    for plain, real in (("", ""), *real_names(module).items()):
        part = module.get_submodule(real) if real else unwrapped(module)
        weights = [*part.named_parameters(recurse=False)]
        for own, each in (*weights, *part.named_buffers(recurse=False)):
            if not each.is_floating_point():
                continue
            each = each.detach().to_dense()
            if bool(each.isfinite().all()):
                continue
            is_nan = bool(each.isnan().any())
            if is_nan or own in dict(weights) or isinstance(part, NORMS):
                where = f"{own} of '{plain}'" if plain else own
                fault = f"{name} holds {'NaN' if is_nan else 'infinity'}, first in {where}"
                raise UsageError(fault, "its training went astray: take a checkpoint from before")


def check_finite(scores: Tensor, module: nn.Module, name: str) -> None:
    """Raise UsageError where class scores are NaN or infinite; minus infinity is a class that is ruled out."""
    if not bool((scores < math.inf).all()):
        check_weights(module, name)
        raise UsageError(f"{name} gives class scores that are no finite numbers, though its weights are finite", _MEND)


def check_answers(anatomy: Anatomy, module: nn.Module, names: Sequence[str]) -> None:
    """Raise UsageError where what is wanted is no class scores beyond doubt, or no number."""
    if CLASSES in names:
        clear_reading(anatomy)
    broken = [name for name in names if LayerName.parse(name, anatomy.calls).module in anatomy.nans]
    if broken:
        what = "the class scores are" if broken[0] == CLASSES else f"layer '{broken[0]}' is"
        why, remedy = _first_nan(anatomy, module)
        raise UsageError(f"{what} NaN: {why}", remedy)


def clear_reading(anatomy: Anatomy) -> Reading:
    """How the class scores are read; UsageError where that is not clear."""
    if anatomy.reading is None:
        assert anatomy.unclear is not None
        raise anatomy.unclear.with_traceback(None)
    return anatomy.reading


def check_labels(anatomy: Anatomy, count: int) -> None:
    """Raise UsageError where so many classes have a name, and there are others; without any name nothing is wrong."""
    if count and anatomy.classes not in (None, count):
        raise UsageError(f"{count} labels for a network of {anatomy.classes} classes", "give one for each, in order")


def check_several(anatomy: Anatomy, name: str) -> None:
    """Raise UsageError for a network of one number."""
    if anatomy.classes == 1:
        remedy = "give the names of two classes as labels, first that of a low number; as a target class:0 means it"
        raise UsageError(f"{name} gives one number, and no classes to tell apart", remedy)


def remarks_on(anatomy: Anatomy, module: nn.Module, name: str) -> list[str]:
    """What is to be said of a network before it is looked into, one line each; most often nothing."""
    found = []
    if isinstance(anatomy.unclear, CannotTake):
        found.append(str(anatomy.unclear))
    elif anatomy.unclear is not None and anatomy.outputs > 1:
        found.append(f"{anatomy.unclear.fault}; {choice('scores', 'NAME')} says which")
    if anatomy.nans:
        found.append(f"{name} gives NaN: {_first_nan(anatomy, module)[0]}")
    if anatomy.habits.draws:
        found.append(f"what {name} gives is drawn by chance in its forward, as by dropout that is always on; here it follows from a seed")
    if anatomy.habits.mixes:
        measuring = measuring_norms(module)
        why = f" (norm '{measuring[0]}' measures the batch)" if measuring else ""
        found.append(f"what {name} says of a picture depends on those beside it{why}: each is looked at by itself")
    return found


def _first_nan(anatomy: Anatomy, module: nn.Module) -> tuple[str, str]:
    """Which layer is the first that gives NaN, and whether it comes from its weights; and what to do about it."""
    first = anatomy.nans[0]
    if first == CLASSES:
        return "no layer gives any, what is done with the last one does", _MEND
    part = module.get_submodule(real_names(module).get(first, first))
    weights = [(name, each) for name, each in (*part.named_parameters(), *part.named_buffers()) if each.is_floating_point()]
    broken = next((name for name, each in weights if not bool(each.isfinite().all())), None)
    why = "though its weights are finite" if broken is None else f"its {broken} is not finite"
    return f"'{first}' is the first layer that gives it, {why}", _MEND if broken is None else "take a checkpoint from before"

"""What a network answers with, as far as it can be trusted: class scores that are clear, numbers that are numbers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from reverie.errors import UsageError, choice
from reverie.networks.inspection.anatomy import Anatomy, measuring_norms
from reverie.networks.inspection.failures import CannotTake
from reverie.networks.inspection.layer_names import LayerName
from reverie.networks.inspection.readings import Reading
from reverie.networks.inspection.wrappers import real_names
from reverie.target import CLASSES


def check_answers(anatomy: Anatomy, module: nn.Module, names: Sequence[str]) -> None:
    """Raise UsageError where what is wanted is no class scores beyond doubt, or no number."""
    if CLASSES in names:
        clear_reading(anatomy)
    broken = [name for name in names if LayerName.parse(name, anatomy.calls).module in anatomy.nans]
    if broken:
        what = "the class scores are" if broken[0] == CLASSES else f"layer '{broken[0]}' is"
        raise UsageError(f"{what} NaN: {_first_nan(anatomy, module)}", "take a checkpoint from before")


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
        found.append(f"{name} gives NaN: {_first_nan(anatomy, module)}")
    if anatomy.habits.mixes:
        measuring = measuring_norms(module)
        why = f" (norm '{measuring[0]}' measures the batch)" if measuring else ""
        found.append(f"what {name} says of a picture depends on those beside it{why}: each is looked at by itself")
    return found


def _first_nan(anatomy: Anatomy, module: nn.Module) -> str:
    """Which layer is the first that gives NaN, and whether its weights do."""
    first = anatomy.nans[0]
    if first == CLASSES:
        return "no layer gives any, what is done with the last one does"
    part = module.get_submodule(real_names(module).get(first, first))
    broken = [name for name, each in (*part.named_parameters(), *part.named_buffers()) if bool(each.isnan().any())]
    why = f"its {broken[0]} holds NaN" if broken else "though its weights hold none"
    return f"'{first}' is the first layer that gives it, {why}"

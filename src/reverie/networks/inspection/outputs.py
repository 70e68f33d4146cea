"""What a network gives at its end: one tensor; or a tuple, a dictionary or a data class of them; and which of it is the class scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from reverie.errors import UsageError, choice

_USUAL = ("logits", "out")  # names that class scores have
_LISTED = 8  # outputs that a message lists


def class_scores(output: Any, name: str | None = None, count: int | None = None) -> Tensor:
    """The class scores (N, K) in an output: the entry `name`, else `logits`, else `out`, else the only (N, K) tensor.

    Scores for every place of a picture (N, K, H, W) are averaged over them; (N,) is a network of one class. Of one picture the first
    side may be missing.

    Args:
        name: of an entry, as `named` has it; empty for an output that is one tensor.
        count: N; without it what the tensor says.

    Raises:
        UsageError: there is none, or more than one to choose from, or it has not a row for each picture.
    """
    found = named(output)
    chosen = found[name] if name in found else found[which(output, name, count)]
    rows = with_rows(chosen, count)
    if rows is None:
        raise unclear(found)
    return rows.flatten(2).mean(2) if rows.dim() > 2 else rows.view(len(rows), -1)


def which(output: Any, name: str | None = None, count: int | None = None, shown: Any = None, labels: int = 0) -> str:
    """The name of the class scores among the tensors of an output for `count` pictures.

    Args:
        shown: an output of the same kind that messages list instead.
        labels: how many classes have a name: of several that it could be it is the one with as many.

    Raises:
        UsageError: it is not clear.
    """
    found = named(output)
    listed = found if shown is None else named(shown)
    if name is not None:
        name = name if name in found else _at_place(output, name)
        if name not in found:
            raise UsageError(f"this network has no output '{name}'", _has(listed))
        if not _is_scores(found[name], count, dims=(1, 2, 3, 4, 5)):
            raise UsageError(f"output '{name}' is no class scores: {_shape(found[name])}", f"they have a row a picture; {_has(listed)}")
        return name
    usual = [each for each in _USUAL if each in found] or (list(found) if len(found) == 1 else [])
    for each in usual:
        if _is_scores(found[each], count, dims=(1, 2, 4)):
            return each
    flat_ones = [each for each, tensor in found.items() if _is_scores(tensor, count, dims=(2,))]
    if len(flat_ones) > 1:
        flat_ones = [each for each in flat_ones if found[each].shape[1] == labels]
    if len(flat_ones) != 1:
        raise unclear(listed, labels)
    return flat_ones[0]


def _at_place(output: Any, name: str) -> str:
    """What stands at a place that is said as a number, of an output whose entries have names."""
    entries = [each for each, _ in _entries(output)]
    return entries[int(name)] if name.isdecimal() and len(name) < 5 and int(name) < len(entries) else name


def with_rows(scores: Tensor, count: int | None) -> Tensor | None:
    """(N, K, …) or (N,), with the first side that was taken away from a single picture; None where N is not `count`."""
    if count == 1 and scores.shape[:1] != (1,):
        scores = scores[None]
    return scores if scores.dim() and count in (None, len(scores)) else None


def _is_scores(tensor: Tensor, count: int | None, dims: tuple[int, ...]) -> bool:
    rows = tensor if tensor.dim() in dims or count != 1 else tensor[None]
    return rows.dim() in dims and rows.is_floating_point() and count in (None, len(rows)) and rows.numel() > 0


def named(output: Any, before: str = "") -> dict[str, Tensor]:
    """Every tensor of an output by name: keys, fields, places from 0 on, with dots between; one tensor alone has the empty name."""
    if isinstance(output, Tensor):
        return {before: output}
    found: dict[str, Tensor] = {}
    for name, each in _entries(output):
        found |= named(each, f"{before}.{name}" if before else name)
    return found


def _entries(output: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(output, Mapping):
        yield from ((str(name), each) for name, each in output.items())
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        yield from zip(output._fields, output, strict=True)
    elif isinstance(output, (tuple, list)):
        yield from ((str(place), each) for place, each in enumerate(output))
    elif is_dataclass(output) and not isinstance(output, type):
        yield from ((field.name, getattr(output, field.name)) for field in fields(output))
    elif hasattr(output, "__dict__") and not isinstance(output, type):
        yield from ((name, each) for name, each in vars(output).items() if isinstance(each, Tensor))


def _has(found: Mapping[str, Tensor]) -> str:
    if not found:
        return "it gives no tensor"
    if list(found) == [""]:
        return f"its output is {_shape(found[''])}"
    told = [f"{name}: {_shape(tensor)}" for name, tensor in found.items()]
    return "its outputs are " + ", ".join([*told[:_LISTED], *(["…"] if len(told) > _LISTED else [])])


def _shape(tensor: Tensor) -> str:
    """`(N, 10)`; what has no first side has no N."""
    sides = ["N", *map(str, tensor.shape[1:])] if tensor.dim() else []
    kind = "" if tensor.is_floating_point() else f" of {str(tensor.dtype).removeprefix('torch.')}"
    return f"({', '.join(sides)}{',' * (len(sides) == 1)}){kind}"


def unclear(found: Mapping[str, Tensor], labels: int = 0) -> UsageError:
    """That none of these outputs is the class scores beyond doubt."""
    fault = f"it is not clear which output of this network is the class scores: {_has(found)}"
    if list(found) in ([], [""]):
        return UsageError(fault, "name a layer instead of a class, or wrap it in a module that gives a row of scores for each picture")
    likely = [name for name, tensor in found.items() if tensor.dim() == 2 and tensor.is_floating_point()]
    likely = [name for name in likely if found[name].shape[1] == labels] or likely
    told = [choice("scores", name if name.isdecimal() else f"'{name}'") + f" ({found[name].shape[1]} classes)" for name in likely[:_LISTED]]
    return UsageError(fault, f"say which: {' or '.join(told) or choice('scores', 'NAME')}")


def flat(output: Any) -> Tensor:
    """All tensors of an output, end to end, as float32; empty where it has none."""
    return torch.cat([torch.zeros(0), *(each.float().flatten() for each in tensors(output))])


def tensors(output: Any) -> Iterator[Tensor]:
    """Every tensor of a nest of tuples, lists, dictionaries and data classes."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for each in output.values():
            yield from tensors(each)
    elif isinstance(output, (tuple, list)):
        for each in output:
            yield from tensors(each)
    elif is_dataclass(output) and not isinstance(output, type):
        for field in fields(output):
            yield from tensors(getattr(output, field.name))

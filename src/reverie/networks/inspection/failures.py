"""The one place where what a network raises is caught, told apart from a machine that has no memory left.

The one says something of the network: of which size it is, what of it can be folded. The other says something of the moment, and must not
change what a network is taken for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import ReverieError, UsageError, first_line

# what PyTorch says where no more memory is to be had: on a CPU with a plain RuntimeError
_NO_MEMORY = ("allocate memory", "DefaultCPUAllocator", "bad_alloc", "out of memory", "ALLOC_FAILED")


class CannotTake(UsageError):
    """A network cannot take a picture, or cannot be run as it was changed.

    Attributes:
        said: what it raised, in one line.
        layer: the innermost part that was running; empty for the network itself.
    """

    def __init__(self, fault: str, remedy: str = "", *, said: str = "", layer: str = "") -> None:
        super().__init__(fault, remedy)
        self.said, self.layer = said or fault, layer

    def mended(self, remedy: str) -> CannotTake:
        """The same, with another remedy."""
        return CannotTake(self._written[0], remedy, said=self.said, layer=self.layer)


@contextmanager
def taking_a_picture(module: nn.Module | None = None, pictures: Any = None) -> Iterator[None]:
    """Inside, a network is run on pictures (N, C, H, W), or on something else in their place, that it may not be able to take.

    Raises:
        CannotTake: it cannot, whatever it raised. Errors of our own come through, and so does that no memory is left.
    """
    try:
        yield
    except ReverieError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        said, layer = _said(error), "" if module is None else _where(error, module)
        who = "the network" if module is None else type(module).__name__
        sized = isinstance(pictures, Tensor) and pictures.dim() > 1
        what = f"a picture of {pictures.shape[-1]}×{pictures.shape[-2]}" if sized else "a picture"
        inside = f" (in layer '{layer}')" if layer else ""
        shape = ", ".join(map(str, pictures.shape)) if sized else "1, 3, 224, 224"
        remedy = f"see what it takes by itself: module.eval()(torch.rand({shape}))"
        raise CannotTake(f"{who} cannot take {what}: {said}{inside}", remedy, said=said, layer=layer) from error


@contextmanager
def of_native_size(module: nn.Module, pictures: Tensor, size: tuple[int, int]) -> Iterator[None]:
    """As `taking_a_picture`; what is raised at pictures of another size than the native (height, width) says that it is another."""
    try:
        with taking_a_picture(module, pictures):
            yield
    except CannotTake as error:
        raise (error if tuple(pictures.shape[2:]) == size else error.mended(f"give pictures of {size[1]}×{size[0]}")) from error.__cause__


def run(module: nn.Module, pictures: Any, *, graded: bool = False) -> Any:
    """What a network gives for pictures (N, C, H, W), or for something else in their place.

    Args:
        graded: it asks for gradients in its own forward, and gets them whatever the mode.

    Raises:
        CannotTake: see `taking_a_picture`.
    """
    with taking_a_picture(module, pictures):
        if not graded:
            return module(pictures)
        with torch.enable_grad():
            return module(pictures if pictures.requires_grad else pictures.detach().requires_grad_(True))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that no memory is left, on whichever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(each in str(error) for each in _NO_MEMORY)


def _said(error: Exception) -> str:
    """One line; of an error that says little by itself with its kind."""
    line = first_line(error)
    return line if len(line.split()) > 2 or line == type(error).__name__ else f"{type(error).__name__}: {line}"


def _where(error: Exception, module: nn.Module) -> str:
    """The innermost part that was running: the frames on the way to where an error was raised know it, so no pass has to be watched."""
    names = {id(part): name for name, part in module.named_modules()}
    found, trace = "", error.__traceback__
    while trace is not None:
        found = names.get(id(trace.tb_frame.f_locals.get("self")), found)
        trace = trace.tb_next
    return found

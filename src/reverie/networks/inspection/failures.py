"""What a network raises at a picture that it cannot take, told apart from a machine that has no memory left.

The one says something of the network: of which size it is, what of it can be folded. The other says something of the moment, and must not
change what a network is taken for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from reverie.errors import first_line

# nobody writes down what a network raises at a picture of a size or kind that it cannot take
_RAISED = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError)
# what PyTorch says where no more memory is to be had: on a CPU with a plain RuntimeError
_NO_MEMORY = ("allocate memory", "DefaultCPUAllocator", "bad_alloc", "out of memory", "ALLOC_FAILED")


class CannotTake(Exception):
    """A network cannot take a picture, or cannot be run as it was changed. `str` of it is the first line of what the network said."""


@contextmanager
def taking_a_picture() -> Iterator[None]:
    """Inside, a network is run on a picture that it may not be able to take.

    Raises:
        CannotTake: it cannot. Whatever else it raised comes through, and so does that no memory is left.
    """
    try:
        yield
    except _RAISED as error:
        if is_out_of_memory(error):
            raise
        raise CannotTake(first_line(error)) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that no memory is left, on whichever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(each in str(error) for each in _NO_MEMORY)

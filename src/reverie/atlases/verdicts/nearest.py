"""Which pictures of a data set are nearest to others: by the angle between their embeddings, exactly, block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reverie.atlases.verdicts.paths import unit_length

COUNT = 6  # pictures that are near
_BLOCK = 8192  # pictures at once

Halves = NDArray[np.float16]


def nearest(asked: NDArray[np.float32], embedding: Halves, numbers: NDArray[np.int32], count: int = COUNT) -> list[list[tuple[int, float]]]:
    """For each of (q, D) the numbers of its nearest pictures with their cosines, the nearest first; of equals the lower number.

    The mean of the data set is taken off all of them first: what all pictures share tells none from another.

    Args:
        embedding: (n, D), of the data set. numbers: (n,), of its pictures.
    """
    middle = np.zeros(embedding.shape[1], np.float64)
    for first in range(0, len(embedding), _BLOCK):
        middle += embedding[first : first + _BLOCK].astype(np.float64).sum(0)
    mean = (middle / max(1, len(embedding))).astype(np.float32)
    ways = unit_length(asked - mean)  # (q, D)
    found, at = np.empty((len(asked), 0), np.float32), np.empty((len(asked), 0), np.int64)
    for first in range(0, len(embedding), _BLOCK):
        block = unit_length(embedding[first : first + _BLOCK].astype(np.float32) - mean)
        found = np.concatenate([found, ways @ block.T], 1)
        at = np.concatenate([at, np.broadcast_to(numbers[first : first + _BLOCK], (len(asked), len(block)))], 1)
        order = np.lexsort((at, -found), axis=1)[:, :count]
        found, at = np.take_along_axis(found, order, 1), np.take_along_axis(at, order, 1)
    return [[(int(number), round(float(cosine), 4)) for number, cosine in zip(*each, strict=True)] for each in zip(at, found, strict=True)]

"""What of a layer's wires is told of each unit: the strongest that lead to it, and those that lead from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SHOWN = 8  # units at the other end
FAR = 4  # activation functions between two layers, beyond which weights alone no longer say what feeds what


def end(layer: str, strengths: NDArray[np.float32], activations: int) -> dict[str, Any] | None:
    """What is told of one end of a unit: the units there whose wires are strongest, and the share that they are of all.

    Args:
        layer: at the other end. strengths: (C,) of the wires to its channels, with their signs. activations: how many lie between.

    Returns:
        None where no wire leads there.
    """
    sizes = np.abs(strengths.astype(np.float64))
    if not np.isfinite(sizes).all() or sizes.max(initial=0.0) <= 0:
        return None
    order = np.argsort(-sizes, kind="stable")[:SHOWN]
    units = [[int(each), round(float(strengths[each]) / float(sizes.max()), 4)] for each in order if sizes[each] > 0]
    return {"layer": layer, "units": units, "share": round(float(sizes[order].sum() / sizes.sum()), 4), "activations": activations}

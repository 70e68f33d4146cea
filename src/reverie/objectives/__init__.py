"""How a target is judged on activations. Never sees a network: it is handed tensors, and told the number of a class."""

from reverie.objectives.excite import Judge, excite
from reverie.objectives.match import caricature, direction, diverse, guide, rebuild, relative_error
from reverie.objectives.penalties import Penalty, penalty
from reverie.objectives.table import TABLE, Entry, Material, check, entry

__all__ = [
    "TABLE", "Entry", "Judge", "Material", "Penalty", "caricature", "check", "direction", "diverse", "entry", "excite", "guide", "penalty",
    "rebuild", "relative_error",
]  # fmt: skip

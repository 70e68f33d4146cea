"""How a target is judged on activations. Never sees a network: it is handed tensors, and told the number of a class."""

from reverie.objectives.excite import Judge, excite
from reverie.objectives.match import caricature, direction, diverse, guide
from reverie.objectives.penalties import Penalty, penalty

__all__ = ["Judge", "Penalty", "caricature", "direction", "diverse", "excite", "guide", "penalty"]

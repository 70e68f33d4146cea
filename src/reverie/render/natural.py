"""Pictures drawn to photographs: by what a network remembers of its own, or by statistics of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from reverie.ascent import Transform
from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.networks.norm_statistics import Statistics, remembered
from reverie.objectives.natural import beside, distance
from reverie.recipe import OWN
from reverie.render.bound_objectives import PlacedJudge
from reverie.render.target_checks import layers_of
from reverie.target import CLASSES, Target

NONE: Statistics = {}


def check_natural(networks: Sequence[Network], targets: Sequence[Target], objective: str) -> None:
    """Raise UsageError where a network remembers nothing, up to its target, that a picture could be drawn to."""
    if objective == OWN:
        raise UsageError(f"{choice('natural')} beside an objective of one's own", "leave it out")
    for net, target in zip(networks, targets, strict=True):
        layers = layers_of(target)
        if not remembered(net, layers):
            why = "no batch norm that runs once, over places, and remembers its training pictures comes before the end of the target"
            raise UsageError(f"{choice('natural')} with {net.name}: {why}", _remedy(networks, deeper=CLASSES not in layers))


def _remedy(networks: Sequence[Network], deeper: bool) -> str:
    others = f"say what usual pictures are: imagine or feature {choice('usual', 'FOLDER')}; or " if len(networks) == 1 else ""
    return f"{others}leave it out, or name {'a deeper layer or ' if deeper else ''}another network"


def statistics_for(weight: float, network: Network, wanted: Sequence[str], given: Statistics = NONE) -> Statistics:
    """What a picture is drawn to, by layer: those that were given, or what the network remembers; nothing where the weight is 0.

    Args:
        wanted: layers (or CLASSES) that the targets are judged by.
    """
    return (given or remembered(network, wanted)) if weight else NONE


def drawn_to(usual: Statistics, weight: float, judge: PlacedJudge) -> PlacedJudge:
    """The same judge, whose gradient also leads to pictures that are together as usual ones are."""
    if not usual:
        return judge

    def score(activations: Mapping[str, Tensor], pictures: Tensor, transform: Transform) -> Tensor:
        scores = judge(activations, pictures, transform)  # (N,)
        return beside(scores, distance(activations, usual, still=scores.detach() == 0), weight)  # dead ones stay dead

    return score

"""What the tests of the ascent share: pictures to begin with, the score of a target, an ascent run to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from reverie.ascent import ClimbSettings, Progress, Score, climb, octave_sizes
from reverie.networks import Network
from reverie.recipe import Ascent, Batch, FileInput, Machine, NetworkUsed, NoiseInput, Recipe, VectorInput, of_command
from reverie.render import Inputs, scorers
from reverie.target import parse

MACHINE = Machine(reverie="0.1.0", torch="2.13.0", device="cpu", threads=1, precision="float32")
ONE = Ascent(octaves=1, steps=3, jitter=0, strength=0.02, smoothing=0, tone="free")
BARE = ONE.model_copy(update={"vivid": 1.0})  # the bare gradient


def pictures(count: int = 1, side: int = 16, low: float = 0.2, high: float = 0.8, seed: int = 6, width: int | None = None) -> Tensor:
    print(f"seed {seed}")
    return low + (high - low) * torch.rand(count, 3, side, width or side, generator=drawn(seed))


def nothing(x: Tensor, _: object) -> Tensor:
    """A score that asks for nothing."""
    return (x * 0).sum((1, 2, 3))


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(
    start: Tensor, score: Score, settings: ClimbSettings | Ascent, seeds: tuple[int, ...] = (0,), generators: Any = None
) -> list[Progress]:
    """Every state of an ascent."""
    settings = ClimbSettings(ascent=settings) if isinstance(settings, Ascent) else settings
    sizes = octave_sizes(start.shape[2], start.shape[3], settings.ascent)
    return list(climb(start, score, settings, sizes, generators or [drawn(seed) for seed in seeds]))


def recipe_for(
    targets: Sequence[str], networks: Sequence[Network], objective: Any = "excite", kind: Any = "each", **choices: Any
) -> Recipe:
    """The least that a recipe for these targets, one a picture, can be. With two networks the targets may be for one each: `a | b`."""
    parts = [each.split(" | ") for each in targets]
    firsts = tuple(parse(part[0]) for part in parts)
    inputs: list[Any] = [NoiseInput(noise="white")]
    if objective in ("guide", "rebuild"):
        inputs.append(FileInput(role="guide", sha256="0" * 64, width=1, height=1))
    if objective == "direction":
        inputs.append(VectorInput(sha256="0" * 64, channels=1))
    own = [parse(parts[0][number]) if 0 < number < len(parts[0]) else None for number in range(len(networks))]
    if objective == "rebuild":
        choices = {"command": "see", **of_command("see")._asdict(), **choices}
    return Recipe(
        networks=tuple(NetworkUsed(name=each.name, sha256=each.sha256, target=want) for each, want in zip(networks, own, strict=True)),
        inputs=tuple(inputs), target=firsts[0], objective=objective, width=16, height=16, machine=MACHINE,
        batch=Batch(kind=kind, targets=firsts) if len(firsts) > 1 else None, **choices,
    )  # fmt: skip


def scoring(
    target: str | Sequence[str],
    *networks: Network,
    start: Tensor | None = None,
    guide: Tensor | None = None,
    direction: Tensor | None = None,
    objective: str = "excite",
    kind: str = "each",
) -> tuple[Score, Score]:
    """The score of a target, or of one for each picture, as `render` makes it, and its soft twin."""
    targets = [target] if isinstance(target, str) else list(target)
    inputs = Inputs(torch.zeros(1, 3, 16, 16) if start is None else start, guide, direction)
    scores = scorers(recipe_for(targets, networks, objective, kind), networks, inputs)
    assert scores.soft is not None
    return scores.score, scores.soft

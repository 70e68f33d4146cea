"""Dreamt films: each frame begins with what the last dream added, carried along with the film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie.motion.optical_flow import Carried, Frame, Numbers, carried, flow_threads, warped
from reverie.networks import Network
from reverie.pictures import in_channels
from reverie.recipe import Ascent, Film, Recipe
from reverie.render import Dreamer


class Cinema:
    """Dreams the frames of a film.

    What is carried from frame to frame is not the last dream but what it added to its own frame. So the film itself stays as sharp as it
    is, an object that moves away takes its dream along, and what it uncovers begins as the film has it.

    Args:
        recipe: of a film; its ascent is that of the first frame of each scene.
        networks: as the recipe names them.
    """

    def __init__(self, recipe: Recipe, networks: Sequence[Network]) -> None:
        assert recipe.film is not None
        self.recipe, self.film = recipe, recipe.film
        self.dreamer = Dreamer(recipe, networks)
        self.following = following(recipe.ascent, recipe.film)

    def make(self, number: int, source: Frame, last: Frame | None = None, dream: Tensor | None = None) -> Tensor:
        """A dreamt frame, (C, H, W) in 0..1.

        Args:
            number: of the frame, counted from 0.
            source: the film's frame (H, W, 3), at the recipe's size.
            last, dream: the frame before it, and its dream (C, H, W) in 0..1; None for the first.
        """
        begin, ascent = self._picture(source), self.recipe.ascent
        if last is not None and dream is not None and self.film.steady > 0:
            with flow_threads(self.recipe.machine.threads):
                way = carried(source, last)
                if not way.cut:
                    begin, ascent = self._begun(begin, way, dream - self._picture(last)), self.following
        return self.dreamer(begin, f"frame {number}", ascent=ascent).pixels

    def _picture(self, frame: Frame) -> Tensor:
        pixels = torch.from_numpy(frame.astype(np.float32) / 255).permute(2, 0, 1)  # (3, H, W)
        return in_channels(pixels, self.recipe.channels)  # (C, H, W)

    def _begun(self, source: Tensor, way: Carried, added: Tensor) -> Tensor:
        """The frame with what was added to the last one laid over it, in the light and the contrast of the frame."""
        moved = warped(np.ascontiguousarray(added.permute(1, 2, 0).numpy()), way.flow).reshape(*source.shape[1:], -1)  # (H, W, C)
        laid = source + torch.from_numpy(self.film.steady * way.trust[..., None] * moved).permute(2, 0, 1)  # (C, H, W)
        mean, spread = source.mean((1, 2), keepdim=True), _spread(source)
        gain = spread / _spread(laid).clamp_min(1e-3)
        return ((laid - laid.mean((1, 2), keepdim=True)) * gain + mean).clamp(0, 1)


def following(ascent: Ascent, film: Film) -> Ascent:
    """How a frame is dreamt on that begins with the last dream: the less of it is carried, the more is done anew."""

    def between(few: int, all_of_them: int) -> int:
        few = min(few, all_of_them)
        return few + int((1 - film.steady) * (all_of_them - few))

    return ascent.model_copy(
        update={"octaves": between(film.carried_octaves, ascent.octaves), "steps": between(film.carried_steps, ascent.steps)}
    )


def flicker(frames: Sequence[Frame], flows: Sequence[Numbers], seen: Sequence[np.ndarray[Any, Any]]) -> float:
    """Mean change, in levels of 255, between each frame (H, W, 3) and the one before carried onto it; NaN where none counts.

    Args:
        flows: of each frame, as `Carried` has them; the first is not looked at.
        seen: (H, W) of bool: where what is in the frame was to be seen in the one before; frames without such places do not count.
    """
    changes = []
    for number in range(1, len(frames)):
        if seen[number].any():
            before = warped(frames[number - 1].astype(np.float32), flows[number])
            changes.append(float(np.abs(before - frames[number]).mean(2)[seen[number]].mean()))
    return float(np.mean(changes)) if changes else float("nan")


def _spread(picture: Tensor) -> Tensor:
    return (picture - picture.mean((1, 2), keepdim=True)).square().mean((1, 2), keepdim=True).sqrt()  # (C, 1, 1)

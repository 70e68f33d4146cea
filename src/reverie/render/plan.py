"""From recipe to pictures: the only room that puts canvas, network, objective and ascent together."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from reverie.ascent import ClimbSettings, Progress, added, climb, kept_memory, octave_sizes
from reverie.canvas import keep_colour
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.pictures import Picture, banded, in_memory, resample, resize
from reverie.recipe import NoiseInput, Recipe, Stopped
from reverie.render.noise import drawn, generator, purposes, threads
from reverie.render.opinions import opinions
from reverie.render.scores import Inputs, penalised, scorers, takeable
from reverie.render.tiling import WHOLE, Estimate, estimated, largest_in_memory, roomy, tiling_of
from reverie.store import Kept
from reverie.target import brief

MOST_FRAMES = 100  # pictures from along the way
_STRIP = 480  # pixels of height of those of a large picture
_SAMPLE = (720, 1280)  # of the part by which time is estimated

Watcher = Callable[[Progress], object]  # sees every step; a true answer stops


@dataclass(frozen=True)
class Plan:
    """Pictures about to be made together: their recipe, their networks, open, and what goes in, at the size of the result.

    Attributes:
        recipe: of the first picture that is wanted.
        networks: as the recipe names them.
        start: of a dream; of a picture from noise the noise of the first that is wanted.
        wanted: which pictures of the batch are given back.
        guide, mask, direction: inputs of the recipe by these names.
        kept: files that are kept in the cache by their hash, once the making begins.
        notes: what the user should know of the plan.
    """

    recipe: Recipe
    networks: tuple[Network, ...]
    start: Picture
    wanted: tuple[int, ...] = (0,)
    guide: Tensor | None = None
    mask: Tensor | None = None
    direction: Tensor | None = None
    kept: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def network(self) -> Network:
        """The first of them."""
        return self.networks[0]

    def recipes(self) -> list[Recipe]:
        """Of each picture that is wanted."""
        batch = self.recipe.batch
        if batch is None:
            return [self.recipe]
        return [
            self.recipe.model_copy(update={"target": batch.targets[index], "batch": batch.model_copy(update={"index": index})})
            for index in self.wanted
        ]

    def make(self, watcher: Watcher | None = None, making: int = 0) -> Picture:
        """Make the one that is wanted, or the first of them: see `make_all`."""
        return self.make_all(watcher, making)[0]

    def make_all(self, watcher: Watcher | None = None, making: int = 0) -> list[Picture]:
        """Make them.

        Args:
            watcher: is shown every step; if it answers with something true, the pictures are finished as they are, marked as partial.
            making: so many pictures from along the way are kept in `Picture.making`.
        """
        if not 0 <= making <= MOST_FRAMES:
            raise UsageError(f"--making {making}", f"it is a number from 0 to {MOST_FRAMES}")
        began = time.monotonic()
        recipe = self.recipe
        kept = Kept().put_all(self.kept)
        tiling = tiling_of(recipe, self.network)
        held = kept_memory() if roomy(recipe) else nullcontext()
        with threads(recipe.machine.threads), held, in_memory(largest_in_memory(recipe)):
            start = self._starts() if tiling else self._starts().to(self.network.device)  # (N, C, H, W)
            score, soft, smallest = scorers(recipe, self.networks, Inputs(start, self.guide, self.direction))
            sizes = octave_sizes(recipe.height, recipe.width, recipe.ascent, smallest)
            sizes = sizes if tiling else takeable(score, start, sizes)
            skipped = recipe.ascent.octaves - len(sizes)
            settings = ClimbSettings(
                recipe.canvas, recipe.ascent, recipe.transforms, grown=recipe.command != "dream", penalty=penalised(recipe), soft=soft,
                matching=recipe.objective == "rebuild", tiles=tiling, device=self.network.device,
                mask=None if self.mask is None else self.mask[None, None].to(start.device),
            )  # fmt: skip
            last: Progress | None = None
            alive = torch.zeros(len(start), dtype=torch.bool)
            soft_steps = torch.zeros(len(start), dtype=torch.long)
            frames: list[list[Tensor]] = []
            for last in climb(start, score, settings, sizes, [generator(recipe.seed, each) for each in purposes(recipe)]):
                made = (last.octave - 1 + last.step / last.steps) / last.octaves  # share of the steps, whatever their size
                while len(frames) < making - 1 and made >= (len(frames) + 1) / making:
                    frames.append([_shown(each) for each in self._finished(last, start)])
                if not settings.matching and not torch.isfinite(last.score).all():  # one who matches takes such a step back
                    raise UsageError(f"the score of '{brief(str(recipe.target))}' is no finite number", "give its terms smaller weights")
                alive |= last.alive.cpu()
                soft_steps += last.soft.cpu()
                here = Stopped(octave=last.octave, step=last.step)
                if recipe.stopped == here:
                    break
                if watcher is not None and watcher(last) and last.done < 1:
                    recipe = recipe.model_copy(update={"stopped": here})
                    break
            if last is None:
                raise AssertionError("an ascent has at least one step")
            finished = self._finished(last, start)
            recipes = [each.model_copy(update={"stopped": recipe.stopped}) for each in self.recipes()]
            if recipe.command == "imagine":
                said = opinions(finished, recipes, self.network)
                recipes = [each.model_copy(update={"opinions": what}) for each, what in zip(recipes, said, strict=True)]
        were = "is too small for this target and was" if skipped == 1 else "are too small for this target and were"
        notes: tuple[str, ...] = (f"{skipped} of {recipe.ascent.octaves} octaves {were} skipped",) if skipped else ()
        seconds = (time.monotonic() - began) / len(start)
        opacity = _opacity(last, recipe) if recipe.tiles is None or recipe.finish.opacity else [None] * len(start)
        return [
            replace(
                self.start,
                pixels=finished[place],
                alpha=opacity[index] if recipe.finish.opacity else self.start.alpha,
                opacity=opacity[index],
                recipe=recipes[place],
                content=b"",
                sha256="",
                notes=(
                    *self.notes,
                    *self.start.notes,
                    *notes,
                    *kept,
                    *_stirred(recipes[place], bool(alive[index]), int(soft_steps[index])),
                ),
                alive=bool(alive[index]),
                score=float(last.score[index]),
                seconds=seconds,
                making=(*(frame[place] for frame in frames), _shown(finished[place])) if making else (),
            )
            for place, index in enumerate(self.wanted)
        ]

    def _starts(self) -> Tensor:
        """(N, C, H, W): where each picture of the batch begins."""
        recipe, used = self.recipe, self.recipe.input("start")
        if recipe.command == "dream" or not isinstance(used, NoiseInput):
            return self.start.pixels[None]
        return torch.stack([drawn(recipe, purpose).pixels for purpose in purposes(recipe)])

    def _finished(self, state: Progress, start: Tensor) -> list[Tensor]:
        """The pictures that are wanted as they are at this state of an ascent: each (C, H, W), on the CPU, at the size of the result."""
        pictures, finish = state.pictures, self.recipe.finish
        if pictures.shape != start.shape:
            if self.recipe.command == "dream":
                more = added(pictures, resize(start, *pictures.shape[2:]), *start.shape[2:])
                pictures = banded(torch.add, start, more, out=more)
            else:
                pictures = resize(pictures, *start.shape[2:])

        def finished(dream: Tensor, own: Tensor, mask: Tensor | None = None) -> Tensor:
            dream = dream.clamp(0, 1)
            if finish.keep_colour:
                dream = keep_colour(dream, own)
            if finish.mix:
                dream = torch.lerp(dream, own, finish.mix)
            return dream if mask is None else torch.where(mask == 0, own, dream)

        masks = () if self.mask is None else (self.mask,)
        return [banded(finished, pictures[index].cpu(), start[index].cpu(), *masks) for index in self.wanted]

    def estimate(self) -> Estimate:
        """What making it will take, from a measurement on a small part of it that takes some seconds."""
        height, width = (min(each, side) for each, side in zip(self.start.size, _SAMPLE, strict=True))
        ascent = self.recipe.ascent.model_copy(update={"octaves": 1, "steps": 4})
        sample = self.recipe.model_copy(update={"height": height, "width": width, "ascent": ascent, "tiles": None, "stopped": None})
        times: list[float] = []
        start = replace(self.start, pixels=self.start.pixels[:, :height, :width].clone(), alpha=None)
        part = replace(self, recipe=sample, start=start, mask=None, kept=())
        part.make(lambda _: times.append(time.monotonic()))
        steps = [after - before for before, after in pairwise(times)]
        return estimated(self.recipe, self.network, min(steps) / (height * width))


def _shown(picture: Tensor) -> Tensor:
    """(C, H, W) no larger than a strip of pictures needs it, where it is very large."""
    height, width = picture.shape[1:]
    return picture if height * width <= WHOLE else resize(picture, _STRIP, max(1, round(width * _STRIP / height)))


def _stirred(recipe: Recipe, alive: bool, soft_steps: int) -> tuple[str, ...]:
    """Notes on a start that was dead, or nearly."""
    if not alive:
        if recipe.command == "dream":
            return (f"nothing in this picture moves '{recipe.target}': its gradient is zero, and the result is the start",)
        return (f"'{recipe.target}' never fired, whatever was shown to it",)
    if soft_steps:
        return (f"the start left '{recipe.target}' dead: {soft_steps} steps were led softly through units that do not fire",)
    return ()


def _opacity(state: Progress, recipe: Recipe) -> list[Tensor | None]:
    """Where the gradient went: for each picture (H, W) in 0..1, smooth, 1 where it went most."""
    size = (recipe.height, recipe.width)
    coarse = _smoothly(state.changed, max(1, size[0] // 8), max(1, size[1] // 8))
    full = resample(coarse, *size) if recipe.tiles else _smoothly(coarse, *size)  # (N, 1, H, W)
    return [_stretched(each[0].cpu()) for each in full]


def _stretched(values: Tensor) -> Tensor:
    """(H, W) of any range → 0..1, from what a twentieth are below to what a twentieth are above."""
    flat = values.flatten()
    low, high = flat[:: max(1, len(flat) // 65536)].clamp_min(0).quantile(torch.tensor([0.05, 0.95])).tolist()
    return banded(lambda band: ((band.clamp_min(0) - low) / max(high - low, 1e-6)).clamp_(0, 1), values)


def _smoothly(values: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) of any range at another size, without overshoot."""
    return torch.nn.functional.interpolate(values, (height, width), mode="bilinear", antialias=True, align_corners=False)

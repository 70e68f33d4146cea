"""From recipe to pictures: the only room that puts canvas, network, objective and ascent together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reverie.ascent import Progress, Way, added, climb, kept_memory, octave_sizes
from reverie.canvas import keep_colour
from reverie.errors import OutputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture, resize
from reverie.recipe import NoiseInput, Recipe, Stopped
from reverie.render.opinions import opinions
from reverie.render.scores import Inputs, penalised, scorers, takeable
from reverie.render.starts import drawn, generator, purposes, threads
from reverie.store import Kept
from reverie.target import brief

MOST_FRAMES = 100  # pictures from along the way

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
        kept = self._keep()
        with threads(recipe.machine.threads), kept_memory():
            start = self._starts().to(self.network.device)  # (N, 3, H, W)
            score, soft, smallest = scorers(recipe, self.networks, Inputs(start, self.guide, self.direction))
            sizes = takeable(score, start, octave_sizes(recipe.height, recipe.width, recipe.ascent, smallest))
            skipped = recipe.ascent.octaves - len(sizes)
            way = Way(
                recipe.canvas, recipe.ascent, recipe.transforms, grown=recipe.command != "dream", penalty=penalised(recipe), soft=soft,
                matching=recipe.objective == "rebuild",
                mask=None if self.mask is None else self.mask[None, None].to(start.device),
            )  # fmt: skip
            last: Progress | None = None
            alive = torch.zeros(len(start), dtype=torch.bool)
            soft_steps = torch.zeros(len(start), dtype=torch.long)
            frames: list[list[Tensor]] = []
            for last in climb(start, score, way, sizes, [generator(recipe.seed, each) for each in purposes(recipe)]):
                made = (last.octave - 1 + last.step / last.steps) / last.octaves  # share of the steps, whatever their size
                while len(frames) < making - 1 and made >= (len(frames) + 1) / making:
                    frames.append(self._finished(last, start))
                if not way.matching and not torch.isfinite(last.score).all():  # one who matches takes such a step back
                    raise UsageError(f"the score of '{brief(recipe.target)}' is no finite number", "give its terms smaller weights")
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
        opacity = _opacity(last, recipe)
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
                making=(*(frame[place] for frame in frames), finished[place]) if making else (),
            )
            for place, index in enumerate(self.wanted)
        ]

    def _starts(self) -> Tensor:
        """(N, 3, H, W): where each picture of the batch begins."""
        recipe, used = self.recipe, self.recipe.input("start")
        if recipe.command == "dream" or not isinstance(used, NoiseInput):
            return self.start.pixels[None]
        return torch.stack([drawn(recipe, purpose).pixels for purpose in purposes(recipe)])

    def _keep(self) -> tuple[str, ...]:
        """Keep what went in; a note where that fails, which is no reason not to dream."""
        try:
            for content in self.kept:
                Kept().put(content)
        except OutputError as error:
            return (f"what went in is not kept for `redo`, which will need --start: {error.fault}",)
        return ()

    def _finished(self, state: Progress, start: Tensor) -> list[Tensor]:
        """The pictures that are wanted as they are at this state of an ascent: each (3, H, W), on the CPU, at the size of the result."""
        pictures, finish = state.pictures, self.recipe.finish
        if pictures.shape != start.shape:
            if self.recipe.command == "dream":
                pictures = start + added(pictures, resize(start, *pictures.shape[2:]), *start.shape[2:])
            else:
                pictures = resize(pictures, *start.shape[2:])
        results = []
        for index in self.wanted:
            pixels, own = pictures[index].clamp(0, 1).cpu(), start[index].cpu()
            if finish.keep_colour:
                pixels = keep_colour(pixels, own)
            if finish.mix:
                pixels = torch.lerp(pixels, own, finish.mix)
            results.append(pixels if self.mask is None else torch.where(self.mask == 0, own, pixels))
        return results


def _stirred(recipe: Recipe, alive: bool, soft_steps: int) -> tuple[str, ...]:
    """Notes on a start that was dead, or nearly."""
    if not alive:
        if recipe.command == "dream":
            return (f"nothing in this picture moves '{recipe.target}': its gradient is zero, and the result is the start",)
        return (f"'{recipe.target}' never fired, whatever was shown to it",)
    if soft_steps:
        return (f"the start left '{recipe.target}' dead: {soft_steps} steps were led softly through units that do not fire",)
    return ()


def _opacity(state: Progress, recipe: Recipe) -> list[Tensor]:
    """Where the gradient went: for each picture (H, W) in 0..1, smooth, 1 where it went most."""
    size = (recipe.height, recipe.width)
    coarse = _smoothly(state.changed, max(1, size[0] // 8), max(1, size[1] // 8))
    smooth = _smoothly(coarse, *size).clamp_min(0)[:, 0].cpu()  # (N, H, W)
    flat = smooth.flatten(1)
    low, high = (flat[:, :: max(1, flat.shape[1] // 65536)].quantile(each, dim=1).view(-1, 1, 1) for each in (0.05, 0.95))
    return list(((smooth - low) / (high - low).clamp_min(1e-6)).clamp(0, 1))


def _smoothly(values: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) of any range at another size, without overshoot."""
    return torch.nn.functional.interpolate(values, (height, width), mode="bilinear", antialias=True, align_corners=False)

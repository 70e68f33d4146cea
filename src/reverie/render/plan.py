"""A plan: pictures about to be made together, and the making. It climbs, finishes, asks for opinions, and says what is to be known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

import torch
from torch import Tensor

from reverie.ascent import IDENTITY, ClimbSettings, Progress, Tiling, climb, kept_memory, octave_sizes
from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.networks.known_parts import KnownParts
from reverie.networks.norm_statistics import Statistics
from reverie.pictures import MadePicture, Picture, in_memory, resize, rounded
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import OWN, NoiseInput, Recipe, Stopped
from reverie.render.batch_memory import bytes_per_pixel
from reverie.render.bound_objectives import Inputs
from reverie.render.class_words import notes_on
from reverie.render.finishing import finished, for_strip, note_on_dead, note_on_maps, note_on_skipped, opacities, sobered
from reverie.render.natural import statistics_for
from reverie.render.noise import drawn, generator, purposes, threads
from reverie.render.own_objective import Objective, PictureScore, own_layers, scores_of_activations, scores_of_pictures
from reverie.render.own_views import EXCITING, Best, on_faint, own_views
from reverie.render.provenance import is_built_in
from reverie.render.scores import Scores, drawn_from, penalised, scorers, takeable
from reverie.render.second_opinions import opinions
from reverie.render.tiling import Estimate, estimated, largest_in_memory, roomy, tiling_of
from reverie.store import Kept
from reverie.target import CLASSES, Target, brief

MOST_FRAMES = 100  # pictures from along the way
_SAMPLE = (720, 1280)  # of the part by which time is estimated

Watcher = Callable[[Progress], object]  # sees every step; a true answer stops


@dataclass(frozen=True, repr=False)
class Climbed:
    """What a climb came to.

    Attributes:
        last: its last state.
        alive: (N,), whether a picture ever had a gradient.
        soft_steps: (N,), how many of its steps were found only by going softly through dead units.
        frames: the pictures that are wanted, at some states from along the way, each (C, H, W).
        stopped: where it stopped early.
        skipped: octaves that were too small for the network.
        as_it_is: (N,), the scores of the finished pictures, of features of networks of one's own.
    """

    last: Progress
    alive: Tensor
    soft_steps: Tensor
    frames: list[list[Tensor]]
    stopped: Stopped | None
    skipped: int
    as_it_is: Tensor | None = None


@dataclass(frozen=True, repr=False)
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
        objective: a function of one's own, from what layers see, by name, to a score (N,) for each picture, where the recipe says so.
        score: the same from pictures (N, C, H, W) in 0..1 as they are shown, of a plan without networks.
        usual: what layers give for usual pictures, of a picture that is drawn to them and not to what its network remembers.
        sober: tells where the network knows what it sees, of a dream that goes only as far as it still does.
        best: how strongly usual pictures excite the units that are asked for, by network; nothing where there are none.
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
    objective: Objective | None = None
    score: PictureScore | None = None
    usual: Statistics = field(default_factory=dict)
    sober: KnownParts | None = None
    best: tuple[Best, ...] = ()

    def __repr__(self) -> str:
        recipe = self.recipe
        return f"Plan({recipe.command}, {brief(str(recipe.target))}, {len(self.wanted)} of {recipe.width}×{recipe.height})"

    @property
    def network(self) -> Network:
        """The first of them."""
        return self.networks[0]

    @property
    def device(self) -> torch.device:
        """Where it is made."""
        return self.networks[0].device if self.networks else torch.device(self.recipe.machine.device)

    @property
    def _weighs(self) -> bool:
        """Whether the mask says where layers count, and not where the picture may change."""
        return self.recipe.command == "feature"

    def recipes(self) -> list[Recipe]:
        """Of each picture that is wanted."""
        batch = self.recipe.batch
        if batch is None:
            return [self.recipe]
        return [
            self.recipe.model_copy(update={"target": batch.targets[index], "batch": batch.model_copy(update={"index": index})})
            for index in self.wanted
        ]

    def make(self, watcher: Watcher | None = None, making: int = 0) -> MadePicture:
        """Make the one that is wanted, or the first of them: see `make_all`."""
        return self.make_all(watcher, making)[0]

    def make_all(self, watcher: Watcher | None = None, making: int = 0) -> list[MadePicture]:
        """Make them.

        Args:
            watcher: is shown every step; if it answers with something true, the pictures are finished as they are, marked as partial.
            making: so many pictures from along the way are kept in `Picture.making`.
        """
        if not 0 <= making <= MOST_FRAMES:
            raise UsageError(choice("making", making), f"it is a number from 0 to {MOST_FRAMES}")
        began = time.monotonic()
        notes = Kept().put_all(self.kept)
        with self._resources():
            start = self._starts()  # (N, C, H, W)
            climbed = self._climb(start, watcher, making)
            pixels = self._finished(climbed.last, start)
            if self.sober is not None:
                pixels, more = sobered(pixels, start, self.sober)
                notes = (*more, *notes)
            recipes = self._recipes_of(pixels, climbed.stopped)
            frames = [*climbed.frames, [for_strip(each) for each in pixels]] if making else []
            seconds = (time.monotonic() - began) / len(start)
            notes = (*note_on_skipped(climbed.skipped, self.recipe.ascent.octaves), *note_on_maps(self.recipe, self.networks), *notes)
            return self._pictures(pixels, recipes, frames, climbed, notes, seconds)

    def estimate(self) -> Estimate:
        """What making all of its batch will take, from a measurement on a small part of it that takes some seconds."""
        count = self.recipe.together
        height, width = (min(each, int(side / count**0.5)) for each, side in zip(self.start.size, _SAMPLE, strict=True))
        ascent = self.recipe.ascent.model_copy(update={"octaves": 1, "steps": 4})
        sample = self.recipe.model_copy(update={"height": height, "width": width, "ascent": ascent, "tiles": None, "stopped": None})
        times: list[float] = []
        start = replace(self.start, pixels=self.start.pixels[:, :height, :width].clone(), alpha=None)
        part = replace(self, recipe=sample, start=start, mask=None, sober=None, kept=())
        with part._resources():
            part._climb(part._starts(), lambda _: times.append(time.monotonic()), 0)
            steps = [after - before for before, after in pairwise(times)]
            return estimated(self.recipe, self._tiling, part._bytes_per_pixel(), median(steps) / (height * width))

    def _bytes_per_pixel(self) -> float:
        """What a pass keeps for its gradient."""
        layers = list(self.recipe.target.layers())
        if self.objective is not None:
            layers = list(own_layers(self.objective, self.networks, self._starts()))
        wanted, natural = layers or [CLASSES], self.recipe.penalties.natural
        return sum(bytes_per_pixel(each, wanted, statistics_for(natural, each, wanted, self.usual)) for each in self.networks)

    @property
    def _tiling(self) -> Tiling | None:
        return tiling_of(self.recipe, self.network) if self.networks else None

    @contextmanager
    def _resources(self) -> Iterator[None]:
        """Inside, threads and memory as the recipe has them, and torch as it is by itself."""
        held = kept_memory() if roomy(self.recipe) else nullcontext()
        with ordinary_modes(), threads(self.recipe.machine.threads), held, in_memory(largest_in_memory(self.recipe)):
            yield

    def _starts(self) -> Tensor:
        """(N, C, H, W): where each picture of the batch begins, on the network's device unless it is made in tiles."""
        recipe, used = self.recipe, self.recipe.input("start")
        if recipe.command == "dream" or not isinstance(used, NoiseInput):
            starts = self.start.pixels[None]
        else:
            starts = torch.stack([drawn(recipe, purpose).pixels for purpose in purposes(recipe)])
        return starts if recipe.tiles else starts.to(self.device)

    def _scores(self, start: Tensor) -> Scores:
        """What is climbed."""
        if (self.objective is not None or self.score is not None) != (self.recipe.objective == OWN):
            raise UsageError("an objective of one's own and its recipe do not fit", f"a recipe says '{OWN}' of it, and of nothing else")
        if self.score is not None:
            found = scores_of_pictures(self.score, start)
        elif self.objective is not None:
            found = scores_of_activations(self.objective, self.networks, start)
        else:
            mask = self.mask if self._weighs else None
            found = scorers(self.recipe, self.networks, Inputs(start, self.guide, self.direction, mask, self.usual))
        return drawn_from(found, self.recipe.seed, " | ".join(purposes(self.recipe)))

    def _climb(self, start: Tensor, watcher: Watcher | None, making: int) -> Climbed:
        """All steps, or those up to where the recipe or the watcher stops."""
        recipe, scores = self.recipe, self._scores(start)
        sizes = octave_sizes(recipe.height, recipe.width, recipe.ascent, scores.smallest)
        sizes = sizes if recipe.tiles else takeable(scores.attempt, start, sizes)
        settings = ClimbSettings(
            recipe.canvas, recipe.ascent, recipe.transforms, grown=recipe.command != "dream", penalty=penalised(recipe), soft=scores.soft,
            matching=recipe.objective == "rebuild", tiles=self._tiling, device=self.device,
            bounded=any(used.mean is not None for used in recipe.networks),  # of networks of one's own
            mask=None if self.mask is None or self._weighs else self.mask[None, None].to(start.device),
        )  # fmt: skip
        alive = torch.zeros(len(start), dtype=torch.bool)
        soft_steps = torch.zeros(len(start), dtype=torch.long)
        frames: list[list[Tensor]] = []
        scored: list[Tensor] = []  # (N,) each
        stopped = recipe.stopped
        for last in climb(start, scores.score, settings, sizes, [generator(recipe.seed, each) for each in purposes(recipe)]):
            made = (last.octave - 1 + last.step / last.steps) / last.octaves  # share of the steps, whatever their size
            while len(frames) < making - 1 and made >= (len(frames) + 1) / making:
                frames.append([for_strip(each) for each in self._finished(last, start)])
            if not settings.matching:  # one who matches takes a step without a finite score back
                self._check_finite(last.score)
            alive |= last.alive.cpu()
            scored.append(last.score)
            soft_steps += last.soft.cpu()
            here = Stopped(octave=last.octave, step=last.step)
            if recipe.stopped == here:
                break
            if watcher is not None and watcher(last) and last.done < 1:
                stopped = here
                break
        if recipe.penalties.natural and len(scored) > 1:  # whose gradient is not that of the target alone
            alive &= torch.stack(scored).diff(dim=0).ne(0).any(0).cpu()
        as_it_is = None
        if recipe.command == "feature" and recipe.objective in EXCITING and not all(map(is_built_in, self.networks)):
            with torch.no_grad():
                as_it_is = scores.score(rounded(resize(last.pictures.clamp(0, 1), *start.shape[2:])), IDENTITY).cpu()
        return Climbed(last, alive, soft_steps, frames, stopped, recipe.ascent.octaves - len(sizes), as_it_is)

    def _check_finite(self, scores: Tensor) -> None:
        if torch.isfinite(scores).all():
            return
        if self.recipe.objective == OWN:
            raise UsageError("an objective of one's own gave a score that is no finite number", "it gives a finite one for any picture")
        raise UsageError(f"the score of '{brief(str(self.recipe.target))}' is no finite number", "give its terms smaller weights")

    def _finished(self, state: Progress, start: Tensor) -> list[Tensor]:
        """The pictures that are wanted as they are at this state: each (C, H, W)."""
        return finished(state, start, self.recipe, None if self._weighs else self.mask, self.wanted)

    def _recipes_of(self, pixels: Sequence[Tensor], stopped: Stopped | None) -> list[Recipe]:
        """Of the pictures that were made, with what other networks say of them; of what stopped early they are not asked."""
        recipes = [each.model_copy(update={"stopped": stopped}) for each in self.recipes()]
        if self.recipe.command != "imagine" or stopped is not None:
            return recipes
        said = opinions(pixels, recipes, self.network)
        return [each.model_copy(update={"opinions": what}) for each, what in zip(recipes, said, strict=True)]

    def _on_words(self, target: Target) -> tuple[str, ...]:
        return notes_on([target], self.network) if self.networks and self.objective is None else ()

    def _pictures(
        self,
        pixels: Sequence[Tensor],
        recipes: Sequence[Recipe],
        frames: Sequence[Sequence[Tensor]],
        climbed: Climbed,
        notes: tuple[str, ...],
        seconds: float,
    ) -> list[MadePicture]:
        opacity = opacities(climbed.last, self.recipe)
        own: list[tuple[str, ...]] = [()] * len(pixels)
        if climbed.stopped is None:  # a part is not yet what it is to become
            own = own_views(pixels, recipes, self.networks, self.best)
        if climbed.stopped is None and (as_it_is := climbed.as_it_is) is not None:
            reached = [(float(climbed.last.score[index]), float(as_it_is[index])) for index in self.wanted]
            own = [said or on_faint(each.target, *both) for said, each, both in zip(own, recipes, reached, strict=True)]
        pictures = []
        for place, index in enumerate(self.wanted):
            alive, soft_steps = bool(climbed.alive[index]), int(climbed.soft_steps[index])
            picture = MadePicture(
                pixels=pixels[place],
                alpha=opacity[index] if self.recipe.finish.opacity else self.start.alpha,
                opacity=opacity[index],
                dpi=self.start.dpi if (dots := self.recipe.finish.dpi) is None else (dots, dots),
                recipe=recipes[place],
                notes=(
                    *self.notes,
                    *self._on_words(recipes[place].target),
                    *self.start.notes,
                    *notes,
                    *note_on_dead(recipes[place], alive, soft_steps),
                    *(own[place] if alive else ()),
                ),
                alive=alive,
                score=float(climbed.last.score[index]),
                seconds=seconds,
                making=tuple(frame[place] for frame in frames),
            )
            pictures.append(picture)
        return pictures

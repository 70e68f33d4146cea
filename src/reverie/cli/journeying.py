"""The command that begins a journey, and what all films have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.console import Line, line, print_json, remark, say
from reverie.cli.info import check_readable
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.cli.outputs import fitting, speakable
from reverie.errors import Interrupted, UsageError
from reverie.recipe import MAX_PIXELS, PRESETS, Ascent, Journey, Penalties, Transforms
from reverie.store import expanded

if TYPE_CHECKING:
    from reverie.motion.footage import Footage
    from reverie.networks import Network
    from reverie.recipe import Recipe
    from reverie.work import Progress


@flags.with_fields("journey", Journey, Ascent, Transforms, Penalties, without=("ring",))
@with_network(several=True)
def journey_command(
    start: Annotated[str, typer.Argument(metavar="START", help="A picture, or noise:white|grey|pink.", show_default=False)],
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET…]", help="Of a --ring: targets or levels, or NETWORK/TARGET.", show_default=False)
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="What to climb: blocks.4.1, blocks.4.1:12, class:banana, sums of them.", metavar="T"),
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", "-l", help="edges, textures, patterns, parts, objects or scenes.", metavar="L")
    ] = None,
    preset: Annotated[str | None, typer.Option("--preset", "-p", help="Named choices: " + ", ".join(PRESETS) + ".", metavar="P")] = None,
    ring: Annotated[
        bool, typer.Option("--ring", help="The TARGETs take turns, each dreaming on what the last one saw.", show_default=False)
    ] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length of the film, instead of --frames.", metavar="X")] = None,
    width: Annotated[int | None, typer.Option("--width", help="Bring the start to this width, its shape kept.", metavar="W")] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Of noise: a side, or width x height; without it 640x360.", metavar="N|WxH")
    ] = None,
    preview: Annotated[
        int, typer.Option("--preview", help="Put every N-th frame into NAME-preview while it goes, to be looked at.", metavar="N")
    ] = 0,
    keep_frames: Annotated[bool, typer.Option("--keep-frames", help="Leave NAME.work: a longer journey goes on from its frames.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Ctrl-C leaves a film of what there is.")] = False,
    seed: flags.Seed = 0,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="NAME.mp4, .webm or .gif, or a folder for the frames alone.", metavar="PATH")
    ] = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    no_keep: flags.NoKeep = False,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """A film without end: dream on START, move it a little, dream again."""
    wanted = flags.sides(size)
    if targets and not ring:
        raise UsageError(f"targets after the start: {' '.join(targets)[:80]}", "say --ring to hand it round them, or --target for one")
    if ring and not targets:
        raise UsageError("a ring without targets", "name them after the start: reverie journey START parts objects --ring")
    if not start.startswith("noise:"):
        check_readable(start)
    from reverie import api

    setting = api.plan_journey(
        start, target, level=level, preset=preset, ring=targets or (), network=network.several(device, quiet), width=width,
        size=wanted, seconds=seconds, seed=seed, device=device, threads=threads, keep=not no_keep, max_pixels=max_pixels, **choices,
    )  # fmt: skip
    place = expanded(output) if output is not None else Path(_name(start, setting.recipe))
    setting.ready(place, force=force, preview=preview)
    with line(quiet) as shown:
        shown.begin("dreaming")
        made = setting.make(
            place, force=force, keep_frames=keep_frames, partial=partial, with_recipe=not no_recipe, preview=preview,
            progress=lambda done: shown_done(shown, done), tell=remark,
        )  # fmt: skip
    return tell(made, setting.frames, partial, json)


def moving_again(
    film: Path, command: str, start: str | None, own: list[Network], device: str | None, threads: int | None, output: Path | None,
    force: bool, no_recipe: bool, max_pixels: int, json: bool, quiet: bool,
) -> int:  # fmt: skip
    """`reverie redo` of a journey or a dreamt film."""
    from reverie import api

    plan = api.plan_journey_again if command == "journey" else api.plan_film_again
    setting = plan(film, start=start, network=own, device=device, threads=threads, max_pixels=max_pixels)
    name = film.with_name(film.parent.name if film.suffix.lower() == ".png" else film.name)  # of a folder of frames, or a film
    place = expanded(output) if output is not None else Path(f"{fitting(name.stem, 20)}-redo{name.suffix}")
    setting.ready(place, force=force)
    with line(quiet) as shown:
        shown.begin("dreaming")
        made = setting.make(place, force=force, with_recipe=not no_recipe, progress=lambda done: shown_done(shown, done), tell=remark)
    return tell(made, setting.frames, False, json)


def shown_done(shown: Line, progress: Progress) -> bool:
    """Draw how far it is; whether it was interrupted."""
    return shown.told(progress.done, progress.doing)


def tell(made: Footage, frames: int, partial: bool, json: bool) -> int:
    """Print what was made; Interrupted where it was stopped."""
    if made.finished or partial:
        if json:
            recipe = None if made.recipe is None else made.recipe.model_dump(mode="json")
            print_json([{"path": str(made.path), "recipe": recipe, "seconds": round(made.seconds, 3), "score": None}])
        else:
            say(str(made.path))
    if not made.finished:
        raise Interrupted(f"stopped early: {made.frames} of {frames} frames are kept", "the same command goes on")
    return 0


def _name(start: str, recipe: Recipe) -> str:
    """A name made from the start, target and seed."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    rounds = "-ring" if recipe.journey is not None and recipe.journey.ring else ""
    ending = f"-{speakable(str(recipe.target))}{rounds}-{recipe.seed}.mp4"
    return fitting(stem, len(ending) + 16) + ending

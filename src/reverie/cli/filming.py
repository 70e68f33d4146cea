"""The command that dreams films."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.console import line, remark
from reverie.cli.info import check_readable
from reverie.cli.journeying import shown_done, tell
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.cli.outputs import fitting, speakable
from reverie.recipe import MAX_PIXELS, MOST_FRAMES, PRESETS, Ascent, Film, Penalties, Transforms
from reverie.store import expanded


@flags.with_fields("film", Film, Ascent, Transforms, Penalties, without=("frames",))
@with_network(several=True)
def film_command(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A film: MP4, MOV, WebM, MKV, AVI, GIF …", show_default=False)],
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="What to climb: blocks.4.1, blocks.4.1:12, class:banana, sums of them.", metavar="T"),
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", "-l", help="edges, textures, patterns, parts, objects or scenes.", metavar="L")
    ] = None,
    preset: Annotated[str | None, typer.Option("--preset", "-p", help="Named choices: " + ", ".join(PRESETS) + ".", metavar="P")] = None,
    width: Annotated[
        int | None, typer.Option("--width", help="Bring the film to this width, its shape kept; without it at most 1280.", metavar="W")
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", help="Dream only so many frames, from the first on.", metavar="N", min=1, max=MOST_FRAMES)
    ] = None,
    preview: Annotated[
        int, typer.Option("--preview", help="Put every N-th frame into NAME-preview while it goes, to be looked at.", metavar="N")
    ] = 0,
    keep_frames: Annotated[bool, typer.Option("--keep-frames", help="Leave NAME.work with the frames.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Ctrl-C leaves a film of what there is.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a film of which only a part can be read.")] = False,
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
    """A dreamt film, steady from frame to frame, with its sound."""
    check_readable(video, "film")
    from reverie import api

    setting = api.plan_film(
        video, target, level=level, preset=preset, network=network.several(device, quiet), width=width, frames=frames,
        seed=seed, device=device, threads=threads, keep=not no_keep, strict=strict, max_pixels=max_pixels, **choices,
    )  # fmt: skip
    ending = f"-{speakable(str(setting.recipe.target))}-{setting.recipe.seed}.mp4"
    place = expanded(output) if output is not None else Path(fitting(Path(video).stem, len(ending) + 16) + ending)
    setting.ready(place, force=force, preview=preview)
    with line(quiet) as shown:
        shown.begin("dreaming")
        made = setting.make(
            place, force=force, keep_frames=keep_frames, partial=partial, with_recipe=not no_recipe, preview=preview,
            progress=lambda done: shown_done(shown, done), tell=remark,
        )  # fmt: skip
    return tell(made, setting.frames, partial, json)

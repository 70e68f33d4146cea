"""The command see: a folder with a page, its figures and its pictures, written anew as layers are done."""

from __future__ import annotations

import json as json_module
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.console import line, print_json, remark, say
from reverie.cli.info import check_readable
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.cli.outputs import speakable
from reverie.errors import Interrupted, OutputError
from reverie.recipe import MAX_PIXELS
from reverie.store import check_place, expanded, is_folder, made_folder, write_whole

if TYPE_CHECKING:
    from reverie.insight import Sight

PAGE, FIGURES = "index.html", "see.json"
AGAIN = 30.0  # seconds after which the page is written anew: that takes a second or two


@with_network()
def see_command(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture to look at.", show_default=False)],
    layers: Annotated[
        list[str] | None, typer.Option("--layers", help="Look at these alone; without it at every block.", metavar="LAYER[,LAYER…]")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="What counted for this label instead of the first.", metavar="LABEL")] = None,
    channels: Annotated[int, typer.Option("--channels", help="How many of each layer are shown, 0 to 4.", metavar="N")] = 4,
    usual: Annotated[
        str | None, typer.Option("--usual", help="A folder of pictures that are usual, to tell what is not.", metavar="FOLDER")
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", help="Look at it at this width; without it about the network's own size.", metavar="W")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Steps of each rebuilding; without it by the layer's depth.", metavar="N")
    ] = None,
    shown: Annotated[
        str | None,
        typer.Option("--shown", help="Of many channels: which are looked at as red, green and blue, or one, in grey.", metavar="N,N,N"),
    ] = None,
    seed: flags.Seed = 0,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A folder for the page; without it one named after the picture.", metavar="PATH"),
    ] = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    no_keep: flags.NoKeep = False,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
) -> int:
    """What each layer, lowest to highest, made of a picture: one page."""
    check_readable(picture)
    place = expanded(output) if output is not None else Path(f"{speakable(expanded(picture).stem)}-seen")
    _check(place, force)
    from reverie.api import plan_see

    named = None if layers is None else [name.strip() for each in layers for name in each.split(",")]
    looking = plan_see(
        picture, layers=named, why=why, channels=channels, usual=usual, width=width, steps=steps, shown=shown or (), seed=seed,
        network=network.one(device, quiet), device=device, threads=threads, max_pixels=max_pixels, keep=not no_keep,
    )  # fmt: skip
    made_folder(place)
    for note in looking.sight.notes:
        remark(note)
    sight = looking.sight
    written: dict[str, str] = {}
    with line(quiet) as told:
        told.begin("looking")
        try:
            due = 0.0
            for sight in looking.layers(lambda progress: told.told(progress.done, progress.doing)):
                _save(sight, place, written, not no_recipe)
                if time.monotonic() >= due:
                    _write(sight, place)
                    due = time.monotonic() + AGAIN
        finally:
            _write(sight, place)
    if json:
        answer = {"path": str(place / PAGE), "recipe": None, "seconds": round(sight.seconds, 3), "score": None}
        print_json([{**answer, **sight.as_data(written)}])
    else:
        say(str(place / PAGE))
    if len(sight.layers) < sight.expected:
        raise Interrupted("stopped early", f"the page has {len(sight.layers)} of {sight.expected} layers")
    return 0


def _check(place: Path, force: bool) -> None:
    """Raise OutputError now where the folder is there already, or cannot be made."""
    there = os.path.lexists(place)  # unlike `place.exists`, no name is too long for it, and a link that leads nowhere is there
    if there and not is_folder(place):
        raise OutputError(f"'{place}' is not a folder", "give the name of one with -o")
    if there and not force:
        raise OutputError(f"the folder '{place}' exists already", "give --force to write into it, or another name with -o")
    check_place(place / PAGE if there else place)


def _save(sight: Sight, place: Path, written: dict[str, str], with_recipe: bool) -> None:
    """The pictures that are not there yet."""
    for name, each in sight.pictures().items():
        if name not in written:
            written[name] = str(place / name)
            each.save(place / name, force=True, with_recipe=with_recipe)


def _write(sight: Sight, place: Path) -> None:
    """The page as far as it is, and its figures."""
    data: Any = sight.as_data()
    write_whole(place / FIGURES, json_module.dumps(data, ensure_ascii=False, indent=1).encode(), replace=True)
    write_whole(place / PAGE, sight.page().encode(), replace=True)

"""What was made, made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from reverie.album import read_recipe
from reverie.api.filming import plan_film_again
from reverie.api.journeying import plan_journey_again
from reverie.api.replanning import plan_again
from reverie.api.setting import Watch
from reverie.errors import UsageError
from reverie.motion.footage import Footage
from reverie.networks import Network
from reverie.pictures import Picture
from reverie.recipe import MAX_PIXELS
from reverie.render import Watcher
from reverie.store import expanded


@overload
def redo(
    picture: str | Path, output: None = None, *, force: bool = False, start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None, device: str | None = None, threads: int | None = None,
    progress: Watcher | None = None, max_pixels: int = MAX_PIXELS,
) -> Picture: ...  # fmt: skip


@overload
def redo(
    picture: str | Path, output: str | Path, *, force: bool = False, start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None, device: str | None = None, threads: int | None = None,
    progress: Watch | None = None, max_pixels: int = MAX_PIXELS,
) -> Footage: ...  # fmt: skip


def redo(
    picture: str | Path,
    output: str | Path | None = None,
    *,
    force: bool = False,
    start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None,
    device: str | None = None,
    threads: int | None = None,
    progress: Any = None,
    max_pixels: int = MAX_PIXELS,
) -> Picture | Footage:
    """Make a picture, a journey or a dreamt film again from the recipe it carries.

    What went in is looked for by hash: in the cache, then beside the picture, then at `start`. On the same machine, device and thread
    count the same bytes come; elsewhere the same to the eye, and `notes` says which. A picture that was made in a batch is made in that
    batch again.

    Args:
        picture: a file with a recipe; of a journey or film in frames the folder's first.
        output: of a journey or film, where it goes: see `journey`. A picture is saved by its `save`.
        force: replace what is there.
        start: what went in, or a folder with all that went in, if it is neither in the cache nor beside the picture.
        network: one's own network, if it was made with one (or several); each is checked by the hash of its weights.
        device, threads: other than those of the recipe.
        progress: as in `dream`; of a journey or film as in `journey`.

    Raises:
        InputError: no recipe, a recipe that cannot be used, a start that cannot be found, or another network.
        UsageError: a film without an output. OutputError: as in `journey`.
    """
    made = read_recipe(expanded(picture))
    choices: dict[str, Any] = {"start": start, "network": network, "device": device, "threads": threads, "max_pixels": max_pixels}
    if made.journey is None and made.film is None:
        if output is not None:
            raise UsageError("an output for a picture", "save it: redo(…).save(…)")
        return plan_again(picture, **choices).make(progress)
    if output is None:
        raise UsageError(f"'{Path(picture).name}' is a {made.command}, which is written as it is made", "say where: redo(…, output)")
    setting = (plan_film_again if made.journey is None else plan_journey_again)(picture, **choices)
    return setting.make(output, force=force, progress=progress)

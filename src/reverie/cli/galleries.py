"""`reverie gallery FOLDER`: a page of every picture of a folder, and whether they are still what they were. Only scores need torch."""

from __future__ import annotations

import dataclasses
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from reverie.album import Album, sheet_at
from reverie.album.grid_listing import NAME as GRID
from reverie.cli.console import Counted, aside, line, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.outputs import named as named_beside
from reverie.cli.scoring import as_data, check_flags, score_all, tell
from reverie.errors import InputError, UsageError, choice, printable
from reverie.judging.galleries import GalleryFolder, Manifest, check_page, found_gallery, holds_its_gallery, verified
from reverie.judging.galleries.folder import STARS
from reverie.judging.galleries.known import counted
from reverie.judging.galleries.of_grid import SeenGrid, all_told, counted_files, damage_in, is_grid, named, never_fired
from reverie.judging.scores.table import ENOUGH
from reverie.recipe import Printing, Scoring, Verifying, Writing
from reverie.store import Destination, expanded

_TOLD = 5  # of what cannot be read, in words; the page has all


def gallery(call: Call) -> int:
    (given,) = call.subjects
    if not given:
        raise UsageError("a folder without a name", "give the name of a folder")
    folder, writing = expanded(given), call.of(Writing)
    place = _place(folder, writing)
    with_scores = call.of(Scoring).with_scores
    check_flags(call, with_scores)
    if call.of(Verifying).verify:
        if with_scores:
            raise UsageError(f"{choice('verify')} and {choice('with_scores')}", "give one of them: verifying writes nothing")
        return _verify(folder, place, call.of(Printing).as_json)
    made, begin = GalleryFolder(place, folder), time.monotonic()
    made.ready(writing.force)
    before, tampered = made.before(), made.tampered()
    with line(call.of(Printing).quiet, "picture") as shown, Album(folder) as album:
        shown.doing = "looking"

        def told(number: int, count: int) -> None:
            if shown(Counted(number, count, "pictures")):
                raise KeyboardInterrupt

        scored = None
        if with_scores:
            album.update(told)
            scored = score_all(call, album, shown)
        page = made.write(album, told)
    unreadable = [each.entry for each in made.pictures if each.entry.state == "unreadable"]
    assert made.manifest is not None
    if call.of(Printing).as_json:
        faults = [{"path": each.path, "fault": each.fault} for each in unreadable]
        faults += [{"path": path, "fault": why} for path, why in made.changes.faults.items()]
        row: dict[str, Any] = {"path": str(page), "recipe": None, "seconds": round(time.monotonic() - begin, 3), "score": None}
        faults += [{"path": GRID, "fault": made.damage}] if made.damage else []
        row |= {
            "pictures": len(made.pictures),
            "sheets": len(made.sheets),
            "grid": _as_data(made.grid),
            "list_sha256": made.manifest.list_sha256,
            "unreadable": faults,
        }
        print_json([row if scored is None else {**row, "scores": as_data(scored, made.pictures)}])
    else:
        say(str(page))
    if not call.of(Printing).quiet:
        by_us, _ = counted(made.pictures)
        said = all_told(made.grid, len(made.pictures), len(made.sheets), _TOLD)
        aside(f"{said}; {by_us:,} made by Reverie")
        if made.grid is not None and made.grid.missing:
            aside("         make the grid again by its own command: it makes what is missing")
        _tell_stars(made)
    if scored is not None and not call.of(Printing).quiet:
        tell(scored, made.pictures)
    if made.damage:
        remark(f"{made.damage}: nothing says whether all pictures of the grid are there")
    for each in unreadable[:_TOLD]:
        remark(f"'{each.path}' {each.fault}: it is in the gallery without a picture")
    if len(unreadable) > _TOLD:
        remark(f"{len(unreadable) - _TOLD:,} more cannot be read, and are in the gallery without a picture")
    for path, why in made.changes.faults.items():
        remark(f"'{path}': {why}")
    if tampered:
        remark(f"of the gallery that was there: {tampered}; what it listed is not known")
    if before is not None:
        _tell_since(before.pictures, made.manifest.pictures)
    return 0


def _place(folder: Path, writing: Writing) -> Path:
    """The folder that was named; that of the pictures, where it holds its gallery itself; or one called after it, in the working folder."""
    if writing.output is None and holds_its_gallery(folder):
        return folder
    if writing.output is None:
        return Path(named_beside(folder.resolve().name or "pictures", "-gallery"))
    found = Destination(writing.output, True, frozenset()).folder
    assert found is not None
    return found


def _as_data(grid: SeenGrid | None) -> dict[str, Any] | None:
    """What is there of a grid, for JSON."""
    if grid is None:
        return None
    return {
        "pictures": len(grid.listing.pictures), "there": len(grid.there), "sheets": len(grid.listing.sheets), "strange": list(grid.strange),
        "missing": [*grid.missing, *grid.missing_sheets], "never_fired": list(grid.never_fired),
    }  # fmt: skip


def _tell_stars(made: GalleryFolder) -> None:
    """What the stars beside the page came to."""
    if made.stars:
        of = f"{STARS}: {made.stars:,} picture{'s have' if made.stars != 1 else ' has'} stars"
        fitted = made.starred.fitted if made.starred is not None else None
        rest = f"no ranking is fitted to them: that takes {ENOUGH} with stars and scores, not all with the same number"
        aside(f"{of}; {'a ranking is fitted to them, which the page has' if fitted is not None else rest}")


def _tell_since(before: dict[str, str], now: dict[str, str]) -> None:
    """How the list differs from the one that it replaces, which could else be covered up by making it again."""
    parts = {
        "removed": len(before.keys() - now.keys()),
        "added": len(now.keys() - before.keys()),
        "changed": sum(1 for path in before.keys() & now.keys() if before[path] != now[path]),
    }
    if any(parts.values()):
        remark("since the gallery that was there: " + ", ".join(f"{count:,} {what}" for what, count in parts.items() if count))


def _as_listed(folder: Path, manifest: Manifest) -> str:
    """`24 pictures and 2 sheets are as they were listed`."""
    sheets = sum(sheet_at(folder / path) is not None for path in manifest.pictures)
    said = counted_files(len(manifest.pictures) - sheets, sheets)
    return f"{said} {'is as it was' if len(manifest.pictures) == 1 else 'are as they were'} listed"


def _tell_never(folder: Path) -> None:
    """Which pictures of a grid there never were, and so are none that were removed."""
    never = never_fired(folder)
    if never:
        aside(f"never fired, so that there is no picture of the grid: {named(never, _TOLD)}")


def _verify(folder: Path, place: Path, as_json: bool) -> int:
    at, pictures, manifest = found_gallery(folder, place)
    damage = damage_in(pictures)
    if damage:
        remark(f"{damage}: nothing says whether all pictures of the grid are there")
    found = verified(manifest, pictures)
    if as_json:
        rows = [dataclasses.asdict(each) for each in found]
        print_json([{name: value for name, value in row.items() if value is not None} for row in rows])
    for each in found if not as_json else ():
        say(f"{each.state:<9}" + printable(each.path if each.was is None else f"{each.was} → {each.path}"))
    if not found:
        check_page(manifest, at)
        if not as_json:
            say(f"{_as_listed(pictures, manifest)}, in '{os.path.normpath(pictures)}'; the list has sha256 {manifest.list_sha256}")
        _tell_never(pictures)
        return 0
    parts = ", ".join(f"{count:,} {state}" for state, count in sorted(Counter(each.state for each in found).items()))
    remark(f"'{pictures}' is not what its gallery lists: {parts}")
    if any(each.state == "removed" for each in found) and is_grid(pictures):
        aside("         what of a grid was never made counts as removed; its own command makes what is missing")
    else:
        aside("         make the gallery again to show what is there now")
    _tell_never(pictures)
    check_page(manifest, at)
    return InputError.exit_code

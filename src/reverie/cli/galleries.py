"""`reverie gallery FOLDER`: a page of every picture of a folder, and whether they are still what they were. Only scores need torch."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverie.album import Album
from reverie.cli.console import aside, line, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.outputs import named
from reverie.cli.scoring import as_data, check_flags, score_all, tell
from reverie.errors import InputError, UsageError, choice
from reverie.judging.galleries import GalleryFolder, found_gallery, holds_its_gallery, verified
from reverie.judging.galleries.known import counted
from reverie.recipe import Printing, Scoring, Verifying, Writing
from reverie.store import Destination, expanded

_TOLD = 5  # of what cannot be read, in words; the page has all


@dataclass(frozen=True)
class _Looked:
    """How far the looking is, for the line of progress."""

    number: int
    count: int

    @property
    def done(self) -> float:
        return self.number / max(self.count, 1)

    @property
    def doing(self) -> str:
        return f"{self.number:,} of {self.count:,} pictures"


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
    before = made.before()
    with line(call.of(Printing).quiet, "picture") as shown, Album(folder) as album:
        shown.doing = "looking"

        def told(number: int, count: int) -> None:
            if shown(_Looked(number, count)):
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
        row |= {"pictures": len(made.pictures), "list_sha256": made.manifest.list_sha256, "unreadable": faults}
        print_json([row if scored is None else {**row, "scores": as_data(scored, made.pictures)}])
    else:
        say(str(page))
    if not call.of(Printing).quiet:
        by_us, _ = counted(made.pictures)
        aside(f"{len(made.pictures):,} picture{'s' * (len(made.pictures) != 1)}, none left out; {by_us:,} made by Reverie")
    if scored is not None and not call.of(Printing).quiet:
        tell(scored, made.pictures)
    for each in unreadable[:_TOLD]:
        remark(f"'{each.path}' {each.fault}: it is in the gallery without a picture")
    if len(unreadable) > _TOLD:
        remark(f"{len(unreadable) - _TOLD:,} more cannot be read, and are in the gallery without a picture")
    for path, why in made.changes.faults.items():
        remark(f"'{path}': {why}")
    if before is not None:
        _tell_since(before.pictures, made.manifest.pictures)
    return 0


def _place(folder: Path, writing: Writing) -> Path:
    """The folder that was named; that of the pictures, where it holds its gallery itself; or one called after it, in the working folder."""
    if writing.output is None and holds_its_gallery(folder):
        return folder
    if writing.output is None:
        return Path(named(folder.resolve().name or "pictures", "-gallery"))
    found = Destination(writing.output, True, frozenset()).folder
    assert found is not None
    return found


def _tell_since(before: dict[str, str], now: dict[str, str]) -> None:
    """How the list differs from the one that it replaces, which could else be covered up by making it again."""
    parts = {
        "removed": len(before.keys() - now.keys()),
        "added": len(now.keys() - before.keys()),
        "changed": sum(1 for path in before.keys() & now.keys() if before[path] != now[path]),
    }
    if any(parts.values()):
        remark("since the gallery that was there: " + ", ".join(f"{count:,} {what}" for what, count in parts.items() if count))


def _verify(folder: Path, place: Path, as_json: bool) -> int:
    at, pictures, manifest = found_gallery(folder, place)
    found = verified(manifest, pictures, at)
    if as_json:
        rows = [dataclasses.asdict(each) for each in found]
        print_json([{name: value for name, value in row.items() if value is not None} for row in rows])
    for each in found if not as_json else ():
        say(f"{each.state:<9}{each.path}" if each.was is None else f"{each.state:<9}{each.was} → {each.path}")
    if not found:
        if not as_json:
            say(f"{len(manifest.pictures):,} pictures are as they were listed; the list has sha256 {manifest.list_sha256}")
        return 0
    parts = ", ".join(f"{count:,} {state}" for state, count in sorted(Counter(each.state for each in found).items()))
    remark(f"'{pictures}' is not what its gallery lists: {parts}")
    aside("         make the gallery again to show what is there now")
    return InputError.exit_code

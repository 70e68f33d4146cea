"""`reverie gallery FOLDER --scores`: the pictures that have none yet are scored, one after another, and each is kept at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.album import Album, Entry
from reverie.cli.console import Counted, Line, aside, remark
from reverie.cli.flags import Call
from reverie.errors import InputError, Interrupted, UnsafeError, UsageError, choice
from reverie.judging.galleries.known import Known
from reverie.judging.scores.kept import Scored, keep, kept
from reverie.recipe import Machinery, Own, Printing

if TYPE_CHECKING:
    from reverie.judging.scores.scoring import Scorer

_TOLD = 5  # pictures that cannot be scored, in words


@dataclass
class ScoredNow:
    """What was scored.

    Attributes:
        new: how many pictures were scored now; a file that is there twice is one.
        films: how many lie beside them, which have no scores.
        faults: why a picture could not be, by its path.
    """

    new: int = 0
    films: int = 0
    faults: dict[str, str] = field(default_factory=dict)


def check_flags(call: Call, scores: bool) -> None:
    """Raise UsageError where something is said of who looks at pictures, and nobody does."""
    own = [name for name in Own.model_fields if getattr(call.network.own, name) not in (None, False, ())]
    said = [*(["network"] if call.network.names else []), *own, *(name for name in call.given if name in Machinery.model_fields)]
    if said and not scores:
        raise UsageError(
            f"{choice(said[0])} without {choice('with_scores')}", f"give {choice('with_scores')}: a gallery alone needs no network"
        )


def score_all(call: Call, album: Album, shown: Line) -> ScoredNow:
    """Score every picture of an album that can be read and of which not all is kept.

    Raises:
        Interrupted: by the user, between two pictures; what was scored is kept.
    """
    once = {each.sha256: each for each in album.entries() if each.state == "picture" and not _is_sheet(each)}
    result, machinery = ScoredNow(films=album.count("film")), call.of(Machinery)
    scorer = _scorer(call, album)
    from reverie.files.limits import at_most_pixels
    from reverie.networks.read_once import reading_once
    from reverie.render import threads

    todo = [each for each in once.values() if (known := kept(each.sha256)) is None or not scorer.is_whole(known)]
    with reading_once(), threads(machinery.threads), at_most_pixels(machinery.max_pixels):
        shown.begin("scoring")
        if todo:
            scorer.observers()  # what is wrong with them is so for all pictures
        for number, (entry, found) in enumerate(_scored(scorer, album.folder, todo), 1):
            if isinstance(found, Scored):
                keep(entry.sha256, found)
                result.new += 1
            else:
                result.faults[entry.path] = found
            if shown(Counted(number, len(todo), "pictures")):
                raise Interrupted(
                    f"interrupted: {number:,} of {len(todo):,} pictures are scored", "what is scored is kept: the same again goes on"
                )
    return result


def tell(result: ScoredNow, pictures: Sequence[Known]) -> None:
    """How many have scores, and which have not, and why."""
    for path, why in list(result.faults.items())[:_TOLD]:
        remark(f"'{path}' cannot be scored: {why}")
    if len(result.faults) > _TOLD:
        remark(f"{len(result.faults) - _TOLD:,} more cannot be scored")
    aside(f"{_having(pictures):,} of {len(pictures):,} pictures have scores; {result.new:,} were computed now")
    states = {
        "it cannot be read": sum(each.entry.state == "unreadable" for each in pictures),
        "a film": result.films,
    }
    for why, count in states.items():
        if count:
            aside(f"  {count:,} without any score: {why}")
    alike: dict[tuple[str, int], list[str]] = {}
    for (name, why), count in reasons(pictures).items():
        alike.setdefault((why, count), []).append(name)
    for (why, count), names in alike.items():
        aside(f"  {count:,} without {', '.join(names)}: {why}")


def reasons(pictures: Sequence[Known]) -> Counter[tuple[str, str]]:
    """How many have not a score, by its name and why."""
    return Counter((name, why) for each in pictures for name, why in each.without.items())


def as_data(result: ScoredNow, pictures: Sequence[Known]) -> dict[str, Any]:
    """For JSON."""
    without = [{"score": name, "why": why, "pictures": count} for (name, why), count in reasons(pictures).items()]
    return {"pictures": _having(pictures), "new": result.new, "faults": result.faults, "without": without}


def _having(pictures: Sequence[Known]) -> int:
    return sum("naturalness" in each.scores for each in pictures)


def _is_sheet(entry: Entry) -> bool:
    return bool(entry.words) and not entry.recipe


def _scored(scorer: Scorer, folder: Path, todo: Sequence[Entry]) -> Iterator[tuple[Entry, Scored | str]]:
    """Each with its scores, or why it has none."""
    for each in todo:
        try:
            yield each, scorer.score(folder / each.path, each.read_recipe(), each.fault)
        except (InputError, UnsafeError) as error:
            yield each, error.fault
        except MemoryError:
            yield each, "it needs more memory than is free"


def _scorer(call: Call, album: Album) -> Scorer:
    from reverie.cli.public import networks_from
    from reverie.judging.scores.scoring import Scorer
    from reverie.networks import installed
    from reverie.networks.builtin.catalogue import CATALOGUE

    quiet, machinery = call.of(Printing).quiet, call.of(Machinery)
    meant: list[Any] = call.network.several(quiet) or list(installed())
    hashes = [CATALOGUE[each].sha256 if isinstance(each, str) else each.sha256 for each in meant]

    def in_folder(sha256: str) -> Path | None:
        found = album.find(sha256=sha256)
        return album.folder / found[0].path if found else None

    return Scorer(hashes, lambda: networks_from(meant, machinery.device, machinery.precision), in_folder)

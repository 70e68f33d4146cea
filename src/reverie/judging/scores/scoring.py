"""All scores of one picture: what it needs is looked for, what cannot be said is told with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from torch import Tensor

from reverie.errors import InputError, MissingExtra, ReverieError
from reverie.judging.observers import asked
from reverie.judging.scores.appearance import look
from reverie.judging.scores.company import SIBLINGS
from reverie.judging.scores.kept import Scored
from reverie.judging.scores.likeness import difference
from reverie.judging.scores.naturalness import natural
from reverie.judging.scores.rise import rise
from reverie.networks import Network, installed, open_network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.pictures import Picture, load
from reverie.recipe import NetworkUsed, NoiseInput, Recipe
from reverie.render.noise import drawn, purposes
from reverie.store import Kept

_STARTS = 4  # that stay in memory: pictures of a folder share theirs
_OF_TARGETS = ("rise", "strength among photographs")
_OF_STARTS = ("rise", "difference from its start")


class Scorer:
    """Scores pictures, one after another.

    Args:
        asked: hashes of the weights of the networks that say what they see.
        observers: opens these networks, all on one device; it is called once.
        others: looks for a start by its sha256 where it is not kept: in the folder.
    """

    def __init__(
        self, asked: Sequence[str], observers: Callable[[], Sequence[Network]], others: Callable[[str], Path | None] = lambda _sha256: None
    ) -> None:
        self.asked, self._others = tuple(sorted(asked)), others
        self.observers = cache(observers)
        self._opened: dict[str, Network] = {}
        self._start = lru_cache(maxsize=_STARTS)(lambda place: load(place, 3).pixels)

    def is_whole(self, scored: Scored) -> bool:
        """Whether nothing more could be said now than was found before."""
        missing = scored.missing
        if "start" in missing and self.place_of(missing["start"]) is not None:
            return False
        return scored.observers == self.asked and missing.get("network") not in installed()

    def place_of(self, sha256: str) -> Path | None:
        """Where a start is: in the cache, or in the folder; None where it is neither."""
        return Kept().find(sha256) or self._others(sha256)

    def score(self, place: Path, recipe: Recipe | None, fault: str = "") -> Scored:
        """All scores of a picture's file, 8 bits or more as it is, with the reasons of those that it has not.

        Args:
            fault: why its recipe cannot be used, if it carries such a one.

        Raises:
            InputError, UnsafeError: the file cannot be read.
        """
        picture = load(place, 3)
        scores, without, missing = natural(picture.pixels), dict[str, str](), dict[str, str]()
        try:
            scores["agreement"] = self._agreement(picture, recipe)
        except ReverieError as error:
            without["agreement"] = error.fault
        if recipe is None or recipe.moves:
            why = "it is a frame of a film" if recipe is not None else "its recipe cannot be used" if fault else "it has no recipe"
            without |= dict.fromkeys((*_OF_TARGETS, *_OF_STARTS, SIBLINGS), why)
            return Scored(scores, without, self.asked)
        own, start = look(picture.pixels), None
        try:
            start = self._began(recipe, picture.size)
            scores["difference from its start"] = difference(own, look(start))
        except _Missing as error:
            without |= dict.fromkeys(_OF_STARTS, error.fault)
            missing["start"] = error.what
        except ReverieError as error:
            without |= dict.fromkeys(_OF_STARTS, error.fault)
        try:
            scores |= rise(recipe, self._network, picture.pixels, start)
        except _Missing as error:
            without |= dict.fromkeys(_OF_TARGETS, error.fault)
            missing["network"] = error.what
        except ReverieError as error:
            without |= dict.fromkeys(_OF_TARGETS, error.fault)
        return Scored(scores, without, self.asked, missing, own)

    def _agreement(self, picture: Picture, recipe: Recipe | None) -> float:
        makers = () if recipe is None else tuple(each.sha256 for each in recipe.networks)
        others = [each for each in self.observers() if not any(each.has_weights(maker) for maker in makers)]
        if len(others) < 2:
            raise InputError("fewer than two of the networks that were asked did not make it")
        found = asked("", picture, others, top=1).agreement
        assert found is not None
        return found

    def _began(self, recipe: Recipe, size: tuple[int, int]) -> Tensor:
        """What a picture of this size began with: a file as large as it is, noise as large as the picture, whatever a recipe claims."""
        used = recipe.input("start")
        if used is None or recipe.channels != 3:
            raise InputError("it has no start that is a picture of three channels")
        if isinstance(used, NoiseInput):
            here = recipe.model_copy(update={"height": size[0], "width": size[1]})
            return drawn(here, "" if recipe.command == "dream" else purposes(recipe)[recipe.batch.index if recipe.batch else 0]).pixels
        place = self.place_of(used.sha256)
        if place is None:
            raise _Missing("its start is neither kept nor in the folder", used.sha256)
        found: Tensor = self._start(place)
        return found

    def _network(self, used: NetworkUsed) -> Network:
        facts = CATALOGUE.get(used.name)
        if facts is None or facts.sha256 != used.sha256:
            raise InputError(f"for its network '{used.name}' no scores of photographs are known")
        if used.name not in self._opened:
            there = self.observers()
            try:
                found = next((each for each in there if each.has_weights(used.sha256)), None) or open_network(used.name)
            except MissingExtra as error:
                raise _Missing(error.fault, used.name) from error
            self._opened[used.name] = found.to(there[0].device if there else None)
        return self._opened[used.name]


class _Missing(InputError):
    """Something is not there, which may be later."""

    def __init__(self, fault: str, what: str) -> None:
        super().__init__(fault)
        self.what = what

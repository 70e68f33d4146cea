"""What the process answers, as JSON has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from reverie.errors import ReverieError, UsageError, unknown
from reverie.files import packed_size
from reverie.motion.plan import MovingPlan
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.listing import listed
from reverie.render import Plan
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.making import batches, plan_again, plan_grid, plan_moving, values
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.protocol import fault_of
from reverie.studio.jobs.wishes import Wish, checked

_PAGE = 3_000_000  # bytes of a page, about
_MOST_TOP = 100


def answer(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    """The answer to a question; see `Worker.ask` for what can be asked.

    Raises:
        ReverieError: the question cannot be answered.
    """
    kind = what.get("kind")
    if kind not in _ANSWERS:
        raise UsageError(f"a question of kind {kind!r}", "there are " + ", ".join(_ANSWERS))
    return _ANSWERS[kind](home, networks, what)


def _recognise(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    top = min(_MOST_TOP, max(1, int(what.get("top", 5))))
    found = _network(networks, what).recognise(home.find(str(what.get("picture"))), top)
    known = None if found.known is None else found.known.as_data()
    return {"labels": [asdict(each) for each in found], "known": known, "remark": found.remark}


def _networks(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    return [asdict(each) for each in listed() if each.name in CATALOGUE]


def _layers(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    return [each._asdict() for each in _network(networks, what).layers]


def _classes(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    return [asdict(each) for each in _network(networks, what).classes(*(str(each) for each in what.get("words") or ()))]


def _estimate(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    """Of several pictures by the first of them."""
    wish = _wish(home, what)
    if wish.command in ("journey", "film"):
        return _told(*_of_film(plan_moving(home, networks, wish)))
    if wish.command == "grid":
        found = plan_grid(home, networks, wish).estimate()
        return _told(found.seconds, found.result)
    if wish.command == "ask":
        return _told(float(len(wish.subjects)), _PAGE)
    if wish.command == "see":
        return _told(_plan_see(home, networks, wish).seconds() * len(wish.subjects), _PAGE * len(wish.subjects))
    count, plan = _first(home, networks, wish)
    if not isinstance(plan, Plan):
        return _told(*_of_film(plan))
    recipe = plan.recipe
    size = packed_size(recipe.height, recipe.width, recipe.channels, ".png", deep=recipe.finish.deep)
    return _told(plan.estimate().seconds * count / len(plan.wanted), size * count)


def _first(home: Home, networks: OpenNetworks, wish: Wish) -> tuple[int, Plan | MovingPlan]:
    """How many pictures there will be, and the plan of the first."""
    if wish.command == "redo":
        return 1, plan_again(home, wish)
    wanted = [*batches(home, networks, wish)]
    return sum(len(each.names) for each in wanted), wanted[0].plan()


def _checked(home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    """Of several pictures the first of each kind is planned."""
    try:
        wish = _wish(home, what)
        if wish.command in ("journey", "film"):
            plan_moving(home, networks, wish)
        elif wish.command == "see":
            _plan_see(home, networks, wish)
        elif wish.command == "redo":
            plan_again(home, wish)
        elif wish.command == "grid":
            plan_grid(home, networks, wish)
        elif wish.command != "ask":
            next(iter(batches(home, networks, wish))).plan()
    except ReverieError as error:
        return fault_of(error)
    return None


def _of_film(plan: MovingPlan) -> tuple[float, int]:
    found = plan.estimate("film.mp4")
    return found.seconds, found.result


def _plan_see(home: Home, networks: OpenNetworks, wish: Wish) -> Any:
    from reverie import api

    (net,) = networks.of(wish.networks, wish.choices)
    return api.plan_see(home.find(wish.subjects[0]), network=net, **values(wish, home))


def _wish(home: Home, what: Mapping[str, Any]) -> Wish:
    return checked(home, str(what.get("command")), what.get("subjects") or (), what.get("choices") or {})


def _network(networks: OpenNetworks, what: Mapping[str, Any]) -> Any:
    name = what.get("network")
    if name is not None and name not in CATALOGUE:
        raise unknown("network", str(name)[:60], CATALOGUE)
    return networks.get(name)


def _told(seconds: float, count: float) -> dict[str, Any]:
    """Seconds and bytes, and both in words."""
    time = f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
    size = f"{max(1, round(count / 1e3))} KB" if count < 1e6 else f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
    return {"seconds": seconds, "bytes": int(count), "words": f"about {time}, {size}"}


_ANSWERS: dict[Any, Callable[[Home, OpenNetworks, Mapping[str, Any]], Any]] = {
    "recognise": _recognise, "networks": _networks, "layers": _layers, "classes": _classes, "estimate": _estimate, "checked": _checked,
}  # fmt: skip

"""What can be asked of a studio: commands of the table with their subjects and choices, as JSON, checked before anything begins.

A picture or film among them is `input:SHA256` or `picture:NAME`, see `Home.find`, and never a path. A network is the name of a built-in
one. Nothing here needs torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reverie.errors import UsageError, choice, listing, printable, unknown
from reverie.recipe import COMMANDS, SUBJECTS, is_noise, resolve, seeds, values_of, varied, vary_named
from reverie.studio.jobs.home import Home, check_reference

MADE = ("dream", "imagine", "feature", "see", "journey", "film", "ask", "grid", "redo")
OF_PICTURES = frozenset({"dream", "see", "journey", "film", "ask", "redo"})  # whose first subject is one
_FILES = frozenset({"start", "guide", "mask", "direction", "towards", "away", "usual", "baseline"})  # choices that name one, or several
_BASELINES = frozenset({"mean", "black", "blurred"})
_WITH_NOISE = frozenset({"dream", "journey"})
_LONGEST, _MOST, _MOST_TEXT = 4000, 1000, 1 << 16  # letters of a text; subjects, or entries of a list; letters of all
_TEXTS = frozenset({"network", "between", "layers", "why", "command", "target"})
_NUMBERED = frozenset({"between", "why"})  # which a class's number can be too
_NOT_RESOLVED = frozenset({"network", "ring", "vary", "command"})
_NOT_HERE = frozenset({"max_pixels"})  # a server has limits of its own


@dataclass(frozen=True)
class Wish:
    """A wish that was checked.

    Attributes:
        command: of the table.
        subjects: what stands behind its name.
        choices: by the names of their fields; `network` is a name or several.
    """

    command: str
    subjects: tuple[str, ...]
    choices: Mapping[str, Any]

    @property
    def networks(self) -> list[str]:
        """Names of networks that were asked for; none means the usual."""
        given = self.choices.get("network")
        return [] if given is None else [given] if isinstance(given, str) else [*given]

    @property
    def maker(self) -> str:
        """The command that makes the pictures: of a grid another one."""
        return str(self.choices.get("command", "dream")) if self.command == "grid" else self.command

    @property
    def vary(self) -> Mapping[str, list[Any]]:
        """The values of each choice that varies, of a grid."""
        found: Mapping[str, list[Any]] = self.choices.get("vary", {})
        return found

    def files(self) -> list[tuple[str, str]]:
        """Each input that it names: the field (empty for a subject), and the reference."""
        subjects = self.subjects[: 1 if self.command == "journey" else None] if self.maker in OF_PICTURES else ()
        found = [("", each) for each in subjects if not is_noise(each)]
        for name, given in (*self.choices.items(), *self.vary.items()):
            found += [(name, each) for each in (given if isinstance(given, list) else [given]) if is_file(name, each)]
        return found


def checked(home: Home, command: str, subjects: Sequence[str], choices: Mapping[str, Any]) -> Wish:
    """The wish, if it can be one. What depends on a network (whether a layer is there) is not looked at.

    Choices are those of the command's public function, as `COMMANDS[command].fields` has them, and `network`. A ring of a journey is a list
    of targets in `ring`, or behind the start. Of a grid `vary` has lists of values by name, or texts as `reverie grid --vary` takes them,
    and `command` says what makes the pictures. None is not given.

    Raises:
        UsageError: no such command, or a choice that it has not, of a wrong kind or out of bounds; `field` is its name.
        InputError: a picture that is named is not here.
    """
    if command not in MADE:
        raise unknown("command", printable(command)[:60], MADE, "there are " + ", ".join(MADE))
    try:
        text = json.dumps({"subjects": list(subjects), "choices": dict(choices)}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError("what is asked for is no JSON", "send texts, numbers, lists and switches") from error
    if len(text) > _MOST_TEXT:
        raise UsageError("too much at once", f"subjects and choices are {_MOST_TEXT} letters at most")
    plain = json.loads(text)
    given = {name: value for name, value in plain["choices"].items() if value is not None}
    for name, value in given.items():
        _check_kind(name, value)
    if command == "grid":
        given["vary"] = _varying(given)
    wish = Wish(command, _subjects(command, plain["subjects"]), given)
    _check_choices(wish)
    for field, reference in wish.files():
        check_reference(reference, field)
    _resolved(wish)
    for field, reference in wish.files():
        home.find(reference, field)
    return wish


def is_file(name: str, value: object) -> bool:
    """Whether this value of a choice is meant to be a file, and not one of the words that it knows too."""
    return name in _FILES and not (name == "baseline" and value in _BASELINES) and not (name == "start" and is_noise(value))


def _check_kind(name: str, value: Any) -> None:
    """Raise UsageError for what no choice is, and for a number where only a text can be. Which numbers may be is for its bounds to say."""
    if name == "vary":
        for axis, values in value.items() if isinstance(value, dict) else ():
            _check_kind(axis, values)
        return
    several = value if isinstance(value, list) else [value]
    plain = all(isinstance(each, (str, int, float)) for each in several) and len(several) <= _MOST
    if not plain or (name in _TEXTS and not all(isinstance(each, str) or (name in _NUMBERED and type(each) is int) for each in several)):
        raise UsageError(choice(name, printable(value)[:60]), "it is of another kind")
    if not all(_is_told(each) for each in several if isinstance(each, str)):
        raise UsageError(choice(name), f"texts have {_LONGEST} letters at most, and none that cannot be written")


def _is_told(text: str) -> bool:
    """Whether a text can be kept and told again: half of a pair, which JSON can say, cannot."""
    return len(text) <= _LONGEST and "\0" not in text and text.encode(errors="replace").decode() == text


def _varying(given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What varies, in lists by the names of fields."""
    command, vary = given.get("command", "dream"), given.get("vary", {})
    if not isinstance(command, str) or command not in SUBJECTS:
        raise unknown("command", printable(command)[:60], SUBJECTS, "a grid is made by " + ", ".join(SUBJECTS))
    if isinstance(vary, list) and all(isinstance(each, str) for each in vary):
        return varied(vary, command)
    if not isinstance(vary, dict) or not all(isinstance(each, (str, list)) for each in vary.values()):
        raise UsageError(choice("vary", printable(vary)[:60]), "give lists of values by the names of choices")
    named = {vary_named(name, command): each for name, each in vary.items()}
    return {name: values_of(name, each, command) if isinstance(each, str) else each for name, each in named.items()}


def _subjects(command: str, given: Sequence[Any]) -> tuple[str, ...]:
    spec = COMMANDS[command]
    what = spec.subjects[0].metavar.strip("[…]").lower()
    if not all(isinstance(each, str) and each and _is_told(each) for each in given) or len(given) > _MOST:
        raise UsageError(f"no such {what}", f"give texts of {_LONGEST} letters at most")
    several = spec.subjects[0].several or command == "journey"
    if not given and spec.subjects[0].required:
        raise UsageError(f"no {what} to begin with", "give one")
    if len(given) > 1 and not several:
        raise UsageError(f"{len(given)} of {what}", f"`{command}` takes one")
    for each in given[:1] if command == "journey" else given:
        if command in OF_PICTURES and is_noise(each) and command not in _WITH_NOISE:
            raise UsageError(f"noise for `{command}`", "give a picture")
    return tuple(given)


def _check_choices(wish: Wish) -> None:
    """Names that the command has, and no network that is not built in."""
    spec = COMMANDS[wish.command]
    from reverie.networks.builtin.catalogue import CATALOGUE

    for name in wish.choices:
        if name != "network" and (name not in spec.fields or name in _NOT_HERE):
            raise unknown("choice", name, spec.fields, f"`{wish.command}` has others")
    for name in (*wish.networks, *wish.vary.get("network", ())):
        if not isinstance(name, str) or name not in CATALOGUE:
            raise UsageError(f"no network '{printable(name)[:60]}' here, {choice('network')}", f"there are {', '.join(CATALOGUE)}")
    if len(wish.networks) > 1 and spec.networks == "one":
        raise UsageError(f"several networks, {choice('network')}", f"`{wish.command}` takes one")
    for each in (*wish.subjects[1:], *_ring(wish)) if wish.command == "journey" else ():
        head = each.partition("/")[0] if isinstance(each, str) else ""
        if ":" in head and not head.startswith("class:"):  # `timm:NAME/TARGET` would be fetched
            raise UsageError(f"no network '{printable(head)[:60]}' here, {choice('ring')}", f"there are {', '.join(CATALOGUE)}")


def _ring(wish: Wish) -> list[Any]:
    given = wish.choices.get("ring")
    if given is None or isinstance(given, bool):
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise UsageError(choice("ring", printable(given)[:60]), f"it is a list of targets; {listing('layers')} lists layers")
    return given


def _resolved(wish: Wish) -> None:
    """Raise UsageError where a value is of a wrong kind or out of bounds."""
    given = {name: value for name, value in wish.choices.items() if name not in _NOT_RESOLVED}
    if "seed" in given and wish.command != "grid":
        given["seed"] = seeds(given["seed"])[0]
    resolve(wish.maker, given)
    for name, values in wish.vary.items():
        for each in values if name in COMMANDS[wish.maker].fields else ():
            resolve(wish.maker, {**given, name: each})

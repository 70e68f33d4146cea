"""From what was asked for to every choice, validated: the command's own defaults, then the preset's, then what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from reverie.errors import UsageError, choice, unknown
from reverie.recipe.choices import GROUPS, Ascent, Canvas, Data, Finish, Penalties, Transforms
from reverie.recipe.command_table import COMMANDS, CommandSpec
from reverie.recipe.presets import CARICATURE, Preset, preset
from reverie.recipe.print_sizes import PRINT_DPI
from reverie.recipe.reading import choose
from reverie.recipe.requests import Along, Beside, Goal, Mask
from reverie.target import Names, Target, of_layer, parse

Model = TypeVar("Model", bound=Data)


class Choices(NamedTuple):
    """What a recipe has of them, by the names of its fields."""

    canvas: Canvas
    ascent: Ascent
    transforms: Transforms
    penalties: Penalties
    finish: Finish


class Request:
    """All choices of a command, validated: `request[Ascent].steps`.

    Args:
        command: whose they are.
        given: by the names of fields; None is not given.
        before: what an earlier recipe had of them: it goes before the command's own defaults, and after all that was given.

    Raises:
        UsageError: a choice that the command has not, a value out of bounds, or two that exclude each other.
    """

    def __init__(self, command: CommandSpec, given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
        self.command = command
        self.given = {name: value for name, value in given.items() if value is not None}
        self.before = {name: value for name, value in (before or {}).items() if name in command.fields and given.get(name) is None}
        for name in given:
            if name not in command.fields:
                raise _no_choice(name, command)
        if "print" in self.given:  # which says what they say
            self.before = {name: value for name, value in self.before.items() if name not in ("width", "size")}
        merged = {**command.defaults, **self.before, **self._of_print(), **self._of_preset(), **self._of_objective(), **self.given}
        self._models = {
            model: choose(
                model, **{name: merged[name] for name in model.model_fields if name in merged and command.fields.get(name, model) is model}
            )
            for model in (*command.models, *GROUPS)
        }
        self._check()

    def __getitem__(self, model: type[Model]) -> Model:
        """The choices of this model; of one that the command has not, its defaults."""
        found = self._models.get(model) or next((each for kind, each in self._models.items() if issubclass(kind, model)), None)
        return found if isinstance(found, model) else model()

    def __contains__(self, model: type[Data]) -> bool:
        """Whether the command has choices of this model."""
        return model in self._models

    def changed(self, name: str) -> bool:
        """Whether this choice was given, and is another than without it."""
        if name not in self.given or name not in self.command.fields:
            return False
        return bool(getattr(self._models[self.command.fields[name]], name) != self.command.default(name))

    @property
    def choices(self) -> Choices:
        """What a recipe has of them."""
        return Choices(*(self._models[model] for model in GROUPS))  # type: ignore[arg-type]

    @cached_property
    def preset(self) -> Preset | None:
        """Whose level and choices count; the usual one where nothing says what to climb."""
        if "preset" in self.given:
            return preset(self.given["preset"], self.command.presets)
        asked = self.before or any(self.given.get(name) for name in ("target", "level", "ring"))
        return self.command.presets[self.command.usual_preset] if self.command.usual_preset and not asked else None

    def target(self, names: Names, layer_of: Callable[[str], str]) -> Target:
        """What to climb on a network of these names; `layer_of` gives the layer that a level stands for."""
        goal = self[Goal]
        level = goal.level or (self.preset and self.preset.level) or ""
        return of_layer(layer_of(level)) if goal.target is None else parse(goal.target, names)

    @property
    def of_given_preset(self) -> Mapping[str, Any]:
        """Choices of the preset that was asked for."""
        return self._of_preset() if "preset" in self.given else {}

    def _of_preset(self) -> dict[str, Any]:
        if not self.preset:
            return {}
        taken = self.command.of_preset
        return {name: value for name, value in self.preset.choices.items() if not taken or name in taken}

    def _of_objective(self) -> dict[str, Any]:
        return CARICATURE if self.given.get("caricature") else {}

    def _of_print(self) -> dict[str, Any]:
        return {"dpi": self.before.get("dpi") or PRINT_DPI} if "print" in self.given else {}

    def _check(self) -> None:
        if self.given.get("mask") is not None and self[Mask].where is not None:
            raise UsageError(f"both {choice('mask')} and {choice('where')}", "each says where to dream: give one of them")
        beside = next((name for name in ("width", "size") if "print" in self.given and name in self.given), None)
        if beside is not None:
            raise UsageError(f"both a print and a {beside}", f"{choice('print')} says how large it is: leave {choice(beside)} out")
        goal, along = self[Goal], self[Beside] if Beside in self else self[Along]
        if goal.target is not None and goal.level is not None:
            raise UsageError(f"both {choice('target')} and {choice('level')}", "a level stands for a target: give one of them")
        if along.direction is not None and (along.towards is not None or along.away is not None):
            raise UsageError(
                f"both {choice('direction')} and {choice('towards')} and {choice('away')}, pictures to find one from",
                f"give {choice('direction')} alone, or {choice('towards')} with {choice('away')}",
            )
        if (along.towards is None) != (along.away is None):
            there, missing = ("towards", "away") if along.away is None else ("away", "towards")
            raise UsageError(f"{choice(there)} without {choice(missing)}", "a direction leads from one to the other")
        if self[Canvas].canvas == "maco":
            for name in ("tone", "spread", "smoothing"):
                if self.changed(name) and self.given[name] != "free":
                    raise UsageError(f"{choice(name)} on the canvas 'maco'", "it changes nothing there: leave one of them out")


def resolve(command: str, given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Request:
    """See `Request`."""
    return Request(COMMANDS[command], given, before)


def of_command(command: str, **own: Any) -> Choices:
    """A command's own choices, but for these."""
    values = {**COMMANDS[command].defaults, **own}
    return Choices(
        *(choose(model, **{name: value for name, value in values.items() if name in model.model_fields}) for model in GROUPS)  # type: ignore[arg-type]
    )


def _no_choice(name: str, command: CommandSpec) -> UsageError:
    others = [each.name for each in COMMANDS.values() if name in each.fields and not each.borrows]
    if others:
        return UsageError(
            f"{choice(name)} is no choice of `{command.name}`", f"`{'` and `'.join(others)}` ha{'s' if len(others) == 1 else 've'} it"
        )
    return unknown("choice", name, command.fields, f"`help(reverie.{command.name})` lists them, and `reverie {command.name} --help-all`")

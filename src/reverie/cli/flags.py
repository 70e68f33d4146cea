"""Commands from the table: arguments, flags and help follow from its models, so that they and the docs cannot drift apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from reverie.cli.network_flags import NetworkFlags, network_option
from reverie.cli.other_words import no_such_word
from reverie.errors import UsageError, choice
from reverie.recipe import COMMANDS, CommandSpec, Data, Flag, choose, flag_in, flag_names, held_in, seeds
from reverie.store import expanded, is_folder, originals

Model = TypeVar("Model", bound=Data)
_BOUNDS = re.compile(r"; (?:from|above) [^\]]*\]$")  # which `--help-all` tells
_FIRST = (
    "what to dream",
    "what to look at",
    "how it moves",
    "how strongly",
    "the result",
    "size",
    "your own network",
    "output",
    "this machine",
)


_WRITTEN = frozenset({"output", "sheet"})  # flags that name what is made
_FOLDERS = frozenset({"PATH", "FOLDER"})  # what stands for a value that is a file, or a folder of them
_PATHS = _FOLDERS | {"FILE", "PICTURE", "START", "VIDEO"}


@dataclass(frozen=True)
class Call:
    """A command as it was called.

    Attributes:
        command: its row of the table.
        subjects: what stands behind its name, by the order of the table; several are a tuple.
        given: what its flags say, by field; what was not given is not in it.
        network: what is said of networks.
    """

    command: CommandSpec
    subjects: tuple[Any, ...]
    given: Mapping[str, Any]
    network: NetworkFlags

    @property
    def choices(self) -> dict[str, Any]:
        """What its public function takes."""
        return {name: value for name, value in self.given.items() if name in self.command.fields}

    def of(self, model: type[Model]) -> Model:
        """The choices of one model, validated."""
        return choose(model, **{name: value for name, value in self.given.items() if name in model.model_fields})


def built(spec: CommandSpec, run: Callable[[Call], int | None] | None = None) -> click.Command:
    """A command of the table for the command line; `run` does it in the place of what the table says."""
    options = [_option(name, model, spec) for name, model in spec.flags.items()]
    if spec.networks != "none":
        options.insert(len(spec.fields), network_option(spec.networks))
    arguments = [
        click.Argument(
            [f"subject{number}"],
            metavar=each.metavar + "…" * (each.several and not each.metavar.endswith("]")),
            nargs=-1 if each.several else 1,
            required=each.required,
        )
        for number, each in enumerate(spec.subjects)
    ]

    def call(**values: Any) -> int:
        subjects = tuple(values.pop(f"subject{number}") for number in range(len(spec.subjects)))
        network = NetworkFlags.of(values)
        given = {
            name: _given(value, flag_in(spec.flags[name], name)) for name, value in values.items() if value is not None and value != ()
        }
        with originals(_files_in(spec, subjects, given, network)):
            return (run or _loaded(spec.run))(Call(spec, subjects, given, network)) or 0

    return _Command(spec.name, callback=call, params=[*arguments, *options], help=spec.summary)


def _files_in(spec: CommandSpec, subjects: tuple[Any, ...], given: Mapping[str, Any], network: NetworkFlags) -> Iterator[Path]:
    """Every file that goes into a command, and those in the folders that its flags name; a word is none, whatever is called so."""
    from reverie.files.input_files import pictures_in

    said = [("", each.metavar, value) for each, value in zip(spec.subjects, subjects, strict=True)]
    said += [(name, flag_in(spec.flags[name], name).metavar, value) for name, value in given.items()]
    for name, metavar, value in (*said, ("", "FILE", network.files())):
        if name in _WRITTEN or not _PATHS.intersection(metavar.split("|")):
            continue
        for text in value if isinstance(value, (tuple, list)) else [value]:
            if not isinstance(text, str) or not text:
                continue
            place = expanded(text)
            if not is_folder(place):
                yield place
            elif metavar in _FOLDERS and name != "start":  # what of it goes into a redo is known by content, later
                yield from pictures_in(place)


class _Command(click.Command):
    """Help in groups: the few flags that matter, or with `--help-all` every one."""

    @cached_property
    def spec(self) -> CommandSpec:
        return COMMANDS.get(self.name or "") or CommandSpec(self.name or "", self.help or "", "", "")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        try:
            super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # of a flag without its value the parser does not say whose it is
            raise
        if ctx.args and not ctx.resilient_parsing:
            raise no_such_word(ctx.args[0], self.spec)
        return ctx.args

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        def show_all(context: click.Context, _param: click.Parameter, asked: bool) -> None:
            if asked:
                context.meta["all"] = True
                click.echo(context.get_help())
                context.exit()

        every = click.Option(["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=show_all, help="Show every flag.")
        return [*super().get_params(ctx), every]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        spec, everything = self.spec, bool(ctx.meta.get("all"))
        groups: dict[str, list[tuple[str, str]]] = {}
        hidden = 0
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx)
            if row is None or not isinstance(param, click.Option):
                continue
            group, first = _place(param.name or "", spec)
            if not first and not everything:
                hidden += 1
                continue
            groups.setdefault(group, []).append(row if everything else (row[0], _BOUNDS.sub("]", row[1])))
        for group in sorted(groups, key=lambda each: _FIRST.index(each) if each in _FIRST else len(_FIRST)):
            with formatter.section(group[:1].upper() + group[1:]):
                formatter.write_dl(groups[group])
        more = f"`reverie {self.name} --help-all` shows {hidden} more flags." if hidden else ""
        for text in (f"For example: {spec.example}" if spec.example else "", spec.hint, more):
            if text:
                formatter.write_paragraph()
                formatter.write_text(text)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        rows = [(each.metavar, each.description) for each in self.spec.subjects]
        if rows:
            with formatter.section("Given"):
                formatter.write_dl(rows)


def _place(name: str, spec: CommandSpec) -> tuple[str, bool]:
    """The group of a flag, and whether it is one of the few; all are where they are few."""
    if name in ("help", "help_all"):
        return "more", True
    if name == "network":
        return "your own network", True
    model = spec.flags.get(name)
    if model is None:
        return "more", True
    return model.group, flag_in(model, name).first or name in spec.first or len(spec.flags) < 12


class _Number(click.ParamType[Any]):
    """What reads a number; whether it lies within its bounds is found out with the other choices.

    Args:
        kind: int or float.
        bounds: in words, or empty.
    """

    def __init__(self, kind: type[int] | type[float], bounds: str) -> None:
        self.name = "whole number" if kind is int else "number"
        self._kind, self._bounds = kind, bounds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Raises UsageError with the flag, what was given, and what it should be."""
        try:
            return self._kind(value)
        except ValueError:
            name = (param and param.name) or ""
            fault = choice(name, value) if value.strip() else f"{choice(name)} without a value"
            raise UsageError(fault, f"it should be a {self.name} {self._bounds}".rstrip()) from None


def _option(name: str, model: type[Data], spec: CommandSpec) -> click.Option:
    """The flag of a field; what is not given is None."""
    field = model.model_fields[name]
    flag, kind = flag_in(model, name), held_in(field)
    names = [name, *flag_names(name, flag)]
    if kind is bool and spec.is_open(name) and not flag.negative:  # what is on by itself can be turned off
        return click.Option([name, f"{names[1]}/--no-{names[1][2:]}"], default=None, help=_sentence(field.description))
    if kind is bool or flag.switch:
        return click.Option(names, is_flag=True, default=None, help=_sentence(meaning_of(field, flag)))
    words = get_args(kind) if get_origin(kind) is Literal else ()
    metavar = flag.metavar or ("|".join(words) if words else "N,N,N" if get_origin(kind) is tuple else "N" if kind is int else "X")
    told = f"{_sentence(field.description)} {_told(name, model, spec)}".rstrip()
    type_: Any = _one_or_several if flag.seeds else _Number(kind, bounds_of(field)) if kind in (int, float) else click.STRING
    if metavar == "A B":
        return click.Option(names, nargs=2, type=str, default=None, metavar=metavar, help=told)
    return click.Option(names, type=type_, multiple=flag.several, default=None, metavar=metavar, help=told)


def _told(name: str, model: type[Data], spec: CommandSpec) -> str:
    """What a choice is without being given, and its bounds; nothing where the words say it."""
    field, default = model.model_fields[name], spec.default(name)
    bounds = bounds_of(field)
    if spec.is_open(name):
        return f"[{bounds}]" if bounds else ""
    if name == "octaves" and spec.name in ("imagine", "feature"):
        return f"[default: by the size; {bounds}]"
    if name == "preset" and spec.usual_preset:
        return f"[default: {spec.usual_preset}]"
    shown = "none" if default == () else f"{default:g}" if isinstance(default, float) else str(default)
    parts = [*([f"default: {shown}"] if default is not None else []), *([bounds] if bounds and default is not None else [])]
    return f"[{'; '.join(parts)}]" if parts else ""


def bounds_of(field: FieldInfo) -> str:
    """`from 1 to 24`, `above 0 to 1`; empty where there are none."""
    found = field.metadata
    low = next((f"from {_figure(each.ge)}" for each in found if hasattr(each, "ge")), None)
    above = next((f"above {_figure(each.gt)}" for each in found if hasattr(each, "gt")), None)
    high = next((f"to {_figure(each.le)}" for each in found if hasattr(each, "le") and each.le < 2**62), None)
    return " ".join(each for each in (low or above, high) if each)


def _figure(bound: float) -> str:
    """`1000000`, `0.5`."""
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def meaning_of(field: FieldInfo, flag: Flag) -> str:
    """What a flag does: one that turns a choice off, the opposite of the choice."""
    return f"do not {field.description}" if flag.negative else str(field.description)


def _one_or_several(text: Any) -> Any:
    """A seed, or a list of them."""
    found = seeds(text)
    return found if len(found) > 1 else found[0]


def _given(value: Any, flag: Flag) -> Any:
    if flag.negative:
        return False
    return list(value) if isinstance(value, tuple) else value


def _sentence(text: str | None) -> str:
    """`what to climb` → `What to climb.`"""
    text = text or ""
    return text[:1].upper() + text[1:] + ("" if text.endswith(("…", ".")) else ".")


def _loaded(place: str) -> Callable[[Call], int | None]:
    module, _, name = place.partition(":")
    found: Callable[[Call], int | None] = getattr(import_module(module), name)
    return found

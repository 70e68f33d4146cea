"""Flags. Those of a recipe's fields are made from the fields, so that flags, help and docs cannot drift apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer
from pydantic import BaseModel

from reverie.errors import UsageError
from reverie.recipe import BASES
from reverie.recipe import Command as Name

Command = TypeVar("Command", bound=Callable[..., Any])

Size = Annotated[str | None, typer.Option("--size", help="A side, or width x height; without it the network's own size.", metavar="N|WxH")]
NoiseSize = Annotated[str | None, typer.Option("--size", help="Of noise: a side, or width x height; without it 512.", metavar="N|WxH")]
Seed = Annotated[int, typer.Option("--seed", help="Another seed gives another picture.", metavar="N")]
Making = Annotated[int, typer.Option("--making", help="Also write N pictures from along the way, as a strip.", metavar="N")]
NoKeep = Annotated[bool, typer.Option("--no-keep", help="Do not keep inputs in the cache for `redo`.")]
Direction = Annotated[
    str | None,
    typer.Option("--direction", help="A .npy file, one number for each channel of the target's layer: climb along it.", metavar="FILE"),
]
Towards = Annotated[
    str | None,
    typer.Option("--towards", help="Pictures: climb towards what the target's layer sees in them, away from --from.", metavar="PATH"),
]
Away = Annotated[str | None, typer.Option("--from", help="Pictures: climb away from what the target's layer sees in them.", metavar="PATH")]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda or mps; without it the fastest there is.", metavar="D")]
Threads = Annotated[int | None, typer.Option("--threads", help="Processor threads; without it as many as torch takes.", metavar="N")]
MaxPixels = Annotated[int, typer.Option("--max-pixels", help="Refuse a picture that claims more pixels than this.", metavar="N")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="A file for one result, a folder for several; without it a name made from the start, label or target.",
        metavar="PATH",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
NoRecipe = Annotated[bool, typer.Option("--no-recipe", help="Leave the recipe out of the file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


def with_fields(command_name: Name, *models: type[BaseModel], without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Give a command that takes **choices one flag for each field of these models. A flag that is not given is None.

    The help tells what the field is without it: by the command's own choices, or by the model.
    """
    base = BASES[command_name]

    def widen(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        by_size = command_name in ("imagine", "feature")
        fields = [_parameter(name, model, base, by_size) for model in models for name in model.model_fields if name not in without]
        command.__signature__ = signature.replace(parameters=[*own, *fields])  # type: ignore[attr-defined]
        return command

    return widen


def _parameter(name: str, model: type[BaseModel], base: dict[str, Any], by_size: bool) -> inspect.Parameter:
    field = model.model_fields[name]
    kind: Any = field.annotation
    words = get_args(kind) if all(isinstance(each, str) for each in get_args(kind)) else ()
    flag = "--" + name.replace("_", "-")
    default = "by the size" if by_size and name == "octaves" else _shown(base.get(name, field.default))
    help_text = f"{field.description} [default: {default}{_bounds(field.metadata)}]"
    if kind is bool:
        option = typer.Option(flag, help=field.description, show_default=False)
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[bool | None, option])
    several = get_origin(kind) is tuple
    metavar = "|".join(words) if words else "N,N,N" if several else "N" if kind is int else "X"
    option = typer.Option(flag, help=help_text, show_default=False, metavar=metavar)
    type_: Any = (str if words or several else kind) | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[type_, option])


def _shown(value: Any) -> str:
    if value == ():
        return "none"
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _bounds(metadata: list[Any]) -> str:
    low = next((f"from {each.ge:g}" for each in metadata if hasattr(each, "ge")), None)
    above = next((f"above {each.gt:g}" for each in metadata if hasattr(each, "gt")), None)
    high = next((f"to {each.le:g}" for each in metadata if hasattr(each, "le")), None)
    parts = [each for each in (low or above, high) if each]
    return "; " + " ".join(parts) if parts else ""


def sides(text: str | None, flag: str = "--size") -> tuple[int, int] | None:
    """`'512'` → (512, 512), `'640x360'` (width × height) → (360, 640)."""
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(each.isdecimal() and len(each) < 8 and int(each) > 0 for each in parts):
        raise UsageError(f"{flag} {text}", "write it like 512, or 640x360 for width x height")
    width, height = int(parts[0]), int(parts[-1])
    return height, width

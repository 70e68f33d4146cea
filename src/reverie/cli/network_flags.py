"""Flags that say which network is meant, and what one's own cannot say itself: the same for every command that has `--network`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

from reverie.cli.console import downloading, remark
from reverie.cli.flags import sides
from reverie.errors import UsageError
from reverie.recipe import DEFAULT_NETWORK

if TYPE_CHECKING:
    from reverie.networks import Network
    from reverie.networks.preprocessing import Preprocessing

Command = TypeVar("Command", bound=Callable[..., Any])

_WHICH = "Which network: one that `reverie networks` lists, torchvision:NAME, timm:NAME, hf:OWNER/NAME, or a file of weights"
_ONE = Annotated[str, typer.Option("--network", help=f"{_WHICH}.", metavar="N")]
_SEVERAL = Annotated[
    list[str] | None, typer.Option("--network", help=f"{_WHICH}. Several make a picture that all of them want.", metavar="N")
]
_AGAIN = Annotated[
    list[str] | None,
    typer.Option("--network", help="The network it was made with, if it is your own, or was not downloaded here.", metavar="N"),
]
_OWN: dict[str, Any] = {
    "definition": typer.Option(
        "--definition",
        help="Of weights in a file or on the hub: the function that gives their module, as package.module:function.",
        metavar="M:F",
    ),
    "mean": typer.Option("--mean", help="Of your own network: the mean of each channel, as its training had it.", metavar="X,X,X"),
    "std": typer.Option("--std", help="Of your own network: the deviation of each channel, as its training had it.", metavar="X,X,X"),
    "range": typer.Option("--range", help="Of your own network: what black and white are before normalisation.", metavar="X,X"),
    "native": typer.Option("--native", help="Of your own network: the size of its pictures in training.", metavar="N|WxH"),
    "labels": typer.Option("--labels", help="Of your own network: a file with the names of its classes, one a line.", metavar="FILE"),
    "scores": typer.Option("--scores", help="Of your own network: which entry of its output is the class scores.", metavar="NAME"),
}
_OFFLINE = Annotated[bool, typer.Option("--offline", help="Download nothing: take what is in the cache.")]


@dataclass(frozen=True)
class Wanted:
    """The networks that flags name, not yet open, and what flags say of one's own."""

    names: tuple[str, ...] = ()
    own: dict[str, str | None] = field(default_factory=dict)
    offline: bool = False

    def several(self, device: str | None, quiet: bool = False) -> list[Network | str] | None:
        """Those that are not built in open, the others by name; None where none was named."""
        from reverie.networks.sources.source import source

        meant = [source(each) for each in self.names]
        if any(each is not None for each in self.own.values()) and not any(each.kind in ("file", "hf") for each in meant):
            flag = next(name for name, each in self.own.items() if each is not None)
            raise UsageError(
                f"--{flag} is for a network of your own, and none is named", "name its weights: --network FILE --definition M:F"
            )
        return [each.name if each.kind == "built-in" else self._open(each.text, device, quiet) for each in meant] or None

    def one(self, device: str | None, quiet: bool = False) -> Network | str:
        """The only one, of a command that takes one."""
        found = self.several(device, quiet)
        return found[0] if found else DEFAULT_NETWORK

    def opened(self, device: str | None, quiet: bool = False) -> list[Network]:
        """All of them, open."""
        return [self._open(each, device, quiet) for each in self.names]

    def _open(self, name: str, device: str | None, quiet: bool) -> Network:
        from reverie.api.opening import open_up
        from reverie.networks.prepared.device import choose
        from reverie.networks.sources.source import source

        choose(device)  # a wrong one is told before anything is downloaded
        kind = source(name).kind
        said = self._said() if kind in ("file", "hf") else None
        definition = self.own.get("definition") if kind in ("file", "hf") else None
        with downloading(name, quiet) as progress:
            found = open_up(name, said, definition=definition, offline=self.offline, progress=progress)
        for note in (*(() if quiet else found.notes.remarks), *found.notes.warnings):
            remark(note)
        return found.network.to(device)

    def _said(self) -> Preprocessing:
        from reverie.networks.preprocessing import Preprocessing

        numbers = {name: _numbers(name, self.own.get(name)) for name in ("mean", "std", "range")}
        size = sides(self.own.get("native"), "--native")
        return Preprocessing.of(**numbers, size=size, labels=self.own.get("labels"), scores=self.own.get("scores"))


NONE = Wanted()


def with_network(*, several: bool = False, again: bool = False) -> Callable[[Command], Command]:
    """Give a command that takes `network: Wanted` the flag `--network`, and those of one's own networks after it."""
    kind, default = (_AGAIN, None) if again else (_SEVERAL, None) if several else (_ONE, DEFAULT_NETWORK)
    which = "own_network" if again else "network"

    def widen(command: Command) -> Command:
        @functools.wraps(command)
        def widened(**given: Any) -> Any:
            own = {name: given.pop(f"own_{name}") for name in _OWN}
            offline, named = given.pop("own_offline"), given.pop(which)
            names = (named,) if isinstance(named, str) else tuple(named or ())
            return command(network=Wanted(names, own, offline), **given)

        flags = [_parameter(which, kind, default)]
        flags += [_parameter(f"own_{name}", Annotated[str | None, option], None) for name, option in _OWN.items()]
        flags += [_parameter("own_offline", _OFFLINE, False)]
        signature = inspect.signature(command, eval_str=True)
        found: list[inspect.Parameter] = []
        for each in signature.parameters.values():
            found += flags if each.name == "network" else [each]
        widened.__signature__ = signature.replace(parameters=found)  # type: ignore[attr-defined]
        widened.__annotations__ = {each.name: each.annotation for each in found}
        del widened.__wrapped__
        return cast(Command, widened)

    return widen


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)


def _numbers(name: str, text: str | None) -> tuple[float, ...] | None:
    """`'0.485,0.456,0.406'` → three numbers."""
    if text is None:
        return None
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        example = "0,255" if name == "range" else "0.485,0.456,0.406"
        raise UsageError(f"--{name} {text[:80]}", f"numbers with commas between, e.g. --{name} {example}") from None

"""What flags say of networks, opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from reverie.cli.console import downloading, remark
from reverie.errors import UsageError, choice
from reverie.recipe import DEFAULT_NETWORK, Own, choose
from reverie.store import expanded

if TYPE_CHECKING:
    from reverie.networks import Network

_WHICH = "One that `reverie networks` lists, torchvision:NAME, timm:NAME, hf:OWNER/NAME, or a file of weights"
_HELP = {
    "one": f"{_WHICH}. [default: {DEFAULT_NETWORK}]",
    "several": f"{_WHICH}; of several, what all want. [default: {DEFAULT_NETWORK}]",
    "each": f"{_WHICH}; each of several is asked. [default: those built in that are installed]",
    "own": "The network it was made with, if it is your own or was not downloaded here; with a change, another one instead.",
}


@dataclass(frozen=True)
class NetworkFlags:
    """The networks that flags name, not yet open, and what flags say of one's own."""

    names: tuple[str, ...] = ()
    own: Own = field(default_factory=Own)
    device: str | None = None
    precision: str | None = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> NetworkFlags:
        """Takes what is said of networks out of the values of a command's flags."""
        named = values.pop("network", None) or ()
        own = {name: values.pop(name) for name in Own.model_fields if name in values}
        names = (named,) if isinstance(named, str) else tuple(named)
        return cls(names, choose(Own, **_said(own)), values.get("device"), values.get("precision"))

    def files(self) -> list[str]:
        """What may be files of one's own among what is said: weights, labels, code."""
        code = (self.own.definition or "").partition(":")[0].replace(".", "/")
        return [*self.names, *([self.own.labels] if self.own.labels else []), *([f"{code}.py", f"{code}/__init__.py"] if code else [])]

    def several(self, quiet: bool = False) -> list[Network | str] | None:
        """Those that are not built in open, the others by name; None where none was named."""
        from reverie.networks.sources.source import source

        self._remark(quiet)
        meant = [source(each) for each in self.names]
        said = _said(dict(self.own))
        if said.keys() - {"offline"} and not any(each.kind in ("file", "hf") for each in meant):
            name = next(iter(said))
            remedy = f"name its weights: {choice('network', 'FILE')} {choice('definition', 'M:F')}"
            raise UsageError(f"{choice(name)} is for a network of your own, and none is named", remedy)
        return [each.name if each.kind == "built-in" else self._open(each.text, quiet) for each in meant] or None

    def one(self, quiet: bool = False) -> Network | str:
        """The only one, of a command that takes one."""
        found = self.several(quiet)
        return found[0] if found else DEFAULT_NETWORK

    def by_name(self, at: int = 0) -> tuple[str, dict[str, Any]]:
        """One of those that were named, as another process opens it: its name, a file's from the root, and what `load` is told of it."""
        from reverie.networks.sources.source import source

        if not self.names:
            return DEFAULT_NETWORK, {}
        meant = source(self.names[at])
        name = str(expanded(meant.text).absolute()) if meant.kind == "file" else meant.text
        said = _said(dict(self.own)) if meant.kind in ("file", "hf") else {}
        if "native" in said:
            said["size"] = tuple(reversed(said.pop("native")))
        if "labels" in said:
            said["labels"] = str(expanded(said["labels"]).absolute())
        return name, said

    def own_by_name(self) -> list[tuple[str, dict[str, Any]]]:
        """Those of one's own among them, as other processes open them."""
        from reverie.networks.sources.source import source

        return [self.by_name(at) for at, name in enumerate(self.names) if source(name).kind in ("file", "hf")]

    def all_open(self, quiet: bool = False) -> list[Network]:
        self._remark(quiet)
        return [self._open(each, quiet) for each in self.names]

    def _remark(self, quiet: bool) -> None:
        """Tell of a precision that is slower here; a wrong one is told before anything is fetched."""
        if self.precision is not None:
            from reverie.networks.prepared import device

            where = device.choose(self.device)
            note = device.slower(where, device.precision(where, self.precision))
            if note and not quiet:
                remark(note)

    def _open(self, name: str, quiet: bool) -> Network:
        from reverie.cli.public import open_up
        from reverie.networks.prepared.device import choose as choose_device
        from reverie.networks.preprocessing import Preprocessing
        from reverie.networks.sources.source import source

        choose_device(self.device)  # a wrong one is told before anything is fetched
        own = source(name).kind in ("file", "hf")
        said = Preprocessing()
        if own:
            given = self.own
            said = Preprocessing.of(given.mean, given.std, given.range, given.native, given.labels, given.scores)
        with downloading(name, quiet) as progress:
            found = open_up(name, said, definition=self.own.definition if own else None, offline=self.own.offline, progress=progress)
        for note in (*(() if quiet else found.notes.remarks), *found.notes.warnings):
            remark(note)
        return found.network.to(self.device, self.precision)


def network_option(kind: str) -> click.Option:
    return click.Option(["network", "--network"], multiple=kind != "one", default=None, metavar="N", help=_HELP[kind])


def _said(own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in own.items() if value not in (None, False, ())}

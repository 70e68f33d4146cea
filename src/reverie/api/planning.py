"""One way from what was asked for to a plan: choices validated, networks open, inputs read, the recipe known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from reverie.api.opening import Networks, networks_from
from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.recipe import GROUPS, Ascent, Choices, Finish, Look, Machinery, Recipe, Request, Seed, choose, resolve
from reverie.render import check, check_objective, check_reach, machine, used_by
from reverie.render.class_words import with_numbers
from reverie.render.natural import check_natural
from reverie.target import Target

Inputs = Sequence[Any]  # as a recipe names them


@dataclass(frozen=True)
class Before:
    """What an earlier recipe had, where something is made again but for what is named.

    Attributes:
        choices: by name. targets: of each network; empty where the networks are others.
    """

    choices: Mapping[str, Any]
    targets: tuple[Target, ...] = ()


class Planning:
    """A request on its way to a plan; what is wrong with it comes to light before any time is spent.

    Attributes:
        request: what was asked for, validated.
        networks: open, all with the same channels.
        choices: what the recipe will have of them; they may be made to fit the inputs.

    Raises:
        UsageError: a choice that the command has not, out of bounds, or that changes nothing with these networks.
    """

    def __init__(self, command: str, network: Networks, given: Mapping[str, Any], before: Before | None = None) -> None:
        self.request: Request = resolve(command, given, None if before is None else before.choices)
        self._targets = None if before is None else before.targets
        self.networks = networks_from(network, self.machinery.device, self.machinery.precision)
        self.choices: Choices = self.request.choices
        check_colours(self.networks[0], self.request)

    @property
    def machinery(self) -> Machinery:
        return self.request[Machinery]

    @property
    def network(self) -> Network:
        """The first of them."""
        return self.networks[0]

    @property
    def seed(self) -> int:
        return self.request[Seed].seed

    def targets(self) -> list[Target]:
        """What each network is asked for."""
        if self._targets and not any(name in self.request.given for name in ("target", "level", "preset")):
            return list(self._targets)
        return [with_numbers(self.request.target(net.names, net.level), net) for net in self.networks]

    def with_ascent(self, **changes: Any) -> None:
        """Other choices of the ascent, which follow from the inputs."""
        ascent: Ascent = self.choices.ascent.model_copy(update=changes)
        self.choices = self.choices._replace(ascent=ascent)

    def fit(self, found: Mapping[str, Any]) -> None:
        """Choices that follow from the networks or the inputs, where nothing was said of them."""
        said = {*self.request.given, *self.request.before, *self.request.of_given_preset}
        free = {name: value for name, value in found.items() if name not in said}
        groups = {
            kind: getattr(self.choices, kind).model_copy(update={name: free[name] for name in model.model_fields if name in free})
            for kind, model in zip(Choices._fields, GROUPS, strict=True)
        }
        self.choices = self.choices._replace(**groups)

    def without_spread(self) -> None:
        """Of what begins with a picture, which keeps its own light and contrast."""
        self.choices = self.choices._replace(canvas=self.choices.canvas.model_copy(update={"spread": 0.0, "light": ()}))

    def check(self, targets: Sequence[Target], size: tuple[int, int], objective: str = "excite", direction: Tensor | None = None) -> None:
        """Raise UsageError where a network lacks what its target names on a picture of this size, (height, width)."""
        for net, each in zip(self.networks, targets, strict=True):
            check(each, net)
            check_reach(each, net, *size)
            check_objective(objective, each, net, direction)

    def recipe(self, targets: Sequence[Target], size: tuple[int, int], inputs: Inputs, **own: Any) -> Recipe:
        """The recipe: `own` are fields of this kind of picture alone.

        Args:
            targets: of each network.
            size: (height, width) of the picture.
        """
        if "networks" not in own:
            own["networks"] = tuple(used_by(net, each, targets[0]) for net, each in zip(self.networks, targets, strict=True))
        if self.choices.penalties.natural and not any(each.role == "usual" for each in inputs):
            check_natural(self.networks, targets, own.get("objective", ""))
        return Recipe(
            command=self.request.command.name,  # type: ignore[arg-type]
            inputs=tuple(inputs),
            target=targets[0],
            **self.choices._asdict(),
            height=size[0],
            width=size[1],
            channels=self.network.channels,
            seed=self.seed,
            machine=machine(self.network, self.machinery.threads),
            **own,
        )


def check_colours(network: Network, request: Request) -> None:
    """Raise UsageError for a choice of colours that changes nothing with so many channels, or that names one there is not."""
    channels, shown = network.channels, choose(Finish, shown=request[Look].shown).shown or request.choices.finish.shown
    for name in ("vivid", "keep_colour"):
        if channels != 3 and request.changed(name):
            raise _pointless(name, network, "only three channels are colours, as photographs have them")
    if shown and channels in (1, 3):
        raise _pointless("shown", network, "one channel is shown in grey, three in their colours")
    if shown and max(shown) >= channels:
        raise UsageError(choice("shown", ",".join(map(str, shown))), f"{network.name} has {channels} channels, numbered from 0")


def check_frames(network: Network) -> None:
    """Raise UsageError for a network whose pictures cannot be the frames of a film."""
    if network.channels not in (1, 3):
        raise UsageError(f"{network.name} takes {network.channels} channels, and a film has one or three", "dream single pictures with it")


def _pointless(name: str, network: Network, why: str) -> UsageError:
    return UsageError(f"{choice(name)} changes nothing on a network of {network.channels} channel{'s' * (network.channels > 1)}", why)

"""Commands that answer: recognise, networks, layers, doctor."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from reverie.cli import flags
from reverie.cli.console import aside, print_json, print_table, remark, say
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.errors import ReverieError, UsageError
from reverie.recipe import MAX_PIXELS


@with_network()
def recognise(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE", help="Pictures to recognise.", show_default=False)],
    top: Annotated[int, typer.Option("--top", help="How many labels.", metavar="N")] = 5,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    json: flags.Json = False,
) -> int:
    """The labels the network gives, with probabilities."""
    if top < 1:
        raise UsageError(f"--top {top}", "ask for at least one label")
    if max_pixels < 1:
        raise UsageError(f"--max-pixels {max_pixels}", "it is a whole number from 1 on")
    if len(pictures) == 1:
        check_readable(pictures[0])
    import reverie
    from reverie.api.opening import networks_from
    from reverie.pictures import load
    from reverie.render import threads as use_threads

    with use_threads(threads):  # a wrong number is found out before the network is opened
        (net,) = networks_from(network.one(device), device)
    answers: list[tuple[str, list[reverie.Label]]] = []
    code = 0
    with use_threads(threads):
        for picture in pictures:
            try:
                labels = net.recognise(load(picture, max_pixels, net.channels), top)
            except ReverieError as error:
                if len(pictures) == 1:
                    raise
                remark(str(error))
                code = code or error.exit_code
                continue
            answers.append((picture, labels))
    if json:
        print_json([{"picture": picture, "labels": [dataclasses.asdict(each) for each in labels]} for picture, labels in answers])
        return code
    for picture, labels in answers:
        say(picture)
        for each in labels:
            say(f"  {each.probability:7.2%}  {each.label} ({each.index})")
    return code


def check_readable(picture: str, what: str = "picture") -> None:
    """Raise InputError now, before torch is there, if there is no such file."""
    from reverie.files.source import reading
    from reverie.store import expanded

    if not picture:
        raise UsageError(f"a {what} without a name", "give the name of a file")
    with reading(expanded(picture), what):
        pass


def networks(json: flags.Json = False) -> None:
    """The networks that can be looked into."""
    from reverie.networks.builtin.listing import listed

    rows = listed()
    if json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    print_table(
        ["network", "size", "trained on", "licence", "state"],
        [[row.name, row.size, row.trained_on, row.licence, row.state] for row in rows],
    )
    aside("any other of torchvision:NAME, timm:NAME.TAG, hf:OWNER/NAME, or FILE --definition package.module:function")


@with_network()
def layers(
    network: Wanted = NONE,
    json: flags.Json = False,
) -> None:
    """The layers of a network, in forward order: what they give at its native size, and how much of the picture they see."""
    from reverie.api.opening import networks_from

    (net,) = networks_from(network.one("cpu"), "cpu")
    rows = [each._asdict() for each in net.layers]
    if json:
        print_json(rows)
        return
    head = ["layer", "kind", "channels", "height", "width", "stride", "sees", "level"]
    print_table(head, [[*list(row.values())[:6], row["receptive_field"] or "all", row["level"] or ""] for row in rows])
    prepared = net.prepare([])
    if prepared.unfolded:
        remark(f"{prepared.unfolded} of {prepared.folded + prepared.unfolded} normalisations cannot be folded and run as they are")


def doctor(json: flags.Json = False) -> None:
    """What is installed, which device there is, what is missing and how to get it."""
    from reverie.checkup import examine

    rows = examine()
    if json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    print_table(["what", "state", "remedy"], [[row.what, row.state, row.remedy] for row in rows])

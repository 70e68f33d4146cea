"""Commands that answer: recognise, labels, networks, layers, recipe, doctor."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Faults, aside, print_json, print_table, remark, say, told
from reverie.cli.flags import Call
from reverie.errors import Refused, UsageError, choice, unknown
from reverie.recipe import GivingBack, Listing, Machinery, NoiseSeed, Printing, Top, is_noise

if TYPE_CHECKING:
    from reverie.networks import Recognised
    from reverie.networks.builtin.class_lookup import ClassEntry
    from reverie.networks.builtin.listing import Row


def recognise(call: Call) -> int:
    (pictures,), top, machinery = call.subjects, call.of(Top).top, call.of(Machinery)
    if len(pictures) == 1 and not is_noise(pictures[0]):
        check_readable(pictures[0])
    from reverie.cli.public import networks_from, noise_of
    from reverie.files.limits import at_most_pixels
    from reverie.pictures import load, notes_on
    from reverie.render import threads

    (net,) = networks_from(call.network.one(), machinery.device, machinery.precision)
    answers: list[tuple[str, Recognised]] = []
    faults = Faults(many=len(pictures) > 1)
    with threads(machinery.threads), at_most_pixels(machinery.max_pixels):
        for picture in pictures:
            with faults.kept():
                loaded = noise_of(picture, call.of(NoiseSeed).seed, net.channels) if is_noise(picture) else load(picture, net.channels)
                for note in notes_on(loaded, f"'{picture}'"):
                    remark(note)
                answers.append((picture, net.recognise(loaded, top)))
    if call.of(Printing).as_json:
        print_json([{"picture": picture, **_as_data(labels)} for picture, labels in answers])
        return told(faults)
    for picture, labels in answers:
        say(picture)
        if labels.remark:
            say(f"  {labels.remark}")
        for each in labels:
            say(f"  {each.probability:7.2%}  {each.label} ({each.index})")
    return told(faults)


def _as_data(labels: Recognised) -> dict[str, Any]:
    known = labels.known
    return {"labels": [dataclasses.asdict(each) for each in labels], "known": None if known is None else known.as_data()}


def check_readable(picture: str, what: str = "picture") -> None:
    """Raise InputError now, before torch is there, if there is no such file; UsageError for noise where it is not taken."""
    from reverie.files.input_files import reading
    from reverie.store import expanded

    if not picture:
        raise UsageError(f"a {what} without a name", "give the name of a file")
    if is_noise(picture) and not os.path.lexists(expanded(picture)):
        raise UsageError(f"'{picture}' is noise, and a {what} is asked for here", "`dream`, `journey`, `recognise` and `ask` take noise")
    with reading(expanded(picture), what):
        pass


def labels(call: Call) -> int:
    from reverie.networks.builtin.class_lookup import entries

    names = _names(call)
    words, faults = list(dict.fromkeys(call.subjects[0])), {}
    try:
        rows = entries(names, words)
    except Refused as error:
        faults = error.faults
        left = [each for each in words if each not in faults]
        if not left and not call.of(Printing).as_json:
            raise
        rows = entries(names, left) if left else []
    if call.of(Printing).as_json:
        print_json([dataclasses.asdict(row) for row in rows])
    else:
        print_table(["class", "label", "also", "any of"], [_entry(row) for row in rows])
    return told([*faults.values()])


def _names(call: Call) -> Sequence[Sequence[str]]:
    """Of each class of the network; those of a built-in one are known without torch."""
    from reverie.networks.builtin.catalogue import CATALOGUE
    from reverie.networks.builtin.labels import imagenet

    network = call.network.one()
    if isinstance(network, str) and network in CATALOGUE:
        return imagenet()
    from reverie.cli.public import networks_from

    return networks_from(network, "cpu")[0].labels


def _entry(row: ClassEntry) -> list[object]:
    others = [name for name in row.names[1:] if name.casefold() != row.label.casefold()]
    return [row.index, row.label, ", ".join(others[:2]), ", ".join(row.words[:4])]


def networks(call: Call) -> None:
    from reverie.networks.builtin.listing import listed

    known, names = {each.name: each for each in listed()}, dict.fromkeys(call.subjects[0])
    for name in names:
        if name not in known:
            raise unknown("network", name, known, "`reverie networks` lists those that are known")
    rows = [known[name] for name in names or known]
    if names and not call.of(Printing).as_json:
        for row in rows:
            _tell_all(row)
        return
    _table(call, {"network": "name", "size": "size", "trained on": "trained_on", "licence": "licence", "state": "state"}, rows)
    if not call.of(Printing).as_json:
        aside("any other of torchvision:NAME, timm:NAME.TAG, hf:OWNER/NAME, or FILE --definition package.module:function")


def _tell_all(row: Row) -> None:
    """What is known of a network, a line each, and how well it tells what it knows."""
    facts = {name: value for name, value in dataclasses.asdict(row).items() if name != "rejector"}
    for name, value in _flat(facts | {each: " ".join(f"{x:.3f}" for x in facts[each]) for each in ("mean", "std")}):
        say(f"{name:<24}{_word(value)}")
    say("")
    if row.rejector is None:
        say("what it knows and what not was not measured: `recognise` does not say whether something known is there")
        return
    told = row.rejector
    low, high = told["threshold_interval"]
    say(f"known is what scores {told['threshold']:.2f} or more ({told['method']}), as 95 % of photographs of what it knows do;")
    say(f"learnt from {told['pictures']} photographs, so it may lie anywhere from {low:.2f} to {high:.2f}")
    print_table(
        ["where nothing is known", "pictures", "AUROC %", "pass where 95 % of known do, %", "nothing", "perhaps"],
        [[which, *_figures(each)] for which, each in told["sets"].items()],
    )


def _figures(told: dict[str, Any]) -> list[object]:
    spans = [
        f"{100 * told[name]:.0f} ({' to '.join(f'{100 * each:.0f}' for each in told[f'{name}_interval'])})" for name in ("auroc", "fpr95")
    ]
    return [told["pictures"], *spans, told["nothing"], told["perhaps"]]


def layers(call: Call) -> None:
    from reverie.cli.public import networks_from
    from reverie.target import of_layer

    (net,) = networks_from(call.network.one(), "cpu")
    rows = [each._asdict() for each in net.layers]
    if call.of(Printing).as_json:
        print_json(rows)
        return
    head = ["layer", "kind", "channels", "height", "width", "stride", "sees", "level"]
    print_table(
        head, [[of_layer(row["name"]), *list(row.values())[1:6], row["receptive_field"] or "all", row["level"] or ""] for row in rows]
    )
    prepared = net.prepare([])
    if prepared.unfolded:
        remark(f"{prepared.unfolded} of {prepared.folded + prepared.unfolded} normalisations cannot be folded and run as they are")


def recipe(call: Call) -> None:
    from reverie.album import read_recipe
    from reverie.cli.giving_back import give_back
    from reverie.networks.builtin.catalogue import level_at
    from reverie.recipe.description import differences, in_words

    (picture,) = call.subjects
    found = read_recipe(picture)
    giving = call.of(GivingBack)
    if giving.start or giving.inputs:
        give_back(picture, found, giving, call.of(Printing).as_json)
        return
    if giving.output is not None:
        raise UsageError(f"{choice('output')} for what is only told", f"say what to give back: {choice('start')} or {choice('inputs')}")
    data = json.loads(found.text())
    if call.of(Printing).as_json:
        print_json([{"picture": picture, "recipe": data}])
        return
    say(in_words(found, level_at(found.networks[0].name, str(found.target)) if found.networks else None))
    others = differences(found)
    width = max(24, *(len(name) + 1 for name, _, _ in others)) if others else 24
    for name, value, usual in others:
        say(f"{name:<{width}}{_word(value)}" + (f"   (usually {_word(usual)})" if usual is not None else ""))
    if call.of(Listing).all_fields:
        say("")
        for name, value in _flat(data):
            say(f"{name:<32}{_word(value)}")


def doctor(call: Call) -> None:
    from reverie.checkup import examine

    _table(call, {"what": "what", "state": "state", "remedy": "remedy"}, examine())


def _table(call: Call, columns: dict[str, str], rows: list[Any]) -> None:
    """Data classes as a table with these columns, or as JSON."""
    if call.of(Printing).as_json:
        print_json([dataclasses.asdict(row) for row in rows])
    else:
        print_table(list(columns), [[getattr(row, field) for field in columns.values()] for row in rows])


def _flat(data: object, name: str = "") -> list[tuple[str, object]]:
    if isinstance(data, dict):
        return [row for key, value in data.items() for row in _flat(value, f"{name}.{key}" if name else str(key))]
    if isinstance(data, list):
        return [row for index, value in enumerate(data) for row in _flat(value, f"{name}.{index}")]
    return [(name, data)]


def _word(value: object) -> str:
    return "-" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)

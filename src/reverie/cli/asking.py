"""The command ask: a table for each picture, of what several networks see in it; and a page, if a folder is named for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Faults, print_json, print_table, remark, say, told
from reverie.cli.flags import Call
from reverie.cli.query_commands import check_readable
from reverie.cli.seen_folder import PAGE, check_free
from reverie.errors import InputError
from reverie.recipe import Machinery, Printing, Writing, is_noise
from reverie.store import expanded, is_folder, made_folder, write_whole

if TYPE_CHECKING:
    from reverie.judging.answers import Asked


def ask(call: Call) -> int:
    writing, machinery = call.of(Writing), call.of(Machinery)
    place = None if writing.output is None else expanded(writing.output)
    if place is not None:  # found out before torch is there
        check_free(place, writing.force)
    faults = Faults(many=len(call.subjects[0]) > 1)
    pictures = _pictures(call.subjects[0], faults)
    faults.many = faults.many or len(pictures) > 1
    from reverie.cli.public import api, networks_from
    from reverie.networks import installed

    networks = networks_from(call.network.several() or list(installed()), machinery.device, machinery.precision)
    if len(networks) == 1:
        more = "name others beside it" if len(installed()) > 1 else "the extra `networks` brings two more, --network names others"
        remark(f"only {networks[0].name} is asked: there is nothing to compare; {more}")
    choices: dict[str, Any] = {name: value for name, value in call.choices.items() if name not in ("device", "precision")}
    answers: list[tuple[str, Asked]] = []
    for picture in pictures:
        with faults.kept():
            answers.append((picture, api.ask(picture, network=networks, **choices)))
    page = _written(place, [each for _, each in answers], writing.force) if place is not None and answers else None
    if call.of(Printing).as_json:
        beside = {} if place is None else {"path": None if page is None else str(page)}
        print_json([{**each.as_data(), "picture": picture, **beside} for picture, each in answers])
        return told(faults)
    for number, (picture, each) in enumerate(answers):
        if number:
            say("")
        _tell(picture, each)
    if page is not None:
        say(str(page))
    return told(faults)


def _pictures(given: tuple[str, ...], faults: Faults) -> list[str]:
    """Folders replaced by the pictures in them, made by Reverie or not. What is not there is found out now."""
    from reverie.files.input_files import READABLE, pictures_in

    found: list[str] = []
    for each in given:
        with faults.kept():
            if is_noise(each):
                found.append(each)
                continue
            if not each or not is_folder(expanded(each)):
                check_readable(each)
                found.append(each)
                continue
            inside = pictures_in(expanded(each))
            if not inside:
                raise InputError(f"no picture in the folder '{each}'", "pictures end in " + " ".join(sorted(READABLE)))
            found += [str(one) for one in inside]
    return found


def _tell(picture: str, asked: Asked) -> None:
    """A column for each network, a row for each class."""
    has_before = asked.before is not None
    head = [picture, *(each.network + " (made it)" * each.made_it for each in asked.observers), "on average", *(["before"] * has_before)]
    rows: list[list[object]] = [
        [each.label, *(f"{100 * one:.1f} %" for one in (*each.by, each.average)), *([f"{100 * (each.before or 0):.1f} %"] * has_before)]
        for each in asked.classes
    ]
    if any(each.remark for each in asked.observers):
        rows.append(["", *(each.remark for each in asked.observers), *[""] * (1 + has_before)])
    print_table(head, rows)
    say(asked.verdict)
    for note in asked.notes:
        remark(f"'{picture}': {note}")


def _written(place: Path, answers: list[Asked], force: bool) -> Path:
    """The page, in the folder that was named."""
    from reverie.judging.answers import observers_page

    made_folder(place)
    return write_whole(place / PAGE, observers_page(answers).encode(), replace=force)

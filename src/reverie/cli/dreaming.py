"""The command that begins with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import line, remark, say
from reverie.cli.estimates import of_all, of_picture
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs, named, stopped_early, what_for
from reverie.cli.query_commands import check_readable
from reverie.errors import InputError, MissingExtra, OutputError, ReverieError, UnsafeError
from reverie.recipe import Estimate, each_of
from reverie.store import expanded, is_folder, speakable

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.render import Plan

_ON_SHEET = 448  # pixels of width of a picture that is put on a sheet


def dream(call: Call) -> int:
    starts = pictures_of(call.subjects[0])
    for name in ("guide", "mask"):
        if call.given.get(name) is not None:
            check_readable(call.given[name])
    wanted = [(start, each) for start in starts for each in each_of(call.choices)]
    many = len(wanted) > 1
    out = Outputs(call, many)
    out.check_sheet(len(wanted))
    from reverie import api
    from reverie.pictures import to_width

    network: Any = call.network.several(out.printing.quiet)
    taken: dict[str, str] = {}
    first: ReverieError | None = None
    done = 0
    made: list[Picture] = []  # small, for the sheet
    labels: list[str] = []
    rows: list[dict[str, Any]] = []  # of estimates
    with line(out.printing.quiet) as shown, out.printed():
        for number, (start, choices) in enumerate(wanted, 1):
            shown.begin(f"dreaming {number}/{len(wanted)}" if many else "dreaming")
            try:
                plan = api.plan_dream(start, network=network, **choices)
                network = plan.networks
                if call.of(Estimate).estimate:
                    row, words = of_picture(start, plan, out.destination.file("a.png").suffix)
                    out.note(plan.start.notes)
                    out.tell(row, words)
                    rows.append(row)
                    done += 1
                    continue
                path = out.destination.file(_name(call, start, plan, starts, taken, choices.get("variant")))
                out.check_sheet(len(wanted), path)
                out.ready(path, plan.start, plan.recipe)
                if not shown.interrupted:
                    shown.close()
                    out.note((*plan.notes, *plan.start.notes))  # some of what is made takes long
                    picture = plan.make(shown, out.making)
                    shown.close()
                    done += 1
                    out.save(picture, path)
                    if out.sheet is not None:
                        made.append(to_width(picture, min(picture.size[1], _ON_SHEET)))
                        labels.append(path.stem)
            except (InputError, UnsafeError, OutputError, MissingExtra) as error:
                if not many:
                    raise
                remark(error)
                first = first or error
            if shown.interrupted:
                break
        out.save_sheet(made, labels)
        if len(rows) > 1 and not out.printing.as_json:
            say(of_all(rows))
    if out.unfinished or (done < len(wanted) and shown.interrupted):
        raise stopped_early(out.unfinished)
    return first.exit_code if first else 0


def pictures_of(starts: tuple[str, ...]) -> list[str]:
    """Folders replaced by the pictures in them. What is not there is found out now."""
    from reverie.files.input_files import READABLE, pictures_in

    found: list[str] = []
    for start in starts:
        if start.startswith("noise:"):
            found.append(start)
        elif not start or not is_folder(expanded(start)):
            check_readable(start)
            found.append(start)
        else:
            inside = [str(each) for each in pictures_in(expanded(start))]
            if not inside:
                raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(READABLE)))
            found += inside
    return found


def _name(call: Call, start: str, plan: Plan, starts: list[str], taken: dict[str, str], variant: int | None) -> str:
    """A name made from the start, the preset, the target and the seed, and of a variant its number; another for each start."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    how = "" if plan.recipe.objective == "excite" else f"-{plan.recipe.objective}"
    layers = "" if variant is None else "+".join(plan.recipe.target.layers())
    what = speakable(layers) if layers else what_for(call, plan.recipe.target)
    ending = f"-{what}{how}-{plan.recipe.seed}{'' if variant is None else f'-v{variant}'}.png"
    name, turn = named(stem, ending), 1
    while taken.setdefault(name, start) != start:
        turn += 1
        name = named(stem, f"-{turn}{ending}")
    return name

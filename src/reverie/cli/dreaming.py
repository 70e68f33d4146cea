"""The command that begins with pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.album import made_by_reverie
from reverie.cli.console import Faults, Line, line, remark, say, told
from reverie.cli.estimates import corrected, in_time, of_all, of_picture
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs, named, stem_of, what_for
from reverie.cli.query_commands import check_readable
from reverie.errors import InputError
from reverie.recipe import Estimate, each_of, is_noise
from reverie.store import expanded, is_folder, originals, speakable

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe
    from reverie.render import Plan

_WIDTH_ON_SHEET = 448  # pixels of width of a picture that is put on a sheet


def dream(call: Call) -> int:
    faults = Faults(many=len(call.subjects[0]) > 1)
    starts = pictures_of(call.subjects[0], faults)
    for name in ("guide", "mask"):
        if call.given.get(name) is not None:
            check_readable(call.given[name])
    wanted = [(start, each) for start in starts for each in each_of(call.choices)]
    many = faults.many = faults.many or len(wanted) > 1
    out = Outputs(call, many)
    with originals(Path(each) for each in starts):
        out.check_sheet(len(wanted))
    from reverie.cli.public import api
    from reverie.pictures import to_width

    network: Any = call.network.several(out.printing.quiet)
    done, has_told_time = 0, out.printing.quiet
    expected: tuple[float, float] | None = None  # seconds of the first that is made, and of the rest
    made: list[Picture] = []  # small, for the sheet
    labels: list[str] = []
    rows: list[dict[str, Any]] = []  # of estimates
    with originals(Path(each) for each in starts), line(out.printing.quiet) as shown, out.printed():
        if not call.of(Estimate).estimate:
            network = _on_sheet(out, wanted, network, shown)
        for number, (start, choices) in enumerate(wanted, 1):
            shown.begin(f"dreaming {number}/{len(wanted)}" if len(wanted) > 1 else "dreaming")
            out.start = start if len(starts) > 1 else ""
            with faults.kept():
                plan = api.plan_dream(start, network=network, **choices)
                network = plan.networks
                if call.of(Estimate).estimate:
                    row, words = of_picture(start, plan, out.destination.file("a.png").suffix)
                    out.note(plan.start.notes)
                    out.tell(row, words)
                    rows.append(row)
                    done += 1
                    continue
                path = out.ready(_name(call, start, plan, starts, choices.get("variant")), plan.start, plan.recipe)
                out.check_sheet(len(wanted), path)
                if shown.interrupted:
                    break
                if out.is_there(path):
                    picture = out.made_before(path, plan.kept)
                else:
                    shown.close()
                    out.note((*plan.notes, *plan.start.notes))  # some of what is made takes long
                    if not has_told_time and len(wanted) > 1:
                        has_told_time = True
                        expected = _tell_time([each for each, _ in wanted[number - 1 :]], start, plan, call.given.get("width"))
                    picture = plan.make(shown, out.making)
                    shown.close()
                    if not out.save(picture, path):
                        break
                    if expected and not shown.interrupted:
                        of_first, of_rest = expected
                        if note := corrected(of_first, picture.seconds or 0.0, of_rest, len(wanted) - number):
                            remark(note)
                        expected = None
                done += 1
                if out.sheet is not None:
                    made.append(to_width(picture, min(picture.size[1], _WIDTH_ON_SHEET)))
                    labels.append(path.stem)
            if shown.interrupted:
                break
        out.save_sheet(made, labels)
        if len(rows) > 1 and not out.printing.as_json:
            say(of_all(rows))
    code = told(faults)
    if out.unfinished or out.left or (done < len(wanted) and shown.interrupted):
        raise out.stopped(done, len(wanted))
    return code


def _on_sheet(out: Outputs, wanted: Sequence[tuple[str, dict[str, Any]]], network: Any, shown: Line) -> Any:
    """Raise OutputError now, before any is made, where a sheet of other pictures is there. What cannot be planned is told in its turn.

    Returns:
        the networks, open where they were needed.
    """
    from reverie.cli.public import api

    recipes: list[Recipe] = []
    for start, choices in wanted if out.sheet is not None and out.sheet.there else ():
        with Faults(many=True).kept():
            plan = api.plan_dream(start, network=network, **choices)
            network = plan.networks
            recipes.append(plan.recipe)
        if shown.interrupted:
            return network
    out.check_on_sheet(recipes)
    return network


def _tell_time(left: list[str], start: str, plan: Plan, wanted: int | None) -> tuple[float, float]:
    """Say how many pictures are left and about how long they take at the width that is wanted, measured on a part of this one.

    Returns:
        seconds of this one, and of the others.
    """
    from reverie.files import size_of

    recipe, pixels = plan.recipe, 0.0
    for each in left:
        size = None if each == start else size_of(expanded(each))  # (height, width)
        scale = 1.0 if size is None or wanted is None else wanted / size[1]
        pixels += recipe.height * recipe.width if size is None else size[0] * size[1] * scale**2
    one = plan.estimate().seconds
    seconds = one * pixels / (recipe.height * recipe.width)
    remark(f"{len(left)} picture{'s' * (len(left) > 1)}, about {in_time(seconds)}")
    return one, seconds - one


def pictures_of(starts: Sequence[str], faults: Faults) -> list[str]:
    """Folders replaced by the pictures in them that are nobody's dreams. What is not there is found out now."""
    found: list[str] = []
    for start in starts:
        with faults.kept():
            found += _pictures_at(start)
    return found


def _pictures_at(start: str) -> list[str]:
    from reverie.files.input_files import READABLE, pictures_in

    if is_noise(start):
        return [start]
    if not start or not is_folder(expanded(start)):
        check_readable(start)
        return [start]
    inside = pictures_in(expanded(start))
    if not inside:
        raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(READABLE)))
    if others := _others_in(expanded(start)):
        remark(f"left out of '{start}': {' and '.join(others)}")
    ours = made_by_reverie(inside)
    if len(ours) == len(inside):
        which = f"all {len(ours)} pictures in '{start}' were" if len(ours) > 1 else f"the only picture in '{start}' was"
        raise InputError(f"{which} made by Reverie", "name those that shall be dreamt on again")
    if ours:
        remark(f"{len(ours)} of {len(inside)} pictures in '{start}' were made by Reverie and are left out")
    return [str(each) for each in inside if each not in ours]


def _others_in(folder: Path) -> list[str]:
    """What of a folder is no picture and may be meant too: folders and films."""
    from reverie.files.films.reading import READABLE_FILMS

    inside = [each for each in folder.iterdir() if not each.name.startswith(".")]
    films = sum(each.suffix.lower() in READABLE_FILMS - {".gif"} for each in inside)
    counts = {"folders": sum(each.is_dir() for each in inside), "films": films}
    return [f"{count} {name if count > 1 else name[:-1]}" for name, count in counts.items() if count]


def _name(call: Call, start: str, plan: Plan, starts: list[str], variant: int | None) -> str:
    """A name made from the start, the preset, the target, the part of the picture and the seed, and of a variant its number."""
    stem = stem_of(start)
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    how = "" if plan.recipe.objective == "excite" else f"-{plan.recipe.objective}"
    how += "" if plan.recipe.where is None else f"-{plan.recipe.where}"
    layers = "" if variant is None else "+".join(plan.recipe.target.layers())
    what = speakable(layers) if layers else what_for(call, plan.recipe.target)
    return named(stem, f"-{what}{how}-{plan.recipe.seed}{'' if variant is None else f'-v{variant}'}.png")

"""The command that begins with pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.album import made_by_reverie
from reverie.cli.console import line, remark
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs, named, stopped_early
from reverie.cli.query_commands import check_readable
from reverie.errors import InputError, MissingExtra, OutputError, ReverieError, UnsafeError
from reverie.recipe import Estimate
from reverie.store import expanded, is_folder, originals, speakable

if TYPE_CHECKING:
    from reverie.render import Plan


def dream(call: Call) -> int:
    starts = _pictures_of(call.subjects[0])
    for name in ("guide", "mask"):
        if call.given.get(name) is not None:
            check_readable(call.given[name])
    many = len(starts) > 1
    out = Outputs(call, many)
    from reverie import api

    network: Any = call.network.several(out.printing.quiet)
    first: ReverieError | None = None
    done, told = 0, out.printing.quiet
    with originals(Path(each) for each in starts), line(out.printing.quiet) as shown, out.printed():
        for number, start in enumerate(starts, 1):
            shown.begin(f"dreaming {number}/{len(starts)}" if many else "dreaming")
            try:
                plan = api.plan_dream(start, network=network, **call.choices)
                network = plan.networks
                if call.of(Estimate).estimate:
                    out.tell(*_estimated(start, plan))
                    done += 1
                    continue
                path = out.ready(_name(start, plan, starts), plan.start, plan.recipe)
                if out.is_there(path):
                    out.tell_there(path, plan.kept)
                    done += 1
                elif not shown.interrupted:
                    if many and not told:
                        told = True
                        _tell_time(starts[number - 1 :], start, plan, call.given.get("width"))
                    picture = plan.make(shown, out.making)
                    shown.close()
                    done += 1
                    out.save(picture, path)
            except (InputError, UnsafeError, OutputError, MissingExtra) as error:
                if not many:
                    raise
                remark(error)
                first = first or error
            if shown.interrupted:
                break
    if out.unfinished or (done < len(starts) and shown.interrupted):
        raise stopped_early(out.unfinished)
    return first.exit_code if first else 0


def _estimated(start: str, plan: Plan) -> tuple[dict[str, Any], str]:
    """What a dream would take, as data and in words."""
    found, recipe = plan.estimate(), plan.recipe
    cut = f"in {found.tiles} tiles of {recipe.tiles.tile} + {recipe.tiles.halo}" if recipe.tiles else "in one pass"
    disk = f", {found.disk / 1e9:.1f} GB of disk while it works" if found.disk else ""
    words = f"{start}: {recipe.width}×{recipe.height} {cut}, about {_time(found.seconds)}, {found.memory / 1e9:.1f} GB of memory{disk}"
    return {"start": start, "width": recipe.width, "height": recipe.height, **asdict(found)}, words


def _tell_time(left: list[str], start: str, plan: Plan, wanted: int | None) -> None:
    """Say how many pictures are left and about how long they take at the width that is wanted, measured on a part of this one."""
    from reverie.files import size_of

    recipe, pixels = plan.recipe, 0.0
    for each in left:
        size = None if each == start else size_of(expanded(each))  # (height, width)
        scale = 1.0 if size is None or wanted is None else wanted / size[1]
        pixels += recipe.height * recipe.width if size is None else size[0] * size[1] * scale**2
    seconds = plan.estimate().seconds * pixels / (recipe.height * recipe.width)
    remark(f"{len(left)} pictures, about {_time(seconds)}")


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _pictures_of(starts: tuple[str, ...]) -> list[str]:
    """Folders replaced by the pictures in them that are nobody's dreams. What is not there is found out now."""
    from reverie.files.input_files import READABLE, pictures_in

    found: list[str] = []
    for start in starts:
        if start.startswith("noise:"):
            found.append(start)
        elif not start or not is_folder(expanded(start)):
            check_readable(start)
            found.append(start)
        else:
            inside = pictures_in(expanded(start))
            if not inside:
                raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(READABLE)))
            ours = made_by_reverie(inside)
            if len(ours) == len(inside):
                raise InputError(f"all {len(ours)} pictures in '{start}' were made by Reverie", "name those that shall be dreamt on again")
            if ours:
                remark(f"{len(ours)} of {len(inside)} pictures in '{start}' were made by Reverie and are left out")
            found += [str(each) for each in inside if each not in ours]
    return found


def _name(start: str, plan: Plan, starts: list[str]) -> str:
    """A name made from the start, target and seed."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    how = "" if plan.recipe.objective == "excite" else f"-{plan.recipe.objective}"
    return named(stem, f"-{speakable(plan.recipe.target)}{how}-{plan.recipe.seed}.png")

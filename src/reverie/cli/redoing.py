"""The command that makes again what was made before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reverie.album import read_recipe
from reverie.cli.console import line, remark
from reverie.cli.flags import Call
from reverie.cli.moving import check_output, make
from reverie.cli.outputs import Outputs, named
from reverie.cli.query_commands import check_readable
from reverie.recipe import Machinery, Recipe, choose, is_noise
from reverie.store import expanded, sha256_of

_AS_IT_WAS = frozenset({"start", *Machinery.model_fields})  # choices that leave the picture as it is


def redo(call: Call) -> int:
    (picture,) = call.subjects
    check_readable(picture)
    source, old = expanded(picture), read_recipe(expanded(picture))
    out = None if old.moves else Outputs(call, several=False)
    if old.moves:
        check_output(call)
    from reverie.cli.public import api
    from reverie.files import SUFFIXES
    from reverie.render import Plan

    other_start = _is_another_start(call.given.get("start"), old)
    as_it_was = _AS_IT_WAS - {"start"} if other_start else _AS_IT_WAS
    changes: dict[str, Any] = {name: value for name, value in call.choices.items() if name not in as_it_was}
    there = call.given.get("device") or ("cpu" if old.machine.device == "cpu" else None)  # of a network that is named
    how = call.given.get("precision") or api.carried_by(picture).precision(there)
    opened = replace(call.network, device=there, precision=how).all_open(call.given.get("quiet", False))
    if other_start and not old.from_noise_alone:
        remark(f"'{call.given['start']}' is not what '{source.name}' began with: the same, but on this start")
    others = [each for each in opened if not any(each.has_weights(used.sha256) for used in old.networks)]
    for each in others:
        what = f"'{each.name}' with these weights (sha256 {each.sha256[:12]}…)"
        remark(f"{what} is not what '{source.name}' was made with: the same, but by this network")
    if changes or others:
        kept = {name: value for name, value in call.choices.items() if name not in changes}
        plan = api.plan_again(picture, network=opened or None, **kept, **changes)
    else:
        machinery = choose(Machinery, **{name: value for name, value in call.choices.items() if name in Machinery.model_fields})
        plan = api.plan_redo(api.carried_by(picture, call.given.get("start"), opened), machinery)
    if not isinstance(plan, Plan) or out is None:
        assert not isinstance(plan, Plan)
        whole = source.absolute()
        name = whole.with_name(whole.parent.name if whole.suffix.lower() == ".png" else whole.name)  # of a folder of frames, or a film
        return make(call, plan, named(name.stem, f"-redo{name.suffix}"))
    usual = named(source.stem, "-redo" + (source.suffix if source.suffix.lower() in SUFFIXES else ".png"))
    path = out.ready(usual, plan.start, plan.recipe)
    if out.is_there(path):
        with out.printed():
            out.tell_there(path)
        return 0
    with line(out.printing.quiet) as shown, out.printed():
        made = plan.make(shown)
        shown.close()
        as_asked = made.recipe is not None and made.recipe.stopped == plan.recipe.stopped
        written = out.save(made, path, as_asked=as_asked)
    if not written or (shown.interrupted and not as_asked):
        raise out.stopped(1, 1)
    return 0


def _is_another_start(start: str | None, old: Recipe) -> bool:
    """Whether what is named is nothing that went in, so that it is a change: noise, or a file of other content."""
    if start is None or expanded(start).is_dir():
        return False
    if is_noise(start) or old.from_noise_alone:
        return True
    check_readable(start, "film" if old.film else "picture")
    return sha256_of(expanded(start)) not in old.contents

"""`reverie cache`: what is kept, and making it smaller. It needs no torch."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from reverie.cli.console import print_json, print_table, remark, say
from reverie.cli.flags import Call
from reverie.errors import UsageError, choice, unknown
from reverie.recipe import Printing, Pruning
from reverie.store import cache_folder, expanded, holdings, prune

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def cache(call: Call) -> None:
    pruning, as_json = call.of(Pruning), call.of(Printing).as_json
    kinds, older_than, to = pruning.kind, pruning.older_than, pruning.to
    known = [each.kind for each in holdings()]
    for kind in kinds or ():
        if kind not in known:
            raise unknown("kind", kind, known, "there are " + ", ".join(known))
    chosen = bool(kinds) or older_than is not None or to is not None
    if pruning.prune and not chosen:
        example = f"{choice('kind', 'features')}, {choice('older_than', 30)}, {choice('to', '1GB')}"
        raise UsageError(f"{choice('prune')} of everything", f"say what: {example} (`redo` needs the inputs)")
    if chosen and not pruning.prune:
        raise UsageError("which files, but not what to do with them", f"add {choice('prune')} to remove them")
    gone = prune(kinds or (), older_than, None if to is None else _bytes(to)) if pruning.prune else None
    rows = holdings()
    if as_json:
        print_json([{**dataclasses.asdict(each), "folder": str(cache_folder() / each.kind)} for each in rows])
    else:
        table = [[each.kind, each.files, _shown(each.size), each.what] for each in rows]
        print_table(
            ["kind", "files", "size", "what"],
            [*table, ["in all", sum(each.files for each in rows), _shown(sum(each.size for each in rows)), ""]],
        )
        say(f"in {cache_folder()}")
    if gone is not None:
        remark(f"removed {gone.files} file{'s' * (gone.files != 1)}, {_shown(gone.size)}")
    hub = _hub()
    if hub.is_dir():
        remark(f"what came from the Hugging Face hub is kept in {hub}; `hf cache` lists and prunes it")


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise UsageError(choice("to", text), "write it like 500MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2]])


def _shown(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"


def _hub() -> Path:
    """Where huggingface_hub keeps its files, by its own documented variables."""
    home = expanded(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return expanded(os.environ.get("HF_HUB_CACHE") or home / "hub")

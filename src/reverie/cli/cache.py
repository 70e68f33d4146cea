"""`reverie cache`: what is kept, and making it smaller. It needs no torch."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from reverie.cli import flags
from reverie.cli.console import print_json, print_table, remark, say
from reverie.errors import UsageError, unknown
from reverie.store import KINDS, cache_folder, expanded, holdings, prune

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def cache_command(
    prune_it: Annotated[bool, typer.Option("--prune", help="Remove files, the oldest first: say which with the flags below.")] = False,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help=f"Of this kind alone: {', '.join(KINDS)}.", metavar="KIND")] = None,
    older_than: Annotated[float | None, typer.Option("--older-than", help="Only what was last used more days ago.", metavar="DAYS")] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Only as many as it takes to come down to this size: 500MB, 2GB.", metavar="SIZE")
    ] = None,
    json: flags.Json = False,
) -> None:
    """What is kept in the cache, how large it is; and prune it."""
    known = [each.kind for each in holdings()]
    for kind in kinds or ():
        if kind not in known:
            raise unknown("kind", kind, known, "there are " + ", ".join(known))
    if older_than is not None and not older_than >= 0:
        raise UsageError(f"--older-than {older_than:g}", "it is a number of days from 0 on")
    chosen = bool(kinds) or older_than is not None or to is not None
    if prune_it and not chosen:
        raise UsageError("--prune of everything", "say what: --kind features, --older-than 30, --to 1GB (`redo` needs the inputs)")
    if chosen and not prune_it:
        raise UsageError("which files, but not what to do with them", "add --prune to remove them")
    gone = prune(kinds or (), older_than, None if to is None else _bytes(to)) if prune_it else None
    rows = holdings()
    if json:
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
        raise UsageError(f"--to {text}", "write it like 500MB or 2GB")
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

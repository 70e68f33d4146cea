"""The files that weights lie in: one, or shards, given by the index that names them, by one of them, or by their folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reverie.errors import InputError
from reverie.networks.checkpoints.claims import LONGEST, brief, damaged, refused

_INDEX = ".index.json"
_LARGEST = 16 << 20  # bytes of an index
_MOST = 1000  # shards
_SHARD = re.compile(r"(.*)-(\d{1,5})-of-(\d{1,5})(\.[A-Za-z]+)")
_SINGLE = ("model.safetensors", "pytorch_model.bin")  # as the hub's libraries call them
_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


def parts_of(place: Path, name: str) -> tuple[Path, ...]:
    """The files with the weights that a path means.

    Raises:
        InputError: a folder without weights or with several, an index that is none, a shard that is missing.
    """
    if place.is_dir():
        place = _in_folder(place, name)
    if place.name.endswith(_INDEX):
        return _indexed(place)
    shard = _SHARD.fullmatch(place.name)
    if shard is None or int(shard[3]) < 2 or not place.is_file():
        return (place,)
    stem, digits, count = shard[1], len(shard[2]), int(shard[3])
    if count > _MOST:
        raise refused(name, f"is one of {count:,} shards; {_MOST:,} are the most")
    return _all_there(place.parent, [f"{stem}-{number:0{digits}}-of-{shard[3]}{shard[4]}" for number in range(1, count + 1)], name)


def _in_folder(folder: Path, name: str) -> Path:
    inside = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    for wanted in (
        [each for each in inside if each.name.endswith(_INDEX) and _SHARD.match(each.name) is None][:1],
        [each for each in inside if each.name in _SINGLE][:1],
        [each for each in inside if each.suffix.lower() in _SUFFIXES],
    ):
        if len(wanted) == 1:
            return wanted[0]
    those = [each.name for each in inside if each.suffix.lower() in _SUFFIXES]
    if not those:
        raise InputError(f"'{name}' is a folder without weights", "give a file of weights, or a folder with one")
    first = those[0] if _SHARD.fullmatch(those[0]) else ""
    if first and all(_SHARD.fullmatch(each) for each in those):
        return folder / first
    raise InputError(f"'{name}' is a folder with {len(those)} files of weights", f"give one of them, such as {brief(those[0])}")


def _indexed(place: Path) -> tuple[Path, ...]:
    try:
        with place.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise refused(place.name, "is an index of more than 16 MB")
        index: Any = json.loads(content)
        shards = list(dict.fromkeys(index["weight_map"].values()))
    except FileNotFoundError as error:
        raise InputError(f"'{place.name}' does not exist", "check the path") from error
    except OSError as error:
        raise InputError(f"'{place.name}' cannot be read ({error.strerror or error})", "check the path") from error
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise damaged(place.name, "is damaged: it is no index of shards") from error
    if not 0 < len(shards) <= _MOST:
        raise damaged(place.name, f"is an index of {len(shards)} shards")
    for each in shards:
        if not isinstance(each, str) or len(each) > LONGEST or Path(each).name != each or "\\" in each or "\0" in each:
            raise refused(place.name, f"is an index of files that lie elsewhere: {brief(each)}")
    return _all_there(place.parent, shards, place.name)


def _all_there(folder: Path, shards: list[str], name: str) -> tuple[Path, ...]:
    missing = [each for each in shards if not (folder / each).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(f"of the {len(shards)} shards of '{name}' {brief(missing[0])}{more} is not there", "put them into one folder")
    return tuple(folder / each for each in shards)

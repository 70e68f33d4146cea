"""Files of torch.save: looked through from outside, then the numbers taken from where they lie; no unpickler reads them, torch's neither.

Two kinds: a zip of data.pkl and one stored entry for each storage; and, of before torch 1.6, five pickles with the storages after them.
"""

from __future__ import annotations

import struct
import sys
import zipfile
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from reverie.errors import choice
from reverie.networks.checkpoints.claims import LONGEST, Claim, brief, damaged, of_numpy, refused
from reverie.networks.checkpoints.pickle_scan import PickleReader, Stored

ZIP = b"PK\x03\x04"
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch's magic number, pickled
ENTRIES = 100_000  # of a zip
LONGEST_PICKLE = 64 << 20  # bytes
_LOCAL = 30  # bytes of an entry's own header, before its name
_END = struct.Struct("<4s4H2LH")  # of a zip: signature, disks, entries twice, size and place of the directory, comment
_END64 = struct.Struct("<4sLQL")  # where the end of a large one is: signature, disk, place, disks
_RECORD64 = struct.Struct("<4sQ2H2L4Q")  # that end: signature, own size, versions, disks, entries twice, size and place of the directory
_PROGRAMS = {
    "archive_format": "torch.export",
    "serialized_exported_program.json": "torch.export",
    "constants.pkl": "TorchScript",
    "models/model.json": "torch.export",
}
_EXPORTED = "for a file of your own, in Python: reverie.wrap(torch.export.unflatten(torch.export.load(FILE)), mean=…, std=…)"
_SCRIPTED = f"for a file of your own: save the module's state_dict() with safetensors, and give {choice('definition')} beside it"
_SMALL = {"byteorder": 8, "version": 16, ".format_version": 16, ".storage_alignment": 16, ".data/serialization_id": 64}


class Looked(NamedTuple):
    """What a file says it holds, and where.

    Attributes:
        value: its dictionaries, with Claims for tensors and StandIns for what is no tensor.
        places: by the key of a storage, where in the file its bytes begin.
        swapped: its numbers are of a machine with another order of bytes than this one.
    """

    value: Any
    places: Mapping[str, int]
    swapped: bool


def look(file: IO[bytes], size: int, name: str) -> Looked:
    """What the file says it holds. Nothing in it is run, and no tensor is made.

    Args:
        file: a zip or a legacy file of torch.save.
        size: its bytes.
        name: for messages.

    Raises:
        InputError: it is damaged, or is no file of weights.
        UnsafeError: it is more than a file of weights, or claims what it does not hold.
    """
    file.seek(0)
    return _look_zip(file, size, name) if file.read(4) == ZIP else _look_legacy(file, size, name)


def numbers(file: IO[bytes], looked: Looked, claims: Mapping[str, Claim], name: str) -> dict[str, Tensor]:
    """The tensors of these Claims, on the CPU, each with memory of its own; of the file no more is read than they need.

    Raises:
        InputError: it ends before they do, or they need more memory than is free.
    """
    found = {key: torch.empty(claim.shape, dtype=claim.dtype) for key, claim in claims.items() if 0 in claim.shape}
    together: dict[str, list[str]] = {}
    for key, claim in claims.items():
        if key not in found:
            together.setdefault(claim.key, []).append(key)
    for storage, keys in together.items():
        those = [claims[key] for key in keys]
        first, last, dtype = min(each.offset for each in those), max(each.end for each in those), those[0].dtype
        try:
            content = bytearray((last - first) * dtype.itemsize)
        except MemoryError as error:
            raise damaged(name, "needs more memory than is free") from error
        file.seek(looked.places[storage] + first * dtype.itemsize)
        if file.readinto(content) != len(content):  # type: ignore[attr-defined]
            raise damaged(name, "is cut short: it ends before its tensors do")
        if looked.swapped:
            np.frombuffer(content, f"u{dtype.itemsize}").byteswap(inplace=True)
        held = torch.frombuffer(content, dtype=dtype)
        for key, claim in zip(keys, those, strict=True):
            found[key] = held.as_strided(claim.shape, claim.strides, claim.offset - first).clone()
    return {key: found[key] for key in claims}


# ── zip ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _look_zip(file: IO[bytes], size: int, name: str) -> Looked:
    count = _check_end(file, size, name)
    try:
        with zipfile.ZipFile(file) as archive:
            if len(archive.infolist()) != count:
                raise damaged(name, "is damaged: its directory does not go with its size")
            entries = _entries(archive, size, name)
            for path, limit in _SMALL.items():
                if path in entries and entries[path].file_size > limit:
                    raise refused(name, f"has a {path} of {entries[path].file_size:,} bytes")
            order = archive.read(entries["byteorder"]) if "byteorder" in entries else b"little"
            if order not in (b"little", b"big"):
                raise damaged(name, "is damaged: its order of bytes is neither little nor big")
            if entries["data.pkl"].file_size > LONGEST_PICKLE:
                raise refused(name, f"has a pickle of more than {LONGEST_PICKLE >> 20} MB")
            content = archive.read(entries["data.pkl"])
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError, struct.error) as error:
        raise damaged(name, "is damaged: its archive cannot be followed") from error
    reader = PickleReader(content, name)
    value = reader.value()
    if reader.position != len(content):
        raise refused(name, "has more after its pickle")
    places: dict[str, int] = {}
    for key, stored in reader.storages.items():
        entry = entries.get(f"data/{key}")
        if entry is None or entry.file_size != stored.size:
            held = "nothing" if entry is None else f"{entry.file_size:,} bytes"
            raise refused(name, f"claims {stored.size:,} bytes for the storage {brief(key)}, and holds {held}")
        places[key] = _begin(file, entry, size, name)
    return Looked(value, places, order.decode() != sys.byteorder)


def _begin(file: IO[bytes], entry: zipfile.ZipInfo, size: int, name: str) -> int:
    """Where the bytes of an entry begin: after its own header, which says how long it is."""
    file.seek(entry.header_offset)
    head = file.read(_LOCAL)
    called = file.read(int.from_bytes(head[26:28], "little"))
    begin = entry.header_offset + _LOCAL + len(called) + int.from_bytes(head[28:30], "little")
    if len(head) < _LOCAL or head[:4] != ZIP or called != entry.filename.encode() or begin + entry.file_size > size:
        raise damaged(name, "is damaged: its archive cannot be followed")
    return begin


def _check_end(file: IO[bytes], size: int, name: str) -> int:
    """How many files it has: one directory, at the end, not larger than a file of weights needs, before anything reads it."""
    file.seek(max(0, size - _END.size))
    tail = file.read(_END.size)
    if len(tail) < _END.size or tail[:4] != b"PK\x05\x06":
        raise damaged(name, "is cut short, or no archive of torch: its directory is not at its end")
    _, disk, first, here, entries, directory, place, comment = _END.unpack(tail)
    end = size - _END.size
    if 0xFFFF in (here, entries) or 0xFFFFFFFF in (directory, place):
        try:
            file.seek(end - _END64.size)
            signature, _, record, _ = _END64.unpack(file.read(_END64.size))
            file.seek(record)
            kind, _, _, _, disk, first, here, entries, directory, place = _RECORD64.unpack(file.read(_RECORD64.size))
        except (OSError, ValueError, struct.error, OverflowError) as error:
            raise damaged(name, "is damaged: its directory is not to be found") from error
        if (signature, kind) != (b"PK\x06\x07", b"PK\x06\x06") or record + _RECORD64.size + _END64.size != end:
            raise damaged(name, "is damaged: its directory is not to be found")
        end = record
    if disk or first or comment or here != entries or place + directory > end:
        raise damaged(name, "is damaged: its directory does not go with its size")
    if entries > ENTRIES or directory > ENTRIES * 200 or place + directory + _END64.size + _RECORD64.size < end:
        raise refused(
            name,
            f"is an archive of {entries:,} files, with a directory of {directory:,} bytes",
            "a file of weights has one for each tensor",
        )
    return int(entries)


def _entries(archive: zipfile.ZipFile, size: int, name: str) -> dict[str, zipfile.ZipInfo]:
    """The entries by their path in the archive's folder: stored as they are, apart from each other, each under one name."""
    found: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    folder = infos[0].filename.partition("/")[0] + "/" if infos else ""
    inner = {each.filename.partition("/")[2] for each in infos}
    for path, maker in _PROGRAMS.items():
        if path in inner or path in {each.filename for each in infos}:
            remedy = _EXPORTED if maker == "torch.export" else _SCRIPTED
            raise refused(name, f"is a program of {maker}, and reading one can run what its maker wrote", remedy)
    if infos and all(each.filename.endswith(".npy") for each in infos):
        raise of_numpy(name)
    if "data.pkl" not in inner:
        raise damaged(name, "is an archive, but none of torch: it has no data.pkl")
    end = 0
    for each in sorted(infos, key=lambda info: info.header_offset):
        path = each.filename.removeprefix(folder)
        if not each.filename.startswith(folder) or each.orig_filename != each.filename or len(path) > LONGEST or "\\" in path:
            raise refused(name, f"has a file of a name that torch does not write: {brief(each.orig_filename)}")
        if path.startswith("/") or ".." in each.filename.split("/") or path.lower() in found:
            raise refused(name, f"has a file of a name that is used twice or leads out of it: {brief(each.filename)}")
        if each.compress_type != zipfile.ZIP_STORED or each.compress_size != each.file_size or each.flag_bits & 0x2041:
            raise refused(
                name, f"has a file that is packed, and torch packs none: {brief(each.filename)}", "unpack the weights out of it first"
            )
        if each.header_offset < end:
            raise refused(name, "has files that lie over each other")
        end = each.header_offset + 30 + len(each.filename.encode()) + each.compress_size
        if end > size:
            raise damaged(name, "is cut short: its files end behind its end")
        found[path.lower()] = each
    return {each.filename.removeprefix(folder): each for each in found.values()}


# ── legacy ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _look_legacy(file: IO[bytes], size: int, name: str) -> Looked:
    """Five pickles: magic number, version, what machine it was, the weights, the order of storages. Then each storage with its length."""
    file.seek(0)
    reader = PickleReader(file.read(LONGEST_PICKLE), name, old=True)
    if reader.value() != int.from_bytes(LEGACY[4:-1], "little") or reader.value() != 1001:
        raise damaged(name, "is of a version that torch does not know")
    machine = reader.value()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise refused(name, "is of a machine with another order of bytes", "save it again, with a torch of 1.6 or later")
    value, keys = reader.value(), reader.value()
    if type(keys) is not list or any(type(each) is not str for each in keys) or sorted(keys) != sorted(reader.storages):
        raise refused(name, "does not hold the storages that its tensors use")
    places = _places(file, reader.position, [reader.storages[each] for each in keys], size, name)
    return Looked(value, places, sys.byteorder != "little")


def _places(file: IO[bytes], place: int, storages: list[Stored], size: int, name: str) -> dict[str, int]:
    """Where each storage begins: one after the other, its length before it."""
    places = {}
    for each in storages:
        places[each.key] = place + 8
        file.seek(place)
        head = file.read(8)
        place += 8 + each.size
        if len(head) < 8 or place > size:
            raise damaged(name, "is cut short: it ends before its tensors do")
        if int.from_bytes(head, "little", signed=True) != each.count:
            raise refused(name, f"claims {each.count:,} elements for the storage {brief(each.key)}, and holds another number")
    if place != size:
        raise refused(name, "has more after its tensors")
    return places

"""Files of weights while they are looked through, hashed and read: one, or several shards as if they were one."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from torch import Tensor

from reverie.errors import InputError, UnsafeError
from reverie.networks.checkpoints import safetensors_header, torch_save
from reverie.networks.checkpoints.claims import brief, damaged, refused
from reverie.networks.checkpoints.fitting import Found, gathered
from reverie.networks.checkpoints.shards import parts_of
from reverie.store import sha256_of

ROOM, TIMES = 1 << 30, 20  # a file may be so many times as large as its module, and 1 GB: checkpoints of a training hold more than weights
_FETCH = "fetch it again, and compare its size with what its page says"
_KNOWN = "what is read: .safetensors, and .pth or .pt files of torch.save that hold a state dict"
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "is a pointer of git-lfs, and not the file itself", "fetch the file itself: git lfs pull"),
    (b"<", "is a web page, and no file of weights", "follow the page's link to the file"),
    (b"\x1f\x8b", "is packed with gzip", "unpack it first"),
    (b"\x89HDF\r\n", "is a file of HDF5 or Keras, and no weights of torch", _KNOWN),
    (b"\x93NUMPY", "is an array of NumPy, and no weights of torch", _KNOWN),
    (b"GGUF", "is a file of GGUF, and no weights of torch", _KNOWN),
)


@dataclass
class Part:
    """One file, open.

    Attributes:
        before: what the system said of it when it was opened.
        looked: what a file of torch.save holds; None of one of safetensors.
        found: its tensors.
    """

    place: Path
    name: str
    file: IO[bytes]
    before: os.stat_result
    looked: torch_save.Looked | None
    found: Found

    def read(self, names: Mapping[str, str]) -> dict[str, Tensor]:
        """The tensors of these names that lie here, by the names that they shall have."""
        here = {theirs: mine for theirs, mine in names.items() if theirs in self.found.tensors}
        if self.looked is None:
            given = safetensors_header.load(self.place, here, self.name)
        else:
            given = torch_save.numbers(self.file, self.looked, {each: self.found.tensors[each] for each in here}, self.name)
        return {here[theirs]: each for theirs, each in given.items()}


@dataclass
class Opened:
    """The files of one network's weights.

    Attributes:
        found: the tensors of all of them.
    """

    parts: list[Part]
    found: Found

    def read(self, names: Mapping[str, str]) -> dict[str, Tensor]:
        """The tensors of these names in the files, by the names that they shall have, in their order."""
        read: dict[str, Tensor] = {}
        for part in self.parts:
            read |= part.read(names)
        return {mine: read[mine] for mine in names.values()}

    def digest(self) -> str:
        """The sha256 of the file; of several that of all of theirs."""
        each = sorted(sha256_of(part.place) for part in self.parts)
        return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()

    def check_unchanged(self) -> None:
        """Raise InputError where a file is another than when it was opened."""
        for part in self.parts:
            before, after = part.before, part.place.stat()
            if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
                raise InputError(f"'{part.name}' was changed while it was read", "try again once nothing writes it")


@contextmanager
def opened(place: Path, name: str, own: Mapping[str, Tensor] | None = None) -> Iterator[Opened]:
    """A file of weights, or the shards that it stands for, looked through.

    Args:
        own: the module's tensors: a file that is far larger is refused before it is looked into.
    """
    places = _parts(place, name)
    with ExitStack() as stack:
        parts: list[Part] = []
        for each in places:
            called = name if len(places) == 1 else each.name
            file = stack.enter_context(_open_file(each, called))
            before = os.fstat(file.fileno())
            size = _size(file, called, own)
            looked, found = _look(file, size, called)
            parts.append(Part(each, called, file, before, looked, found))
        yield Opened(parts, parts[0].found if len(parts) == 1 else _together(parts, name))


def _parts(place: Path, name: str) -> tuple[Path, ...]:
    try:
        return parts_of(place, name)
    except ValueError as error:
        raise InputError(f"'{name}' does not exist", "check the path") from error
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", "check the path") from error


def _together(parts: list[Part], name: str) -> Found:
    found = Found()
    for part in parts:
        for key, claim in part.found.tensors.items():
            if key in found.tensors:
                raise refused(name, f"has two entries named {brief(key)} in its shards")
            found.tensors[key], found.groups[key] = claim, part.found.groups[key]
    return found


def _open_file(place: Path, name: str) -> IO[bytes]:
    remedy = "check the path"
    try:
        mode = place.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"'{name}' is a folder", "give a file in it")
        if not stat.S_ISREG(mode):
            raise InputError(f"'{name}' is not a file", "give a file of weights")
        return place.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"'{name}' does not exist", remedy) from error
    except PermissionError as error:
        raise InputError(f"'{name}' may not be read", "change its permissions") from error
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", remedy) from error


def _size(file: IO[bytes], name: str, own: Mapping[str, Tensor] | None) -> int:
    """Bytes of the file, which no more than a checkpoint of this module can have."""
    size = file.seek(0, 2)
    if not size:
        raise InputError(f"'{name}' is empty", _FETCH)
    if own is not None and size > TIMES * sum(each.nbytes for each in own.values()) + ROOM:
        raise refused(name, f"has {size / 1e9:.1f} GB, more than any checkpoint of this network", "check that it belongs to this network")
    return size


def _look(file: IO[bytes], size: int, name: str) -> tuple[torch_save.Looked | None, Found]:
    """What the file says it holds."""
    try:
        file.seek(0)
        head = file.read(32)
        if safetensors_header.starts_like(head):
            claims = safetensors_header.look(file, size, name)
            return None, Found(claims, dict.fromkeys(claims, ""))
        if head.startswith((torch_save.ZIP, torch_save.LEGACY)):
            looked = torch_save.look(file, size, name)
            return looked, gathered(looked.value)
        raise _unknown(file, head, name)
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", _FETCH) from error
    except MemoryError as error:
        raise damaged(name, "needs more memory than is free") from error


def _unknown(file: IO[bytes], head: bytes, name: str) -> InputError | UnsafeError:
    for start, what, remedy in _OTHERS:
        if head.lstrip().startswith(start):
            return InputError(f"'{name}' {what}", remedy)
    file.seek(257)
    if file.read(5) == b"ustar":
        return InputError(f"'{name}' is a tar archive, and no file of weights", "unpack it first; torch has written none since 0.1")
    if head[:1] == b"\x80" and head[1:2] in b"\0\1\2\3\4\5":
        return refused(name, "is a pickle, but none of torch.save, and reading it can run what its maker wrote")
    return InputError(f"'{name}' is no file of weights", _KNOWN)

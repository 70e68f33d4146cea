"""Writing whole or not at all: beside, synced, then moved into place."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

from reverie.errors import OutputError, choice, typed
from reverie.store.originals import check_not_original
from reverie.store.paths import cache_folder

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_CHUNK = 1 << 20
_ELSEWHERE = "choose another place" + typed(f" with {choice('output')}")
_PREFIX, _SUFFIX = ".reverie-", ".part"  # of files being written; hidden
_STALE = 3600.0  # seconds after which one of them belongs to a writer that was killed


def check_place(path: Path, room: int = 0) -> None:
    """Raise OutputError now, before minutes of work, if `path` cannot be written later, or if there is no room for so many bytes."""
    try:
        _check_kinds(path)
        handle, part = _open_beside(path.parent)
    except OSError as error:
        raise _explain(error, path) from error
    os.close(handle)
    part.unlink()
    if room and shutil.disk_usage(path.parent).free < room:
        raise _no_room(path)


def made_folder(place: Path, *, parents: bool = False) -> Path:
    """The folder, made if it is not there; the one it lies in must be, or is made too with `parents`.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        place.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise _explain(error, place) from error
    return place


def write_whole(path: Path, content: bytes, *, replace: bool = False) -> Path:
    """Write beside, sync, then move into place: whoever looks sees the old file or the new one, never a part.

    A writer that is killed leaves a hidden `.reverie-….part`; the next write into that folder an hour later or more removes it.

    Args:
        path: where the content goes; its folder must exist.
        content: the whole file.
        replace: allow an existing file to be replaced.

    Raises:
        OutputError: no such folder, not writable, no room, or the file exists and `replace` is false.
    """
    with beside(path, replace=replace) as part:
        part.write_bytes(content)
    return path


@contextlib.contextmanager
def beside(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """An empty hidden file in the folder of `path`, for others to fill; after the `with` it is moved to `path`, on an error it goes.

    Raises:
        OutputError: as `write_whole`; an OSError that comes out of the `with` becomes one too.
    """
    part: Path | None = None
    try:
        _check_kinds(path)
        if not replace and path.exists():
            raise FileExistsError
        _drop_stale(path.parent, int(time.time() // _STALE))
        handle, part = _open_beside(path.parent)
        os.close(handle)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        _move(part, path, replace)
    except FileExistsError as error:
        raise exists(path) from error
    except OSError as error:
        raise _explain(error, path) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextlib.contextmanager
def together() -> Iterator[Callable[[Path, bytes], None]]:
    """Many files, put into place one right after another once the `with` ends well, in the order in which they were handed over.

    They replace what is there; their folders must exist. Each is whole or not there, but none is synced, which takes milliseconds a file:
    what a power cut takes of them must be something that can be made again.

    Raises:
        OutputError: as `write_whole`. Nothing is changed then.
    """
    waiting: list[tuple[Path, Path]] = []

    def hand_over(path: Path, content: bytes) -> None:
        try:
            _check_kinds(path)
            _drop_stale(path.parent, int(time.time() // _STALE))
            handle, part = _open_beside(path.parent)
            waiting.append((part, path))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError as error:
            raise _explain(error, path) from error

    try:
        yield hand_over
        for part, path in waiting:
            try:
                part.replace(path)
            except OSError as error:
                raise _explain(error, path) from error
    finally:
        for part, _ in waiting:
            part.unlink(missing_ok=True)


def exists(path: Path) -> OutputError:
    another = "another name" + typed(f" with {choice('output')}")
    return OutputError(f"'{path}' exists already", f"give {choice('force')} to replace it, or {another}")


@contextlib.contextmanager
def scratch(size: int) -> Iterator[IO[bytes]]:
    """A file of so many bytes in the cache that has no name, and goes when nobody holds or maps it any more.

    Raises:
        OutputError: there is no room. It is taken now: a mapped file that runs out of room later would end the process.
    """
    folder = cache_folder() / "scratch"
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                for begin in range(0, size, _CHUNK):
                    file.write(bytes(min(_CHUNK, size - begin)))
                file.flush()
        except OSError as error:
            remedy = "free some space, or set REVERIE_CACHE to a folder on a larger disk"
            if error.errno in FULL:
                raise OutputError(f"no room for {size / 1e9:.1f} GB of work beside the picture in '{folder}'", remedy) from error
            raise OutputError(
                f"'{folder}' cannot be written ({error.strerror or error})", "set REVERIE_CACHE to a folder that can"
            ) from error
        yield file


def _move(part: Path, path: Path, replace: bool) -> None:
    if replace:
        part.replace(path)
        return
    try:
        os.link(part, path)  # fails if the name is taken, also between our look and our write
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
            raise FileExistsError(errno.EEXIST, "exists", str(path)) from None
        part.replace(path)


@lru_cache(maxsize=256)
def _drop_stale(folder: Path, _hour: int) -> None:
    """What killed writers left in a folder goes, once an hour: looking through thousands of files takes longer than writing one."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for each in entries:
            if each.name.startswith(_PREFIX) and each.name.endswith(_SUFFIX):
                with contextlib.suppress(OSError):  # another writer may be dropping it too
                    if time.time() - each.stat(follow_symlinks=False).st_mtime > _STALE:
                        Path(each.path).unlink()


def _check_kinds(path: Path) -> None:
    """The folder is a folder; what is at the place, if anything, is a plain file, and none that goes in."""
    folder = path.parent
    if not folder.exists():
        raise OutputError(f"the folder '{folder}' does not exist", f"make it first: mkdir -p '{folder}'")
    if not folder.is_dir():
        raise OutputError(f"'{folder}' is not a folder", _ELSEWHERE)
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder", "give the name of a file in it")
    with contextlib.suppress(FileNotFoundError):
        path.lstat()  # a name too long for the file system is found out here
        if not path.is_file():
            raise OutputError(f"'{path}' is not a file", _ELSEWHERE)
        check_not_original(path)


def _open_beside(folder: Path) -> tuple[int, Path]:
    """A new file of a name nobody has, open for writing, with the permissions that the user's umask gives a new file."""
    part = folder / f"{_PREFIX}{os.urandom(8).hex()}{_SUFFIX}"
    return os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666), part


def sync_folder(folder: Path) -> None:
    """What was moved into a folder is there after a power cut."""
    if os.name != "posix":  # Windows cannot open a folder
        return
    with contextlib.suppress(OSError):  # one may be written and not read
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _explain(error: OSError, path: Path) -> OutputError:
    if error.errno in FULL:
        return _no_room(path)
    if error.errno in UNWRITABLE:
        return OutputError(f"'{path.parent}' is not writable", _ELSEWHERE)
    return OutputError(f"'{path}' cannot be written ({error.strerror or error})", _ELSEWHERE)


def _no_room(path: Path) -> OutputError:
    return OutputError(f"no room left to write '{path}'", f"free some space, or {_ELSEWHERE}")

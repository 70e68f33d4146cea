"""Files from the network: only for a network that somebody named; resumed, verified, whole or not at all."""

from __future__ import annotations

import errno
import http.client
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from reverie.errors import InputError, OutputError, UnsafeError, choice
from reverie.store import FULL, sha256_of, used

DownloadWatcher = Callable[[int, int | None], None]  # told the bytes that are there, and how many there will be, where that is known
_CHUNK = 1 << 18
_ON = ("1", "on", "yes", "true")


def is_offline(asked: bool = False) -> bool:
    """Whether nothing may be downloaded: it was asked for, or HF_HUB_OFFLINE is set."""
    return asked or os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in _ON


def fetched(
    url: str, folder: Path, *, digest: str, offline: bool = False, progress: DownloadWatcher | None = None, timeout: float = 30.0
) -> Path:
    """A file of the network, in `folder`, under the last piece of its address.

    What was broken off goes on where it stopped, if the server still has the same file. Two processes that want one file download it once.

    Args:
        url: http or https.
        digest: its sha256, or the first 8 or more hexadecimal digits of it.
        offline: download nothing.
        progress: is told how many bytes are there, and of how many, where the server says.
        timeout: seconds without an answer after which the server is given up.

    Raises:
        InputError: offline and not here, no such file, no answer, broken off. UnsafeError: it is not what it should be.
        OutputError: no room, or not writable.
    """
    if not re.fullmatch(r"[0-9a-f]{8,64}", digest):
        raise UnsafeError(f"the hash '{digest}' of '{url}'", "it should be 8 to 64 hexadecimal digits")
    name = _name(url)
    place = folder / name
    if _is(place, digest):  # before the lock, which a folder that is only read cannot have
        used(place)
        return place
    if is_offline(offline):
        raise InputError(
            f"'{name}' is not in the cache, and nothing may be downloaded", f"leave out {choice('offline')}, and unset HF_HUB_OFFLINE"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{name}.lock"):
            if not _is(place, digest):  # nor did another process fetch it meanwhile
                part, mark = folder / f".{name}.download", folder / f".{name}.etag"
                if not _is(part, digest):  # or it was killed between the last byte and the name
                    _download(url, part, mark, progress, timeout)
                _give_name(part, mark, place, digest)
    except OSError as error:
        raise _unwritable(error, folder) from error
    return place


def _is(place: Path, digest: str) -> bool:
    """Whether a file is there, and has this hash."""
    with suppress(OSError):  # not to be read
        return place.is_file() and sha256_of(place).startswith(digest)
    return False


def _give_name(part: Path, mark: Path, place: Path, digest: str) -> None:
    found = sha256_of(part)
    if not found.startswith(digest):
        _drop(part, mark)
        fault = f"'{place.name}' has the sha256 {found[:16]}…, not {digest[:16]}…"
        raise UnsafeError(fault, "it was dropped; if the same command gives it again, the server has another file now")
    part.replace(place)
    _drop(mark)


def _drop(*files: Path) -> None:
    for each in files:
        each.unlink(missing_ok=True)


def _unwritable(error: OSError, folder: Path) -> OutputError:
    if error.errno in FULL:
        return OutputError(f"no room left in '{folder}'", "free some space, or move the cache with REVERIE_CACHE; the same command goes on")
    return OutputError(f"'{folder}' cannot be written ({error.strerror or error})", "set REVERIE_CACHE to a folder that can")


def _name(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        parts = urllib.parse.urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UnsafeError(f"'{url}' is no address of a download", "it begins with https://")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", urllib.parse.unquote(parts.path.rpartition("/")[2]))[-150:].strip(".")
    if not name:
        raise UnsafeError(f"'{url}' names no file", "its address ends in the name of one")
    return name


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows to http and https alone, and from https to https alone: eight digits of a hash do not make up for an open line."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_leads(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_leads(url: str, to: str) -> None:
    old, new = (urllib.parse.urlsplit(each).scheme.lower() for each in (url, to))
    if new not in (("https",) if old == "https" else ("http", "https")):
        raise UnsafeError(f"'{url}' leads to '{to[:80]}'", "only https is followed, and http from http")


def _download(url: str, part: Path, mark: Path, progress: DownloadWatcher | None, timeout: float) -> None:
    """Fill `part`, from where it is to its end; `mark` says which file on the server it belongs to.

    Raises:
        OSError: of our own disk alone. InputError, UnsafeError: as `fetched`.
    """
    label = mark.read_text("utf-8", "replace").strip() if mark.exists() else ""
    have = part.stat().st_size if part.exists() and label.isprintable() and label else 0
    request = urllib.request.Request(url, headers={"User-Agent": "reverie", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", label)
    opener = urllib.request.build_opener(_OnlyHttp)
    try:
        answer = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # there is not so much of it: begin anew
            _drop(part, mark)
            _download(url, part, mark, progress, timeout)
            return
        if 300 <= error.code < 400:  # urllib refuses some itself
            with suppress(ValueError):
                _check_leads(url, urllib.parse.urljoin(url, error.headers.get("Location", "")))
        raise InputError(f"'{url}' cannot be downloaded: {error.code} {error.reason}", "check the name, or try again later") from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # a ValueError: led to no address
        raise _broken(url, error) from error
    with answer:
        resumed = have and answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")
        have = have if resumed else 0
        length = str(answer.headers.get("Content-Length", ""))
        total = have + int(length) if length.isdecimal() else None
        if total is not None and shutil.disk_usage(part.parent).free < total - have:
            raise OSError(errno.ENOSPC, "no room")
        if not resumed:  # what is there goes before its mark does
            _drop(part, mark)
            label = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
            if label and not label.startswith("W/"):  # else a later try cannot tell whether it is the same file
                mark.write_text(label, "utf-8")
        _write(url, answer, part, have, total, progress)
    if total is not None and part.stat().st_size < total:
        raise _broken(url, f"at {part.stat().st_size} of {total} bytes")


def _write(url: str, answer: Any, part: Path, have: int, total: int | None, progress: DownloadWatcher | None) -> None:
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        while True:
            try:
                piece = answer.read(_CHUNK)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _broken(url, error) from error
            if not piece:
                break
            file.write(piece)
            file.flush()  # a kill keeps it
            have += len(piece)
            if progress is not None:
                progress(have, total)
        with suppress(OSError):
            os.fsync(file.fileno())


def _broken(url: str, why: object) -> InputError:
    reason = getattr(why, "reason", None) or str(why) or type(why).__name__
    return InputError(f"the download of '{url}' was broken off ({reason})", "the same command goes on where it stopped")

"""Files from the network: only for a network that somebody named; resumed, verified, whole or not at all."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from reverie.errors import InputError, OutputError, UnsafeError
from reverie.store import check_place, sha256_of

Progress = Callable[[int, int | None], None]
_CHUNK = 1 << 18
_ON = ("1", "on", "yes", "true")


def is_offline(asked: bool = False) -> bool:
    """Whether nothing may be downloaded: it was asked for, or HF_HUB_OFFLINE is set."""
    return asked or os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in _ON


def fetched(url: str, folder: Path, *, digest: str, offline: bool = False, progress: Progress | None = None, timeout: float = 30.0) -> Path:
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be made ({error.strerror})", "set REVERIE_CACHE to a folder that can be written") from error
    with FileLock(folder / f".{name}.lock"):
        if place.is_file():
            if sha256_of(place).startswith(digest):
                return place
            place.unlink()  # damaged since
        if is_offline(offline):
            raise InputError(
                f"'{name}' is not in the cache, and nothing may be downloaded", "leave out --offline, and unset HF_HUB_OFFLINE"
            )
        check_place(place)
        part, mark = folder / f".{name}.download", folder / f".{name}.etag"
        _download(url, part, mark, progress, timeout)
        found = sha256_of(part)
        if not found.startswith(digest):
            for each in (part, mark):
                each.unlink(missing_ok=True)
            raise UnsafeError(
                f"'{name}' has the sha256 {found[:16]}…, not {digest[:16]}…", "it was dropped; the server may have another file now"
            )
        part.replace(place)
        mark.unlink(missing_ok=True)
    return place


def _name(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UnsafeError(f"'{url}' is no address of a download", "it begins with https://")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", urllib.parse.unquote(parts.path.rpartition("/")[2])).lstrip(".")
    if not name:
        raise UnsafeError(f"'{url}' names no file", "its address ends in the name of one")
    return name[-150:]


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urllib.parse.urlsplit(newurl).scheme not in ("http", "https"):
            raise UnsafeError(f"'{req.full_url}' leads to '{newurl[:80]}'", "only http and https are followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, part: Path, mark: Path, progress: Progress | None, timeout: float) -> None:
    """Fill `part`, from where it is to its end; `mark` says which file on the server it belongs to."""
    have = part.stat().st_size if part.exists() and mark.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "reverie", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", mark.read_text("utf-8"))
    again = "the same command goes on where it stopped"
    try:
        with urllib.request.build_opener(_OnlyHttp).open(request, timeout=timeout) as answer:
            resumed = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")
            length = answer.headers.get("Content-Length")
            have = have if resumed else 0
            total = have + int(length) if length and length.isdecimal() else None
            label = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
            if label and not label.startswith("W/"):
                mark.write_text(label, "utf-8")
            else:  # a later try cannot tell whether it is the same file
                mark.unlink(missing_ok=True)
            _write(answer, part, have, total, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is longer than the file
            part.unlink(missing_ok=True)
        if 300 <= error.code < 400:  # urllib itself goes to no file
            raise UnsafeError(f"'{url}' leads away from the network ({error.code})", "only http and https are followed") from error
        raise InputError(f"'{url}' cannot be downloaded: {error.code} {error.reason}", "check the name, or try again later") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise InputError(f"the download of '{url}' was broken off ({reason})", again) from error
    if total is not None and part.stat().st_size < total:
        raise InputError(f"the download of '{url}' was broken off at {part.stat().st_size} of {total} bytes", again)


def _write(answer: Any, part: Path, have: int, total: int | None, progress: Progress | None) -> None:
    try:
        file = part.open("r+b" if have else "wb")
    except OSError as error:
        raise OutputError(f"'{part.parent}' is not writable", "set REVERIE_CACHE to another folder") from error
    with file:
        file.seek(have)
        file.truncate()
        while piece := answer.read(_CHUNK):
            if total is not None and have + len(piece) > total:
                raise UnsafeError(f"'{part.name}' is longer than the server said", "it was dropped")
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise OutputError(
                    f"no room left for '{part.name}' ({error.strerror})", "free some space, or move the cache with REVERIE_CACHE"
                ) from error
            have += len(piece)
            if progress is not None:
                progress(have, total)
        with suppress(OSError):
            os.fsync(file.fileno())

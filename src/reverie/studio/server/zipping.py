"""A folder as one zip file, made while it is sent: nothing of it lies anywhere, and of memory it takes little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_PART = 1 << 18  # bytes that are read at once


class _Sent:
    """A file that can only be written to, and whose bytes are taken away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(folder: Path) -> Iterator[bytes]:
    """The files of a folder and below, in it and by path, stored as they are: pictures are packed already. What is hidden is left out,
    and a link.

    Raises:
        OSError: a file goes away meanwhile; what was sent is no whole zip file then.
    """
    sent = _Sent()
    with ZipFile(sent, "w", ZIP_STORED, strict_timestamps=False) as packed:  # type: ignore[call-overload]  # it needs no more of a file
        for place in sorted(folder.rglob("*")):
            below = place.relative_to(folder)
            if place.is_symlink() or not place.is_file() or any(part.startswith(".") for part in below.parts):
                continue
            head = ZipInfo.from_file(place, f"{folder.name}/{below.as_posix()}", strict_timestamps=False)
            with place.open("rb") as file, packed.open(head, "w") as into:
                while part := file.read(_PART):
                    into.write(part)
                    yield sent.taken()
    yield sent.taken()

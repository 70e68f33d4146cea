"""Whether a picture that was written is there whole."""

from __future__ import annotations

from pathlib import Path

_BEGIN, _END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def is_whole_png(place: Path) -> bool:
    """Whether a file begins and ends as a PNG does: one that was moved into place, not an empty or a cut one."""
    try:
        with place.open("rb") as file:
            begin = file.read(len(_BEGIN))
            file.seek(-len(_END), 2)
            return (begin, file.read()) == (_BEGIN, _END)
    except OSError:  # not there, not to be read, or shorter than that
        return False

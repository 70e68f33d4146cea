"""What was thrown away: it can be had back until the trash is emptied."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from reverie.errors import OutputError
from reverie.store import made_folder
from reverie.studio.server.made_pictures import Gallery, Made
from reverie.studio.server.refusals import gone

_ID = re.compile(r"[0-9a-f]{24}")


class Trash:
    """A folder of what was thrown away, each by its id, a grid with all that it holds, and the list of it in the marks."""

    def __init__(self, folder: Path, gallery: Gallery) -> None:
        self.folder, self._gallery, self._marks = folder, gallery, gallery.marks
        made_folder(folder, parents=True)
        for id, *_ in self._marks.thrown():  # one that was noted when the process ended, and never moved
            if not os.path.lexists(folder / id):
                self._marks.no_more_thrown(id)

    def throw(self, made: Made) -> None:
        """OutputError where it cannot be moved."""
        path = made.path
        self._marks.throw(made.id, os.fsencode(path), made.known.words, self._gallery.thumbnail(made))
        self._move(self._gallery.place(made), self.folder / made.id)
        self._gallery.look()

    def rows(self) -> list[dict[str, Any]]:
        """What is in it, the last first."""
        return [
            {"id": id, "name": Path(os.fsdecode(path)).stem.encode(errors="replace").decode(), "thrown": when, "words": words}
            for id, path, when, words in self._marks.thrown()
        ]

    def restore(self, id: str) -> None:
        """Back to where it was, or beside what has its name now. Refused where it is not in the trash."""
        found = next((path for other, path, *_ in self._marks.thrown() if other == id), None)
        if found is None or not _ID.fullmatch(id) or not os.path.lexists(self.folder / id):
            raise gone("picture in the trash")
        place = self._gallery.folder / os.fsdecode(found)
        made_folder(place.parent, parents=True)
        free, number = place, 2
        while os.path.lexists(free):
            free, number = place.with_stem(f"{place.stem}-{number}"), number + 1
        self._move(self.folder / id, free)
        self._marks.no_more_thrown(id)
        self._gallery.look()

    def empty(self) -> int:
        """Remove all of it for good; how many there were."""
        rows = self._marks.thrown()
        for id, *_ in rows:
            if (self.folder / id).is_dir() and not (self.folder / id).is_symlink():
                shutil.rmtree(self.folder / id)
            else:
                (self.folder / id).unlink(missing_ok=True)
            self._marks.no_more_thrown(id)
            self._marks.give_stars(id, 0)
            self._marks.write_note(id, "")
        return len(rows)

    def _move(self, source: Path, place: Path) -> None:
        try:
            source.rename(place)
        except OSError as error:
            raise OutputError(f"'{source.name}' cannot be moved ({error.strerror or error})", "see who may write there") from error

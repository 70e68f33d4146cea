"""The writing of a site: what has changed alone, all of it put into place at once, so that no page leads to one that is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from reverie.atlases.store import AtlasStore
from reverie.pages import render_linked, shared
from reverie.store import made_folder, sha256_of, together
from reverie.version import __version__

KIND = "page"  # of the store: a page, or another file that is made from what is known
PACKAGE = "reverie.atlases.site"
TEMPLATES = ("frame", "parts", "index", "layer", "unit", "classes", "class", "map", "audit", "about")


@contextmanager
def site_writer(store: AtlasStore) -> Iterator[SiteWriter]:
    """Writes files of the site; they are put into place when the `with` ends well, and what belongs to the site no more goes.

    Raises:
        OutputError: no room, or not writable. The site is then as it was.
    """
    with together() as hand_over:
        writer = SiteWriter(store, hand_over)
        yield writer
    writer.remember()


class SiteWriter:
    """Hands over the files that are new or changed, in the order in which they shall come into place."""

    def __init__(self, store: AtlasStore, hand_over: Callable[[Path, bytes], None]) -> None:
        self._store, self._hand_over = store, hand_over
        self._before = store.written(KIND)
        self._now: set[str] = set()
        self._rows: list[tuple[str, str, dict[str, tuple[int, str]]]] = []
        self._made_by = sha256(("".join(shared(PACKAGE, f"{each}.html.jinja") for each in TEMPLATES) + __version__).encode()).hexdigest()
        self._there: dict[PurePosixPath, dict[str, int]] = {}

    def page(self, path: str, template: str, values: Mapping[str, Any]) -> None:
        """A page, of what its template is handed; `here` is its own path, `up` leads from it to the folder of the atlas."""
        given = {"here": path, "up": "../" * path.count("/"), **values}
        key = f"{template} {self._made_by} {json.dumps(given, sort_keys=True)}"
        self.file(path, key, lambda: render_linked(PACKAGE, template, **given).encode())

    def file(self, path: str, key: str, make: Callable[[], bytes]) -> None:
        """A file, made where what it follows from has changed."""
        self._now.add(path)
        digest = sha256(key.encode()).hexdigest()
        before = self._before.get(path)
        is_there = self._is_there(path)
        if before is not None and is_there and before[0] == digest:
            return
        content = make()
        written = {path: (len(content), sha256_of(content))}
        self._rows.append((path, digest, written))
        if before is not None and is_there and before[1] == written:  # it says the same as before
            return
        place = self._store.folder / PurePosixPath(path)
        made_folder(place.parent, parents=True)
        self._hand_over(place, content)

    def is_unchanged(self, group: str, paths: Sequence[str], state: str) -> bool:
        """Whether files that follow from one state need not be looked at singly, since they are there and it is the same.

        Args:
            group: what they are called together. state: of all that they follow from.
        """
        digest = sha256(f"{state} {self._made_by}".encode()).hexdigest()
        self._now.add(group)
        self._rows.append((group, digest, {}))
        if self._before.get(group, ("", {}))[0] != digest or not all(self._is_there(each) for each in paths):
            return False
        self._now.update(paths)
        return True

    def remember(self) -> None:
        """What was put into place counts as written now."""
        self._store.put_written(KIND, self._rows)
        if not self._now.issuperset(self._before):
            self._store.forget(KIND, self._now)

    def _is_there(self, path: str) -> bool:
        before = self._before.get(path)
        return before is not None and self._size(path) == before[1][path][0]

    def _size(self, path: str) -> int | None:
        """Of a file that is there. Each folder is looked into once."""
        pure = PurePosixPath(path)
        if pure.parent not in self._there:
            found: dict[str, int] = {}
            with suppress(OSError):
                found = {each.name: each.stat().st_size for each in (self._store.folder / pure.parent).iterdir()}
            self._there[pure.parent] = found
        return self._there[pure.parent].get(pure.name)

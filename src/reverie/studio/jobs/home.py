"""The folder in which a studio keeps everything: the queue, what went in, what was made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from reverie.errors import InputError, OutputError, UsageError, choice, printable
from reverie.store import Kept, expanded, made_folder, write_whole

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_INPUT = re.compile(r"input:([0-9a-f]{64})")
_PART = re.compile(r"[^\x00-\x1f/\\:.][^\x00-\x1f/\\:]*")  # of a name below `pictures/`
_LONGEST = 200  # characters of a name


class Home:
    """A folder for a studio, made where it is not there; the folder that it lies in is made too.

    Args:
        folder: of the studio.

    Attributes:
        folder: absolute.
        inputs: what went in, by sha256; `keep` puts it there with its name.
        pictures: results. trash: results that were thrown away. work: of jobs that are not done.
        database: the file of the queue.

    Raises:
        OutputError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = made_folder(expanded(folder).absolute(), parents=True)
        self.inputs = Kept(made_folder(self.folder / "inputs"))
        self.pictures, self.trash, self.work = (made_folder(self.folder / name) for name in ("pictures", "trash", "work"))
        self._seen: dict[str, tuple[Path, tuple[int, int]]] = {}
        self.database = self.folder / "studio.sqlite"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The home is ours inside; a process that ends in whatever way gives it back.

        Raises:
            OutputError: another process serves it.
        """
        lock = FileLock(self.folder / "server.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise OutputError(
                f"another studio is open in '{self.folder}'", f"close it, or give another {choice('home', 'FOLDER')}"
            ) from None
        except OSError as error:
            raise OutputError(f"'{self.folder}' cannot be locked ({error.strerror or error})", "give another folder") from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def working(self) -> Iterator[None]:
        """The same for the process that does the jobs. It waits for an earlier one, which ends once its server is gone."""
        with FileLock(self.folder / "worker.lock"):
            yield

    def keep(self, content: bytes | Path, name: str = "") -> str:
        """Keep what goes in, bytes or those of a file.

        Args:
            name: what its owner calls it, of which names of results are made; of the same content the last name counts.

        Returns:
            its sha256: `input:SHA256` stands for it.

        Raises:
            OutputError: no room, or not writable.
        """
        digest = self.inputs.put(content)
        plain = printable(Path(name.replace("\\", "/")).name)[:_LONGEST].strip()
        if plain:
            write_whole(self._name_file(digest), plain.encode(errors="replace"), replace=True)
        return digest

    def name_of(self, digest: str) -> str:
        """What the owner of an input calls it; `picture` where that was not said."""
        try:
            return self._name_file(digest).read_text("utf-8", errors="replace")[:_LONGEST] or "picture"
        except OSError:
            return "picture"

    def in_names(self, told: Mapping[str, str | None]) -> dict[str, str | None]:
        """What is told of an error, with the names that people know in the place of those of inputs, which are hashes."""
        return {name: text and _DIGEST.sub(lambda found: self.name_of(found[0]), text) for name, text in told.items()}

    def called(self, reference: str) -> str:
        """What is meant by a reference, for people: the name of an input, or that of a result."""
        found = _INPUT.fullmatch(reference)
        return self.name_of(found[1]) if found else reference.removeprefix("picture:")

    def find(self, reference: str, field: str = "") -> Path:
        """The file that is meant by `input:SHA256` or `picture:NAME`; nothing else is ever looked for.

        Args:
            field: the choice in which it stands, for the message.

        Raises:
            UsageError: it is neither. InputError: it is not there, or no longer what it was.
        """
        check_reference(reference, field)
        found = _INPUT.fullmatch(reference)
        where = f" for {choice(field)}" if field else ""
        if found:
            kept = self._sound(found[1])
            if kept is None:
                raise InputError(f"'{self.name_of(found[1])}' is no longer here{where}", "hand it in again")
            return kept
        place = self.pictures / reference.removeprefix("picture:")
        if not place.is_file() or not place.resolve().is_relative_to(self.pictures.resolve()):
            raise InputError(f"'{reference.removeprefix('picture:')}' is no longer among the pictures{where}", "choose another one")
        return place

    def _sound(self, digest: str) -> Path | None:
        """The file of an input. That it is what it was is seen once in a process, while no other file has its place: films are large."""
        before = self._seen.get(digest)
        with suppress(OSError):  # it is gone
            if before is not None and before[1] == _identity(before[0]):
                return before[0]
        kept = self.inputs.find(digest)
        if kept is not None:
            self._seen[digest] = kept, _identity(kept)
        return kept

    def _name_file(self, digest: str) -> Path:
        return self.inputs.folder / digest[:2] / f"{digest}.name"


def _identity(place: Path) -> tuple[int, int]:
    found = place.stat()
    return found.st_ino, found.st_size


def check_reference(reference: object, field: str = "") -> None:
    """Raise UsageError for what is neither `input:SHA256` nor `picture:NAME`: a path, say, or an address."""
    if isinstance(reference, str) and len(reference) <= 2 * _LONGEST:
        if _INPUT.fullmatch(reference):
            return
        kind, _, name = reference.partition(":")
        if kind == "picture" and name and all(_PART.fullmatch(part) for part in name.split("/")):
            return
    what = choice(field, printable(reference)[:60]) if field else f"'{printable(reference)[:60]}'"
    raise UsageError(f"{what} is no picture of this studio", "hand the file in first, or choose one of the pictures")

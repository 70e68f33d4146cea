"""Files of the Hugging Face hub: plain files alone, into the hub's own cache, their hash compared with the one that the hub names."""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverie.errors import InputError, MissingExtra, OutputError, UnsafeError, UsageError, choice, first_line
from reverie.installing import install
from reverie.networks.sources.download import DownloadWatcher, is_offline
from reverie.store import FULL, UNWRITABLE, sha256_of

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST = 1 << 20  # bytes of a config.json


@dataclass(frozen=True)
class Hubbed:
    """A file that is here, and the commit it belongs to."""

    path: Path
    commit: str


def fetched(
    repository: str, file: str, revision: str | None = None, *, offline: bool = False, progress: DownloadWatcher | None = None
) -> Hubbed:
    """A file of a repository, from the hub's cache or downloaded into it. HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE are honoured.

    Args:
        repository: `owner/name`.
        file: at the top of it.
        revision: a branch, tag or commit; None is the main branch.
        offline: download nothing.
        progress: is told how many bytes are there, and of how many.

    Raises:
        UsageError: no name of a repository, file or revision. InputError: offline and not here, none of that name there, no answer.
        UnsafeError: what is here has not the hash that the hub names.
        OutputError: no room, or not writable. MissingExtra: huggingface_hub is not installed.
    """
    if not _REPOSITORY.fullmatch(repository) or ".." in repository or not _FILE.fullmatch(file) or ".." in file:
        raise UsageError(f"'{repository[:80]}' has no file '{file[:80]}'", "write it like hf:owner/name, or hf:owner/name@revision")
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(f"'{revision[:80]}' is no revision of hf:{repository}", "give a branch, a tag or a commit")
    try:
        from huggingface_hub import hf_hub_download
    except (ImportError, RuntimeError) as error:
        raise MissingExtra(f"'hf:{repository}' needs huggingface_hub", install("huggingface_hub")) from error
    what = f"hf:{repository}" + (f"@{revision}" if revision else "")
    stay = is_offline(offline)
    try:
        found = hf_hub_download(
            repository, file, revision=revision or None, library_name="reverie", token=None, local_files_only=stay,
            endpoint=os.environ.get("HF_ENDPOINT") or None, tqdm_class=_bar(progress),
        )  # fmt: skip
        path = Path(str(found))
        _check_hash(path, what, None if stay else (repository, file))
    except _failures() as error:
        raise _in_words(error, what, file, stay) from error
    return Hubbed(path, path.parent.name)


def _in_words(error: Exception, what: str, file: str, stay: bool) -> InputError | OutputError:
    """What is wrong when the hub's library raises one of `_failures`."""
    from huggingface_hub import errors

    if isinstance(error, (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)):
        if stay:
            fault = f"'{file}' of {what} is not in the cache, and nothing may be downloaded"
            return InputError(fault, f"leave out {choice('offline')}, and unset HF_HUB_OFFLINE")
        return InputError(f"the hub does not answer for {what}", "check the connection, and try again")
    if isinstance(error, errors.GatedRepoError):
        return InputError(f"{what} is only for those who asked its owner", "ask on its page, then `hf auth login`")
    missing = {
        errors.RepositoryNotFoundError: "no such repository",
        errors.RevisionNotFoundError: "no such revision",
        errors.EntryNotFoundError: f"it has no file '{file}'",
    }
    for kind, fault in missing.items():
        if isinstance(error, kind):
            return InputError(f"{what}: {fault}", "check the name on the hub")
    if isinstance(error, OSError) and error.errno in (*FULL, *UNWRITABLE):
        return OutputError(f"the hub's cache cannot be written ({error.strerror})", "free some space, or move it with HF_HOME")
    return InputError(f"the download of {what} failed ({first_line(error)})", "check the connection, and try again")


def config(repository: str, revision: str | None = None, *, offline: bool = False) -> tuple[dict[str, Any], str]:
    """The repository's config.json, and its commit.

    Raises:
        InputError: it is no JSON object, or as `fetched`. UnsafeError: it is larger than any.
    """
    found = fetched(repository, "config.json", revision, offline=offline)
    remedy = f"it may belong to another library; for code of your own give {choice('definition', 'package.module:function')}"
    try:
        with found.path.open("rb") as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise UnsafeError(f"the config.json of 'hf:{repository}' has more than a megabyte", remedy)
        data = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the config.json of 'hf:{repository}' is no JSON", remedy) from error
    if not isinstance(data, dict):
        raise InputError(f"the config.json of 'hf:{repository}' is no JSON object", remedy)
    return data, found.commit


def _check_hash(path: Path, what: str, online: tuple[str, str] | None) -> None:
    """Compare a large file with the sha256 that the hub names for it.

    Its cache keeps the file under that name, and links to it; the name is not read further on, where a store of another hash may follow.
    Where there are no links (Windows), the hub is asked.

    Args:
        online: repository and file, where the hub may be asked.
    """
    linked = path.parent / path.readlink() if path.is_symlink() else None
    named = linked.name if linked is not None else _named(*online, path.parent.name) if online is not None else ""
    if not _SHA256.fullmatch(named) or sha256_of(path) == named:
        return
    for each in (path.resolve(), linked, path):
        with contextlib.suppress(OSError):
            if each is not None:
                each.unlink()
    fault = f"'{path.name}' of {what} has not the hash that the hub names"
    raise UnsafeError(fault, "it was dropped; the same command downloads it again")


def _named(repository: str, file: str, commit: str) -> str:
    """What the hub says is a file's label, its sha256 for a large one; empty where it does not answer."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with contextlib.suppress(*_failures()):
        address = hf_hub_url(repository, file, revision=commit, endpoint=os.environ.get("HF_ENDPOINT") or None)
        return get_hf_file_metadata(address).etag or ""
    return ""


def _failures() -> tuple[type[Exception], ...]:
    """What the library raises: of what is not there; of a broken line, by its own http library, whichever that is; of the disk; of xet."""
    from huggingface_hub.errors import EntryNotFoundError, HTTPError, XetDownloadError  # type: ignore[attr-defined]

    return EntryNotFoundError, HTTPError, OSError, RuntimeError, ValueError, XetDownloadError


def _bar(progress: DownloadWatcher | None) -> Any:
    """What the hub's own progress bars are made of: silent, and telling `progress`."""
    from tqdm.auto import tqdm

    class Silent(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.done = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            if progress is not None:
                progress(self.done, None if self.total is None else int(self.total))
            return None

    return Silent

"""The Hugging Face hub, played by a server on this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants
from tests.helpers.serving import Served, Server, server

from reverie.errors import InputError, MissingExtra, OutputError, UnsafeError, UsageError
from reverie.networks.sources.hub_files import config, fetched

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"weights" * 10_000
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
CONFIG = json.dumps({"architecture": "resnet18"}).encode()


def repository(weights: bytes = WEIGHTS) -> dict[str, Served]:
    """owner/net with its two files, and what is missing, as the hub answers."""
    facts = {"X-Repo-Commit": COMMIT}
    large = {**facts, "X-Linked-Etag": f'"{DIGEST}"', "X-Linked-Size": str(len(weights))}
    files = {"model.safetensors": Served(weights, etag=f'"{DIGEST}"', extra=large), "config.json": Served(CONFIG, etag='"c0"', extra=facts)}
    found = {f"owner/net/resolve/{revision}/{name}": file for name, file in files.items() for revision in ("main", "v1", COMMIT)}
    for path, code in (
        ("owner/net/resolve/main/other.safetensors", "EntryNotFound"),
        ("owner/net/resolve/v9/config.json", "RevisionNotFound"),
        ("owner/other/resolve/main/config.json", "RepoNotFound"),
        ("owner/gated/resolve/main/config.json", "GatedRepo"),
    ):
        found[path] = Served(code=403 if code == "GatedRepo" else 404, extra={"X-Error-Code": code, **facts})
    return found


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with server(**repository()) as at:
        monkeypatch.setenv("HF_ENDPOINT", at.url)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield at


def test_a_file_comes_with_its_commit_and_is_kept(hub: Server, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, int | None]] = []
    found = fetched("owner/net", "model.safetensors", "v1", progress=lambda *now: told.append(now))
    assert found.path.read_bytes() == WEIGHTS and found.commit == COMMIT
    assert told[-1] == (len(WEIGHTS), len(WEIGHTS))
    asked = len(hub.asked)
    assert fetched("owner/net", "model.safetensors", COMMIT, offline=True) == found and len(hub.asked) == asked
    assert config("owner/net") == (json.loads(CONFIG), COMMIT)
    said = capsys.readouterr()
    assert said.out == said.err == "", "no bar of its own"


@pytest.mark.parametrize("size", [len(WEIGHTS), 5])
def test_what_has_another_hash_than_the_hub_names_is_dropped(hub: Server, tmp_path: Path, size: int) -> None:
    hub.files.update(repository(weights=(WEIGHTS[:-1] + b"!")[-size:]))
    with pytest.raises(UnsafeError, match="hash"):
        fetched("owner/net", "model.safetensors")
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and b"weights" in each.read_bytes()]
    hub.files.update(repository())
    assert fetched("owner/net", "model.safetensors").path.read_bytes() == WEIGHTS


@pytest.mark.filterwarnings("ignore:.*symlinks")
def test_where_the_system_has_no_links_the_hub_is_asked_for_the_hash(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, place: str, target_is_directory: bool = False) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "symlink", refuse)
    hub.files.update(repository(weights=WEIGHTS[:-1] + b"!"))
    with pytest.raises(UnsafeError, match="hash"):
        fetched("owner/net", "model.safetensors")
    hub.files.update(repository())
    found = fetched("owner/net", "model.safetensors")
    assert not found.path.is_symlink() and found.path.read_bytes() == WEIGHTS and found.commit == COMMIT


def test_a_store_that_names_by_another_hash_is_behind_the_cache(hub: Server, tmp_path: Path) -> None:
    found = fetched("owner/net", "model.safetensors")
    blob = found.path.resolve()
    shared = tmp_path / "hub" / "blobs" / "ab" / ("ab" * 32)
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(shared)
    assert fetched("owner/net", "model.safetensors") == found
    shared.write_bytes(b"damaged")
    with pytest.raises(UnsafeError, match="hash"):
        fetched("owner/net", "model.safetensors", offline=True)
    assert not shared.exists() and not found.path.is_symlink()


def test_broken_off_again_and_again(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the library's own tries
    hub.files["owner/net/resolve/main/model.safetensors"] = replace(
        repository()["owner/net/resolve/main/model.safetensors"], stop=0, always=True
    )
    with pytest.raises(InputError, match=r"failed.*try again"):
        fetched("owner/net", "model.safetensors")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_cache_that_cannot_be_written_is_no_bad_connection(hub: Server, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fails(*_: object, **__: object) -> str:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fails)
    with pytest.raises(OutputError, match=r"the hub's cache cannot be written.*HF_HOME"):
        fetched("owner/net", "model.safetensors")


@pytest.mark.parametrize(
    ("name", "file", "revision", "said"),
    [
        ("owner/other", "config.json", None, "no such repository"),
        ("owner/net", "other.safetensors", None, "no file 'other.safetensors'"),
        ("owner/net", "config.json", "v9", "no such revision"),
        ("owner/gated", "config.json", None, "asked its owner"),
    ],
)
def test_what_is_not_there(hub: Server, name: str, file: str, revision: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fetched(name, file, revision)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match="pip install huggingface_hub"):
        fetched("owner/net", "config.json")


@pytest.mark.parametrize("how", ["asked", "1"])
def test_offline_and_not_here(hub: Server, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how != "asked":
        monkeypatch.setenv("HF_HUB_OFFLINE", how)
    with pytest.raises(InputError, match=r"not in the cache.*offline="):
        fetched("owner/net", "model.safetensors", offline=how == "asked")
    assert hub.asked == []


def test_nobody_there(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the library's own tries
    with pytest.raises(InputError, match=r"does not answer|failed"):
        fetched("owner/net", "config.json")


@pytest.mark.parametrize("content", [b"[1]", b"no", b"{" * 100_000, b'{"a": "' + b"x" * (2 << 20) + b'"}'])
def test_a_config_that_is_none(hub: Server, content: bytes) -> None:
    hub.files["owner/net/resolve/main/config.json"].content = content
    with pytest.raises((InputError, UnsafeError), match=r"config\.json"):
        config("owner/net")


@pytest.mark.parametrize(
    ("name", "file"),
    [("owner", "a.json"), ("../x", "a.json"), ("owner/net", "../a"), ("o/n/m", "a"), ("owner/net", "b/a"), ("owner/n..t", "a")],
)
def test_names_that_are_none(name: str, file: str) -> None:
    with pytest.raises(UsageError):
        fetched(name, file)


@pytest.mark.parametrize("revision", ["../x", "a/../../x", "/x", "a b", "x" * 201])
def test_revisions_that_are_none(hub: Server, revision: str) -> None:
    with pytest.raises(UsageError, match="revision"):
        fetched("owner/net", "config.json", revision)
    assert hub.asked == []

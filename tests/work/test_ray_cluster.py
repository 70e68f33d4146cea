"""Clusters that cannot be reached or joined: one line, and soon."""

from __future__ import annotations

import importlib
import os
import socket
import tempfile
from pathlib import Path

import pytest

from reverie.errors import MissingExtra, OutputError
from reverie.work import ray_cluster
from reverie.work.ray_cluster import Cluster


@pytest.mark.parametrize("on", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_an_address_where_nobody_listens(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "_imported", lambda _: _Asleep())
    monkeypatch.setattr(ray_cluster, "_read_anew", lambda _: None)
    with pytest.raises(OutputError, match=rf"no Ray cluster answers at '{on}'"):
        Cluster(on, 1)


def test_an_address_where_something_else_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setattr(ray_cluster, "_TRIAL_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OutputError, match=r"no answer within 0\.5 seconds"):
        Cluster(f"127.0.0.1:{server.getsockname()[1]}", 1)


def test_without_ray_the_message_has_the_command_that_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", nothing)
    before = dict(os.environ)
    with pytest.raises(MissingExtra, match=r"install .*(ray|grpcio)"):
        Cluster("ray", 1)
    assert dict(os.environ) == before


def test_folders_of_sessions_that_were_killed_go_and_those_in_use_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(ray_cluster, "_LONGEST", 1000)
    used, lock = ray_cluster._new_folder()
    killed, other = ray_cluster._new_folder()
    other.release()
    ray_cluster._sweep()
    assert (used.exists(), killed.exists()) == (True, False)
    lock.release()


class _Asleep:
    """Stands for the package."""

    def is_initialized(self) -> bool:
        return False

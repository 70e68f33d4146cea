"""A Ray cluster: one of this machine alone that ends with us, or one that exists and is joined."""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reverie.errors import MissingExtra, OutputError, choice, first_line
from reverie.installing import install_extra

LOCAL = "ray"
_STORE = 128 << 20  # bytes of shared memory for results on their way
_PATIENCE, _TRIAL_PATIENCE = 10.0, 60.0  # seconds to reach an address, and to join what is there
_SILENT = {"log_to_driver": False, "logging_level": "critical"}
_TRIAL = """
import json, sys, ray
try:
    ray.init(address=sys.argv[1], **json.loads(sys.argv[2]))
except Exception as error:
    chain = [error]
    while chain[-1].__cause__ or chain[-1].__context__:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    named = next((each for each in chain if type(each).__name__ == "AuthenticationError"), error)
    print(type(named).__name__, (str(named).splitlines() or [""])[0][:160], sep="\\t")
    sys.exit(1)
"""
_AT_HOME = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # where it is 0, all of Ray listens at the loopback address alone, on every system
_PREFIX = "reverie-ray-"
_LOCK = "lock"
_LONGEST = 40  # characters of the folder of a session, of whose sockets a path may have some hundred
_REMEDY = f"give {choice('on', LOCAL)} for this machine alone, or leave it out"


class Cluster:
    """A cluster that we are connected to.

    Args:
        on: `ray` for one of this machine alone; `auto`, `HOST:PORT` or `ray://HOST:PORT` for one that exists.
        processors: of one of this machine alone.

    Attributes:
        ray: the package.

    Raises:
        MissingExtra: Ray is not installed. OutputError: it cannot be started, or not be reached.
    """

    def __init__(self, on: str, processors: int) -> None:
        self._before: dict[str, str | None] = {}
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        self._on_end: Any = None
        is_local = on == LOCAL
        if is_local:
            self._set(
                RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), RAY_USAGE_STATS_ENABLED="0",
                RAY_enable_metrics_collection="0", **{_AT_HOME: "0"},
            )  # fmt: skip
        try:
            self.ray: Any = _imported(on)
            self._is_ours = not self.ray.is_initialized()
            if self._is_ours:
                _read_anew(self.ray)
            if self._is_ours:
                self._on_end = signal.getsignal(signal.SIGTERM)
                self._start(processors) if is_local else self._join(on)
        except BaseException:
            self.close()
            raise

    def resources(self) -> list[dict[str, float]]:
        """Of each of its machines that is alive: how many `CPU` and `GPU` it has."""
        return [each["Resources"] for each in self.ray.nodes() if each["Alive"]]

    def close(self) -> None:
        """Leave it; one of this machine alone ends, and its folder goes."""
        if getattr(self, "_is_ours", False):
            self._is_ours = False
            with suppress(Exception):  # it may be gone
                self.ray.shutdown()
            if self._on_end is not None and threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, self._on_end)
        if self._folder is not None and self._lock is not None:
            self._lock.release()
            shutil.rmtree(self._folder, ignore_errors=True)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before.clear()

    def _set(self, **values: str) -> None:
        for name, value in values.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value

    def _start(self, processors: int) -> None:
        _sweep()
        self._folder, self._lock = _new_folder()
        try:
            found = self.ray.init(
                address="local", num_cpus=processors, include_dashboard=False, object_store_memory=_STORE, _temp_dir=str(self._folder),
                **_SILENT,
            )  # fmt: skip
        except Exception as error:  # Ray raises whatever it meets
            raise OutputError(f"Ray cannot be started here ({first_line(error)})", f"leave out {choice('on')}") from error
        where = found.address_info["node_ip_address"]
        if not ip_address(where).is_loopback:  # another Ray may not know how to stay at home
            raise OutputError(f"Ray would listen at {where}, where others reach it", f"leave out {choice('on')}, or install another Ray")

    def _join(self, on: str) -> None:
        if on != "auto":
            _reach(on)
        _try_to_join(on)
        try:
            self.ray.init(address=on, **_SILENT)
        except Exception as error:  # Ray raises whatever it meets
            raise _not_joined(on, type(error).__name__, first_line(error)) from error


def _not_joined(on: str, kind: str, why: str) -> OutputError:
    if kind == "AuthenticationError":
        remedy = "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the token of the cluster: docs/scale-out.md"
        return OutputError(f"the Ray cluster at '{on}' wants a token, and has not got the right one", remedy)
    if on == "auto" and kind == "ConnectionError":
        return OutputError("no Ray cluster runs on this machine", f"start one: `ray start --head`; or {_REMEDY}")
    return OutputError(
        f"the Ray cluster at '{on}' cannot be joined ({why})", f"see that it runs, and that RAY_AUTH_TOKEN is its token; or {_REMEDY}"
    )


def _try_to_join(on: str) -> None:
    """Raise OutputError where a cluster cannot be joined: a process tries it, for Ray itself may wait for minutes and cannot be stopped."""
    command = [sys.executable, "-c", _TRIAL, on, json.dumps(_SILENT)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=_TRIAL_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise _not_joined(on, "", f"no answer within {_TRIAL_PATIENCE:g} seconds") from error
    if made.returncode:
        kind, _, why = (made.stdout.strip().splitlines() or ["?"])[-1].partition("\t")
        raise _not_joined(on, kind, why or f"a trial ended with {made.returncode}")


def _imported(on: str) -> Any:
    try:
        if on.startswith("ray://"):
            importlib.import_module("grpc")
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtra(f"{choice('on', on)} needs what is not installed ({first_line(error)})", install_extra("ray")) from error


def _read_anew(ray: Any) -> None:
    """Have Ray take what the environment says now: it reads it once, when it is imported, and keeps it."""
    usual = "0" if sys.platform in ("darwin", "win32") else "1"
    ray._private.ray_constants.ENABLE_RAY_CLUSTER = os.environ.get(_AT_HOME, usual) != "0"
    ray._raylet.Config.initialize("")
    ray._raylet.AuthenticationTokenLoader.instance().reset_cache()


def _reach(on: str) -> None:
    """Raise OutputError where nobody listens at an address, at once instead of after minutes."""
    host, _, port = on.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE):
            return
    except (OSError, ValueError) as error:
        why = "it should be HOST:PORT" if isinstance(error, ValueError) else getattr(error, "strerror", None) or str(error)
        raise OutputError(f"no Ray cluster answers at '{on}' ({why})", f"see that it runs; or {_REMEDY}") from error


def _new_folder() -> tuple[Path, FileLock]:
    """A folder for a session, in the usual place for such unless that is too long for sockets; locked for as long as it is in use."""
    usual = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=usual if len(usual) < _LONGEST or os.name == "nt" else "/tmp"))
    lock = FileLock(folder / _LOCK, timeout=0)
    lock.acquire()
    return folder, lock


def _sweep() -> None:
    """Take away the folders of sessions whose process was killed."""
    for each in {found for base in (tempfile.gettempdir(), "/tmp") for found in Path(base).glob(f"{_PREFIX}*")}:
        with suppress(OSError, Timeout), FileLock(each / _LOCK, timeout=0):
            shutil.rmtree(each, ignore_errors=True)

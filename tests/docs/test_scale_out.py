"""The lines of the page on several machines run, on a cluster that is started for it with the page's own words."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.docs.test_examples import shell_lines
from tests.helpers.pages import ROOT

PAGE = (ROOT / "docs" / "scale-out.md").read_text("utf-8")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the environment says of a cluster with a token, which is up for as long as the test lasts."""
    pytest.importorskip("ray", reason="Ray is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    (line,) = [each for each in PAGE.splitlines() if each.startswith("ray start --head")]
    words = [*line.replace("6379", str(port)).split(), "--num-cpus", "2", "--block"]
    folder = tmp_path_factory.mktemp("ray", numbered=True)
    command = [sys.executable, "-m", "ray.scripts.scripts", *words[1:], "--temp-dir", str(folder)]
    process = subprocess.Popen(command, env=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for told in process.stdout:
        if "Ray runtime started" in told:
            break
    assert process.poll() is None
    yield {**said, "RAY_ADDRESS": f"127.0.0.1:{port}"}
    process.terminate()
    process.communicate()


def test_the_lines_of_the_page_run(cluster: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    for number, place in enumerate((tmp_path / "sky.png", tmp_path / "photographs" / "a.png", tmp_path / "photographs" / "b.png")):
        rows, columns = np.mgrid[0:48, 0:64]
        Image.fromarray(np.stack([rows * 5, columns * 3, (rows + number) * columns % 251], axis=2).astype(np.uint8)).save(place)
    lines = shell_lines(PAGE)
    assert ["--on" in each for each in lines] == [True, True, True]
    for words in lines[1:]:  # the first is that of one machine, which other tests run
        made = subprocess.run(
            [sys.executable, "-m", "reverie", *words], cwd=tmp_path, env=cluster, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
    assert (tmp_path / "atlas" / "index.html").is_file()
    assert (tmp_path / "four" / "sheet.png").is_file()

"""What the tests of the commands share: running one, pictures to start from, and files that carry a recipe."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reverie import files
from reverie.cli.main import main
from reverie.files.png import SIGNATURE, chunk
from reverie.store import cache_folder

SHORT = ("--octaves", "2", "--steps", "2")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    def fault(self, code: int, *parts: str) -> None:
        """It was a user's mistake: this exit code, one or two lines with these parts and a remedy, and nothing on stdout."""
        assert self.code == code, self
        lines = self.err.splitlines()
        assert len(lines) == 2 and lines[0].startswith("reverie: ") and lines[1].strip(), self.err
        assert all(each.isprintable() for each in lines), self.err
        assert "Traceback" not in self.err and self.out == ""
        for part in parts:
            assert part in self.err, (part, self.err)


Run = Callable[..., Answer]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs a command in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        seen = capsys.readouterr()
        return Answer(code, seen.out, seen.err)

    return run


def photo(height: int = 96, width: int = 128) -> np.ndarray[Any, Any]:
    """Something with forms and noise in it, of middle brightness: (H, W, 3) uint8."""
    y, x = np.mgrid[:height, :width] / 16
    waves = np.stack([np.sin(x) + np.cos(y), np.sin(x * 0.7 + y), np.cos(x - y * 0.4)], -1)
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 3))
    return (128 + 35 * waves + grain).clip(0, 255).astype(np.uint8)


def saved(path: Path, height: int = 96, width: int = 128, **options: Any) -> Path:
    Image.fromarray(photo(height, width)).save(path, **options)
    return path


def header(width: int, height: int) -> bytes:
    """A PNG that claims this many pixels and holds a megabyte of nothing."""
    whole = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", whole) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


def carrying(path: Path, recipe: str) -> Path:
    """A picture that carries this text."""
    path.write_bytes(files.encode(photo(32, 48), suffix=path.suffix, recipe=recipe))
    return path


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def listed(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def contents(folder: Path) -> list[bytes]:
    """Of the files, by their names."""
    return [each.read_bytes() for each in sorted(folder.iterdir())]


def forget() -> None:
    """All that is in the cache."""
    shutil.rmtree(cache_folder())

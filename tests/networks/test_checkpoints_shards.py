"""Weights in shards, in folders, and under an entry that is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.helpers.trainings import State, before, filled, shards

from reverie.errors import InputError, ReverieError, UnsafeError, UsageError
from reverie.networks.sources.source import source


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_shards(suffix: str, state: State, tmp_path: Path) -> None:
    index, *parts = shards(tmp_path, before("model.", state), suffix)
    (tmp_path / "config.json").write_text("{}")
    digests = {filled(place, state).sha256 for place in (index, parts[1], tmp_path)}
    assert len(digests) == 1
    index.unlink()
    assert {filled(place, state).sha256 for place in (parts[0], tmp_path)} == digests
    parts[2].unlink()
    with pytest.raises(InputError, match=r"of the 3 shards of '.*' .*-00003-of-00003.* is not there"):
        filled(parts[0], state)


def test_indices_and_folders_that_are_none(state: State, tmp_path: Path) -> None:
    index, *_ = shards(tmp_path, state)
    for content, kind, told in [
        ("{", InputError, "no index of shards"), ('{"weight_map": []}', InputError, "no index of shards"),
        ("[" * 10**5, InputError, "no index"),
        ('{"weight_map": {}}', InputError, "0 shards"), ('{"weight_map": {"a": "../b"}}', UnsafeError, "lie elsewhere"),
        ('{"weight_map": {"a": "/etc/passwd"}}', UnsafeError, "lie elsewhere"), ('{"weight_map": {"a": 3}}', UnsafeError, "lie elsewhere"),
        ('{"weight_map": {"a": "b"}}', InputError, "'model.safetensors.index.json' b is not there"),
    ]:  # fmt: skip
        index.write_text(content)
        with pytest.raises(ReverieError, match=told) as caught:
            filled(index, state)
        assert type(caught.value) is kind
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="a folder without weights"):
        filled(tmp_path / "empty", state)
    for name in ("a.pth", "b.pth"):
        torch.save(state, tmp_path / "empty" / name)
    with pytest.raises(InputError, match=r"a folder with 2 files of weights; give one of them, such as a\.pth"):
        filled(tmp_path / "empty", state)
    (tmp_path / "empty" / "b.pth").unlink()
    filled(tmp_path / "empty", state)


def test_names_of_entries_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a#b.pth").touch()
    (tmp_path / "folder").mkdir()
    assert source("a#b.pth").version == "" and source("a#b.pth#ema").name == "a#b.pth"
    assert (source("no.ckpt#model.ema").name, source("no.ckpt#model.ema").version) == ("no.ckpt", "model.ema")
    assert source("no.ckpt#ema").text == "no.ckpt#ema" == source("no.ckpt#ema").called
    assert source("folder").kind == "file"
    with pytest.raises(UsageError, match="ends in '#' without an entry"):
        source("no.pth#")

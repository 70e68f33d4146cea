"""The store of an atlas writes several files at a time, and none over what goes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from reverie.atlases.store import AtlasStore
from reverie.errors import OutputError
from reverie.store import originals


def test_all_files_of_a_unit_are_there_before_it_counts_as_finished(tmp_path: Path) -> None:
    with AtlasStore(tmp_path / "atlas") as store:
        files = {f"layer/{number}.webp": bytes([number]) * 100 for number in range(20)}
        store.put("unit", "layer:0", "key", {}, files)
        assert store.is_finished("unit", "layer:0", "key")
        assert {path: (tmp_path / "atlas" / path).read_bytes() for path in files} == files
        assert store.files_of("unit", "layer:0") == list(files)


def test_what_goes_in_is_not_written_over_and_its_unit_is_not_finished(tmp_path: Path) -> None:
    with AtlasStore(tmp_path / "atlas") as store:
        photo = tmp_path / "atlas" / "photo.webp"
        photo.write_bytes(b"a photograph")
        with originals([photo]), pytest.raises(OutputError):
            store.put("unit", "layer:0", "key", {}, {"a.webp": b"1", "photo.webp": b"2"})
        assert photo.read_bytes() == b"a photograph"
        assert not store.is_finished("unit", "layer:0", "key")

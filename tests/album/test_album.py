"""The album: what it says of a folder is what is in the files, whatever happens to the index."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.helpers.commands import carrying, header, photo, saved
from tests.helpers.recipes import PLAIN

import reverie.album.index as index
from reverie import files
from reverie.album import Album, Entry, Found
from reverie.album.entries import SIDE, Look, look
from reverie.errors import InputError
from reverie.recipe import sheet_mark
from reverie.store import holdings, prune
from reverie.target import parse

CHILD = """
import sys, pathlib
from reverie.album import Album
album = Album(pathlib.Path(sys.argv[1]))
print(len(album.update().added), len(album.entries()))
assert "torch" not in sys.modules
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a dream, a photograph in a folder below, and a text."""
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "pictures"
    (place / "below").mkdir(parents=True)
    carrying(place / "dream.png", PLAIN.text())
    saved(place / "below" / "photo.jpg", 60, 90)
    (place / "notes.txt").write_text("BM, not a bitmap")
    _age(place)
    return place


def _age(folder: Path) -> None:
    """All files were changed a minute ago, so that they are known for good."""
    for each in folder.rglob("*"):
        if each.is_file():
            os.utime(each, (time.time() - 60, time.time() - 60))


def listed(folder: Path) -> dict[str, Entry]:
    with Album(folder) as album:
        album.update()
        return {each.path: each for each in album.entries()}


def test_every_picture_is_in_it_with_what_its_file_says(folder: Path) -> None:
    found = listed(folder)
    assert list(found) == ["below/photo.jpg", "dream.png"]
    for path, entry in found.items():
        place = folder / path
        assert entry.sha256 == hashlib.sha256(place.read_bytes()).hexdigest()
        assert (entry.size, entry.changed) == (place.stat().st_size, place.stat().st_mtime_ns)
        with Image.open(place) as image:
            assert (entry.width, entry.height) == image.size
        assert (entry.state, entry.fault) == ("picture", "")
    assert found["dream.png"].read_recipe() == PLAIN
    assert found["dream.png"].words.startswith("a dream on blocks.4.1:12 - 0.5*blocks.2.0:3, 5 octaves of 16 steps, 96×64, seed 7")
    assert found["below/photo.jpg"].words == "" and found["below/photo.jpg"].read_recipe() is None


def test_it_is_brought_up_to_date_by_size_and_time_and_looks_at_nothing_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def noted(place: Path, found: Found) -> Look:
        looked.append(found.path)
        return look(place, found)

    monkeypatch.setattr(index, "look", noted)
    with Album(folder) as album:
        first = album.update()
        assert sorted(first.added) == sorted(looked) == ["below/photo.jpg", "dream.png", "notes.txt"]
        assert album.update() == index.Changes() and len(looked) == 3
    looked.clear()
    (folder / "notes.txt").unlink()
    saved(folder / "new.png", 20, 20)
    os.utime(folder / "below" / "photo.jpg", (1, 1))
    with Album(folder) as album:
        again = album.update()
        assert (again.added, again.changed, again.removed) == (["new.png"], ["below/photo.jpg"], ["notes.txt"])
        assert looked == ["below/photo.jpg", "new.png"]
        assert [each.path for each in album.entries()] == ["below/photo.jpg", "dream.png", "new.png"]
        assert album.thumbnail("notes.txt") == b""


def test_a_file_changed_in_the_same_moment_at_the_same_size_is_looked_at_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_TICK", 10**12)  # a moment that a busy machine does not miss
    place = folder / "raw.bmp"
    Image.new("RGB", (8, 8), "black").save(place)
    os.utime(place)
    first = listed(folder)["raw.bmp"]
    facts = place.stat()
    Image.new("RGB", (8, 8), "white").save(place)
    os.utime(place, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    second = listed(folder)["raw.bmp"]
    assert (first.size, first.changed) == (second.size, second.changed) and first.sha256 != second.sha256


def test_what_cannot_be_read_is_listed_and_says_why(folder: Path) -> None:
    whole = (folder / "dream.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("not a picture")
    (folder / "empty.webp").write_bytes(b"")
    (folder / "bomb.png").write_bytes(header(100_000, 100_000))
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    with Album(folder) as album:
        changes = album.update()
        found = {each.path: each for each in album.entries()}
    assert len(found) == 8
    faults = {path: each.fault for path, each in found.items() if each.state == "unreadable"}
    assert {path: fault.split(",")[0] for path, fault in faults.items()} == {
        "cut.png": "is cut short", "text.jpg": "is a text", "empty.webp": "is empty", "bomb.png": faults["bomb.png"].split(",")[0],
        "nowhere.png": "does not exist", "pipe.png": "is not a file",
    }  # fmt: skip
    assert "100000×100000" in faults["bomb.png"]
    assert found["cut.png"].sha256 == hashlib.sha256((folder / "cut.png").read_bytes()).hexdigest()
    assert changes.faults == {"circle": "a link to a folder, which is not followed"}


def test_a_folder_that_may_not_be_looked_into_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(place: Path) -> object:
        if Path(place).name == "below":
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    with Album(folder) as album:
        assert album.update().faults == {"below": "this folder cannot be looked into (Permission denied)"}
        assert [each.path for each in album.entries()] == ["dream.png"]


def test_a_folder_that_is_none_is_an_input_error(folder: Path) -> None:
    for place, fault in ((folder / "gone", "does not exist"), (folder / "dream.png", "is not a folder")):
        with Album(place) as album, pytest.raises(InputError, match=fault):
            album.update()


def test_a_picture_is_told_by_its_content_and_odd_names_and_links_are_names_like_others(folder: Path) -> None:
    shutil.copy(folder / "dream.png", folder / "no suffix")
    odd = ["a#b?c%20.png", "'\"<b>&.png", "ä 雪 😀.png", "two\nlines.png", os.fsdecode(b"\xff\xfe.png")]
    for name in odd:
        shutil.copy(folder / "dream.png", folder / name)
    (folder / "link.png").symlink_to("dream.png")
    (folder / ".hidden.png").write_bytes(b"")
    found = listed(folder)
    assert set(found) == {*odd, "no suffix", "link.png", "dream.png", "below/photo.jpg"}
    assert len({each.sha256 for path, each in found.items() if path != "below/photo.jpg"}) == 1
    with Album(folder) as album:
        assert all(album.thumbnail(each) for each in found)
        assert [each.path for each in album.find("ä 雪")] == ["ä 雪 😀.png"]


def test_sheets_and_recipes_that_cannot_be_used_are_told_apart_from_photographs(folder: Path) -> None:
    carrying(folder / "sheet.png", sheet_mark([PLAIN, None]))
    carrying(folder / "newer.png", PLAIN.text().replace('"schema_version":2', '"schema_version":99'))
    found = listed(folder)
    assert found["sheet.png"].words == "a sheet of 2 pictures" and found["sheet.png"].recipe == ""
    assert found["newer.png"].state == "picture" and "version 99" in found["newer.png"].fault


def test_pictures_are_found_again_by_what_is_in_their_recipes(folder: Path) -> None:
    carrying(folder / "banana.png", PLAIN.model_copy(update={"command": "imagine", "target": parse("class:banana")}).text())
    with Album(folder) as album:
        album.update()
        names = [
            [each.path for each in found]
            for found in (
                album.find(layer="blocks.2.0"), album.find(class_="banana"), album.find(command="imagine", class_="banana"),
                album.find(network="efficientnet-lite0"), album.find("SEED 7", layer="blocks.2.0"), album.find(class_="apple"),
                album.find(sha256=hashlib.sha256((folder / "below/photo.jpg").read_bytes()).hexdigest()), album.find("photo"),
            )
        ]  # fmt: skip
    both = ["banana.png", "dream.png"]
    assert names == [["dream.png"], ["banana.png"], ["banana.png"], both, ["dream.png"], [], ["below/photo.jpg"], ["below/photo.jpg"]]


def test_a_thumbnail_is_the_picture_made_small_and_upright(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = np.zeros((600, 1200, 3), np.uint8)
    wide[:, :600] = (250, 20, 20)  # red at the left: above, once it is turned
    Image.fromarray(wide).save(folder / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(np.dstack([photo(), np.full(photo().shape[:2], 90, np.uint8)])).save(folder / "clear.png")
    entry = listed(folder)["turned.jpg"]
    assert (entry.width, entry.height) == (600, 1200)
    with Album(folder) as album:
        small = Image.open(BytesIO(album.thumbnail("turned.jpg"))).convert("RGB")
        assert small.size == (SIDE // 2, SIDE)
        above, below = (np.asarray(small.getpixel((SIDE // 4, at)), int) for at in (20, SIDE - 20))
        assert np.abs(above - (250, 20, 20)).max() < 12 and below.max() < 12
        assert Image.open(BytesIO(album.thumbnail("clear.png"))).mode == "RGBA"


def test_reading_a_jpeg_smaller_gives_the_same_picture_and_tells_its_size(tmp_path: Path) -> None:
    place = saved(tmp_path / "large.jpg", 800, 1000, quality=95)
    exact, quick = files.read(place), files.read(place, fit=192)
    assert exact.size == quick.size == (800, 1000) and quick.rgb.shape[0] < 800 and min(quick.rgb.shape[:2]) >= 192
    smaller = np.asarray(Image.fromarray(exact.rgb).resize(quick.rgb.shape[1::-1], Image.Resampling.BOX), int)
    assert np.abs(smaller - quick.rgb).mean() < 3


@pytest.mark.parametrize("damage", ["noise", "cut", "empty", "middle", "old"])
def test_a_damaged_index_is_made_again_from_the_files(folder: Path, damage: str) -> None:
    before = listed(folder)
    with Album(folder) as album:
        place = album.place
        if damage == "old":
            album._db.execute("UPDATE made SET format = '0 0.0.0'")
            album._db.commit()
    content = place.read_bytes()
    place.write_bytes({
        "noise": b"\x13" * 5000, "cut": content[: len(content) // 2], "empty": b"", "old": content,
        "middle": content[:4096] + b"\xee" * (len(content) - 8192) + content[-4096:],
    }[damage])  # fmt: skip
    assert listed(folder) == before
    with Album(folder) as album:
        assert all(album.thumbnail(path) for path in before)


def test_a_thumbnail_that_is_damaged_alone_is_made_again(folder: Path) -> None:
    listed(folder)
    with Album(folder) as album:
        kept = album.thumbnail("dream.png")
        root = album._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'thumbnails'").fetchone()[0]
        album._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = album._db.execute("PRAGMA page_size").fetchone()[0]
        place = album.place
    content = bytearray(place.read_bytes())
    content[(root - 1) * size : root * size] = b"\xee" * size
    place.write_bytes(content)
    with Album(folder) as album:
        assert album.thumbnail("dream.png") == kept


def test_where_the_cache_cannot_be_written_it_is_kept_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(folder / "notes.txt"))
    assert list(listed(folder)) == ["below/photo.jpg", "dream.png"]
    with Album(folder) as album:
        album.rebuild()
        assert len(album.update().added) == 3


def test_the_folder_is_only_read(folder: Path) -> None:
    before = {each: each.stat().st_mtime_ns for each in folder.rglob("*")}
    listed(folder)
    assert {each: each.stat().st_mtime_ns for each in folder.rglob("*")} == before


def many(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number:04}.png").write_bytes(files.encode(photo(24, 32), suffix=".png", recipe=PLAIN.text()))


def child(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True)


def test_after_a_kill_the_rest_is_indexed_and_nothing_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many(folder, 2000)
    _age(folder)
    with Album(folder) as album:
        process = child(folder)
        until = time.monotonic() + 60
        while album.count("picture") == 0 and time.monotonic() < until:  # its first commit
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = album.count("picture")
        assert 0 < kept < 2002
        other = album.count("other")
        assert len(album.update().added) == 2003 - kept - other
        assert len(album.entries()) == 2002


def test_two_processes_at_once_make_one_index(folder: Path) -> None:
    many(folder, 120)
    _age(folder)
    said = [tuple(int(each) for each in process.communicate(timeout=120)[0].split()) for process in [child(folder), child(folder)]]
    assert sorted(said) == [(0, 122), (123, 122)]


def test_a_reader_is_not_kept_waiting_by_a_writer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(folder)
    with Album(folder) as writer, writer._alone():
        writer._put(Found("dream.png", 1, 1))
        monkeypatch.setattr(index, "_PATIENCE", 0.0)  # one who would have to wait is refused
        with Album(folder) as reader:
            assert reader._lock is not None and len(reader.entries()) == 2


def test_the_cache_counts_and_prunes_it(folder: Path) -> None:
    listed(folder)
    kinds = {each.kind: each.files for each in holdings()}
    assert kinds["albums"] == 1
    prune(["albums"])
    assert {each.kind: each.files for each in holdings()}["albums"] == 0
    assert len(listed(folder)) == 2

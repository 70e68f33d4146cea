"""Whole-or-nothing writing, and contents kept by hash."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.commands import listed

from reverie.errors import OutputError
from reverie.recipe import flag_of
from reverie.store import Kept, cache_folder, check_place, exists, files_in, scratch, sha256_of, together, write_whole


def failing(code: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_writes_the_content_with_ordinary_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert write_whole(tmp_path / "a.png", b"abc") == tmp_path / "a.png"
    finally:
        os.umask(before)
    assert (tmp_path / "a.png").read_bytes() == b"abc"
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640
    assert listed(tmp_path) == ["a.png"]


def test_replaces_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_whole(path, b"old")
    with pytest.raises(OutputError, match=r"exists already; give force="):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", replace=True)
    assert path.read_bytes() == b"new"
    assert listed(tmp_path) == ["a.png"]


def test_of_many_writers_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    path, start = tmp_path / "a", threading.Barrier(8)
    outcomes: list[int | None] = []

    def write(number: int) -> None:
        start.wait()
        try:
            write_whole(path, bytes([number]) * 1000)
            outcomes.append(number)
        except OutputError:
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    winners = [each for each in outcomes if each is not None]
    assert len(outcomes) == 8 and len(winners) == 1
    assert path.read_bytes() == bytes(winners) * 1000
    assert listed(tmp_path) == ["a"]


def test_a_name_taken_while_we_write_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sync = tmp_path / "a", os.fsync

    def take(handle: int) -> None:
        path.write_bytes(b"theirs")
        sync(handle)

    monkeypatch.setattr(os, "fsync", take)
    with pytest.raises(OutputError, match="exists already"):
        write_whole(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert listed(tmp_path) == ["a"]


@pytest.mark.parametrize("taken", [False, True])
def test_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    path = tmp_path / "a"
    if taken:
        path.write_bytes(b"theirs")
        with pytest.raises(OutputError, match="exists already"):
            write_whole(path, b"ours")
    else:
        write_whole(path, b"ours")
    assert path.read_bytes() == (b"theirs" if taken else b"ours")
    assert listed(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "no room left"), (errno.EDQUOT, "no room left"), (errno.EROFS, "is not writable"), (errno.EIO, "cannot be written")],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", failing(code))
    with pytest.raises(OutputError, match=message) as caught:
        write_whole(path, b"new", replace=True)
    assert caught.value.exit_code == 5 and "\n" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert listed(tmp_path) == ["a"]


@pytest.mark.parametrize("act", [check_place, lambda path: write_whole(path, b"x")])
def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], object]) -> None:
    monkeypatch.setattr(os, "open", failing(errno.EACCES))  # tests may run as root, whom permissions do not bind
    with pytest.raises(OutputError, match=r"is not writable; choose another place$"):
        act(tmp_path / "a")


@pytest.mark.parametrize("act", [check_place, lambda path: write_whole(path, b"x", replace=True)])
def test_a_folder_that_is_missing_or_a_place_that_is_a_folder(tmp_path: Path, act: Callable[[Path], object]) -> None:
    with pytest.raises(OutputError, match="mkdir -p"):
        act(tmp_path / "no" / "a")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        act(tmp_path / "file" / "a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        act(tmp_path / "folder")
    assert listed(tmp_path) == ["file", "folder"]


def test_checking_a_place_leaves_no_trace(tmp_path: Path) -> None:
    check_place(tmp_path / "a.png")
    assert listed(tmp_path) == []


def test_what_killed_writers_left_is_dropped_after_an_hour(tmp_path: Path) -> None:
    old, new, theirs = tmp_path / ".reverie-old.part", tmp_path / ".reverie-new.part", tmp_path / ".other.part"
    for each in (old, new, theirs):
        each.write_bytes(b"half")
    for each in (old, theirs):
        os.utime(each, (time.time() - 3700,) * 2)
    write_whole(tmp_path / "a", b"x")
    assert listed(tmp_path) == [".other.part", ".reverie-new.part", "a"]


def test_kept_contents_are_found_by_hash_and_kept_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "inputs")
    digest = kept.put(b"content")
    assert digest == sha256_of(b"content") == kept.put(b"content")
    found = kept.find(digest)
    assert found is not None and found.read_bytes() == b"content" and sha256_of(found) == digest
    assert len([each for each in tmp_path.rglob("*") if each.is_file()]) == 1
    assert kept.find(sha256_of(b"other")) is None


def test_damaged_kept_content_is_dropped_and_can_be_kept_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    digest = kept.put(b"content")
    place = kept.find(digest)
    assert place is not None
    place.write_bytes(b"c0ntent")
    assert kept.find(digest) is None
    assert not place.exists()
    kept.put(b"content")
    assert kept.find(digest) == place


def test_keeping_repairs_damaged_content(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    digest = kept.put(b"content")
    place = tmp_path / digest[:2] / digest
    place.write_bytes(b"c0ntent")
    assert kept.put(b"content") == digest
    assert place.read_bytes() == b"content"


def test_writing_leaves_the_umask_of_the_process_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "umask", failing(errno.EPERM))  # it belongs to all threads: who changes it, changes their files too
    write_whole(tmp_path / "a", b"x")


def test_a_name_too_long_is_found_out_beforehand(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        check_place(tmp_path / ("a" * 300))


@pytest.mark.parametrize("act", [check_place, lambda path: write_whole(path, b"x", replace=True)])
def test_a_place_that_is_no_plain_file_is_left_alone(tmp_path: Path, act: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is not a file"):
        act(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_kept_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Kept(tmp_path / "file" / "inputs").put(b"x")


def test_the_cache_moves_with_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    assert Kept().folder == tmp_path / "cache" / "inputs"
    assert not (tmp_path / "cache").exists()


def test_sha256_of_a_long_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than one piece
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == sha256_of(content)


def test_files_in_a_folder_by_suffix(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.png", ".hidden.png", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [each.name for each in files_in(tmp_path, frozenset({".png"}))] == ["a.png", "b.PNG"]


def test_a_folder_that_may_be_written_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: object, flags: int, *rest: int) -> int:
        if Path(str(path)) == tmp_path:
            raise PermissionError(errno.EACCES, "denied")
        return real(str(path), flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    assert write_whole(tmp_path / "a", b"1").read_bytes() == b"1"


def test_scratch_takes_no_error_of_its_user_for_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match="elsewhere"), scratch(10):
        raise FileNotFoundError(errno.ENOENT, "elsewhere")
    (tmp_path / "file").touch()
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="REVERIE_CACHE"), scratch(10):
        pass


def test_how_a_place_is_named_is_told_on_the_command_line_alone(tmp_path: Path) -> None:
    error = exists(tmp_path / "there.png")  # `Picture.save` has no `output`
    assert error.remedy == "give force= to replace it, or another name"
    assert error.with_flags(flag_of)[1] == "give --force to replace it, or another name with --output"
    assert error.field == "force"


def test_files_put_into_place_together_come_in_the_order_in_which_they_were_handed_over(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"old")
    with together() as hand_over:
        hand_over(tmp_path / "a", b"first")
        hand_over(tmp_path / "b", b"second")
        assert not (tmp_path / "a").exists() and (tmp_path / "b").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == b"first" and (tmp_path / "b").read_bytes() == b"second"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]


def test_where_one_of_several_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a folder"), together() as hand_over:
        hand_over(tmp_path / "a", b"first")
        hand_over(tmp_path / "folder", b"second")
    with pytest.raises(ValueError, match="of the caller"), together() as hand_over:
        hand_over(tmp_path / "a", b"first")
        raise ValueError("of the caller")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]

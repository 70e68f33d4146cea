"""Downloads: whole, broken off and resumed, wrong, refused, offline; from a server on this machine."""

from __future__ import annotations

import errno
import hashlib
import random
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from tests.helpers.serving import Served, server

from reverie.errors import InputError, OutputError, UnsafeError
from reverie.networks.sources import download
from reverie.networks.sources.download import fetched, is_offline

CONTENT = random.Random(0).randbytes(700_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def left(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if each.suffix != ".lock"}


def test_a_file_comes_whole_once_and_its_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with server(**{"net.pth": Served(CONTENT)}) as at:
        for _ in range(2):
            place = fetched(
                f"{at.url}/net.pth?download=true", tmp_path / "a" / "b", digest=DIGEST[:8], progress=lambda *now: told.append(now)
            )
            assert place == tmp_path / "a" / "b" / "net.pth" and place.read_bytes() == CONTENT
        assert len(at.asked) == 1, "the second time it was there"
    assert told[-1] == (len(CONTENT), len(CONTENT)) and [each for each, _ in told] == sorted(each for each, _ in told)
    assert left(place.parent) == {"net.pth"}


def test_what_was_broken_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with server(**{"net.pth": Served(CONTENT, stop=300_000)}) as at:
        with pytest.raises(InputError, match=r"broken off.*the same command goes on"):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST)
        assert "net.pth" not in left(tmp_path)
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT
        asked = at.asked[-1][2]
        begin = int(asked["range"].removeprefix("bytes=").rstrip("-"))
        assert begin > 0 and asked["if-range"] == '"one"'
        assert at.sent[-1] == len(CONTENT) - begin, "only the rest was sent"
    assert left(tmp_path) == {"net.pth"}


@pytest.mark.parametrize(
    "then",
    [Served(CONTENT, etag='"two"'), Served(CONTENT, ranges=False), Served(CONTENT, etag="")],
    ids=["changed", "no ranges", "no label"],
)
def test_where_it_cannot_go_on_it_begins_anew(tmp_path: Path, then: Served) -> None:
    old = bytes(len(CONTENT)) if then.etag == '"two"' else CONTENT
    with server(**{"net.pth": Served(old, stop=300_000, etag=then.etag if not then.etag else '"one"')}) as at:
        with pytest.raises(InputError):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST)
        at.files["net.pth"] = then
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT
        assert at.sent[-1] == len(CONTENT)


def test_what_is_not_what_it_should_be_is_dropped(tmp_path: Path) -> None:
    with server(**{"net.pth": Served(CONTENT[:-1] + b"!")}) as at:
        with pytest.raises(UnsafeError, match="sha256"):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST)
        assert left(tmp_path) == set()
        at.files["net.pth"] = Served(CONTENT)
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT


def test_a_file_that_was_damaged_in_the_cache_comes_anew(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"damaged")
    with server(**{"net.pth": Served(CONTENT)}) as at:
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("file", "error", "said"),
    [
        (Served(code=404), InputError, "404"),
        (Served(code=503), InputError, "503"),
        (Served(CONTENT, hang=3.0), InputError, "broken off"),
        (Served(code=302, location="file:///etc/hostname"), UnsafeError, "only https"),
        (Served(code=302, location="ftp://127.0.0.1/net.pth"), UnsafeError, "only https"),
        (Served(code=302, location="/net.pth"), InputError, "302"),
        (Served(code=302, location="http://[bad/net.pth"), InputError, "broken off"),
    ],
    ids=["not there", "busy", "hanging", "to a file", "to ftp", "in a ring", "to nothing"],
)
def test_servers_that_do_not_give_it(tmp_path: Path, file: Served, error: type[Exception], said: str) -> None:
    with server(**{"net.pth": file}) as at, pytest.raises(error, match=said):
        fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST, timeout=0.5)
    assert "net.pth" not in left(tmp_path)


def test_what_is_sent_beyond_the_promise_is_not_taken(tmp_path: Path) -> None:
    with server(**{"net.pth": Served(CONTENT, more=50_000)}) as at:
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT


def test_a_redirection_is_followed(tmp_path: Path) -> None:
    with server(**{"net.pth": Served(CONTENT)}) as at:
        at.files["old.pth"] = Served(code=302, location=f"{at.url}/net.pth")
        assert fetched(f"{at.url}/old.pth", tmp_path, digest=DIGEST).name == "old.pth"


def test_an_address_that_is_encrypted_does_not_lead_to_one_that_is_not(tmp_path: Path) -> None:
    from_https = urllib.request.Request("https://one/net.pth")
    lead = download._OnlyHttp().redirect_request
    with pytest.raises(UnsafeError, match="only https"):
        lead(from_https, None, 302, "", {}, "http://two/net.pth")
    assert lead(from_https, None, 302, "", {}, "https://two/net.pth").full_url == "https://two/net.pth"


def test_nobody_there(tmp_path: Path) -> None:
    with server() as at:
        gone = at.url
    with pytest.raises(InputError, match="the same command goes on"):
        fetched(f"{gone}/net.pth", tmp_path, digest=DIGEST, timeout=2.0)


@pytest.mark.parametrize("how", ["asked", "1", "ON", "true"])
def test_offline_nothing_is_downloaded_and_what_is_here_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how != "asked":
        monkeypatch.setenv("HF_HUB_OFFLINE", how)
    with server(**{"net.pth": Served(CONTENT)}) as at:
        with pytest.raises(InputError, match=r"not in the cache.*offline="):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST, offline=how == "asked")
        assert at.asked == []
        (tmp_path / "net.pth").write_bytes(CONTENT)
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST, offline=how == "asked").read_bytes() == CONTENT
        assert at.asked == []


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_not_offline(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert not is_offline() and is_offline(True)


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://host/net.pth", "https://host/", "net.pth", "http:///net.pth", "http://[x/net.pth"]
)
def test_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnsafeError):
        fetched(url, tmp_path, digest=DIGEST)


def test_names_stay_in_the_folder(tmp_path: Path) -> None:
    with server(**{"a/..%2F..%2Fnet.pth": Served(CONTENT)}) as at:
        place = fetched(f"{at.url}/a/..%2F..%2Fnet.pth", tmp_path / "in", digest=DIGEST)
    assert place.parent == tmp_path / "in" and place.is_file()


@pytest.mark.parametrize("why", [OSError(errno.ENOSPC, "no space"), KeyboardInterrupt()], ids=["full disk", "ended"])
def test_what_came_is_kept_when_it_ends(tmp_path: Path, why: BaseException) -> None:
    reached: list[int] = []

    def end(done: int, total: int | None) -> None:  # after a piece is written
        reached.append((tmp_path / ".net.pth.download").stat().st_size)
        raise why

    with server(**{"net.pth": Served(CONTENT)}) as at:
        with pytest.raises((OutputError, KeyboardInterrupt), match=r"no room.*goes on|^$"):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST, progress=end)
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT
        assert at.asked[-1][2]["range"] == f"bytes={reached[0]}-" and reached[0] > 0, "a kill would have left it too"


def test_no_room_for_it_is_found_out_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=len(CONTENT) - 1))
    with server(**{"net.pth": Served(CONTENT)}) as at, pytest.raises(OutputError, match="no room"):
        fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST)
    assert left(tmp_path) == set()


@pytest.mark.parametrize(
    ("part", "mark", "asked"),
    [(CONTENT, '"one"', 0), (CONTENT + b"more", '"one"', 2), (CONTENT[:9], "a\nb: c", 1), (CONTENT[:9], "", 1)],
    ids=["whole", "too long", "bad label", "empty label"],
)
def test_what_was_left_by_a_process_that_was_killed(tmp_path: Path, part: bytes, mark: str, asked: int) -> None:
    (tmp_path / ".net.pth.download").write_bytes(part)
    (tmp_path / ".net.pth.etag").write_text(mark)
    with server(**{"net.pth": Served(CONTENT)}) as at:
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT
        assert len(at.asked) == asked
    assert left(tmp_path) == {"net.pth"}


def test_a_folder_that_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Path) -> FileLock:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(download, "FileLock", refuse)
    with server(**{"net.pth": Served(CONTENT)}) as at:
        with pytest.raises(OutputError, match=r"cannot be written.*REVERIE_CACHE"):
            fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST)
        (tmp_path / "net.pth").write_bytes(CONTENT)
        assert fetched(f"{at.url}/net.pth", tmp_path, digest=DIGEST).read_bytes() == CONTENT
        assert at.asked == []


def test_two_processes_download_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from reverie.networks.sources.download import fetched; "
        "fetched(sys.argv[1], Path(sys.argv[2]), digest=sys.argv[3])"
    )
    with server(**{"net.pth": Served(CONTENT, hang=0.5)}) as at:
        command = [sys.executable, "-c", program, f"{at.url}/net.pth", str(tmp_path), DIGEST]
        both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        for each in both:
            _, said = each.communicate(timeout=120)
            assert each.returncode == 0, said
        assert len(at.asked) == 1
    assert (tmp_path / "net.pth").read_bytes() == CONTENT

"""The folder of a studio: nobody gets at anything else, and one server serves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reverie.errors import InputError, OutputError, UsageError
from reverie.studio.jobs import Home

SERVER = """
import sys
from pathlib import Path
from reverie.errors import OutputError
from reverie.studio.jobs import Home
try:
    with Home(Path(sys.argv[1])).serving():
        print("serving", flush=True)
        sys.stdin.read()
except OutputError as error:
    sys.exit(error.exit_code)
"""


def server(home: Home) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SERVER, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_is_kept_is_found_by_its_hash_and_called_by_its_name(home: Home) -> None:
    digest = home.keep(b"content", "C:\\holiday\\sky \x1b[2J.png")
    assert home.find(f"input:{digest}").read_bytes() == b"content"
    assert home.called(f"input:{digest}") == "sky �[2J.png"
    assert home.name_of("0" * 64) == "picture"


@pytest.mark.parametrize(
    "reference",
    [
        "/etc/passwd", "etc/passwd", "../x", "picture:", "picture:../../etc/passwd", "picture:a/../../x", "picture:/etc/passwd",
        "picture:.x", "picture:a//b", "picture:C:\\x", "picture:a\0b", "input:", "input:" + "A" * 64, "input:" + "a" * 63,
        "input:../" + "a" * 61,
        "http://x/y.png", "file:///etc/passwd", "~/x", "picture:" + "a" * 5000, 5, None, ["input:" + "a" * 64],
    ],
)  # fmt: skip
def test_nothing_but_references_is_looked_for(home: Home, reference: object) -> None:
    with pytest.raises(UsageError, match="no picture of this studio"):
        home.find(reference)  # type: ignore[arg-type]


def test_what_is_gone_is_told(home: Home) -> None:
    for reference in ("input:" + "a" * 64, "picture:gone.png"):
        with pytest.raises(InputError, match="no longer"):
            home.find(reference)


def test_what_is_no_longer_what_it_was_is_not_given(home: Home) -> None:
    digest = home.keep(b"content")
    place = home.find(f"input:{digest}")
    place.unlink()
    place.write_bytes(b"something else")
    with pytest.raises(InputError, match="no longer"):
        home.find(f"input:{digest}")
    assert home.keep(b"content") == digest and home.find(f"input:{digest}").read_bytes() == b"content"


def test_an_input_is_read_through_only_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = home.keep(b"content")
    place = home.find(f"input:{digest}")
    monkeypatch.setattr(type(home.inputs), "find", lambda *_: pytest.fail("it is a film of gigabytes"))
    assert home.find(f"input:{digest}") == place


def test_a_link_out_of_the_pictures_is_not_followed(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (home.pictures / "link.png").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="no longer"):
        home.find("picture:link.png")


def test_a_second_server_is_refused_and_a_killed_one_gives_the_home_back(home: Home) -> None:
    first = server(home)
    assert first.stdout is not None and first.stdout.readline() == "serving\n"
    second = server(home)
    assert second.wait(60) == OutputError.exit_code == 5
    with pytest.raises(OutputError, match="another studio is open"), home.serving():
        pass
    first.kill()
    first.wait(60)
    with home.serving():
        pass

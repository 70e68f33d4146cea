"""The package from outside: its names, what an import brings along, the size of its files, and that they name no machine."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from tests.helpers.commands import carrying, saved
from tests.helpers.recipes import PLAIN

import reverie

SOURCE = Path(reverie.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
PUBLIC = [
    "Asked", "Atlas", "Calibration", "Footage", "Grid", "Known", "Label", "Layer", "Network", "Picture", "Pictures", "Progress", "Recipe",
    "Recognised", "Rung", "Sight", "__version__", "again", "ask", "atlas", "climb", "dream", "errors", "feature", "features", "film",
    "grid", "imagine", "journey", "load", "redo", "see", "sheet", "wrap",
]  # fmt: skip
PLANNED = ["train", "gallery"]

REPORT = "import sys; print(sorted({each.partition('.')[0] for each in sys.modules} & {'torch', 'numpy', 'PIL', 'rich', 'jinja2', 'http'}))"


def brought_along(code: str, *arguments: str) -> str:
    """Which heavy packages some code has imported by its end."""
    whole = f"import atexit, sys\natexit.register(lambda: exec({REPORT!r}))\n{code}"
    done = subprocess.run([sys.executable, "-c", whole, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[-1]


def test_the_public_names() -> None:
    assert reverie.__all__ == PUBLIC
    assert dir(reverie) == PUBLIC
    for name in PUBLIC:
        assert getattr(reverie, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = reverie.nonsense  # type: ignore[attr-defined]
    assert re.fullmatch(r"\d+\.\d+\.\d+", reverie.__version__)


@pytest.mark.parametrize("room", ["files", "api"])
def test_the_names_of_rooms(room: str) -> None:
    names = import_module(f"reverie.{room}")
    for name in names.__all__:
        assert getattr(names, name) is not None
    assert set(dir(names)) == set(names.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = names.nonsense


@pytest.mark.parametrize(
    "code",
    [
        "import reverie", "import reverie; dir(reverie); reverie.__version__", "import reverie.cli.main", "import reverie.album",
        "from reverie.cli import run; run(['--help'])", "from reverie.cli import run; run(['dream', '--help'])",
        "from reverie.cli import run; run(['--version'])", "from reverie.cli import run; run(['recipe', sys.argv[1]])",
        "from reverie.cli import run; run(['recipe', sys.argv[1], '--json'])",
    ],
)  # fmt: skip
def test_what_needs_neither_torch_nor_numpy(code: str, tmp_path: Path) -> None:
    picture = carrying(tmp_path / "a.png", PLAIN.text())
    assert brought_along(code, str(picture)) == "[]"


@pytest.mark.parametrize(
    "mistake",
    ["['dream', 'none.png']", "['redo', 'none.png']", "['recognise', 'none.png']", "['frob']", "['grid', 'none.png', '--vary', 'seed=1']"],
)
def test_plain_mistakes_are_told_before_torch_is_there(mistake: str) -> None:
    code = f"from reverie.cli.main import main; assert main({mistake}) in (2, 3)"
    assert "torch" not in brought_along(code)


# what comes with torch on no way of ours, and takes a second or two; and what the command has no use for
NEEDLESS = {"sympy", "networkx", "scipy", "torch._dynamo", "torch._inductor", "jinja2", "reverie.motion", "reverie.insight"}


@pytest.mark.parametrize("command", ["dream", "imagine", "feature", "recognise"])
def test_a_picture_is_made_with_what_it_needs_alone(command: str, tmp_path: Path) -> None:
    start = saved(tmp_path / "a.png", 64, 64)
    subject = {"dream": str(start), "imagine": "banana", "feature": "blocks.1.0:0", "recognise": str(start)}[command]
    made = [] if command == "recognise" else ["-o", str(tmp_path / "b.png"), "--octaves", "1", "--steps", "4"]
    made += [] if command in ("dream", "recognise") else ["--size", "64"]
    code = f"""
import gc, sys
from reverie.cli.main import main
assert main({[command, subject, *made]}) == 0
assert gc.isenabled() and gc.get_freeze_count() > 100_000, "what torch's import made is looked through for rubbish"
print("needless:", {NEEDLESS!r} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "needless: set()"


def test_only_one_file_of_the_commands_imports_the_public_functions() -> None:
    """The one where torch is imported as a process of its own may."""
    found = {
        each.name
        for each in (SOURCE / "cli").glob("*.py")
        if re.search(r"^\s*(from reverie import api|from reverie\.api)", each.read_text("utf-8"), re.M)
    }
    assert found == {"public.py"}


def test_no_module_takes_the_place_of_a_public_function() -> None:
    names = {each.stem for each in MODULES} | {each.parent.name for each in MODULES}  # a folder of scripts for pages is no module
    assert not names & {*PUBLIC, *PLANNED, "recognise"} - {"__init__", "errors"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_is_short_and_names_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 350
    if path.name != "addresses.py":  # which says by which names a server on this machine may be called
        assert not re.search(r"/(?:home|root|work|tmp|Users)/|[A-Z]:\\\\|localhost|127\.0\.0\.1", text)
    assert text.startswith('"""') or not text.strip()


def test_importing_changes_nothing_of_the_process() -> None:
    code = """
import os, signal, threading, warnings
before = list(warnings.filters), dict(os.environ), signal.getsignal(signal.SIGINT), threading.active_count()
import reverie.cli.main, reverie.album, reverie.checkup, reverie.files.recipes.embedded
assert before == (list(warnings.filters), dict(os.environ), signal.getsignal(signal.SIGINT), threading.active_count())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

"""Definitions: a function of the user's own that gives a module, and what is said where it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from reverie.errors import InputError, ReverieError, UsageError
from reverie.networks.sources.definition import module_of

NET = """
from torch import nn
print("a word that is no data")
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
def net():
    return Net()
def wide(width):
    return nn.Conv2d(3, width, 3)
def number():
    return 3
def broken():
    return nn.Conv2d(3, 5, 3)(1, 2)
LIMIT = 3
READY = nn.ReLU()
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mynets.py").write_text(NET)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "__init__.py").touch()
    (tmp_path / "inside" / "deep.py").write_text(NET)
    (tmp_path / "careless.py").write_text("raise ValueError('two\\nlines')")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(3)")
    (tmp_path / "wanting.py").write_text("import a_package_nobody_has")
    (tmp_path / "slipped.py").write_text("def net(:\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_function_of_the_working_folder_gives_the_module(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, state = list(sys.path), torch.random.get_rng_state()
    for text in ("mynets:net", "inside.deep:net", "mynets:Net", "mynets:READY", "torch.nn:Identity"):
        assert isinstance(module_of(text), nn.Module)
    assert sys.path == path
    assert torch.equal(torch.random.get_rng_state(), state)
    seen = capsys.readouterr()
    assert seen.out == "" and "no data" in seen.err


def test_a_function_or_a_module_is_a_definition_too() -> None:
    relu = nn.ReLU()
    assert module_of(relu) is relu
    assert isinstance(module_of(lambda: nn.Conv2d(1, 1, 1)), nn.Conv2d)


@pytest.mark.parametrize(
    ("text", "kind", "fault", "remedy"),
    [
        ("mynets", UsageError, "definition=mynets", "package.module:function"),
        ("mynets:", UsageError, "definition=mynets:", "package.module:function"),
        ("my nets:net", UsageError, "definition=my nets:net", "package.module:function"),
        ("mynets.py:net", UsageError, "names a file", "mynets:net"),
        ("inside/deep.py:net", UsageError, "names a file", "inside.deep:net"),
        ("mynet:net", UsageError, "no module 'mynet'", "did you mean 'mynets'"),
        ("inside.deap:net", UsageError, "no module 'inside.deap'", "did you mean 'inside.deep'"),
        ("quite_other:net", UsageError, "no module 'quite_other'", "the working folder has"),
        ("mynets:nett", UsageError, "'nett'", "did you mean 'net'"),
        ("mynets:zzz", UsageError, "'zzz'", "what it has: "),
        ("mynets:LIMIT", UsageError, "'mynets:LIMIT' is no function, but a int", "package.module:function"),
        ("mynets:wide", UsageError, "'mynets:wide' needs arguments: missing a required argument: 'width'", "takes none"),
        ("mynets:number", UsageError, "gave a int, and no nn.Module", "return the module"),
        ("mynets:broken", InputError, "'mynets:broken' raised TypeError", "mend it"),
        ("careless:net", InputError, "'careless' cannot be imported: ValueError: two (line 1 of careless.py)", "define"),
        ("leaving:net", InputError, "'leaving' cannot be imported: SystemExit", "define"),
        ("wanting:net", InputError, "No module named 'a_package_nobody_has'", "install what it needs"),
        ("slipped:net", InputError, "SyntaxError", "define"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines(work: Path, text: str, kind: type[ReverieError], fault: str, remedy: str) -> None:
    path = list(sys.path)
    with pytest.raises(kind) as raised:
        module_of(text)
    assert fault in raised.value.fault and remedy in raised.value.remedy, raised.value
    assert "\n" not in str(raised.value)
    assert sys.path == path


def test_what_a_function_raises_is_said_with_its_line(work: Path) -> None:
    with pytest.raises(InputError, match=r"\(line 15 of mynets.py\)"):
        module_of("mynets:broken")

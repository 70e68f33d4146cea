"""Types of the public names: an editor completes every choice, a checker finds what does not fit."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import reverie
from reverie.api import choices
from reverie.recipe import COMMANDS

CACHE = Path(__file__).parents[2] / ".mypy_cache" / "user"  # kept, for torch takes a checker half a minute

OF = {
    "dream": choices.DreamChoices, "imagine": choices.ImagineChoices, "feature": choices.FeatureChoices, "see": choices.SeeChoices,
    "journey": choices.JourneyChoices, "film": choices.FilmChoices,
}  # fmt: skip


@pytest.mark.parametrize("name", OF)
def test_the_choices_of_a_function_are_those_of_its_command(name: str) -> None:
    hints = typing.get_type_hints(OF[name], vars(choices))
    own = set(inspect.signature(getattr(reverie, name)).parameters)
    written = set(typing.get_type_hints(choices.WritingChoices))
    assert set(hints) - written == set(COMMANDS[name].fields) - own
    for field in set(hints) - written:
        annotation = str(COMMANDS[name].fields[field].model_fields[field].annotation)
        kinds = [each for each in typing.get_args(hints[field]) if each is not type(None)]
        if kinds in ([int], [float], [bool]):
            assert kinds[0].__name__ in annotation, field


@pytest.mark.parametrize("name", OF)
def test_help_shows_every_choice_with_its_default(name: str) -> None:
    told = inspect.getdoc(getattr(reverie, name)) or ""
    for field in COMMANDS[name].fields:
        assert f"    {field} = {COMMANDS[name].default(field)!r}: " in told, field


def test_a_checker_finds_what_does_not_fit(tmp_path: Path) -> None:
    program = tmp_path / "user.py"
    program.write_text(
        "import reverie, torch\n"
        "reverie.dream('sky.jpg', stepz=3)\n"  # 2
        "reverie.dream('sky.jpg', steps='three')\n"  # 3
        "reverie.feature('x').savee()\n"  # 4
        "reverie.imagine(['a', 'b'])[0].save('a.png')\n"
        "reverie.dream('sky.jpg', level='parts', steps=3, mix=0.5).image.show()\n"
        "reverie.dream('sky.jpg', level='trees')\n"  # 7
        "for each in reverie.features('blocks.4.1:0-3', size=64): each.save('x.png')\n"
        "reverie.again('x.png', seed=5, strengh=0.2)\n"  # 9
        "reverie.imagine(['goldfish', 954]).sort(key=str); reverie.imagine(between=['a', 'b'])[0]\n"
        "reverie.drem('sky.jpg')\n"  # 11
        "reverie.redo('x.png', seed=5)\n"  # 12
        "reverie.dream('sky.jpg', level=None, mask=None, octaves=None)\n"
        "def mine(seen: dict[str, torch.Tensor]) -> torch.Tensor: return seen['a'].mean()\n"
        "reverie.dream('sky.jpg', objective=mine)\n"
        "print(reverie.imagine('banana').recipe.target, reverie.dream('sky.jpg', ('blocks.4.1', 3)).recipe.seed)\n"
        "reverie.dream('sky.jpg', preset='gardn')\n"  # 17
        "import numpy as np\n"
        "reverie.dream(np.zeros((9, 9, 3), np.uint8), mask=torch.zeros(1, 9, 9), device=torch.device('cpu'))\n"
        "def shown(state: reverie.Progress) -> bool: return state.done > 0.5\n"
        "reverie.see(np.zeros((9, 9, 3)), why=np.int64(3), usual=[np.zeros((9, 9, 3))]); reverie.dream('a', progress=shown)\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(CACHE), str(program)], capture_output=True, text=True
    )
    found = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line and f"{program.name}:" in line}
    assert found == {2, 3, 4, 7, 9, 11, 12, 17}, checked.stdout


def test_no_public_signature_says_any() -> None:
    for name in set(reverie.__all__) - {"errors", "__version__"}:
        thing = getattr(reverie, name)
        if not inspect.isfunction(thing):
            continue
        for parameter in inspect.signature(thing).parameters.values():
            assert "Any" not in str(parameter.annotation).replace("Array[Any, Any]", ""), f"{name}({parameter.name})"

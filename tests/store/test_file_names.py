"""Names of files from texts of anybody: on every file system, and all different."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reverie.store import file_stems, speakable


def test_names_that_are_tame_stay() -> None:
    assert file_stems(["blocks.2.1", "layer3.0", "a#0"]) == {"blocks.2.1": "blocks.2.1", "layer3.0": "layer3.0", "a#0": "a#0"}
    assert speakable("blocks.4.1:12 - 0.5*x") == "blocks.4.1_12_-_0.5_x" and speakable("été") == "t" and speakable("//") == "_"


def test_names_that_are_not() -> None:
    names = ["-lead", "/conv1/Conv", "a b", "a_b", "A:B", "aux.0", "..", "\0", ".hidden", "nul"]
    assert list(file_stems(names).values()) == ["lead", "conv1_Conv", "a_b", "a_b_2", "A_B_3", "_aux.0", "_", "__2", "hidden", "_nul"]


@given(st.lists(st.text(max_size=300), unique=True, max_size=8))
def test_whatever_a_layer_is_called(names: list[str]) -> None:
    stems = file_stems(names)
    assert list(stems) == names and len({each.lower() for each in stems.values()}) == len(names)
    for each in stems.values():
        assert re.fullmatch(r"[A-Za-z0-9_#][A-Za-z0-9_.#@+-]*", each) and len(each) < 100

"""What varies, from text: names as flags and fields have them, lists, ranges, switches, targets with commas of their own."""

from __future__ import annotations

from typing import Any

import pytest

from reverie.errors import UsageError
from reverie.recipe import varied


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("level=edges,parts", "level", ["edges", "parts"]),
        ("seed=0-3,7", "seed", [0, 1, 2, 3, 7]),
        ("strength=0.1-0.3:0.1", "strength", [0.1, 0.2, 0.3]),
        ("strength=0.1-0.35:0.1", "strength", [0.1, 0.2, 0.3]),
        ("octave-scale=1.2,1.5", "octave_scale", [1.2, 1.5]),
        ("--octave_scale=2", "octave_scale", [2.0]),
        ("mirror=true,no", "mirror", [True, False]),
        ("target=blocks.4.1:12@7,9,blocks.2.0,blocks.1.0 - 0.5*blocks.1.1:3@1, 2", "target",
         ["blocks.4.1:12@7,9", "blocks.2.0", "blocks.1.0 - 0.5*blocks.1.1:3@1, 2"]),
        ('target="a, b":1,class:banana', "target", ['"a, b":1', "class:banana"]),
        ("light=0.1,0.2,0.3", "light", ["0.1,0.2,0.3"]),
        ("size=64,96x64", "size", ["64", "96x64"]),
        ("from=a,b", "away", ["a", "b"]),
        ("network=efficientnet-lite0,efficientnet-lite1", "network", ["efficientnet-lite0", "efficientnet-lite1"]),
        ("start=a.png,noise:pink", "start", ["a.png", "noise:pink"]),
        ("variant=1-2", "variant", [1, 2]),
    ],
)  # fmt: skip
def test_values_are_read_as_their_choice_has_them(text: str, name: str, values: list[Any]) -> None:
    found = varied([text], "dream")
    assert found == {name: values} and [type(each) for each in found[name]] == [type(each) for each in values]


def test_the_same_name_again_adds_values_and_names_keep_their_order() -> None:
    assert list(varied(["seed=1", "level=edges", "seed=3-4"], "dream").items()) == [("seed", [1, 3, 4]), ("level", ["edges"])]
    assert varied(["label=banana,954", "preset=natural"], "imagine") == {"label": ["banana", "954"], "preset": ["natural"]}


@pytest.mark.parametrize(
    ("text", "command", "parts"),
    [
        ("seed", "dream", "write a name, =, and values"),
        ("=1", "dream", "write a name"),
        ("seed=", "dream", "lists no value"),
        ("level=edges,,parts", "dream", "an empty one"),
        ("sed=1", "dream", "no choice 'sed'; did you mean 'seed'"),
        ("seed=a", "dream", "whole numbers"),
        ("seed=0.5", "dream", "whole numbers"),
        ("seed=3-1", "dream", "leads from its first to its last"),
        ("seed=0-10000", "dream", "10,000 values at most"),
        ("strength=0.1-0.3", "dream", "how far apart"),
        ("strength=0.1-0.3:0", "dream", "more than 0"),
        ("strength=0.1-0.3:0.00001", "dream", "10,000 values at most"),
        ("mirror=maybe", "dream", "true or false"),
        ("label=banana", "dream", "`imagine` has it"),
        ("mix=0.5", "imagine", "`dream` has it"),
        ("variants=3", "dream", "variant=1-4"),
        ("diverse=3", "imagine", "vary them"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(text: str, command: str, parts: str) -> None:
    with pytest.raises(UsageError) as found:
        varied([text], command)
    assert parts in str(found.value)

"""The recipe as data: its text is canonical and is read back; what a stranger's text can hold is checked field by field."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, example, given, settings

from recipes import DIGEST, PLAIN, hostile, sound
from reverie import recipe
from reverie.errors import InputError, UsageError
from reverie.recipe import Ascent, Finish, Recipe, choose, preset, read

TEXT = PLAIN.text()


@given(sound)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_recipe_is_read_back_from_its_text(made: Recipe) -> None:
    again = read(made.text())
    assert again == made
    assert again.text() == made.text()


def test_the_text_is_canonical() -> None:
    data = json.loads(TEXT)
    assert json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == TEXT
    shuffled = json.dumps(dict(reversed(data.items())), indent=3)
    assert read(shuffled).text() == TEXT
    loose = TEXT.replace("blocks.4.1:12 - 0.5*blocks.2.0:3", "  1.0*blocks.4.1:012  -  .50*blocks.2.0:3 ")
    assert loose != TEXT and read(loose).text() == TEXT


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"schema_version":1', '"schema_version":2', "has version 2, this Reverie knows 1; install a newer Reverie"),
        ('"schema_version":1', '"schema_version":' + "9" * 4000, "install a newer Reverie"),
        ('"schema_version":1', '"schema_version":0', "schema_version"),
        ('"schema_version":1', '"schema_version":true', "schema_version"),
        ('"schema_version":1', '"schema_version":1.0', "schema_version"),
        ('"seed":7', '"seed":"7"', "seed: should be"),
        ('"seed":7', '"seed":true', "seed"),
        ('"seed":7', '"seed":7.0', "seed"),
        ('"seed":7', '"seed":-1', "seed: should be at least 0"),
        ('"seed":7', '"seed":9223372036854775808', "seed: should be at most"),
        ('"seed":7', '"seed":1e999', "seed"),
        ('"seed":7', '"seed":NaN', "NaN is no number of JSON"),
        ('"mix":0.0', '"mix":-Infinity', "-Infinity is no number of JSON"),
        ('"mix":0.0', '"mix":1e999', "finish.mix"),
        ('"mix":0.0', '"mix":true', "finish.mix"),
        ('"deep":false', '"deep":0', "finish.deep"),
        ('"deep":false', '"deep":"no"', "finish.deep"),
        ('"octaves":5', '"octaves":0', "ascent.octaves: should be at least 1"),
        ('"octaves":5', '"octaves":25', "ascent.octaves"),
        ('"steps":16', '"steps":1000000000', "ascent.steps"),
        ('"strength":0.012', '"strength":0', "ascent.strength"),
        ('"threads":2', '"threads":100000', "machine.threads"),
        ('"width":96', '"width":0', "width"),
        ('"width":96', '"width":1000001', "width"),
        ('"noise":"pink"', '"noise":"brown"', "inputs.0"),
        ('"seed":7', '"seed":7,"seed":8', "a field stands in it twice"),
        ('"seed":7', '"seed":7,"output":"/etc/passwd"', "output: no such field"),
        ('"noise":"pink"', '"noise":"pink","path":"../../x"', "inputs.0"),
        ('"noise":"pink"', '"noise":"pink","url":"http://a.b/c"', "inputs.0"),
        ('"kind":"pixels"', '"kind":"pixels","code":"__import__(\'os\')"', "canvas.code: no such field"),
        ('"command":"dream"', '"command":"sh"', "command"),
        ('"sha256":"01', '"sha256":"\\n1', "networks.0.sha256"),
        (f'{DIGEST}"', f'{DIGEST}\\n"', "networks.0.sha256"),
        (f'"{DIGEST}"', '"../../../etc/passwd"', "networks.0.sha256"),
        ('"networks":[', '"networks":[{"name":"a","sha256":"' + DIGEST + '"},', "networks"),
        ("blocks.4.1:12", "\\ud800", "recipe is not valid"),
        ("blocks.4.1:12", "\ud800", "half a character"),
        ("blocks.4.1:12", "a b", "target: 'a b' in"),
        ("blocks.4.1:12", "x" * 2001, "target"),
        ('"stopped":null', '"stopped":{"octave":6,"step":1}', "stopped after its own end"),
        ('"stopped":null', '"stopped":{"octave":1,"step":17}', "stopped after its own end"),
        ('"stopped":null', '"stopped":{"octave":1,"step":0}', "stopped"),
        ('"seed":7', '"seed":7,"x":' + "[" * 200 + "]" * 200, "recipe is not valid"),
        ('"seed":7', '"seed":7,"x":' + "[" * 200_000 + "]" * 200_000, "it is not JSON"),
        ('"seed":7', '"seed":7,"x":"' + "y" * recipe.LONGEST_TEXT + '"', "the longest allowed"),
        ('"seed":7', '"seed":' + "7" * 10_000, "recipe is not valid"),
        ('"seed":7', '"' + "seed" * 1000 + '":7', "no such field"),
        ("{", "", "it is not JSON"),
    ],
)  # fmt: skip
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=fault) as caught:
        read(TEXT.replace(old, new, 1))
    assert caught.value.remedy and "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["", "null", "[]", "5", '"a"', "{}", "nonsense", "[" * 100_000, '{"schema_version": 1}'])
def test_what_is_no_recipe_at_all(text: str) -> None:
    with pytest.raises(InputError, match="recipe is not valid"):
        read(text)


@given(hostile())
@example(TEXT)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_is_a_recipe_or_refused(text: str) -> None:
    try:
        made = read(text)
    except InputError as error:
        assert error.remedy and len(str(error)) < 600
        return
    assert read(made.text()) == made


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ({"octaves": 0}, "--octaves 0; it should be at least 1"),
        ({"octaves": "5"}, "--octaves 5; it should be"),
        ({"octaves": True}, "--octaves True"),
        ({"octave_scale": 1.0}, "--octave-scale 1.0; it should be greater than 1"),
        ({"strength": math.nan}, "--strength nan; it should be a finite number"),
        ({"strength": -1.0}, "--strength -1.0"),
        ({"steps": 0}, "--steps 0"),
        ({"jitter": -1}, "--jitter -1"),
        ({"tone": "loud"}, "--tone loud; it should be 'keep' or 'free'"),
    ],
)
def test_choosing_names_the_flag(choices: dict[str, object], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        choose(Ascent, **choices)


def test_choosing() -> None:
    assert choose(Finish, mix=1) == Finish(mix=1.0)
    assert choose(Ascent).octaves == Ascent().octaves


def test_an_unknown_preset_is_told_the_nearest() -> None:
    name = next(iter(recipe.PRESETS))
    with pytest.raises(UsageError, match=f"no preset '{name}s'; did you mean '{name}'"):
        preset(name + "s")
    with pytest.raises(UsageError, match="the presets are .*" + recipe.DEFAULT_PRESET):
        preset("zzz")


@pytest.mark.parametrize("name", recipe.PRESETS)
def test_the_choices_of_every_preset_are_valid(name: str) -> None:
    chosen = preset(name)
    assert chosen.level in recipe.LEVELS and chosen.shows
    known = {**Ascent.model_fields, **Finish.model_fields}
    assert set(chosen.choices) <= set(known)
    choose(Ascent, **{each: value for each, value in chosen.choices.items() if each in Ascent.model_fields})
    choose(Finish, **{each: value for each, value in chosen.choices.items() if each in Finish.model_fields})


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        PLAIN.seed = 8  # type: ignore[misc]

"""The recipe as data: its text is canonical and is read back; what a stranger's text can hold is checked field by field."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.helpers.recipes import DIGEST, PLAIN, hostile, sound

from reverie import recipe
from reverie.errors import InputError, UsageError
from reverie.recipe import Ascent, FileInput, Film, Finish, Journey, Recipe, choose, preset, read

TEXT = PLAIN.text()
WANTED = f'"{PLAIN.target}"'
GUIDE = '{"role":"guide","width":9,"height":9,"sha256":"' + DIGEST + '"},'
MASK = GUIDE.replace("guide", "mask")


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
        ('"schema_version":2', '"schema_version":3', "has version 3, this Reverie knows 2; install a newer Reverie"),
        ('"schema_version":2', '"schema_version":' + "9" * 4000, "install a newer Reverie"),
        ('"schema_version":2', '"schema_version":0', "schema_version"),
        ('"schema_version":2', '"schema_version":true', "schema_version"),
        ('"schema_version":2', '"schema_version":1.0', "schema_version"),
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
        ('"canvas":"pixels"', '"canvas":"pixels","code":"__import__(\'os\')"', "canvas.code: no such field"),
        ('"command":"dream"', '"command":"sh"', "command"),
        ('"sha256":"01', '"sha256":"\\n1', "networks.0.sha256"),
        (f'{DIGEST}"', f'{DIGEST}\\n"', "networks.0.sha256"),
        (f'"{DIGEST}"', '"../../../etc/passwd"', "networks.0.sha256"),
        ('"networks":[', '"networks":[' + 8 * ('{"name":"a","sha256":"' + DIGEST + '"},'), "networks"),
        ('"networks":[', '"networks":[{"name":"a","sha256":"' + DIGEST + '","target":"b c"},', "networks.0.target"),
        ('"inputs":[', '"inputs":[' + 4 * GUIDE, "inputs"),
        ('"inputs":[', '"inputs":[' + 2 * MASK, "no more than one guide, mask and direction"),
        ('"inputs":[', '"inputs":[{"role":"start","noise":"grey"},', "it needs one start"),
        ('"inputs":[', '"inputs":[' + GUIDE, "'guide' and the input of that name go together"),
        ('"inputs":[', '"inputs":[{"role":"direction","channels":0,"sha256":"' + DIGEST + '"},', "inputs.0"),
        ('"objective":"excite"', '"objective":"guide"', "'guide' and the input of that name go together"),
        ('"objective":"excite"', '"objective":"direction"', "'direction' and the input of that name go together"),
        ('"objective":"excite"', '"objective":"an/noy"', "objective: string should match"),
        ('"role":"start"', '"role":"mask"', "inputs"),
        ('{"noise":"pink","role":"start"}', MASK[:-1], "it needs one start"),
        ('"batch":null', '"batch":{"targets":[]}', "batch.targets"),
        ('"batch":null', '"batch":{"targets":["a","b"]}', "not that of its place in the batch"),
        ('"batch":null', '"batch":{"index":1,"targets":[' + WANTED + ']}', "not that of its place in the batch"),
        ('"batch":null', '"batch":{"index":256,"targets":[' + WANTED + ']}', "batch.index"),
        ('"batch":null', '"batch":{"kind":"all","targets":[' + WANTED + ']}', "batch.kind"),
        ('"batch":null', '"batch":{"targets":[' + ",".join([WANTED] * 257) + ']}', "batch.targets"),
        ('"batch":null', '"batch":{"targets":[' + WANTED + ',"a b"]}', "batch.targets.1: 'a b' is not a target"),
        ('"opinions":[]', '"opinions":[{"network":"a","sha256":"' + DIGEST + '","rank":0,"probability":0.5}]', "opinions.0.rank"),
        ('"opinions":[]', '"opinions":[{"network":"a","sha256":"' + DIGEST + '","rank":1,"probability":1.5}]', "opinions.0.probability"),
        ('"fade":1.0', '"fade":0.0', "transforms.fade"),
        ('"spectrum":0.0', '"spectrum":-1.0', "penalties.spectrum"),
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
        ({"octaves": 0}, "octaves=0; it should be at least 1"),
        ({"octaves": "5"}, "octaves=5; it should be"),
        ({"octaves": True}, "octaves=True"),
        ({"octave_scale": 1.0}, "octave_scale=1.0; it should be greater than 1"),
        ({"strength": math.nan}, "strength=nan; it should be a finite number"),
        ({"strength": -1.0}, "strength=-1.0"),
        ({"steps": 0}, "steps=0"),
        ({"jitter": -1}, "jitter=-1"),
        ({"tone": "loud"}, "tone=loud; it should be 'keep', 'light' or 'free'"),
    ],
)
def test_choosing_names_the_choice(choices: dict[str, object], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        choose(Ascent, **choices)


def test_choosing() -> None:
    assert choose(Finish, mix=1) == Finish(mix=1.0)
    assert choose(Ascent).octaves == Ascent().octaves


def test_an_unknown_preset_is_told_the_nearest() -> None:
    name = next(iter(recipe.PRESETS))
    with pytest.raises(UsageError, match=f"no preset '{name}s'; did you mean '{name}'"):
        preset(name + "s", recipe.PRESETS)
    with pytest.raises(UsageError, match="the presets are .*" + recipe.DEFAULT_PRESET):
        preset("zzz", recipe.PRESETS)


def are_valid(choices: dict[str, Any]) -> None:
    """Each belongs to one group of the recipe's choices, and is within its bounds."""
    for name in choices:
        assert sum(name in group.model_fields for group in recipe.GROUPS) == 1, name
    for group in recipe.GROUPS:
        choose(group, **{name: value for name, value in choices.items() if name in group.model_fields})


@pytest.mark.parametrize("name", recipe.PRESETS)
def test_the_choices_of_every_preset_are_valid(name: str) -> None:
    chosen = preset(name, recipe.PRESETS)
    assert chosen.level in recipe.LEVELS and chosen.shows
    are_valid(chosen.choices)


def test_looks_say_the_same_things_of_pictures_from_noise() -> None:
    emblem, natural = recipe.LOOKS.values()
    assert emblem.choices.keys() == natural.choices.keys()  # each undoes the other
    for each in (emblem, natural):
        are_valid(each.choices)
        assert each.level is None and each.shows


@pytest.mark.parametrize("command", get_args(recipe.Command))
def test_the_choices_that_each_command_begins_with_are_valid(command: recipe.Command) -> None:
    are_valid(dict(recipe.COMMANDS[command].defaults))


def test_no_two_choices_have_the_same_name() -> None:
    names = [name for group in recipe.GROUPS for name in group.model_fields]
    assert len(names) == len(set(names))


def test_an_input_is_found_by_its_role() -> None:
    guide = FileInput(role="guide", sha256=DIGEST, width=3, height=4)
    made = Recipe.model_validate({**PLAIN.model_dump(), "objective": "guide", "inputs": (*PLAIN.inputs, guide)})
    assert made.input("guide") == guide and made.input("start") == PLAIN.inputs[0] and made.input("mask") is None


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        PLAIN.seed = 8  # type: ignore[misc]


def test_a_recipe_says_whether_it_is_of_what_moves() -> None:
    assert not PLAIN.moves and not choose(Recipe, **{**dict(PLAIN), "command": "feature"}).moves
    assert PLAIN.model_copy(update={"journey": Journey()}).moves and PLAIN.model_copy(update={"film": Film(frames=1)}).moves

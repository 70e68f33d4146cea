"""A command is data: what the table says is what the command line has, and a new command is a row and a function."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import SHORT, Run, pixels

from reverie import api
from reverie.api import plan_dream
from reverie.cli.console import say
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs
from reverie.errors import UsageError
from reverie.networks import Network, installed
from reverie.recipe import (
    COMMANDS,
    DEFAULT_PRESET,
    GROUPS,
    PRESETS,
    Ascent,
    CommandSpec,
    Goal,
    Machinery,
    Printing,
    Seed,
    Subject,
    Width,
    Writing,
    flag_of,
)
from reverie.recipe.description import in_words


def twice(call: Call) -> None:
    """A toy: dreams on a picture, and on its dream."""
    out = Outputs(call, several=False)
    first = api.plan_dream(call.subjects[0], network=call.network.several(), **call.choices)
    path = out.ready("twice.png", first.start, first.recipe)
    second = api.plan_dream(first.make(), network=first.networks, **{**call.choices, "width": None}).make()
    with out.printed():
        out.save(second, path)
    say("twice")


TWICE = CommandSpec(
    "twice", "Dream on a picture, and on its dream.", "reverie twice sky.jpg", f"{__name__}:twice", (Subject("START", "a picture"),),
    models=(Goal, Seed, Ascent, Width, Machinery), writing=(Writing, Printing), defaults={"steps": 2}, networks="several",
    presets=PRESETS, usual_preset=DEFAULT_PRESET,
)  # fmt: skip


def test_a_command_is_added_from_outside_with_one_row_and_one_function(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "twice", TWICE)
    monkeypatch.setattr("reverie.cli.flags._loaded", lambda place: twice if place.endswith(":twice") else None)
    told = run("twice", "--help-all").out
    assert "Dream on a picture, and on its dream." in told and "[default: 2; from 1 to 100000]" in told and "reverie twice sky.jpg" in told
    done = run("twice", sky, "--octaves", "1", "--level", "edges", "--quiet")
    assert done.code == 0 and done.out.splitlines() == ["twice.png", "twice"]
    assert Path("twice.png").is_file()
    run("twice", sky, "--frames", "3").fault(2, "--frames")
    run("twice", sky, "--steps", "0").fault(2, "--steps 0", "at least 1")


@pytest.mark.parametrize("name", ["dream", "imagine", "feature", "journey", "film", "see"])
def test_help_shows_the_few_that_matter_in_groups_and_help_all_the_rest(name: str, run: Run) -> None:
    few, every = run(name, "--help").out, run(name, "--help-all").out
    shown = [line for line in few.splitlines() if line.lstrip().startswith("-")]
    assert len(shown) <= 24 and len(few.splitlines()) <= 60, few
    assert f"reverie {name} --help-all" in few and COMMANDS[name].example in few
    assert all(flag_of(field) in every for field in COMMANDS[name].flags)
    assert "Output:" in few and few.index("What to") < few.index("Output:")


def test_without_a_command_it_says_what_to_try_on_the_picture_at_hand(run: Run, place: Path, sky: Path) -> None:
    told = run()
    assert told.code == 0
    rows = [line.split("   ")[0] for line in told.out.splitlines()]
    assert rows == [f"reverie {each}" for each in ("dream sky.png", "imagine banana", "see sky.png", "recognise sky.png", "--help")]
    sky.unlink()
    rows = [line.split("   ")[0] for line in run().out.splitlines()]
    assert rows == [f"reverie {each}" for each in ("dream noise:pink", "imagine banana", "see PICTURE", "--help")]
    Path("a walk.mp4").touch()
    Path("-my 'face'.png").touch()
    picture, _, _, also, film = (shlex.split(line)[:3] for line in run().out.splitlines()[:5])
    assert picture == ["reverie", "dream", "./-my 'face'.png"] and also == ["reverie", "recognise", "./-my 'face'.png"]
    assert film == ["reverie", "film", "a walk.mp4"]


def test_help_says_that_company_changes_details(run: Run) -> None:
    for command in ("imagine", "feature"):
        assert "--batch 1 makes them as if alone" in " ".join(run(command, "--help").out.split())


def test_help_names_the_usual_preset_and_where_knobs_are_shown(run: Run) -> None:
    text = " ".join(run("dream", "--help").out.split())
    assert "[default: menagerie]" in text and "docs/knobs.md" in text
    assert "[default: menagerie" not in run("redo", "--help").out


def test_a_name_carries_the_preset_that_was_asked_for_and_no_numbers_of_classes(run: Run, sky: Path) -> None:
    for given, name in (
        (("--preset", "neon"), "sky-neon-blocks.4.2-0.png"),
        (("--preset", "menagerie"), "sky-menagerie-blocks.4.2-0.png"),
        ((), "sky-blocks.4.2-0.png"),
        (("-t", "class:cats"), "sky-class_cats-0.png"),
    ):
        assert run("dream", sky, *SHORT, "--quiet", *given).out == f"{name}\n"


def test_every_choice_of_a_recipe_is_a_flag_somewhere() -> None:
    fields = {name for model in GROUPS for name in model.model_fields}
    assert fields <= {name for each in COMMANDS.values() for name in each.fields}


def test_an_error_says_the_flag_on_the_command_line_and_the_name_in_python(run: Run, sky: Path) -> None:
    run("dream", sky, "--steps", "0", *SHORT[:2]).fault(2, "--steps 0")
    with pytest.raises(UsageError) as caught:
        api.plan_dream(sky, steps=0)
    assert caught.value.fault == "steps=0" and caught.value.field == "steps"
    run("dream", sky, "--towards", sky).fault(2, "--towards without --from")
    with pytest.raises(UsageError, match="towards= without away="):
        api.plan_dream(sky, towards=sky)
    run("dream", sky, "--seed", "-1").fault(2, "--seed -1")


def test_values_equal_to_the_default_are_always_accepted(run: Run, sky: Path) -> None:
    assert run("dream", sky, *SHORT, "--spread", "0", "--canvas", "pixels", "--mix", "0", "--quiet", "-o", "a.png").code == 0
    assert run("dream", sky, *SHORT, "--quiet", "-o", "b.png").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_a_folder_is_made_when_the_first_result_is_there_and_not_before(run: Run, sky: Path) -> None:
    assert run("dream", sky, *SHORT, "--quiet", "-o", "new/").code == 0
    assert len(list(Path("new").iterdir())) == 1
    run("dream", sky, "--steps", "0", "-o", "other/").fault(2)
    run("dream", sky, "-t", "blocks.99", "-o", "other/").fault(2, "blocks.99")
    assert not Path("other").exists()
    run("dream", sky, *SHORT, "-o", "no/such/folder/").fault(5)


def test_redo_with_a_change_is_the_same_but_for_it(run: Run, sky: Path) -> None:
    assert run("dream", sky, *SHORT, "--smoothing", "1.2", "--quiet", "-o", "a.png").code == 0
    done = run("redo", "a.png", "--seed", "5", "--quiet", "--json")
    assert done.code == 0
    recipe = done.data[0]["recipe"]
    assert recipe["seed"] == 5 and recipe["ascent"]["smoothing"] == 1.2 and recipe["ascent"]["steps"] == 2
    assert len(recipe["made_from"]) == 64
    same = run("redo", "a.png", "--seed", "0", "--quiet", "-o", "same.png")
    assert same.code == 0 and Path("same.png").read_bytes() == Path("a.png").read_bytes()
    run("redo", "a.png", "--frames", "3").fault(2, "--frames")


def test_a_start_for_what_began_with_noise_is_a_change_or_refused(run: Run, sky: Path, place: Path) -> None:
    assert run("dream", "noise:pink", "--size", "64", *SHORT, "--quiet", "-o", "a.png").code == 0
    assert run("imagine", "banana", "--size", "64", "--steps", "2", "--quiet", "-o", "b.png").code == 0
    assert run("dream", sky, *SHORT, "--quiet", "-o", "c.png").code == 0
    for picture, start in (("a.png", str(sky)), ("a.png", "noise:white"), ("c.png", "noise:white")):
        done = run("redo", picture, "--start", start, "--quiet", "--force", "--json")
        assert done.code == 0 and done.data[0]["recipe"]["made_from"]
    run("redo", "b.png", "--start", sky).fault(2, "another start for what `imagine` made")
    with pytest.raises(UsageError, match=r"start= for 'b\.png', which began with noise"):
        api.redo("b.png", start=sky)
    folder = run("redo", "b.png", "--start", place, "--quiet", "-o", "d.png")  # where things are, were there any
    assert folder.code == 0 and Path("d.png").read_bytes() == Path("b.png").read_bytes()


def test_another_start_or_network_alone_is_a_change(run: Run, sky: Path, leaf: Path, place: Path, opened: Callable[[str], Network]) -> None:
    assert run("dream", sky, *SHORT, "--quiet", "-o", "a.png").code == 0
    done = run("redo", "a.png", "--start", leaf, "-o", "b.png")
    assert done.code == 0 and f"'{leaf}' is not what 'a.png' began with: the same, but on this start" in done.err, done
    wanted = api.plan_dream(leaf, network=opened("efficientnet-lite0"), octaves=2, steps=2, width=128).make()
    assert (pixels(Path("b.png")) == pixels(wanted.save("wanted.png"))).all()
    Path("copy").mkdir()
    shutil.copy(sky, "copy/other-name.png")
    same = run("redo", "a.png", "--start", "copy/other-name.png", "-o", "c.png", "--quiet")
    assert same.code == 0 and Path("c.png").read_bytes() == Path("a.png").read_bytes() and not same.err.count("began with")
    if (other := "efficientnet-lite1") in installed():
        done = run("redo", "a.png", "--network", other, "--quiet", "--json", "-o", "d.png")
        assert done.code == 0 and done.data[0]["recipe"]["made_from"], done
        assert [each["name"] for each in done.data[0]["recipe"]["networks"]] == [other]


def test_help_of_what_is_turned_off_says_so(run: Run) -> None:
    text = " ".join(run("dream", "--help-all").out.split())
    assert "--no-recipe Do not write the recipe" in text and "--no-keep Do not keep what goes in" in text


def test_recipe_says_in_words_what_was_done_and_what_is_unusual(run: Run, sky: Path) -> None:
    assert run("dream", sky, "--octaves", "2", "--steps", "2", "--level", "parts", "--quiet", "-o", "a.png").code == 0
    first, *rest = run("recipe", "a.png").out.splitlines()
    assert first.startswith("a dream on blocks.4.1 (parts), 2 octaves of 2 steps") and "seed 0" in first
    assert any(line.startswith("ascent.octaves") and "2" in line and "usually 5" in line for line in rest)
    assert not any(line.startswith("ascent.jitter") for line in rest)
    assert any(line.startswith("ascent.jitter") for line in run("recipe", "a.png", "--all").out.splitlines())


@pytest.mark.parametrize(
    ("choices", "said"), [({"preset": "Eyes"}, True), ({"preset": "eyes", "steps": 3}, False), ({"level": "parts"}, False), ({}, False)]
)
def test_recipe_names_the_preset_that_has_exactly_these_choices(sky: Path, choices: dict[str, Any], said: bool) -> None:
    words = in_words(plan_dream(sky, **choices).recipe, "parts" if choices else "objects")
    assert (", as the preset eyes, " in words) == said and ("as the preset" in words) == said


def test_a_command_that_is_not_known_is_told_the_nearest(run: Run) -> None:
    run("dreem", "a.png").fault(2, "no command 'dreem'", "did you mean 'dream'")


def test_a_field_with_a_number_in_its_name_is_named(run: Run, sky: Path) -> None:
    run("dream", sky, "--l2", "11").fault(2, "--l2 11")

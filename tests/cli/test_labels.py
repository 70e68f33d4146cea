"""`reverie labels` as a user types it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.helpers.commands import Run


def test_a_word_lists_what_it_means(run: Run) -> None:
    answer = run("labels", "cat")
    assert answer.code == 0 and answer.err == ""
    head, *rows = answer.out.splitlines()
    assert head.split() == ["class", "label", "also", "any", "of"]
    assert [int(row.split()[0]) for row in rows] == [281, 282, 283, 284, 285]
    assert "tabby" in rows[0] and "feline" in rows[0]


def test_without_a_word_all_are_listed_and_no_torch_is_needed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.api.opening.networks_from", None)
    found = run("labels", "--json").data
    assert [each["index"] for each in found] == list(range(1000))
    assert found[954]["label"] == "banana" and found[954]["words"][0] == "fruit" and "banana" in found[954]["names"]


def test_an_unknown_word_does_not_cancel_the_others(run: Run) -> None:
    answer = run("labels", "qwertz", "banana", "--json")
    assert answer.code == 2 and [each["index"] for each in answer.data] == [954] and "no label 'qwertz'" in answer.err
    assert run("labels", "qwertz", "--json").data == []
    run("labels", "elefant").fault(2, "no label 'elefant'", "did you mean 'elephant'")


def test_of_a_network_of_ones_own(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch
    from torch import nn

    Path("small.py").write_text(
        "from torch import nn\ndef net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))\n"
    )
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    safetensors.torch.save_file(module.state_dict(), "small.safetensors")
    Path("names.txt").write_text("tabby\nmine\n")
    monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    own = ("--network", "small.safetensors", "--definition", "small:net", "--mean", "0,0,0", "--std", "1,1,1", "--native", "32")
    bare = run("labels", *own)
    assert bare.code == 2 and bare.out == "" and "no labels" in bare.err and "--labels FILE" in bare.err
    assert [each["label"] for each in run("labels", *own, "--labels", "names.txt", "--json").data] == ["tabby", "mine"]
    assert [each["index"] for each in run("labels", "cats", *own, "--json").data] == [0]

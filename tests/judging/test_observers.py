"""What several networks see in a picture: classes matched by name, averages and agreement by hand, what a dream began with, the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.browsing import axe_faults, opened
from tests.helpers.browsing import browser as browser
from tests.helpers.commands import saved
from tests.helpers.tiny import Flow, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.judging.answers import observers_page
from reverie.networks import Network
from reverie.store import cache_folder

RED = torch.tensor([1.0, 0.5, 0.0])[:, None, None].expand(3, 16, 16)


def colours(weights: Sequence[Sequence[float]], labels: list[str], name: str = "net") -> Network:
    """Its class scores are these sums of the mean red, green and blue."""
    module = Flow(lambda m, x: m.head(x.mean((2, 3))), head=nn.Linear(3, len(weights)))
    with torch.no_grad():
        module.head.weight.copy_(torch.tensor(weights))
        module.head.bias.zero_()
    return wrapped(module, labels=labels, name=name)


def chances(weights: Sequence[Sequence[float]]) -> Tensor:
    """(K,) of the red picture, worked out by hand."""
    return (torch.tensor(weights, dtype=torch.float64) @ torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)).softmax(0)


ONE: list[list[float]] = [[3.0, 0, 0], [0, 2, 0], [0, 0, 1]]
OTHER: list[list[float]] = [[0, 0, 2.0], [0, 4, 1], [1, 0, 0]]


def test_classes_are_matched_by_name_and_averaged() -> None:
    one, other = colours(ONE, ["warm", "leaf", "sea"], "one"), colours(OTHER, ["sea", "leaf", "warm"], "other")
    found = reverie.ask(RED, network=[one, other], top=2)
    first, second = chances(ONE), chances(OTHER)[[2, 1, 0]]  # in the order of the first network
    mean = (first + second) / 2
    assert [(each.label, each.index) for each in found.average] == [
        (("warm", "leaf", "sea")[at], at) for at in mean.topk(2).indices.tolist()
    ]
    assert [each.probability for each in found.average] == pytest.approx(mean.topk(2).values.tolist(), abs=1e-6)
    assert found.agreement == pytest.approx(float(torch.minimum(first, second).sum()), abs=1e-6)
    for each in found.classes:
        assert each.by == pytest.approx((float(first[each.index]), float(second[each.index])), abs=1e-6)
        assert each.average == pytest.approx(float(mean[each.index]), abs=1e-6) and each.before is None
    assert found.first == {"warm": ("one",), "leaf": ("other",)}
    assert [each.network for each in found.observers] == ["one", "other"]
    assert [each.labels[0].index for each in found.observers] == [0, 1]  # by their own numbers
    assert found.verdict.startswith("1 of 2 puts warm first, 1 of 2 puts leaf first; the two agree on ")
    assert all(each.known is None and not each.made_it for each in found.observers) and found.notes == () and found.before is None


def test_what_any_puts_first_is_among_the_classes_and_the_likeliest_come_first() -> None:
    sure = colours([[9.0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], ["a", "b", "c", "d"], "sure")
    odd = colours([[0.0, 0, 0], [0, 0, 0], [0, 0, 0], [0.3, 0, 0]], ["a", "b", "c", "d"], "odd")
    found = reverie.ask(RED, network=[sure, odd], top=1)
    assert [each.label for each in found.average] == ["a"] and [each.label for each in found.classes] == ["a", "d"]


def test_three_agree_and_the_shared_probability_is_the_mean_of_the_pairs() -> None:
    nets = [colours([[strong, 0, 0], [0, 1, 0]], ["a", "b"], f"n{strong}") for strong in (1.0, 2.0, 4.0)]
    found = reverie.ask(RED, network=nets)
    rows = [chances([[strong, 0, 0], [0, 1, 0]]) for strong in (1.0, 2.0, 4.0)]
    pairs = [float(torch.minimum(rows[i], rows[j]).sum()) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.agreement == pytest.approx(sum(pairs) / 3, abs=1e-6)
    assert found.verdict.startswith("all 3 put a first; any two agree on ")
    one, *others = found.observers
    ours = replace(found, observers=(replace(one, made_it=True), *others))
    assert ours.verdict.startswith("of those that did not make it both put a first; the two agree on ")


def test_two_classes_of_one_name_stay_two_and_one_without_a_namesake_is_left_out() -> None:
    cranes: list[list[float]] = [[3.0, 0, 0], [2, 0, 0], [0, 1, 0]]
    one, other = (
        colours(cranes, ["crane", "crane", "leaf"], "one"),
        colours([*cranes, [5.0, 0, 0]], ["crane", "crane", "leaf", "sea"], "other"),
    )
    found = reverie.ask(RED, network=[one, other])
    assert [(each.label, each.index) for each in found.average] == [("crane", 0), ("crane", 1), ("leaf", 2)]
    assert found.average[1].probability == pytest.approx(float(chances(cranes)[1] + chances([*cranes, [5.0, 0, 0]])[1]) / 2, abs=1e-6)
    assert found.notes == ("1 of the 4 classes of other have no namesake in the others, and are not averaged",)
    assert found.first == {"crane": ("one",), "sea": ("other",)}  # what it says is told all the same


def test_networks_of_one_name_are_told_apart_and_one_alone_has_nothing_to_agree_with() -> None:
    found = reverie.ask([RED], network=[colours(ONE, ["a", "b", "c"]), colours(OTHER, ["a", "b", "c"])])
    assert [each.network for each in found[0].observers] == ["net", "net 2"]
    alone = reverie.ask(RED, network=colours(ONE, ["a", "b", "c"]))
    assert alone.agreement is None and alone.verdict == "one network alone: there is nothing to compare"
    assert alone.as_data()["agreement"] is None


def test_what_cannot_be_asked_is_refused() -> None:
    one = colours(ONE, ["a", "b", "c"], "one")
    with pytest.raises(UsageError, match=r"no class has the same name in all of one, other: they begin with 'a' of one, 'x' of other"):
        reverie.ask(RED, network=[one, colours(OTHER, ["x", "y", "z"], "other")])
    with pytest.raises(UsageError, match="only the class 'a' has the same name"):
        reverie.ask(RED, network=[one, colours(OTHER, ["a", "y", "z"], "other")])
    with pytest.raises(UsageError, match="no pictures"):
        reverie.ask([], network=one)
    with pytest.raises(UsageError, match="the same network twice"):
        reverie.ask(RED, network=[one, one])
    with pytest.raises(UsageError, match="top"):
        reverie.ask(RED, network=one, top=0)
    with pytest.raises(InputError, match="does not exist"):
        reverie.ask("gone.png", network=one)


# ── dreams ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def dreamt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lite0: Network) -> Path:
    """A dream of lite0 on a picture that is kept, and no more where it was."""
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    start = saved(tmp_path / "start.png", 48, 64)
    reverie.dream(start, level="parts", network=lite0, octaves=1, steps=2).save(tmp_path / "dream.png")
    start.rename(tmp_path / "cache" / "elsewhere")
    return tmp_path / "dream.png"


def test_of_a_dream_it_is_told_what_was_in_the_start_and_the_dreamer_does_not_count(
    dreamt: Path, lite0: Network, opened: Any, tmp_path: Path
) -> None:
    lite1 = opened("efficientnet-lite1")
    found = reverie.ask(dreamt, network=[lite0, lite1])
    assert [each.made_it for each in found.observers] == [True, False]
    assert found.notes == ("efficientnet-lite0 made it, and does not count in the average",)
    here, then = lite1.recognise(dreamt, 1000), lite1.recognise(tmp_path / "cache" / "elsewhere", 1000)
    assert found.average[0] == here[0] and found.agreement is None
    by_index = {each.index: each.probability for each in then}
    for each in found.classes:
        assert each.average == pytest.approx(each.by[1]) and each.before == pytest.approx(by_index[each.index], abs=1e-6)
    assert then[0].index in {each.index for each in found.classes}
    assert found.before is not None and found.before.average[0].label == then[0].label
    assert found.before.picture.size == (48, 64) and not any(each.made_it for each in found.before.observers)
    only = reverie.ask(dreamt, network=lite0)
    assert only.average[0].label == lite0.recognise(dreamt)[0].label and "no other network is asked" in only.notes[0]


def test_a_start_that_is_gone_or_noise_is_told(dreamt: Path, lite0: Network, tmp_path: Path) -> None:
    for each in (cache_folder() / "inputs").rglob("*"):
        if each.is_file():
            each.unlink()
    gone = reverie.ask(dreamt, network=lite0)
    assert gone.before is None and any(each.startswith("what was in it before is not known") for each in gone.notes)
    made = reverie.dream("noise:pink", level="parts", network=lite0, octaves=1, steps=1, size=48)
    noise = reverie.ask(made, network=lite0)  # by its recipe, though it is in no file
    assert noise.before is None and noise.notes[-1].startswith("it began with pink noise, in which ") and noise.observers[0].made_it


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def example(tmp_path: Path) -> Path:
    nets = [colours(ONE, ["<b>warm", "leaf", "sea"], "o&e"), colours(OTHER, ["<b>warm", "leaf", "sea"], "other")]
    nets[0].calibrate([RED * (0.5 + number / 50) for number in range(20)], keep=False)
    place = tmp_path / "page.html"
    saved(tmp_path / "a<i>.png", 32, 48)
    pictures: list[Any] = [tmp_path / "a<i>.png", RED]
    place.write_text(observers_page(reverie.ask(pictures, network=nets)), "utf-8")
    return place


def test_the_page_shows_every_picture_and_strangers_names_are_text(tmp_path: Path) -> None:
    page = example(tmp_path).read_text("utf-8")
    assert len(re.findall("<img ", page)) == 2 and len(re.findall("<table>", page)) == 2
    assert "a&lt;i&gt;.png" in page and "&lt;b&gt;warm" in page and "o&amp;e" in page and "<b>warm" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_dream_stands_beside_its_start(dreamt: Path, lite0: Network) -> None:
    page = reverie.ask(dreamt, network=lite0).page()
    assert len(re.findall("<img ", page)) == 2 and "What it was made from: " in page and "efficientnet-lite0 (made it)" in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    file = example(tmp_path)
    page, heard = opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert heard == [file.as_uri()]
    page.context.close()

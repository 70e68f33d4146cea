"""Seeing where something is missing, small, large, flat or wrong: what can be made is made, and the rest is said."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tests.helpers.commands import photo, saved
from tests.helpers.known import there
from tests.helpers.looking import BARE, FEW, LABELS, shown
from tests.helpers.tiny import SIDE, Flow, Hand, wrapped
from torch import Tensor, nn

import reverie
from reverie.api import plan_see
from reverie.errors import InputError, MissingExtra, ReverieError, UsageError
from reverie.insight.measures import inversion_recipe
from reverie.installing import install
from reverie.networks import Network, attribution

pytestmark = pytest.mark.usefixtures("briefly")


class OneSize(nn.Module):
    """Mixes every place with every other by a table for pictures of one size, so that it takes no other."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 4, stride=4)
        self.mix = nn.Linear(4 * 16, 4 * 16)
        self.last = nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.mix(self.first(x).flatten(1)).view(-1, 4, 4, 4)
        scores: Tensor = self.last(F.relu(y)).mean((2, 3))
        return scores


def numbers(found: Any) -> list[float]:
    """Every number that is in it somewhere."""
    if isinstance(found, Tensor):
        return [float(each) for each in found.flatten()[:: max(1, found.numel() // 1000)]]
    if is_dataclass(found):
        return [each for field in fields(found) for each in numbers(getattr(found, field.name))]
    if isinstance(found, (tuple, list)):
        return [each for one in found for each in numbers(one)]
    return [float(found)] if isinstance(found, (int, float)) else []


# ---- how far, and enough


def test_progress_rises_and_a_true_answer_stops(hand: Network) -> None:
    told: list[tuple[float, str]] = []
    reverie.see(shown(), network=hand, progress=lambda progress: told.append((progress.done, progress.doing)), **FEW)
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] >= 0 and 0.9 < shares[-1] <= 1
    for layer in ("light", "edge"):
        parts = list(dict.fromkeys(words for _, words in told if words.startswith(layer)))
        assert parts == [f"{layer}: {part}" for part in ("rebuilding", "enhancing", "features", "counting")]


@pytest.mark.parametrize("part", ["rebuilding", "enhancing", "features", "counting"])
@pytest.mark.parametrize(("layer", "done"), [("light", 0), ("edge", 1)])
def test_whatever_it_stops_at_the_layers_before_are_whole(hand: Network, layer: str, done: int, part: str) -> None:
    seen = reverie.see(shown(), network=hand, progress=lambda progress: progress.doing == f"{layer}: {part}", **FEW)
    assert [each.name for each in seen.layers] == ["light", "edge"][:done] and seen.expected == 2
    assert "<html" in seen.page() and len(seen.as_data()["layers"]) == done


# ---- what is left out


def test_a_network_without_labels_leaves_out_what_needs_them() -> None:
    seen = reverie.see(shown(), network=wrapped(Hand()), **FEW)
    assert seen.labels == () and seen.why is None and seen.against is None
    assert [each.counted for each in seen.layers] == [None, None] and not any(each.fidelity.opinions for each in seen.layers)
    (note,) = seen.notes
    assert "Hand has no labels" in note and note in seen.page() and seen.as_data()["notes"] == [note]
    assert all(each.noticed and each.rebuilt.alive for each in seen.layers)
    asked = reverie.see(shown(), network=wrapped(Hand()), why=2, layers=["edge"], **BARE)  # a class by its number
    assert asked.why == "class 2" and asked["edge"].counted is not None


def test_without_captum_what_counted_is_left_out_or_refused(hand: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "available", lambda: False)
    seen = reverie.see(shown(), network=hand, layers=["edge"], **BARE)
    assert seen["edge"].counted is None and seen.why is None and seen.labels
    assert seen.notes == (f"what counted is left out: it needs captum ({install('captum')})",)
    with pytest.raises(MissingExtra, match="pip install captum"):
        reverie.see(shown(), network=hand, why="cold", **BARE)


# ---- odd pictures


@pytest.mark.parametrize("light", [0.0, 0.5])
def test_a_flat_picture_has_figures_that_are_numbers(hand: Network, light: float) -> None:
    seen = reverie.see(torch.full((3, 20, 20), light), network=hand, **FEW)
    found = numbers(seen)
    assert len(found) > 500 and all(math.isfinite(each) for each in found)
    assert len(seen.layers) == 2 and "NaN" not in json.dumps(seen.as_data(), allow_nan=False) and "<html" in seen.page()


def test_a_flat_picture_on_a_real_network(lite0: Network) -> None:
    seen = reverie.see(torch.full((3, 40, 40), 0.4), network=lite0, layers=["blocks.1.0"], width=48, channels=0, steps=2)
    assert all(math.isfinite(each) for each in numbers(seen)) and "<html" in seen.page()


def test_without_steps_a_rebuilding_takes_as_many_as_its_depth_asks_for(lite0: Network) -> None:
    layers = ["blocks.0.0", "blocks.1.1", "blocks.2.1", "blocks.4.0", "blocks.6.0"]
    facts = {each.name: each for each in lite0.layers}
    for given, expected in (({}, [60, 100, 160, 90, 90]), ({"steps": 7}, [7] * 5)):
        request = plan_see(shown(), network=lite0, layers=layers, **given).request
        assert [inversion_recipe(request, facts[name]).ascent.steps for name in layers] == expected


@pytest.mark.parametrize(("height", "width"), [(16, 16), (20, 400), (400, 20)])
def test_a_tiny_picture_and_a_panorama(hand: Network, height: int, width: int) -> None:
    seen = reverie.see(shown(height, width), network=hand, **FEW)
    assert len(seen.layers) == 2 and min(seen.seen) == 16
    assert (seen.seen[0] > seen.seen[1]) == (height > width)
    for each in seen.layers:
        assert there(each.rebuilt).size == seen.seen == tuple(each.noticed[0].heat.shape)
        size = there(each.enhanced).size
        assert size[0] * width == pytest.approx(size[1] * height, rel=0.15)
    assert "<html" in seen.page()


def test_width_says_how_large_it_is_looked_at(hand: Network) -> None:
    seen = reverie.see(shown(20, 40), network=hand, layers=["light"], width=36, **BARE)
    assert seen.seen == (18, 36) and seen["light"].activations.shape[1:] == (18, 36) and seen.notes == ()


def test_pictures_from_anywhere(hand: Network, tmp_path: Path) -> None:
    path = saved(tmp_path / "a b.png", 20, 24)
    image = Image.fromarray(photo(20, 24))
    found = [reverie.see(each, network=hand, layers=["light"], **BARE) for each in (path, str(path), image, shown(20, 24))]
    assert [each.name for each in found] == ["a b.png", "a b.png", "the picture", "the picture"]
    assert len({each["light"].rebuilt.encode(with_recipe=False) for each in found}) == 1


# ---- odd networks


@pytest.mark.parametrize(("height", "width"), [(16, 16), (20, 28)])
def test_a_network_of_one_size_alone_sees_at_that_size(height: int, width: int) -> None:
    network = wrapped(OneSize(), labels=LABELS)
    seen = reverie.see(shown(height, width), network=network, width=32, **FEW)
    assert seen.seen == (SIDE, SIDE) and [each.name for each in seen.layers] == ["first", "last"]
    assert "OneSize takes pictures of 16×16 alone, and looked at this one so" in seen.notes
    for each in seen.layers:
        assert each.rebuilt.size == (SIDE, SIDE) and each.noticed[0].feature is not None
    first, last = seen.layers
    assert first.enhanced is not None and there(first.noticed[0].feature).size == (SIDE, SIDE)  # as `feature` gives it
    assert there(last.noticed[0].feature).size == (SIDE, SIDE)
    assert last.enhanced is not None and last.enhanced.size == first.enhanced.size  # through windows, where it is larger
    assert "<html" in seen.page()


def test_a_network_with_a_flat_end_is_looked_at_in_any_size() -> None:
    module = Flow(lambda m, x: m.head(F.relu(m.a(x)).flatten(1)), a=nn.Conv2d(3, 4, 3, padding=1), head=nn.Linear(4 * SIDE**2, 3))
    seen = reverie.see(shown(20, 30), network=wrapped(module, labels=LABELS), width=24, **FEW)
    assert seen.seen == (16, 24) and seen["a"].counted is not None


def test_the_module_is_left_as_it_was() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    module.train()
    before = copy.deepcopy(module.state_dict())
    reverie.see(shown(), network=wrapped(module, labels=LABELS), **FEW)
    after = module.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    for part in module.modules():
        assert part.training and not part._forward_hooks and not part._forward_pre_hooks and not part._backward_hooks
    assert all(each.requires_grad and each.grad is None for each in module.parameters())


def test_a_network_without_places() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE**2, 3))
    with pytest.raises(UsageError, match="no layer with places"):
        reverie.see(shown(), network=wrapped(module), **BARE)


# ---- what is usual


def test_usual_is_measured_where_it_is_not_known(hand: Network, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for number, height in enumerate((20, 40)):
        saved(tmp_path / "mine" / f"{number}.png", height, 30)
    (tmp_path / "mine" / "notes.txt").write_text("no picture")
    noise = reverie.see(shown(), network=hand, layers=["light"], channels=2, steps=1)
    assert noise.usual == "24 pictures of pink noise, for want of photographs" and noise.usual in noise.page()
    own = reverie.see(shown(), network=hand, layers=["light"], channels=2, steps=1, usual=tmp_path / "mine")
    assert own.usual == "2 pictures in mine"
    flat = own["light"].activations.flatten(1)
    pictures = [reverie.see(tmp_path / "mine" / f"{n}.png", network=hand, layers=["light"], **BARE).picture.pixels for n in (0, 1)]
    sizes = ((16, 24), (21, 16))  # shape kept, shorter side the network's own
    shrunk = [F.interpolate(each[None], size, mode="bicubic", antialias=True) for each, size in zip(pictures, sizes, strict=True)]
    values = torch.cat([hand.prepare(["light"])(each)["light"][0].flatten(1) for each in shrunk], dim=1)  # (C, places)
    for each in own["light"].noticed:
        wanted = (flat[each.channel] - values[each.channel].mean()) / values[each.channel].std(correction=0)
        assert torch.allclose(each.heat.flatten(), wanted, atol=0.05)


def test_usual_of_a_built_in_network_is_known_and_the_rest_is_measured(lite0: Network) -> None:
    from reverie.api import plan_see

    known = plan_see(shown(), network=lite0, layers=["blocks.1.0"], channels=0).sight.usual
    assert "noise" not in known
    both = plan_see(shown(), network=lite0, layers=["blocks.1.0", "blocks.1.0.conv_pw"], channels=0)
    assert both.sight.usual.startswith(known) and "of blocks.1.0.conv_pw 24 pictures of pink noise" in both.sight.usual
    assert set(both.request.usual.layers) == {"blocks.1.0", "blocks.1.0.conv_pw"}


# ---- what is wrong


@pytest.mark.parametrize(
    ("choices", "kind", "fault", "remedy"),
    [
        ({"layers": ["light", "edge", "light"]}, UsageError, "'light' stands twice", "once"),
        ({"layers": []}, UsageError, "no layers", "every block"), ({"layers": ["lihgt"]}, UsageError, "no layer 'lihgt'", "light"),
        ({"layers": ["head"]}, UsageError, "'head' is not one of those", "layers"), ({"channels": 5}, UsageError, "channels=5", "4"),
        ({"channels": -1}, UsageError, "channels=-1", "0"), ({"width": 3}, UsageError, "width=3", "16"),
        ({"steps": 0}, UsageError, "steps=0", "1"), ({"seed": -1}, UsageError, "seed=-1", "0"),
        ({"chanels": 2}, UsageError, "no choice 'chanels'", "channels"), ({"shown": (0, 1, 2)}, UsageError, "shown", "colours"),
        ({"why": "wram"}, UsageError, "no label 'wram'", "warm"), ({"why": 3}, UsageError, "no class 3", "3 classes"),
        ({"usual": "nowhere"}, InputError, "'nowhere' is no folder", "usual="),
        ({"usual": "."}, InputError, "no picture in '.'", ".png"), ({"max_pixels": 0}, UsageError, "max_pixels=0", "1"),
        ({"width": 10**6}, InputError, "more than fit in memory", "width"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_remedy(
    hand: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    choices: dict[str, Any],
    kind: type[ReverieError],
    fault: str,
    remedy: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as caught:
        reverie.see(shown(), **{**BARE, "network": hand, **choices})
    assert fault in caught.value.fault and remedy in caught.value.remedy


def test_pictures_that_cannot_be_seen(hand: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8×8 pixels"):
        reverie.see(shown(8, 8), network=hand)
    with pytest.raises(InputError, match="does not exist"):
        reverie.see(tmp_path / "none.png", network=hand)
    with pytest.raises(UsageError, match="several networks"):
        reverie.see(shown(), network=[hand, wrapped(OneSize(), labels=LABELS)])  # type: ignore[call-overload]


def test_a_notebook_shows_the_page(hand: Network) -> None:
    seen = reverie.see(shown(), network=hand, layers=["light"], **BARE)
    shows = seen._repr_html_()
    assert shows.startswith("<iframe srcdoc=") and shows.endswith("</iframe>") and shows.count("<") == 2
    assert "&lt;html" in shows and "title=" in shows

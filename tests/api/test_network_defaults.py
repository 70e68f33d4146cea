"""What is made of a network of one's own where nothing is said: its size, its light, its classes; and what is said where that fails."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from bench.own_networks import Convolutions, Residuals, digits, trained
from tests.helpers.known import recipe_of
from torch import Tensor, nn

import reverie
from reverie import Footage
from reverie.api import plan_imagine
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture, rounded
from reverie.recipe import COMMANDS, LOOKS
from reverie.render.network_defaults import network_defaults, tones_of
from reverie.render.noise import noise_start
from reverie.render.own_views import best_of, on_faint, own_views
from reverie.target import parse

pytestmark = pytest.mark.usefixtures("place")
EMBLEM = "an emblem, since"  # how the note begins that has a test of its own


class Bright(nn.Module):
    """Two classes of the light of a picture: class 0 is half of it, class 1 grows twice as fast beyond a quarter of white."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.body = nn.Conv2d(channels, 1, 1, bias=False)
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.body.weight.fill_(1 / channels)
            self.head.weight.copy_(torch.tensor([[1.0], [3.0]]))
            self.head.bias.copy_(torch.tensor([0.0, -0.5]))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(x).mean((2, 3)))
        return scores


def bright(mean: float = 0.0, std: float = 1.0, size: int = 32, channels: int = 1) -> Network:
    return reverie.wrap(Bright(channels), mean=[mean] * channels, std=[std] * channels, size=size, labels=["dark", "light"])


def lattice() -> Network:
    """Its only unit is excited by every fourth pixel across and down being lighter than the others: at any other place it is not."""
    body = nn.Sequential(nn.Conv2d(1, 1, 4, 4, bias=False), nn.ReLU())
    module = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        weight = torch.full((1, 1, 4, 4), -1 / 15)
        weight[0, 0, 0, 0] = 1
        body[0].weight.copy_(weight)  # type: ignore[operator]
    return reverie.wrap(module, mean=[0.0], std=[1.0], size=32)


def still(made: Picture | Footage) -> Picture:
    assert isinstance(made, Picture)
    return made


QUICK: dict[str, Any] = {"octaves": 1, "steps": 40}


def test_a_built_in_network_has_the_commands_own_choices() -> None:
    net = reverie.load()
    assert network_defaults(net, "imagine") == network_defaults(net, "feature") == {}
    recipe = recipe_of(reverie.imagine("banana", network=net, size=64, octaves=1, steps=1))
    assert (recipe.objective, recipe.ascent.jitter, recipe.canvas.light) == ("excite", 22, ())
    assert "light" not in recipe.model_dump(mode="json")["canvas"]  # the text of a recipe made before is what it was


def test_light_and_contrast_are_those_that_the_mean_and_deviation_say() -> None:
    found = network_defaults(bright(0.13, 0.31), "imagine")
    assert found["tone"] == "light"
    assert found["light"] == pytest.approx((0.13,))
    assert found["spread"] == pytest.approx(0.31)
    assert network_defaults(bright(0.13, 0.31), "feature")["tone"] == "free"


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.5, 0.5), (-1.0, 0.2)])
def test_a_mean_and_deviation_that_nobody_measured_say_nothing(mean: float, std: float) -> None:
    found = network_defaults(bright(mean, std), "imagine")
    assert found["tone"] == "free"
    assert "light" not in found and "spread" not in found


def test_small_pictures_are_moved_little_and_large_ones_as_ever() -> None:
    small, large = (network_defaults(bright(size=size, channels=3), "imagine") for size in (32, 224))
    assert small["jitter"] == 3
    usual = {**COMMANDS["imagine"].defaults, **LOOKS["emblem"].choices}
    assert {name: large[name] for name in ("jitter", "rotate", "scale", "fade", "noise")} == {
        name: usual[name] for name in ("jitter", "rotate", "scale", "fade", "noise")
    }
    assert small["rotate"] < 15 and small["scale"] < 1.4 and small["fade"] > 0.3
    assert "tone" not in large and "vivid" not in large  # of photographs
    assert network_defaults(bright(size=224), "imagine")["tone"] == "free"  # grey ones are none


def test_what_was_said_counts_and_the_rest_follows() -> None:
    recipe = recipe_of(reverie.imagine(0, network=bright(0.13, 0.31), tone="keep", jitter=9, **QUICK))
    assert (recipe.ascent.tone, recipe.ascent.jitter, recipe.transforms.rotate) == ("keep", 9, 5.0)
    assert recipe.canvas.light == pytest.approx((0.13,))


def test_another_with_a_change_keeps_everything_else() -> None:
    net = bright(0.13, 0.31)
    first = reverie.imagine(0, network=net, jitter=9, **QUICK)
    again = recipe_of(still(reverie.again(first, network=net, seed=5)))
    old = recipe_of(first)
    assert (again.canvas, again.ascent, again.transforms, again.objective) == (old.canvas, old.ascent, old.transforms, old.objective)
    assert again.seed == 5 and again.objective == "log-odds"


def test_by_log_odds_a_class_is_one_to_its_own_network_and_by_its_logit_not() -> None:
    net = bright()
    ours, logit = reverie.imagine(0, network=net, **QUICK), reverie.imagine(0, network=net, class_score="logit", **QUICK)
    with torch.no_grad():
        said = [int(net(rounded(each.pixels)[None]).argmax()) for each in (ours, logit)]
    assert said == [0, 1]
    assert (recipe_of(ours).objective, recipe_of(logit).objective) == ("log-odds", "excite")
    assert [each for each in ours.notes if not each.startswith(EMBLEM)] == []
    assert logit.notes[1:] == ("the network says light, not dark",)


def test_pictures_as_it_was_trained_on_give_light_contrast_and_colours() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = 0.2 + 0.1 * torch.randn(8, 1, 32, 32, generator=generator).expand(8, 3, 32, 32)
    apart = 0.2 + 0.1 * torch.randn(8, 3, 32, 32, generator=generator)
    found = [tones_of(list(each)) for each in (grey, apart)]
    assert [each["light"] for each in found] == [pytest.approx((0.2, 0.2, 0.2), abs=0.01)] * 2
    assert [each["spread"] for each in found] == [pytest.approx(0.1, abs=0.005)] * 2
    assert found[0]["vivid"] == 0 and found[1]["vivid"] > 0.95
    assert found[1]["smoothing"] < 0.1  # white noise has no broad forms
    broad = noise_start("pink", 64, 64, 0, channels=3).pixels
    assert tones_of([broad])["smoothing"] == pytest.approx(1, abs=0.15)  # pink noise falls as 1/f


def test_usual_pictures_may_be_a_folder_or_tensors_and_count_for_any_network() -> None:
    dark = torch.full((3, 1, 32, 32), 0.1) + 0.02 * torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    recipe = recipe_of(reverie.imagine(0, network=bright(), usual=dark, **QUICK))
    assert recipe.canvas.light == pytest.approx((0.11,), abs=0.01)
    with pytest.raises(InputError):
        reverie.imagine(0, network=bright(), usual="not-there", **QUICK)


def test_a_feature_below_the_best_of_usual_pictures_says_so() -> None:
    net = bright()
    white = [torch.full((1, 32, 32), 0.99)]
    below = reverie.feature("body:0", network=net, usual=white, octaves=1, steps=1, strength=0.001)
    assert len(below.notes) == 1 and below.notes[0].endswith("of 0.988") and "stays below the best of the usual pictures" in below.notes[0]
    assert reverie.feature("body:0", network=net, usual=[torch.full((1, 32, 32), 0.1)], octaves=1, steps=1).notes == ()


def test_each_of_several_networks_is_held_to_its_own_usual_and_its_own_target() -> None:
    ours, fainter = bright(), bright(size=16)
    with torch.no_grad():
        fainter.module.body.weight.mul_(0.5)  # type: ignore[union-attr, operator]
    white = [torch.full((1, 32, 32), 0.99)]
    target = parse("body:0")
    assert [round(best["body", 0], 2) for best in best_of([ours, fainter], [target], white)] == [0.99, 0.49]
    assert best_of([ours], [target], []) == ()
    made = reverie.feature("body:0", network=[ours, fainter], usual=white, octaves=1, steps=1, strength=0.001)
    assert (
        [note.rpartition(":")[0] for note in made.notes[-2:]] == ["'body:0' of Bright stays below the best of the usual pictures"] * 2
        and made.notes[-2].endswith("0.988")
        and made.notes[-1].endswith("0.494")
    )
    recipe = recipe_of(made)
    own = recipe.networks[1].model_copy(update={"target": parse("class:0")})
    changed = recipe.model_copy(update={"networks": (recipe.networks[0], own)})
    (notes,) = own_views([made.pixels], [changed], [ours, fainter], best_of([ours, fainter], [target], white))
    assert [note.partition(" ")[0] for note in notes] == ["'body:0'", "Bright"]  # of the second a class is asked for, and it says so


def test_the_pictures_of_channels_on_a_page_are_those_that_feature_gives() -> None:
    net = bright(0.13, 0.31)
    page = reverie.see(torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0)), network=net, layers=["body"], steps=1, channels=1)
    (noticed,) = page.layers[0].noticed
    made = reverie.feature("body:0", network=net)
    assert noticed.feature is not None and torch.equal(noticed.feature.pixels, made.pixels)


def test_noise_has_the_light_that_is_asked_for() -> None:
    drawn = noise_start("white", 64, 64, 0, spread=0.05, around=(0.2, 0.5, 0.7)).pixels
    assert drawn.mean((1, 2)).tolist() == pytest.approx([0.2, 0.5, 0.7], abs=0.02)
    assert drawn.std() > 0.05
    with pytest.raises(UsageError, match="light"):
        noise_start("white", 64, 64, 0, around=(0.2, 0.5))
    with pytest.raises(UsageError, match="for noise"):
        reverie.dream(torch.rand(3, 32, 32), "blocks.0.0", light=0.3, octaves=1, steps=1)


def test_digits_are_digits_to_the_network_that_was_trained_on_them() -> None:
    own = trained(lambda: Convolutions(1, (16, 32), 28, nn.GELU, flat=True), digits(28), "stages.1.0", 6)
    assert own.accuracy > 0.95
    made = reverie.imagine(list(range(10)), network=own.network, seed=3)
    with torch.no_grad():
        said = own.network(torch.stack([rounded(each.pixels) for each in made])).argmax(1)
        best = own.network.prepare(["stages.1.0"])(own.train)["stages.1.0"].mean((2, 3)).amax(0)  # (C,)
    assert said.tolist() == list(range(10))
    features = reverie.feature([f"stages.1.0:{unit}" for unit in range(8)], network=own.network, seed=3)
    with torch.no_grad():
        seen = torch.stack(
            [own.network.prepare(["stages.1.0"])(rounded(each.pixels)[None])["stages.1.0"][0].mean((1, 2)) for each in features]
        )
    assert int((seen.diagonal() > best[:8]).sum()) >= 7


def test_a_picture_comes_to_rest_at_the_end_so_that_it_is_right_as_it_is() -> None:
    net = lattice()
    # fine detail, and last steps as large as the first
    plain: dict[str, Any] = {**QUICK, "smoothing": 0.0, "settle": 1.0, "strength": 0.05}
    rested, moved = (reverie.feature("0:0", network=net, rest=rest, **plain) for rest in (None, 0.0))
    with torch.no_grad():
        seen = [float(net.prepare(["0"])(rounded(each.pixels)[None])["0"].mean()) for each in (rested, moved)]
    assert seen[0] > 2 * seen[1]
    assert recipe_of(rested).ascent.rest == 0.1 and rested.notes == ()
    assert "rest" not in recipe_of(moved).model_dump(mode="json")["ascent"]  # the text of a recipe made before is what it was


@pytest.mark.parametrize(
    ("target", "moved", "as_it_is", "said"),
    [
        ("body:0", 6.8, 0.0, "'body:0' is 0 in the finished picture, 6.8 when"),
        ("body:0", 6.8, 3.3, "'body:0' is 3.3 in the finished picture"),
        ("body:0", 6.8, 3.5, ""),
        ("body:0", 0.0, 0.0, "'body:0' does not fire in the finished picture"),
        ("body:0", -2.0, -1.9, ""),
        ("-1*body:0", 0.0, 0.0, ""),
        ("class:0", 6.8, 0.0, ""),
    ],
)
def test_what_is_said_of_a_faint_picture(target: str, moved: float, as_it_is: float, said: str) -> None:
    notes = on_faint(parse(target), moved, as_it_is)
    assert len(notes) == bool(said) and all(each.startswith(said) for each in notes)


def test_a_small_residual_network_gets_its_classes_and_its_features() -> None:
    own = trained(lambda: Residuals(1, (8, 8, 16, 24), (1, 1, 2, 2)), digits(28), "blocks.2", 5)
    made = reverie.imagine(list(range(10)), network=own.network, steps=20)
    assert [note for each in made for note in each.notes if not note.startswith(EMBLEM)] == []
    prepared = own.network.prepare(["blocks.2"])
    with torch.no_grad():
        best = prepared(own.train)["blocks.2"].mean((2, 3)).amax(0)  # (C,)
    units, above = [f"blocks.2:{unit}" for unit in range(8)], []
    for rest in (None, 0.0):
        features = reverie.feature(units, network=own.network, steps=20, rest=rest)
        with torch.no_grad():
            seen = prepared(torch.stack([rounded(each.pixels) for each in features]))["blocks.2"].mean((2, 3)).diagonal()
        faint = [float(found) < (each.score or 0) / 2 for found, each in zip(seen, features, strict=True)]
        assert [any("in the finished picture" in note for note in each.notes) for each in features] == faint
        assert rest == 0 or not any(faint)
        above.append(int((seen > best[:8]).sum()))
    assert above[0] >= 7 and above[1] < above[0]  # without rest fewer of them excite their unit more than any picture of the training


def test_what_is_no_class_no_name_and_no_mean_is_told_in_a_line() -> None:
    with pytest.raises(UsageError, match="a float is no class"):
        reverie.imagine(3.0, network=bright(), **QUICK)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="a network without its mean or std"):
        reverie.wrap(Bright(), mean=None, std=None, size=32)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="name that is a int"):
        reverie.wrap(Bright(), mean=[0.0], std=[1.0], size=32, name=5)  # type: ignore[arg-type]


def test_how_natural_it_is_is_said_where_nobody_sees_why() -> None:
    def notes(network: Network | None, **choices: Any) -> list[str]:
        found = plan_imagine(1 if network else "daisy", network=network, octaves=1, steps=1, **choices)[0].notes
        return [each for each in found if "natural" in each]

    (own,), (with_usual,) = notes(bright()), notes(bright(), usual=[torch.rand(1, 32, 32)])
    assert own.startswith("an emblem, ") and own.endswith("'natural' 1 with 'usual', a folder of pictures, draws to those")
    assert with_usual.endswith(": 'natural' 1 draws to the usual pictures")
    assert notes(bright(), preset="emblem") == notes(bright(), natural=0) == []
    assert notes(None) == notes(None, preset="emblem") == notes(None, preset="natural", natural=3) == notes(None, natural=0) == []
    (drawn,), (free,) = notes(None, preset="emblem", natural=1), notes(None, preset="natural", natural=0)
    assert drawn.startswith("'natural' 1 beside the preset emblem: drawn to photographs") and "the preset natural alone" in drawn
    assert free.startswith("'natural' 0 beside the preset natural: not drawn to photographs") and "the preset emblem alone" in free

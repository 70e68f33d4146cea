"""Networks of one, two, four and more channels: dreams, features, pages and films of them, and what is looked at. Three are as ever."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.climbing import drawn
from tests.helpers.commands import photo, pixels
from tests.helpers.known import several, there
from tests.helpers.looking import BARE
from tests.helpers.tiny import of_channels
from torch import Tensor

import reverie
from reverie.api import carried_by, plan_imagine, plan_redo
from reverie.canvas import Fourier, Phase, Preconditioner, magnitudes
from reverie.canvas.natural_statistics import root
from reverie.errors import InputError, ReverieError, UsageError
from reverie.motion.journey_plan import JourneyPlan
from reverie.networks import Network
from reverie.pictures import LIGHT, MEAN, SPREAD, in_channels, in_colours, noise, quantise
from reverie.recipe import Finish, Tiles, choose
from reverie.render import judges, noise_start
from reverie.render.tiling import estimated

pytestmark = pytest.mark.usefixtures("briefly")

COUNTS = (1, 2, 4, 5)
FEW: dict[str, Any] = {"octaves": 2, "steps": 2, "threads": 1, "keep": False}
FREE: dict[str, Any] = {"tone": "free", "smoothing": 0.0}
MANY: dict[str, Any] = {
    "rotate": 5.0, "scale": 1.2, "crop": 0.8, "mirror": True, "noise": 0.1, "fade": 0.5, "total_variation": 0.1, "l2": 0.1, "border": 0.1,
    "spectrum": 0.1, "focus": 0.5, "centre": 0.5, "tone": "light", "mix": 0.2, "opacity": True,
}  # fmt: skip


def some(channels: int, height: int = 24, width: int = 32, seed: int = 3) -> Tensor:
    print(f"seed {seed}")
    return noise("pink", height, width, drawn(seed), channels)


def colours() -> Tensor:
    return torch.from_numpy(photo(24, 32)).permute(2, 0, 1).float() / 255


@pytest.mark.parametrize("channels", COUNTS)
def test_a_dream_has_the_channels_of_its_network(channels: int) -> None:
    net, start = of_channels(channels), some(channels)
    ways: list[dict[str, Any]] = [
        MANY, {"canvas": "fourier"}, {"canvas": "maco"}, {"guide": some(channels, seed=4)}, {"caricature": True}, FREE
    ]  # fmt: skip
    for way in ways:
        made = reverie.dream(start, "2", network=net, **FEW, **way)
        assert made.pixels.shape == start.shape and there(made.recipe).channels == channels
        assert torch.isfinite(made.pixels).all() and made.pixels.min() >= 0 and made.pixels.max() <= 1
        assert all((each - own).abs().max() > 0.002 for each, own in zip(made.pixels, start, strict=True))  # none is left out
    drawn_from = [reverie.dream(f"noise:{kind}", "2", network=net, size=(16, 24), **FEW) for kind in ("white", "grey", "pink")]
    assert all(each.pixels.shape == (channels, 16, 24) for each in drawn_from)
    before, after = (float(net.prepare(["2"])(each[None])["2"].square().mean()) for each in (start, made.pixels))
    assert after > before


@pytest.mark.parametrize("channels", COUNTS)
@pytest.mark.parametrize("canvas", ["pixels", "fourier", "maco"])
def test_a_feature_is_made_on_every_canvas(channels: int, canvas: Any) -> None:
    few: dict[str, Any] = {"size": (16, 20), "octaves": 2, "steps": 2, "threads": 1, "making": 2}
    units = several(reverie.feature("2:0-1", network=of_channels(channels), canvas=canvas, **few))
    assert [each.pixels.shape for each in units] == [(channels, 16, 20)] * 2
    assert all(frame.shape == (channels, 16, 20) for frame in units[0].making) and not torch.equal(units[0].pixels, units[1].pixels)
    assert units[0].colours.shape == (3, 16, 20)


@pytest.mark.parametrize("channels", COUNTS)
def test_a_class_is_imagined_and_recognised(channels: int) -> None:
    net = of_channels(channels)
    made = reverie.imagine("second", network=net, size=16, octaves=1, steps=4, strength=0.1, tone="free", threads=1)
    assert made.pixels.shape == (channels, 16, 16)
    assert {each.label for each in net.recognise(made)} == {"first", "second", "third"}
    (plan,) = plan_imagine("second", network=net, size=16)
    assert net(made.pixels[None])[0, 1] > net(plan.start.pixels[None])[0, 1]


@pytest.mark.parametrize("channels", [1, 5])
def test_tiles_and_masks(channels: int) -> None:
    net, start = of_channels(channels), some(channels, 48, 64)
    whole = reverie.dream(start, "2", network=net, jitter=3, **FEW)
    cut = reverie.dream(start, "2", network=net, jitter=3, tile=16, **FEW)
    assert (whole.pixels - cut.pixels).abs().max() < 1e-3 < (whole.pixels - start).abs().max()
    large = there(cut.recipe).model_copy(update={"height": 9000, "width": 9000, "tiles": Tiles(tile=1024, halo=16)})
    assert estimated(large, None, 1.0, 1e-9).disk == 5 * 4 * channels * 9000**2  # copies, bytes of a number
    mask = torch.zeros(1, 48, 64)
    mask[..., :32] = 1
    half = reverie.dream(start, "2", network=net, mask=mask, **FEW)
    assert torch.equal(half.pixels[..., 32:], reverie.dream(start, "2", network=net, mask=mask, mix=1.0, **FEW).pixels[..., 32:])
    assert (half.pixels[..., :32] - start[..., :32]).abs().max() > 0.01 and (half.pixels[..., 32:] - start[..., 32:]).abs().max() < 0.003


def test_channels_other_than_three_have_nothing_in_common() -> None:
    gradient = torch.zeros(1, 5, 16, 16)
    gradient[:, 2] = torch.rand(16, 16, generator=drawn(1))
    kept = Preconditioner(16, 16, 1.0, 0.0, torch.device("cpu"), 5)(gradient)
    assert kept[:, 2].abs().max() > 0.1 and kept[:, [0, 1, 3, 4]].abs().max() < 1e-6
    assert torch.equal(root(0.3, 5), torch.eye(5, dtype=torch.float64)) and not torch.equal(root(0.3), torch.eye(3, dtype=torch.float64))
    strong = magnitudes(64, 48, 0.1, 5)
    assert strong.shape == (5, 64, 25) and all(torch.equal(each, strong[0]) for each in strong)
    canvas = Phase.drawn(64, 48, 0.1, [drawn(each) for each in range(20)], 5)
    planes = canvas.signal(canvas.parameters)
    assert planes.square().mean((0, 2, 3)).sqrt().tolist() == pytest.approx([SPREAD] * 5, rel=0.05)
    start = some(2, 20, 30)[None] * 0.8 + 0.1
    assert (Fourier.of(start, 1.0, 0.1).pictures(Fourier.of(start, 1.0, 0.1).parameters) - start).abs().max() < 1e-4
    larger = canvas.resized(80, 60, [drawn(each) for each in range(20)])
    assert larger.parameters.shape == (20, 5, 80, 31)


def test_noise() -> None:
    def together(pixels: Tensor) -> float:
        return float(torch.corrcoef(pixels.flatten(1))[0, 1:].abs().max())

    for channels in (1, 2, 5):
        pink = noise("pink", 128, 128, drawn(5), channels)
        assert pink.mean() == pytest.approx(MEAN, abs=0.03) and pink.std() == pytest.approx(SPREAD, abs=0.03)
        assert noise("white", 8, 9, drawn(5), channels).shape == (channels, 8, 9) == noise("grey", 8, 9, drawn(5), channels).shape
    assert together(noise("pink", 128, 128, drawn(5), 5)) < 0.5 < together(noise("pink", 128, 128, drawn(5)))
    assert torch.equal(noise("white", 8, 9, drawn(5)), torch.rand(3, 8, 9, generator=drawn(5)))
    assert noise("pink", 1, 1, drawn(5), 4).tolist() == [[[pytest.approx(MEAN)]]] * 4
    assert noise_start("pink", 32, 32, 1, spread=0.1, channels=5).pixels.std() == pytest.approx(0.1, abs=0.01)


def test_what_is_looked_at() -> None:
    one, two, five = some(1), some(2), some(5)
    assert torch.equal(in_colours(one), one.expand(3, -1, -1)) and torch.equal(in_colours(some(3)), some(3))
    assert torch.equal(in_colours(two), torch.stack([two[0], two[1], two.mean(0)])) and torch.equal(in_colours(five), five[:3])
    assert torch.equal(in_colours(five, (3, 2, 1)), five[[3, 2, 1]]) and torch.equal(in_colours(five, (4,)), five[4].expand(3, -1, -1))
    alike = torch.full((2, 2, 2), 0.3)
    assert (in_colours(alike) == 0.3).all()  # two channels that agree are grey


def test_a_photograph_for_one_channel_is_its_light_and_a_grey_picture_stays_itself() -> None:
    light = in_channels(colours(), 1)
    assert (light[0] - sum(weight * each for weight, each in zip(LIGHT, colours(), strict=True))).abs().max() < 1e-6
    assert torch.equal(in_channels(some(1).repeat(3, 1, 1), 1), some(1)) and torch.equal(in_channels(some(1), 3), some(1).repeat(3, 1, 1))
    net = of_channels(1)
    seen = [net.recognise(each)[0].probability for each in (colours(), light, Image.fromarray(photo(24, 32)))]
    assert seen[0] == pytest.approx(seen[1], abs=1e-6) and seen[0] == pytest.approx(seen[2], abs=1e-6)
    from_colours, from_light = (reverie.dream(each, "2", network=net, **FEW) for each in (colours(), light))
    assert (from_colours.pixels - from_light.pixels).abs().max() < 0.02  # one was rounded after it became grey, the other before
    grey = reverie.dream(light, "2", network=of_channels(3), **FEW)
    assert grey.pixels.shape[0] == 3


@pytest.mark.parametrize(
    ("channels", "choices", "fault"),
    [
        (1, {"vivid": 0.3}, "vivid= changes nothing on a network of 1 channel;"), (5, {"vivid": 0.0}, "vivid= changes nothing"),
        (5, {"keep_colour": True}, "keep_colour= changes nothing on a network of 5 channels"), (1, {"keep_colour": True}, "keep_colour="),
        (3, {"shown": (2, 1, 0)}, "shown= changes nothing on a network of 3"), (1, {"shown": 0}, "shown= changes nothing"),
        (5, {"shown": (5, 1, 0)}, "shown=5,1,0; Sequential has 5 channels, numbered from 0"), (5, {"shown": "1,2"}, "shown="),
        (5, {"shown": "red"}, "shown=red"), (5, {"shown": (0, 1, 2, 3)}, "shown="), (5, {"shown": -1}, "shown="),
        (5, {"shown": (1.5,)}, "shown="), (5, {"shown": True}, "shown="),
    ],
)  # fmt: skip
def test_a_choice_of_colours_that_means_nothing_is_refused(channels: int, choices: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        reverie.dream(some(channels), "2", network=of_channels(channels), **FEW, **choices)
    with pytest.raises(UsageError, match=r"shown=|changes nothing|no choice of `feature`"):
        reverie.feature("2", network=of_channels(channels), size=16, octaves=1, steps=1, **choices)


def test_what_is_shown_in_words_and_in_numbers() -> None:
    assert (
        choose(Finish, shown="3, 2,1").shown == choose(Finish, shown=[3, 2, 1]).shown == choose(Finish, shown=(3, 2, 1)).shown == (3, 2, 1)
    )
    assert choose(Finish, shown=4).shown == choose(Finish, shown="4").shown == (4,)
    reverie.dream(some(2), "2", network=of_channels(2), preset=cast(Any, None), shown="1", **FEW)


@pytest.mark.parametrize(("channels", "have"), [(2, 3), (5, 3), (5, 1), (3, 2), (1, 5), (4, 5)])
def test_a_wrong_number_of_channels_is_told_in_a_line(channels: int, have: int) -> None:
    net = of_channels(channels)
    for make in (
        lambda: reverie.dream(some(have), "2", network=net, **FEW), lambda: reverie.see(some(have), network=net),
        lambda: reverie.dream(some(channels), "2", guide=some(have), network=net, **FEW),
        lambda: reverie.dream(some(channels), "2", towards=some(have), away=some(channels), network=net, **FEW),
    ):  # fmt: skip
        says = "several are \\(5, 1, 24, 32\\)" if (channels, have) == (1, 5) else f"and the network takes {channels}; give"
        with pytest.raises((InputError, UsageError), match=says) as caught:
            make()
        assert "\n" not in caught.value.fault and ("npy" in caught.value.remedy) == (channels not in (1, 3))


def test_networks_of_different_channels_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="networks that take 1 and 5 channels"):
        reverie.dream(some(1), "2", network=[of_channels(1), of_channels(5)], **FEW)
    other = of_channels(5)
    torch.nn.init.normal_(next(other.module.parameters()), generator=drawn(1))
    both = reverie.dream(some(5), "2", network=[of_channels(5), other], **FEW)
    assert both.pixels.shape == (5, 24, 32) and len(there(both.recipe).networks) == 2


@pytest.mark.parametrize("channels", COUNTS)
def test_a_page_of_what_was_seen(channels: int, tmp_path: Path) -> None:
    mapping = () if channels < 4 else (3, 2, 1)
    before: list[Any] = []
    for _ in range(2):  # the second time its feature pictures come from the cache
        seen = reverie.see(some(channels), network=of_channels(channels), layers=["0"], steps=2, channels=1, threads=1, shown=mapping)
        (rung,) = seen.layers
        feature = rung.noticed[0].feature
        assert feature is not None and feature.pixels.shape[0] == channels
        assert there(rung.rebuilt).pixels.shape == (channels, *seen.seen) and there(rung.enhanced).pixels.shape[0] == channels
        assert there(there(rung.rebuilt).recipe).finish.shown == there(feature.recipe).finish.shown == mapping
        before.append(quantise(feature.pixels))
    assert np.array_equal(*before) and there(feature).seconds is None  # it was not made again
    page = seen.page()
    HTMLParser().feed(page)
    assert page.count("data:image/webp") >= 4 and "reverie" in page.lower()
    json.dumps(seen.as_data())
    assert np.isfinite(rung.fidelity.relative_error) and np.isfinite(rung.fidelity.similarity)


def test_only_networks_that_can_look_are_asked(lite0: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.render.second_opinions.installed", lambda: [lite0.name])
    monkeypatch.setattr("reverie.render.second_opinions._open", lambda name, device: lite0)
    grey, many = of_channels(1), of_channels(5)
    grey.labels = many.labels = lite0.labels
    monkeypatch.setattr(Network, "check_labels", lambda self: None)  # of as many as lite0 has
    assert judges(grey) == [lite0] and not judges(many)
    seen = reverie.see(some(1, 32, 32), network=grey, layers=["0"], threads=1, **BARE)
    assert [each.network for each in seen.layers[0].fidelity.opinions] == [lite0.name]
    made = reverie.imagine(1, network=grey, size=16, octaves=1, steps=1, threads=1)
    assert [each.network for each in there(made.recipe).opinions] == [lite0.name]
    assert there(reverie.imagine(1, network=many, size=16, octaves=1, steps=1, threads=1).recipe).opinions == ()


def test_a_journey_in_grey(tmp_path: Path) -> None:
    way: dict[str, Any] = {"octaves": 1, "steps": 2, "rounds": 2, "threads": 1, "keep": False}
    net = of_channels(1)
    starts: list[Tensor | str] = [colours(), "noise:pink"]
    for number, start in enumerate(starts):
        size: dict[str, Any] = {} if number == 0 else {"size": (24, 32)}
        reverie.journey(start, tmp_path / f"{number}", "2", network=net, frames=4, loop=True, close=0.08, **size, **way)
        frames = sorted((tmp_path / f"{number}").glob("*.png"))
        with Image.open(frames[0]) as first:
            assert (first.mode, first.size) == ("L", (32, 24)) and len(frames) == 4
        assert all(pixels(each).std() > 5 for each in frames)  # 0 where it went flat; 10.2 was seen
    again = plan_redo(carried_by(tmp_path / "1" / "000000.png", network=net))
    assert isinstance(again, JourneyPlan)
    again.make(tmp_path / "again")
    assert all((tmp_path / "again" / each.name).read_bytes() == each.read_bytes() for each in frames)
    made = reverie.journey(colours(), tmp_path / "a.gif", "2", network=net, frames=3, **way)
    assert (made.frames, pixels(tmp_path / "a.gif").shape[:2]) == (3, (24, 32))
    with pytest.raises(UsageError, match="takes 5 channels, and a film has one or three"):
        reverie.journey("noise:pink", tmp_path / "b", "2", network=of_channels(5), frames=2, **way)


def test_a_film_in_grey(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    pytest.importorskip("av", reason="PyAV is not installed")
    from tests.helpers import clips

    video = clips.save_clip(tmp_path / "street.mp4", clips.pan(3, 48, 64).frames)
    way: dict[str, Any] = {"octaves": 1, "steps": 2, "carried_octaves": 1, "carried_steps": 1, "threads": 1, "keep": False}
    reverie.film(video, tmp_path / "grey", "2", network=of_channels(1), **way)
    reverie.film(video, tmp_path / "colour", "2", network=of_channels(3), **way)
    modes = {name: Image.open(tmp_path / name / "000002.png").mode for name in ("grey", "colour")}
    assert modes == {"grey": "L", "colour": "RGB"}
    with pytest.raises(ReverieError, match="a film has one or three"):
        reverie.film(video, tmp_path / "no", "2", network=of_channels(2), **way)

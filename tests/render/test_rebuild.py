"""Pictures rebuilt from what a layer saw: exact where nothing was lost, of nothing else, made again, and how alike they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import skimage.metrics
import torch
from pydantic import ValidationError
from tests.helpers.climbing import drawn, scoring
from tests.helpers.commands import Run, photo, saved
from tests.helpers.known import there
from tests.helpers.recipes import DIGEST, PLAIN
from tests.helpers.tiny import Flow, Hand, wrapped
from torch import Tensor, nn

import reverie
from reverie import store
from reverie.api.start_guide_mask import picture_of
from reverie.ascent import IDENTITY
from reverie.errors import UsageError
from reverie.insight import SeeRequest
from reverie.insight.measures import fidelity, inversion
from reverie.networks import Network
from reverie.networks.channel_statistics import Usual
from reverie.objectives import relative_error
from reverie.pictures import Picture, similarity, similarity_at_a_glance
from reverie.recipe import FileInput, NetworkUsed, NoiseInput, Recipe, of_command
from reverie.recipe.requests import Look
from reverie.recipe.running_requests import Machinery
from reverie.target import parse

SIZE = (16, 20)


def some(seed: int = 2, size: tuple[int, int] = SIZE) -> Tensor:
    """A picture with forms in it, (3, H, W), that a file of 8 bits holds."""
    colours = torch.from_numpy(photo(96, 128)[5 * seed : 5 * seed + size[0], : size[1]].copy())
    return colours.permute(2, 0, 1).float() / 255


def turned(sides: int = 1, seed: int = 5) -> Network:
    """A network whose first layer turns colours (or squares of pixels) and loses nothing; its second layer loses two of three."""
    turn, _ = torch.linalg.qr(torch.randn(3 * sides**2, 3 * sides**2, generator=drawn(seed)))
    module = Flow(
        lambda m, x: m.lost(m.turn(x)).mean((2, 3)),
        turn=nn.Conv2d(3, 3 * sides**2, sides, stride=sides),
        lost=nn.Conv2d(3 * sides**2, 1, 1),
    )
    with torch.no_grad():
        module.turn.weight.copy_(turn.reshape(module.turn.weight.shape))
    return wrapped(module, size=SIZE)


def blind() -> Network:
    """A network to which blue is nothing."""
    module = Flow(lambda m, x: m.seen(x).mean((2, 3)), seen=nn.Conv2d(3, 4, 3, padding=1))
    torch.manual_seed(0)
    with torch.no_grad():
        module.seen.weight.normal_()
        module.seen.weight[:, 2] = 0
    return wrapped(module, size=SIZE)


def rebuilt(pixels: Tensor, network: Network, name: str, steps: int, seed: int = 0) -> Picture:
    layer = next(each for each in network.layers if each.name == name)
    size = pixels.shape[1], pixels.shape[2]
    request = SeeRequest(
        network, picture_of(pixels), (name,), size, Usual("nothing", {}), choices=Look(steps=steps), seed=seed,
        machinery=Machinery(keep=False, threads=1),
    )  # fmt: skip
    return inversion(request, layer).make()


# ---- what is rebuilt


@pytest.mark.parametrize("sides", [1, 2])
def test_from_a_layer_that_loses_nothing_the_picture_comes_back(sides: int) -> None:
    found = rebuilt(some(), turned(sides), "turn", 500)
    assert (found.pixels - some()).abs().max() < 1e-3
    assert found.score is not None and -1e-5 < found.score <= 0
    assert similarity(found.pixels, some()) > 0.9999


def test_from_a_layer_that_loses_colour_only_what_it_saw_comes_back() -> None:
    network = turned()
    found = rebuilt(some(), network, "lost", 60)
    layer = next(each for each in network.layers if each.name == "lost")
    with torch.no_grad():
        seen = network.prepare(["lost"])(some()[None])["lost"][0]
    kept = fidelity(found, seen, some(), layer, network, {})
    assert kept.relative_error < 1e-3 and kept.opinions == ()
    assert (found.pixels - some()).abs().max() > 0.05 and kept.similarity < 0.99


def test_nothing_of_the_picture_leaks_past_the_layer() -> None:
    one, other = some(), some()
    other[2] = some(7)[2]
    network = blind()
    with torch.no_grad():
        seen = [network.prepare(["seen"])(each[None])["seen"] for each in (one, other)]
    assert torch.equal(*seen) and not torch.equal(one, other)
    first, second = (rebuilt(each, network, "seen", 12) for each in (one, other))
    assert torch.equal(first.pixels, second.pixels)
    assert first.encode(with_recipe=False) == second.encode(with_recipe=False)
    assert not torch.equal(first.pixels, rebuilt(some(7), network, "seen", 12).pixels)  # and it is not noise alone
    assert not torch.equal(first.pixels, rebuilt(one, network, "seen", 12, seed=1).pixels)


def test_longer_is_never_further_away() -> None:
    errors = [-float(rebuilt(some(), wrapped(Hand()), "edge", steps).score or 0) for steps in (4, 16, 64)]
    assert errors[0] > errors[1] > errors[2]


# ---- what is measured


def test_relative_error_by_hand() -> None:
    there = torch.tensor([[[3.0, 0.0]], [[0.0, 4.0]]])
    assert float(relative_error(there, there)) == 0
    assert float(relative_error(torch.zeros_like(there), there)) == 1
    assert float(relative_error(2 * there, there)) == 1
    assert float(relative_error(torch.tensor([[[3.0, 1.0]], [[2.0, 4.0]]]), there)) == pytest.approx(5 / 25)
    assert float(relative_error(torch.zeros(2, 1, 2), torch.zeros(2, 1, 2))) == 0
    assert torch.isfinite(relative_error(there, torch.zeros_like(there)))


def test_the_score_is_the_relative_error_at_every_layer_by_its_weight() -> None:
    network, guide, other = wrapped(Hand()), some(size=(16, 16))[None], some(3, (16, 16))[None]
    seen = {name: (network.prepare([name])(guide)[name], network.prepare([name])(other)[name]) for name in ("light", "edge")}
    errors = {name: float((b - a).square().sum() / a.square().sum()) for name, (a, b) in seen.items()}
    score, _ = scoring("2*light + 0.5*edge", network, guide=guide[0], objective="rebuild")
    assert float(score(other, IDENTITY)) == pytest.approx(-2 * errors["light"] - 0.5 * errors["edge"], rel=1e-5)
    assert float(score(guide, IDENTITY)) == 0


@pytest.mark.parametrize(
    ("target", "fault"),
    [("edge:0", "a rebuild with the target 'edge:0'"), ("class:1", "a rebuild with the target 'class:1'"), ("light - edge", "above 0")],
)
def test_what_cannot_be_rebuilt(target: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        scoring(target, wrapped(Hand()), guide=some()[:, :16, :16], objective="rebuild")


@pytest.mark.parametrize("size", [(11, 11), (24, 30), (64, 48)])
def test_similarity_is_that_of_scikit_image_where_the_window_is_whole(size: tuple[int, int]) -> None:
    one = torch.from_numpy(skimage.data.astronaut()[: size[0], 100 : 100 + size[1]].copy()).permute(2, 0, 1).float() / 255
    print("seed 4")
    for other in (one + 0.1 * torch.randn(one.shape, generator=drawn(4)), one * 0.5 + 0.2, 1 - one, one.flip(2)):
        other = other.clamp(0, 1)
        _, places = skimage.metrics.structural_similarity(
            one.numpy().astype(np.float64), other.numpy().astype(np.float64), gaussian_weights=True, sigma=1.5, win_size=11,
            use_sample_covariance=False, data_range=1, channel_axis=0, full=True,
        )  # fmt: skip
        assert similarity(one, other) == pytest.approx(
            places[:, 5:-5, 5:-5].mean() if size != (11, 11) else places[:, 5, 5].mean(), abs=1e-6
        )
        assert similarity(one, other) == pytest.approx(similarity(other, one), abs=1e-12)
        assert -1 <= similarity(one, other) < 1


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (5, 5), (12, 10), (30, 20)])
def test_similarity_of_equal_and_of_flat_pictures(size: tuple[int, int]) -> None:
    one = torch.rand(3, *size, generator=drawn(1))
    black, white = torch.zeros(3, *size), torch.ones(3, *size)
    assert similarity(one, one) == pytest.approx(1, abs=1e-9)
    for flat in (black, white, black + 0.5):
        assert similarity(flat, flat) == pytest.approx(1, abs=1e-9)
        assert -1 <= similarity(one, flat) <= 1
    assert similarity(black, white) == pytest.approx(0.01**2 / (1 + 0.01**2))


# ---- the recipe


GUIDE = FileInput(role="guide", sha256=DIGEST, width=640, height=480)
SEEN = Recipe(
    command="see", networks=PLAIN.networks, inputs=(NoiseInput(noise="pink"), GUIDE), target=parse("blocks.2.1"), objective="rebuild",
    **of_command("see")._asdict(), width=96, height=64, machine=PLAIN.machine,
)  # fmt: skip


def changed(**parts: Any) -> Any:
    """The recipe as data, with some of its parts changed."""
    data = json.loads(SEEN.text())
    return {**data, **{name: {**data[name], **part} if isinstance(part, dict) else part for name, part in parts.items()}}


def test_what_it_refuses_begins_as_a_sound_recipe() -> None:
    assert Recipe.model_validate_json(json.dumps(changed())) == SEEN


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"ascent": {"jitter": 1}}, "seen straight"),
        ({"ascent": {"octaves": 2}}, "seen straight"),
        ({"ascent": {"focus": 0.5}}, "straight"),
        ({"ascent": {"centre": 0.5}}, "straight"),
        ({"ascent": {"settle": 0.5}}, "straight"),
        ({"ascent": {"tone": "keep"}}, "straight"),
        ({"transforms": {"rotate": 5.0}}, "straight"),
        ({"transforms": {"mirror": True}}, "straight"),
        ({"transforms": {"fade": 0.5}}, "strai"),
        ({"penalties": {"total_variation": 0.1}}, "straight"),
        ({"penalties": {"l2": 0.1}}, "straight"),
        ({"inputs": [GUIDE.model_dump(), {**GUIDE.model_dump(), "role": "start"}]}, "from noise"),
        ({"inputs": [{"role": "start", "noise": "pink"}]}, "go together"),
        ({"inputs": [GUIDE.model_dump()]}, "one start"),
        ({"inputs": [{"role": "start", "noise": "pink"}, GUIDE.model_dump(), {**GUIDE.model_dump(), "role": "mask"}]}, "straight"),
        ({"networks": [each.model_dump() for each in (*SEEN.networks, NetworkUsed(name="other", sha256="f" * 64))]}, "straight"),
        ({"command": "dream"}, "the command 'see' and the objective 'rebuild'"),
        ({"command": "feature"}, "the command 'see'"),
        ({"objective": "guide"}, "the command 'see' and the objective 'rebuild'"),
        ({"objective": "excite", "inputs": [{"role": "start", "noise": "pink"}]}, "the command 'see'"),
    ],
)
def test_what_would_not_be_a_rebuilding_is_refused(parts: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Recipe.model_validate_json(json.dumps(changed(**parts)))


def test_what_a_rebuilding_may_choose() -> None:
    for parts in ({"ascent": {"steps": 7, "strength": 0.1, "smoothing": 0.5}}, {"canvas": {"canvas": "pixels"}}, {"seed": 5}):
        assert Recipe.model_validate_json(json.dumps(changed(**parts))).command == "see"


# ---- again


def test_a_rebuilt_picture_is_made_again_and_finds_what_it_was_rebuilt_from(
    run: Run, place: Path, lite0: Network, monkeypatch: Any
) -> None:
    monkeypatch.setattr("reverie.render.second_opinions.installed", list)
    sky = saved(place / "sky.png", 64, 80)
    seen = reverie.see(sky, network=lite0, layers=["blocks.1.0"], channels=0, width=48, steps=3)
    first = seen["blocks.1.0"].rebuilt.save("a.png")
    for _ in range(2):  # once from the cache, and once beside it
        assert run("redo", "a.png", "-o", "b.png").code == 0
        assert Path("b.png").read_bytes() == first.read_bytes()
        Path("b.png").unlink()
        shutil.rmtree(store.cache_folder(), ignore_errors=True)
    moved = sky.rename(place.parent / "sky.png")
    run("redo", "a.png", "-o", "b.png").fault(3, "the guide of 'a.png'", "--start PATH")
    assert run("redo", "a.png", "-o", "b.png", "--start", moved).code == 0
    assert Path("b.png").read_bytes() == first.read_bytes()
    enhanced = there(seen["blocks.1.0"].enhanced).save("c.png")
    assert run("redo", "c.png", "-o", "d.png", "--start", moved).code == 0
    assert Path("d.png").read_bytes() == enhanced.read_bytes()


def test_at_a_glance_grain_does_not_count_and_what_is_lost_does() -> None:
    """As the eye has it: a picture with its hairs a little elsewhere is much like the first, an even grey is not, whatever SSIM says."""
    cat = torch.from_numpy(skimage.data.chelsea()[:240, :360].copy()).permute(2, 0, 1).float() / 255
    forms = torch.nn.functional.avg_pool2d(cat[None], 8)[0].repeat_interleave(8, 1).repeat_interleave(8, 2)
    moved = (forms + 0.08 * torch.randn(cat.shape, generator=drawn(3))).clamp(0, 1)
    grey = torch.full_like(cat, 0.5)
    assert similarity(moved, cat) < similarity(grey, cat)
    assert similarity_at_a_glance(moved, cat) > 0.9 and similarity_at_a_glance(grey, cat) < 0.18
    assert similarity_at_a_glance(cat, cat) == pytest.approx(1) and similarity_at_a_glance(cat[:, :9, :9], cat[:, :9, :9]) == pytest.approx(
        1
    )

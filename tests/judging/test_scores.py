"""Scores of pictures that are final: each orders pictures as the eye does, and one that cannot be said is told with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from tests.helpers.commands import carrying, photo, saved
from tests.helpers.recipes import PLAIN
from torch import Tensor

import reverie
from reverie.errors import InputError, MissingExtra, OutputError
from reverie.judging.scores import naturalness, rise
from reverie.judging.scores.appearance import look
from reverie.judging.scores.company import SIBLINGS, family, together
from reverie.judging.scores.kept import LOOK, Scored, keep, kept
from reverie.judging.scores.likeness import difference, nearest
from reverie.judging.scores.scoring import Scorer
from reverie.judging.scores.table import SCORES
from reverie.networks import Network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.pictures import as_tensor, noise
from reverie.recipe import FileInput, NetworkUsed, Recipe
from reverie.store import Kept, sha256_of
from reverie.target import parse

LITE0 = NetworkUsed(name="efficientnet-lite0", sha256=CATALOGUE["efficientnet-lite0"].sha256)
OURS = PLAIN.model_copy(update={"networks": (LITE0,), "target": parse("blocks.4.2")})
FIGURES = Path(str(resources.files("reverie.judging.scores"))) / "measured"


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return as_tensor(photo(192, 256))[:3]


@pytest.fixture(scope="module")
def observers(opened: Callable[[str], Network]) -> list[Network]:
    return [opened(name) for name in CATALOGUE]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def scorer(observers: list[Network], *folder: Path) -> Scorer:
    there = {sha256_of(each): each for each in folder}
    return Scorer([each.sha256 for each in observers], lambda: observers, there.get)


# naturalness


def test_what_was_measured_of_photographs_is_natural_and_nothing_else_is() -> None:
    usual = naturalness.photographs()
    assert len(usual["photographs"]) == 46 and tuple(usual["measures"]) == naturalness.MEASURES
    found = naturalness.compared(usual["mean"], usual)
    assert list(found.values()) == [1.0] * 4
    spread = np.sqrt(np.diag(usual["covariance"]))
    for part, names in naturalness.PARTS.items():  # what is far in one part alone is told of that part
        away = [mean + 6 * wide * (name in names) for name, mean, wide in zip(naturalness.MEASURES, usual["mean"], spread, strict=True)]
        scores = naturalness.compared(away, usual)
        assert scores[f"natural {part}"] < 0.3 and scores["naturalness"] < 0.5
        assert sum(score == 1 for name, score in scores.items() if name.startswith("natural ")) == 2


def test_twice_as_far_as_photographs_are_on_average_is_a_half() -> None:
    usual = {"mean": [0.0] * 6, "covariance": np.eye(6).tolist()}
    assert naturalness.compared([1.0] * 6, usual)["naturalness"] == pytest.approx(1.0)
    assert naturalness.compared([2.0] * 6, usual)["naturalness"] == pytest.approx(0.5)
    assert naturalness.compared([8.0, 0, 0, 0, 0, 0], usual)["natural light"] == pytest.approx(2**0.5 / 8)


def test_noise_flat_fields_and_stripes_are_less_natural_than_a_noise_like_photographs() -> None:
    generator = torch.Generator().manual_seed(0)
    pink, white = (naturalness.natural(noise(kind, 200, 240, generator)) for kind in ("pink", "white"))
    flat = naturalness.natural(torch.full((3, 50, 60), 0.5))
    stripes = naturalness.natural((torch.arange(240) // 8 % 2).float().expand(3, 200, 240))
    assert pink["natural spectrum"] > 2 * white["natural spectrum"] and flat["naturalness"] < 0.15 and stripes["natural light"] < 0.4
    for each in (pink, white, flat, stripes):
        assert all(0 < score <= 1 for score in each.values())
    colours = noise("pink", 200, 240, generator)
    muted = torch.lerp(colours.mean(0, keepdim=True).expand(3, -1, -1), colours, 0.4)
    magenta = colours.mean(0, keepdim=True) * torch.tensor([1.0, 0.05, 0.9]).view(3, 1, 1)
    assert naturalness.natural(muted)["natural colours"] > 2 * naturalness.natural(magenta)["natural colours"]


# difference


def test_a_difference_grows_with_what_the_eye_sees_and_stays_in_its_range(picture: Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    other = noise("pink", 192, 256, generator)
    own = look(picture)
    steps = [difference(own, look(torch.lerp(picture, other, part))) for part in (0.0, 0.2, 0.5, 1.0)]
    assert steps == sorted(steps) and steps[0] < 1e-6 and 0.02 < steps[1] < 0.3 and steps[3] > 0.8
    assert difference(own, look((picture + 0.05).clamp(0, 1))) < 0.02  # even light does not count
    assert difference(own, look((picture + 0.02 * torch.randn(picture.shape, generator=generator)).clamp(0, 1))) < 0.02  # nor grain
    assert difference(own, look(picture[[2, 0, 1]])) > 0.1 < difference(own, look(picture.mean(0, keepdim=True).expand(3, -1, -1)))
    assert difference(own, look(1 - picture)) == 1  # opposite
    flat = look(torch.full((3, 40, 40), 0.3))
    assert difference(flat, look(torch.full((3, 50, 40), 0.9))) == 0 and difference(flat, own) > 0.99


def test_the_nearest_sibling_counts_and_never_the_picture_itself(monkeypatch: pytest.MonkeyPatch, picture: Tensor) -> None:
    generator = torch.Generator().manual_seed(1)
    looks = [look(each) for each in (picture, (picture * 0.9 + 0.03), *(noise("pink", 90, 90, generator) for _ in range(3)))]
    found = nearest(looks)
    assert found[0] == found[1] == pytest.approx(difference(looks[0], looks[1]), abs=1e-5)
    assert found[2] == pytest.approx(min(difference(looks[2], each) for each in (*looks[:2], *looks[3:])), abs=1e-5) and found[2] > 0.7
    monkeypatch.setattr("reverie.judging.scores.likeness._AT_ONCE", 2)
    assert nearest(looks) == pytest.approx(found)


def test_siblings_share_command_and_start_and_a_copy_is_none(cache: Path, picture: Tensor) -> None:
    def of(**changes: Any) -> Recipe:
        return OURS.model_copy(update=changes)

    start = FileInput(sha256="a" * 64, width=9, height=9)
    recipes = [of(), of(seed=8), of(), of(inputs=(start,)), of(command="feature"), None]
    for number in range(6):
        shade = (picture * (0.5 + 0.08 * number)).roll(number * 20, 2)
        keep(f"{min(number, 5)}", Scored({"naturalness": 0.5}, look=None if number == 5 else look(shade)))
    names = ["0", "1", "0", "3", "4", "5"]
    found = [each for each in together(list(zip(names, recipes, strict=True))) if each is not None]
    assert len(found) == 6 and found[0].scores[SIBLINGS] == found[1].scores[SIBLINGS] == found[2].scores[SIBLINGS] > 0.01
    assert [SIBLINGS in each.scores for each in found] == [True, True, True, False, False, False]
    assert "no other picture" in found[3].without[SIBLINGS] and SIBLINGS not in found[5].without
    assert family(of()) != family(of(inputs=(start,))) != family(of(inputs=(start,), command="journey"))


# rise


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_photographs_score_is_of_these_weights(name: str, opened: Callable[[str], Network]) -> None:
    with safe_open(FIGURES / f"{name}.safetensors", "pt") as file:
        assert file.metadata()["sha256"] == CATALOGUE[name].sha256
    known, network = rise.measured(name), opened(name)
    assert known["class scores"].shape == (46, 1000)
    for layer in network.levels.values():
        assert known[layer].shape == (46,) and known[f"{layer}:"].shape == (46, network.layer(layer)[1])


def test_a_sum_is_judged_on_photographs_as_a_sum(lite0: Network) -> None:
    one, other, both = (
        rise.photographs(lite0, parse(text), "excite") for text in ("blocks.4.1:3", "class:banana", "2*blocks.4.1:3 - class:banana")
    )
    assert torch.allclose(both, 2 * one - other)
    odds = rise.photographs(lite0, parse("class:banana"), "log-odds")
    logits = rise.measured("efficientnet-lite0")["class scores"]
    banana = lite0.class_index("banana")
    assert torch.allclose(odds, logits[:, banana] - torch.cat([logits[:, :banana], logits[:, banana + 1 :]], 1).logsumexp(1))
    for text in ("blocks.4.1:3@1,1", "blocks.0.0:1"):
        with pytest.raises(InputError, match="no scores of photographs are known"):
            rise.photographs(lite0, parse(text), "excite")


def test_a_dream_rises_and_its_start_does_not(lite0: Network, picture: Tensor) -> None:
    dreamt = reverie.dream(picture, target="blocks.4.2", network=lite0, octaves=1, steps=6, keep=False)
    assert dreamt.recipe is not None
    found = rise.rise(dreamt.recipe, lambda _: lite0, dreamt.pixels, picture)
    same = rise.rise(dreamt.recipe, lambda _: lite0, picture, picture)
    assert found["rise"] > 0.5 and same["rise"] == 0 and found["strength among photographs"] > same["strength among photographs"] + 0.5
    assert "rise" not in rise.rise(dreamt.recipe, lambda _: lite0, picture, None)
    usual = rise.photographs(lite0, dreamt.recipe.target, "excite")
    by_hand = rise.score(lite0, dreamt.recipe.target, "excite", dreamt.pixels) - rise.score(lite0, dreamt.recipe.target, "excite", picture)
    assert found["rise"] == pytest.approx(by_hand / float(usual.std()), rel=1e-4)


def test_large_pictures_are_seen_at_a_bounded_size() -> None:
    shown, start = rise.at_one_size(torch.rand(3, 40, 2048), torch.rand(3, 7, 5))
    assert shown.shape == start.shape == (3, 20, 1024)


# all of one picture


def test_every_score_of_the_table_is_had_and_in_its_range(cache: Path, observers: list[Network], picture: Tensor) -> None:
    start = saved(cache / "start.png", 120, 160)
    made = [reverie.dream(start, target="blocks.4.2", network=observers[0], octaves=1, steps=2, seed=seed) for seed in (1, 2)]
    places = []
    for number, each in enumerate(made):
        places.append(cache / f"{number}.png")
        each.save(places[-1])
    judge = scorer(observers)
    for place, each in zip(places, made, strict=True):
        keep(sha256_of(place), judge.score(place, each.recipe))
    found = together([(sha256_of(place), each.recipe) for place, each in zip(places, made, strict=True)])[0]
    assert found is not None and set(found.scores) == {each.name for each in SCORES} and not found.without and not found.missing
    assert all(0 <= found.scores[row.name] <= 1 for row in SCORES if "0 to 1" in row.range)
    assert found.scores["rise"] > 0 and judge.is_whole(found)
    assert found.scores["agreement"] == pytest.approx(reverie.ask(places[0], network=observers).agreement)
    assert not scorer(observers[:2]).is_whole(found)  # others are asked


def test_what_cannot_be_said_is_told_and_said_once_it_can_be(cache: Path, observers: list[Network]) -> None:
    start = saved(cache / "start.png")
    used = FileInput(sha256=sha256_of(start), width=128, height=96)
    place, recipe = saved(cache / "dream.png", 60, 80), OURS.model_copy(update={"inputs": (used,)})
    judge = scorer(observers)
    found = judge.score(place, recipe)
    assert found.missing == {"start": used.sha256} and "neither kept nor in the folder" in found.without["rise"]
    assert "strength among photographs" in found.scores and "difference from its start" not in found.scores and judge.is_whole(found)
    assert not scorer(observers, start).is_whole(found) and "rise" in scorer(observers, start).score(place, recipe).scores
    Kept().put(start)
    assert not judge.is_whole(found) and "difference from its start" in judge.score(place, recipe).scores
    assert judge.score(place, None).without["rise"] == "it has no recipe" and "naturalness" in judge.score(place, None).scores


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"networks": (LITE0.model_copy(update={"sha256": "b" * 64}),)}, "for its network 'efficientnet-lite0'"),
        ({"networks": (LITE0.model_copy(update={"name": "mine"}),)}, "for its network 'mine'"),
        ({"objective": "caricature"}, "for the objective 'caricature'"),
        ({"target": parse("blocks.4.1:4000")}, "has no channel 4000"),
        ({"target": parse("class:nothing at all")}, "nothing at all"),
        ({"target": parse("nowhere")}, "for 'nowhere' no scores of photographs"),
    ],
)
def test_what_has_no_rise_says_why(changes: dict[str, Any], why: str, cache: Path, observers: list[Network]) -> None:
    found = scorer(observers).score(saved(cache / "a.png", 40, 50), OURS.model_copy(update=changes))
    assert why in found.without["rise"] == found.without["strength among photographs"] and "difference from its start" in found.scores


def test_a_stranger_s_recipe_cannot_ask_for_more_noise_than_the_picture_has(cache: Path, observers: list[Network]) -> None:
    found = scorer(observers).score(saved(cache / "a.png", 8, 9), OURS.model_copy(update={"width": 10**6, "height": 10**6}))
    assert "rise" in found.scores and not found.without


def test_networks_that_made_it_do_not_agree_on_it(cache: Path, observers: list[Network]) -> None:
    place = saved(cache / "a.png", 40, 50)
    made = tuple(LITE0.model_copy(update={"name": name, "sha256": CATALOGUE[name].sha256}) for name in list(CATALOGUE)[:2])
    found = scorer(observers).score(place, OURS.model_copy(update={"networks": made}))
    assert "fewer than two" in found.without["agreement"]
    assert "agreement" in scorer(observers).score(place, None).scores


def test_what_is_kept_comes_back_and_what_is_damaged_counts_as_none(cache: Path, picture: Tensor) -> None:
    scored = Scored({"naturalness": 0.25}, {"rise": "why"}, ("a",), {"start": "b"}, look(picture))
    keep("0" * 64, scored)
    found = kept("0" * 64)
    assert found is not None and (found.scores, found.without, found.observers, found.missing) == (
        scored.scores, scored.without, scored.observers, scored.missing,
    )  # fmt: skip
    assert found.look is not None and scored.look is not None and np.array_equal(found.look, scored.look)
    assert kept("1" * 64) is None and kept("") is None
    assert len(scored.look) == LOOK
    (file,) = (each for each in (cache / "cache" / "scores").rglob("*") if each.is_file())
    sound = json.loads(file.read_text())
    spoilt = [json.dumps({**sound, **part}).encode() for part in ({"look": "AAAA"}, {"scores": {"naturalness": float("nan")}})]
    for content in (b"", b"[]", b'{"scores": 5}', json.dumps({"scores": {"a": "x"}}).encode(), *spoilt):
        file.write_bytes(content)
        assert kept("0" * 64) is None


def test_a_cache_that_cannot_be_written_is_told_and_nothing_is_scored_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OutputError):
        keep("0" * 64, Scored({}))
    assert kept("0" * 64) is None


def test_a_recipe_that_cannot_be_used_is_no_missing_recipe(cache: Path, observers: list[Network]) -> None:
    judge, place = scorer(observers), saved(cache / "a.png", 40, 50)
    assert judge.score(place, None).without["rise"] == "it has no recipe"
    assert judge.score(place, None, "its recipe is not valid").without["rise"] == "its recipe cannot be used"


def test_a_network_that_is_not_installed_is_told_and_asked_once_it_is(
    cache: Path, observers: list[Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Network:
        raise MissingExtra(f"{name} is not installed", "install it")

    monkeypatch.setattr("reverie.judging.scores.scoring.open_network", missing)
    monkeypatch.setattr("reverie.judging.scores.scoring.installed", list)
    judge = scorer(observers[1:])
    found = judge.score(saved(cache / "a.png", 40, 50), OURS)
    assert found.without["rise"] == "efficientnet-lite0 is not installed" and "agreement" in found.scores and judge.is_whole(found)
    monkeypatch.setattr("reverie.judging.scores.scoring.installed", lambda: ["efficientnet-lite0"])
    assert not judge.is_whole(found)


def test_grey_and_other_kinds_of_pictures_are_scored_too(cache: Path, observers: list[Network]) -> None:
    place = cache / "grey.png"
    Image.fromarray(photo(30, 40)[..., 0]).save(place)
    assert "naturalness" in scorer(observers).score(place, None).scores
    recipe = OURS.model_copy(update={"channels": 1})
    assert "three channels" in scorer(observers).score(carrying(cache / "c.png", PLAIN.text()), recipe).without["rise"]

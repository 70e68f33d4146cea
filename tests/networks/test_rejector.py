"""Whether what a network sees is probably there: the formulas by hand, calibration of one's own network, and what was measured."""

from __future__ import annotations

import json
import math
import statistics
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench import photographs, reject, reject_pictures
from PIL import Image
from tests.helpers.tiny import Flow, Hand, picture, wrapped
from torch import Tensor, nn

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Known, Network, rejector
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.measured import rejector_figures
from reverie.networks.norm_statistics import remembered
from reverie.store import cache_folder
from reverie.target import CLASSES

LABELS = ["edges", "warm", "cold"]


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def warm(number: int) -> Tensor:
    """(3, 16, 16): red above, a little blue, a little of everything; as Hand knows them when it is taught."""
    generator = torch.Generator().manual_seed(number)
    pixels = 0.2 * torch.rand(3, 16, 16, generator=generator)
    pixels[0] += 0.6 + 0.02 * number
    return pixels.clamp(0, 1)


def folder_of(place: Path, count: int) -> Path:
    place.mkdir()
    for number in range(count):
        Image.fromarray((warm(number) * 255).byte().permute(1, 2, 0).numpy()).save(place / f"{number}.png")
    return place


def taught(count: int = 19) -> Network:
    network = wrapped(Hand(), labels=LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.calibrate([warm(number) for number in range(count)])
    return network


# ── the formulas ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_generalised_entropy_is_the_sum_of_powers_by_hand() -> None:
    rows = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.97, 0.01, 0.01, 0.01]], dtype=torch.float64)
    by_hand = [-(0.25**0.1 + 2 * 0.1875**0.1), -(0.0291**0.1 + 3 * 0.0099**0.1)]
    assert rejector.generalised_entropy(rows).tolist() == pytest.approx(by_hand, rel=1e-12)


def test_generalised_entropy_counts_the_hundred_greatest() -> None:
    even = torch.full((1, 400), 1 / 400, dtype=torch.float64)
    assert float(rejector.generalised_entropy(even)) == pytest.approx(-100 * (399 / 400**2) ** 0.1, rel=1e-12)
    certain = torch.eye(400, dtype=torch.float64)[:1]
    assert float(rejector.generalised_entropy(certain)) == 0


def test_unusual_is_how_far_channels_are_from_what_norms_remember() -> None:
    seen = {"a": torch.tensor([[[[1.0, 3.0]], [[5.0, 5.0]]]]), "b": torch.tensor([[[[7.0]]]])}  # means 2, 5; 7
    usual = {"a": (torch.tensor([0.0, 4.0]), torch.tensor([1.0, 0.5])), "b": (torch.tensor([7.0]), torch.tensor([3.0]))}
    by_hand = (math.log1p((2.0**2 + 2.0**2) / 2) + math.log1p(0)) / 2
    assert float(rejector.unusual(seen, usual)) == pytest.approx(by_hand, rel=1e-6)
    faint = {
        "a": (torch.tensor([0.0, 4.0]), torch.tensor([1.0, 0.0]))
    }  # a channel that never changed counts with a thousandth of the other
    assert float(rejector.unusual(seen, faint)) == pytest.approx(math.log1p((4 + 1e6) / 2), rel=1e-5)


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (5, 1), (19, 1), (38, 1), (39, 2), (59, 3), (100, 5)])
def test_the_threshold_is_the_score_whose_rank_split_conformal_prediction_gives(count: int, rank: int) -> None:
    print("seed 5")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(5)).tolist()
    assert rejector.threshold_of([float(each) for each in order]) == rank - 1


def test_95_percent_of_new_pictures_pass_whatever_their_distribution() -> None:
    print("seed 6")
    generator = np.random.default_rng(6)
    for power in (1, 5):
        draws = generator.exponential(size=(4000, 31)) ** power
        passed = [row[0] >= rejector.threshold_of(row[1:]) for row in draws.tolist()]
        assert 0.955 < statistics.mean(passed) < 0.98  # 30 of 31 are 0.968


def test_each_known_picture_is_judged_by_the_others() -> None:
    print("seed 7")
    values = torch.rand(8, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    rows = values.tolist()
    by_hand = []
    for place, row in enumerate(rows):
        others = [other for at, other in enumerate(rows) if at != place]
        columns = list(zip(*others, strict=True))
        by_hand.append(sum((row[part] - statistics.mean(columns[part])) / statistics.stdev(columns[part]) for part in range(2)))
    assert rejector.apart(values) == pytest.approx(by_hand)
    found = rejector.calibrated([tuple(row) for row in rows])
    assert found.method == "GEN + norms" and found.pictures == 8 and found.threshold == pytest.approx(min(by_hand))
    assert found.threshold_interval[0] == pytest.approx(min(by_hand)) and found.threshold_interval[1] > found.threshold


def test_the_score_counts_spreads_above_the_mean_of_the_known_and_perhaps_lies_between() -> None:
    of = rejector.Calibration("GEN", (-4.0,), (2.0,), -1.5, (-2.0, -1.0), -0.5, 30)
    assert of.known((-2.0,)) == Known(True, 1.0, -1.5, "GEN", is_sure=True)
    assert of.known((-6.0,)) == Known(True, -1.0, -1.5, "GEN", is_sure=False)
    assert of.known((-7.0,)) == Known(True, -1.5, -1.5, "GEN", is_sure=False)  # that reaches it
    assert of.known((-8.0,)) == Known(False, -2.0, -1.5, "GEN", is_sure=True)
    labels = [reverie.Label(144, "pelican", 0.314)]
    assert rejector.Recognised(labels, of.known((-2.0,))).remark == "" == rejector.Recognised(labels).remark
    assert rejector.Recognised(labels, of.known((-6.0,))).remark == "perhaps nothing I know: it is most like pelican (31 %)"
    assert rejector.Recognised(labels, of.known((-8.0,))).remark == "nothing I know: it is most like pelican (31 %)"


# ── one's own network ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_network_that_was_not_taught_says_nothing_and_answers_as_before() -> None:
    network = wrapped(Hand(), labels=LABELS)
    found = network.recognise(warm(3))
    assert found.known is None and isinstance(found, list) and found[0].label == "warm" and len(found) == 3
    again = taught().recognise(warm(3))
    assert [each.label for each in again] == [each.label for each in found]
    assert [each.probability for each in again] == pytest.approx([each.probability for each in found], abs=1e-6)


def test_what_it_was_taught_is_known_and_other_things_are_not() -> None:
    network = taught()
    inside = network.recognise(warm(7)).known
    assert inside is not None and inside.is_known and inside.method == "GEN + norms" and inside.score >= inside.threshold
    for other in (
        torch.zeros(3, 16, 16),
        torch.ones(3, 16, 16),
        picture(16, 16, seed=3)[0].flip(0) * torch.tensor([0.1, 0.3, 1.0])[:, None, None],
    ):
        known = network.recognise(other).known
        assert known is not None and not known.is_known and known.score < known.threshold


def test_the_score_is_what_the_formulas_give() -> None:
    network = taught()
    usual = remembered(network, [CLASSES])
    ready = network.prepare([*usual, CLASSES])

    def raw(pixels: Tensor) -> list[float]:
        with torch.no_grad():
            seen = ready(pixels[None])
        chances = seen[CLASSES].double().softmax(1).numpy()[0]
        away = [np.log1p(np.mean(((seen[name].mean((2, 3))[0] - mean) / spread).numpy() ** 2)) for name, (mean, spread) in usual.items()]
        return [-float(((chances * (1 - chances)) ** 0.1).sum()), -float(np.mean(away))]

    known_ones = np.array([raw(warm(number)) for number in range(19)])
    new = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(9))
    by_hand = ((np.array(raw(new)) - known_ones.mean(0)) / known_ones.std(0, ddof=1)).sum()
    found = network.recognise(new).known
    assert found is not None and found.score == pytest.approx(by_hand, rel=1e-3)


def test_it_is_kept_by_the_weights_and_how_pictures_are_handed_to_them(own_place: Path) -> None:
    folder = folder_of(own_place / "mine", 20)
    found = wrapped(Hand(), labels=LABELS).calibrate(folder)
    assert found.pictures == 20
    same = wrapped(Hand(), labels=LABELS).recognise(warm(3)).known  # another time, opened anew
    assert same is not None and same.threshold == pytest.approx(found.threshold, abs=1e-4)
    changed = Hand()
    with torch.no_grad():
        changed.head.bias[0] += 0.5
    assert wrapped(changed, labels=LABELS).recognise(warm(3)).known is None
    with torch.no_grad():
        changed.head.bias[0] -= 0.5
    assert wrapped(changed, labels=LABELS).recognise(warm(3)).known is not None
    other = reverie.wrap(Hand(), mean=[0.0] * 3, std=[0.5] * 3, size=16, labels=LABELS)
    assert other.recognise(warm(3)).known is None
    assert wrapped(Hand(), labels=LABELS, size=24).recognise(warm(3)).known is None


def test_without_keep_nothing_is_written_and_what_is_damaged_is_as_if_it_were_not_there(own_place: Path) -> None:
    network = wrapped(Hand(), labels=LABELS)
    network.calibrate([warm(number) for number in range(19)], keep=False)
    assert network.recognise(warm(1)).known is None and not cache_folder().exists()
    network.calibrate([warm(number) for number in range(19)])
    (file,) = (each for each in (cache_folder() / "calibrations").rglob("*") if each.is_file())
    good = json.loads(file.read_text())
    assert network.recognise(warm(1)).known is not None
    wrong: list[Any] = [
        {**good, "spreads": [0.0, 1.0]},
        {**good, "means": [1.0]},
        {**good, "method": "guess"},
        {**good, "threshold": "NaN"},
        [],
        None,
    ]
    for content in (b"", b"{", b"\xff\xfe", *(json.dumps(each).encode() for each in wrong)):
        file.write_bytes(content)
        assert network.recognise(warm(1)).known is None, content


def test_a_network_without_norms_is_judged_by_its_probabilities_alone() -> None:
    module = Flow(lambda m, x: m.head(x.mean((2, 3))), head=nn.Linear(3, 3))
    with torch.no_grad():
        module.head.weight.copy_(12 * torch.eye(3))
        module.head.bias.zero_()
    network = wrapped(module, labels=LABELS)
    found = network.calibrate([warm(number) for number in range(19)])
    assert found.method == "GEN" and len(found.means) == 1
    assert network.recognise(warm(5)).known is not None
    grey = network.recognise(torch.full((3, 16, 16), 0.5)).known
    assert grey is not None and grey.method == "GEN" and not grey.is_known


def test_pictures_that_are_none_or_too_few_or_the_same_are_refused(own_place: Path) -> None:
    network = wrapped(Hand(), labels=LABELS)
    (own_place / "empty").mkdir()
    with pytest.raises(InputError, match=r"no picture in '.*empty'"):
        network.calibrate(own_place / "empty")
    with pytest.raises(InputError, match=r"4 pictures to calibrate with, which is too few; give 5 at least"):
        network.calibrate([warm(number) for number in range(4)])
    with pytest.raises(InputError, match=r"1 picture to calibrate with"):
        network.calibrate([warm(1)] * 20)
    with pytest.raises(InputError, match="gone"):
        network.calibrate(own_place / "gone")
    with pytest.raises(UsageError, match="one number"):
        one = Flow(lambda m, x: m.head(x.mean((2, 3))), head=nn.Linear(3, 1))
        wrapped(one).calibrate([warm(number) for number in range(19)])
    assert not cache_folder().exists()


def test_unreadable_pictures_are_named_and_counted_and_few_are_told(own_place: Path) -> None:
    network, folder = wrapped(Hand(), labels=LABELS), folder_of(own_place / "mine", 6)
    for name in ("a.png", "b.jpg"):
        (folder / name).write_bytes(b"no picture")
    with pytest.warns(UserWarning) as told:
        assert network.calibrate(folder).pictures == 6
    words = [str(each.message) for each in told]
    assert "2 of 8 pictures cannot be read" in words[0] and "a.png" in words[0] and "6 of 7 new ones pass" in words[1] and len(words) == 2
    for number in range(2, 6):
        (folder / f"{number}.png").write_bytes(b"")
    with pytest.raises(InputError, match="6 of 8 pictures cannot be read"):
        network.calibrate(folder)


# ── what was measured ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_built_in_network_has_figures_for_its_very_weights() -> None:
    assert set(rejector_figures()) == set(CATALOGUE)
    for name, facts in CATALOGUE.items():
        assert rejector.measured(name, facts.sha256) is not None and rejector.measured(name, "0" * 64) is None
        sets = rejector_figures()[name]["sets"]
        assert {"noise", "flat", "gradients", "text", "textures", "near"} <= set(sets)
        for each in sets.values():
            assert each["auroc_interval"][0] <= each["auroc"] <= each["auroc_interval"][1]
            assert each["nothing"] + each["perhaps"] <= each["pictures"]


@pytest.mark.skipif(len(photographs.here()) < len(photographs.FILES), reason="photographs are missing")
def test_the_figures_are_what_measuring_gives(lite0: Network) -> None:
    facts = rejector_figures()["efficientnet-lite0"]
    seen = reject.look(lite0, list(reject_pictures.known().values()))
    found = rejector.calibrated([tuple(row) for row in reject.both(seen).tolist()])
    assert found.pictures == facts["pictures"] and found.threshold == pytest.approx(facts["threshold"], abs=0.02)
    assert found.means == pytest.approx(facts["means"], rel=1e-3) and found.spreads == pytest.approx(facts["spreads"], rel=1e-3)
    passed = [lite0.recognise(each).known for each in reject_pictures.known().values()]
    assert sum(each is not None and each.is_known for each in passed) >= 0.95 * len(passed)


def test_the_default_network_knows_a_cat_and_knows_that_noise_is_nothing(lite0: Network) -> None:
    cat = lite0.recognise(photographs.photograph("chelsea"))
    assert cat.known is not None and cat.known.is_known and cat.known.is_sure and cat.remark == ""
    noise = lite0.recognise(picture(224, 224, seed=2)[0])
    assert noise.known is not None and not noise.known.is_known
    assert noise.remark.startswith(f"nothing I know: it is most like {noise[0].label} (")


def test_auroc_and_false_positives_by_hand() -> None:
    known, unknown = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0, 2.0, 3.5])
    assert reject.auroc(known, unknown) == pytest.approx((4 + (2 + 0.5) + 1) / 12)
    assert reject.false_positives(known, unknown) == pytest.approx(2 / 3)  # the threshold is 1

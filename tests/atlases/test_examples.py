"""What layers answer to a data set: pictures counted once, summaries that merge in any order, and what is told of a unit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.tiny import Hand, wrapped

from reverie.atlases.examples.dataset import data_set, shards
from reverie.atlases.examples.fields import effective_fields
from reverie.atlases.examples.of_units import correlations, unit_examples
from reverie.atlases.examples.passing import Shown, layer_groups, look_at
from reverie.atlases.examples.summary import BINS, KEPT, NONE, Summary, bins_of, edges, merged, summary_of
from reverie.errors import InputError


def summed(answers: np.ndarray, first: int = 0, sample: bool = True) -> Summary:
    """Of (N, C) answers, whose places are their numbers times ten."""
    count, channels = answers.shape
    numbers = np.arange(first, first + count, dtype=np.int32)
    places = np.repeat(numbers[:, None] * 10, channels, 1).astype(np.int32)
    values = answers.astype(np.float32)
    return summary_of(values, places, (values / 2).astype(np.float32), numbers, np.full(count, sample), values, numbers, numbers * 10)


def same(one: Summary, other: Summary) -> bool:
    return all(
        np.array_equal(np.asarray(getattr(one, name)), np.asarray(getattr(other, name)))
        for name in Summary.__dataclass_fields__ if name not in ("total", "squares")
    ) and np.allclose(one.total, other.total)  # fmt: skip


def test_a_summary_has_both_ends_and_their_places() -> None:
    found = summed(np.array([[3.0, -1], [7, -5], [5, -3]]))
    assert found.top[0, :4].tolist() == [7, 5, 3, NONE] and found.top_at[0, :4].tolist() == [1, 2, 0, NONE]
    assert found.low[1, :3].tolist() == [-5, -3, -1] and found.low_place[1, :3].tolist() == [10, 20, 0]
    assert found.count == 3 and found.total.tolist() == [15, -9] and found.rows_max[:, 0].tolist() == [3, 7, 5]
    assert summed(np.ones((3, 1))).top_at[0, :3].tolist() == [0, 1, 2]  # of equals the lower number first
    again = Summary.from_bytes(found.to_bytes())
    assert same(again, found) and again.count == 3


@pytest.mark.parametrize("seed", range(4))
def test_parts_merge_in_any_order_to_the_summary_of_the_whole(seed: int) -> None:
    print(f"seed {seed}")
    drawn = np.random.default_rng(seed)
    answers = np.round(drawn.normal(0, 3, (200, 5)), 1)  # with many that are equal
    whole = summed(answers)
    cuts = [0, *sorted(drawn.choice(np.arange(1, 200), 6, replace=False).tolist()), 200]
    parts = [summed(answers[a:b], a) for a, b in pairwise(cuts)]
    drawn.shuffle(parts)
    assert same(merged(parts), whole)
    assert same(merged([merged(parts[:3]), merged(parts[3:])]), whole)
    assert whole.top.shape == (5, KEPT) and int(whole.bins.sum()) == 200 * 5


def test_bins_rise_with_the_answers_and_their_edges_hold_them() -> None:
    print("seed 0")
    values = np.sort(np.concatenate([np.random.default_rng(0).normal(0, 50, 5000), [0, 1e-6, -1e-6, 65504, -65504, 1e9]])).astype(
        np.float32
    )
    found, ends = bins_of(values), edges()
    assert (np.diff(found) >= 0).all() and found.min() >= 0 and found.max() < BINS and (np.diff(ends) >= 0).all()
    held = np.clip(values, -65504, 65504)
    assert (held >= ends[found] - 1e-3 * np.abs(held) - 1e-4).all() and (held <= ends[found + 1] + 1e-3 * np.abs(held) + 1e-4).all()


def test_of_a_unit_examples_lie_over_its_whole_range_and_dead_ones_are_told() -> None:
    answers = np.zeros((100, 3))
    answers[:, 0] = np.linspace(0, 99, 100)
    answers[:, 1] = -answers[:, 0]
    summary = summed(answers)
    together = correlations(summary)
    found = unit_examples(summary, 0, 7, together)
    assert [each.picture for each in found.top] == list(range(99, 90, -1)) and found.top[0].row * 7 + found.top[0].column == 990
    assert [each.picture for each in found.low] == [0, 1, 2, 3] and found.held_out[0].picture == 90
    assert not {each.picture for each in found.held_out} & {each.picture for each in found.top}
    answered = [each.answer for each in found.between]
    assert answered == sorted(answered) and answered[0] < 10 and answered[-1] > 85 and len(answered) >= 7
    assert all(each.answer == each.picture for each in found.between)  # what it answered, and not the middle of a bin
    assert found.bars[0][0] == 0 and found.bars[-1][1] == 99
    assert sum(count for _, _, count in found.bars) == 100 and not found.dead and found.mean == 49.5
    assert unit_examples(summary, 2, 7, together).dead and found.together == ()  # one answers against it, one never
    twins = summed(np.stack([answers[:, 0]] * 2, 1))
    assert unit_examples(twins, 0, 7, correlations(twins)).together == ((1, 1.0),)
    assert correlations(summed(answers[:15])) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    print("seed 1")
    drawn = np.random.default_rng(1)
    (tmp_path / "below").mkdir()
    for number in range(5):
        Image.fromarray(drawn.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "below" / "twin.png").write_bytes((tmp_path / "2.png").read_bytes())
    (tmp_path / "below" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "words.txt").write_text("no picture either")
    return tmp_path


def test_a_data_set_counts_each_content_once_whatever_it_is_called(folder: Path, tmp_path: Path) -> None:
    found = data_set(folder)
    assert len(found) == 6 and len(found.duplicates) == 1 and {*found.duplicates[0]} == {"below/twin.png", "2.png"}
    assert [each.sha256 for each in found.pictures] == sorted(each.sha256 for each in found.pictures)
    (folder / "0.png").rename(folder / "called otherwise.png")
    assert data_set(folder).key == found.key
    (folder / "1.png").unlink()
    assert data_set(folder).key != found.key
    assert found.sample(3) == found.sample(3) and len(found.sample(3)) == 3 and found.sample(100) == frozenset(range(6))
    assert [[*each] for each in shards(5, 2)] == [[0, 1], [2, 3], [4]]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no picture in"):
        data_set(empty)
    with pytest.raises(InputError, match="does not exist"):
        data_set(tmp_path / "nowhere")


def test_a_pass_tells_what_layers_answer_and_which_pictures_it_could_not_read(folder: Path) -> None:
    network, data = wrapped(Hand()), data_set(folder)
    shown = Shown(range(len(data)), [data.place(each) for each in range(len(data))], [3] * len(data))
    found = look_at(network, ["light", "edge"], "edge", shown)
    assert found is not None
    (fault,) = found.faults.values()
    assert "broken.jpg" in fault and str(folder) not in fault
    assert len(found.numbers) == 5 and found.summaries["light"].count == 5
    number = int(found.numbers[0])
    pixels = torch.from_numpy(np.asarray(Image.open(data.place(number)))).float().permute(2, 0, 1) / 255
    light = pixels.sum(0)
    row = found.summaries["light"].top_at[0].tolist().index(number)
    assert found.summaries["light"].top[0, row] == pytest.approx(float(light.max()), abs=1e-4)
    assert found.summaries["light"].top_place[0, row] == int(light.argmax())
    assert found.embedding.shape == (5, 2) and found.labels.shape == (5, 5) and found.labels[:, 3:].max() == -1
    assert len(found.summaries["light"].spots) == 15
    longer = Shown(range(3 * len(data)), [*shown.places] * 3, [0] * 3 * len(data))
    assert look_at(network, ["light"], "light", longer, lambda _: True) is None  # told to stop
    assert layer_groups(network, ["light", "edge"]) == [["light", "edge"]]


def test_a_unit_looks_at_as_much_as_moves_it() -> None:
    network = wrapped(Hand())
    pictures = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) + 1
    found = effective_fields(network, ["light", "edge"], pictures)
    assert found["light"] <= 1 / 16 + 1e-6 < found["edge"] <= 3 / 16 + 1e-6

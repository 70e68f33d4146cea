"""Quasi-Newton steps: the top of a score is reached, each picture goes its own way, and what does not pay is taken back."""

from __future__ import annotations

import pytest
import torch
from tests.helpers.climbing import ONE, drawn, pictures, run
from torch import Tensor

from reverie.ascent import ClimbSettings, Progress, Score
from reverie.recipe import Canvas, Transforms

SIDE = 12
each_canvas = pytest.mark.parametrize("kind", ["pixels", "fourier"])


def climbed(
    start: Tensor, score: Score, kind: str = "pixels", steps: int = 40, strength: float = 0.02, matching: bool = True
) -> list[Progress]:
    ascent = ONE.model_copy(update={"steps": steps, "strength": strength, "vivid": 1.0, "settle": 1.0 if matching else 0.01})
    how = ClimbSettings(canvas=Canvas(canvas=kind), ascent=ascent, transforms=Transforms(), matching=matching)  # type: ignore[arg-type]
    return run(start, score, how, tuple(range(len(start))))


def middle(count: int = 1, seed: int = 6) -> Tensor:
    return pictures(count, side=SIDE, low=0.4, high=0.6, seed=seed)


def valley(count: int = 1, seed: int = 3) -> tuple[Tensor, Score]:
    """The best pictures, (N, 3, H, W), of a score whose slopes differ a hundredfold from pixel to pixel, and the score."""
    best = pictures(count, side=SIDE, low=0.3, high=0.7, seed=seed)
    steep = 10 ** (-2 * torch.rand(3, SIDE, SIDE, generator=drawn(seed + 1)))
    return best, lambda x, _: -((x - best).square() * steep).sum((1, 2, 3))


class Watched:
    """A score that remembers what it was asked for and what it said."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.said: list[Tensor] = []  # (N,) each

    def __call__(self, x: Tensor, view: object) -> Tensor:
        values: Tensor = self.score(x, view)  # type: ignore[arg-type]
        self.said.append(values.detach().clone())
        return values

    def best(self) -> Tensor:
        """(N,): the best that was said of each picture, where it was a number."""
        return torch.stack(self.said).nan_to_num(nan=-1e9, neginf=-1e9).amax(0)


def cliff(place: float, below: float) -> Score:
    """More light is better, until the mean of the picture reaches `place`; from there on the score is `below`."""

    def score(x: Tensor, _: object) -> Tensor:
        light = x.mean((1, 2, 3))
        return torch.where(light > place, light * 0 + below, light)

    return score


# ---- the top


@each_canvas
def test_the_top_of_a_badly_conditioned_score_is_reached(kind: str) -> None:
    best, score = valley(2)
    far = {}
    for matching in (True, False):
        last = climbed(middle(2), score, kind, steps=60, matching=matching)[-1].pictures
        far[matching] = float((last - best).abs().max())
    print(far)
    assert far[True] < 1e-3
    assert far[False] > 50 * far[True]


@each_canvas
def test_no_random_score_is_left_worse_than_it_was(kind: str) -> None:
    for seed in range(6):
        waves = 4 * torch.randn(3, SIDE, SIDE, generator=drawn(seed))
        print(f"seed {seed}")
        score = Watched(lambda x, _, waves=waves: (torch.sin(9 * x * waves) + 0.3 * waves * x).mean((1, 2, 3)))  # type: ignore[misc]
        last = climbed(middle(2, seed), score, kind, strength=0.2)[-1].pictures
        found = score.score(last, None)  # type: ignore[arg-type]
        assert (found > score.said[0] + 0.1).all()
        assert torch.allclose(found, score.best(), atol=1e-4)


@each_canvas
@pytest.mark.parametrize("strength", [0.002, 0.03])
def test_the_first_move_has_its_strength_on_every_picture(kind: str, strength: float) -> None:
    _, score = valley(2)
    start = middle(2)
    first = climbed(start, lambda x, view: score(x, view) * torch.tensor([1.0, 1e6]), kind, steps=2, strength=strength)[0].pictures
    sizes = (first - start).square().mean((1, 2, 3)).sqrt().tolist()
    assert sizes == pytest.approx([strength] * 2, rel=0.03)


def test_every_step_is_one_look() -> None:
    score = Watched(cliff(0.52, -1000.0))
    assert len(climbed(middle(), score, steps=23)) == 23 == len(score.said)


# ---- each by itself


@each_canvas
def test_each_picture_of_a_batch_goes_its_own_way(kind: str) -> None:
    start = middle(2)
    best, _ = valley(2)
    steep = torch.stack([torch.ones(3, SIDE, SIDE), 10 ** (-2 * torch.rand(3, SIDE, SIDE, generator=drawn(4)))])

    def score(number: int | None) -> Score:
        own = slice(None) if number is None else slice(number, number + 1)

        return lambda x, _: -((x - best[own]).square() * steep[own]).sum((1, 2, 3))

    together = climbed(start, score(None), kind, steps=12)[-1].pictures
    for number in range(2):
        alone = climbed(start[number : number + 1], score(number), kind, steps=12)[-1].pictures
        assert (alone[0] - together[number]).abs().max() < 1e-4
    assert (together - start).square().mean((1, 2, 3)).sqrt().min() > 0.05


def test_one_that_overshoots_does_not_hold_back_another() -> None:
    start = middle(2)
    start = start - start.mean((1, 2, 3), keepdim=True) + 0.5

    def score(x: Tensor, _: object) -> Tensor:
        light = x.mean((1, 2, 3))
        return torch.where((light > 0.51) & torch.tensor([True, False]), light - 100, light)

    last = climbed(start, score, steps=10)[-1].pictures.mean((1, 2, 3))
    assert 0.5 < float(last[0]) <= 0.51 and float(last[1]) > 0.65


# ---- what does not pay


@each_canvas
@pytest.mark.parametrize("below", [-1000.0, float("-inf"), float("nan"), 0.0], ids=["deep", "endless", "no number", "shallow"])
@pytest.mark.parametrize("near", [1e-4, 0.01, 0.05])
def test_a_step_over_a_cliff_is_taken_back(kind: str, below: float, near: float) -> None:
    start = middle()
    place = float(start.mean()) + near
    score = Watched(cliff(place, below))
    last = climbed(start, score, kind, strength=0.1)[-1].pictures
    assert any(not bool(each > 0.1) for each in score.said)  # it was over the edge
    assert last.isfinite().all() and float(last.mean()) <= place + 1e-6
    assert float(last.mean()) > float(start.mean()) + 0.2 * near  # and came as near to it as that
    assert float(last.mean()) == pytest.approx(float(score.best()), abs=1e-6)


@pytest.mark.parametrize("spoiled", [True, False])
@each_canvas
def test_the_last_step_gives_back_the_best_place(kind: str, spoiled: bool) -> None:
    _, plain = valley()
    looks = 0

    def score(x: Tensor, view: object) -> Tensor:
        nonlocal looks
        looks += 1
        return plain(x, view) - 1000.0 * (spoiled and looks == 9)  # type: ignore[arg-type]

    states = climbed(middle(), score, kind, steps=9)
    seen = [float(plain(each.pictures, None)) for each in states]  # type: ignore[arg-type]
    assert seen[-1] == pytest.approx(max(seen[:-2] if spoiled else seen[:-1]), rel=1e-5)
    wanted = states[-3 if spoiled else -2].pictures
    assert torch.allclose(states[-1].pictures, wanted, atol=1e-6)


@each_canvas
def test_a_flat_score_leaves_the_picture_as_it_is(kind: str) -> None:
    start = middle(2)
    for state in climbed(start, lambda x, _: (x * 0).sum((1, 2, 3)), kind, steps=5):
        assert torch.allclose(state.pictures, start, atol=2e-5) and not state.alive.any()


@each_canvas
def test_a_flat_picture_of_a_batch_stays_while_the_other_climbs(kind: str) -> None:
    best, score = valley(2)
    start = middle(2)
    states = climbed(start, lambda x, view: score(x, view) * torch.tensor([0.0, 1.0]), kind, steps=60)
    assert torch.allclose(states[-1].pictures[0], start[0], atol=2e-5)
    assert (states[-1].pictures[1] - best[1]).abs().max() < 2e-3
    assert states[-1].alive[0].item() is False


def test_at_the_top_nothing_moves() -> None:
    best, score = valley()
    last = climbed(best, score, steps=6)[-1].pictures
    assert torch.allclose(last, best, atol=1e-6)

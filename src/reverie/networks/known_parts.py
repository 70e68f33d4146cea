"""Where in a picture is something that a network knows; and how far a dream on it may go before the network knows it no more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from reverie.errors import InputError, UsageError, choice
from reverie.networks.calibrating import Look, calibration
from reverie.networks.network import Network
from reverie.networks.rejector import Calibration
from reverie.networks.subject import subject
from reverie.pictures import resize, rounded
from reverie.pictures.regions import along_contours, smooth_step

_SHARE = 4  # squares of this part of the shorter side: smaller things are not looked for
_LEAST = 0.7  # of the native size: smaller squares are so blurred at that size that nothing in them is known
_SIDE = 160  # of a map of places, its shorter one
_RADIUS = 8  # of the map within which it follows the contours of the picture
_LESS, _ROUNDS = 0.75, 24  # what is left of a dream where it was too much, and how often at most: then a thousandth


@dataclass(frozen=True)
class Window:
    """A part of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, picture: Tensor) -> Tensor:
        """(C, H, W) → (C, height, width)."""
        return picture[:, self.top : self.top + self.height, self.left : self.left + self.width]


class KnownParts:
    """The rejector, asked of the parts of a picture.

    The whole is judged as the network recognises it, and squares of a quarter of its shorter side, each half beside the next.

    Args:
        network: the network.
        learnt: what it learnt from known pictures; without it what is kept of that, or was measured.

    Raises:
        UsageError: it has learnt nothing, or what is given is not of a network like this.
    """

    def __init__(self, network: Network, learnt: Calibration | None = None) -> None:
        found = learnt or calibration(network)
        if found is None:
            raise UsageError(
                f"{choice('sober')} with {network.name}, which cannot tell what it knows",
                "show it pictures of what it knows, once: reverie.wrap(…).calibrate(folder)",
            )
        self.network, self.learnt = network, found
        self._look = Look(network, len(found.means) > 1)
        if self._look.parts != len(found.means):
            raise UsageError(
                f"what {network.name} learnt of known pictures does not fit it", "calibrate it: reverie.wrap(…).calibrate(folder)"
            )

    def places(self, picture: Tensor) -> Tensor:
        """(h, w) in 0..1: where in a picture (C, H, W) is something that the network knows, soft at its border.

        A place lies in squares of which most are known: beside a thing those that reach further away are not. Or it lies in the subject of
        the whole (`reverie.networks.subject`) if the whole is known: of a large thing squares may show no more than its texture. What is
        known for sure counts fully, what is perhaps known in part.
        """
        seen = self._reduced(picture)  # (C, H, W)
        size, squares = map_size(seen), squares_of(seen.shape[1], seen.shape[2], min(self.network.size))
        known = blended([(each, self._sureness(each.of(seen))) for each in squares], seen.shape[1:], size)
        found = along_contours(smooth_step(2 * known - 1), resize(seen, *size), _RADIUS)  # (h, w)
        if whole := self._sureness(seen):
            with suppress(InputError):  # nothing in it stands out
                found = found.maximum(whole * resize(subject(self.network, seen)[None], *size)[0])
        return found.clamp(0, 1)

    def as_far(self, start: Tensor, dream: Tensor) -> Tensor:
        """(h, w) in 0..1: the share of a dream, both (C, H, W), that may be laid over its start for what is known to stay known.

        Where a part was and is no longer, a quarter of the dream in it is taken back, again and again. Parts that were not known have no
        say.
        """
        begin, end = self._reduced(start), self._reduced(dream)  # (C, H, W)
        height, width = begin.shape[1:]
        windows = [Window(0, 0, height, width), *squares_of(height, width, min(self.network.size))]
        changed = [each for each in windows if not torch.equal(each.of(begin), each.of(end))]
        known = [each for each in changed if self.is_known(each.of(begin))]
        share, to_judge = torch.ones(map_size(begin)), known
        for _ in range(_ROUNDS):
            mixed = torch.lerp(begin, rounded(end), resize(share[None], height, width))  # (C, H, W)
            lost = [each for each in to_judge if not self.is_known(each.of(mixed))]
            if not lost and to_judge is known:
                break
            if lost:
                back = torch.stack([inside(each, (height, width), share.shape) for each in lost]).amax(0)  # (h, w)
                share = share * (1 - (1 - _LESS) * back)
            to_judge = lost or known  # the others have no more of the dream than before; all are judged again in the end
        return share

    def is_known(self, part: Tensor) -> bool:
        """Whether something in a part (C, h, w) is."""
        return self.learnt.known(self._look(part)[1]).is_known

    def _sureness(self, part: Tensor) -> float:
        """Of a part (C, h, w), in 0..1: 0 where it is not known, 1 where it is for sure."""
        known = self.learnt.known(self._look(part)[1])
        span = max(self.learnt.sure - known.threshold, 1e-6)
        return float(smooth_step(torch.tensor((known.score - known.threshold) / span)))

    def _reduced(self, picture: Tensor) -> Tensor:
        """(C, H, W), no larger than its squares need it."""
        return resize(picture, *_within(picture, _SHARE * min(self.network.size)))


def squares_of(height: int, width: int, native: int) -> list[Window]:
    """Squares all over a picture, each half beside the next; `native` is the side at which the network sees them."""
    short = min(height, width)
    side = min(short, max(round(short / _SHARE), round(_LEAST * native)))
    return [Window(top, left, side, side) for top in _begins(height, side) for left in _begins(width, side)]


def map_size(picture: Tensor) -> tuple[int, int]:
    """(height, width) of a map of the places of a picture (C, H, W)."""
    return _within(picture, _SIDE)


def _within(picture: Tensor, shorter: int) -> tuple[int, int]:
    """(height, width) of a picture (C, H, W) whose shorter side is brought down to this."""
    height, width = picture.shape[1:]
    scale = min(1.0, shorter / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def blended(values: Sequence[tuple[Window, float]], of: Sequence[int], size: tuple[int, int]) -> Tensor:
    """(h, w): at each place the mean of the values of the windows that it lies in.

    Args:
        of: height and width of the picture that the windows are of.
        size: (h, w).
    """
    total, weights = torch.zeros(size), torch.zeros(size)
    for window, value in values:
        down, across = _through(window, of, size)
        weight = _hill(down)[:, None] * _hill(across)  # (h, w)
        total += value * weight
        weights += weight
    return total / weights


def inside(window: Window, of: Sequence[int], size: Sequence[int]) -> Tensor:
    """(h, w): 1 in a window, falling to 0 in the outer quarters of its sides, but not where the picture ends with it."""
    down, across = _through(window, of, size)
    rows = _plateau(down, window.top == 0, window.top + window.height == of[0])
    columns = _plateau(across, window.left == 0, window.left + window.width == of[1])
    return rows[:, None] * columns


def _through(window: Window, of: Sequence[int], size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """How far through a window each row and column of a map is: (h,), (w,), 0..1 inside."""
    rows, columns = ((torch.arange(each) + 0.5) * (whole / each) for each, whole in zip(size, of, strict=True))
    return (rows - window.top) / window.height, (columns - window.left) / window.width


def _hill(through: Tensor) -> Tensor:
    """0 outside of 0..1, little at its ends, 1 in its middle."""
    return (through * torch.pi).sin().square().clamp_min(1e-3) * ((through > 0) & (through < 1))


def _plateau(through: Tensor, from_the_border: bool, to_the_border: bool) -> Tensor:
    """0 outside of 0..1, 1 in its middle half, and up to its end where that is the border of the picture."""
    rise = torch.ones_like(through) if from_the_border else (4 * through).clamp(0, 1)
    fall = torch.ones_like(through) if to_the_border else (4 * (1 - through)).clamp(0, 1)
    return rise * fall * ((through > 0) & (through < 1))


def _begins(length: int, side: int) -> list[int]:
    """Where windows of this side begin, evenly, at most half a side from one to the next."""
    count = 1 - (-2 * (length - side) // side)
    return [round(each * (length - side) / max(1, count - 1)) for each in range(count)]

"""Quasi-Newton steps, for a score that is to be brought to its very top: a picture that must match another one's activations."""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.ascent.gradient import Gradient
from reverie.canvas import Canvas

_MEMORY = 10  # moves that are remembered
_GAIN = 1e-4  # share of the promised gain that a move must bring (Armijo)
_SHORTEST = 1e-6  # of a move, before its direction is given up
_TRIAL = 1e-2  # small enough for the picture to follow in proportion


class QuasiNewton:
    """L-BFGS (Liu & Nocedal 1989) on a canvas's parameters, each picture of the batch by itself. The first move changes it by `strength`.

    Every step is one look: at the end of a move that gained too little, the move is tried again, shorter. The last step of all gives back
    the best place there was. It takes no penalties.
    """

    def __init__(self) -> None:
        self._paths: list[_Path] = []

    def __call__(self, canvas: Canvas, gradient: Gradient, penalty_step: Tensor | None, strength: float, done: float) -> Canvas:
        with torch.enable_grad():
            parameters = canvas.parameters.detach().requires_grad_(True)
            painted = canvas.pictures(parameters)  # (N, C, H, W)
            (by_parameters,) = torch.autograd.grad(painted, parameters, gradient.values)
        if not self._paths:
            self._paths = [_Path(length) for length in _lengths(canvas, parameters.detach(), painted.detach(), by_parameters, strength)]
        places = zip(self._paths, parameters.detach(), gradient.scores, by_parameters, strict=True)
        return canvas.moved(torch.stack([path(here, float(value), each, done >= 1) for path, here, value, each in places]))


def _lengths(canvas: Canvas, parameters: Tensor, painted: Tensor, gradient: Tensor, strength: float) -> list[float]:
    """How far to go along each gradient so that its picture changes by `strength`."""
    size = gradient.flatten(1).abs().amax(1).view(-1, *[1] * (gradient.dim() - 1))  # (N, 1, …)
    largest = size.clamp_min(torch.finfo(gradient.dtype).tiny)
    moved = canvas.pictures(parameters + _TRIAL * gradient / largest) - painted
    size = moved.square().mean(dim=(1, 2, 3)).sqrt().div(_TRIAL)  # (N,)
    lengths = strength / size.clamp_min(1e-12) / largest.flatten()
    return lengths.clamp_max(torch.finfo(lengths.dtype).max).tolist()


class _Path:
    """The way of one picture. Everything is of the shape of its parameters, uphill."""

    def __init__(self, first: float) -> None:
        self._first = first  # length of the first move, in gradients
        self._moves: list[tuple[Tensor, Tensor, float]] = []  # each move, how the gradient fell along it, and their product
        self._place: Tensor | None = None
        self._gradient = self._direction = torch.zeros(())
        self._value = self._promise = self._length = 0.0
        self._scale = 1.0  # of the gradient, by the last move

    def __call__(self, here: Tensor, value: float, gradient: Tensor, last: bool) -> Tensor:
        """Where to look next, or on the last step the best place."""
        if self._place is not None and not value >= self._value + _GAIN * self._length * self._promise:  # NaN too gains nothing
            if last:
                return self._place
            self._shorten(value)
            return self._place + self._length * self._direction
        if self._place is not None:
            self._remember(here - self._place, self._gradient - gradient)
        self._place, self._value, self._gradient = here, value, gradient
        if last:
            return here
        self._direction = self._direction_of(gradient)
        self._promise, self._length = _dot(gradient, self._direction), 1.0
        return here + self._direction

    def _shorten(self, value: float) -> None:
        """To where a parabola through what is known has its top, within bounds."""
        short = self._value + self._length * self._promise - value
        top = self._promise * self._length**2 / (2 * short) if short > 0 else 0.0
        self._length = min(max(top, 0.1 * self._length), 0.5 * self._length)
        if self._length < _SHORTEST:
            self._moves.clear()
            self._direction, self._length = self._first * self._gradient, 1.0
            self._promise = _dot(self._gradient, self._direction)
            self._first /= 10

    def _remember(self, move: Tensor, fall: Tensor) -> None:
        product, square = _dot(move, fall), _dot(fall, fall)
        if product > 1e-10 * square:
            self._moves = [*self._moves[1 - _MEMORY :], (move, fall, product)]
            self._scale = product / square

    def _direction_of(self, gradient: Tensor) -> Tensor:
        """The gradient in the measure of the moves so far: the two loops of L-BFGS."""
        if not self._moves:
            return self._first * gradient
        direction, shares = gradient.clone(memory_format=torch.contiguous_format), []
        for move, fall, product in reversed(self._moves):
            shares.append(_dot(move, direction) / product)
            direction.add_(fall, alpha=-shares[-1])
        direction.mul_(self._scale)
        for (move, fall, product), share in zip(self._moves, reversed(shares), strict=True):
            direction.add_(move, alpha=share - _dot(fall, direction) / product)
        return direction


def _dot(one: Tensor, other: Tensor) -> float:
    return float(torch.dot(one.reshape(-1), other.reshape(-1)))

"""The canvases: Fourier coefficients, and phases alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage import data
from tests.helpers.climbing import drawn
from torch import Tensor

from reverie.canvas import LightTone, Pixels, Tone
from reverie.canvas.colour import together
from reverie.canvas.fourier import OFF, Fourier
from reverie.canvas.maco import Phase, hard, soft
from reverie.canvas.natural_statistics import SPECTRUM, coloured, root
from reverie.pictures import LIGHT, MEAN, SPREAD, frequencies, resize

Make = Callable[[Tensor], Fourier | Phase]
each_vivid = pytest.mark.parametrize("vivid", [0, 0.5, 1])
each_canvas = pytest.mark.parametrize("make", [lambda x: Fourier.of(x, 1, 0.2), lambda x: Phase.of(x, 0.2)], ids=["Fourier", "Phase"])


def cat(height: int, width: int) -> Tensor:
    """(1, 3, H, W)"""
    return resize(torch.tensor(data.chelsea()).permute(2, 0, 1)[None].float() / 255, height, width)


def ripples(height: int, width: int) -> Tensor:
    """(1, 3, H, W): waves that go on over the edges, unlike their mirror images, the same at every size."""
    y, x = (torch.arange(height) + 0.5)[:, None] / height, (torch.arange(width) + 0.5) / width
    turns = [(1, 2, 0.3), (-2, 1, 1.1), (0, 3, 2.0)]
    return torch.stack([0.5 + 0.3 * torch.sin(2 * math.pi * (a * y + b * x) + c) for a, b, c in turns])[None]


def painted(canvas: Fourier | Phase) -> Tensor:
    return canvas.pictures(canvas.parameters)


def step(canvas: Fourier | Phase, size: float = 0.1) -> Tensor:
    """The parameters after one step, each by its gradient's sign, for the contrast against a fixed pattern."""
    parameters = canvas.parameters.clone().requires_grad_(True)
    pattern = torch.randn(3, *canvas.size, generator=drawn(5))
    torch.autograd.backward((canvas.pictures(parameters) * pattern).sum())
    assert parameters.grad is not None and parameters.grad.isfinite().all()
    return canvas.parameters + size * parameters.grad.sign()


@each_vivid
@pytest.mark.parametrize("power", [0, 1, 1.5])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 5), (64, 64), (37, 52), (52, 37), (33, 45)])
def test_the_fourier_canvas_paints_the_picture_that_it_was_made_of(size: tuple[int, int], power: float, vivid: float) -> None:
    some = torch.rand(2, 3, *size, generator=drawn(0))
    black = torch.zeros(1, 3, *size)
    checks = (torch.arange(size[0])[:, None] + torch.arange(size[1])).remainder(2).expand(1, 3, *size).float()
    pictures = torch.cat([some, some.round(), black, 1 - black, checks])
    canvas = Fourier.of(pictures, power, vivid)
    assert canvas.parameters.shape == (7, 3, size[0], size[1] // 2 + 1, 2)
    assert canvas.parameters.dtype == torch.float32 and not canvas.parameters.requires_grad
    assert canvas.size == size
    assert (painted(canvas) - pictures).abs().max() < 1e-5


@each_vivid
def test_colours_decorrelate_and_come_back(vivid: float) -> None:
    matrix = root(vivid)
    assert (matrix - matrix.T).abs().max() < 1e-12
    assert (matrix @ matrix.T - together(vivid)).abs().max() < 1e-6
    colours = torch.rand(1, 3, 20, 20, generator=drawn(1)) * 24 - 12  # as far as black and white reach
    back = coloured(coloured(colours, torch.linalg.inv(matrix).float()), matrix.float())
    assert (back - colours).abs().max() < 1e-5


@pytest.mark.parametrize("power", [0.7, 1, 1.5])
def test_a_draw_of_equal_parameters_has_a_spectrum_of_one_over_f_to_the_power(power: float) -> None:
    canvas = Fourier.of(torch.full((1, 3, 256, 192), 0.5), power, 0)
    draw = torch.randn(canvas.parameters.shape, generator=drawn(2))
    planes = coloured(canvas.pictures(draw).double().logit(), torch.linalg.inv(root(0)))  # (1, 3, H, W)
    amplitude = torch.fft.rfft2(planes)[0].abs().log().mean(0)  # (H, W//2+1)
    wave = frequencies(256, 192)
    kept = (wave > 0.02) & (wave < 0.5)
    slope = np.polyfit(wave[kept].log(), amplitude[kept], 1)[0]
    assert slope == pytest.approx(-power, abs=0.1)


@pytest.mark.parametrize("power", [0.7, 1, 1.5])
@pytest.mark.parametrize("size", [(32, 32), (45, 63), (320, 200)])
def test_a_step_of_every_parameter_is_as_large_at_any_size(size: tuple[int, int], power: float) -> None:
    canvas = Fourier.of(torch.full((12, 3, *size), 0.5), power, 1)
    signs = torch.randn(canvas.parameters.shape, generator=drawn(3)).sign()
    planes = canvas.pictures(signs).double().logit()
    assert planes.square().mean().sqrt() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("larger", [(64, 90), (65, 91), (71, 121), (37, 52)])
@pytest.mark.parametrize("size", [(36, 50), (37, 51), (1, 2)])
def test_enlarged_and_made_small_again_it_is_the_same_picture(size: tuple[int, int], larger: tuple[int, int]) -> None:
    for pictures in (torch.rand(2, 3, *size, generator=drawn(4)), ripples(*size)):
        back = Fourier.of(pictures, 1, 0).resized(*larger).resized(*size)
        assert back.size == size
        assert (painted(back) - pictures).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(72, 100), (73, 101), (144, 150), (40, 49), (48, 64)])
def test_at_another_size_it_looks_as_it_did(size: tuple[int, int]) -> None:
    canvas = Fourier.of(ripples(48, 64), 1, 0).resized(*size)
    assert (painted(canvas) - ripples(*size)).abs().max() < 2e-3  # a shift by a tenth of a pixel is seven times as much
    photograph = Fourier.of(cat(60, 90), 1, 0).resized(*size)
    apart = (painted(photograph) - resize(cat(60, 90), *size)).abs()
    assert apart[..., 6:-6, 6:-6].mean() < 0.015  # waves cannot end at the edges of a photograph


def test_made_smaller_it_has_just_the_waves_that_fit() -> None:
    def basis(old: int, new: int) -> Tensor:  # (new, old): every old wave that fits, at the new pixels
        cycles = torch.fft.fftfreq(old, 1 / old, dtype=torch.float64)
        place = (torch.arange(new) + 0.5)[:, None] / new - 0.5 / old
        waves: Tensor = torch.exp(2j * math.pi * cycles * place) * (cycles.abs() <= new / 2)
        return waves

    picture = torch.rand(1, 3, 9, 13, generator=drawn(4))
    waves = torch.fft.fft2(picture.double().logit(), norm="forward")
    expected = (basis(9, 6) @ waves @ basis(13, 8).T).real.sigmoid()
    assert (painted(Fourier.of(picture, 1, 1).resized(6, 8)) - expected).abs().max() < 1e-5


def test_black_and_white_keep_a_gradient() -> None:
    assert OFF < 1e-5
    canvas = Fourier.of(torch.rand(1, 3, 24, 25, generator=drawn(6)).round(), 1, 0)
    parameters = canvas.parameters.clone().requires_grad_(True)
    torch.autograd.backward((canvas.pictures(parameters) * torch.randn(3, 24, 25, generator=drawn(5))).sum())
    assert parameters.grad is not None
    assert (parameters.grad[:, :, :, 1:].abs() > 0).all()  # a wave that is its own mirror image has no imaginary part

    values = torch.linspace(-20, 20, 4001, dtype=torch.float64).requires_grad_(True)
    out = soft(values)
    (slope,) = torch.autograd.grad(out.sum(), values)
    assert (slope > 0).all() and out.min() > 0 and out.max() < 1
    single = torch.linspace(-3, 4, 701, requires_grad=True)
    assert (torch.autograd.grad(soft(single).sum(), single)[0] > 1e-5).all()
    inside = torch.linspace(0.01, 0.99, 99)
    assert (soft(hard(inside)) - inside).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(64, 64), (37, 52), (52, 37), (33, 45), (2, 2), (1, 6)])
def test_a_step_changes_the_phases_and_no_magnitude(size: tuple[int, int]) -> None:
    canvas = Phase.of(cat(*size), 0)
    assert canvas.parameters.shape == (1, 3, size[0], size[1] // 2 + 1)
    moved = canvas.moved(step(canvas, 0.3))
    uneven = canvas.moved(torch.rand(canvas.parameters.shape, generator=drawn(7)) * 20 - 10)  # phases no real numbers have
    for each in (canvas, moved, uneven):
        found = torch.fft.rfft2(each.signal(each.parameters).double(), norm="forward").abs()[0]
        held = canvas.magnitude.double()
        assert held[:, 0, 0].eq(0).all() and found[:, 0, 0].max() < 1e-6
        held[:, 0, 0] = found[:, 0, 0] = 1
        assert (found / held - 1).abs().max() < 1e-4
    if min(size) > 2:
        assert (painted(moved) - painted(canvas)).abs().mean() > 0.01


@pytest.mark.parametrize("size", [(200, 200), (150, 225), (61, 40)])
def test_magnitudes_are_those_of_photographs_at_every_size(size: tuple[int, int]) -> None:
    canvas = Phase.drawn(90, 90, 0, [drawn(8)]).resized(*size, [drawn(9)])
    assert canvas.size == size
    planes = canvas.signal(canvas.parameters)
    found = torch.fft.rfft2(planes)[0].abs().double().numpy()  # (3, H, W//2+1)
    wave = (frequencies(*size) * max(size)).double().numpy()
    known, *table = np.log(np.array(SPECTRUM)).T
    inside = (wave > 0.99) & (wave <= 128)
    gains = np.stack([found[i][inside] / np.exp(np.interp(np.log(wave[inside]), known, table[i])) for i in range(3)])
    assert gains.max() / gains.min() < 1.001
    if max(size) > 182:
        slope = np.polyfit(np.log(wave[wave > 128]), np.log(found[0][wave > 128]), 1)[0]
        assert slope == pytest.approx((table[0][-1] - table[0][-2]) / (known[-1] - known[-2]), abs=0.01)
    assert painted(canvas).mean() == pytest.approx(MEAN, abs=0.03)


@each_vivid
@pytest.mark.parametrize("size", [(48, 48), (40, 61), (90, 120)])
def test_light_has_the_spread_of_photographs(size: tuple[int, int], vivid: float) -> None:
    canvas = Phase.drawn(*size, vivid, [drawn(seed) for seed in range(100)])
    light = torch.einsum("j,njhw->nhw", torch.tensor(LIGHT), coloured(canvas.signal(canvas.parameters), canvas.colours))
    # over many: a few long waves hold most of the light, and in one picture those of the three colours may meet or cancel
    assert light.square().mean().sqrt() == pytest.approx(SPREAD, rel=0.05)


def test_at_another_size_phases_stay_and_new_ones_are_drawn() -> None:
    small = Phase.of(cat(48, 64), 0)
    large = small.resized(96, 130, [drawn(1)])
    again = small.resized(96, 130, [drawn(1)])
    other = small.resized(96, 130, [drawn(2)])
    assert torch.equal(large.parameters, again.parameters) and not torch.equal(large.parameters, other.parameters)
    apart = resize(painted(large), 48, 64) - painted(small)
    assert apart.std() < 0.15 * painted(small).std()  # new waves take their share of the light
    back = large.resized(48, 64, [drawn(3)])
    held = (slice(None), slice(None), slice(0, 24), slice(1, 32))  # the waves that neither size mirrors
    turned = (back.parameters - small.parameters)[held].double()
    assert (turned.cos() - 1).abs().max() < 1e-6


def test_new_phases_favour_no_place() -> None:
    canvas = Phase.drawn(32, 32, 0, [drawn(seed) for seed in range(200)])
    light = canvas.signal(canvas.parameters).mean(1)  # (200, 32, 32)
    rows = light.mean(2).square().mean(0)  # (32): would be largest at the top and at the bottom if phases were alike
    assert rows.max() / rows.mean() < 1.6


def test_what_a_phase_canvas_painted_comes_back() -> None:
    canvas = Phase.drawn(40, 51, 0, [drawn(3)])
    picture = painted(canvas)
    assert picture.min() > 1 / 255 and picture.max() < 1 - 1 / 255
    assert (painted(Phase.of(picture, 0)) - picture).abs().max() < 1e-4


@each_canvas
def test_three_pictures_are_painted_as_each_alone(make: Make) -> None:
    pictures = torch.cat([cat(30, 41), torch.rand(1, 3, 30, 41, generator=drawn(1)), ripples(30, 41)])
    batch = make(pictures)
    larger = batch.resized(45, 60, [drawn(seed) for seed in (1, 2, 3)])
    stepped = step(batch)
    for number in range(3):
        alone = make(pictures[number : number + 1])
        assert (painted(alone) - painted(batch)[number]).abs().max() < 1e-5
        apart = alone.pictures(step(alone)) - batch.pictures(stepped)[number]
        assert apart.abs().mean() < 1e-4  # a sign may turn where a gradient is nearly zero
        assert (painted(alone.resized(45, 60, [drawn(number + 1)])) - painted(larger)[number]).abs().max() < 1e-5


@each_canvas
def test_a_moved_canvas_leaves_the_first_as_it_was(make: Make) -> None:
    canvas = make(cat(20, 30))
    before = canvas.parameters.clone()
    other = canvas.moved(canvas.parameters + 1)
    assert torch.equal(canvas.parameters, before) and torch.equal(other.parameters, before + 1)
    assert other.size == canvas.size and torch.equal(painted(other), canvas.pictures(before + 1))


def test_what_holds_tensors_says_what_it_is_without_their_numbers() -> None:
    some = torch.rand(2, 3, 8, 8)
    for each in (Pixels(some), Tone.of(some), LightTone.of(some), Fourier.of(some, 1.0, 0.1), Phase.of(some, 0.1)):
        assert "tensor" not in repr(each)

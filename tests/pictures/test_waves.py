"""Waves of pictures, and means taken band by band."""

from __future__ import annotations

import pytest
import torch

from reverie.pictures import averaged, disk_backed, irfft2, mean_square, rfft2, spectral_noise


@pytest.mark.parametrize("norm", ["backward", "forward"])
@pytest.mark.parametrize(("size", "padded"), [((9, 12), (9, 12)), ((9, 11), (10, 12)), ((8, 7), (8, 7)), ((1, 1), (1, 1))])
def test_waves_are_those_of_torch_on_small_pictures_and_large(
    size: tuple[int, int], padded: tuple[int, int], norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = torch.randn(2, 3, *size)
    wanted = torch.fft.rfft2(some, s=padded, norm=norm)
    back = torch.fft.irfft2(wanted, s=padded, norm=norm)
    for small in (spectral_noise._SMALL, 0):
        monkeypatch.setattr(spectral_noise, "_SMALL", small)
        assert torch.allclose(rfft2(some, padded, norm), wanted, atol=1e-4)
        assert torch.allclose(irfft2(wanted, padded, norm), back, atol=1e-4)


def test_band_by_band_the_mean_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    some = torch.randn(2, 3, 29, 10)
    monkeypatch.setattr(disk_backed, "BAND", 100)  # bands of eight rows, and five at the end
    asked = []

    def measure(part: torch.Tensor) -> torch.Tensor:
        asked.append(part.shape[2])
        return mean_square(part)

    found = averaged(measure, some)
    assert asked == [8, 8, 8, 5]
    assert torch.allclose(found, some.double().square().mean((2, 3), keepdim=True).float(), rtol=1e-5)

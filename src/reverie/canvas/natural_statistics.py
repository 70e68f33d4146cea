"""What photographs are made of: how light is spread over their waves, and along which colours it changes.

Measured by `bench/spectrum.py` on the photographs astronaut, chelsea, coffee and rocket of scikit-image (public domain or CC0) and china
and flower of scikit-learn (CC BY). Amplitude falls with the wave number k about as 1/k (Field 1987), over the middle waves more steeply.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reverie.canvas.colour import together

EXPONENT = 2.56  # the power of light falls as 1/k^2.56 from 4 to 64 cycles per picture; 1.98 to 2.93 in single photographs

# cycles per picture along its longer side, and the amplitude of each decorrelated colour there (geometric mean 1 at the start)
SPECTRUM = (
    (1, 1.254, 1.027, 0.7764),
    (1.235, 1.152, 0.9126, 0.7072),
    (1.525, 1.149, 0.8675, 0.713),
    (1.883, 1.043, 0.7694, 0.653),
    (2.325, 0.8516, 0.6211, 0.5285),
    (2.871, 0.663, 0.4834, 0.4129),
    (3.546, 0.4906, 0.3703, 0.3166),
    (4.378, 0.3559, 0.2787, 0.2408),
    (5.407, 0.2701, 0.2138, 0.1839),
    (6.677, 0.2136, 0.1684, 0.147),
    (8.245, 0.1638, 0.1313, 0.117),
    (10.18, 0.1238, 0.1019, 0.09131),
    (12.57, 0.09492, 0.07941, 0.0723),
    (15.53, 0.0716, 0.06103, 0.05684),
    (19.17, 0.05311, 0.04561, 0.04403),
    (23.67, 0.04011, 0.0346, 0.03287),
    (29.23, 0.02963, 0.02691, 0.02371),
    (36.1, 0.02132, 0.02063, 0.01749),
    (44.58, 0.01569, 0.01568, 0.01334),
    (55.05, 0.01198, 0.01229, 0.01014),
    (67.98, 0.009347, 0.01002, 0.007759),
    (83.94, 0.00731, 0.008147, 0.006003),
    (103.7, 0.005589, 0.006392, 0.004674),
    (128, 0.004159, 0.004814, 0.003666),
)


def root(vivid: float, channels: int = 3) -> Tensor:
    """(C, C) float64: the symmetric L with L @ L = `together(vivid, channels)`. It takes decorrelated colours to such as go together.

    Worst conditioned at `vivid` 0, where its singular values are 1.66, 0.46 and 0.22: L and its inverse cost less than a digit.
    """
    values, vectors = torch.linalg.eigh(together(vivid, channels).double())
    square_root: Tensor = (vectors * values.sqrt()) @ vectors.T
    return square_root


def coloured(planes: Tensor, matrix: Tensor) -> Tensor:
    """(N, C, H, W) → the same shape, every pixel's values multiplied by the (C, C) `matrix`."""
    return torch.einsum("ij,njhw->nihw", matrix, planes)


def amplitudes(wave: Tensor) -> Tensor:
    """(...) wave numbers in cycles per picture → (3, ...) amplitudes; none at 0, beyond the table along its last slope."""
    known, *heights = torch.tensor(SPECTRUM, dtype=torch.float64).log().T.contiguous()  # (K) each
    height = torch.stack(heights)  # (3, K)
    x = wave.double().clamp_min(1).log()  # the table begins at 1, and no wave lies between that and 0
    left = (torch.searchsorted(known, x) - 1).clamp(0, len(known) - 2)
    part = (x - known[left]) / (known[left + 1] - known[left])
    found = torch.lerp(height[:, left], height[:, left + 1], part.expand(3, *part.shape)).exp()
    return torch.where(wave > 0, found, 0.0).float()

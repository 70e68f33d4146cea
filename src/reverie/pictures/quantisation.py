"""Float pictures ↔ the whole numbers that files hold."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie.pictures.disk_backed import banded, bands, room


def quantise(pixels: Tensor, bits: int = 8) -> np.ndarray[Any, Any]:
    """(C, H, W) in 0..1 → (H, W, C) uint8 or uint16."""
    most = 2**bits - 1
    channels, height, width = pixels.shape
    result = np.empty((height, width, channels), np.uint8 if bits == 8 else np.uint16)
    for rows in bands(height, width):
        result[rows] = pixels[:, rows].clamp(0, 1).mul_(most).round_().permute(1, 2, 0).numpy()  # (h, W, C)
    return result


def rounded(pixels: Tensor) -> Tensor:
    """(C, H, W) in 0..1 as a file of 8 bits has it: the same shape."""
    return banded(lambda band: band.clamp(0, 1).mul_(255).round_().div_(255), pixels)


def as_float(values: np.ndarray[Any, Any], white: int) -> Tensor:
    """(H, W, C) of numbers from 0 to `white` → (C, H, W) in 0..1."""
    result = room(values.shape[2], *values.shape[:2])
    for rows in bands(*values.shape[:2]):
        result[:, rows] = torch.from_numpy(values[rows].astype(np.float32) / white).permute(2, 0, 1)
    return result


def as_npy(pixels: Tensor) -> bytes:
    """The .npy file of a picture: float32 (C, H, W)."""
    buffer = io.BytesIO()
    np.save(buffer, pixels.detach().float().cpu().numpy(), allow_pickle=False)
    return buffer.getvalue()

"""Pictures on their way to a page: small JPEG files."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from torch import Tensor

from reverie.pictures import in_colours, quantise, resize

QUALITY = 82


def fitted(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) with no side longer than that, the shape kept."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def jpeg(pixels: Tensor, longest: int) -> bytes:
    """(C, H, W) in 0..1 → a JPEG file, no side longer than `longest` pixels."""
    size = fitted(pixels.shape[1], pixels.shape[2], longest)
    shown = in_colours(pixels.detach().float().cpu(), ())  # (3, H, W)
    shown = shown if size == tuple(shown.shape[1:]) else resize(shown, *size)
    out = BytesIO()
    Image.fromarray(quantise(shown)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()

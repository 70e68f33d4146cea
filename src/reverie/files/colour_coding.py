"""Colours told by numbers instead of a profile: what a curve and primaries mean, and how such colours become sRGB. Takes numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8 | np.uint16]
Numbers = npt.NDArray[np.float32]
Chromaticities = tuple[float, float, float, float, float, float, float, float]  # x, y of white, red, green, blue

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
SRGB: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),  # NTSC of 1953
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.601, 625 lines
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),  # BT.601, 525 lines
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),  # film
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),  # XYZ
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI-P3
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
ADOBE: Chromaticities = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
"""Of Adobe RGB, whose curve is a power of 563/256."""

BT2020, UNSPECIFIED = 9, 2
LINEAR, PQ, CINEMA, HLG = 8, 16, 17, 18  # of H.273, as the primaries above
_POWERS = {5: 2.8, LINEAR: 1.0, CINEMA: 2.6}
_AS_SRGB = (1, UNSPECIFIED, 4, 6, 7, 11, 12, 13, 14, 15)  # the curve of a camera's video is shown as if it were sRGB's, by all players

_WHITE = 203  # nits of white on paper in HDR (BT.2408)
_HLG_WHITE = 0.265  # the same as HLG's light: 75 % of its signal. Of a screen of 300 nits or so the system's gamma is 1 (BT.2100, note 5f)
_KNEE = 0.75  # what is darker keeps its light
_BRIGHTEST = 1000 / _WHITE  # where nothing is known: what such films are graded on
_BAND = 1 << 20  # pixels converted at a time


@dataclass(frozen=True)
class Coding:
    """How colours are coded: the curve from a signal to light, and the primaries.

    Attributes:
        primaries: in CIE 1931.
        power: of the curve; None for sRGB's own, or what `hdr` says.
        hdr: "PQ", "HLG" or None.
        narrow: levels go from 16 to 235 (at 8 bits).
        peak: the brightest light of HDR that shall be told from its neighbours, where white is 1.
    """

    primaries: Chromaticities = SRGB
    power: float | None = None
    hdr: str | None = None
    narrow: bool = False
    peak: float = _BRIGHTEST

    @property
    def is_srgb(self) -> bool:
        """Whether nothing has to be done, to within what cannot be seen."""
        near = all(abs(one - other) < 0.002 for one, other in zip(self.primaries, SRGB, strict=True))
        return near and self.power is None and self.hdr is None and not self.narrow

    @property
    def note(self) -> str | None:
        """What should be said of it."""
        return None if self.hdr is None else f"its light is coded for HDR screens ({self.hdr}); it was brought to that of ordinary ones"

    def for_picture(self, levels: Levels) -> Coding:
        """With the peak of these levels (…, 3), some of a picture: one without highlights loses no light to them."""
        if self.hdr is None:
            return self
        brightest = np.percentile(levels.reshape(-1, levels.shape[-1]).max(-1), 99.9, method="higher")
        light = float(self._light(np.array([brightest / _most(levels)], np.float32))[0])
        return replace(self, peak=max(1.0, light))

    def to_srgb(self, levels: Levels) -> Levels:
        """(…, 3) in this coding → the same in sRGB."""
        flat = levels.reshape(-1, 3)
        out = np.empty_like(flat)
        most = _most(levels)
        curve = self._light((np.arange(most + 1) / most).astype(np.float32))
        for top in range(0, len(flat), _BAND):
            light = self._seen(curve[flat[top : top + _BAND]])
            out[top : top + _BAND] = _encoder(most)[np.rint(light * 65535).astype(np.uint16)]
        return out.reshape(levels.shape)

    def table(self, steps: int) -> npt.NDArray[np.uint16]:
        """(steps³, 3): what `to_srgb` makes of a grid of colours, red running fastest, 0..65535."""
        axis = np.rint(np.linspace(0, 65535, steps)).astype(np.uint16)
        blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
        return self.to_srgb(np.stack([red, green, blue], -1).reshape(-1, 3)).astype(np.uint16)

    def _light(self, signal: Numbers) -> Numbers:
        """The curve: 0..1 → light, where white is 1."""
        e = signal.astype(np.float64)
        if self.narrow:
            e = ((e * 255 - 16) / 219).clip(0, 1)
        if self.hdr == "PQ":
            root = e ** (32 / 2523)
            light = (np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (8192 / 1305) * (10000 / _WHITE)
        elif self.hdr == "HLG":
            light = np.where(e <= 0.5, e * e / 3, (np.exp((e - 0.55991073) / 0.17883277) + 0.28466892) / 12) / _HLG_WHITE
        elif self.power is not None:
            light = e**self.power * (52.37 / 48 if self.power == _POWERS[CINEMA] else 1)
        else:
            light = np.where(e <= 0.04045, e / 12.92, ((e + 0.055) / 1.055) ** 2.4)
        return light.astype(np.float32)

    def _seen(self, light: Numbers) -> Numbers:
        """(N, 3) of light → the same in sRGB's primaries, in 0..1."""
        if self.hdr is not None:
            light = light * _rolled_off(light.max(-1, keepdims=True), self.peak)
        return (light @ _to_srgb_primaries(self.primaries).T).clip(0, 1)


def coded(primaries: int, transfer: int, *, narrow: bool = False) -> Coding | None:
    """What two numbers of H.273 (as in cICP, nclx and films) mean; None where they mean nothing that is known."""
    hdr = {PQ: "PQ", HLG: "HLG"}.get(transfer)
    if hdr is None and transfer not in _POWERS and transfer not in _AS_SRGB:
        return None
    if primaries == UNSPECIFIED:
        primaries = BT2020 if hdr else 1
    if primaries not in _PRIMARIES:
        return None
    return Coding(_PRIMARIES[primaries], _POWERS.get(transfer), hdr, narrow)


def _rolled_off(light: Numbers, peak: float) -> Numbers:
    """What each light is multiplied by: up to the knee by 1, above it ever less, so that the peak comes to 1, without a corner."""
    if peak <= 1:
        return np.ones_like(light)
    over = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    widest = (peak - _KNEE) / (1 - _KNEE)
    rolled = _KNEE + (1 - _KNEE) * over * (1 + over / widest**2) / (1 + over)
    return np.where(over > 0, np.minimum(rolled, 1) / np.maximum(light, _KNEE), np.float32(1)).astype(np.float32)


def _most(levels: Levels) -> int:
    return int(np.iinfo(levels.dtype).max)


@cache
def _encoder(most: int) -> Levels:
    """(65536,): light → a level of sRGB, of 8 or 16 bits."""
    light = np.arange(65536) / 65535
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: Levels = np.rint(signal * most).astype(np.uint8 if most == 255 else np.uint16)
    return levels


@cache
def _to_srgb_primaries(primaries: Chromaticities) -> Numbers:
    """(3, 3): light in these primaries → in sRGB's, its white becoming ours (Bradford)."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    here, there = (bradford @ _xyz(*each[:2]) for each in (primaries, SRGB))
    adapted = np.linalg.inv(bradford) @ np.diag(there / here) @ bradford
    matrix: Numbers = (np.linalg.inv(_to_xyz(SRGB)) @ adapted @ _to_xyz(primaries)).astype(np.float32)
    return matrix


def _to_xyz(primaries: Chromaticities) -> npt.NDArray[np.float64]:
    white, *ends = (_xyz(*primaries[at : at + 2]) for at in range(0, 8, 2))
    columns = np.stack(ends, -1)  # (3, 3)
    return columns * np.linalg.solve(columns, white)


def _xyz(x: float, y: float) -> npt.NDArray[np.float64]:
    """Of luminance 1; where y is 0, of sum 1."""
    return np.array([x / y, 1, (1 - x - y) / y]) if y else np.array([x, 0, 1 - x])


def usable(primaries: Chromaticities) -> bool:
    """Whether colours can be made of them."""
    white, *ends = (np.array([*primaries[at : at + 2], 1]) for at in range(0, 8, 2))
    inside = 0.2 < primaries[0] < 0.5 and 0.2 < primaries[1] < 0.5 and all(0 <= each <= 1 for each in primaries)
    return inside and abs(float(np.linalg.det(np.stack(ends)))) > 0.02 and bool((np.linalg.solve(np.stack(ends).T, white) > 0).all())

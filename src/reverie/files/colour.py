"""Embedded colour profiles → sRGB. A profile that is broken or does not fit the picture is ignored."""

from __future__ import annotations

import functools
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from reverie.files.input_files import PILLOW_FAULTS

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_MODES = {"RGB": ("RGB",), "GRAY": ("L", "1"), "CMYK": ("CMYK",), "LAB": ("LAB",)}  # a profile's colour space: modes it may describe


@functools.cache
def srgb_profile() -> bytes:
    """The sRGB profile that our files carry: the same bytes in every run."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes.fromhex("07d0 0001 0001 0000 0000 0000")  # little-cms writes the time of day here: 1 January 2000
    profile[84:100] = bytes(16)  # the checksum of the profile, optional, would cover that time
    return bytes(profile)


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """`image` in mode RGB and sRGB.

    Args:
        image: of any mode without alpha or palette, with at most 8 bits a channel.
        profile: the bytes of its ICC profile; anything else, or bytes that make no sense for it, means none: then RGB and grey
            are taken to be sRGB, CMYK to be plain inks, LAB to be CIELAB (D50).

    Pixels under a profile that is sRGB to within one level are left as they are, so that they survive unrounded.
    """
    if image.mode == "LAB":
        return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if isinstance(profile, bytes) and profile and profile != srgb_profile():
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            if space == "RGB" and image.mode != "CMYK":
                image = image.convert("RGB")
            elif space == "GRAY" and image.mode == "1":
                image = image.convert("L")
            if image.mode in _MODES.get(space, ()) and not _is_srgb(source, image.mode):
                return _through(image, source)
        except (ImageCms.PyCMSError, *PILLOW_FAULTS):
            pass  # many cameras and programs write bad profiles; the picture is better shown without than not at all
    return image.convert("RGB")


def grey_curve(profile: object) -> npt.NDArray[np.float64] | None:
    """What a grey profile makes of the 256 levels of grey, in sRGB levels 0..255, or None where there is nothing to do."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    curve = np.asarray(to_srgb(ramp, profile), dtype=np.float64)[0, :, 1]  # (256,)
    return None if np.array_equal(curve, np.arange(256)) else curve


def _is_srgb(source: ImageCms.ImageCmsProfile, mode: str) -> bool:
    if mode not in ("RGB", "L"):
        return False
    if mode == "L":
        probe = Image.frombytes("L", (256, 1), bytes(range(256)))
    else:
        levels = np.linspace(0, 255, 16).round().astype(np.uint8)
        probe = Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(64, 64, 3))  # every 17th level of each
    converted = np.asarray(_through(probe, source), dtype=np.int16)
    return int(np.abs(converted - np.asarray(probe.convert("RGB"), dtype=np.int16)).max()) <= 1


def _through(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, ImageCms.ImageCmsProfile(target), image.mode, "RGB", _INTENT, _FLAGS)
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only an in-place transform returns None
    return converted

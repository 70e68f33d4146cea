"""Colours as a file tells them → sRGB: by an embedded profile, by numbers, or by what a camera wrote. What is broken is ignored."""

from __future__ import annotations

import functools
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from reverie.files.colour_coding import ADOBE, HLG, PQ, Coding, coded
from reverie.files.heif_boxes import coding_of
from reverie.files.input_files import PILLOW_FAULTS
from reverie.files.png_reading import Told

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


def told_by(image: Image.Image, kind: str, content: bytes) -> Told:
    """How a file that is no PNG tells its colours: numbers of HDR before a profile, which cannot tell that, and a profile before others."""
    numbers = coding_of(content) if kind in ("HEIF", "AVIF") else None
    profile = image.info.get("icc_profile")
    profile = profile if isinstance(profile, bytes) and profile else None
    if numbers is not None and (numbers.hdr or profile is None):
        return numbers
    return profile if profile is not None else _by_camera(image)


def as_chunks(image: Image.Image) -> PngImagePlugin.PngInfo:
    """What an image of Pillow's knows of its colours beside a profile, as a PNG of it carries that."""
    chunks, known = PngImagePlugin.PngInfo(), image.info
    if nclx := known.get("nclx_profile"):
        chunks.add(b"cICP", bytes([nclx["color_primaries"], nclx["transfer_characteristics"], 0, 1]))
    if "srgb" not in known and isinstance(known.get("gamma"), float):
        chunks.add(b"gAMA", round(known["gamma"] * 100_000).to_bytes(4, "big"))
    if "srgb" not in known and len(known.get("chromaticity", ())) == 8:
        chunks.add(b"cHRM", b"".join(round(each * 100_000).to_bytes(4, "big") for each in known["chromaticity"]))
    return chunks


def hdr_in(told: Told) -> Told:
    """The same; of a profile that also tells numbers of HDR (ICC 4.4, the tag cicp), for those who know them, the numbers."""
    if isinstance(told, bytes) and len(told) > 132:
        for at in range(132, min(132 + 12 * int.from_bytes(told[128:132], "big"), 4096, len(told)), 12):
            if told[at : at + 4] == b"cicp":
                begin = int.from_bytes(told[at + 4 : at + 8], "big")
                numbers = told[begin + 8 : begin + 12]
                if len(numbers) == 4 and numbers[1] in (PQ, HLG):
                    return coded(numbers[0], numbers[1]) or told
    return told


def _by_camera(image: Image.Image) -> Coding | None:
    """Cameras set to Adobe RGB write no profile, but so in their EXIF (DCF 2.0)."""
    try:
        uncalibrated = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace) == 0xFFFF
        if uncalibrated and str(image.getexif().get_ifd(ExifTags.IFD.Interop).get(1, "")).startswith("R03"):
            return Coding(ADOBE, 563 / 256)
    except PILLOW_FAULTS:
        return None
    return None


def to_srgb(image: Image.Image, told: Told) -> Image.Image:
    """`image` in mode RGB and sRGB.

    Args:
        image: of any mode without alpha or palette, with at most 8 bits a channel.
        told: the bytes of its ICC profile, or its coding; None, or bytes that make no sense for it, means neither: then RGB and grey
            are taken to be sRGB, CMYK to be plain inks, LAB to be CIELAB (D50).

    Pixels under a profile that is sRGB to within one level are left as they are, so that they survive unrounded.
    """
    if image.mode == "LAB":
        return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if isinstance(told, Coding):
        return Image.fromarray(told.to_srgb(np.array(image.convert("RGB"))))
    if told and told != srgb_profile():
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(told))
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


def grey_curve(told: Told) -> npt.NDArray[np.uint16] | None:
    """(65536,): what becomes of each level of grey in sRGB, or None where there is nothing to do."""
    if isinstance(told, Coding):
        greys = np.arange(65536, dtype=np.uint16)
        return told.to_srgb(np.repeat(greys[:, None], 3, -1))[:, 1].astype(np.uint16)
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    curve = np.asarray(to_srgb(ramp, told), dtype=np.float64)[0, :, 1]  # (256,)
    if np.array_equal(curve, np.arange(256)):
        return None
    return (np.interp(np.arange(65536) / 257, np.arange(256), curve) * 257).round().astype(np.uint16)


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

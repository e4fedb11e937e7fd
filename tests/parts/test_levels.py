"""One black and white for all pictures of a run: bits in use, bands, hot pixels, deep colours, and what is said."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.modalities.base import modality_of
from mmdmad.parts import content_key, read
from mmdmad.parts.image import deep_range
from mmdmad.parts.levels import Levels, common_levels


def scene(top: float, kind: str, seed: int = 0) -> np.ndarray:
    """Grey between a tenth and nine tenths of `top`."""
    waves = np.sin(np.arange(24)[:, None] / 3 + seed) * np.cos(np.arange(32)[None] / 4)
    return (top * (0.5 + 0.4 * waves)).astype(kind)


def levels_of(*pictures: np.ndarray) -> Levels:
    found = [deep_range(Part("image", value=one)) for one in pictures]
    made = common_levels(one for one in found if one is not None)
    assert made is not None
    return made


def shown(picture: object, levels: Levels | None):
    return read(Part("image", value=picture, levels=levels))


@pytest.mark.parametrize(("top", "white"), [(255, 255), (1023, 1023), (4095, 4095), (16383, 16383), (65535, 65535)])
def test_the_bits_in_use_decide_the_white_of_all_pictures(top: int, white: float) -> None:
    some = [scene(top, "uint16", seed) for seed in range(4)]
    levels = levels_of(*some)
    assert (levels.black, levels.white) == (0, white)
    for one in some:
        expected = np.rint(one / white * 255)
        np.testing.assert_array_equal(shown(one, levels).pixels[..., 0], expected)
        assert shown(one, levels).notes == ()


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_a_hot_pixel_takes_no_grey_level_from_the_others_and_is_said(kind: str) -> None:
    some = [scene(4095, kind, seed) for seed in range(4)]
    some[1][5, 5] = 65535
    levels = levels_of(*some)
    assert (levels.black, levels.white) == (0, 4095)
    seen = shown(some[1], levels)
    assert seen.pixels[5, 5, 0] == 255
    assert np.ptp(np.delete(seen.pixels[..., 0], 5, axis=0)) > 150
    assert seen.notes == (
        "1 of its numbers (0.13 %) lie above the white of the pictures learned from, 4095, up to 65535; "
        "they are taken as that",
    )


@pytest.mark.parametrize(("offset", "width", "kind"), [(28000, 3000, "uint16"), (-20.0, 40.0, "float32")])
def test_a_thermal_band_keeps_its_grey_levels(offset: float, width: float, kind: str) -> None:
    some = [(offset + scene(width, "float64", seed)).astype(kind) for seed in range(4)]
    pixels = [shown(one, levels_of(*some)).pixels[..., 0].astype(int) for one in some]
    assert all(np.ptp(one) > 70 for one in pixels)  # of 255; divided by 65535, 3000 would be 11
    assert all(one.min() > 60 and one.max() < 195 for one in pixels)  # what is colder or warmer has room
    warmer = some[0].copy()
    warmer[:4, :4] += np.asarray(width, kind)
    assert shown(warmer, levels_of(*some)).pixels[:4, :4].mean() > pixels[0][:4, :4].mean() + 60


def test_one_picture_in_twenty_does_not_decide() -> None:
    some = [(28000 + scene(3000, "float64", seed)).astype("uint16") for seed in range(40)]
    usual = levels_of(*some)
    some[7] = np.zeros_like(some[7])
    some[8] = np.full_like(some[8], 65535)
    odd = levels_of(*some)
    assert (odd.black, odd.white) == pytest.approx((usual.black, usual.white), rel=0.02)


def test_bytes_are_left_as_they_are_and_another_depth_is_said(tmp_path: Path) -> None:
    plain, deep = scene(255, "uint8"), scene(65535, "uint16")
    eight, sixteen = levels_of(plain, plain), levels_of(deep)
    np.testing.assert_array_equal(shown(plain, eight).pixels, shown(plain, None).pixels)
    np.testing.assert_array_equal(shown(plain, sixteen).pixels, shown(plain, None).pixels)
    np.testing.assert_array_equal(shown(deep, eight).pixels, shown(deep, None).pixels)
    assert shown(plain, eight).notes == ()
    assert shown(plain, sixteen).notes == ("its pixels are 8-bit numbers, those of the pictures learned from 16-bit",)
    assert shown(deep, eight).notes == ("its pixels are 16-bit numbers, those of the pictures learned from 8-bit",)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_colours_of_twelve_bits_keep_them(tmp_path: Path, suffix: str, orientation: int) -> None:
    colours = np.stack([scene(4095, "uint16", seed) for seed in range(3)], axis=2)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(cv2.imencode(f".{suffix}", colours[..., ::-1])[1].tobytes())
    turned = _turned_png if suffix == "png" else _turned_tiff
    path.write_bytes(turned(path.read_bytes(), orientation))
    part = Part("image", path)
    levels = common_levels([deep_range(part)])
    assert levels == Levels(0.0, 4095.0, ("16-bit",))
    expected = np.rint(colours / 4095 * 255).astype(np.uint8)
    expected = {1: expected, 2: expected[:, ::-1], 6: np.rot90(expected, -1)}[orientation]
    np.testing.assert_array_equal(read(replace(part, levels=levels)).pixels, expected)
    assert content_key(replace(part, levels=levels)) != content_key(part)


@pytest.mark.parametrize(("kind", "solid"), [("uint16", 65535), ("float32", 1.0)])
def test_transparency_is_laid_on_white_whatever_the_level(kind: str, solid: float) -> None:
    colours = np.stack([scene(4095, kind, seed) for seed in range(3)], axis=2)
    alpha = np.zeros((24, 32, 1), kind)
    alpha[:, :8], alpha[:, 8:16] = solid, solid / 2
    levels = levels_of(*colours.transpose(2, 0, 1))
    plain, seen = shown(colours, levels).pixels.astype(int), shown(np.concatenate([colours, alpha], axis=2), levels)
    np.testing.assert_array_equal(seen.pixels[:, :8], plain[:, :8])
    np.testing.assert_allclose(seen.pixels[:, 8:16], (plain[:, 8:16] + 255) / 2, atol=1.5)
    assert (seen.pixels[:, 16:] == 255).all()
    assert seen.notes == ()


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ((28000, 31000), (25000, 34000)),  # a band and its width on either side
        ((100, 900), (0, 1023)),  # more than a quarter of ten bits: the whole of them
        ((600, 760), (440, 920)),
        ((-20, 20), (-60, 60)),  # numbers below zero have no darkest that is known
        ((10, 100_000), (0, 199_990)),  # where none is below zero, none is shown darker than it
        ((70_000, 80_000), (60_000, 90_000)),
    ],
)
def test_a_band_has_room_on_either_side_and_no_black_below_zero_unasked(
    used: tuple[float, float], expected: tuple[float, float]
) -> None:
    levels = common_levels([("32-bit", *map(float, used))] * 3)
    assert levels is not None
    assert (levels.black, levels.white) == expected


def _turned_png(data: bytes, orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    held = b"eXIf" + exif.tobytes()[6:]
    return data[:33] + struct.pack(">I", len(held) - 4) + held + struct.pack(">I", zlib.crc32(held)) + data[33:]


def _turned_tiff(data: bytes, orientation: int) -> bytes:
    """The file with a directory of its own that has the tag of orientation too."""
    assert data[:4] == b"II*\0"
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [data[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(count)]
    entries = [one for one in entries if one[:2] != struct.pack("<H", 0x0112)]
    entries = sorted([*entries, struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)], key=lambda e: e[1::-1])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


def test_frames_of_a_folder_have_the_level_too_and_the_first_beyond_it_is_said(tmp_path: Path) -> None:
    for i in range(5):
        frame = scene(4095, "uint16", i)
        if i == 3:
            frame[:6, :6] = 30000
        Pillow.fromarray(frame).save(tmp_path / f"{i}.png")
    part = Part("video", tmp_path, rate=5.0)
    assert len(list(modality_of("video").depths(part))) == 4
    clip = read(replace(part, levels=Levels(0.0, 4095.0, ("16-bit",))))
    frames = [frame for _, _, frame in clip.frames()]
    np.testing.assert_array_equal(frames[1][..., 0], np.rint(scene(4095, "uint16", 1) / 4095 * 255))
    assert len(clip.notes) == 1
    assert clip.notes[0].startswith("3.png: 36 of its numbers")


def test_numbers_that_are_none_are_still_refused() -> None:
    with pytest.raises(PartError, match="NaN or infinite"):
        shown(np.array([[np.nan, 1.0]]), None)

import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Image, content_key, read

RGB = np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)


def pixels(value: object) -> np.ndarray:
    part = Part("image", value) if isinstance(value, Path) else Part("image", value=value)
    signal = read(part)
    assert isinstance(signal, Image)
    assert signal.pixels.dtype == np.uint8
    assert signal.pixels.ndim == 3
    assert signal.pixels.shape[2] == 3
    return signal.pixels


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA", "SGI", "PCX", "QOI", "DDS", "ICO", "IM"])
def test_lossless_formats_give_the_exact_pixels(tmp_path: Path, kind: str) -> None:
    square = np.ascontiguousarray(np.kron(RGB, np.ones((2, 2, 1), np.uint8))[:16, :16])
    Pillow.fromarray(square).save(tmp_path / "a.bin", kind)
    np.testing.assert_array_equal(pixels(tmp_path / "a.bin"), square)  # the suffix does not matter


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "JPEG2000", "GIF"])
def test_other_formats_give_what_pillow_gives(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    Pillow.fromarray(RGB).save(path, kind)
    with Pillow.open(path) as picture:
        np.testing.assert_array_equal(pixels(path), np.array(picture.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    turned = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB, -1),
        7: RGB.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(RGB),
    }
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), turned[orientation])


def test_sixteen_bits_are_scaled_by_a_fixed_rule_and_turned(tmp_path: Path) -> None:
    deep = np.array([[0, 257, 65535], [128 * 257, 300, 4095]], np.uint16)
    expected = np.rint(deep * (255 / 65535)).astype(np.uint8)
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(deep).save(tmp_path / "a.png", exif=exif)
    Pillow.fromarray(deep).save(tmp_path / "a.tiff")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png")[..., 0], np.rot90(expected, -1))
    np.testing.assert_array_equal(pixels(tmp_path / "a.tiff")[..., 1], expected)
    np.testing.assert_array_equal(pixels(deep)[..., 2], expected)


def test_floating_point_pixels(tmp_path: Path) -> None:
    unit = np.array([[0, 0.5, 1.0]], np.float32)
    Pillow.fromarray(unit).save(tmp_path / "a.tiff")
    assert pixels(tmp_path / "a.tiff")[0, :, 0].tolist() == [0, 128, 255]
    assert pixels(unit * 255)[0, :, 0].tolist() == [0, 128, 255]
    assert pixels(np.array([[0, 200]], np.int64))[0, :, 0].tolist() == [0, 200]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = Pillow.fromarray(RGB[..., 0]) if mode in ("I;16", "I", "F") else Pillow.fromarray(RGB)
    if mode == "I;16":
        picture = Pillow.fromarray(RGB[..., 0].astype(np.uint16))
    elif mode == "LAB":
        picture = Pillow.frombytes("LAB", (14, 10), RGB.tobytes())
    else:
        picture = picture.convert("RGBA").convert("P").convert("PA") if mode == "PA" else picture.convert(mode)
    assert pixels(picture).shape == (10, 14, 3)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    clear = np.dstack([RGB, np.zeros((10, 14), np.uint8)])
    assert (pixels(clear) == 255).all()
    palette = Pillow.fromarray(RGB[..., 0]).convert("P")
    palette.save(tmp_path / "a.png", transparency=bytes(256))
    assert (pixels(tmp_path / "a.png") == 255).all()
    half = np.dstack([np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 128, np.uint8)])
    assert pixels(half)[0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize(
    ("suffix", "noun"), [("gif", "frames"), ("png", "frames"), ("webp", "frames"), ("tif", "pages")]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_several_pictures_in_one_file_are_refused(tmp_path: Path, suffix: str, noun: str, dtype: type) -> None:
    if dtype is np.uint16 and suffix in ("gif", "webp"):
        return  # formats of bytes
    pages = [Pillow.fromarray(np.full((8, 8), 40 * (i + 1), dtype)) for i in range(3)]
    alone, several = tmp_path / f"one.{suffix}", tmp_path / f"a.{suffix}"
    pages[0].save(alone)
    pages[0].save(several, save_all=True, append_images=pages[1:])
    assert pixels(alone).shape == (8, 8, 3)
    with pytest.raises(PartError, match=rf"a\.{suffix} holds 3 {noun}, and a picture is one; save each as a file"):
        pixels(several)


def test_smaller_copies_and_pictures_within_pictures_are_not_several(tmp_path: Path) -> None:
    whole, small = Pillow.fromarray(RGB), Pillow.new("RGB", (4, 4), "white")
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), True) as file:
        for page, kind in ((whole, 0), (small, 1)):
            page.save(file, "TIFF", tiffinfo={254: kind})
            file.newFrame()
    with Pillow.open(tmp_path / "a.tif") as picture:
        assert picture.n_frames == 2  # type: ignore[attr-defined]
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), RGB)
    whole.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[small])
    assert pixels(tmp_path / "phone.jpg").shape == RGB.shape


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=12).map(lambda s: (*s[:2], 3))))
def test_an_array_and_its_file_are_the_same_signal(array: np.ndarray) -> None:
    out = io.BytesIO()
    Pillow.fromarray(array).save(out, "PNG")
    with Pillow.open(out) as picture:
        np.testing.assert_array_equal(pixels(picture), array)
    np.testing.assert_array_equal(pixels(array), array)
    np.testing.assert_array_equal(pixels(Image(array)), array)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    from mmdmad.errors import PartError

    path = tmp_path_factory.mktemp("any") / "a.png"
    path.write_bytes(data)
    with pytest.raises(PartError):
        pixels(path)


def test_warnings_are_silent_inside_and_as_before_outside(tmp_path: Path) -> None:
    Pillow.new("1", (9500, 9500)).save(tmp_path / "large.png")  # 90 million pixels: Pillow warns, the limit is 100
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = list(warnings.filters)
        with ThreadPoolExecutor(3) as pool:
            small = [tmp_path / f"{i}.png" for i in range(6)]
            for path in small:
                Pillow.fromarray(RGB).save(path)
            list(pool.map(pixels, small))
        with Pillow.open(io.BytesIO((tmp_path / "0.png").read_bytes())) as picture:
            assert picture.size == (14, 10)
        assert pixels(tmp_path / "large.png").shape == (9500, 9500, 3)
        assert warnings.filters == inside
    assert list(warnings.filters) == before


def test_content_key_follows_the_bytes(tmp_path: Path) -> None:
    Pillow.fromarray(RGB).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    key = content_key(Part("image", tmp_path / "a.png"))
    assert key == content_key(Part("image", tmp_path / "b.png"))
    Pillow.fromarray(RGB[::-1]).save(tmp_path / "a.png")
    assert key != content_key(Part("image", tmp_path / "a.png"))
    assert content_key(Part("image", value=RGB)) != content_key(Part("image", value=RGB[::-1]))
    assert content_key(Part("image", value=RGB)) == content_key(Part("image", value=RGB.copy(order="F")))

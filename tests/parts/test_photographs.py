"""Photographs of telephones: read where Pillow or an installed plugin can, else refused with what to run."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from mmdmad.errors import PartError
from mmdmad.manifest import read_cases
from mmdmad.parts import read
from mmdmad.parts.image import deep_range

HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def test_heic_without_its_plugin_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "IMG_1.HEIC").write_bytes(HEAD)
    (case,) = read_cases(tmp_path)
    for look in (read, deep_range):
        with pytest.raises(PartError, match="takes a package of its own: pip install pillow-heif"):
            look(case.parts["image"])


def test_heic_with_its_plugin_is_read(tmp_path: Path) -> None:
    plugin = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, 32:] = 200
    plugin.from_pillow(Pillow.fromarray(pixels)).save(tmp_path / "IMG_1.HEIC", quality=100)
    (case,) = read_cases(tmp_path)
    made = read(case.parts["image"]).pixels
    assert made.shape == (48, 64, 3)
    assert np.abs(made.astype(int) - pixels)[:, [4, 60]].max() < 12
    assert deep_range(case.parts["image"]) == ("8-bit", 0.0, 255.0)


@pytest.mark.parametrize("suffix", ["webp", "avif"])
def test_webp_and_avif_are_read(tmp_path: Path, suffix: str) -> None:
    Pillow.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / f"a.{suffix}")
    (case,) = read_cases(tmp_path)
    assert np.abs(read(case.parts["image"]).pixels.astype(int) - 90).max() < 6


def test_raw_pictures_are_named_with_what_to_do(tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.CR2").write_bytes(b"II*\0")
    made = read_cases(tmp_path)
    assert [one.reason for one in made.refused] == [
        "unknown kind of file '.CR2'; if it is a picture, export it as TIFF or PNG"
    ]
